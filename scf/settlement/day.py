"""The end of the day: income, lateness, expected losses; then the next date.

A day is closed in slices of up to a thousand advances, each one command under the key of
financier, date and the first and last advance. An advance says itself up to which date it is
closed, so a close that died goes on where it stopped, and one that is run again finds nothing to
do. Every day is closed on its own, business day or not; only then does the business date move.
"""

import dataclasses
import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, Table, func, or_, select, update
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.platform import Platform
from scf.db.runner import Context, command
from scf.db.types import Day, Id
from scf.financing import advances
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.financing.taxwatch.watching import plan_recheck
from scf.impairment import policy as impairment
from scf.impairment.measuring import SLICE as MEASURED_AT_ONCE
from scf.impairment.measuring import MeasureSlice, not_measured
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id
from scf.ledger import turnover
from scf.ledger.currency.revaluation import Revalue, wanted_at
from scf.ledger.service import Journal, LedgerEvent, post
from scf.parties.models import BusinessDate
from scf.parties.service import business_date
from scf.programmes.terms import Terms
from scf.settlement import instructions, journals, outcomes, reserve_journals
from scf.settlement.instructions import INSTRUCTION_TABLE
from scf.settlement.loans import ADVANCE, loan_of, terms_of_versions
from scf.settlement.models import PaymentInstruction
from scf.settlement.position import ALLOCATION, BY_SELLER, SHARES
from scf.settlement.reserve import Reserved
from scf.settlement.schedule import Loan, Money, Standing, plan

SLICE: Final = 1_000
MAX_DAYS: Final = 4_000
_DAY: Final = dt.timedelta(days=1)
_date: Final[Table] = BusinessDate.__table__  # type: ignore[attr-defined]
_CLOSE: Final = bulk.Setting(
    ADVANCE, "income_minor", "penalty_minor", "interest_minor", "income_to"
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CloseSlice(_Input):
    """The advances from one to another that this date has not been closed for."""

    on: Day
    first_id: Id
    last_id: Id


class FinishDay(_Input):
    """The date whose advances are all closed."""

    on: Day


# --- One slice ------------------------------------------------------------------------------------


@command("day.close", CloseSlice)
def close_slice(ctx: Context, data: CloseSlice) -> dict[str, Any]:
    """Book income and penalty of some advances of the actor's organisation up to a day's close.

    Posted is the rounded total to date less what stands posted, so that the days add up to the
    whole exactly. Whoever has not paid by now is in grace or overdue.

    Raises
    ------
    Conflict
        NOT_TODAY, when the financier's books are on another date.
    """
    _must_be_today(ctx, data.on)
    wanted = _not_closed(ctx.actor.org_id, data.on).where(
        ADVANCE.c.id.between(data.first_id, data.last_id)
    )
    ids = list(ctx.conn.execute(wanted).scalars())
    rows = list(ctx.lock(Advance, ids).values())
    if not rows:
        return {"closed": 0}
    terms = terms_of_versions(ctx.conn, (row.programme_version_id for row in rows))
    paid = _paid(ctx.conn, ids)
    in_books = outcomes.books_of_many(ctx.conn, rows, terms)
    events: list[LedgerEvent] = []
    totals = []
    late: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        agreed = terms[row.programme_version_id]
        loan = loan_of(row, agreed)
        now = _standing(loan, paid[row.id], data.on + _DAY)
        books = in_books[row.id]
        fee = now.fee - _fee_before(loan, paid[row.id], row)
        events += _events(row, books, now, fee, data.on)
        totals.append((row.id, now.income, now.penalty, now.interest, data.on))
        step = _lateness(row, agreed, data.on)
        if step:
            late[step].append(row)
    _CLOSE.run(ctx.conn, totals)
    post(ctx, events)
    for step, members in late.items():
        advances.late(ctx, members, step, data.on)
    return {
        "closed": len(rows),
        "grace": len(late["grace"]),
        "overdue": len(late["overdue"]),
    }


def _must_be_today(ctx: Context, on: dt.date) -> None:
    today = business_date(ctx.conn, ctx.actor.org_id)
    if today != on:
        raise Conflict(
            "NOT_TODAY",
            "The books are on %(business_date)s.",
            business_date=today.isoformat(),
            asked=on.isoformat(),
        )


def _not_closed(financier_id: str, on: dt.date) -> Any:  # noqa: ANN401 - a select
    return select(ADVANCE.c.id).where(
        ADVANCE.c.financier_id == financier_id,
        ADVANCE.c.state.in_(OUT),
        or_(ADVANCE.c.income_to.is_(None), ADVANCE.c.income_to < on),
    )


def _paid(conn: Connection, ids: Sequence[str]) -> dict[str, list[Money]]:
    """Give what each advance has received, by receipt and by whom."""
    by_seller = ALLOCATION.c.kind.in_(BY_SELLER)
    rows = conn.execute(
        select(
            ALLOCATION.c.advance_id,
            ALLOCATION.c.bank_entry_id,
            ALLOCATION.c.value_on,
            by_seller.label("by_seller"),
            func.sum(ALLOCATION.c.amount_minor).label("amount"),
        )
        .where(
            ALLOCATION.c.advance_id.in_(ids),
            ALLOCATION.c.kind.in_(SHARES),
            ALLOCATION.c.reversed_by.is_(None),
        )
        .group_by(
            ALLOCATION.c.advance_id,
            ALLOCATION.c.bank_entry_id,
            ALLOCATION.c.value_on,
            by_seller,
        )
        .order_by(ALLOCATION.c.value_on, ALLOCATION.c.bank_entry_id)
    )
    found: dict[str, list[Money]] = defaultdict(list)
    for row in rows:
        found[row.advance_id].append(
            Money(row.bank_entry_id, row.value_on, int(row.amount), bool(row.by_seller))
        )
    return found


def _standing(loan: Loan | Reserved, paid: Sequence[Money], until: dt.date) -> Standing:
    return plan([loan], paid, 0, until).standings[loan.id]


def _fee_before(loan: Loan | Reserved, paid: Sequence[Money], row: Row[Any]) -> int:
    if loan.fee == 0 or row.income_to is None:
        return 0
    return _standing(loan, paid, row.income_to + _DAY).fee


def _events(
    row: Row[Any], books: journals.Books, now: Standing, fee: int, on: dt.date
) -> list[LedgerEvent]:
    """Give the day's entries. Why the other books have none is said once, at the first close."""
    earned, cost = now.income - row.income_minor, now.penalty - row.penalty_minor
    interest = now.interest - row.interest_minor
    events = []
    first = row.income_to is None
    for kind, words, amount, made in (
        ("income.close", "Income", earned or fee, journals.income(books, earned=earned, fee=fee)),
        ("penalty.close", "Lateness", cost, journals.penalty_accrued(books, cost)),
        (
            "interest.close",
            "Interest",
            interest,
            reserve_journals.interest_accrued(books, interest),
        ),
    ):
        if amount:
            events.append(
                LedgerEvent(
                    f"{row.id}:{on.isoformat()}",
                    kind,
                    row.id,
                    row.currency,
                    on,
                    on,
                    f"{words} at the close of {on.isoformat()}",
                    _said_once(made, first=first),
                )
            )
    return events


def _said_once(made: Sequence[Journal], *, first: bool) -> list[Journal]:
    return [one for one in made if first or one.lines]


def _lateness(row: Row[Any], terms: Terms, on: dt.date) -> str:
    """Name the step of an advance that is not paid at the close of a day, if it takes one."""
    if on < row.due_on or open_face(row) == 0 or row.state == "RECOURSE_CALLED":
        return ""
    if on >= row.due_on + dt.timedelta(days=terms.grace_days):
        return "" if row.state == "OVERDUE" else "overdue"
    return "grace" if row.state in {"FUNDED", "PART_REPAID"} else ""


# --- The day is over ------------------------------------------------------------------------------


@command("day.finish", FinishDay)
def finish_day(ctx: Context, data: FinishDay) -> dict[str, Any]:
    """Move the business date on, once every advance is closed for the day.

    A payment that was due to go by the day before and that the bank has not answered with one
    word is UNKNOWN from now on: only the same bytes may go again.

    Raises
    ------
    Conflict
        NOT_TODAY; NOT_CLOSED while an advance is left.
    """
    financier_id = ctx.actor.org_id
    _must_be_today(ctx, data.on)
    if ctx.conn.execute(_not_closed(financier_id, data.on).limit(1)).first() is not None:
        raise Conflict("NOT_CLOSED", "Some advances are not closed for this day yet.")
    provides = impairment.in_force() is not None
    if provides and ctx.conn.execute(not_measured(financier_id, data.on).limit(1)).first():
        raise Conflict("NOT_MEASURED", "Some advances are not provided for on this day yet.")
    lost = _lose_unanswered(ctx, financier_id, data.on)
    tomorrow = data.on + _DAY
    moved = ctx.conn.execute(
        update(_date)
        .where(_date.c.financier_id == financier_id, _date.c.current_on == data.on)
        .values(current_on=tomorrow, opened_at=ctx.now)
        .returning(_date.c.current_on)
    ).one_or_none()
    if moved is None:
        raise Conflict("NOT_TODAY", "Somebody else has moved the date.")
    turnover.merge(ctx.conn, _large_books(ctx.conn, financier_id), data.on)
    plan_recheck(ctx, financier_id, tomorrow)
    ctx.change(
        "business_date",
        financier_id,
        {"current_on": data.on.isoformat()},
        {"current_on": tomorrow.isoformat()},
    )
    ctx.emit("day.closed", {"financier_id": financier_id, "on": data.on.isoformat()})
    return {"business_date": tomorrow.isoformat(), "unknown": lost}


def _large_books(conn: Connection, financier_id: str) -> set[str]:
    """The financier's book, and those of who owes it money: each slice has booked to them."""
    obligors = select(ADVANCE.c.obligor_id).where(
        ADVANCE.c.financier_id == financier_id, ADVANCE.c.state.in_(OUT)
    )
    return {financier_id, *conn.execute(obligors.distinct()).scalars()}


def _lose_unanswered(ctx: Context, financier_id: str, on: dt.date) -> int:
    rows = ctx.conn.execute(
        select(INSTRUCTION_TABLE)
        .where(
            INSTRUCTION_TABLE.c.financier_id == financier_id,
            INSTRUCTION_TABLE.c.state == "SENT",
            INSTRUCTION_TABLE.c.value_on < on,
        )
        .order_by(INSTRUCTION_TABLE.c.id)
        .limit(SLICE)
    ).all()
    if not rows:
        return 0
    advances.lock(ctx, (row.advance_id for row in rows if row.advance_id))
    fresh = ctx.lock(PaymentInstruction, (row.id for row in rows)).values()
    lost = [row for row in fresh if row.state == "SENT"]
    instructions.move(ctx, lost, "lose")
    for row in lost:
        if row.advance_id is not None and row.kind == "advance":
            advances.lose(ctx, row.advance_id, "no answer of the bank", on)
    return len(lost)


# --- Day after day --------------------------------------------------------------------------------


def close_to(platform: Platform, financier_id: str, date: dt.date) -> dict[str, Any]:
    """Close every day from the business date to ``date``; the books are then on the next one.

    May be called again after a crash at any point: what is done stays done.

    Raises
    ------
    InvalidInput
        DATE_RANGE, for a date that lies years ahead.
    """
    actor = dataclasses.replace(OPERATOR, org_id=financier_id)
    days = closed = measured = 0
    while (on := _today(platform, financier_id)) <= date:
        if (date - on).days > MAX_DAYS:
            raise InvalidInput(
                "DATE_RANGE",
                "%(asked)s lies too far from %(business_date)s.",
                business_date=on.isoformat(),
                asked=date.isoformat(),
            )
        _begin_day(platform, actor, on)
        closed += _close_one(platform, actor, on)
        measured += _measure_one(platform, actor, on)
        platform.run("reminder.send", {"on": on}, actor, key=f"{financier_id}:{on}")
        platform.run("day.finish", FinishDay(on=on), actor, key=f"{financier_id}:{on}")
        days += 1
        if (on + _DAY).day == 1:
            _revalue_month(platform, actor, on)
    today = _today(platform, financier_id)
    _begin_day(platform, actor, today)
    # What the run before did not get to, or had no rate for.
    revalued = _revalue_month(platform, actor, today.replace(day=1) - _DAY)
    return {
        "days": days,
        "advances": closed,
        "measured": measured,
        "business_date": today.isoformat(),
        "revaluation": revalued,
    }


def _revalue_month(platform: Platform, actor: Actor, on: dt.date) -> str:
    """Revalue foreign balances at a month's end, where that is due and its rates are there.

    A day never waits for a publication: the period does, when somebody wants to close it.
    """
    with platform.db.snapshot() as conn:
        wanted = wanted_at(conn, actor.org_id, on)
    if wanted == "due":
        platform.run("ledger.revalue", Revalue(on=on), actor, key=new_id())
        return "done"
    return wanted


def _begin_day(platform: Platform, actor: Actor, on: dt.date) -> None:
    """What a new date brings: prices and deadlines end, receipts that waited for it are tried."""
    for name in ("quote.expire", "request.expire", "receipt.retry"):
        platform.run(name, {}, actor, key=f"{actor.org_id}:{on}")


def _close_one(platform: Platform, actor: Actor, on: dt.date) -> int:
    """Close a day for every advance, also for those that are funded while it is closed."""
    closed = 0
    while ids := _left(platform, actor.org_id, on):
        for start in range(0, len(ids), SLICE):
            closed += _close_part(platform, actor, on, ids[start : start + SLICE])
    return closed


def _left(platform: Platform, financier_id: str, on: dt.date) -> list[str]:
    with platform.db.snapshot() as conn:
        return list(conn.execute(_not_closed(financier_id, on).order_by(ADVANCE.c.id)).scalars())


def _close_part(platform: Platform, actor: Actor, on: dt.date, ids: Sequence[str]) -> int:
    """Close a day for the advances between two; an old answer says nothing about them now."""
    part = CloseSlice(on=on, first_id=ids[0], last_id=ids[-1])
    for turn in itertools.count():
        key = f"{actor.org_id}:{on}:{ids[0]}:{ids[-1]}:{turn}"
        done = platform.run("day.close", part, actor, key=key)
        if not done.replayed:
            return int(done.result["closed"])
    raise AssertionError


def _measure_one(platform: Platform, actor: Actor, on: dt.date) -> int:
    """Provide for losses, slice behind slice, until a look from the start on finds nothing."""
    if impairment.in_force() is None:
        return 0
    measured = number = 0
    after = ""
    while True:
        done = platform.run(
            "allowance.measure",
            MeasureSlice(on=on, slice=number, after=after),
            actor,
            key=f"{actor.org_id}:{on}:{number}",
        )
        found = int(done.result["measured"])
        measured += found
        if not found and not after and not done.replayed:
            return measured
        # What a run before a crash said is no news: behind its last advance it goes on.
        after = str(done.result["last_id"]) if found >= MEASURED_AT_ONCE else ""
        number += 1


def _today(platform: Platform, financier_id: str) -> dt.date:
    with platform.db.snapshot() as conn:
        return business_date(conn, financier_id)
