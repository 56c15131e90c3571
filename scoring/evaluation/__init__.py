"""How a model is judged: as declared beforehand, with the seed as the unit, and with placebos."""

from scoring.evaluation.contrast import (
    Contrast,
    Place,
    checked,
    contrast,
    judged,
    shuffled_sales,
)
from scoring.evaluation.datasets import read_arff
from scoring.evaluation.settings import ChainSettings, Learner, TableSettings
from scoring.evaluation.tables import Split, judged_split, without_repeats
from scoring.metrics import (
    OverSeeds,
    auc,
    brier,
    calibration,
    holm,
    is_nothing,
    over_seeds,
    share_of_gap,
)

__all__ = [
    "ChainSettings",
    "Contrast",
    "Learner",
    "OverSeeds",
    "Place",
    "Split",
    "TableSettings",
    "auc",
    "brier",
    "calibration",
    "checked",
    "contrast",
    "holm",
    "is_nothing",
    "judged",
    "judged_split",
    "over_seeds",
    "read_arff",
    "share_of_gap",
    "shuffled_sales",
    "without_repeats",
]
