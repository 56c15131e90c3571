"""The probability of default: a scorecard, monotone boosting, their blend, and its calibration."""

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone

from scoring.estimators.binary import Binary, checked_signs, fitted_map
from scoring.odds import Floats, Ints, expit, logit

TREES: Final = 150
LEAVES: Final = 8
RATE: Final = 0.05
PENALTY: Final = 0.1  # C of the logistic regression
FOLDS: Final = 4
_QUANTILES: Final = 200


class Scorecard(Binary):
    """Logistic regression on the normal quantiles of each feature, with a flag for missing ones.

    A feature whose coefficient has the wrong sign is left out and the rest fitted anew, so that the
    score moves with each feature as declared.

    Parameters
    ----------
    C : float
        Inverse strength of the ridge penalty.
    signs : sequence of int, optional
        1: the risk never falls as the feature rises; -1: it never rises; 0: free.
    random_state : int, optional
        Of the quantiles' subsample.

    Attributes
    ----------
    coef_ : ndarray of float64, shape (f,)
        Log-odds per standard deviation; 0 for features left out.
    missing_coef_ : ndarray of float64, shape (f,)
        Log-odds where the feature is missing.
    intercept_ : float

    Examples
    --------
    >>> rows = np.linspace(0, 1, 40)[:, None]
    >>> card = Scorecard(signs=(1,)).fit(rows, rows[:, 0] > 0.6)
    >>> bool((np.diff(card.predict_proba(rows)[:, 1]) >= 0).all())
    True
    """

    def __init__(
        self,
        C: float = PENALTY,  # noqa: N803
        signs: Sequence[int] | None = None,
        random_state: int | None = 0,
    ) -> None:
        self.C = C
        self.signs = signs
        self.random_state = random_state

    def _fit(self, rows: Floats, fails: Ints) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import QuantileTransformer

        f = rows.shape[1]
        signs = checked_signs(self.signs, f)
        self.known_ = ~np.isnan(rows).all(axis=0)
        if self.known_.any():
            self.quantiles_ = QuantileTransformer(
                n_quantiles=min(_QUANTILES, len(rows)),
                output_distribution="normal",
                random_state=self.random_state,
            ).fit(rows[:, self.known_])
        values, missing = self._inputs(rows)
        flagged = missing.any(axis=0) & ~missing.all(axis=0)
        used = self.known_.copy()
        self.coef_, self.missing_coef_ = np.zeros(f), np.zeros(f)
        while True:
            columns = np.hstack((values[:, used], missing[:, flagged]))
            self.coef_[:] = self.missing_coef_[:] = 0.0
            if not columns.shape[1]:
                self.intercept_ = float(logit(np.array([fails.mean()]))[0])
                return
            model = LogisticRegression(C=self.C, max_iter=500).fit(columns, fails)
            self.coef_[used] = model.coef_[0, : used.sum()]
            self.missing_coef_[flagged] = model.coef_[0, used.sum() :]
            self.intercept_ = float(model.intercept_[0])
            wrong = self.coef_ * signs < 0
            if not wrong.any():
                return
            used &= ~wrong

    def _inputs(self, rows: Floats) -> tuple[Floats, Floats]:
        values = np.zeros(rows.shape)
        if self.known_.any():
            values[:, self.known_] = self.quantiles_.transform(rows[:, self.known_])
        missing = np.isnan(rows)
        return np.where(missing, 0.0, np.nan_to_num(values)), missing.astype(np.float64)

    def contributions(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return what each feature adds to the log-odds of each row, shape (n, f)."""
        from sklearn.utils.validation import check_is_fitted, validate_data

        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        return self._parts(rows)

    def _parts(self, rows: Floats) -> Floats:
        values, missing = self._inputs(rows)
        return values * self.coef_ + missing * self.missing_coef_

    def _probability(self, rows: Floats) -> Floats:
        return expit(self.intercept_ + self._parts(rows).sum(axis=1))


class Boosting(Binary):
    """Gradient boosting that moves with each feature as declared.

    Missing values take the side of each split that fits them; a feature that was never known in
    the rows of the fit is left out.

    Parameters
    ----------
    signs : sequence of int, optional
        As for `Scorecard`.
    trees, leaves, rate
    random_state : int, optional

    Notes
    -----
    scikit-learn's histogram boosting. The same rows give the same trees whatever the number of
    threads.

    Examples
    --------
    >>> rows = np.linspace(0, 1, 80)[:, None]
    >>> model = Boosting(signs=(-1,), trees=5).fit(rows, rows[:, 0] < 0.3)
    >>> bool((np.diff(model.predict_proba(rows)[:, 1]) <= 0).all())
    True
    """

    def __init__(
        self,
        signs: Sequence[int] | None = None,
        trees: int = TREES,
        leaves: int = LEAVES,
        rate: float = RATE,
        random_state: int | None = 0,
    ) -> None:
        self.signs = signs
        self.trees = trees
        self.leaves = leaves
        self.rate = rate
        self.random_state = random_state

    def _fit(self, rows: Floats, fails: Ints) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        signs = checked_signs(self.signs, rows.shape[1])
        self.known_ = ~np.isnan(rows).all(axis=0)
        self.constant_ = float(fails.mean())
        self.trees_ = None
        if self.known_.any():
            self.trees_ = HistGradientBoostingClassifier(
                learning_rate=self.rate,
                max_iter=self.trees,
                max_leaf_nodes=self.leaves,
                monotonic_cst=signs[self.known_],
                early_stopping=False,
                random_state=self.random_state,
            ).fit(rows[:, self.known_], fails)

    def _probability(self, rows: Floats) -> Floats:
        if self.trees_ is None:
            return np.full(len(rows), self.constant_)
        return np.asarray(self.trees_.predict_proba(rows[:, self.known_])[:, 1])


class Blend(Binary):
    """The mean of a scorecard and of boosting in log-odds.

    Parameters
    ----------
    signs : sequence of int, optional
        As for `Scorecard`; both keep to them, so the blend does.
    weight : float
        Of boosting, in [0, 1].
    trees, leaves, rate
        Of boosting.
    C : float
        Of the scorecard.
    random_state : int, optional
    """

    def __init__(
        self,
        signs: Sequence[int] | None = None,
        weight: float = 0.5,
        trees: int = TREES,
        leaves: int = LEAVES,
        rate: float = RATE,
        C: float = PENALTY,  # noqa: N803
        random_state: int | None = 0,
    ) -> None:
        self.signs = signs
        self.weight = weight
        self.trees = trees
        self.leaves = leaves
        self.rate = rate
        self.C = C
        self.random_state = random_state

    def _fit(self, rows: Floats, fails: Ints) -> None:
        if not 0 <= self.weight <= 1:
            raise ValueError("weight lies in [0, 1].")
        self.scorecard_ = self.boosting_ = None  # what weighs nothing is not fitted
        if self.weight < 1:
            self.scorecard_ = Scorecard(self.C, self.signs, self.random_state).fit(rows, fails)
        if self.weight > 0:
            self.boosting_ = Boosting(
                self.signs, self.trees, self.leaves, self.rate, self.random_state
            ).fit(rows, fails)

    def _probability(self, rows: Floats) -> Floats:
        odds = np.zeros(len(rows))
        for model, weight in ((self.scorecard_, 1.0 - self.weight), (self.boosting_, self.weight)):
            if model is not None:
                odds += weight * logit(model.predict_proba(rows)[:, 1])
        return expit(odds)


class Calibrated(Binary):
    """An estimator whose probabilities are put right on rows that it was not fitted to.

    With snapshots, the estimator is fitted on all but the last and put right on that; without,
    each fold is predicted by the others and the estimator then fitted on all.

    Parameters
    ----------
    estimator : Binary, optional
        `Blend` if left out.
    folds : int
        Without snapshots.
    random_state : int, optional

    Attributes
    ----------
    shift_, slope_ : float
        Of the map of log-odds; 0 and 1 where there was too little to put it right by.
    """

    def __init__(
        self,
        estimator: Any = None,  # noqa: ANN401 - any classifier
        folds: int = FOLDS,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.folds = folds
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, snapshot: ArrayLike | None = None) -> Self:  # noqa: N803
        """Fit, and put right on the last snapshot or on the folds.

        Parameters
        ----------
        X, y
            As for `Binary.fit`.
        snapshot : array_like of int, shape (n,), optional
            When each row was taken. Rows of an earlier snapshot whose label reaches into the last
            one are the caller's to leave out.
        """
        rows, fails = self._checked(X, y)
        if snapshot is None:
            self._fit(rows, fails)
            return self
        taken = np.asarray(snapshot)
        if taken.shape != fails.shape:
            raise ValueError(f"{taken.size} snapshots for {fails.size} rows.")
        last = taken == taken.max(initial=0)
        self.estimator_ = self._new().fit(rows[~last], fails[~last])
        told = self.estimator_.predict_proba(rows[last])[:, 1]
        self.shift_, self.slope_ = fitted_map(told, fails[last])
        return self

    def _new(self) -> BaseEstimator:
        if self.estimator is not None:
            return clone(self.estimator)
        return Blend(random_state=self.random_state)

    def _fit(self, rows: Floats, fails: Ints) -> None:
        from sklearn.model_selection import StratifiedKFold

        self.estimator_ = self._new().fit(rows, fails)
        self.shift_, self.slope_ = 0.0, 1.0
        folds = min(self.folds, int(np.bincount(fails, minlength=2).min()))
        if folds <= 1:
            return
        told = np.zeros(len(rows))
        split = StratifiedKFold(folds, shuffle=True, random_state=self.random_state)
        for rest, fold in split.split(rows, fails):
            told[fold] = self._new().fit(rows[rest], fails[rest]).predict_proba(rows[fold])[:, 1]
        self.shift_, self.slope_ = fitted_map(told, fails)

    def _probability(self, rows: Floats) -> Floats:
        told = self.estimator_.predict_proba(rows)[:, 1]
        return expit(self.shift_ + self.slope_ * logit(told))
