"""How a model is judged: as declared beforehand, with the seed as the unit, and with placebos."""

from scoring.evaluation.contrast import Contrast, Place, contrast
from scoring.evaluation.metrics import (
    OverSeeds,
    auc,
    brier,
    calibration,
    holm,
    is_nothing,
    over_seeds,
    share_of_gap,
)
from scoring.evaluation.settings import ChainSettings, Learner

__all__ = [
    "ChainSettings",
    "Contrast",
    "Learner",
    "OverSeeds",
    "Place",
    "auc",
    "brier",
    "calibration",
    "contrast",
    "holm",
    "is_nothing",
    "over_seeds",
    "share_of_gap",
]
