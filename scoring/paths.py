"""The probability that a firm defaults, by time: from a level hazard, or month by month.

Whatever stands behind it, a price asks the same: how likely within so many days, alone and with
the chain. The floor holds at every time: nobody is safer than a firm of the floor's hazard.
"""

import dataclasses
import math
from decimal import Decimal
from typing import Self

from scoring.hazard import YEAR_DAYS, hazard_of, pd_within
from scoring.policy import Scale
from scoring.scale import floored
from scoring.schema import FirmRisk
from scoring.term import AFTER_DUE, TermStructure, chance


@dataclasses.dataclass(frozen=True, slots=True)
class Path:
    """One probability by time.

    Parameters
    ----------
    hazard : float
        Per year; over one year where there is a term structure, which then says the rest.
    term : TermStructure or None
        What a trained model says by month.
    floor : float
        Hazard per year that the term structure is not below at any time.
    alone : bool
        Without what the chain adds to it.
    times : float
        By which everything is multiplied, for a band.
    """

    hazard: float
    term: TermStructure | None = None
    floor: float = 0.0
    alone: bool = False
    times: float = 1.0

    def within(self, days: int) -> float:
        """Return the probability of default within some days, in [0, 1]."""
        if self.term is None:
            return pd_within(self.hazard, days)
        total = self.term.total_rate(days)
        lifted = max(total, Decimal(self.floor * days / YEAR_DAYS))
        if self.alone:
            lifted = max(Decimal(0), lifted - (total - self.term.own_rate(days)))
        return chance(lifted * Decimal(self.times))

    def on_item(self, tenor_days: int, late_days: int) -> int:
        """Return the days within which a default costs an item: its window.

        A curve foresees the day on which a default has shown, which is 90 days after due at the
        latest; a level hazard counts to the day on which the money is expected.
        """
        return tenor_days + (late_days if self.term is None else AFTER_DUE)

    def knows(self, days: int) -> bool:
        """Tell whether a model's year reaches so far; what lies beyond is for a person."""
        return self.term is None or days <= YEAR_DAYS

    def at(self, pd_one_year: float) -> Self:
        """Return the path of another one-year probability in the same shape."""
        if self.term is None:
            return dataclasses.replace(self, hazard=hazard_of(pd_one_year))
        here = self.within(YEAR_DAYS)
        least = math.ulp(1.0)
        factor = hazard_of(min(pd_one_year, 1.0 - least)) / max(hazard_of(here), least)
        return dataclasses.replace(self, times=self.times * factor)


@dataclasses.dataclass(frozen=True, slots=True)
class Paths:
    """A firm alone and with its chain, and whether the floor raised its one-year probability."""

    own: Path
    total: Path
    raised: bool = False


def paths_of(firm: FirmRisk, scale: Scale) -> Paths:
    """Return the probabilities of a firm by time, its floor in them."""
    own, total, raised = floored(firm, scale)
    if firm.term is None:
        return Paths(Path(own), Path(total), raised)
    low = firm.documented
    floor = hazard_of(float(scale.floor_documented if low else scale.floor_other))
    return Paths(Path(own, firm.term, floor, alone=True), Path(total, firm.term, floor), raised)
