"""Periods of a financier's book: closed by two people, opened again by two, guarded by triggers.

A closed period takes no entry that is booked on one of its days. What is found out later is booked
on the first open day and keeps its value date, so the figures that were reported stay as they were
and interest is still right.
"""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Id
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation
from scf.kernel.ids import new_id
from scf.ledger.currency.books import locked as locked_book
from scf.ledger.currency.revaluation import must_be_done
from scf.ledger.lifecycle import PERIOD, SHUT
from scf.ledger.models import Entry, Period
from scf.parties.service import business_date, same_person

_PERIOD: Final[Table] = Period.__table__  # type: ignore[attr-defined]
_ENTRY: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_DAY: Final = dt.timedelta(days=1)
_FIRST: Final = dt.date(1970, 1, 1)

constraint_means(
    "uq_period_live",
    "ledger_period.org_id, ledger_period.from_on",
    lambda: Conflict("PERIOD_UNDECIDED", "Somebody has proposed to close this period already."),
)


class ClosePeriod(BaseModel):
    """The last day of what is to be closed, and what it rests on."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    to_on: dt.date
    note: str = Field(min_length=3, max_length=4000)


class OfPeriod(BaseModel):
    """A period, and why."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    period_id: Id
    note: str = Field(default="", max_length=4000)


@command("period.close", ClosePeriod)
def close_period(ctx: Context, data: ClosePeriod) -> dict[str, Any]:
    """One person proposes to close all that is still open up to a day.

    Raises
    ------
    RuleViolation
        PERIOD_TO for a day that the end of day has not passed, or that is closed already;
        REVALUATION_MISSING where foreign balances are not at that day's rate.
    Conflict
        PERIOD_UNDECIDED while another proposal waits for its second person.
    """
    today = business_date(ctx.conn, ctx.actor.org_id)
    rows = _live(ctx.conn, ctx.actor.org_id)
    if any(row.state == "CLOSING" for row in rows):
        raise Conflict("PERIOD_UNDECIDED", "Somebody has proposed to close this period already.")
    first = rows[-1].to_on + _DAY if rows else _FIRST
    if not first <= data.to_on < today:
        raise RuleViolation(
            "PERIOD_TO",
            "A period ends on %(first)s at the earliest and before %(today)s, the business date.",
            first=first.isoformat(),
            today=today.isoformat(),
        )
    locked_book(ctx, ctx.actor.org_id)
    must_be_done(ctx.conn, ctx.actor.org_id, data.to_on)
    row = {
        "id": new_id(),
        "org_id": ctx.actor.org_id,
        "from_on": first,
        "to_on": data.to_on,
        "state": "CLOSING",
        "note": data.note,
        "proposed_by": ctx.actor.user_id,
        "proposed_at": ctx.now,
        "confirmed_by": None,
        "confirmed_at": None,
        "closed_at": None,
        "version": 1,
    }
    made = ctx.conn.execute(insert(_PERIOD).returning(_PERIOD), row).one()
    ctx.change("ledger_period", made.id, None, {"state": made.state, "note": data.note})
    return shown(made)


@command("period.reopen", OfPeriod)
def reopen_period(ctx: Context, data: OfPeriod) -> dict[str, Any]:
    """One person proposes to open the last closed period again.

    Raises
    ------
    RuleViolation
        PERIOD_LAST for any but the last one: later figures rest on it.
    """
    row = _locked(ctx, data.period_id)
    if _live(ctx.conn, row.org_id)[-1].id != row.id:
        raise RuleViolation("PERIOD_LAST", "Only the last closed period is opened again.")
    columns = {
        "note": data.note,
        "proposed_by": ctx.actor.user_id,
        "proposed_at": ctx.now,
        "confirmed_by": None,
        "confirmed_at": None,
    }
    return _move(ctx, row, "reopen", columns)


@command("period.confirm", OfPeriod)
def confirm_period(ctx: Context, data: OfPeriod) -> dict[str, Any]:
    """A second person closes what was proposed, or opens it again.

    Raises
    ------
    NotAllowed
        FOUR_EYES for the person who proposed it.
    RuleViolation
        REVALUATION_MISSING where something has moved since the closing was proposed.
    """
    ctx.visible(Period, data.period_id)
    locked_book(ctx, ctx.actor.org_id)  # before the period: who revalues holds it too
    row = _locked(ctx, data.period_id)
    PERIOD.after(row.state, "confirm")
    if same_person(ctx.conn, ctx.actor.user_id, [row.proposed_by]):
        raise NotAllowed("FOUR_EYES", "Who proposed this cannot confirm it.")
    columns: dict[str, Any] = {"confirmed_by": ctx.actor.user_id, "confirmed_at": ctx.now}
    if row.state == "CLOSING":
        must_be_done(ctx.conn, row.org_id, row.to_on)
        columns["closed_at"] = ctx.now
    return _move(ctx, row, "confirm", columns)


@command("period.withdraw", OfPeriod)
def withdraw_period(ctx: Context, data: OfPeriod) -> dict[str, Any]:
    """A proposal is taken back or not agreed to; the period stays as it was."""
    return _move(ctx, _locked(ctx, data.period_id), "withdraw", {})


def _locked(ctx: Context, period_id: str) -> Row[Any]:
    ctx.visible(Period, period_id)
    return ctx.lock(Period, [period_id])[period_id]


def _move(ctx: Context, row: Row[Any], event: str, columns: dict[str, Any]) -> dict[str, Any]:
    state = PERIOD.after(row.state, event)
    after = ctx.conn.execute(
        update(_PERIOD)
        .where(_PERIOD.c.id == row.id)
        .values(state=state, version=_PERIOD.c.version + 1, **columns)
        .returning(_PERIOD)
    ).one()
    ctx.change("ledger_period", row.id, {"state": row.state}, {"state": state, "event": event})
    return shown(after)


def _live(conn: Connection, org_id: str) -> list[Row[Any]]:
    """Read the periods of a book that are not open, in the order of their days."""
    return list(
        conn.execute(
            select(_PERIOD)
            .where(_PERIOD.c.org_id == org_id, _PERIOD.c.state != "OPEN")
            .order_by(_PERIOD.c.from_on)
        )
    )


def shown(row: Any) -> dict[str, Any]:  # noqa: ANN401 - row or record
    """Give a period as commands answer it."""
    return {
        "id": row.id,
        "from_on": row.from_on.isoformat(),
        "to_on": row.to_on.isoformat(),
        "state": row.state,
        "note": row.note,
    }


def broken(conn: Connection) -> list[Row[Any]]:
    """Find entries that were written into a period after it was closed."""
    return list(
        conn.execute(
            select(_ENTRY.c.id, _ENTRY.c.booked_on, _PERIOD.c.to_on)
            .join(
                _PERIOD,
                (_PERIOD.c.org_id == _ENTRY.c.org_id)
                & (_ENTRY.c.booked_on >= _PERIOD.c.from_on)
                & (_ENTRY.c.booked_on <= _PERIOD.c.to_on),
            )
            .where(_PERIOD.c.state.in_(SHUT), _ENTRY.c.created_at > _PERIOD.c.closed_at)
            .order_by(_ENTRY.c.id)
        )
    )
