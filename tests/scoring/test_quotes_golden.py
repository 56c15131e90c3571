"""The three worked quotes and their variants, to the last digit."""

import dataclasses

import pytest

from scoring.hazard import hazard_of
from scoring.pricing import expert_band, price
from scoring.schema import COMPONENTS, FirmRisk, PriceInputs
from tests.scoring.quotes import INSURED, LEAF, POLICY, Q1, Q2, Q3, Q3_WITHOUT

# In millionths of a basis point; the order is that of COMPONENTS.
EXACT = {
    "Q1": (Q1, 318_486_742, (
        250_000_000, 0, 5_921_155, 0, 0, 21_965_587, 600_000, 0, 0, 40_000_000, 0)),
    "Q2": (Q2, 664_601_149, (
        250_000_000, 16_666_667, 96_012_705, 27_832_034, 45_015_817, 151_073_926,
        6_000_000, 0, 12_000_000, 60_000_000, 0)),
    "Q3": (Q3, 636_135_649, (
        245_000_000, 29_400_000, 42_800_519, 6_590_592, 80_338_462, 134_006_076,
        18_000_000, 0, 20_000_000, 60_000_000, 0)),
}  # fmt: skip
WHOLE = {
    "undertaking": (Q1, 318, (250, 0, 6, 0, 0, 22, 0, 0, 0, 40, 0), 7_950_00, 32900),
    "direct debtor": (Q2, 665, (250, 17, 96, 28, 45, 151, 6, 0, 12, 60, 0), 1_662_50, 70355),
    "with recourse": (Q3, 636, (245, 29, 43, 7, 80, 134, 18, 0, 20, 60, 0), 530_00, 67068),
    "without": (Q3_WITHOUT, 978, (245, 30, 268, 45, 80, 212, 18, 0, 20, 60, 0), 815_00, None),
    "leaf": (LEAF, 361, (245, 0, 6, 0, 0, 22, 18, 30, 0, 40, 0), 300_83, None),
    "insured": (INSURED, 492, (250, 17, 14, 4, 45, 49, 6, 35, 12, 60, 0), None, None),
}
BEHIND = {
    "Q1": (Q1, 0.00037007, 0.0015, 0.01761651, 0.0),
    "Q2": (Q2, 0.00619224, 0.02333991, 0.08974124, 0.02384818),
    "Q3": (Q3, 0.00205796, 0.01043586, 0.06634819, 0.02910793),
}


@pytest.mark.parametrize(("inputs", "total", "exact"), EXACT.values(), ids=EXACT)
def test_each_component_is_exact_to_a_millionth_of_a_basis_point(
    inputs: PriceInputs, total: int, exact: tuple[int, ...]
) -> None:
    components = price(inputs, POLICY).components
    assert tuple(part.name for part in components) == COMPONENTS
    assert tuple(part.micro_bp for part in components) == exact
    assert sum(part.micro_bp for part in components) == total


@pytest.mark.parametrize(
    ("inputs", "rate", "whole", "discount", "effective"), WHOLE.values(), ids=WHOLE
)
def test_the_whole_basis_points_sum_to_the_rate(
    inputs: PriceInputs,
    rate: int,
    whole: tuple[int, ...],
    discount: int | None,
    effective: int | None,
) -> None:
    priced = price(inputs, POLICY)
    assert priced.refusal is None
    assert (priced.rate_bp, priced.rate_ppm) == (rate, rate * 100)
    assert tuple(part.bp for part in priced.components) == whole
    assert sum(whole) == rate
    assert discount in {None, priced.discount_minor}
    assert effective in {None, priced.effective_ppm}
    assert priced.discount_minor is not None
    assert priced.net_minor == inputs.face_minor - priced.discount_minor


@pytest.mark.parametrize(
    ("inputs", "pd_item", "pd_year", "k_default", "k_dilution"), BEHIND.values(), ids=BEHIND
)
def test_the_figures_behind_are_those_of_the_worked_quotes(
    inputs: PriceInputs, pd_item: float, pd_year: float, k_default: float, k_dilution: float
) -> None:
    memo = price(inputs, POLICY).memo
    assert memo is not None
    assert round(memo.pd_item, 8) == pd_item
    assert round(memo.pd_effective, 8) == pd_year
    assert round(memo.k_default, 8) == k_default
    assert round(memo.k_dilution, 8) == k_dilution


def test_an_undertaking_is_worth_what_the_two_prices_differ_by() -> None:
    without, leaf = price(Q3_WITHOUT, POLICY).rate_bp, price(LEAF, POLICY).rate_bp
    assert (without, leaf) == (978, 361)
    assert without is not None
    assert leaf is not None
    assert without - leaf == 617


def test_a_band_of_pd_gives_a_band_of_price() -> None:
    def rate(pd: float) -> int | None:
        alone = FirmRisk(hazard_of(pd), hazard_of(pd))
        return price(dataclasses.replace(Q2, obligor=alone), POLICY).rate_bp

    assert (rate(0.016), rate(0.034)) == (611, 738)
    # The expert band is the same at 0.6 and 1.6 times the PD.
    band = expert_band(Q2, POLICY)
    assert band is not None
    assert (band.low_bp, band.high_bp) == (rate(band.pd_low), rate(band.pd_high))
    assert band.pd_high / band.pd_low == pytest.approx(1.6 / 0.6)
    assert band.label == "expert band"
