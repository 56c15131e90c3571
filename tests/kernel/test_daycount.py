"""Day counts: golden 8, and thousands of date pairs against QuantLib.

QuantLib's names, as its source defines them: ``Thirty360.BondBasis`` is 30/360 of ISDA 2006
4.16(f), without a February rule; ``European`` is 30E/360, 4.16(g); ``USA`` is 30U/360, the bond
basis with the end of February. Its "ISDA" and "German" rules (30E/360 with February) are none
of ours. ``ActualActual.ISDA`` is ACT/ACT, 4.16(b).
"""

import calendar
import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from scf.kernel.daycount import DayCount
from scf.kernel.errors import InvalidInput
from scf.kernel.money import format_minor
from scf.kernel.rates import interest, percent_to_fraction
from tests.kernel.quantlib import ql, to_ql

FACE = 100_000_000
FIVE = percent_to_fraction("5")

ORACLES: dict[DayCount, Any] = {
    DayCount.ACT_360: ql.Actual360(),
    DayCount.ACT_365F: ql.Actual365Fixed(),
    DayCount.ACT_ACT_ISDA: ql.ActualActual(ql.ActualActual.ISDA),
    DayCount.THIRTY_360: ql.Thirty360(ql.Thirty360.BondBasis),
    DayCount.THIRTY_E_360: ql.Thirty360(ql.Thirty360.European),
    DayCount.THIRTY_U_360: ql.Thirty360(ql.Thirty360.USA),
}


@pytest.mark.parametrize(
    ("start", "end", "day_count", "days", "cost"),
    [
        (date(2027, 1, 31), date(2027, 4, 30), DayCount.ACT_360, 89, "12361.11"),
        (date(2027, 1, 31), date(2027, 4, 30), DayCount.ACT_365F, 89, "12191.78"),
        (date(2027, 1, 31), date(2027, 4, 30), DayCount.THIRTY_360, 90, "12500.00"),
        (date(2027, 1, 31), date(2027, 4, 30), DayCount.THIRTY_E_360, 90, "12500.00"),
        (date(2027, 1, 31), date(2027, 4, 30), DayCount.THIRTY_U_360, 90, "12500.00"),
        (date(2028, 2, 29), date(2028, 5, 31), DayCount.ACT_360, 92, "12777.78"),
        (date(2028, 2, 29), date(2028, 5, 31), DayCount.THIRTY_360, 92, "12777.78"),
        (date(2028, 2, 29), date(2028, 5, 31), DayCount.THIRTY_E_360, 91, "12638.89"),
        (date(2028, 2, 29), date(2028, 5, 31), DayCount.THIRTY_U_360, 90, "12500.00"),
        (date(2027, 12, 1), date(2028, 3, 1), DayCount.ACT_ACT_ISDA, 91, "12443.30"),
        (date(2027, 12, 1), date(2028, 3, 1), DayCount.ACT_360, 91, "12638.89"),
        (date(2027, 12, 1), date(2028, 3, 1), DayCount.ACT_365F, 91, "12465.75"),
    ],
)
def test_golden_8(start: date, end: date, day_count: DayCount, days: int, cost: str) -> None:
    assert day_count.days(start, end) == days
    assert format_minor(interest(FACE, FIVE, start, end, day_count), "EUR") == cost


def _pairs() -> list[tuple[date, date]]:
    """Date pairs: every month end and February against its neighbours, then random ones."""
    edges = [
        date(year, month, day)
        for year in (2027, 2028)
        for month in (1, 2, 3, 4, 12)
        for day in (1, 28, 29, 30, 31)
        if day <= calendar.monthrange(year, month)[1]
    ]
    pairs = [(a, b) for a in edges for b in edges if a <= b]
    dice = random.Random(20260310)
    first = date(1990, 1, 1).toordinal()
    for _ in range(1_500):
        start = date.fromordinal(first + dice.randrange(30_000))
        pairs.append((start, start + timedelta(days=dice.randrange(1_200))))
    return pairs


PAIRS = _pairs()


def test_there_are_at_least_five_thousand_vectors() -> None:
    assert len(PAIRS) * len(ORACLES) >= 5_000


@pytest.mark.parametrize("day_count", DayCount)
def test_no_vector_differs_from_the_oracle_by_a_cent(day_count: DayCount) -> None:
    oracle = ORACLES[day_count]
    wrong = []
    for start, end in PAIRS:
        days = oracle.dayCount(to_ql(start), to_ql(end))
        if day_count is DayCount.ACT_ACT_ISDA:
            years = Decimal(oracle.yearFraction(to_ql(start), to_ql(end)))
        else:
            years = Decimal(days) / day_count.basis
        cents = int((FACE * Decimal("0.05") * years).quantize(Decimal(1), ROUND_HALF_UP))
        ours = day_count.days(start, end), interest(FACE, FIVE, start, end, day_count)
        if ours != (days, cents):
            wrong.append((start, end, ours, days, cents))
    assert wrong == []


@pytest.mark.parametrize("day_count", DayCount)
def test_the_same_day_is_no_time(day_count: DayCount) -> None:
    for start, _ in PAIRS:
        assert day_count.fraction(start, start) == 0


@pytest.mark.parametrize("day_count", DayCount)
def test_an_end_before_the_start_is_refused(day_count: DayCount) -> None:
    for ask in (day_count.days, day_count.fraction):
        with pytest.raises(InvalidInput) as refused:
            ask(date(2028, 3, 1), date(2028, 2, 29))
        assert refused.value.code == "TENOR_NEGATIVE"


@pytest.mark.parametrize("day_count", DayCount)
def test_time_never_runs_backwards(day_count: DayCount) -> None:
    start = date(2027, 12, 30)
    grown = [day_count.fraction(start, start + timedelta(days=n)) for n in range(800)]
    assert grown == sorted(grown)


def test_act_act_over_whole_years_is_the_number_of_years() -> None:
    fraction = DayCount.ACT_ACT_ISDA.fraction
    assert fraction(date(2023, 1, 1), date(2029, 1, 1)) == 6
    assert fraction(date(2027, 12, 1), date(2028, 3, 1)) == Fraction(31, 365) + Fraction(60, 366)
    assert fraction(date(2028, 12, 31), date(2029, 1, 1)) == Fraction(1, 366)


@pytest.mark.parametrize(
    ("day_count", "basis"),
    [
        (DayCount.ACT_360, 360),
        (DayCount.ACT_365F, 365),
        (DayCount.ACT_ACT_ISDA, 365),
        (DayCount.THIRTY_360, 360),
        (DayCount.THIRTY_E_360, 360),
        (DayCount.THIRTY_U_360, 360),
    ],
)
def test_every_convention_has_a_basis(day_count: DayCount, basis: int) -> None:
    assert day_count.basis == basis


def test_the_names_are_those_of_contracts() -> None:
    assert [str(day_count) for day_count in DayCount] == [
        "ACT/360",
        "ACT/365F",
        "ACT/ACT",
        "30/360",
        "30E/360",
        "30U/360",
    ]
