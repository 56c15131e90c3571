"""Estimators with scikit-learn's conventions: default, its curve over a year, lateness, losses.

NaN means that nothing was known and is accepted where it says so; an infinite value raises.
"""

from scoring.estimators.curves import HORIZONS, HazardCurves
from scoring.estimators.default import Blend, Boosting, Calibrated, Scorecard
from scoring.estimators.late import DaysPastDue, conformal_quantile
from scoring.estimators.shares import (
    ColdStart,
    Dilution,
    LossGivenDefault,
    add_on,
    cautious,
    drawn_to_prior,
)

__all__ = [
    "HORIZONS",
    "Blend",
    "Boosting",
    "Calibrated",
    "ColdStart",
    "DaysPastDue",
    "Dilution",
    "HazardCurves",
    "LossGivenDefault",
    "Scorecard",
    "add_on",
    "cautious",
    "conformal_quantile",
    "drawn_to_prior",
]
