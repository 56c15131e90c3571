"""The figures that each component of a price was worked out from: enough to do it again by hand."""

from fractions import Fraction

from scoring.dilution import loss_of_diluted
from scoring.lgd import lgd_of
from scoring.paths import paths_of
from scoring.policy import Policy
from scoring.recourse import rho_of
from scoring.schema import COMPONENTS, PriceInputs, PriceResult
from scoring.stack import (
    call_wait,
    counting_cover,
    funding_rate,
    late_days_in,
    margin_of,
    pd_left,
    recourse_counts,
    seller_path,
)

Fact = tuple[str, float | int | str | None]
Facts = tuple[Fact, ...]


def figures(inputs: PriceInputs, result: PriceResult, policy: Policy) -> dict[str, Facts]:
    """Return for each component the figures behind it, by name.

    For people of the bank only.

    Parameters
    ----------
    inputs, result : PriceInputs, PriceResult
        An item and its price.
    policy : Policy
        The policy that priced it.

    Returns
    -------
    dict of str to tuple of (str, value)
        Shares, rates and probabilities as fractions of 1, days as whole numbers, amounts in minor
        units. Whoever puts the figures of a line into its formula gets its exact basis points; the
        formulas stand in ``docs/reference/risk-price.md``. Empty lines where there is no rate.
    """
    memo, obligor = result.memo, inputs.obligor
    if memo is None or obligor is None:
        return dict.fromkeys(COMPONENTS, ())
    charges = policy.charges
    late = late_days_in(inputs)
    window = inputs.tenor_days + late
    funding = float(funding_rate(policy.funding, inputs.tenor_days))
    time: Facts = (("tenor_days", inputs.tenor_days), ("basis", inputs.basis))
    exposed = float(Fraction(inputs.face_minor - inputs.cash_margin_minor, inputs.face_minor))
    paths = paths_of(obligor, policy.scale)
    seller, _raised = seller_path(inputs, policy)
    loss: Facts = (("lgd", memo.lgd), ("exposed", exposed), *time)
    alone = pd_left(inputs, policy, paths.own, seller, window)
    return {
        "funding": (("tenor_days", inputs.tenor_days), ("funding_rate", funding)),
        "late_days": (
            ("funding_rate", funding),
            ("late_days", late),
            ("tenor_days", inputs.tenor_days),
        ),
        "default_own": (
            ("own_hazard", obligor.own_hazard),
            ("window_days", paths.total.on_item(inputs.tenor_days, late)),
            *_recourse(inputs, policy, window),
            ("pd_item_alone", alone),
            *_lgd(inputs, policy, window),
            *loss,
            ("raised_to_floor", ", ".join(memo.floors)),
        ),
        "default_chain": (
            ("chain_hazard", obligor.total_hazard - obligor.own_hazard),
            ("pd_item", memo.pd_item),
            ("pd_item_alone", alone),
            *loss,
            ("pd_one_year", memo.pd_one_year),
            ("effect_on_rate_bp", memo.chain_effect_bp),
        ),
        "dilution": (*_dilution(inputs, result, policy), *time),
        "capital": (
            ("pd_effective", memo.pd_effective),
            ("lgd", memo.lgd),
            ("k_default", memo.k_default),
            ("exposed", exposed),
            ("k_dilution", memo.k_dilution),
            ("capital_ratio", float(charges.capital_ratio)),
            ("hurdle", float(charges.hurdle)),
            ("funding_rate", funding),
            ("late_days", late),
            ("tenor_days", inputs.tenor_days),
        ),
        "operating": (
            ("fixed", float(charges.operating_fixed)),
            ("face_minor", inputs.face_minor),
            ("exponent", inputs.exponent),
            ("variable_bp", float(charges.operating_variable_bp)),
            *time,
        ),
        "channel": (
            ("transfers", inputs.transfers),
            ("hop_fee_bp", float(charges.hop_fee_bp)),
            ("premium_bp", float(inputs.insurance.premium_bp) if inputs.insurance else 0.0),
        ),
        "uncertainty": (
            ("settled_items", inputs.settled_items),
            ("rated", "yes" if obligor.rated else "no"),
            ("uncertainty_bp", float(charges.uncertainty_bp)),
            ("free_from_items", charges.uncertainty_until_items),
        ),
        "margin": (
            ("policy_margin_bp", float(margin_of(inputs, policy)) - inputs.margin_shift_bp),
            ("shift_bp", inputs.margin_shift_bp),
        ),
        "floor_addon": (
            ("funding_rate", funding),
            ("floor_over_funding_bp", float(charges.floor_over_funding_bp)),
        ),
    }


def _recourse(inputs: PriceInputs, policy: Policy, window: int) -> Facts:
    """Return what the seller's answer is worth: both must fail together."""
    recourse = inputs.recourse
    seller, _raised = seller_path(inputs, policy)
    if recourse is None or seller is None or not recourse_counts(inputs):
        return ()
    rho = rho_of(recourse.dependency, policy.model)
    return (
        ("dependency", float(recourse.dependency)),
        ("rho", None if rho is None else float(rho)),
        ("seller_window_days", window + call_wait(inputs, policy)),
        ("pd_seller", seller.within(window + call_wait(inputs, policy))),
        ("recourse_phi", float(policy.model.recourse_phi)),
    )


def _lgd(inputs: PriceInputs, policy: Policy, window: int) -> Facts:
    """Return what an insurer takes off the loss."""
    cover = counting_cover(inputs)
    if cover is None:
        return ()
    insurer = paths_of(cover.insurer, policy.scale).total
    return (
        ("lgd_uninsured", float(lgd_of(inputs.lgd, policy.lgd))),
        ("cover", float(cover.cover)),
        ("insurance_phi", float(policy.model.insurance_phi)),
        ("pd_insurer", insurer.within(window)),
    )


def _dilution(inputs: PriceInputs, result: PriceResult, policy: Policy) -> Facts:
    dilution, memo = inputs.dilution if inputs.may_dilute else None, result.memo
    if dilution is None or memo is None:
        return (("beyond_reserve", 0.0), ("not_bought_back", 0.0))
    call = 1.0 if memo.pd_seller_call is None else memo.pd_seller_call
    return (
        ("share", float(dilution.share)),
        ("reserve", float(dilution.reserve)),
        ("beyond_reserve", memo.diluted),
        ("pd_seller_call", call),
        ("not_bought_back", loss_of_diluted(call, policy.model)),
    )
