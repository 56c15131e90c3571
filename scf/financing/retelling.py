"""The state of an advance told again from its events alone."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.financing.lifecycle import ADVANCE
from scf.financing.models import AdvanceEvent
from scf.kernel.errors import Conflict

_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_FACTS: Final = {
    "principal": "repaid_minor",
    "penalty": "penalty_paid_minor",
    "diluted": "diluted_minor",
    "bought": "bought_minor",
    "gap": "gap_minor",
    "gap_paid": "gap_paid_minor",
    "interest": "interest_paid_minor",
    "written_off": "written_off_minor",
    "recovered": "recovered_minor",
}


@dataclass
class Replayed:
    """What the events of an advance say it is."""

    state: str = "NEW"
    version: int = 0
    repaid_minor: int = 0
    penalty_paid_minor: int = 0
    diluted_minor: int = 0
    bought_minor: int = 0
    gap_minor: int = 0
    gap_paid_minor: int = 0
    interest_paid_minor: int = 0
    written_off_minor: int = 0
    recovered_minor: int = 0
    funded_on: dt.date | None = None
    closed_on: dt.date | None = None


def replay(events: Iterable[Any]) -> Replayed:
    """Build the state of one advance from its events alone.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION when they tell a story that cannot have happened.

    Source: finance.md F5.
    """
    now = Replayed()
    for step in sorted(events, key=lambda row: row.number):
        before, now.state = now.state, ADVANCE.after(now.state, step.event)
        if (step.from_state, step.to_state) != (before, now.state):
            raise Conflict("EVENT_STATE", "An event names other states than its steps lead to.")
        now.version = step.number
        _apply(now, step)
    return now


def _apply(now: Replayed, step: Any) -> None:  # noqa: ANN401 - a row of advance_event
    facts = step.facts
    for fact, column in _FACTS.items():
        setattr(now, column, getattr(now, column) + facts.get(fact, 0))
    if step.event == "fund":
        now.funded_on = dt.date.fromisoformat(facts["value_on"])
    elif step.event in {"close", "repurchase"}:
        now.closed_on = dt.date.fromisoformat(facts["value_on"])
    elif step.event in {"reopen", "reopen_all"}:
        now.closed_on = None


def events_of(conn: Connection, advance_id: str) -> list[Row[Any]]:
    """Read the events of an advance in their order."""
    return list(
        conn.execute(
            select(_EVENT).where(_EVENT.c.advance_id == advance_id).order_by(_EVENT.c.number)
        )
    )
