"""What holds for every discount, income, rebate and yearly cost, not only for the goldens."""

import itertools
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.money import MAX_MINOR
from scf.kernel.rates import (
    PPM,
    TOP_COST_PPM,
    all_in_ppm,
    discount,
    early_rebate,
    earned_to,
    earned_to_effective,
    effective_ppm,
    interest,
    percent_to_fraction,
    ppm_to_fraction,
    round_half_up,
)

START = date(2026, 3, 10)

_ends = st.integers(1, 400).map(lambda days: START + timedelta(days=days))
_faces = st.integers(1, MAX_MINOR)
_rates = st.integers(0, 200_000).map(ppm_to_fraction)
_day_counts = st.sampled_from(DayCount)


@given(st.fractions())
def test_rounding_moves_by_half_a_unit_at_most_and_mirrors(x: Fraction) -> None:
    rounded = round_half_up(x)
    assert abs(x - rounded) <= Fraction(1, 2)
    assert round_half_up(-x) == -rounded
    if abs(x - rounded) == Fraction(1, 2):
        assert abs(rounded) > abs(x)


@given(_faces, _rates, _ends, _day_counts)
def test_discount_on_proceeds_yields_the_rate_on_the_cash(
    face: int, rate: Fraction, end: date, day_count: DayCount
) -> None:
    kept = discount(face, rate, START, end, day_count, "proceeds")
    cash = face - kept
    assert kept <= discount(face, rate, START, end, day_count)
    # half a unit of rounding on the cash, grown, and half a unit on the interest
    growth = rate * day_count.fraction(START, end)
    assert abs(interest(cash, rate, START, end, day_count) - kept) <= 1 + growth


def test_a_discount_that_eats_the_cash_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        discount(100, Fraction(-4), START, START + timedelta(360), DayCount.ACT_360, "proceeds")
    assert refused.value.code == "RATE_RANGE"


@given(st.integers(-MAX_MINOR, MAX_MINOR), _ends)
def test_straight_line_income_sums_exactly(total: int, end: date) -> None:
    days = (end - START).days
    earned = [earned_to(total, START, end, START + timedelta(n)) for n in range(-1, days + 3)]
    assert earned[0] == 0
    assert earned[days] == total
    assert earned[-1] == total
    steps = [b - a for a, b in itertools.pairwise(earned)]
    assert sum(steps) == total
    assert max(steps[:days]) - min(steps[:days]) <= 1


@settings(max_examples=50)
@given(st.integers(1, 10**12), st.integers(0, 10**11), st.integers(1, 60))
def test_effective_income_grows_to_exactly_the_discount(net: int, kept: int, days: int) -> None:
    end = START + timedelta(days)
    earned = [
        earned_to_effective(net + kept, net, START, end, START + timedelta(n))
        for n in range(-1, days + 1)
    ]
    assert (earned[0], earned[-1]) == (0, kept)
    assert earned == sorted(earned)


def _nearest_growth(amount: int, ratio: Fraction, power: int, root: int) -> int:
    """Return amount·(ratio^(power/root) - 1) rounded, found by halving in whole numbers only."""
    target = ratio**power
    low, high = -amount, amount * max(1, int(ratio) + 1)
    while high - low > 1:  # low: the largest whole number not above the exact value
        middle = (low + high) // 2
        if (Fraction(middle, amount) + 1) ** root <= target:
            low = middle
        else:
            high = middle
    half = Fraction(2 * low + 1, 2)
    bound = (half / amount + 1) ** root
    if bound == target:
        return round_half_up(half)
    return low + 1 if bound < target else low


@settings(max_examples=300)
@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 12), st.data())
def test_effective_income_is_right_to_the_last_unit(
    face: int, net: int, days: int, data: st.DataObject
) -> None:
    done = data.draw(st.integers(1, days))
    end = START + timedelta(days)
    close = START + timedelta(done - 1)
    expected = _nearest_growth(net, Fraction(face, net), done, days)
    assert earned_to_effective(face, net, START, end, close) == expected


@pytest.mark.parametrize(
    ("face", "net", "expected"),
    [
        (9, 1, 2),  # 1·(9^½ - 1) = 2
        (49, 9, 12),  # 9·(7/3 - 1) = 12
        (25, 4, 6),  # 4·(5/2 - 1) = 6
        (81, 36, 18),
        (1, 9, -6),
        (2, 8, -4),
    ],
)
def test_effective_income_of_a_perfect_power_is_exact(face: int, net: int, expected: int) -> None:
    # half of the term: the square root
    end = START + timedelta(2)
    assert earned_to_effective(face, net, START, end, START) == expected


# Over 730 days the yearly cost is a square root: of (3,000,001 / 2,000,000)² it is 1.5000005,
# which is 500,000.5 ppm, a tie.
@pytest.mark.parametrize(
    ("numerator", "expected"),
    [
        (3_000_001**2, 500_001),  # exactly 500,000.5 ppm: up
        (3_000_001**2 - 1, 500_000),  # a hair below
        (3_000_001**2 + 1, 500_001),  # a hair above
    ],
)
def test_a_tie_of_an_effective_rate_is_decided_exactly(numerator: int, expected: int) -> None:
    cash = 2_000_000**2
    assert effective_ppm(numerator - cash, cash, 730) == expected


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_a_tie_beyond_fifty_digits_is_decided_exactly(shift: int) -> None:
    scale = 10**40
    cash = (2_000_000 * scale) ** 2
    charges = (3_000_001 * scale) ** 2 + shift - cash
    assert effective_ppm(charges, cash, 730) == 500_000 + (shift >= 0)


@given(st.integers(0, 10**9), st.integers(1, 10**12), st.integers(1, 1_000))
def test_the_effective_rate_is_the_one_of_a_hundred_digits(
    charges: int, cash: int, days: int
) -> None:
    with localcontext() as context:
        context.prec = 100
        growth = (Decimal(365) / days * (1 + Decimal(charges) / cash).ln()).exp()
        exact = (growth - 1) * PPM
    ours = effective_ppm(charges, cash, days)
    if exact > TOP_COST_PPM:
        assert ours == TOP_COST_PPM
    else:
        assert abs(ours - exact) <= Decimal("0.5")


def test_yearly_costs_stop_at_ten_thousand_percent() -> None:
    assert effective_ppm(10, 90, 1) == TOP_COST_PPM
    assert all_in_ppm(90, 10, 1, 360) == TOP_COST_PPM
    assert effective_ppm(0, 90, 1) == 0


@pytest.mark.parametrize(
    ("charges", "cash", "days"), [(1, 0, 90), (1, -5, 90), (1, 100, 0), (1, 100, -1)]
)
def test_a_yearly_cost_needs_cash_and_days(charges: int, cash: int, days: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        all_in_ppm(charges, cash, days, 360)
    assert refused.value.code == "ALL_IN_UNDEFINED"
    with pytest.raises(InvalidInput) as refused:
        effective_ppm(charges, cash, days)
    assert refused.value.code == "ALL_IN_UNDEFINED"


def test_charges_that_give_back_more_than_the_cash_have_no_effective_rate() -> None:
    with pytest.raises(InvalidInput) as refused:
        effective_ppm(-100, 100, 90)
    assert refused.value.code == "ALL_IN_UNDEFINED"


@given(
    st.integers(0, MAX_MINOR),
    _ends,
    st.integers(0, 420),
    st.integers(0, PPM),
)
def test_an_early_repayment_splits_what_the_books_still_hold(
    total: int, end: date, paid_after: int, share: int
) -> None:
    paid_on = START + timedelta(paid_after)
    unearned, rebate, kept = early_rebate(total, START, end, paid_on, share)
    assert unearned == total - earned_to(total, START, end, paid_on - timedelta(1))
    assert rebate + kept == unearned
    assert 0 <= rebate <= unearned
    if share == PPM:
        assert kept <= 1
    if share == 0:
        assert rebate == 0


@pytest.mark.parametrize(
    ("paid_on", "share", "code"),
    [
        (START, -1, "SHARE_RANGE"),
        (START, PPM + 1, "SHARE_RANGE"),
        (START - timedelta(1), 800_000, "PAID_BEFORE_START"),
    ],
)
def test_an_impossible_early_repayment_is_refused(paid_on: date, share: int, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        early_rebate(100, START, START + timedelta(90), paid_on, share)
    assert refused.value.code == code


@pytest.mark.parametrize(("face", "net"), [(0, 1), (1, 0), (-1, 1), (1, -1)])
def test_effective_income_needs_a_face_and_a_net(face: int, net: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        earned_to_effective(face, net, START, START + timedelta(9), START)
    assert refused.value.code == "AMOUNT_RANGE"


def test_income_over_a_term_that_runs_backwards_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        earned_to(100, START, START - timedelta(1), START)
    assert refused.value.code == "TENOR_NEGATIVE"


def test_a_term_of_no_days_is_earned_as_it_is_made() -> None:
    assert earned_to(100, START, START, START - timedelta(1)) == 0
    assert earned_to(100, START, START, START) == 100


def test_percentages_are_exact() -> None:
    assert percent_to_fraction("3.45") == Fraction(345, 10_000)
    assert ppm_to_fraction(100) == Fraction(1, 10_000)
