"""Business days: golden 1's dates, shipped calendars against QuantLib's, and the files."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scf.kernel.calendar import BusinessCalendar, JointCalendar, Roll
from scf.kernel.errors import InvalidInput
from tests.kernel.calendars import FOLDER, load_calendar
from tests.kernel.quantlib import ql, to_ql

SHIPPED = sorted(path.stem for path in FOLDER.glob("*.toml"))
CALENDARS = {name: load_calendar(name) for name in SHIPPED}

# name → QuantLib's calendar, and the years both know: China's list is published a year ahead,
# and the library's make-up days are complete from 2008.
ORACLES: dict[str, tuple[Any, int, int]] = {
    "au": (ql.Australia(), 2013, 2025),  # from 2026 QuantLib lacks New South Wales' Anzac Monday
    "cn": (ql.China(ql.China.IB), 2008, 2026),
    "cz": (ql.CzechRepublic(), 2016, 2050),
    "jp": (ql.Japan(), 2007, 2050),
    "kr": (ql.SouthKorea(ql.SouthKorea.Settlement), 2018, 2024),  # elections: a year ahead
    "pl": (ql.Poland(), 2019, 2024),  # since 2025 Christmas Eve, which QuantLib does not know
    "se": (ql.Sweden(), 2005, 2050),
    "target": (ql.TARGET(), 2002, 2050),
    "uk": (ql.UnitedKingdom(ql.UnitedKingdom.Settlement), 2002, 2050),
    "us": (ql.UnitedStates(ql.UnitedStates.FederalReserve), 2002, 2050),
}
_ROLLS = {
    Roll.FOLLOWING: ql.Following,
    Roll.MODIFIED_FOLLOWING: ql.ModifiedFollowing,
    Roll.PRECEDING: ql.Preceding,
    Roll.UNROLLED: ql.Unadjusted,
}


def _py(day: Any) -> date:  # noqa: ANN401 - QuantLib ships no types
    return date(day.year(), day.month(), day.dayOfMonth())


def _days(first: int, last: int) -> list[date]:
    start = date(first, 1, 1)
    return [start + timedelta(days=n) for n in range((date(last + 1, 1, 1) - start).days)]


def test_every_shipped_calendar_has_an_oracle() -> None:
    assert set(ORACLES) == set(SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
def test_golden_1_weekends_roll(name: str) -> None:
    shipped = CALENDARS[name]
    monday = date(2026, 6, 9 if name == "au" else 8)  # the King's birthday in Sydney
    assert shipped.roll(date(2026, 6, 6), Roll.FOLLOWING) == monday
    assert shipped.roll(date(2026, 10, 31), Roll.FOLLOWING) == date(2026, 11, 2)
    assert shipped.roll(date(2026, 10, 31), Roll.MODIFIED_FOLLOWING) == date(2026, 10, 30)
    assert shipped.roll(date(2026, 10, 31), Roll.PRECEDING) == date(2026, 10, 30)
    assert shipped.roll(date(2026, 10, 31), Roll.UNROLLED) == date(2026, 10, 31)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_day_differs_from_the_oracle(name: str) -> None:
    oracle, first, last = ORACLES[name]
    shipped = CALENDARS[name]
    wrong = [
        day
        for day in _days(first, last)
        if shipped.is_business_day(day) != oracle.isBusinessDay(to_ql(day))
    ]
    assert wrong == []


@pytest.mark.parametrize("name", SHIPPED)
def test_rolls_and_steps_agree_with_the_oracle(name: str) -> None:
    oracle, _, _ = ORACLES[name]
    shipped = CALENDARS[name]
    for day in _days(2022, 2023):  # with the days ahead, known of every country
        for rule, theirs in _ROLLS.items():
            assert shipped.roll(day, rule) == _py(oracle.adjust(to_ql(day), theirs)), (day, rule)
        for n in (-7, -1, 0, 1, 2, 5):
            ahead = _py(oracle.advance(to_ql(day), n, ql.Days))
            assert shipped.add_business_days(day, n) == ahead, (day, n)


def test_china_works_on_the_weekends_that_make_up_for_holidays() -> None:
    assert CALENDARS["cn"].is_business_day(date(2026, 2, 14))  # a Saturday
    assert not CALENDARS["cn"].is_business_day(date(2026, 2, 20))  # a Friday
    assert not CALENDARS["target"].is_business_day(date(2026, 2, 14))


def test_the_easter_closing_days_of_target() -> None:
    assert CALENDARS["target"].roll(date(2026, 4, 3), Roll.FOLLOWING) == date(2026, 4, 7)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.sampled_from(SHIPPED))
def test_a_rolled_date_is_a_business_day_and_rolling_twice_changes_nothing(
    day: date, name: str
) -> None:
    shipped = CALENDARS[name]
    for rule in (Roll.FOLLOWING, Roll.MODIFIED_FOLLOWING, Roll.PRECEDING):
        rolled = shipped.roll(day, rule)
        assert shipped.is_business_day(rolled)
        assert shipped.roll(rolled, rule) == rolled
    assert shipped.roll(day, Roll.MODIFIED_FOLLOWING).month == day.month


# --- Explicit dates and files -----------------------------------------------------------------


def test_an_explicit_date_wins_over_the_library() -> None:
    own = BusinessCalendar.from_mapping(
        "own",
        {
            "market": "XECB",
            "holidays": [date(2026, 6, 8), date(2026, 6, 9)],
            "workdays": [date(2026, 6, 9), date(2026, 12, 25), date(2026, 6, 6)],
        },
    )
    assert not own.is_business_day(date(2026, 6, 8))
    assert own.is_business_day(date(2026, 6, 9))
    assert own.is_business_day(date(2026, 12, 25))
    assert own.is_business_day(date(2026, 6, 6))


def test_the_weekend_is_where_the_calendar_says() -> None:
    own = BusinessCalendar.from_mapping("gulf", {"weekend": ["fri", "sat"]})
    assert not own.is_business_day(date(2026, 6, 5))
    assert own.is_business_day(date(2026, 6, 7))


@pytest.mark.parametrize(
    "data",
    [
        {"holiday": []},
        {"weekend": "sun"},
        {"weekend": ["sunday"]},
        {"weekend": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]},
        {"country": "CN", "market": "XECB"},
        {"country": "ATLANTIS"},
        {"market": "NOWHERE"},
        {"country": 86},
        {"country": "GB", "subdivision": "XXX"},
        {"makeup_workdays": "yes"},
        {"holidays": ["2026-06-08"]},
        {"holidays": date(2026, 6, 8)},
        {"workdays": [datetime(2026, 6, 8, tzinfo=UTC)]},
    ],
)
def test_a_calendar_file_that_cannot_be_read_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        BusinessCalendar.from_mapping("own", data).is_business_day(date(2026, 6, 8))
    assert refused.value.code == "CALENDAR_CONFIG"


@pytest.mark.parametrize("day", [date.max, date.min, date(2200, 1, 1), date(1969, 12, 31)])
def test_a_date_that_no_calendar_reaches_is_refused(day: date) -> None:
    for act in (
        lambda: CALENDARS["target"].roll(day, Roll.FOLLOWING),
        lambda: CALENDARS["target"].is_business_day(day),
    ):
        with pytest.raises(InvalidInput) as refused:
            act()
        assert refused.value.code == "DATE_RANGE"


def test_a_payment_across_calendars_waits_until_all_are_open() -> None:
    both = JointCalendar([CALENDARS["target"], CALENDARS["cn"]])
    # Golden Week 2026: 1 to 8 October; Easter closes TARGET on 3 and 6 April, Qingming China.
    assert both.roll(date(2026, 10, 1), Roll.FOLLOWING) == date(2026, 10, 8)
    assert both.roll(date(2026, 4, 3), Roll.FOLLOWING) == date(2026, 4, 7)
    # A weekend that China works is none for the euro.
    assert CALENDARS["cn"].is_business_day(date(2026, 10, 10))
    assert not both.is_business_day(date(2026, 10, 10))
