"""The estimator alone, judged on rows without dates by repeated cross-validation."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from scoring.estimators.binary import Floats, Ints
from scoring.evaluation.metrics import auc, brier, calibration
from scoring.evaluation.settings import TableSettings

DRAWS = 300


@dataclasses.dataclass(frozen=True)
class TableReport:
    """What repeated cross-validation said; one entry a seed.

    Attributes
    ----------
    fold_auc, pooled_auc, brier, slope, ratio : ndarray of float64, shape (s,)
        Mean of the folds' AUC; the rest over all rows, each predicted by folds that did not see it.
        ``ratio`` is realised over predicted.
    auc_low, auc_high : float
        95 % interval of the first seed's pooled AUC, by drawing rows with replacement.
    rows, failures : int
        After those that stand twice were dropped.
    """

    fold_auc: Floats
    pooled_auc: Floats
    brier: Floats
    slope: Floats
    ratio: Floats
    auc_low: float
    auc_high: float
    rows: int
    failures: int


def without_repeats(rows: Floats, fails: Ints) -> tuple[Floats, Ints]:
    """Drop rows that stand twice with the same outcome, keeping the first, in their order.

    Examples
    --------
    >>> rows = np.array([[1.0, np.nan], [2.0, 0.0], [1.0, np.nan]])
    >>> without_repeats(rows, np.array([0, 1, 0]))[1].tolist()
    [0, 1]
    """
    keys: NDArray[np.float64] = np.column_stack((np.where(np.isnan(rows), np.inf, rows), fails))
    first = np.sort(np.unique(keys, axis=0, return_index=True)[1])
    return rows[first], fails[first]


def cross_validated(rows: Floats, fails: Ints, settings: TableSettings) -> TableReport:
    """Judge the declared learner, calibrated inside the training folds.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, f)
        NaN where nothing was known.
    fails : ndarray of int64, shape (n,)
    settings : TableSettings

    Returns
    -------
    TableReport

    Notes
    -----
    seeds · folds · (inner folds + 1) fits.
    """
    from sklearn.model_selection import StratifiedKFold

    from scoring.estimators import Calibrated

    rows, fails = without_repeats(rows, fails)
    found: list[tuple[float, ...]] = []
    interval = (np.nan, np.nan)
    for seed in settings.seeds:
        told, folds = np.zeros(len(rows)), []
        split = StratifiedKFold(settings.folds, shuffle=True, random_state=seed)
        for rest, fold in split.split(rows, fails):
            model = Calibrated(settings.learner.blend(), settings.inner_folds, random_state=seed)
            told[fold] = model.fit(rows[rest], fails[rest]).predict_proba(rows[fold])[:, 1]
            folds.append(auc(told[fold], fails[fold]))
        slope, ratio = calibration(told, fails)
        found.append((float(np.mean(folds)), auc(told, fails), brier(told, fails), slope, ratio))
        if len(found) == 1:
            interval = _drawn(told, fails, seed)
    fold_auc, pooled_auc, squared, slopes, ratios = np.array(found).T
    return TableReport(
        fold_auc, pooled_auc, squared, slopes, ratios, *interval, len(rows), int(fails.sum())
    )


def _drawn(told: Floats, fails: Ints, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(DRAWS):
        some = rng.integers(0, len(fails), len(fails))
        values.append(auc(told[some], fails[some]))
    low, high = np.nanquantile(values, (0.025, 0.975))
    return float(low), float(high)
