"""Time: the only place that asks the machine what time it is.

Everything else is handed a clock. Instants are aware and in UTC; dates of business come from
the financier's business date, never from here.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from scf.kernel.errors import InvalidInput


class Clock(Protocol):
    """Gives the present instant, aware and in UTC."""

    def now(self) -> datetime:
        """Return the present instant."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the present instant of the machine, in UTC."""
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved, for tests and the demo world."""

    def __init__(self, at: datetime) -> None:
        self._at = in_utc(at)

    def now(self) -> datetime:
        """Return the instant at which the clock stands."""
        return self._at

    def advance(
        self,
        by: timedelta | None = None,
        *,
        days: int = 0,
        hours: int = 0,
        minutes: int = 0,
        seconds: int = 0,
    ) -> datetime:
        """Move the clock (backwards too, as real clocks jump) and return the new instant."""
        parts = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._at += (by or timedelta()) + parts
        return self._at


def in_utc(at: datetime) -> datetime:
    """Return the same instant in UTC.

    Two readings of one folded hour compare equal in their own zone though an hour lies between
    them, so instants are compared in UTC only.

    Raises
    ------
    InvalidInput
        INSTANT_NAIVE, when the instant names no zone.
    """
    if at.tzinfo is None or at.utcoffset() is None:
        raise InvalidInput(
            "INSTANT_NAIVE", "The instant %(value)s names no time zone.", value=at.isoformat()
        )
    return at.astimezone(UTC)


def unix_milliseconds() -> int:
    """Return the machine's milliseconds since 1970, for the order of ids; no rule reads it."""
    return time.time_ns() // 1_000_000
