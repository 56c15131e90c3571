"""Shares that are drawn to a prior while little was seen: losses, dilution, firms without history.

Also what is put on a probability for caution: a floor, and an add-on for what few defaults leave
open.
"""

from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from scoring.estimators.binary import Binary
from scoring.odds import Floats, Ints, expit, logit

LOWEST_LGD: Final = 0.25
HIGHEST_LGD: Final = 0.90
_WEIGHTS: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


class _Shares(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:  # noqa: N803
        rows, shares = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        return rows, np.asarray(shares, np.float64)

    def _rows(self, X: ArrayLike) -> Floats:  # noqa: N803
        check_is_fitted(self)
        rows: Floats = validate_data(self, X, dtype=np.float64, reset=False)
        return rows

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class LossGivenDefault(_Shares):
    """The share of the exposure that is lost, by technique, recourse and whatever else is given.

    Each combination of the columns is a cell: its mean is drawn to the mean of the cells that agree
    on all columns but the last, those to the ones before, and all to the prior.

    Parameters
    ----------
    prior : float
        Before any loss was seen.
    weight : float
        Losses that the level above counts for.
    lowest, highest : float
        Bounds of the answer.

    Examples
    --------
    >>> cells, lost = np.array([[0, 1], [0, 1], [1, 0]]), np.array([0.2, 0.4, 0.9])
    >>> LossGivenDefault(weight=1).fit(cells, lost).predict([[0, 1], [7, 7]]).round(3).tolist()
    [0.321, 0.488]
    """

    def __init__(
        self,
        prior: float = 0.45,
        weight: float = 20.0,
        lowest: float = LOWEST_LGD,
        highest: float = HIGHEST_LGD,
    ) -> None:
        self.prior = prior
        self.weight = weight
        self.lowest = lowest
        self.highest = highest

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit to closed cases: what they were, and which share was lost."""
        rows, lost = self._checked(X, y)
        self.levels_ = nested_means(rows, lost, self.prior, self.weight)
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the expected share lost, shape (n,)."""
        means = nested_of(self._rows(X), self.levels_)
        return np.asarray(np.clip(means, self.lowest, self.highest))


class Dilution(_Shares):
    """The share of an invoice that will be credited, from what a pair of firms credited before.

    The columns are credited, gross and number of the pair's closed items; the answer is
    (C + k·δ₀·ā)/(G + k·ā), where δ₀ and k come from what happened later to other pairs.

    Parameters
    ----------
    prior : float
        δ₀ before anything was seen.

    Attributes
    ----------
    share_ : float
        δ₀: the mean of what was credited.
    weight_ : float
        k, in items of mean size: the one of six that would have been wrong least.
    """

    def __init__(self, prior: float = 0.01) -> None:
        self.prior = prior

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit to pairs at one time and the share credited after it."""
        rows, shares = self._checked(X, y)
        self.share_ = float((np.clip(shares, 0, 1).sum() + self.prior) / (len(shares) + 1))
        wrong = [((self._at(rows, weight) - shares) ** 2).sum() for weight in _WEIGHTS]
        self.weight_ = _WEIGHTS[int(np.argmin(wrong))]
        return self

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the expected share credited, shape (n,); the prior share without history."""
        return self._at(self._rows(X), self.weight_)

    def _at(self, rows: Floats, weight: float) -> Floats:
        width = 3
        columns = np.zeros((len(rows), width))
        columns[:, : min(width, rows.shape[1])] = np.maximum(rows[:, :width], 0.0)
        credited, gross, items = columns.T
        mean = np.divide(gross, items, out=np.zeros(len(rows)), where=items > 0)
        prior = weight * mean
        whole = gross + prior
        part = np.minimum(credited, gross) + self.share_ * prior
        found = np.full(len(rows), self.share_)
        np.divide(part, whole, out=found, where=whole > 0)
        return found


class ColdStart(Binary):
    """The chance to fail of a firm without history: that of firms like it.

    The columns are classes from the widest to the narrowest, for example sector, tier and size;
    each is drawn to the one above. A class that was never seen is judged as the one above it.

    Parameters
    ----------
    weight : float
        Firms that the level above counts for.
    """

    def __init__(self, weight: float = 200.0) -> None:
        self.weight = weight

    def _fit(self, rows: Floats, fails: Ints) -> None:
        share = (fails.sum() + 0.5) / (len(fails) + 1.0)
        self.levels_ = nested_means(rows, fails.astype(np.float64), share, self.weight)

    def _probability(self, rows: Floats) -> Floats:
        return nested_of(rows, self.levels_)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # classes alone tell little
        return tags


Levels = list[tuple[Floats, Floats]]


def nested_means(rows: Floats, values: Floats, prior: float, weight: float) -> Levels:
    """Return the mean of each class, of its first column, its first two, and so on.

    Parameters
    ----------
    rows : ndarray of float64, shape (n, f)
        Classes; NaN is a class too.
    values : ndarray of float64, shape (n,)
    prior, weight : float
        The mean above all, and for how many rows a level counts in the one below.

    Returns
    -------
    list of (ndarray, ndarray)
        For 0, 1, … f columns: the classes, ascending, and their means.

    Examples
    --------
    >>> levels = nested_means(np.array([[0.0], [1.0]]), np.array([0.0, 1.0]), 0.5, 1.0)
    >>> [mean.tolist() for _, mean in levels]
    [[0.5], [0.25, 0.75]]
    """
    mean = (values.sum() + weight * prior) / (len(values) + weight)
    levels: Levels = [(np.zeros((1, 0)), np.array([mean]))]
    for width in range(1, rows.shape[1] + 1):
        classes, place = np.unique(_as_classes(rows[:, :width]), axis=0, return_inverse=True)
        place = place.ravel()
        count = np.bincount(place, minlength=len(classes))
        total = np.bincount(place, values, len(classes))
        above = nested_of(classes, levels)
        levels.append((classes, (total + weight * above) / (count + weight)))
    return levels


def nested_of(rows: Floats, levels: Levels) -> Floats:
    """Return the mean of the narrowest class of each row that was seen, shape (n,)."""
    found = np.full(len(rows), levels[0][1][0])
    for classes, means in levels[1:]:
        width = classes.shape[1]
        if width > rows.shape[1]:
            break
        number = {row.tobytes(): mean for row, mean in zip(classes, means.tolist(), strict=True)}
        for at, row in enumerate(_as_classes(rows[:, :width])):
            found[at] = number.get(row.tobytes(), found[at])
    return found


def _as_classes(rows: Floats) -> Floats:
    """Give NaN the number of a class of its own; 0 and -0 are one."""
    return np.ascontiguousarray(np.where(np.isnan(rows), -np.inf, rows) + 0.0)


def drawn_to_prior(pd: Floats, prior: Floats, seen: Floats, weight: float) -> Floats:
    """Return a model's probability drawn to that of firms alike while a firm has little history.

    Parameters
    ----------
    pd, prior : ndarray of float64, shape (n,)
    seen : ndarray of float64, shape (n,)
        Settled items; NaN for none.
    weight : float
        Items that the prior counts for.

    Returns
    -------
    ndarray of float64, shape (n,)
        Between the two, in log-odds.

    Examples
    --------
    >>> own, alike = np.array([0.1, 0.1]), np.array([0.02, 0.02])
    >>> drawn_to_prior(own, alike, np.array([0, 1e9]), 12).round(3).tolist()
    [0.02, 0.1]
    """
    items = np.nan_to_num(np.asarray(seen, np.float64))
    own = items / (items + weight)
    return expit(own * logit(pd) + (1.0 - own) * logit(prior))


def add_on(fails: int, expected: float, *, confidence: float = 0.9) -> float:
    """Return how much is added to every probability because few defaults were seen.

    Parameters
    ----------
    fails : int
        Defaults seen.
    expected : float
        Sum of the probabilities that the model gave, above 0.
    confidence : float
        That the true number is not above what is then expected.

    Returns
    -------
    float
        A share, 0 or more: the upper bound of the number of defaults over the expected one.

    Notes
    -----
    F. Garwood, "Fiducial Limits for the Poisson Distribution", Biometrika 28, 1936. Margin of
    conservatism: EBA/GL/2017/16.

    Examples
    --------
    >>> round(add_on(0, 2.0), 3), round(add_on(400, 400.0), 3)
    (0.151, 0.067)
    """
    from scipy.stats import gamma

    if not expected > 0:
        raise ValueError("expected is above 0.")
    return max(0.0, float(gamma.ppf(confidence, fails + 1)) / expected - 1.0)


def cautious(pd: Floats, *, floor: float, extra: float = 0.0) -> tuple[Floats, Any]:
    """Return probabilities with the add-on and not below the floor, and where the floor binds.

    Examples
    --------
    >>> told, binds = cautious(np.array([0.0001, 0.02]), floor=0.003, extra=0.1)
    >>> told.round(4).tolist(), binds.tolist()
    ([0.003, 0.022], [True, False])
    """
    raised = np.minimum(np.asarray(pd, np.float64) * (1.0 + extra), 1.0)
    return np.maximum(raised, floor), raised < floor
