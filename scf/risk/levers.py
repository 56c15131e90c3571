"""Prices of a claim with one thing changed: for the seller rounded, for people of the bank exact.

Source: pricing.md section 5.
"""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphSnapshot
from scf.risk import appetite as policies
from scf.risk.appetite import Appetite
from scf.risk.asof import morning_of
from scf.risk.facts import PairView
from scf.risk.pricing import (
    Claimed,
    Covered,
    Priced,
    dependency_of,
    insurance_at,
    insurer_risk,
    price_claim,
)
from scf.risk.reading import Morning, Stored
from scf.risk.storing import PRICE
from scf.risk.writing import ASSESSMENT
from scoring import canonical
from scoring.card import CardInputs
from scoring.levers import (
    Lever,
    Levers,
    OfficeLevers,
    OfficeWhatIf,
    about,
    changed_by,
    office_what_ifs,
    with_statement,
)
from scoring.observed import dilution_share
from scoring.policy import Policy
from scoring.schema import Dilution, FirmRisk, Insurance, PriceInputs, PriceResult, Recourse

_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A morning through which claims are priced, and the policy that prices them."""

    conn: Connection
    morning: Morning
    appetite: Appetite

    def about(
        self, base: PriceResult, changed: Mapping[str, PriceInputs]
    ) -> list[dict[str, str | int]]:
        """Price each changed claim and round it as its seller may read it."""
        by_lever = {Lever(lever): inputs for lever, inputs in changed.items()}
        return [
            {"lever": str(one.lever), "about_bp": one.about_bp, "saves_bp": one.saves_bp}
            for one in about(base, by_lever, self.appetite.policy)
        ]


def told_under(seen: Seen, claimed: Claimed, base: Priced) -> PriceInputs:
    """Give what a claim under another agreement would be priced from, on the same morning."""
    made = price_claim(seen.conn, seen.morning, claimed, seen.appetite)
    return dataclasses.replace(made.inputs, margin_shift_bp=base.inputs.margin_shift_bp)


def own_changes(
    made: Priced, policy: Policy, tenor_days: int | None, face_minor: int | None
) -> dict[str, PriceInputs]:
    """Give a claim under the levers that no other agreement is needed for, by lever."""
    levers = Levers(
        confirmation=_confirmed(made, policy),
        statement=_stated(made.seller, made.inputs, policy),
        tenor_days=tenor_days,
        face_minor=face_minor,
    )
    return {str(lever): one for lever, one in changed_by(made.inputs, levers).items()}


def _confirmed(made: Priced, policy: Policy) -> tuple[Dilution, int] | None:
    """Count only what was credited after the buyer's word: what came before never was financed."""
    dilution, pair = made.inputs.dilution, made.pair
    if made.claimed.claim != "plain" or dilution is None:
        return None
    credited = max(pair.credited_minor - pair.credited_before_minor, 0)
    share = dilution_share(credited, pair.gross_minor, pair.items, policy.model)
    return dataclasses.replace(dilution, share=share), made.inputs.late_days


def _stated(seller: Stored | None, inputs: PriceInputs, policy: Policy) -> FirmRisk | None:
    """Give the seller as a middling statement would show it, where it counts and none is there."""
    counts = inputs.may_dilute or inputs.recourse is not None
    if seller is None or inputs.seller is None or not counts:
        return None
    if seller.inputs["known"]["statement_months"] is not None:
        return None
    card = canonical.load(CardInputs, json.dumps(seller.inputs["card"]))
    return with_statement(inputs.seller, card, policy.card)


# --- For people of the bank -----------------------------------------------------------------------


Lower = OfficeWhatIf


class Cover(Protocol):
    """A cover as an agreement has it."""

    @property
    def cover_ppm(self) -> int:
        """The share of a loss."""

    @property
    def premium_ppm(self) -> int:
        """A year's, of the financed face."""

    @property
    def waiting_days(self) -> int:
        """Days after due."""


def insurance_of(
    conn: Connection, line_id: str, insurer_id: str, agreed: Cover
) -> Insurance | None:
    """Give the cover that another agreement of the financier has, for the claim of a stored line.

    Nothing where the insurer is a party of the claim, or had no approved rating on its morning.
    """
    row = conn.execute(select(PRICE).where(PRICE.c.quote_line_id == line_id)).one()
    if insurer_id in {row.obligor_id, row.seller_id}:
        return None
    snapshot = conn.execute(
        select(_SNAPSHOT)
        .join(ASSESSMENT, ASSESSMENT.c.snapshot_id == _SNAPSHOT.c.id)
        .where(ASSESSMENT.c.id == row.obligor_assessment_id)
    ).one()
    morning = morning_of(conn, snapshot, row.sequence)
    cover = Covered(insurer_id, agreed.cover_ppm, agreed.premium_ppm, agreed.waiting_days)
    insurer = insurer_risk(conn, morning, policies.kept(conn, row.policy_digest), cover)
    return None if insurer is None else insurance_at(cover, insurer)


def lower(
    conn: Connection, line_id: str, insurance: Insurance | None, least_tenor: int
) -> tuple[Lower, ...]:
    """Price a stored line anew under each change that would lower it; stores nothing.

    ``insurance`` is a cover that could be had. Nothing for a price by contract.
    """
    row = conn.execute(select(PRICE).where(PRICE.c.quote_line_id == line_id)).one_or_none()
    if row is None:
        return ()
    policy = policies.kept(conn, row.policy_digest).policy
    inputs = canonical.load(PriceInputs, row.inputs)
    pair = canonical.load(PairView, json.loads(row.terms)["pair"])
    levers = OfficeLevers(
        recourse=_recourse(conn, row, inputs, pair), insurance=insurance, least_tenor=least_tenor
    )
    return office_what_ifs(inputs, canonical.load(PriceResult, row.result), levers, policy)


def _recourse(
    conn: Connection,
    row: Any,  # noqa: ANN401 - a row
    inputs: PriceInputs,
    pair: PairView,
) -> Recourse | None:
    if inputs.seller is None or row.seller_assessment_id is None:
        return None
    seller = conn.execute(
        select(ASSESSMENT.c.inputs).where(ASSESSMENT.c.id == row.seller_assessment_id)
    ).scalar_one()
    sales = int(json.loads(seller)["sales_52_weeks"])
    return Recourse(dependency_of(pair, sales))
