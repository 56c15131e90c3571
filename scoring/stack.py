"""The eleven components of a rate, before anybody decides on it.

Probabilities are floats; every component is rounded once, half up, to a millionth of a basis
point, and is a whole number from there on.
"""

import dataclasses
import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from scoring.capital import PD_FLOOR, capital_share
from scoring.dilution import diluted_beyond, loss_of_diluted
from scoring.hazard import YEAR_DAYS
from scoring.lgd import insured_lgd, lgd_of
from scoring.paths import Path, Paths, paths_of
from scoring.policy import FundingPoint, Policy
from scoring.recourse import pd_with_recourse, rho_of
from scoring.schema import COMPONENTS, MICRO, Behind, Component, Insurance, PriceInputs

BP: Final = 10_000
CAPITAL_REFERENCE: Final = Fraction(8, 100)
"""The ratio for which the formula of K is written."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stack:
    """The components in millionths of a bp, and the figures behind them.

    ``beyond`` tells that a model was asked about more than the year that it knows.
    """

    micro_bp: tuple[int, ...]
    behind: Behind
    beyond: bool = False

    @property
    def rate_bp(self) -> int:
        """The rate: the sum, rounded half up to whole basis points."""
        return (2 * sum(self.micro_bp) + MICRO) // (2 * MICRO)


def funding_rate(points: tuple[FundingPoint, ...], days: int) -> Fraction:
    """Return the cost of the bank's money at a tenor: linear between points, flat outside.

    Parameters
    ----------
    points : tuple of FundingPoint
        Rising in days, at least one.
    days : int
        Tenor.

    Returns
    -------
    Fraction
        Per year, exact.
    """
    if days <= points[0].days:
        return points[0].rate
    for left, right in itertools.pairwise(points):
        if days <= right.days:
            part = Fraction(days - left.days, right.days - left.days)
            return left.rate + part * (right.rate - left.rate)
    return points[-1].rate


def stack(inputs: PriceInputs, policy: Policy, instead: Paths | None = None) -> Stack:
    """Return the eleven components of an item.

    Parameters
    ----------
    inputs : PriceInputs
        Obligor and, where it counts, seller are known; tenor of 1 day or more.
    policy : Policy
        All figures.
    instead : Paths, optional
        To use for the obligor instead of its own: what-if, band, memo.

    Returns
    -------
    Stack
        Constant time.
    """
    if inputs.obligor is None or inputs.tenor_days < 1:
        raise ValueError("obligor and tenor_days are needed for a price.")
    obligor = paths_of(inputs.obligor, policy.scale)
    own, total = (instead or obligor).own, (instead or obligor).total
    seller, seller_raised = seller_path(inputs, policy)
    floors = (("obligor",) if obligor.raised else ()) + (("seller",) if seller_raised else ())

    charges = policy.charges
    late = late_days_in(inputs)
    window = inputs.tenor_days + late
    tau = Fraction(inputs.tenor_days, inputs.basis)
    funding = funding_rate(policy.funding, inputs.tenor_days)
    lgd = _lgd(inputs, policy, window)
    exposed = float(Fraction(inputs.face_minor - inputs.cash_margin_minor, inputs.face_minor))
    per_year = BP / float(tau)

    # Default: what the chain adds is the difference of two expected losses, each rounded, so that
    # the two components sum to the rounded whole and a higher PD is never cheaper by a millionth.
    pd_item = pd_left(inputs, policy, total, seller, window)
    without_chain = pd_left(inputs, policy, own, seller, window)
    default_all = per_year * pd_item * lgd * exposed
    default_own = per_year * without_chain * lgd * exposed
    pd_year = pd_left(inputs, policy, total, seller, None)
    k_default = capital_share(max(pd_year, PD_FLOOR), lgd)

    # Dilution: the seller buys back, while it lives.
    call = None
    if seller is not None:
        call = seller.within(window + policy.model.recourse_call_days)
    diluted, share_lost, k_dilution = 0.0, 0.0, 0.0
    if inputs.may_dilute and inputs.dilution is not None:
        share_lost = loss_of_diluted(1.0 if call is None else call, policy.model)
        # A reserve that already stands before credit loss does not stand here a second time.
        spent = inputs.lgd.credit_reserve_advance is not None
        reserve = Fraction(0) if spent else inputs.dilution.reserve
        diluted = diluted_beyond(
            inputs.dilution.share, reserve, policy.model.dilution_concentration
        )
        basel = inputs.dilution.capital == "basel"
        k_dilution = capital_share(
            min(1.0, diluted * YEAR_DAYS / window), 1.0 if basel else share_lost
        )
    bound = (k_default * exposed + k_dilution) * float(
        max(charges.hurdle - funding, Fraction(0))
        * (charges.capital_ratio / CAPITAL_REFERENCE)
        * Fraction(BP * window, inputs.tenor_days)
    )

    parts: dict[str, Fraction | float] = {
        "funding": BP * funding,
        "late_days": funding * Fraction(BP * late, inputs.tenor_days),
        "default_own": default_own,
        "default_chain": Fraction(max(to_micro(default_all) - to_micro(default_own), 0), MICRO),
        "dilution": per_year * diluted * share_lost,
        "capital": bound,
        "operating": _operating(inputs, policy, tau),
        "channel": charges.hop_fee_bp * inputs.transfers + _premium(inputs),
        "uncertainty": _uncertainty(inputs, policy),
        "margin": margin_of(inputs, policy),
    }
    micro = [to_micro(parts[name]) for name in COMPONENTS[:-1]]
    lowest = to_micro(BP * funding + charges.floor_over_funding_bp)
    micro.append(max(0, lowest - sum(micro)))
    return Stack(
        tuple(micro),
        Behind(
            pd_one_year=total.within(YEAR_DAYS),
            pd_item=pd_item,
            pd_effective=pd_year,
            pd_seller_call=call,
            lgd=lgd,
            k_default=k_default,
            k_dilution=k_dilution,
            diluted=diluted,
            floors=floors,
        ),
        beyond=not total.knows(total.on_item(inputs.tenor_days, late))
        or (seller is not None and not seller.knows(window + call_wait(inputs, policy))),
    )


def margin_of(inputs: PriceInputs, policy: Policy) -> Fraction:
    """Return the margin: the policy's for this claim, with what people added or took off."""
    charges = policy.charges
    margin = charges.margin_undertaking_bp if inputs.is_undertaken else charges.margin_bp
    return margin + inputs.margin_shift_bp


def to_micro(bp: Fraction | float) -> int:
    """Return basis points in whole millionths, rounded half up.

    Examples
    --------
    >>> to_micro(Fraction(1, 3)), to_micro(Fraction(1, 2 * MICRO))
    (333333, 1)
    """
    numerator, denominator = bp.as_integer_ratio()
    return (2 * MICRO * numerator + denominator) // (2 * denominator)


def whole_bp(micro_bp: tuple[int, ...]) -> tuple[Component, ...]:
    """Return the components with whole bp that sum to the rate.

    Each is floored; the missing points go to the largest remainders, ties to the earlier one. A
    component of exactly 0 never receives a point.

    Parameters
    ----------
    micro_bp : tuple of int
        Eleven, in the order of `COMPONENTS`, each >= 0.
    """
    wanted = (2 * sum(micro_bp) + MICRO) // (2 * MICRO)
    shares = largest_remainders(micro_bp, wanted, MICRO)
    return tuple(
        Component(name, exact, bp)
        for name, exact, bp in zip(COMPONENTS, micro_bp, shares, strict=True)
    )


def largest_remainders(
    exact: Sequence[int] | Sequence[Fraction], wanted: int, unit: int
) -> tuple[int, ...]:
    """Return whole units that sum to what is wanted.

    Parameters
    ----------
    exact : sequence of int or Fraction
        Parts in a finer unit, each >= 0.
    wanted : int
        Sum of the answer; at least the sum of the floors, at most one more per part.
    unit : int
        Fine units in a whole one.

    Examples
    --------
    >>> largest_remainders((5_423_000, 1_540_000, 37_000), 7, 1_000_000)
    (5, 2, 0)
    """
    floors = [part // unit for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: (-(exact[at] % unit), at))
    for at in by_remainder[: wanted - sum(floors)]:
        floors[at] += 1
    return tuple(floors)


# --- Parts ------------------------------------------------------------------------------------


def seller_path(inputs: PriceInputs, policy: Policy) -> tuple[Path | None, bool]:
    """Return the seller's path with its floor, or None where the seller plays no part."""
    if inputs.seller is None or not seller_counts(inputs):
        return None, False
    paths = paths_of(inputs.seller, policy.scale)
    return paths.total, paths.raised


def seller_counts(inputs: PriceInputs) -> bool:
    """Tell whether the seller's own risk is in the price."""
    return inputs.may_dilute or recourse_counts(inputs)


def recourse_counts(inputs: PriceInputs) -> bool:
    """Tell whether the seller answers for the debtor; never under an undertaking."""
    return inputs.recourse is not None and not inputs.is_undertaken


def counting_cover(inputs: PriceInputs) -> Insurance | None:
    """Return the insurance, unless the same firm already counts by its recourse."""
    cover = inputs.insurance
    if cover is not None and cover.same_as_seller and recourse_counts(inputs):
        return None
    return cover


def late_days_in(inputs: PriceInputs) -> int:
    """Return the days after due that money is out; the wait for the insurer counts."""
    late = 0 if inputs.is_undertaken else inputs.late_days
    cover = counting_cover(inputs)
    return late + (cover.waiting_days if cover else 0)


def _lgd(inputs: PriceInputs, policy: Policy, window: int) -> float:
    """Return the LGD after reserve and insurance."""
    plain = lgd_of(inputs.lgd, policy.lgd)
    cover = counting_cover(inputs)
    if cover is None:
        return float(plain)
    insurer = paths_of(cover.insurer, policy.scale).total
    return insured_lgd(plain, cover.cover, policy.model.insurance_phi, insurer.within(window))


def pd_left(
    inputs: PriceInputs, policy: Policy, obligor: Path, seller: Path | None, window: int | None
) -> float:
    """Return the PD that recourse leaves, over an item's window or (None) over one year."""
    late = 0 if window is None else window - inputs.tenor_days
    debtor = obligor.within(
        YEAR_DAYS if window is None else obligor.on_item(inputs.tenor_days, late)
    )
    if inputs.recourse is None or seller is None or not recourse_counts(inputs):
        return debtor
    model = policy.model
    call = seller.within(YEAR_DAYS if window is None else window + call_wait(inputs, policy))
    return pd_with_recourse(
        debtor, call, rho_of(inputs.recourse.dependency, model), model.recourse_phi
    )


def call_wait(inputs: PriceInputs, policy: Policy) -> int:
    """Return the days after the money was expected until which the seller must live."""
    after = inputs.recourse.after_days if inputs.recourse and recourse_counts(inputs) else 0
    return policy.model.recourse_call_days + after


def _operating(inputs: PriceInputs, policy: Policy, tau: Fraction) -> Fraction:
    """Return the cost of handling one item, in bp a year of its face."""
    fixed_minor: Fraction = policy.charges.operating_fixed * 10**inputs.exponent
    fixed_bp = BP * fixed_minor / (inputs.face_minor * tau)
    return fixed_bp + policy.charges.operating_variable_bp


def _premium(inputs: PriceInputs) -> Fraction:
    """Return the insurance premium in bp; it is paid whether or not the cover counts."""
    return inputs.insurance.premium_bp if inputs.insurance else Fraction(0)


def _uncertainty(inputs: PriceInputs, policy: Policy) -> float:
    """Return the charge for how little is known of the debtor, in bp."""
    charges = policy.charges
    rated = inputs.obligor is not None and inputs.obligor.rated
    if rated or inputs.settled_items >= charges.uncertainty_until_items:
        return 0.0
    return float(charges.uncertainty_bp) / math.sqrt(1 + inputs.settled_items)
