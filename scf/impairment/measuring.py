"""The close of a day looks at every advance: its stage, and what is expected to be lost on it.

In slices of up to a thousand advances, each one command, after the accrual of the same day. An
allowance says itself up to which date it was looked at, so a run that died goes on where it
stopped and one that is done again finds nothing to do. A slice reads a fixed number of times,
however many advances it holds.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Select, and_, func, or_, select
from sqlalchemy.engine import Connection

from scf.db.keys import one_of, told
from scf.db.runner import Context, command
from scf.db.types import Count, Day
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.impairment import policy as policies
from scf.impairment.booking import (
    ADVANCE,
    IMPAIRED,
    STANDING,
    Step,
    penalty_open,
    standings,
    step_of,
    store,
)
from scf.impairment.rules import Case, Level, days_past_due, exposure_of, measure
from scf.kernel.errors import Conflict
from scf.ledger.models import Account, Entry, Posting
from scf.parties.service import business_date
from scf.risk.outlook import Outlook, PricedOn, newest_of_firms, outlooks, priced_on

SLICE: Final = 1_000
_UNEARNED: Final = "unearned_discount"
_ENTRY: Final = Entry.__table__  # type: ignore[attr-defined]
_POSTING: Final = Posting.__table__  # type: ignore[attr-defined]
_ACCOUNT: Final = Account.__table__  # type: ignore[attr-defined]
# A part of what was written off stands in the book again: a receipt from before was taken back.
_CARRIED: Final = (
    ADVANCE.c.face_minor - ADVANCE.c.repaid_minor - ADVANCE.c.diluted_minor - ADVANCE.c.bought_minor
    != ADVANCE.c.written_off_minor - ADVANCE.c.recovered_minor
)
_BOOKED: Final = {
    engine: select(
        _ENTRY.c.subject_id, func.coalesce(func.sum(-_POSTING.c.amount_minor), 0).label("left")
    )
    .join(_POSTING, _POSTING.c.entry_id == _ENTRY.c.id)
    .join(_ACCOUNT, _ACCOUNT.c.id == _POSTING.c.account_id)
    .where(these, _ACCOUNT.c.code == _UNEARNED)
    .group_by(_ENTRY.c.subject_id)
    for engine, these in one_of(_ENTRY.c.subject_id).items()
}


class MeasureSlice(BaseModel):
    """The next advances of the actor's organisation, behind ``after``, that nobody looked at."""

    model_config = ConfigDict(extra="forbid")
    on: Day
    slice: Count
    after: str = Field(default="", max_length=64)


@command("allowance.measure", MeasureSlice)
def measure_slice(ctx: Context, data: MeasureSlice) -> dict[str, Any]:
    """Set aside what is expected to be lost on up to a thousand advances, and release the rest.

    Raises
    ------
    Conflict
        NOT_TODAY, when the financier's books are on another date.

    Source: IFRS 9 5.5; postings.md 4.11.
    """
    today = business_date(ctx.conn, ctx.actor.org_id)
    if today != data.on:
        raise Conflict(
            "NOT_TODAY",
            "The books are on %(business_date)s.",
            business_date=today.isoformat(),
            asked=data.on.isoformat(),
        )
    policy = policies.in_force()
    if policy is None:
        return {"measured": 0, "moved": 0, "last_id": ""}
    query = not_measured(ctx.actor.org_id, data.on).where(ADVANCE.c.id > data.after).limit(SLICE)
    ids = list(ctx.conn.execute(query).scalars())
    rows = list(ctx.lock(Advance, ids).values())
    if not rows:
        return {"measured": 0, "moved": 0, "last_id": ""}
    policies.keep(ctx, policy)
    steps = steps_of(ctx.conn, rows, policy, data.on)
    moved = store(ctx, steps, policy, data.on, looked=True)
    ctx.change(
        "loss_allowance",
        f"{data.on.isoformat()}:{data.slice}",
        None,
        {"measured": len(rows), "moved": moved, "policy": policy.digest},
    )
    return {"measured": len(rows), "moved": moved, "last_id": rows[-1].id}


def not_measured(financier_id: str, on: dt.date) -> Select[Any]:
    """Select the advances that a close has still to look at, by id."""
    stands = or_(STANDING.c.allowance_minor > 0, STANDING.c.penalty_off_minor > 0)
    return (
        select(ADVANCE.c.id)
        .outerjoin(STANDING, STANDING.c.id == ADVANCE.c.id)
        .where(
            ADVANCE.c.financier_id == financier_id,
            or_(
                ADVANCE.c.state.in_(OUT),
                and_(ADVANCE.c.state == "WRITTEN_OFF", _CARRIED),
                and_(ADVANCE.c.state != "WRITTEN_OFF", stands),
            ),
            or_(STANDING.c.measured_on.is_(None), STANDING.c.measured_on < on),
        )
        .order_by(ADVANCE.c.id)
    )


def steps_of(
    conn: Connection,
    rows: Sequence[Row[Any]],
    policy: policies.Policy,
    on: dt.date,
    stand: Mapping[str, Any] | None = None,
) -> list[Step]:
    """Measure advances on a day; reads what that takes for all of them at once.

    Parameters
    ----------
    stand
        What stands set aside for them, where that is not as it is stored.
    """
    if stand is None:
        stand = standings(conn, [row.id for row in rows])
    financier_id = rows[0].financier_id
    newest = newest_of_firms(conn, financier_id, {row.obligor_id for row in rows})
    new = [row for row in rows if row.id not in stand]
    priced = priced_on(conn, {row.quote_line_id for row in new}) if new else {}
    wanted = {*newest.values(), *(one.assessment_id for one in priced.values())}
    said = outlooks(conn, wanted)
    early = [row.id for row in rows if row.repaid_minor and row.due_on > on]
    unearned = _unearned(conn, early)
    return [
        _measured(
            row,
            stand.get(row.id),
            said.get(newest.get(row.obligor_id, "")),
            _start(row, priced, said),
            policy,
            on,
            unearned.get(row.id),
        )
        for row in rows
    ]


def _unearned(conn: Connection, advance_ids: Sequence[str]) -> Mapping[str, int]:
    """Give the unearned discount of advances that were paid early in part, as their book has it."""
    if not advance_ids:
        return {}
    rows = conn.execute(_BOOKED[conn.dialect.name], {"ids": told(conn, advance_ids)})
    return {row.subject_id: max(0, int(row.left)) for row in rows}


def _start(
    row: Row[Any], priced: Mapping[str, PricedOn], said: Mapping[str, Outlook]
) -> tuple[Decimal | None, Decimal | None]:
    """Give the one-year PD and the LGD that an advance was priced with, where it was by risk."""
    one = priced.get(row.quote_line_id)
    if one is None:
        return None, None
    outlook = said.get(one.assessment_id)
    return (None if outlook is None else outlook.one_year), one.lgd


def _measured(
    row: Row[Any],
    before: Row[Any] | None,
    outlook: Outlook | None,
    start: tuple[Decimal | None, Decimal | None],
    policy: policies.Policy,
    on: dt.date,
    unearned: int | None,
) -> Step:
    curve = outlook or Level(policy.unassessed_pd)
    if before is not None:
        start_pd, lgd = Decimal(before.start_pd), Decimal(before.lgd)
    else:
        start_pd = start[0] if start[0] is not None else curve.within(365)
        lgd = start[1] if start[1] is not None else policy.lgd
    case = Case(
        exposure=exposure_of(row, on, unearned),
        days_past_due=days_past_due(row, on),
        days_ahead=(row.due_on - on).days,
        start_pd=start_pd,
        lgd=lgd,
        curve=curve,
        assessed=outlook is not None,
        specific=None if before is None else before.specific_minor,
    )
    found = measure(case, policy)
    return step_of(
        row,
        before,
        found,
        exposure=case.exposure,
        penalty_off=penalty_open(row) if found.stage == IMPAIRED and case.exposure else 0,
        days_past_due=case.days_past_due,
        start_pd=start_pd,
        lgd=lgd,
        assessment_id=None if outlook is None else outlook.assessment_id,
        specific=case.specific,
    )
