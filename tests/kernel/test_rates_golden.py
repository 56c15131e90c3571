"""The figures of the finance reference, to the cent: goldens 1, 2, 3, 6, 9, 13 and rounding."""

import itertools
from datetime import date, timedelta
from fractions import Fraction

import pytest

from scf.kernel.calendar import BusinessCalendar, Roll
from scf.kernel.daycount import DayCount
from scf.kernel.money import allocate, format_minor, parse_minor
from scf.kernel.rates import (
    Rebate,
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
from tests.kernel.calendars import load_calendar

FACE = 100_000_000  # 1,000,000.00
RATE = percent_to_fraction("3.45") + percent_to_fraction("1.20")
START, END = date(2026, 3, 10), date(2026, 6, 8)
DISCOUNT = 1_162_500  # 11,625.00


def euros(minor: int) -> str:
    return format_minor(minor, "EUR")


@pytest.fixture(scope="module")
def target() -> BusinessCalendar:
    return load_calendar("target")


# --- Convention (a) ---------------------------------------------------------------------------


def test_a_tie_is_rounded_away_from_zero() -> None:
    # 1,000.00 at 4.65 % for 90 days /360 = 11.625
    assert euros(interest(100_000, RATE, START, END, DayCount.ACT_360)) == "11.63"
    assert euros(interest(-100_000, RATE, START, END, DayCount.ACT_360)) == "-11.63"


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("1/2", 1), ("-1/2", -1), ("3/2", 2), ("5/2", 3), ("-5/2", -3), ("49/100", 0), ("0", 0)],
)
def test_halves_go_away_from_zero(exact: str, rounded: int) -> None:
    assert round_half_up(Fraction(exact)) == rounded


def test_a_float_never_gets_through_the_rounding() -> None:
    with pytest.raises(TypeError):
        round_half_up(0.5)  # type: ignore[arg-type]


# --- Golden 1 ---------------------------------------------------------------------------------


def test_golden_1_straight_discount(target: BusinessCalendar) -> None:
    assert (START.strftime("%a"), date(2026, 6, 6).strftime("%a")) == ("Tue", "Sat")
    assert target.roll(date(2026, 6, 6), Roll.FOLLOWING) == END
    assert DayCount.ACT_360.days(START, END) == 90
    kept = discount(FACE, RATE, START, END, DayCount.ACT_360)
    assert euros(kept) == "11625.00"
    assert euros(FACE - kept) == "988375.00"
    assert euros(discount(FACE, RATE, START, END, DayCount.ACT_365F)) == "11465.75"
    assert euros(discount(FACE, RATE, START, END, DayCount.ACT_360, "proceeds")) == "11491.41"
    unrolled = target.roll(date(2026, 6, 6), Roll.UNROLLED)
    assert DayCount.ACT_360.days(START, unrolled) == 88
    assert euros(discount(FACE, RATE, START, unrolled, DayCount.ACT_360)) == "11366.67"


@pytest.mark.parametrize(
    ("rule", "due", "days", "kept"),
    [
        (Roll.FOLLOWING, date(2026, 11, 2), 91, "11754.17"),
        (Roll.MODIFIED_FOLLOWING, date(2026, 10, 30), 88, "11366.67"),
    ],
)
def test_golden_1_month_end(
    target: BusinessCalendar, rule: Roll, due: date, days: int, kept: str
) -> None:
    start = date(2026, 8, 3)
    assert target.roll(date(2026, 10, 31), rule) == due
    assert DayCount.ACT_360.days(start, due) == days
    assert euros(discount(FACE, RATE, start, due, DayCount.ACT_360)) == kept


def test_golden_1_all_in() -> None:
    assert all_in_ppm(DISCOUNT, FACE - DISCOUNT, 90, 360) == 47_047  # 4.70 %
    assert effective_ppm(DISCOUNT, FACE - DISCOUNT, 90) == 48_564  # 4.86 %


# --- Golden 2 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("close", "straight", "effective"),
    [
        (date(2026, 3, 30), "2712.50", "2700.35"),
        (date(2026, 3, 31), "2841.67", "2829.13"),
        (date(2026, 6, 7), "11625.00", "11625.00"),
        (date(2026, 6, 30), "11625.00", "11625.00"),
        (date(2026, 3, 9), "0.00", "0.00"),
    ],
)
def test_golden_2_income(close: date, straight: str, effective: str) -> None:
    assert euros(earned_to(DISCOUNT, START, END, close)) == straight
    assert euros(earned_to_effective(FACE, FACE - DISCOUNT, START, END, close)) == effective


def test_golden_2_first_three_entries() -> None:
    closes = [START + timedelta(days=k) for k in range(-1, 3)]
    earned = [earned_to(DISCOUNT, START, END, close) for close in closes]
    entries = [euros(b - a) for a, b in itertools.pairwise(earned)]
    assert entries == ["129.17", "129.16", "129.17"]


# --- Golden 3: the arithmetic -----------------------------------------------------------------


def test_golden_3_factoring_figures() -> None:
    start = date(2026, 1, 5)
    cost = interest(
        42_500_000,
        percent_to_fraction("6.2"),
        start,
        start + timedelta(days=75),
        DayCount.ACT_360,
    )
    assert euros(cost) == "5489.58"
    assert euros(48_800_000 - 42_500_000 - cost) == "57510.42"
    fee = round_half_up(50_000_000 * ppm_to_fraction(8_000))
    assert euros(42_500_000 - fee) == "421000.00"
    assert all_in_ppm(fee + cost, 42_100_000, 75, 360) == 108_195  # 10.82 %
    assert effective_ppm(fee + cost, 42_100_000, 75) == 114_582  # 11.46 %
    tax = round_half_up(fee * percent_to_fraction("6"))
    assert (euros(tax), euros(42_100_000 - tax)) == ("240.00", "420760.00")
    assert all_in_ppm(fee + tax + cost, 42_100_000 - tax, 75, 360) == 110_994  # 11.10 %


# --- Golden 6 ---------------------------------------------------------------------------------


def test_golden_6_early_repayment() -> None:
    rebate = early_rebate(DISCOUNT, START, END, date(2026, 5, 19), 800_000)
    assert (END - date(2026, 5, 19)).days == 20
    assert [euros(part) for part in rebate] == ["2583.33", "2066.67", "516.66"]


def test_an_early_repayment_on_or_after_the_due_date_gives_nothing_back() -> None:
    assert early_rebate(DISCOUNT, START, END, END, 800_000) == Rebate(0, 0, 0)
    assert early_rebate(DISCOUNT, START, END, END + timedelta(days=3), 800_000) == Rebate(0, 0, 0)


def test_an_early_repayment_on_the_day_of_the_pay_out_leaves_all_unearned() -> None:
    assert early_rebate(DISCOUNT, START, END, START, 1_000_000) == Rebate(DISCOUNT, DISCOUNT, 0)


# --- Golden 9: the arithmetic -----------------------------------------------------------------


def test_golden_9_dynamic_discount() -> None:
    start = date(2026, 3, 10)
    end = start + timedelta(days=90)
    kept = discount(FACE, percent_to_fraction("8"), start, end, DayCount.ACT_365F)
    assert euros(kept) == "19726.03"
    assert all_in_ppm(kept, FACE - kept, 90, 365) == 81_610  # 8.16 %


def test_golden_9_two_ten_net_thirty() -> None:
    assert all_in_ppm(2, 98, 20, 365) == 372_449  # 37.24 %
    assert effective_ppm(2, 98, 20) == 445_853  # 44.59 %


# --- Golden 13 --------------------------------------------------------------------------------


def test_golden_13_allocate() -> None:
    thirds = allocate(parse_minor("100.00", "EUR"), [1, 1, 1])
    assert [euros(part) for part in thirds] == ["33.33", "33.33", "33.34"]
    assert [euros(part) for part in allocate(5, [50, 30, 20])] == ["0.02", "0.02", "0.01"]


# --- Defects seen elsewhere -------------------------------------------------------------------


def test_a_daily_rate_is_never_rounded_before_use() -> None:
    start = date(2026, 3, 10)
    end = start + timedelta(days=90)
    cost = interest(1_000_000_000, percent_to_fraction("5"), start, end, DayCount.ACT_365F)
    assert euros(cost) == "123287.67"
    assert euros(cost) not in {"123300.00", "123291.00"}
