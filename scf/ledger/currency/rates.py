"""Published rates as exact numbers, and which of them a day goes by."""

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import Money, exponent
from scf.kernel.rounding import round_half_up

_MAX_TEXT: Final = 24
_RATE: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")


@dataclass(frozen=True, slots=True)
class Published:
    """One unit of ``base`` is ``rate`` units of ``quote`` by the publication of ``fixed_on``."""

    base: str
    quote: str
    fixed_on: dt.date
    rate: Fraction


@dataclass(frozen=True, slots=True)
class DayRate:
    """Units of the book's currency for one unit of another, and the day it was published for."""

    ratio: Fraction
    fixed_on: dt.date


def parse_rate(text: str) -> str:
    """Return a published exchange rate as it was published, every digit kept: "1.0870".

    Raises
    ------
    InvalidInput
        RATE_FORMAT; RATE_RANGE for zero.
    """
    value = shown(text, _MAX_TEXT)
    if len(text) > _MAX_TEXT or _RATE.fullmatch(text) is None:
        raise InvalidInput(
            "RATE_FORMAT", '"%(value)s" is not an exchange rate such as 1.0876.', value=value
        )
    if Fraction(text) == 0:
        raise InvalidInput("RATE_RANGE", "An exchange rate is above zero.", value=value)
    return text


def convert(minor: int, currency: str, to: str, ratio: Fraction) -> int:
    """Return an amount in another currency, rounded half up once, in minor units of ``to``.

    ``ratio`` is units (not minor units) of ``to`` for one unit of ``currency``.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE beyond what an amount may be.
    """
    scale = Fraction(10 ** exponent(to), 10 ** exponent(currency))
    return Money(round_half_up(minor * ratio * scale), to).minor


class Rates:
    """What one unit of any currency is worth in the book's, by day.

    A pair is taken as it was published, or the other way round, or through the one currency of
    which the same day's publication quotes both (ECB: the euro). A day without a publication goes
    by the last one before it, unless that is more than ``max_age_days`` old.
    """

    def __init__(self, published: Iterable[Published], currency: str, max_age_days: int) -> None:
        self.currency = currency
        self.max_age_days = max_age_days
        self._by_day: dict[dt.date, dict[tuple[str, str], Fraction]] = {}
        for one in published:
            self._by_day.setdefault(one.fixed_on, {})[one.base, one.quote] = one.rate
        self._days = sorted(self._by_day)
        self._of: dict[str, tuple[list[dt.date], list[Fraction]]] = {}

    def of(self, currency: str, on: dt.date) -> DayRate | None:
        """Return the rate that a day goes by, or nothing where none is young enough."""
        if currency == self.currency:
            return DayRate(Fraction(1), on)
        if currency not in self._of:
            found = [(day, self._on(currency, day)) for day in self._days]
            known = [(day, ratio) for day, ratio in found if ratio is not None]
            self._of[currency] = ([day for day, _ in known], [ratio for _, ratio in known])
        days, ratios = self._of[currency]
        place = bisect_right(days, on) - 1
        if place < 0 or (on - days[place]).days > self.max_age_days:
            return None
        return DayRate(ratios[place], days[place])

    def _on(self, currency: str, day: dt.date) -> Fraction | None:
        pairs = self._by_day[day]
        direct = _between(pairs, currency, self.currency)
        if direct is not None:
            return direct
        for pivot in sorted({code for pair in pairs for code in pair}):
            first = _between(pairs, currency, pivot)
            second = _between(pairs, pivot, self.currency)
            if first is not None and second is not None:
                return first * second
        return None


def _between(pairs: dict[tuple[str, str], Fraction], currency: str, other: str) -> Fraction | None:
    if (currency, other) in pairs:
        return pairs[currency, other]
    if (other, currency) in pairs:
        return 1 / pairs[other, currency]
    return None
