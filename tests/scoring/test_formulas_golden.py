"""Every formula against figures that were worked out apart from this code."""

import random
from fractions import Fraction

import pytest

from scf.kernel import rates
from scoring.capital import capital_share
from scoring.dilution import diluted_beyond
from scoring.hazard import Curve, hazard_of, pd_within
from scoring.lgd import insured_lgd, lgd_of
from scoring.observed import dilution_share, late_days, late_share
from scoring.pricing import effective_ppm
from scoring.recourse import joint_pd, pd_with_recourse, rho_of
from scoring.schema import LgdTerms
from scoring.stack import funding_rate, to_micro
from tests.scoring.quotes import POLICY

PHI = POLICY.model.recourse_phi


def test_a_flat_hazard_gives_the_pd_of_any_number_of_days() -> None:
    hazard = hazard_of(0.015)
    assert round(hazard, 10) == 0.0151136378
    days = {90: 0.00371972, 95: 0.00392596, 180: 0.00742559}
    assert {n: round(pd_within(hazard, n), 8) for n in days} == days
    assert pd_within(hazard, 0) == 0
    assert pd_within(hazard_of(1.0), 1) == 1


def test_a_curve_is_read_at_the_days_of_the_note_and_not_at_the_next_bin() -> None:
    curve = Curve((0.001,) * 3 + (0.004,) * 9)
    days = {90: 0.00299700, 95: 0.00366278, 180: 0.01491324, 185: 0.01557107, 365: 0.03832016}
    assert {n: round(curve.pd_within(n), 8) for n in days} == days


def test_calibration_keeps_the_order_and_the_identity() -> None:
    curve = Curve((0.0, 0.001, 0.2) + (0.004,) * 9)
    same = curve.calibrated(0, 1)
    assert same.bins == pytest.approx(curve.bins)
    safer = curve.calibrated(-0.5, 1.3)
    assert all(low <= high for low, high in zip(safer.bins, curve.bins, strict=True))
    with pytest.raises(ValueError, match="slope"):
        curve.calibrated(0, 0)
    with pytest.raises(ValueError, match="days"):
        curve.pd_within(366)


@pytest.mark.parametrize(
    ("pd", "k"),
    [
        (0.0005, 0.00797683),
        (0.0015, 0.01761651),
        (0.01, 0.05210907),
        (0.015, 0.06140266),
        (0.02, 0.06810361),
        (0.05, 0.09379513),
        (0.10, 0.12497826),
        (0.20, 0.15855373),
    ],
)
def test_capital_is_that_of_the_formula(pd: float, k: float) -> None:
    assert round(capital_share(pd, 0.40), 8) == k


def test_capital_grows_with_maturity_and_ends_where_default_is_certain() -> None:
    assert round(capital_share(0.01, 0.40, 2.5), 8) == 0.06564750
    assert capital_share(1, 0.40) == capital_share(0, 0.40) == 0


def test_recourse_leaves_the_joint_default_and_the_calls_that_fail() -> None:
    debtor, seller = pd_within(hazard_of(0.05), 95), pd_within(hazard_of(0.06), 155)
    assert round(debtor, 8) == 0.01326159
    assert round(seller, 8) == 0.02593365
    assert round(joint_pd(debtor, seller, 0.3), 8) == 0.00146455
    assert round(pd_with_recourse(debtor, seller, Fraction("0.3"), PHI), 8) == 0.00264425
    assert round(joint_pd(debtor, seller, 0.5), 8) == 0.00300301
    assert round(joint_pd(0.05, 0.06, 0.3), 8) == 0.00824420


@pytest.mark.parametrize(
    ("first", "second", "rho", "joint"),
    [
        (0.5, 0.5, 0.5, 1 / 3),  # Sheppard: 1/4 + asin(rho) / 2 pi
        (0.5, 0.5, 0.0, 0.25),
        (0.5, 0.2, 0.0, 0.1),
        (0.8, 0.1, 0.0, 0.08),
        (0.0, 0.4, 0.3, 0.0),
        (1.0, 0.4, 0.3, 0.4),
        (0.3, 0.3, 0.999999999, 0.3),
        (0.3, 0.3, -0.999999999, 0.0),
    ],
)
def test_joint_default_is_right_where_it_is_known_in_closed_form(
    first: float, second: float, rho: float, joint: float
) -> None:
    assert joint_pd(first, second, rho) == pytest.approx(joint, abs=2e-5)
    assert joint_pd(second, first, rho) == pytest.approx(joint_pd(first, second, rho), abs=1e-15)


def test_recourse_is_never_worse_than_none_on_the_whole_grid() -> None:
    for debtor in (0.0, 1e-9, 0.002, 0.05, 0.5, 1.0):
        for seller in (0.0, 1e-9, 0.01, 0.2, 0.7, 1.0):
            for rho in ("0", "0.3", "0.5", "0.9"):
                left = pd_with_recourse(debtor, seller, Fraction(rho), PHI)
                assert 0 <= left <= debtor
    assert pd_with_recourse(0.01, 0.02, None, PHI) == 0.01


def test_a_seller_that_lives_by_the_debtor_earns_nothing_by_recourse() -> None:
    dependencies = ("0", "0.1999", "0.20", "0.4999", "0.50", "1")
    found = [rho_of(Fraction(share), POLICY.model) for share in dependencies]
    low, high = Fraction("0.3"), Fraction("0.5")
    assert found == [low, low, high, high, None, None]


@pytest.mark.parametrize(
    ("share", "reserve", "beyond"),
    [
        ("0.01", "0", 0.01),
        ("0.01", "0.05", 0.00181034),
        ("0.01", "0.15", 0.00010979),
        ("0.015", "0.10", 0.00077492),
        ("0", "0.10", 0.0),
        ("1", "0.10", 0.9),
        ("0.3", "1", 0.0),
    ],
)
def test_only_dilution_beyond_the_reserve_is_lost(share: str, reserve: str, beyond: float) -> None:
    assert round(diluted_beyond(Fraction(share), Fraction(reserve), 20), 8) == beyond


def test_an_insurer_takes_its_share_of_the_loss_while_it_lives() -> None:
    insurer = pd_within(hazard_of(0.001), 90)
    lgd = insured_lgd(Fraction("0.40"), Fraction("0.9"), POLICY.model.insurance_phi, insurer)
    assert round(lgd, 8) == 0.05808436


@pytest.mark.parametrize(
    ("terms", "lgd"),
    [
        (LgdTerms("undertaking"), "0.40"),
        (LgdTerms("bank"), "0.45"),
        (LgdTerms("large_debtor"), "0.40"),
        (LgdTerms("other_debtor"), "0.50"),
        (LgdTerms("other_debtor", silent=True, cross_border=True), "0.65"),
        (LgdTerms("other_debtor", credit_reserve_advance=Fraction("0.8")), "0.375"),
        (LgdTerms("undertaking", credit_reserve_advance=Fraction("0.7")), "0.25"),
        (LgdTerms("bank", credit_reserve_advance=Fraction(1)), "0.45"),
    ],
)
def test_lgd_follows_the_table_its_additions_and_the_reserve(terms: LgdTerms, lgd: str) -> None:
    assert lgd_of(terms, POLICY.lgd) == Fraction(lgd)


def test_expected_loss_is_annualised_by_the_tenor_and_not_by_the_hazard_window() -> None:
    per_tenor = pd_within(hazard_of(0.015), 95) * 0.40
    assert round(per_tenor, 8) == 0.00157038
    assert round(to_micro(10_000 * per_tenor / (90 / 360)) / 1e6, 4) == 62.8154


def test_the_effective_rate_compounds_over_the_year() -> None:
    assert effective_ppm(1_000_000_00, 988_375_00, 90) == 48_564  # 11,625 of a million in 90 days
    assert effective_ppm(100, 0, 90) is None
    assert effective_ppm(100, 1, 1) == 100_000_000


def test_the_effective_rate_is_that_of_the_kernel() -> None:
    dice = random.Random(3)
    for _ in range(300):
        face, days = dice.randint(1_000, 10**12), dice.randint(1, 400)
        net = face - round(face * dice.random() * 0.1)
        assert effective_ppm(face, net, days) == rates.effective_ppm(face - net, net, days)


def test_the_banks_money_costs_what_lies_between_two_tenors() -> None:
    days = {1: "0.0230", 30: "0.0230", 45: "0.0235", 75: "0.0245", 365: "0.03", 500: "0.03"}
    assert {n: funding_rate(POLICY.funding, n) for n in days} == {
        n: Fraction(rate) for n, rate in days.items()
    }


# --- Figures drawn to their prior -------------------------------------------------------------


def test_a_late_share_of_few_items_stays_near_one_in_five() -> None:
    assert late_share(0, 0, 0) is None
    assert late_share(0, 100_00, 1) == Fraction(1, 6)
    assert late_share(100_00, 100_00, 1) == Fraction(2, 6)
    assert late_share(30_00, 300_00, 3) == Fraction(13, 80)  # 0.3 mean items late


def test_late_days_of_little_history_stay_near_the_prior_and_round_half_up() -> None:
    assert late_days(0, 0, 0, POLICY.model) == 5
    assert late_days(0, 100_00, 5, POLICY.model) == 3  # 2.5
    assert late_days(20 * 900_00, 900_00, 45, POLICY.model) == 19  # 18.5


def test_a_diluted_share_of_little_history_stays_near_that_of_the_sector() -> None:
    assert dilution_share(0, 0, 0, POLICY.model) == Fraction("0.01")
    assert dilution_share(50_00, 1_000_00, 5, POLICY.model) == Fraction("0.03")
    assert dilution_share(0, 1_000_00, 5, POLICY.model) == Fraction("0.005")


@pytest.mark.parametrize("sums", [(-1, 1, 1), (2, 1, 1), (0, 1, 0), (0, 0, 1)])
def test_sums_that_contradict_each_other_are_refused(sums: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="whole"):
        late_share(*sums)
    with pytest.raises(ValueError, match="whole"):
        dilution_share(*sums, POLICY.model)
