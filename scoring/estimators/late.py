"""How many days after the due date money comes, with an interval that keeps its promise."""

import math
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from scoring.odds import Floats, Ints

ALPHA: Final = 0.1
LATER: Final = 0.25
GROUP_NEEDS: Final = 200
_LEAST_ROWS: Final = 8


def conformal_quantile(scores: Floats, alpha: float) -> float:
    """Return the score below which a new one falls with probability 1 - alpha.

    Parameters
    ----------
    scores : ndarray of float64, shape (n,)
        Of rows that the model was not fitted to.
    alpha : float
        In (0, 1).

    Returns
    -------
    float
        The ⌈(n + 1)(1 - alpha)⌉-th smallest; infinite where that is more than n: too little
        history.

    Notes
    -----
    V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005.

    Examples
    --------
    >>> conformal_quantile(np.arange(1.0, 20.0), 0.1)
    18.0
    >>> conformal_quantile(np.arange(5.0), 0.1)
    inf
    """
    rank = math.ceil((len(scores) + 1) * (1.0 - alpha) - 1e-9)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf


class DaysPastDue(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Expected days past due, and between which days the money comes in nine of ten cases.

    Rows stand in the order in which the items were invoiced: the last part of them widens or
    narrows the interval, the others fit it.

    Parameters
    ----------
    alpha : float
        Share of cases outside the interval.
    later : float
        Part of the rows that are kept for the interval.
    trees, leaves, rate
        Of the three boosted models (mean, lower and upper quantile).
    random_state : int, optional

    Attributes
    ----------
    widening_ : dict of int to float
        Of each group with at least 200 items; -1: of all. Infinite: not enough history.

    Notes
    -----
    Y. Romano, E. Patterson, E. Candès, "Conformalized Quantile Regression", 2019.
    """

    def __init__(
        self,
        alpha: float = ALPHA,
        later: float = LATER,
        trees: int = 100,
        leaves: int = 8,
        rate: float = 0.05,
        random_state: int | None = 0,
    ) -> None:
        self.alpha = alpha
        self.later = later
        self.trees = trees
        self.leaves = leaves
        self.rate = rate
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, group: ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit to items and their days past due.

        Parameters
        ----------
        X : array_like of float64, shape (n, f)
        y : array_like of float64, shape (n,)
            An item that is still open counts with today's days.
        group : array_like of int, shape (n,), optional
            For example the debtor's tier, not negative.
        """
        rows, days = validate_data(
            self,
            X,
            y,
            dtype=np.float64,
            ensure_all_finite="allow-nan",
            y_numeric=True,
            ensure_min_samples=_LEAST_ROWS,
        )
        days = np.asarray(days, np.float64)
        if not 0 < self.alpha < 1 or not 0 < self.later < 1:
            raise ValueError("alpha and later lie in (0, 1).")
        cut = len(rows) - max(1, round(self.later * len(rows)))
        self.known_ = ~np.isnan(rows[:cut]).all(axis=0)
        rows = rows[:, self.known_] if self.known_.any() else np.zeros((len(rows), 1))
        self.mean_ = self._boosted("squared_error", None).fit(rows[:cut], days[:cut])
        low, high = self.alpha / 2, 1 - self.alpha / 2
        self.low_ = self._boosted("quantile", low).fit(rows[:cut], days[:cut])
        self.high_ = self._boosted("quantile", high).fit(rows[:cut], days[:cut])
        kept, came = rows[cut:], days[cut:]
        scores = np.maximum(self.low_.predict(kept) - came, came - self.high_.predict(kept))
        self.widening_ = {-1: conformal_quantile(scores, self.alpha)}
        if group is not None:
            groups = np.asarray(group, np.int64)[cut:]
            for number in np.unique(groups).tolist():
                inside = scores[groups == number]
                if len(inside) >= GROUP_NEEDS:
                    self.widening_[number] = conformal_quantile(inside, self.alpha)
        return self

    def _boosted(self, loss: str, quantile: float | None) -> Any:  # noqa: ANN401
        from sklearn.ensemble import HistGradientBoostingRegressor

        return HistGradientBoostingRegressor(
            loss=loss,
            quantile=quantile,
            learning_rate=self.rate,
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            early_stopping=False,
            random_state=self.random_state,
        )

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the expected days past due of each item, shape (n,)."""
        check_is_fitted(self)
        return np.asarray(self.mean_.predict(self._rows(X)))

    def interval(self, X: ArrayLike, group: ArrayLike | None = None) -> Floats:  # noqa: N803
        """Return between which days the money comes, shape (n, 2); infinite where unknown."""
        check_is_fitted(self)
        rows = self._rows(X)
        groups: Ints = np.full(len(rows), -1) if group is None else np.asarray(group, np.int64)
        wide = np.array([self.widening_.get(g, self.widening_[-1]) for g in groups.tolist()])
        low, high = self.low_.predict(rows), self.high_.predict(rows)
        middle = (low + high) / 2  # quantiles may cross, and a narrowing may be too much
        return np.column_stack((np.minimum(low - wide, middle), np.maximum(high + wide, middle)))

    def _rows(self, X: ArrayLike) -> Floats:  # noqa: N803
        rows: Floats = validate_data(
            self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        return rows[:, self.known_] if self.known_.any() else np.zeros((len(rows), 1))

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True
        return tags
