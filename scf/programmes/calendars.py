"""The business calendars that programmes name, given once by the composition root."""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import ClassVar

from scf.kernel.calendar import BusinessCalendar, JointCalendar
from scf.kernel.errors import InvalidInput


class _Known:
    calendars: ClassVar[dict[str, BusinessCalendar]] = {}


def install_calendars(files: Mapping[str, Mapping[str, object]]) -> None:
    """Set the calendars of this process from the content of their files, by name."""
    _Known.calendars = {
        name: BusinessCalendar.from_mapping(name, data) for name, data in files.items()
    }
    _joined.cache_clear()


def calendar_of(name: str) -> BusinessCalendar:
    """Give a calendar by the name that terms use.

    Raises
    ------
    InvalidInput
        CALENDAR when nobody described such a calendar.
    """
    try:
        return _Known.calendars[name]
    except KeyError:
        raise InvalidInput(
            "CALENDAR",
            "There is no calendar %(calendar)s; known: %(known)s.",
            calendar=name,
            known=sorted(_Known.calendars),
        ) from None


def payment_calendar(own: str, currency: str, countries: Iterable[str | None]) -> BusinessCalendar:
    """Give the days on which a payment arrives: programme, currency and both banks are open.

    A country whose own money is paid adds nothing: its banks settle by the currency's calendar
    (a German bank pays euro on every TARGET day). A country that ships no calendar keeps the
    public holidays that the library knows of it, and one that it does not know its weekdays.

    Raises
    ------
    InvalidInput
        CALENDAR, when nobody described the programme's own calendar.
    """
    calendar_of(own)
    return _joined(own, currency, tuple(sorted({one for one in countries if one})))


@lru_cache(maxsize=1_000)
def _joined(own: str, currency: str, countries: tuple[str, ...]) -> BusinessCalendar:
    known = _Known.calendars.values()
    members = {own: calendar_of(own)}
    of_currency = [one for one in known if currency in one.currencies]
    members |= {one.name: one for one in of_currency}
    for country in countries:
        if any(country in one.countries for one in of_currency):
            continue
        shipped = [one for one in known if country in one.countries]
        members |= {one.name: one for one in shipped or [_of_country(country)]}
    parts = list(members.values())
    return parts[0] if len(parts) == 1 else JointCalendar(parts)


def _of_country(country: str) -> BusinessCalendar:
    calendar = BusinessCalendar(country, country=country)
    try:
        calendar.is_business_day(dt.date(2000, 1, 3))
    except InvalidInput:  # nobody publishes this country's holidays
        return BusinessCalendar(country)
    return calendar
