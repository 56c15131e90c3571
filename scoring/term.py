"""What a trained model says of a firm by time: twelve chances alone, and twelve with the chain.

Stored as decimals of twelve places and read as nothing else: a price worked out again on another
machine starts from the same digits, without the model's file.
"""

import dataclasses
import decimal
import functools
import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Final, Literal, Self

from scoring.hazard import YEAR_DAYS

PLACES: Final = Decimal("1e-12")
BINS: Final = 12
AFTER_DUE: Final = 90
"""Days after due by which a loss on an item has shown as a default of its obligor."""

TrainedKind = Literal["trained", "simulated"]

_BIN_DAYS: Final = 30
_MOST: Final = 1 - PLACES
_EXACT: Final = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
_LENGTHS: Final = (*(_BIN_DAYS for _ in range(BINS - 1)), YEAR_DAYS - _BIN_DAYS * (BINS - 1))


@dataclasses.dataclass(frozen=True, slots=True)
class TermStructure:
    """Probabilities of default by month, of one firm on one morning.

    Parameters
    ----------
    kind : str
        "trained" on defaults that happened, or "simulated": on a drawn chain, for a demo world.
    own : tuple of Decimal
        Twelve chances to fail in a month, given none before, were its chain as an ordinary one.
    total : tuple of Decimal
        The same with its chain as it is; in no month below `own`.

    Examples
    --------
    >>> quiet = (Decimal("0.001"),) * 3 + (Decimal("0.004"),) * 9
    >>> term = TermStructure("trained", quiet, quiet)
    >>> [round(term.total_within(days), 8) for days in (90, 95, 180, 185, 365)]
    [0.002997, 0.00366278, 0.01491324, 0.01557107, 0.03832016]
    """

    kind: TrainedKind
    own: tuple[Decimal, ...]
    total: tuple[Decimal, ...]

    def __post_init__(self) -> None:
        """Refuse what are no chances of twelve months, or a chain that lowers one."""
        if len(self.own) != BINS or len(self.total) != BINS:
            raise ValueError("own and total are twelve probabilities.")
        for alone, together in zip(self.own, self.total, strict=True):
            if not (alone.is_finite() and together.is_finite() and 0 <= alone <= together < 1):
                raise ValueError("0 <= own <= total < 1 holds in every month.")

    @classmethod
    def of(cls, kind: TrainedKind, own: Iterable[float], total: Iterable[float]) -> Self:
        """Return what a model said, at twelve places; where the chain would help, it does not.

        Parameters
        ----------
        kind : str
        own, total : iterable of float
            Twelve each, in [0, 1].
        """
        together = tuple(map(rounded, total))
        alone = tuple(min(one, most) for one, most in zip(map(rounded, own), together, strict=True))
        return cls(kind, alone, together)

    def own_rate(self, days: int) -> Decimal:
        """Return the integrated hazard of the firm alone up to a day."""
        return _integrated(self.own, days)

    def total_rate(self, days: int) -> Decimal:
        """Return the integrated hazard with the chain up to a day, never falling in days."""
        return _integrated(self.total, days)

    def total_within(self, days: int) -> float:
        """Return the probability of default within some days, with the chain."""
        return chance(self.total_rate(days))

    @property
    def pd_one_year(self) -> float:
        """The probability of default within a year, with the chain."""
        return self.total_within(YEAR_DAYS)

    def moved(self, own_hazard: float, total_hazard: float) -> "TermStructure":
        """Return the same shape at other yearly hazards: what the firm and its chain have grown to.

        Parameters
        ----------
        own_hazard, total_hazard : float
            Per year; 0 <= own <= total, finite.
        """
        own = _scaled(_rates(self.own), own_hazard)
        chain = _scaled(
            tuple(
                _EXACT.subtract(most, least)
                for most, least in zip(_rates(self.total), _rates(self.own), strict=True)
            ),
            total_hazard - own_hazard,
        )
        alone = tuple(_of_rate(rate) for rate in own)
        together = tuple(
            max(least, _of_rate(_EXACT.add(one, more)))
            for least, one, more in zip(alone, own, chain, strict=True)
        )
        return TermStructure(self.kind, alone, together)


def rounded(value: float | Decimal) -> Decimal:
    """Return a probability at twelve places, below 1.

    Examples
    --------
    >>> rounded(0.25), rounded(1.0)
    (Decimal('0.250000000000'), Decimal('0.999999999999'))
    """
    exact = Decimal(value)
    if not exact.is_finite() or not 0 <= exact <= 1:
        raise ValueError("a probability lies in [0, 1].")
    return min(exact.quantize(PLACES, decimal.ROUND_HALF_UP), _MOST)


def chance(rate: Decimal) -> float:
    """Return the probability behind an integrated hazard, at twelve places."""
    left = _EXACT.exp(-rate)
    return float((1 - left).quantize(PLACES, decimal.ROUND_HALF_UP))


def _integrated(bins: tuple[Decimal, ...], days: int) -> Decimal:
    """Return -ln of the chance to live to a day; past the year the worst month goes on for ever."""
    if days < 0:
        raise ValueError("days is 0 or more.")
    total, start = Decimal(0), 0
    rates = _rates(bins)
    for rate, length in zip(rates, _LENGTHS, strict=True):
        inside = min(max(days - start, 0), length)
        total = _EXACT.add(total, _EXACT.divide(rate * inside, Decimal(length)))
        start += length
    if days > YEAR_DAYS:
        worst = max(
            _EXACT.divide(rate, Decimal(length))
            for rate, length in zip(rates, _LENGTHS, strict=True)
        )
        total = _EXACT.add(total, worst * (days - YEAR_DAYS))
    return total


@functools.lru_cache(maxsize=4096)
def _rates(bins: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    """Return the integrated hazard of each month."""
    return tuple(-_EXACT.ln(1 - one) for one in bins)


def _of_rate(rate: Decimal) -> Decimal:
    return rounded(min(Decimal(1), max(Decimal(0), 1 - _EXACT.exp(-rate))))


def _scaled(rates: tuple[Decimal, ...], hazard: float) -> tuple[Decimal, ...]:
    """Return rates that sum to a yearly hazard: in their shape, level where they have none."""
    if not 0 <= hazard < math.inf:
        raise ValueError("a hazard is 0 or more, and finite.")
    wanted, there = Decimal(hazard), sum(rates, Decimal(0))
    if there <= 0:
        return tuple(_EXACT.divide(wanted * length, Decimal(YEAR_DAYS)) for length in _LENGTHS)
    return tuple(_EXACT.divide(_EXACT.multiply(rate, wanted), there) for rate in rates)
