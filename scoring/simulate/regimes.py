"""What a simulated chain is drawn with, fixed before anything was measured on it."""

import dataclasses
import hashlib
import json
from typing import Final

VERSION: Final = "ChainSim-1"
HORIZON: Final = 26  # weeks within which a default counts
TRAIN_WEEKS: Final = tuple(range(52, 235, 26))  # the last label ends where the tests begin
TEST_WEEKS: Final = (260, 286, 312)
WEEKS: Final = TEST_WEEKS[-1] + HORIZON + 1  # week 0 among them
TIERS: Final = (0.01, 0.12, 0.35, 0.52)  # of all firms: anchors, first to third tier
REVENUE: Final = (600e6, 40e6, 10e6, 3e6)  # a year, the median of each tier
VISIBLE: Final = 0.7  # of the relations


@dataclasses.dataclass(frozen=True, slots=True)
class Regime:
    """What differs between the worlds; all else is the same in each.

    Parameters
    ----------
    margin : float
        Mean of the firms' margins, share of sales.
    margin_sd : float
        Stationary deviation of a firm's margin over time.
    target_weeks : float
        Median of the cash that firms aim for, weeks of revenue.
    sales_dirichlet : float
        Smaller: sales hang on fewer buyers.
    shock : float
        Chance of a liquidity shock in a week.
    insured : bool
        Losses, lost demand and late payment reach nobody: nothing spreads (placebo).
    """

    margin: float = 0.06
    margin_sd: float = 0.04
    target_weeks: float = 2.5
    sales_dirichlet: float = 0.7
    shock: float = 0.0003
    insured: bool = False


REGIMES: Final = {
    "main": Regime(),
    "high": Regime(margin=0.07, margin_sd=0.05, target_weeks=2.0, sales_dirichlet=0.4),
    "shock": Regime(margin=0.07, margin_sd=0.02, shock=0.0008),
    "control": Regime(insured=True),
    "shockctl": Regime(margin=0.07, margin_sd=0.02, shock=0.0008, insured=True),
}


def digest(regime: Regime) -> str:
    """Return a fingerprint of the generator's version and all that a chain is drawn with.

    Examples
    --------
    >>> digest(REGIMES["main"]) == digest(Regime()) != digest(REGIMES["high"])
    True
    """
    common = [VERSION, HORIZON, TRAIN_WEEKS, TEST_WEEKS, TIERS, REVENUE, VISIBLE]
    told = json.dumps([common, dataclasses.asdict(regime)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
