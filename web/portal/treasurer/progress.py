"""Where a request stands, as one line: words, whose turn, amount and day."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import lazy_gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.financing.models import Advance, FinancingRequest
from scf.parties.service import firm_names

_DONE: Final = "done"
_NOW: Final = "now"
_TODO: Final = "todo"
_BAD: Final = "bad"


@dataclass(frozen=True)
class Step:
    """One request at the place where it is now."""

    request: Any
    state: str
    text: str
    buyers: str
    count: int
    value_on: dt.date | None
    due_on: dt.date | None


def steps(reading: Session, requests: Sequence[FinancingRequest]) -> list[Step]:
    """Tell where each request stands, by its advances."""
    by_request: dict[str, list[Advance]] = {one.id: [] for one in requests}
    rows = reading.execute(
        select(Advance).where(col(Advance.request_id).in_(list(by_request)))
    ).scalars()
    for row in rows:
        by_request[row.request_id].append(row)
    firms = {row.obligor_id for found in by_request.values() for row in found}
    names = firm_names(reading.connection(), firms)
    return [_step(one, by_request[one.id], names) for one in requests]


def _step(request: FinancingRequest, advances: list[Advance], names: dict[str, str]) -> Step:
    state, text = words(request.state, {row.state for row in advances})
    return Step(
        request,
        state,
        text,
        ", ".join(sorted({names.get(row.obligor_id, "") for row in advances})),
        len(advances),
        min((row.value_on for row in advances), default=None),
        max((row.due_on for row in advances), default=None),
    )


def words(request_state: str, advance_states: set[str]) -> tuple[str, str]:
    """Give kind and words of a request from its state and those of its advances."""
    if request_state in _REQUEST:
        kind, text = _REQUEST[request_state]
        return kind, str(text)
    for states, kind, text in _ADVANCES:
        if advance_states & states:
            return kind, str(text)
    return _DONE, str(_("The buyer has paid"))


_REQUEST: Final = {
    "SUBMITTED": (_NOW, _("The bank is reviewing")),
    "IN_REVIEW": (_NOW, _("The bank is reviewing")),
    "RETURNED": (_NOW, _("The bank has a question")),
    "COUNTER_OFFERED": (_NOW, _("The bank offers something else")),
    "DECLINED": (_BAD, _("Declined")),
    "LAPSED": (_TODO, _("The bank's offer has lapsed")),
    "WITHDRAWN": (_TODO, _("Withdrawn")),
    "EXPIRED": (_TODO, _("Not decided in time")),
}
# The first that fits speaks: what needs somebody comes before what goes its way.
_ADVANCES: Final = (
    (frozenset({"FAILED", "RETURNED", "UNKNOWN"}), _BAD, _("The payment did not arrive")),
    (frozenset({"RECOURSE_CALLED"}), _BAD, _("The bank asks it back from you")),
    (frozenset({"OVERDUE", "GRACE"}), _BAD, _("The buyer is late")),
    (
        frozenset({"REQUESTED", "HELD", "PRECHECKED", "DECIDED", "SIGNED", "REGISTERED"}),
        _NOW,
        _("Approved, last checks"),
    ),
    (frozenset({"RECHECKED"}), _NOW, _("Approved, goes out next")),
    (frozenset({"INSTRUCTED"}), _NOW, _("On its way to your account")),
    # What the bank writes off in its own book changes nothing for the seller.
    (
        frozenset({"FUNDED", "PART_REPAID", "WRITTEN_OFF", "RECOVERED"}),
        _DONE,
        _("Paid to your account"),
    ),
    (frozenset({"DECLINED", "CANCELLED", "EXPIRED", "UNWOUND"}), _TODO, _("Ended")),
    (frozenset({"REPURCHASED"}), _DONE, _("You have paid it back; the claim is yours")),
)
