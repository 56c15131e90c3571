"""The price of one item, and who may agree to it.

A refusal is a value with a code, never an exception; exceptions mean that the caller asked for
something that no item can be.
"""

import dataclasses
import decimal
import math
from decimal import Decimal
from fractions import Fraction
from typing import Final

from scoring.hazard import YEAR_DAYS
from scoring.paths import Paths, paths_of
from scoring.policy import Policy
from scoring.scale import IN_DEFAULT, grade_of, route_of, strictest
from scoring.schema import (
    Kind,
    LeafState,
    Memo,
    PriceBand,
    PriceInputs,
    PriceResult,
    Refusal,
    Route,
)
from scoring.stack import BP, Stack, margin_of, seller_counts, stack, whole_bp

PPM_PER_BP: Final = 100
_PPM: Final = 1_000_000
EXPERT_BAND: Final = "expert band"
TOP_COST_PPM: Final = 100_000_000
_DIGITS: Final = decimal.Context(prec=40)


def price(inputs: PriceInputs, policy: Policy) -> PriceResult:
    """Return the yearly rate of an item with its eleven components, route or refusal.

    Parameters
    ----------
    inputs : PriceInputs
        The item, who owes, who sells and what mitigates.
    policy : Policy
        All figures.

    Returns
    -------
    PriceResult
        Deterministic: equal inputs give equal results to the last digit. Constant time.

    Notes
    -----
    The order of mitigants is cash, recourse, insurance, each at most once. The grade reads the
    obligor's own PD: recourse and insurance lower the price, not the risk of the name.
    """
    refusal = _gate(inputs) or _below_hurdle(inputs, policy)
    if refusal is not None:
        return _without_price(policy, refusal)
    item = stack(inputs, policy)
    rate_bp = item.rate_bp
    discount = _discount(inputs, rate_bp)
    net = inputs.face_minor - discount - inputs.fees_minor
    grade = grade_of(item.behind.pd_one_year, policy.scale)
    refusal = _verdict(inputs, policy, item, rate_bp, net)
    routes: dict[str, Route] = {"GRADE": route_of(grade, 0, inputs.exponent)}
    if route_of(grade, inputs.face_minor, inputs.exponent) != routes["GRADE"]:
        routes["AMOUNT_ABOVE_AUTO"] = "officer"
    if _is_little_known(inputs, policy):
        routes["FEW_SETTLED_ITEMS"] = "officer"
    if item.beyond:
        routes["BEYOND_CURVE"] = "officer"
    if refusal is not None:
        routes[refusal.code] = "refuse"
    route = strictest(routes.values())
    deciding = tuple(name for name, one in routes.items() if one == route)
    return PriceResult(
        policy_version=policy.version,
        components=whole_bp(item.micro_bp),
        rate_bp=rate_bp,
        rate_ppm=rate_bp * PPM_PER_BP,
        discount_minor=discount,
        net_minor=net,
        effective_ppm=effective_ppm(inputs.face_minor, net, inputs.tenor_days),
        grade=grade.name,
        route=route,
        route_reasons=(refusal.code,) if refusal else deciding,
        refusal=refusal,
        memo=_memo(inputs, policy, item),
        kind=kind_of(inputs, policy),
    )


def kind_of(inputs: PriceInputs, policy: Policy) -> Kind:
    """Return what the probabilities of a price rest on: the least that any of them rests on.

    "simulated" before "trained" before the policy's own word.
    """
    counts = [inputs.obligor, inputs.seller if seller_counts(inputs) else None]
    kinds = {one.term.kind for one in counts if one is not None and one.term is not None}
    if "simulated" in kinds:
        return "simulated"
    return "trained" if kinds else policy.kind


def price_leaf(leaf: PriceInputs, plain: PriceInputs | None, policy: Policy) -> PriceResult:
    """Return the cheaper of a leaf's price and its holder's plain price for the same claim.

    Parameters
    ----------
    leaf : PriceInputs
        The part of the undertaking that the firm holds.
    plain : PriceInputs or None
        The same claim without the undertaking, if it is eligible.
    policy : Policy
        All figures.

    Returns
    -------
    PriceResult
        The leaf's, unless the plain price is an offer and the leaf none or dearer.
    """
    held = price(leaf, policy)
    other = price(plain, policy) if plain is not None else None
    if other is None or other.refusal is not None or other.rate_bp is None:
        return held
    if held.refusal is not None and held.refusal.code == "LEAF_NOT_PRICEABLE":
        return held  # a leaf that is not there is not sold as something else
    if held.refusal is None and held.rate_bp is not None and held.rate_bp <= other.rate_bp:
        return held
    return other


def expert_band(inputs: PriceInputs, policy: Policy) -> PriceBand | None:
    """Return the rate at a lower and a higher PD of the obligor, nothing else varied.

    Parameters
    ----------
    inputs : PriceInputs
        The item.
    policy : Policy
        Holds the two factors on the one-year PD.

    Returns
    -------
    PriceBand or None
        None where `price` gives no rate either. Its label says that no data stand behind it.
    """
    if inputs.obligor is None:
        return None
    total = paths_of(inputs.obligor, policy.scale).total
    pd = total.within(YEAR_DAYS)
    low, high = (
        min(1.0, pd * float(factor)) for factor in (policy.model.band_low, policy.model.band_high)
    )
    return price_band(inputs, policy, low, high, EXPERT_BAND)


def price_band(
    inputs: PriceInputs, policy: Policy, pd_low: float, pd_high: float, label: str
) -> PriceBand | None:
    """Return the rate at two one-year PDs of the obligor, nothing else varied.

    Parameters
    ----------
    inputs : PriceInputs
        The item.
    policy : Policy
        All figures.
    pd_low, pd_high : float
        One-year PDs in [0, 1], rising; a trained model has them from its refits
        (`scoring.bands.refitted`).
    label : str
        What stands behind the width.

    Returns
    -------
    PriceBand or None
        None where `price` gives no rate either.
    """
    if not 0 <= pd_low <= pd_high <= 1:
        raise ValueError("pd_low and pd_high rise in [0, 1].")
    if inputs.obligor is None or _gate(inputs) or _below_hurdle(inputs, policy):
        return None
    total = paths_of(inputs.obligor, policy.scale).total
    ends = [total.at(end) for end in (pd_low, pd_high)]
    rates = [stack(inputs, policy, Paths(end, end)).rate_bp for end in ends]
    return PriceBand(rates[0], rates[1], pd_low, pd_high, label)


def effective_ppm(face_minor: int, net_minor: int, days: int) -> int | None:
    """Return the compound yearly cost (F / net)^(365 / n) - 1 in ppm, rounded half up.

    Parameters
    ----------
    face_minor, net_minor : int
        What is repaid and what is paid out, minor units.
    days : int
        Tenor, >= 1.

    Returns
    -------
    int or None
        None when nothing is paid out. Stops at 10,000 %: beyond it the term is too short.

    Examples
    --------
    >>> effective_ppm(1_000_000_00, 1_000_000_00 - 11_625_00, 90)
    48564
    """
    if net_minor <= 0:
        return None
    with decimal.localcontext(_DIGITS):
        growth = (Decimal(face_minor) / net_minor).ln() * YEAR_DAYS / days
        yearly = min((growth.exp() - 1) * _PPM, Decimal(TOP_COST_PPM))
        return int(yearly.to_integral_value(decimal.ROUND_HALF_UP))


# --- Gates ------------------------------------------------------------------------------------


def _gate(inputs: PriceInputs) -> Refusal | None:
    """Return why an item has no price at all."""
    if inputs.tenor_days < 1:
        return Refusal("TENOR_SHORT", (("tenor_days", inputs.tenor_days), ("least", 1)))
    if inputs.leaf in {LeafState.DRAFT, LeafState.DEFAULTED}:
        return Refusal("LEAF_NOT_PRICEABLE", (("leaf", str(inputs.leaf)),))
    if inputs.same_group:
        return Refusal("SAME_GROUP")
    missing = _not_assessed(inputs)
    if missing is not None:
        return Refusal("MODEL_UNAVAILABLE", (("missing", missing),))
    if inputs.obligor is not None and inputs.obligor.defaulted:
        return Refusal("OBLIGOR_IN_DEFAULT")
    return None


def _below_hurdle(inputs: PriceInputs, policy: Policy) -> Refusal | None:
    """Return why a margin below nothing is none: capital would earn less than the hurdle."""
    margin = margin_of(inputs, policy)
    if margin >= 0:
        return None
    most = margin - inputs.margin_shift_bp
    return Refusal("PRICE_BELOW_HURDLE", (("margin_bp", str(margin)), ("most_off_bp", str(most))))


def _not_assessed(inputs: PriceInputs) -> str | None:
    """Return whose assessment the price would need and does not have."""
    if inputs.obligor is None:
        return "obligor"
    recourse = inputs.recourse is not None and not inputs.is_undertaken
    return "seller" if inputs.seller is None and (inputs.may_dilute or recourse) else None


def _verdict(
    inputs: PriceInputs, policy: Policy, item: Stack, rate_bp: int, net: int
) -> Refusal | None:
    """Return why a priced item is not offered."""
    grade = grade_of(item.behind.pd_one_year, policy.scale)
    if grade.route == "refuse":
        return Refusal("RISK_BELOW_FLOOR", (("pd", item.behind.pd_one_year), ("grade", grade.name)))
    if inputs.margin_shift_bp < 0 and item.micro_bp[-1]:
        return Refusal("PRICE_BELOW_FLOOR", (("floor_bp", rate_bp),))
    cap = policy.charges.cap
    if inputs.legal_cap is not None:
        cap = min(cap, inputs.legal_cap)
    if Fraction(rate_bp, BP) > cap:
        facts = (("rate_ppm", rate_bp * PPM_PER_BP), ("cap_ppm", math.floor(cap * _PPM)))
        return Refusal("PRICE_ABOVE_CAP", facts)
    if net <= 0:
        return Refusal("NOTHING_LEFT", (("net_minor", net),))
    return None


def _is_little_known(inputs: PriceInputs, policy: Policy) -> bool:
    """Tell whether too few settled items are known for a decision without a person."""
    rated = inputs.obligor is not None and inputs.obligor.rated
    return not rated and inputs.settled_items < policy.charges.officer_below_items


def _without_price(policy: Policy, refusal: Refusal) -> PriceResult:
    """Return the answer for an item without a price; where no model spoke, a person looks."""
    return PriceResult(
        policy_version=policy.version,
        components=(),
        rate_bp=None,
        rate_ppm=None,
        discount_minor=None,
        net_minor=None,
        effective_ppm=None,
        grade=IN_DEFAULT if refusal.code == "OBLIGOR_IN_DEFAULT" else None,
        route="officer" if refusal.code == "MODEL_UNAVAILABLE" else "refuse",
        route_reasons=(refusal.code,),
        refusal=refusal,
        memo=None,
        kind=policy.kind,
    )


def _discount(inputs: PriceInputs, rate_bp: int) -> int:
    """Return what is kept from the face, rounded once, half up."""
    growth = Fraction(rate_bp * inputs.tenor_days, BP * inputs.basis)
    if inputs.rate_basis == "proceeds":
        growth /= 1 + growth
    return math.floor(inputs.face_minor * growth + Fraction(1, 2))


def _memo(inputs: PriceInputs, policy: Policy, item: Stack) -> Memo:
    """Return the figures behind the components."""
    if inputs.obligor is None:
        raise ValueError("obligor is needed for a price.")
    paths = paths_of(inputs.obligor, policy.scale)
    level = paths.own == paths.total
    alone = item if level else stack(inputs, policy, Paths(paths.own, paths.own))
    behind = dataclasses.asdict(item.behind)
    return Memo(**behind, chain_effect_bp=item.rate_bp - alone.rate_bp)
