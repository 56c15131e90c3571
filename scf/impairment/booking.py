"""Writing what was measured or agreed: allowances, their movements, and the entries, set by set.

What is posted is the difference to what stands, so that a figure that comes out the same posts
nothing. The caller has locked the advances.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Row, Table, select, update
from sqlalchemy.engine import Connection

from scf.db.bulk import Setting, insert_mappings
from scf.db.keys import one_of, told
from scf.db.runner import Context
from scf.financing.models import Advance
from scf.impairment import journals
from scf.impairment.models import AllowanceMovement, LossAllowance
from scf.impairment.policy import Policy
from scf.impairment.rules import Measured
from scf.kernel.ids import new_id
from scf.ledger.service import LedgerEvent, post

STANDING: Final[Table] = LossAllowance.__table__  # type: ignore[attr-defined]
MOVEMENT: Final[Table] = AllowanceMovement.__table__  # type: ignore[attr-defined]
ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
IMPAIRED: Final = 3
WORDS: Final[Mapping[str, str]] = {
    "ORIGINATED": "Expected loss set aside",
    "TRANSFERRED": "Expected loss, another stage",
    "REMEASURED": "Expected loss measured anew",
    "CORRECTED": "Expected loss taken back",
    "AGREED": "Loss allowance agreed",
    "ENDED": "Loss allowance released",
    "WRITTEN_OFF": "Written off",
}
_OWN: Final = (
    "stage", "since_on", "reason", "allowance_minor", "exposure_minor", "penalty_off_minor",
    "specific_minor", "days_past_due", "pd", "lgd", "assessment_id", "number", "measured_on",
)  # fmt: skip
_SET: Final = Setting(STANDING, *_OWN)
_STANDINGS: Final = {
    engine: select(STANDING).where(these) for engine, these in one_of(STANDING.c.id).items()
}


@dataclass(frozen=True, slots=True)
class Step:
    """Where an advance stands from now on, and where it stood; amounts in minor units.

    ``days`` and ``pd`` are what the figure was made of, ``one_year`` what is compared over time.
    """

    row: Row[Any]
    before: Row[Any] | None
    kind: str
    stage: int
    reason: str
    allowance: int
    exposure: int
    penalty_off: int
    days_past_due: int
    days: int
    pd: Decimal
    one_year: Decimal
    start_pd: Decimal
    lgd: Decimal
    source: str
    assessment_id: str | None = None
    specific: int | None = None
    proposal_id: str | None = None

    @property
    def stood(self) -> int:
        """What was set aside before."""
        return int(self.before.allowance_minor) if self.before is not None else 0

    @property
    def from_stage(self) -> int:
        """The stage before; nothing for a new one."""
        return int(self.before.stage) if self.before is not None else 0

    @property
    def moves(self) -> bool:
        """Whether anything is told of it, beyond that somebody looked."""
        if self.before is None or self.proposal_id is not None:
            return True
        return (self.stood, self.from_stage) != (self.allowance, self.stage)


def standings(conn: Connection, advance_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Give what stands set aside for advances, by id."""
    rows = conn.execute(_STANDINGS[conn.dialect.name], {"ids": told(conn, advance_ids)})
    return {row.id: row for row in rows}


def step_of(row: Row[Any], before: Row[Any] | None, found: Measured, **facts: Any) -> Step:  # noqa: ANN401 - fields of a step
    """Give the step that a measurement leads to."""
    kind = "REMEASURED"
    if before is None:
        kind = "ORIGINATED"
    elif before.stage != found.stage:
        kind = "TRANSFERRED"
    return Step(
        row=row,
        before=before,
        kind=kind,
        stage=found.stage,
        reason=found.reason,
        allowance=found.allowance,
        days=found.days,
        pd=found.pd,
        one_year=found.one_year,
        source=found.source,
        **facts,
    )


def standing_step(row: Row[Any], before: Row[Any], kind: str, **changed: Any) -> Step:  # noqa: ANN401 - fields of a step
    """Give a step that keeps everything that stands but what is named."""
    same = Step(
        row=row,
        before=before,
        kind=kind,
        stage=before.stage,
        reason=before.reason,
        allowance=before.allowance_minor,
        exposure=before.exposure_minor,
        penalty_off=before.penalty_off_minor,
        days_past_due=before.days_past_due,
        days=0,
        pd=Decimal(0),
        one_year=Decimal(before.pd),
        start_pd=Decimal(before.start_pd),
        lgd=Decimal(before.lgd),
        source="none",
        assessment_id=before.assessment_id,
        specific=before.specific_minor,
    )
    return replace(same, **changed)


def penalty_open(row: Row[Any]) -> int:
    """Give the penalty of an advance that is owed and not paid."""
    return int(row.penalty_minor - row.penalty_paid_minor)


def store(
    ctx: Context, steps: Sequence[Step], policy: Policy, on: dt.date, *, looked: bool = False
) -> int:
    """Store where advances stand now and post the differences; gives how many moved.

    Parameters
    ----------
    looked
        The day's close looks: what it has seen is measured for this date.
    """
    movements, events, new, old = [], [], [], []
    for one in steps:
        number = int(one.before.number) if one.before is not None else 0
        if one.moves:
            number += 1
            movement = _movement(ctx, one, policy, on, number)
            movements.append(movement)
            events += _events(one, str(movement["id"]), on)
        elif one.penalty_off != _off_before(one):
            events += _events(one, new_id(), on)
        values = _values(one, number, on, looked=looked)
        if one.before is None:
            new.append(_born(one) | values)
        else:
            old.append((one.row.id, *(values[name] for name in _OWN)))
    insert_mappings(ctx.conn, STANDING, new)
    _SET.run(ctx.conn, old)
    insert_mappings(ctx.conn, MOVEMENT, movements)
    impaired = [
        one.row.id for one in steps if one.stage == IMPAIRED and one.row.impaired_on is None
    ]
    if impaired:
        ctx.conn.execute(update(ADVANCE).where(ADVANCE.c.id.in_(impaired)).values(impaired_on=on))
    post(ctx, events)
    return len(movements)


def _off_before(one: Step) -> int:
    return int(one.before.penalty_off_minor) if one.before is not None else 0


def _values(one: Step, number: int, on: dt.date, *, looked: bool) -> dict[str, Any]:
    before = one.before
    stays = before is not None and before.stage == one.stage
    return {
        "stage": one.stage,
        "since_on": before.since_on if stays and before is not None else on,
        "reason": one.reason,
        "allowance_minor": one.allowance,
        "exposure_minor": one.exposure,
        "penalty_off_minor": one.penalty_off,
        "specific_minor": one.specific,
        "days_past_due": one.days_past_due,
        "pd": str(one.one_year),
        "lgd": str(one.lgd),
        "assessment_id": one.assessment_id,
        "number": number,
        "measured_on": on if looked or before is None else before.measured_on,
    }


def _born(one: Step) -> dict[str, Any]:
    row = one.row
    return {
        "id": row.id,
        "financier_id": row.financier_id,
        "currency": row.currency,
        "start_pd": str(one.start_pd),
    }


def _movement(ctx: Context, one: Step, policy: Policy, on: dt.date, number: int) -> dict[str, Any]:
    return {
        "id": new_id(),
        "advance_id": one.row.id,
        "number": number,
        "financier_id": one.row.financier_id,
        "currency": one.row.currency,
        "on_date": on,
        "kind": one.kind,
        "from_stage": one.from_stage,
        "to_stage": one.stage,
        "before_minor": one.stood,
        "after_minor": one.allowance,
        "exposure_minor": one.exposure,
        "days_past_due": one.days_past_due,
        "days": one.days,
        "pd": str(one.pd),
        "lgd": str(one.lgd),
        "reason": one.reason,
        "source": one.source,
        "assessment_id": one.assessment_id,
        "proposal_id": one.proposal_id,
        "policy_digest": policy.digest,
        "command_id": ctx.command_id,
        "at": ctx.now,
    }


def _events(one: Step, event_id: str, on: dt.date) -> list[LedgerEvent]:
    more = one.allowance - one.stood
    off = one.penalty_off - _off_before(one)
    found = []
    if more:
        made = (
            journals.written_off(one.row, -more)
            if one.kind == "WRITTEN_OFF"
            else journals.provided(one.row, more, first=one.before is None)
        )
        kind = f"impairment.{one.kind.lower()}"
        found.append(_event(one.row, event_id, kind, on, WORDS[one.kind], made))
    if off:
        made = journals.penalty_suspended(one.row, off, first=_off_before(one) == 0)
        words = "Penalty not expected" if off > 0 else "Penalty expected again"
        found.append(_event(one.row, event_id, "penalty.suspended", on, words, made))
    return found


def _event(
    row: Row[Any], event_id: str, kind: str, on: dt.date, words: str, made: journals.Journals
) -> LedgerEvent:
    return LedgerEvent(event_id, kind, row.id, row.currency, on, on, words, made)
