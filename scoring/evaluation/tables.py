"""The estimator alone, judged on rows without dates by repeated cross-validation."""

import dataclasses
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.evaluation.settings import TableSettings
from scoring.metrics import auc, brier, calibration
from scoring.odds import Floats, Ints

DRAWS: Final = 300

# Makes a classifier of another library from a seed; given by the caller, since it is no part of us.
Peer = Callable[[int], Any]


@dataclasses.dataclass(frozen=True)
class Split:
    """One split of a table: every row predicted by models of the folds that did not see it.

    Attributes
    ----------
    seed : int
    fold : ndarray of int64, shape (n,)
        The fold in which each row was predicted.
    fails : ndarray of int64, shape (n,)
    told : ndarray of float64, shape (n,)
        By the declared learner, calibrated inside the training folds.
    raw : ndarray of float64, shape (n,)
        By the same learner before calibration.
    scorecard : ndarray of float64, shape (n,)
        By the scorecard alone.
    peer : ndarray of float64, shape (n,)
        By another library's boosting in the same folds; empty where it was not given.
    """

    seed: int
    fold: Ints
    fails: Ints
    told: Floats
    raw: Floats
    scorecard: Floats
    peer: Floats

    def fold_auc(self, told: Floats) -> float:
        """Return the mean of the folds' AUC."""
        each = [
            auc(told[self.fold == at], self.fails[self.fold == at]) for at in range(self._folds)
        ]
        return float(np.mean(each))

    @property
    def _folds(self) -> int:
        return int(self.fold.max()) + 1

    def interval(self, told: Floats, draws: int = DRAWS) -> tuple[float, float]:
        """Return the 95 % interval of the pooled AUC, by drawing rows with replacement."""
        rng = np.random.default_rng(self.seed)
        values = []
        for _ in range(draws):
            some = rng.integers(0, len(self.fails), len(self.fails))
            values.append(auc(told[some], self.fails[some]))
        low, high = np.nanquantile(values, (0.025, 0.975))
        return float(low), float(high)

    def figures(self, told: Floats) -> dict[str, float]:
        """Return what is reported of one model on this split."""
        slope, ratio = calibration(told, self.fails)
        return {
            "fold_auc": self.fold_auc(told),
            "pooled_auc": auc(told, self.fails),
            "brier": brier(told, self.fails),
            "slope": slope,
            "realised_over_predicted": ratio,
        }


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


def judged_split(
    rows: Floats, fails: Ints, settings: TableSettings, seed: int, peer: Peer | None = None
) -> Split:
    """Judge the declared learner on one split, beside the scorecard alone and a peer.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, f)
        NaN where nothing was known; none stands twice (`without_repeats`).
    fails : ndarray of int64, shape (n,)
    settings : TableSettings
    seed : int
        Of the split, and of whatever draws in it.
    peer : callable, optional
        Fitted to the same rows as the declared learner, not calibrated: that moves no rank.

    Returns
    -------
    Split

    Notes
    -----
    folds · (inner folds + 2) fits, and one more a fold for the peer.
    """
    from sklearn.model_selection import StratifiedKFold

    from scoring.estimators import Calibrated

    alone = dataclasses.replace(settings.learner, boosting_weight=0.0)
    n = len(rows)
    told, raw, card = np.zeros(n), np.zeros(n), np.zeros(n)
    others = np.zeros(n if peer else 0)
    fold = np.zeros(n, np.int64)
    split = StratifiedKFold(settings.folds, shuffle=True, random_state=seed)
    for number, (rest, tried) in enumerate(split.split(rows, fails)):
        fold[tried] = number
        model = Calibrated(settings.learner.blend(), settings.inner_folds, random_state=seed)
        told[tried] = model.fit(rows[rest], fails[rest]).predict_proba(rows[tried])[:, 1]
        raw[tried] = model.estimator_.predict_proba(rows[tried])[:, 1]
        scorecard = alone.blend().fit(rows[rest], fails[rest])
        card[tried] = scorecard.predict_proba(rows[tried])[:, 1]
        if peer:
            other = peer(seed).fit(rows[rest], fails[rest])
            others[tried] = other.predict_proba(rows[tried])[:, 1]
    return Split(seed, fold, fails, told, raw, card, others)
