"""What one person may do on a request at this moment, and why not the rest.

Asks the same functions that the commands ask, so that what a page offers and what is refused
cannot differ. It promises nothing: the command judges again under its locks.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.financing import advances, authority, guards, requests
from scf.financing.ending import undo_stops
from scf.financing.lifecycle import BEFORE_INSTRUCTED, DECIDABLE, REQUEST
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, RuleViolation, ScfError
from scf.parties.access import may
from scf.programmes.terms import Terms


class Act(NamedTuple):
    """One act: whether it is open to the person, and else with which code and why not.

    ``last`` says of an approval or a counter-offer that this word would decide.
    """

    name: str
    allowed: bool
    code: str = ""
    why_not: str = ""
    last: bool = False


@dataclass(frozen=True)
class _Case:
    """A request, and who looks at it when."""

    conn: Connection
    actor: Actor
    row: Any
    terms: Terms
    now: dt.datetime
    made: Sequence[Row[Any]]

    def decidable(self) -> bool:
        """Stop where nothing is to be decided, or not by this person."""
        if self.row.state not in DECIDABLE:
            raise Conflict("DECISION_STATE", "The request is %(state)s.", state=self.row.state)
        if self.now > self.row.decide_by:
            raise Conflict("QUOTE_EXPIRED", "The decision deadline has passed.")
        authority.has_no_part(self.conn, self.actor, self.row)
        return False

    def for_it(self, outcome: str) -> bool:
        """Stop where this person cannot approve or offer less; tells whether it would decide."""
        self.decidable()
        word = authority.may_say(self.conn, self.actor, self.row, self.terms, self.made)
        if self.made and self.made[0].outcome != outcome:
            raise Conflict(
                "DIFFERS", "The first officer's word was %(first)s.", first=self.made[0].outcome
            )
        guards.need_checks(self.conn, self.row.id, self.terms.checks_before_decision)
        return word.last

    def differ(self) -> bool:
        """Stop whoever is no second officer."""
        self.decidable()
        if not self.made:
            raise Conflict("DECISION_STATE", "There is no first word to differ from.")
        authority.is_no_maker(self.conn, self.actor, self.made)
        return False

    def reprice(self) -> bool:
        """Stop where no other price can be chosen: the rate of a contract is agreed."""
        self.decidable()
        if self.terms.price_mode == "contract":
            raise RuleViolation("PRICE_BY_CONTRACT", "The rate is agreed in the programme.")
        return False

    def undo(self) -> bool:
        """Stop where no word of this person can be taken back."""
        stops = undo_stops(self.conn, self.actor.user_id, self.row, self.now)
        if stops is not None:
            raise stops
        return False

    def cancel(self) -> bool:
        """Stop once money is on its way."""
        REQUEST.after(self.row.state, "decline")
        lines = advances.of_request(self.conn, self.row.id)
        if any(one.state not in (*BEFORE_INSTRUCTED, "CANCELLED") for one in lines):
            raise Conflict("ILLEGAL_TRANSITION", "The pay-out is released already.")
        return False


def acts_of(
    conn: Connection,
    actor: Actor,
    row: Any,  # noqa: ANN401 - a row or record of financing_request
    terms: Terms,
    now: dt.datetime,
) -> list[Act]:
    """Give every act of an officer on a request, in the order of a page."""
    case = _Case(conn, actor, row, terms, now, requests.decisions_of(conn, row))
    asked: tuple[tuple[str, str, Callable[[], bool]], ...] = (
        ("approve", "request.decide", lambda: case.for_it("APPROVE")),
        ("counter", "request.decide", lambda: case.for_it("COUNTER")),
        ("return", "request.decide", case.decidable),
        ("decline", "request.decide", case.decidable),
        ("differ", "request.decide", case.differ),
        ("override", "request.override", case.decidable),
        ("reprice", "request.reprice", case.reprice),
        ("undo", "request.undo", case.undo),
        ("cancel", "request.cancel", case.cancel),
    )
    return [_one(actor, name, action, ask) for name, action, ask in asked]


def _one(actor: Actor, name: str, action: str, ask: Callable[[], bool]) -> Act:
    if not may(actor, action):
        why_not = "Your role does not cover this."
        return Act(name, allowed=False, code="NOT_ALLOWED", why_not=why_not)
    try:
        return Act(name, allowed=True, last=ask())
    except ScfError as refusal:
        return Act(name, allowed=False, code=refusal.code, why_not=refusal.message)
