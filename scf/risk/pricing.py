"""The price of a claim by risk: who owes it and what is known, worked into rate, route and reasons.

``offers`` says what is to be priced (:class:`Claimed`, from the terms and the invoice); what is
known comes from the assessments of the morning and from the pair's own past. Nothing is stored
here. Source: pricing.md sections 1 to 3, 5.
"""

import dataclasses
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from sqlalchemy.engine import Connection

from scf.kernel.money import exponent
from scf.kernel.rates import PPM
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.facts import PairView, pair_view
from scf.risk.firmfacts import known_of
from scf.risk.reading import Morning, Stored
from scoring.explain import rungs
from scoring.hazard import hazard_of
from scoring.observed import dilution_share
from scoring.opinion import LATELY, NO_ANSWER, UNREAD, UNSEEN, UNUSUAL
from scoring.policy import Policy
from scoring.pricing import price, price_leaf
from scoring.reasons import OwnFacts, reasons
from scoring.scale import grade_of, route_of, strictest
from scoring.schema import (
    Claim,
    Dilution,
    FirmRisk,
    Insurance,
    LeafState,
    LgdCase,
    LgdTerms,
    PriceInputs,
    PriceResult,
    Recourse,
    Route,
)

# Flags of an assessment that leave the decision to a person.
REFERRED: Final = (
    "NO_HISTORY", "LONE_FIRM", "TRADE_CIRCLE", UNREAD, UNSEEN, UNUSUAL, NO_ANSWER, LATELY,
)  # fmt: skip
_MOST_PAIRS: Final = 10_000
_PAIRS: Final[dict[tuple[str, AsOf, str, str, str], PairView]] = {}
KINDS: Final = ("expert_prior", "trained", "simulated")  # each says less than the one before
_PPM_PER_BP: Final = 100
_NOBODY: Final = FirmRisk(0.0, 0.0)  # stands where a cover counts for nothing
LARGE_REVENUE: Final = 50_000_000  # euros a year, from which a debtor counts as large


@dataclasses.dataclass(frozen=True, slots=True)
class Covered:
    """A credit insurer's cover of one claim as the agreement has it.

    ``is_own``: the insurer is the firm that owes, or of its group, so that its cover fails with it;
    ``is_seller``: it is the firm that answers for the debtor already, and counts once.
    """

    insurer_id: str
    cover_ppm: int
    premium_ppm: int  # a year, of the financed face
    waiting_days: int
    is_own: bool = False
    is_seller: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """One claim as the agreement and the invoice describe it, before anything is known of firms.

    ``claim`` is ``undertaking``, ``revocable``, ``plain`` or ``leaf``; amounts are minor units of
    ``currency``, shares and rates parts per million. A leaf is a part of an undertaking that was
    handed on: ``leaf`` says how far it has come, ``transfers`` through how many hands after its
    first holder. No technique hands leaves on yet; whoever does fills these two.
    """

    invoice_id: str
    claim: str
    obligor_id: str
    seller_id: str
    currency: str
    face_minor: int  # what is financed: the face less what is held back
    fees_minor: int
    tenor_days: int
    basis: int
    rate_basis: str
    disclosed: bool
    cross_border: bool
    recourse: bool
    recourse_after_days: int
    reserve_ppm: int
    reserve_covers_credit: bool
    dilution_capital: str
    legal_cap_ppm: int | None
    margin_shift_bp: int = 0  # what officers added to the policy's margin, or took off it
    same_group: bool = False  # seller and obligor are firms of one group: no price
    cash_margin_minor: int = 0  # cash held against the claim
    insurance: Covered | None = None
    leaf: str | None = None
    transfers: int = 0

    @property
    def is_undertaken(self) -> bool:
        """Whether an anchor's undertaking decides who owes, when and how much."""
        return self.claim in {Claim.UNDERTAKING, Claim.LEAF}


@dataclasses.dataclass(frozen=True, slots=True)
class Priced:
    """What came out for one claim, with all that went in."""

    claimed: Claimed
    inputs: PriceInputs
    result: PriceResult
    route: Route
    route_reasons: tuple[str, ...]
    pair: PairView
    obligor: Stored | None
    seller: Stored | None

    @property
    def model_id(self) -> str | None:
        """The champion that was asked for it, whether or not its word stood."""
        asked = [one.row.model_id for one in (self.obligor, self.seller) if one and one.by_model]
        return asked[0] if asked else None


def price_claim(conn: Connection, morning: Morning, claimed: Claimed, appetite: Appetite) -> Priced:
    """Price one claim on what was known on the morning."""
    obligor, seller = morning.firm(claimed.obligor_id), morning.firm(claimed.seller_id)
    pair = _pair(conn, morning, claimed, appetite)
    insurer = insurer_risk(conn, morning.as_of, appetite, claimed.insurance)
    inputs = inputs_of(claimed, pair, obligor, seller, appetite.policy, insurer)
    result = price(inputs, appetite.policy)
    route, reasons = _route(morning, inputs, result, obligor, seller)
    return Priced(claimed, inputs, result, route, reasons, pair, obligor, seller)


def price_held(
    conn: Connection, morning: Morning, leaf: Claimed, plain: Claimed | None, appetite: Appetite
) -> Priced:
    """Price a leaf as its holder would sell it: as a leaf, or plain where that is cheaper.

    For the technique that hands undertakings on; ``plain`` is the holder's own eligible claim for
    the same money. Source: pricing.md section 3.
    """
    held = price_claim(conn, morning, leaf, appetite)
    other = price_claim(conn, morning, plain, appetite) if plain is not None else None
    if other is None or held.result == price_leaf(held.inputs, other.inputs, appetite.policy):
        return held
    return other


def _pair(conn: Connection, morning: Morning, claimed: Claimed, appetite: Appetite) -> PairView:
    """Give the pair's past as it was known on the morning, read once for each snapshot.

    It is the same whenever it is asked for: a snapshot sees only facts that were known before it,
    and dated facts are never changed. A pair of a hundred thousand invoices takes a second to read.
    """
    key = morning.snapshot_id, morning.as_of, appetite.digest, claimed.seller_id, claimed.obligor_id
    if key not in _PAIRS:
        if len(_PAIRS) >= _MOST_PAIRS:
            _PAIRS.clear()
        _PAIRS[key] = pair_view(
            conn, morning.as_of, appetite, claimed.seller_id, claimed.obligor_id
        )
    return _PAIRS[key]


def inputs_of(
    claimed: Claimed,
    pair: PairView,
    obligor: Stored | None,
    seller: Stored | None,
    policy: Policy,
    insurer: FirmRisk | None = None,
) -> PriceInputs:
    """Put together what a price is worked out from; section 3 says who owes and what may dilute."""
    undertaken = claimed.is_undertaken
    leaf = None if claimed.leaf is None else LeafState(claimed.leaf)
    diluted = not undertaken or leaf is LeafState.ISSUED
    reserve = Fraction(claimed.reserve_ppm, PPM)
    covers = claimed.reserve_covers_credit and reserve > 0
    return PriceInputs(
        claim=Claim(claimed.claim),
        face_minor=claimed.face_minor,
        tenor_days=claimed.tenor_days,
        obligor=_risk(obligor),
        lgd=LgdTerms(
            _lgd_case(claimed, obligor),
            silent=not claimed.disclosed,
            cross_border=claimed.cross_border,
            credit_reserve_advance=1 - reserve if covers else None,
        ),
        settled_items=obligor.settled_items if obligor is not None else 0,
        seller=_risk(seller),
        late_days=0 if undertaken or obligor is None else obligor.late_days,
        dilution=None
        if not diluted
        else Dilution(
            dilution_share(pair.credited_minor, pair.gross_minor, pair.items, policy.model),
            reserve,
            "basel" if claimed.dilution_capital == "basel" else "economic",
        ),
        recourse=_recourse(claimed, pair, seller),
        insurance=insurance_at(claimed.insurance, insurer),
        cash_margin_minor=claimed.cash_margin_minor,
        leaf=leaf,
        transfers=claimed.transfers,
        same_group=claimed.same_group,
        basis=365 if claimed.basis == 365 else 360,  # noqa: PLR2004 - the two that there are
        rate_basis="proceeds" if claimed.rate_basis == "proceeds" else "face",
        fees_minor=claimed.fees_minor,
        exponent=exponent(claimed.currency),
        legal_cap=None if claimed.legal_cap_ppm is None else Fraction(claimed.legal_cap_ppm, PPM),
        margin_shift_bp=claimed.margin_shift_bp,
    )


def _risk(stored: Stored | None) -> FirmRisk | None:
    return None if stored is None else stored.risk


def _lgd_case(claimed: Claimed, obligor: Stored | None) -> LgdCase:
    large = obligor is not None and (obligor.revenue or 0) >= LARGE_REVENUE
    rated = obligor is not None and bool(obligor.result["risk"]["rated"])
    if claimed.is_undertaken and (rated or large):
        return "undertaking"
    return "large_debtor" if large else "other_debtor"


def _recourse(claimed: Claimed, pair: PairView, seller: Stored | None) -> Recourse | None:
    """The seller's answer is worth less the more it lives by this debtor."""
    if not claimed.recourse or claimed.is_undertaken:
        return None
    sales = seller.sales_52_weeks if seller is not None else 0
    return Recourse(dependency_of(pair, sales), claimed.recourse_after_days)


def dependency_of(pair: PairView, sales_52_weeks: int) -> Fraction:
    """Give the share of a seller's sales that goes to this debtor; all of them if none is seen."""
    if not sales_52_weeks:
        return Fraction(1)
    return min(Fraction(1), Fraction(pair.sales_52_weeks, sales_52_weeks))


def insurer_risk(
    conn: Connection, as_of: AsOf, appetite: Appetite, cover: Covered | None
) -> FirmRisk | None:
    """Give the risk of the insurer of a claim: its approved rating, and nothing without one."""
    if cover is None:
        return None
    known = known_of(conn, as_of, appetite, [cover.insurer_id]).get(cover.insurer_id)
    if known is None or known.rated_pd is None:
        return None
    hazard = hazard_of(float(known.rated_pd))
    return FirmRisk(hazard, hazard, rated=True)


def insurance_at(cover: Covered | None, insurer: FirmRisk | None) -> Insurance | None:
    """Its premium is always paid; its cover counts where it is rated and does not owe itself."""
    if cover is None:
        return None
    counts = insurer is not None and not cover.is_own
    return Insurance(
        Fraction(cover.cover_ppm if counts else 0, PPM),
        insurer if insurer is not None else _NOBODY,
        premium_bp=Fraction(cover.premium_ppm, _PPM_PER_BP),
        waiting_days=cover.waiting_days if counts else 0,
        same_as_seller=cover.is_seller,
    )


def _route(
    morning: Morning,
    inputs: PriceInputs,
    result: PriceResult,
    obligor: Stored | None,
    seller: Stored | None,
) -> tuple[Route, tuple[str, ...]]:
    """Leave to a person what the price alone would let through but nobody should decide unseen."""
    if result.route == "refuse":
        return result.route, result.route_reasons
    counts = [obligor] if inputs.is_undertaken else [obligor, seller]
    flags = [one.flags for one in counts if one is not None]
    found = [flag for flag in REFERRED if any(flag in one for one in flags)]
    if morning.days_old:
        found.append("SNAPSHOT_STALE")
    if inputs.insurance is not None and not inputs.insurance.cover:
        found.append("COVER_COUNTS_FOR_NOTHING")
    if not found:
        return result.route, result.route_reasons
    route = strictest([result.route, "officer"])
    own = result.route_reasons if result.route == route else ()
    return route, (*own, *found)


# --- What the seller may read ---------------------------------------------------------------------


def rungs_of(priced: Sequence[Priced], policy: Policy) -> dict[str, int]:
    """Give the four rungs of the dearest line; they sum to its rate."""
    top = max(priced, key=lambda one: one.result.rate_bp or 0)
    return {rung.name: rung.bp for rung in rungs(top.result, policy)}


def reasons_of(priced: Priced, policy: Policy) -> list[str]:
    """Give at most four reasons, from the seller's own and the shared facts only."""
    return [str(reason) for reason in reasons(own_facts(priced), policy)]


def own_facts(priced: Priced) -> OwnFacts:
    """Give what the seller knows anyway: its invoices, its buyers together, its statement."""
    claimed, pair, seller = priced.claimed, priced.pair, priced.seller
    own = seller.inputs if seller is not None else {}
    sales = int(own.get("sales_52_weeks", 0))
    return OwnFacts(
        undertaken=claimed.is_undertaken,
        face_minor=claimed.face_minor,
        tenor_days=claimed.tenor_days,
        transfers=claimed.transfers,
        exponent=priced.inputs.exponent,
        basis=claimed.basis,
        pair_items=pair.settled_items,
        pair_credited=Fraction(pair.credited_minor, pair.gross_minor or 1),
        largest_customer=Fraction(int(own.get("largest_sales_52_weeks", 0)), sales or 1),
        buyers=int(own.get("buyers", 0)),
        late_buyers=int(own.get("late_buyers", 0)),
        statement_months=own["known"]["statement_months"] if own else None,
    )


def components_of(result: PriceResult) -> dict[str, int]:
    """Give the eleven components in whole basis points, by name."""
    return {part.name: part.bp for part in result.components}


def kind_of_all(priced: Sequence[Priced]) -> str:
    """Give what a quote rests on: the least of what its lines do."""
    return max((one.result.kind for one in priced), key=KINDS.index)


def worst_grade(priced: Sequence[Priced], policy: Policy) -> str:
    """Give the last of the lines' grades on the scale."""
    order = {grade.name: place for place, grade in enumerate(policy.scale.grades)}
    return max((one.result.grade or "" for one in priced), key=lambda name: order.get(name, -1))


def route_of_all(priced: Sequence[Priced], total_minor: int, policy: Policy) -> Route:
    """Give the route with the most people in it: one decision is for all lines together.

    A sum that no line would reach alone counts too, so that nothing is split to pass.
    """
    together = [
        route_of(
            grade_of(one.result.memo.pd_one_year, policy.scale), total_minor, one.inputs.exponent
        )
        for one in priced
        if one.result.memo is not None
    ]
    return strictest([*(one.route for one in priced), *together])
