"""Day counts: how many days of interest lie between two dates, and which part of a year.

The start day counts, the end day does not.
"""

import calendar
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from scf.kernel.errors import InvalidInput

_MONTH: Final = 30
_FEBRUARY: Final = 2


class DayCount(StrEnum):
    """The conventions by which a year is cut, under the names that contracts use.

    Source: ISDA 2006 Definitions section 4.16: (b) ACT/ACT, (d) ACT/365F, (e) ACT/360,
    (f) 30/360, (g) 30E/360; 30U/360 is the US rule with the end of February.
    """

    ACT_360 = "ACT/360"
    ACT_365F = "ACT/365F"
    ACT_ACT_ISDA = "ACT/ACT"
    THIRTY_360 = "30/360"
    THIRTY_E_360 = "30E/360"
    THIRTY_U_360 = "30U/360"

    @property
    def basis(self) -> int:
        """Days of the year in the simple yearly rate; 365 also for ACT/ACT, whose years vary."""
        return 365 if self in (DayCount.ACT_365F, DayCount.ACT_ACT_ISDA) else 360

    def days(self, start: date, end: date) -> int:
        """Return the days of interest from start to end.

        Raises
        ------
        InvalidInput
            TENOR_NEGATIVE, when the end lies before the start.
        """
        if end < start:
            raise InvalidInput(
                "TENOR_NEGATIVE",
                "%(end)s lies before %(start)s.",
                start=start.isoformat(),
                end=end.isoformat(),
            )
        if self in (DayCount.ACT_360, DayCount.ACT_365F, DayCount.ACT_ACT_ISDA):
            return (end - start).days
        first, last = self._thirty(start, end)
        return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first

    def _thirty(self, start: date, end: date) -> tuple[int, int]:
        """Return the days of the month that a 30-day month puts in place of the real ones."""
        first, last = start.day, end.day
        if self is DayCount.THIRTY_E_360:
            return min(first, _MONTH), min(last, _MONTH)
        if self is DayCount.THIRTY_U_360 and _ends_february(start):
            last = _MONTH if _ends_february(end) else last
            first = _MONTH
        first = min(first, _MONTH)
        # The 31st becomes the 30th only after a start at the month's end.
        return first, min(last, _MONTH) if first == _MONTH else last

    def fraction(self, start: date, end: date) -> Fraction:
        """Return the part of a year from start to end, exactly; same day gives zero.

        Raises
        ------
        InvalidInput
            TENOR_NEGATIVE, when the end lies before the start.
        """
        days = self.days(start, end)
        if self is not DayCount.ACT_ACT_ISDA:
            return Fraction(days, self.basis)
        if start.year == end.year:
            return Fraction(days, _year_days(start.year))
        # Each calendar year counts over its own length; the years between are whole.
        head = (date(start.year + 1, 1, 1) - start).days
        tail = (end - date(end.year, 1, 1)).days
        between = end.year - start.year - 1
        return (
            Fraction(head, _year_days(start.year)) + between + Fraction(tail, _year_days(end.year))
        )


def _year_days(year: int) -> int:
    return 366 if calendar.isleap(year) else 365


def _ends_february(day: date) -> bool:
    return day.month == _FEBRUARY and day.day == calendar.monthrange(day.year, _FEBRUARY)[1]
