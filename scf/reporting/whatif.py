"""What a what-if means for the bank's own book: what is out on whom it touches, and which limits.

Source: fraud.md 2.3 (firms, amounts, limits, each with its path).
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, case, func, select
from sqlmodel import Session, col

from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import EXPOSURE
from scf.programmes.limits import relationship_subject
from scf.programmes.models import LimitNode, Programme
from scf.reporting.exposure import LimitLine, lines_of
from scf.risk.chainstate import state_of
from scf.risk.whatif import Answer, Event, answer

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
REFUSED: Final = "refuse"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one firm owes the bank in one currency, and what it would have to buy back."""

    firm_id: str
    currency: str
    owed_minor: int  # as obligor
    recourse_minor: int  # as seller that stands behind its claims


@dataclass(frozen=True, slots=True)
class Over:
    """A limit from which something is taken and that would allow nothing: whose grade says so."""

    line: LimitLine
    firm_id: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What becomes of others, and what the bank has on them."""

    found: Answer
    claims: list[Claim]
    over: list[Over]


def ask(session: Session, financier_id: str, firm_id: str, event: Event, size: int = 0) -> WhatIf:
    """Ask the newest chain of a financier; refuses as :func:`scf.risk.whatif.answer` does."""
    state = state_of(session.connection(), financier_id)
    found = answer(state, firm_id, event, size)
    return WhatIf(
        found,
        claims_on(session, financier_id, {firm_id, *found.touched}),
        limits_over(session, financier_id, found),
    )


def claims_on(session: Session, financier_id: str, firms: Collection[str]) -> list[Claim]:
    """Give what is out on some firms, by firm and currency; those with nothing out are left out."""
    named = sorted(firms)
    sums: dict[tuple[str, str], list[int]] = {}
    recourse = func.sum(case((_advance.c.recourse, EXPOSURE), else_=0))
    for place, party, amount in (
        (0, _advance.c.obligor_id, func.sum(EXPOSURE)),
        (1, _advance.c.seller_id, recourse),
    ):
        rows = session.connection().execute(
            select(party, _advance.c.currency, amount)
            .where(
                _advance.c.financier_id == financier_id,
                _advance.c.state.in_(OUT),
                party.in_(named),
            )
            .group_by(party, _advance.c.currency)
        )
        for firm_id, currency, minor in rows:
            sums.setdefault((firm_id, currency), [0, 0])[place] = int(minor)
    return [Claim(*key, *both) for key, both in sorted(sums.items()) if any(both)]


def limits_over(session: Session, financier_id: str, found: Answer) -> list[Over]:
    """Give the nodes that would be over 100 %, the fullest first.

    A firm that has failed, or falls into a grade that the policy refuses, is allowed nothing more:
    what is taken from its own node, from those of its pairs and of the programmes it anchors is
    over. Nothing would be forced out; there would only be no new hold.
    """
    refused = found.moved.refused()
    if found.event != "late" and found.route_after == REFUSED:
        refused.add(found.firm_id)
    if not refused:
        return []
    whose = _subjects(session, financier_id, refused)
    rows = session.execute(
        select(LimitNode).where(
            col(LimitNode.financier_id) == financier_id,
            col(LimitNode.kind).in_(("obligor", "programme", "relationship")),
            col(LimitNode.subject_id).in_(sorted(whose)),
        )
    ).scalars()
    taken = [line for line in lines_of(session, list(rows)) if line.taken_minor > 0]
    taken.sort(key=lambda line: (line.currency, -line.taken_minor, line.id))
    return [Over(line, whose[line.subject_id]) for line in taken]


def _subjects(session: Session, financier_id: str, firms: Iterable[str]) -> dict[str, str]:
    """Give the subjects of limits that hang on some firms, with the firm each hangs on."""
    named = sorted(firms)
    found = dict(zip(named, named, strict=True))
    programmes = session.execute(
        select(col(Programme.id), col(Programme.anchor_id)).where(
            col(Programme.financier_id) == financier_id, col(Programme.anchor_id).in_(named)
        )
    )
    found |= {row[0]: row[1] for row in programmes}
    pairs = session.connection().execute(
        select(_advance.c.seller_id, _advance.c.obligor_id)
        .where(_advance.c.financier_id == financier_id, _advance.c.obligor_id.in_(named))
        .distinct()
    )
    found |= {relationship_subject(seller, obligor): obligor for seller, obligor in pairs}
    return found
