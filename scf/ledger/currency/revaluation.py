"""Foreign monetary balances at the rate of a day: what should stand, less what stands.

Source: IAS 21.21, 21.23, 21.28. A balance in another currency stays in that currency. Beside it,
in the book's currency, stand what it is worth more or less than it cost (account
``currency_revaluation``) and what movements have made of it for good (``currency_exchange``),
against gains and losses. Both are booked cumulatively, so a second run books nothing, a new rate
corrects by the difference, and a balance that is zero again has nothing left on the first.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.runner import Context, command
from scf.db.types import Day
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.ledger.currency.books import MAX_AGE, AnyBook, book_of, locked, rates_of
from scf.ledger.currency.carrying import Position
from scf.ledger.currency.models import Revaluation
from scf.ledger.currency.rates import DayRate, Rates, convert
from scf.ledger.lifecycle import SHUT
from scf.ledger.models import Account, Period
from scf.ledger.service import Chart, Journal, LedgerEvent, Line, post
from scf.ledger.turnover import TURNOVER
from scf.parties.service import business_date, financier_only

REVALUATION: Final[Table] = Revaluation.__table__  # type: ignore[attr-defined]
_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_period: Final[Table] = Period.__table__  # type: ignore[attr-defined]

UNREALISED: Final = "currency_revaluation"
REALISED: Final = "currency_exchange"
ADJUSTING: Final = (UNREALISED, REALISED)
KIND: Final = "currency.revalue"
# Account, where a gain goes, where a loss goes.
_SIDES: Final = (
    (UNREALISED, "currency_gains_unrealised", "currency_losses_unrealised"),
    (REALISED, "currency_gains_realised", "currency_losses_realised"),
)
_COLUMNS: Final = tuple(column.name for column in REVALUATION.c)
Key = tuple[str, str]  # account id, currency


class Revalue(BaseModel):
    """The day at whose close foreign balances are looked at."""

    model_config = ConfigDict(extra="forbid")
    on: Day


@dataclass(frozen=True, slots=True)
class Valued:
    """One foreign balance at the close of a day; nothing is closing where no rate is known."""

    account_id: str
    account_code: str
    currency: str
    on: dt.date
    balance_minor: int
    historic_minor: int
    cost_minor: int
    closing_minor: int | None
    rate: DayRate | None
    booked: tuple[int, int]

    @property
    def missing(self) -> bool:
        """Tell whether its day has no rate."""
        return self.closing_minor is None

    @property
    def due(self) -> tuple[int, int]:
        """What is still to be booked: unrealised and realised, gains positive."""
        if self.closing_minor is None:
            return (0, 0)
        return (
            self.closing_minor - self.cost_minor - self.booked[0],
            self.cost_minor - self.historic_minor - self.booked[1],
        )


@dataclass(frozen=True, slots=True)
class Gap:
    """A day on which something moved and for which no rate is known."""

    currency: str
    on: dt.date


# --- What should stand ----------------------------------------------------------------------------


def is_monetary(code: str, kind: str) -> bool:
    """Tell whether an account is money or a claim to a fixed amount of it, by the chart.

    An account that the chart no longer has is judged by its kind.
    """
    line = Chart.lines.get(code)
    return line.monetary if line is not None else kind in {"asset", "liability"}


def daily_nets(
    conn: Connection, org_id: str, currency: str, up_to: dt.date
) -> Iterator[tuple[Any, str, dt.date, int]]:
    """Give account, currency, day and net movement of every balance that is not in a currency."""
    net = func.sum(TURNOVER.c.debit_minor) - func.sum(TURNOVER.c.credit_minor)
    accounts = {
        row.id: row for row in conn.execute(select(_account).where(_account.c.org_id == org_id))
    }
    rows = conn.execute(
        select(TURNOVER.c.account_id, TURNOVER.c.currency, TURNOVER.c.booked_on, net)
        .where(
            TURNOVER.c.org_id == org_id,
            TURNOVER.c.currency != currency,
            TURNOVER.c.booked_on <= up_to,
        )
        .group_by(TURNOVER.c.account_id, TURNOVER.c.currency, TURNOVER.c.booked_on)
        .order_by(TURNOVER.c.account_id, TURNOVER.c.currency, TURNOVER.c.booked_on)
    )
    for account_id, code, day, amount in rows:
        yield accounts[account_id], code, day, int(amount)


def value(
    conn: Connection,
    org_id: str,
    days: Sequence[dt.date],
    *,
    known: tuple[str, int] | None = None,
) -> tuple[list[Valued], list[Gap]]:
    """Give every foreign monetary balance at the close of each day, and the rates that lack.

    Parameters
    ----------
    days
        Ascending.
    known
        By the rates of this source that stood after so many confirmed publications, whatever their
        age: to work out again what was worked out then.
    """
    book = book_of(conn, org_id)
    known_no = None
    if known is not None:
        book.source, known_no = known
        book.max_age_days = MAX_AGE
    nets: dict[Key, list[tuple[dt.date, int]]] = {}
    named: dict[str, str] = {}
    for account, code, day, amount in daily_nets(conn, org_id, book.currency, days[-1]):
        if amount and is_monetary(account.code, account.kind):
            nets.setdefault((account.id, code), []).append((day, amount))
            named[account.id] = account.code
    rates = rates_of(conn, book, {code for _account_id, code in nets}, known_no)
    booked = _booked(conn, org_id, days[-1])
    found: list[Valued] = []
    gaps: dict[Gap, None] = {}
    for (account_id, code), moves in sorted(nets.items()):
        seen, lacking = _over_days(rates, code, moves, days)
        gaps |= dict.fromkeys(lacking)
        rows = booked.get((account_id, code), [])
        for day, position in zip(days, seen, strict=True):
            rate = rates.of(code, day) if position.balance_minor else None
            closing: int | None = 0
            if position.balance_minor:
                closing = (
                    convert(position.balance_minor, code, book.currency, rate.ratio)
                    if rate
                    else None
                )
                if rate is None:
                    gaps[Gap(code, day)] = None
            stands = [row for row in rows if row[0] <= day]
            found.append(
                Valued(
                    account_id,
                    named[account_id],
                    code,
                    day,
                    position.balance_minor,
                    position.historic_minor,
                    position.cost_minor,
                    closing,
                    rate,
                    (sum(row[1] for row in stands), sum(row[2] for row in stands)),
                )
            )
    return found, list(gaps)


def _over_days(
    rates: Rates, currency: str, moves: Iterable[tuple[dt.date, int]], days: Sequence[dt.date]
) -> tuple[list[Position], list[Gap]]:
    """Follow one balance; gives how it stood at the close of each of the days."""
    position, seen, gaps = Position(), [], []
    left = deque(moves)
    for day in days:
        while left and left[0][0] <= day:
            moved_on, net = left.popleft()
            rate = rates.of(currency, moved_on)
            if rate is None:
                gaps.append(Gap(currency, moved_on))
                continue
            ratio = rate.ratio

            def worth(minor: int, ratio: Fraction = ratio) -> int:
                return convert(minor, currency, rates.currency, ratio)

            position.move(net, worth)
        seen.append(Position(position.balance_minor, position.historic_minor, position.cost_minor))
    return seen, gaps


def _booked(
    conn: Connection, org_id: str, up_to: dt.date
) -> dict[Key, list[tuple[dt.date, int, int]]]:
    """Give what was booked for each balance, by the day it was booked for."""
    rows = conn.execute(
        select(
            REVALUATION.c.account_id,
            REVALUATION.c.currency,
            REVALUATION.c.on_day,
            func.sum(REVALUATION.c.unrealised_minor),
            func.sum(REVALUATION.c.realised_minor),
        )
        .where(REVALUATION.c.org_id == org_id, REVALUATION.c.on_day <= up_to)
        .group_by(REVALUATION.c.account_id, REVALUATION.c.currency, REVALUATION.c.on_day)
    )
    found: dict[Key, list[tuple[dt.date, int, int]]] = {}
    for account_id, currency, day, unrealised, realised in rows:
        found.setdefault((account_id, currency), []).append((day, int(unrealised), int(realised)))
    return found


# --- Booking it -----------------------------------------------------------------------------------


@command("ledger.revalue", Revalue)
def revalue(ctx: Context, data: Revalue) -> dict[str, Any]:
    """Book what the close of a day makes of the foreign balances of the actor's book.

    Days that were revalued before and are still open are looked at again, oldest first: a rate
    that was superseded, or an entry that came late, is corrected on the day it belongs to. What
    lies in a closed period stays, and its correction falls on the first open day.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY.
    RuleViolation
        REVALUATION_DAY for a day that is not over, or is closed; RATE_MISSING with currency and
        day where no rate is young enough.
    """
    org_id = financier_only(ctx.conn, ctx.actor)
    book = locked(ctx, org_id)
    today = business_date(ctx.conn, org_id)
    closed_to = _closed_to(ctx.conn, org_id)
    if data.on >= today or (closed_to is not None and data.on <= closed_to):
        raise RuleViolation(
            "REVALUATION_DAY",
            "A day is revalued once it is over and while its period is open.",
            on=data.on.isoformat(),
            business_date=today.isoformat(),
            closed_to=closed_to.isoformat() if closed_to else None,
        )
    days = _days_to_see(ctx.conn, org_id, data.on, closed_to)
    found, gaps = value(ctx.conn, org_id, days)
    if gaps:
        raise _lacks(gaps, book.max_age_days, book.source)
    rows, events = _rows_and_events(ctx, book, found, data.on)
    bulk.insert_rows(ctx.conn, REVALUATION, _COLUMNS, rows)
    entries = post(ctx, events)
    unrealised = sum(row[_COLUMNS.index("unrealised_minor")] for row in rows)
    realised = sum(row[_COLUMNS.index("realised_minor")] for row in rows)
    if rows:
        ctx.change(
            "ledger_book",
            org_id,
            None,
            {"revalued_on": data.on.isoformat(), "balances": len(rows), "entries": entries},
        )
    return {
        "on": data.on.isoformat(),
        "currency": book.currency,
        "balances": len(rows),
        "entries": entries,
        "unrealised_minor": unrealised,
        "realised_minor": realised,
    }


def _lacks(gaps: Sequence[Gap], age: int, source: str) -> RuleViolation:
    first = min(gaps, key=lambda gap: (gap.on, gap.currency))
    return RuleViolation(
        "RATE_MISSING",
        "%(source)s has no confirmed rate of %(foreign)s for %(on)s or the %(days)s days before.",
        source=source,
        foreign=first.currency,
        on=first.on.isoformat(),
        days=age,
        missing=len(gaps),
    )


def _closed_to(conn: Connection, org_id: str) -> dt.date | None:
    """Give the last day that is closed; everything before it is too."""
    found = select(func.max(_period.c.to_on)).where(
        _period.c.org_id == org_id, _period.c.state.in_(SHUT)
    )
    day: dt.date | None = conn.execute(found).scalar_one()
    return day


def _days_to_see(
    conn: Connection, org_id: str, on: dt.date, closed_to: dt.date | None
) -> list[dt.date]:
    query = select(REVALUATION.c.on_day).where(REVALUATION.c.org_id == org_id).distinct()
    if closed_to is not None:
        query = query.where(REVALUATION.c.on_day > closed_to)
    return sorted({on, *conn.execute(query).scalars()})


def _rows_and_events(
    ctx: Context,
    book: AnyBook,
    found: Sequence[Valued],
    on: dt.date,
) -> tuple[list[tuple[Any, ...]], list[LedgerEvent]]:
    """Give what is new: a row for each balance of the day, and an entry where something moved."""
    attempts = _attempts(ctx.conn, book.id)
    moved: dict[Key, list[int]] = {}  # by this command, on the days before
    rows: list[tuple[Any, ...]] = []
    events = []
    for one in sorted(found, key=lambda one: (one.account_id, one.currency, one.on)):
        key = one.account_id, one.currency
        before = moved.setdefault(key, [0, 0])
        due = tuple(want - done for want, done in zip(one.due, before, strict=True))
        last = attempts.get((*key, one.on), 0)
        wanted = one.on == on and one.balance_minor != 0 and last == 0
        if not any(due) and not wanted:
            continue
        before[0] += due[0]
        before[1] += due[1]
        row_id = new_id()
        rate = one.rate
        rows.append(
            (
                row_id,
                book.id,
                one.on,
                one.account_id,
                one.currency,
                last + 1,
                book.currency,
                one.balance_minor,
                one.historic_minor,
                one.cost_minor,
                one.closing_minor,
                str(rate.ratio) if rate else None,
                rate.fixed_on if rate else None,
                book.source,
                book.rates_known,
                *due,
                ctx.command_id,
                ctx.now,
            )
        )
        if any(due):
            events.append(_event(row_id, book, one, due))
    return rows, events


def _attempts(conn: Connection, org_id: str) -> dict[tuple[str, str, dt.date], int]:
    rows = conn.execute(
        select(
            REVALUATION.c.account_id,
            REVALUATION.c.currency,
            REVALUATION.c.on_day,
            func.max(REVALUATION.c.attempt),
        )
        .where(REVALUATION.c.org_id == org_id)
        .group_by(REVALUATION.c.account_id, REVALUATION.c.currency, REVALUATION.c.on_day)
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def _event(row_id: str, book: AnyBook, one: Valued, due: Sequence[int]) -> LedgerEvent:
    lines = []
    for (account, gain, loss), amount in zip(_SIDES, due, strict=True):
        lines += [Line(account, amount), Line(gain if amount > 0 else loss, -amount)]
    words = f"{one.account_code} in {one.currency} at the close of {one.on.isoformat()}"
    if one.rate is not None:
        words += f", rate of {one.rate.fixed_on.isoformat()}"
    return LedgerEvent(
        row_id, KIND, one.account_id, book.currency, one.on, one.on, words,
        [Journal(book.id, lines)],
    )  # fmt: skip


# --- Is it done -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlook:
    """How the revaluation of a day stands; nothing to do where all three are empty."""

    valued: list[Valued]
    gaps: list[Gap]
    not_done: list[Valued]


def outlook(conn: Connection, org_id: str, on: dt.date) -> Outlook:
    """Look, without booking anything, at the foreign balances at the close of a day."""
    found, gaps = value(conn, org_id, [on])
    rows = conn.execute(
        select(REVALUATION.c.account_id, REVALUATION.c.currency)
        .where(REVALUATION.c.org_id == org_id, REVALUATION.c.on_day == on)
        .distinct()
    )
    done = {(row.account_id, row.currency) for row in rows}
    not_done = [
        one
        for one in found
        if any(one.due) or (one.balance_minor and (one.account_id, one.currency) not in done)
    ]
    return Outlook(found, gaps, not_done)


def wanted_at(conn: Connection, org_id: str, on: dt.date) -> str:
    """Say whether a day's revaluation is "due", lacks a rate ("rates missing"), or is "done".

    Of a closed day nothing is wanted any more.
    """
    closed_to = _closed_to(conn, org_id)
    if closed_to is not None and on <= closed_to:
        return "done"
    seen = outlook(conn, org_id, on)
    if seen.gaps:
        return "rates missing"
    return "due" if seen.not_done else "done"


def must_be_done(conn: Connection, org_id: str, on: dt.date) -> None:
    """Let a period end only with the revaluation of its last day.

    Raises
    ------
    RuleViolation
        REVALUATION_MISSING with the currencies.
    """
    seen = outlook(conn, org_id, on)
    currencies = {one.currency for one in seen.not_done} | {gap.currency for gap in seen.gaps}
    if currencies:
        raise RuleViolation(
            "REVALUATION_MISSING",
            "The balances in %(currencies)s are not revalued at the close of %(on)s.",
            currencies=", ".join(sorted(currencies)),
            on=on.isoformat(),
        )
