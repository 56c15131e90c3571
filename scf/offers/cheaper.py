"""What would make a quote cheaper, by what the seller can do itself: its own levers alone.

Each is the claim of the dearest line with one thing changed, on the same morning and through the
same engine; nothing is stored and nothing counted. Which ones are told hangs on the agreements, the
papers and the seller's own statement, never on what only the bank knows of anybody: the rates are
rounded to five basis points. Source: pricing.md section 5.
"""

import dataclasses
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, Final

from sqlalchemy.engine import Connection

from scf.documents.rules import eligible
from scf.offers.eligibility import largest_face
from scf.offers.facts import Asked, Deal
from scf.offers.riskprice import claimed_of, tied
from scf.offers.service import Computed
from scf.programmes.service import programmes_between
from scf.programmes.techniques import technique_of
from scf.programmes.terms import Terms
from scf.risk.levers import Seen, own_changes, told_under
from scf.risk.pricing import Priced

MICRO: Final = 1_000_000  # parts of a basis point
LATER: Final = 30  # days by which the money would come later
TWICE: Final = 2


def what_ifs(conn: Connection, computed: Computed) -> list[dict[str, Any]] | None:
    """Give about what rate each open lever would lead to; nothing for a price by contract.

    Each has ``lever``, ``about_bp``, ``saves_bp`` (0 where it would not help) and ``to``: the days
    of a shorter time, or the whole face of a larger amount in minor units.
    """
    by_risk, deal, priced = computed.by_risk, computed.deal, computed.price
    if by_risk is None or by_risk.appetite is None or by_risk.morning is None:
        return None
    if deal is None or priced is None or not by_risk.priced:
        return None
    place = max(range(len(by_risk.priced)), key=lambda at: by_risk.priced[at].result.rate_bp or 0)
    top, row, face = by_risk.priced[place], computed.rows[place], priced.lines[place].face_minor
    seen = Seen(conn, by_risk.morning, by_risk.appetite)
    to = {}
    days = top.inputs.tenor_days - LATER
    if days >= max(1, deal.terms.tenor_min_days):
        to["SHORTER_TENOR"] = days
    more = _more(deal, row, face, top, by_risk.appetite.policy.explanation.small_item_bp)
    if more:
        to["BIGGER_BATCH"] = more
    lent = more - technique_of(deal.terms).reserve(deal.terms, more)
    changed = own_changes(top, by_risk.appetite.policy, to.get("SHORTER_TENOR"), lent or None)
    others = {
        lever: told_under(seen, claimed, top)
        for lever, claimed in _elsewhere(conn, deal, row, face, top)
    }
    return [
        {**found, "to": to.get(str(found["lever"]))}
        for found in seen.about(top.result, {**others, **changed})
    ]


def _more(deal: Deal, row: Any, face: int, top: Priced, small_item_bp: Any) -> int:  # noqa: ANN401 - a row, a fraction
    """Give the larger face that would be asked for: the whole, or of a small invoice twice it."""
    whole = largest_face(deal.terms, eligible(row))
    if face < whole:
        return whole
    operating = next(part for part in top.result.components if part.name == "operating")
    return face * TWICE if operating.micro_bp >= small_item_bp * MICRO else 0


def _elsewhere(
    conn: Connection,
    deal: Deal,
    row: Any,  # noqa: ANN401 - a row
    face: int,
    top: Priced,
) -> Iterator[tuple[str, Any]]:
    """Give the claim as another agreement of the same financier would have it, by lever.

    An undertaking is open where this buyer has a programme under which its word is one; recourse
    where the seller has an agreement by which it answers for the buyer.
    """
    if top.inputs.is_undertaken:
        return
    found: dict[str, Terms] = {}
    agreed = programmes_between(conn, deal.seller_id, deal.obligor_id, deal.currency)
    for programme, terms in agreed:
        if (
            programme.financier_id != deal.programme.financier_id
            or programme.id == deal.programme.id
            or terms.price_mode != "risk"
        ):
            continue
        if terms.ipu == "from_acceptance":
            found.setdefault("UNDERTAKING", terms)
        enough = technique_of(terms).accepted_enough(row.acceptance_state)
        if terms.recourse != "none" and deal.terms.recourse == "none" and enough:
            found.setdefault("RECOURSE", terms)
    for lever, terms in found.items():
        there = dataclasses.replace(deal, terms=terms)
        papers = dict(row._mapping)  # noqa: SLF001 - the documented way to a row's columns
        if lever == "UNDERTAKING":
            papers |= {"ipu": True, "acceptance_state": "ACCEPTED"}
        asked = Asked(SimpleNamespace(**papers), face, 0)
        yield (
            lever,
            claimed_of(there, asked, tied(conn, there), cross_border=top.claimed.cross_border),
        )
