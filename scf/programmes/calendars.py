"""The business calendars that programmes name, given once by the composition root."""

from collections.abc import Mapping
from typing import ClassVar

from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import InvalidInput


class _Known:
    calendars: ClassVar[dict[str, BusinessCalendar]] = {}


def install_calendars(files: Mapping[str, Mapping[str, object]]) -> None:
    """Set the calendars of this process from the content of their files, by name."""
    _Known.calendars = {
        name: BusinessCalendar.from_mapping(name, data) for name, data in files.items()
    }


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
