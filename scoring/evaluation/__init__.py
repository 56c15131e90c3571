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
from scoring.evaluation.settings import ChainSettings, Learner, TableSettings
from scoring.evaluation.tables import TableReport, cross_validated, without_repeats

__all__ = [
    "ChainSettings",
    "Contrast",
    "Learner",
    "OverSeeds",
    "Place",
    "TableReport",
    "TableSettings",
    "auc",
    "brier",
    "calibration",
    "contrast",
    "cross_validated",
    "holm",
    "is_nothing",
    "over_seeds",
    "share_of_gap",
    "without_repeats",
]
