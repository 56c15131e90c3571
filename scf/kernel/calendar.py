"""Business days, the roll of a due date, and the date that an instant has in a zone."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scf.kernel.clock import in_utc
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown

if TYPE_CHECKING:
    from holidays import HolidayBase

_DAY: Final = timedelta(days=1)
_SATURDAY_SUNDAY: Final = frozenset({5, 6})
_WEEK: Final = 7
# Nobody publishes holidays outside these years; 9999-12-31 in a document means "never".
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_KEYS: Final = frozenset(
    {
        "title",
        "weekend",
        "country",
        "subdivision",
        "market",
        "category",
        "currencies",
        "countries",
        "makeup_workdays",
        "holidays",
        "workdays",
    }
)
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Roll(StrEnum):
    """Where a date goes that is no business day."""

    FOLLOWING = "FOLLOWING"
    MODIFIED_FOLLOWING = "MODIFIED_FOLLOWING"
    PRECEDING = "PRECEDING"
    UNROLLED = "UNROLLED"


class BusinessCalendar:
    """The days on which money moves in one place or payment system.

    Weekends, the public holidays of a country (or the closing days of a market such as TARGET)
    and explicit dates on top. An explicit date wins over the library, and a workday over a
    holiday. With ``makeup_workdays`` a weekend day that the state has made a working day, as in
    China, is a business day. ``category`` adds holidays of a kind that the library keeps apart
    from the public ones, such as those of banks. ``currencies`` settle by this calendar, and the
    banks of ``countries`` are open by it.
    """

    def __init__(  # noqa: PLR0913 - each a key of a calendar's file
        self,
        name: str,
        *,
        weekend: Iterable[int] = _SATURDAY_SUNDAY,
        country: str = "",
        subdivision: str = "",
        market: str = "",
        category: str = "",
        currencies: Iterable[str] = (),
        countries: Iterable[str] = (),
        makeup_workdays: bool = False,
        holidays: Iterable[date] = (),
        workdays: Iterable[date] = (),
    ) -> None:
        self.name = name
        self._weekend = frozenset(weekend)
        if len(self._weekend & set(range(_WEEK))) == _WEEK:
            raise _bad_config(name, "every day of the week is weekend")
        self._makeup = makeup_workdays
        self._extra = frozenset(holidays)
        self._workdays = frozenset(workdays)
        self.currencies = frozenset(currencies)
        self.countries = frozenset(countries)
        self._public = _public_holidays(name, country, subdivision, market, category)
        self._years: dict[int, tuple[frozenset[date], frozenset[date]]] = {}

    @classmethod
    def from_mapping(cls, name: str, data: Mapping[str, object]) -> "BusinessCalendar":
        """Return the calendar that a file under ``config/calendars`` describes.

        Raises
        ------
        InvalidInput
            CALENDAR_CONFIG, naming what cannot be read.
        """
        unknown = sorted(set(data) - _KEYS)
        if unknown:
            raise _bad_config(name, f"unknown key {', '.join(unknown)}")
        weekend = data.get("weekend", ["sat", "sun"])
        if not isinstance(weekend, list) or not all(day in _WEEKDAYS for day in weekend):
            raise _bad_config(name, f"weekend is a list of {', '.join(_WEEKDAYS)}")
        makeup = data.get("makeup_workdays", False)
        if not isinstance(makeup, bool):
            raise _bad_config(name, "makeup_workdays is true or false")
        return cls(
            name,
            weekend=[_WEEKDAYS.index(day) for day in weekend],
            country=_word(name, data, "country"),
            subdivision=_word(name, data, "subdivision"),
            market=_word(name, data, "market"),
            category=_word(name, data, "category"),
            currencies=_words(name, data, "currencies"),
            countries=_words(name, data, "countries"),
            makeup_workdays=makeup,
            holidays=_dates(name, data, "holidays"),
            workdays=_dates(name, data, "workdays"),
        )

    def __repr__(self) -> str:
        return f"BusinessCalendar({self.name!r})"

    def is_business_day(self, day: date) -> bool:
        """Tell whether money moves on this day.

        Raises
        ------
        InvalidInput
            DATE_RANGE, for a year for which nobody knows the holidays; CALENDAR_CONFIG, when
            the library does not know the place that the calendar names.
        """
        if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
            raise InvalidInput(
                "DATE_RANGE",
                "No calendar reaches %(day)s; the years %(first)s to %(last)s are known.",
                day=day.isoformat(),
                first=_FIRST_YEAR,
                last=_LAST_YEAR,
            )
        if day in self._workdays:
            return True
        if day in self._extra:
            return False
        closed, makeup = self._year(day.year)
        if day.weekday() in self._weekend:
            return day in makeup
        return day not in closed

    def _year(self, year: int) -> tuple[frozenset[date], frozenset[date]]:
        """Return the year's public holidays and make-up workdays, worked out once."""
        known = self._years.get(year)
        if known is None:
            if self._public is None:
                known = frozenset(), frozenset()
            else:
                made = self._public(year)
                makeup = frozenset(made.weekend_workdays) if self._makeup else frozenset[date]()
                known = frozenset(made), makeup
            self._years[year] = known
        return known

    def roll(self, day: date, rule: Roll) -> date:
        """Return the business day on which what falls on this day is done.

        MODIFIED FOLLOWING goes back instead of forward where forward would leave the month.
        """
        if rule is Roll.UNROLLED:
            return day
        if rule is Roll.PRECEDING:
            return self._step(day, -_DAY)
        rolled = self._step(day, _DAY)
        if rule is Roll.MODIFIED_FOLLOWING and rolled.month != day.month:
            return self._step(day, -_DAY)
        return rolled

    def _step(self, day: date, step: timedelta) -> date:
        while not self.is_business_day(day):
            day += step
        return day

    def add_business_days(self, day: date, n: int) -> date:
        """Return the n-th business day after the day (before it, where n is below zero).

        With n of zero: the day itself, or the next business day.
        """
        if n == 0:
            return self._step(day, _DAY)
        step = _DAY if n > 0 else -_DAY
        for _ in range(abs(n)):
            day = self._step(day + step, step)
        return day


class JointCalendar(BusinessCalendar):
    """The days on which all of several calendars are open: a payment that crosses them moves."""

    def __init__(self, members: Iterable[BusinessCalendar]) -> None:
        self._members = tuple(members)
        super().__init__("+".join(one.name for one in self._members))

    def is_business_day(self, day: date) -> bool:
        """Tell whether every one of the calendars is open on this day."""
        return all(one.is_business_day(day) for one in self._members)


# --- Reading a calendar file ------------------------------------------------------------------


def _bad_config(name: str, reason: str) -> InvalidInput:
    return InvalidInput(
        "CALENDAR_CONFIG", "Calendar %(calendar)s: %(reason)s.", calendar=name, reason=reason
    )


def _word(name: str, data: Mapping[str, object], key: str) -> str:
    value = data.get(key, "")
    if not isinstance(value, str):
        raise _bad_config(name, f"{key} is a text")
    return value


def _words(name: str, data: Mapping[str, object], key: str) -> list[str]:
    value = data.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise _bad_config(name, f"{key} is a list of codes")
    return value


def _dates(name: str, data: Mapping[str, object], key: str) -> list[date]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise _bad_config(name, f"{key} is a list of dates")
    # TOML also knows instants, which are dates to Python.
    if not all(isinstance(day, date) and not isinstance(day, datetime) for day in value):
        raise _bad_config(name, f"{key} holds something that is no date")
    return value


class _PublicHolidays:
    """The library's holidays of one country or market, a year at a time.

    The library is imported at the first question, not at start: it takes most of a second, and
    most commands never ask.
    """

    def __init__(
        self, name: str, code: str, subdivision: str, category: str, *, is_market: bool
    ) -> None:
        self._name, self._code, self._subdivision = name, code, subdivision
        self._categories = ("public", category) if category else None
        self._is_market = is_market

    def __call__(self, year: int) -> "HolidayBase":
        import holidays

        make = holidays.financial_holidays if self._is_market else holidays.country_holidays
        try:
            return make(
                self._code,
                self._subdivision or None,
                years=year,
                expand=False,
                categories=self._categories,
            )
        # how the library says that it knows no such place, or no such category of a place
        except (NotImplementedError, ValueError):
            place = f"{self._code} {self._subdivision}".strip()
            raise _bad_config(self._name, f"no holidays are known for {place}") from None


def _public_holidays(
    name: str, country: str, subdivision: str, market: str, category: str
) -> _PublicHolidays | None:
    if country and market:
        raise _bad_config(name, "country and market exclude each other")
    if not country and not market:
        return None
    return _PublicHolidays(name, country or market, subdivision, category, is_market=bool(market))


# --- Dates in a zone --------------------------------------------------------------------------


def zone(name: str) -> ZoneInfo:
    """Return the time zone of this IANA name.

    Raises
    ------
    InvalidInput
        TIME_ZONE, when there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput("TIME_ZONE", "%(zone)s is no time zone.", zone=shown(name, 60)) from None


def local_date(at: datetime, place: ZoneInfo) -> date:
    """Return the date that the instant has in the zone: the day that a deadline speaks of."""
    return in_utc(at).astimezone(place).date()


def instant_of(day: date, at: time, place: ZoneInfo) -> datetime:
    """Return the instant, in UTC, at which the clocks of the zone show this time on this day.

    Shown twice (clocks go back): the first. Never shown (clocks go forward): as long after the
    jump as the time lies after its start, so a cut-off never vanishes.
    """
    return datetime.combine(day, at.replace(tzinfo=None, fold=0), place).astimezone(UTC)
