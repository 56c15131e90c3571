"""Hazards, and the probability of default within a number of days.

A hazard is a rate per year; hazard time is days / 365, whatever the day count of the programme.
"""

import dataclasses
import math
from typing import Final, Self

YEAR_DAYS: Final = 365
_BIN_DAYS: Final = 30
_BINS: Final = 12


def hazard_of(pd_one_year: float) -> float:
    """Return the flat hazard behind a one-year PD: λ = -ln(1 - PD).

    Parameters
    ----------
    pd_one_year : float
        Probability in [0, 1].

    Returns
    -------
    float
        Hazard per year, in [0, inf].

    Examples
    --------
    >>> round(hazard_of(0.015), 10)
    0.0151136378
    """
    if not 0 <= pd_one_year <= 1:
        raise ValueError("pd_one_year lies in [0, 1].")
    return math.inf if pd_one_year == 1 else -math.log1p(-pd_one_year)


def pd_within(hazard: float, days: int) -> float:
    """Return the probability of default within some days: 1 - exp(-λ·d/365).

    Parameters
    ----------
    hazard : float
        Hazard per year, in [0, inf].
    days : int
        Calendar days, >= 0.

    Returns
    -------
    float
        Probability in [0, 1], rising in both arguments.

    Examples
    --------
    >>> round(pd_within(hazard_of(0.015), 95), 8)
    0.00392596
    """
    if days < 0:
        raise ValueError("days is 0 or more.")
    return -math.expm1(-hazard * days / YEAR_DAYS) if days else 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Curve:
    """Default probability by time, from twelve conditional probabilities.

    Parameters
    ----------
    bins : tuple of float
        Twelve probabilities in [0, 1): default within the bin, given none before. The bins are
        [0, 30], …, (300, 330], (330, 365] days.

    Examples
    --------
    >>> curve = Curve((0.001,) * 3 + (0.004,) * 9)
    >>> [round(curve.pd_within(days), 8) for days in (90, 95, 180, 185, 365)]
    [0.002997, 0.00366278, 0.01491324, 0.01557107, 0.03832016]
    """

    bins: tuple[float, ...]

    def __post_init__(self) -> None:
        """Refuse what is no curve of one year."""
        if len(self.bins) != _BINS or not all(0 <= part < 1 for part in self.bins):
            raise ValueError("bins are twelve probabilities in [0, 1).")

    def pd_within(self, days: int) -> float:
        """Return the probability of default within some days; inside a bin by its fraction.

        Parameters
        ----------
        days : int
            0 to 365; there is no curve beyond.

        Returns
        -------
        float
            Probability in [0, 1), rising in days.
        """
        if not 0 <= days <= YEAR_DAYS:
            raise ValueError("days lies between 0 and 365; beyond, a person decides.")
        log_survival = 0.0
        for number, part in enumerate(self.bins):
            start = number * _BIN_DAYS
            end = YEAR_DAYS if number == _BINS - 1 else start + _BIN_DAYS
            inside = max(0, min(days, end) - start)
            log_survival += math.log1p(-part) * inside / (end - start)
        return -math.expm1(log_survival)

    def calibrated(self, shift: float, slope: float) -> Self:
        """Return the curve with one map for all bins: logit h → shift + slope·logit h.

        One rising map keeps the order of firms and of horizons by construction.

        Parameters
        ----------
        shift : float
            Added on the logit scale.
        slope : float
            Above 0.
        """
        if slope <= 0:
            raise ValueError("slope is above 0, or the order of firms would turn.")

        def mapped(part: float) -> float:
            if part == 0:
                return 0.0
            return 1 / (1 + math.exp(-shift - slope * math.log(part / (1 - part))))

        return type(self)(tuple(mapped(part) for part in self.bins))
