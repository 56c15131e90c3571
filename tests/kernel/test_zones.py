"""Dates in zones: no day is off by one, over three years in twelve zones, DST and ±14 hours."""

import itertools
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from dateutil import tz  # type: ignore[import-untyped,unused-ignore]

from scf.kernel.calendar import instant_of, local_date, zone
from scf.kernel.errors import InvalidInput

ZONES = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/Santiago",  # clocks jump at midnight
    "Africa/Cairo",  # at midnight too
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour of summer time
    "Pacific/Kiritimati",  # UTC+14
    "Etc/GMT+12",  # UTC-12
]
DAYS = [date(2025, 1, 1) + timedelta(days=n) for n in range(3 * 365)]
TIMES = [time(0), time(0, 30), time(1, 30), time(2, 30), time(12), time(23, 30), time(23, 59, 59)]


@pytest.mark.parametrize("name", ZONES)
def test_no_local_date_is_off_by_one(name: str) -> None:
    place, oracle = zone(name), tz.gettz(name)
    at = datetime(2025, 1, 1, tzinfo=UTC)
    while at < datetime(2028, 1, 1, tzinfo=UTC):
        for instant in (at, at - timedelta(seconds=1)):
            assert local_date(instant, place) == instant.astimezone(oracle).date()
        at += timedelta(minutes=30)


@pytest.mark.parametrize("name", ZONES)
def test_every_time_of_every_day_lies_on_that_day(name: str) -> None:
    place = zone(name)
    for day, at in itertools.product(DAYS, TIMES):
        instant = instant_of(day, at, place)
        assert instant.tzinfo is UTC
        assert local_date(instant, place) == day


@pytest.mark.parametrize("name", ZONES)
def test_days_begin_one_after_the_other(name: str) -> None:
    place = zone(name)
    starts = [instant_of(day, time(0), place) for day in DAYS]
    lengths = {b - a for a, b in itertools.pairwise(starts)}
    assert min(lengths) >= timedelta(hours=23)
    assert max(lengths) <= timedelta(hours=25)


def test_a_cut_off_in_the_hour_that_does_not_exist_comes_after_the_jump() -> None:
    berlin = zone("Europe/Berlin")
    cut_off = instant_of(date(2026, 3, 29), time(2, 30), berlin)
    assert cut_off.astimezone(berlin).time() == time(3, 30)


def test_a_cut_off_in_the_hour_that_comes_twice_is_the_first() -> None:
    berlin = zone("Europe/Berlin")
    first = instant_of(date(2026, 10, 25), time(2, 30), berlin)
    assert first == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    second = datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=1)
    # Python calls the two readings of one zone equal; in UTC an hour lies between them
    assert second == first.astimezone(berlin).replace(fold=1)
    assert second.astimezone(UTC) - first == timedelta(hours=1)


def test_the_same_instant_is_two_days_apart_at_the_ends_of_the_world() -> None:
    at = datetime(2026, 6, 8, 11, 0, tzinfo=UTC)
    assert local_date(at, zone("Pacific/Kiritimati")) == date(2026, 6, 9)
    assert local_date(at, zone("Etc/GMT+12")) == date(2026, 6, 7)


def test_an_instant_may_come_in_any_offset() -> None:
    at = datetime(2026, 6, 8, 1, 0, tzinfo=timezone(timedelta(hours=9)))
    assert local_date(at, ZoneInfo("UTC")) == date(2026, 6, 7)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        local_date(datetime(2026, 6, 8), ZoneInfo("UTC"))  # noqa: DTZ001 - the point
    assert refused.value.code == "INSTANT_NAIVE"


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "a\0b", "UTC\n", "Europe"]
)
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        zone(name)
    assert refused.value.code == "TIME_ZONE"
