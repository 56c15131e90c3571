"""What estimators of a default have in common: two classes, missing values, one rising map."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from scoring.odds import Floats, Ints, expit, logit

_SLOPE_SD: Final = 0.5  # of the log slope before any default is seen
_CLASSES: Final = 2


class Binary(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """An estimator of a probability; rows may hold NaN where nothing was known, never infinity.

    A subclass fits in ``_fit(X, y)`` with y of 0 and 1 and answers in ``_probability(X)``.
    """

    classes_: NDArray[Any]
    n_features_in_: int

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's names
        """Fit to rows and what became of them.

        Parameters
        ----------
        X : array_like of float64, shape (n, f)
        y : array_like, shape (n,)
            Two classes; the later in order is the default.

        Raises
        ------
        ValueError
            A value is infinite, or there are not two classes.
        """
        rows, fails = self._checked(X, y)
        self._fit(rows, fails)
        return self

    def _checked(self, X: ArrayLike, y: ArrayLike) -> tuple[Floats, Ints]:  # noqa: N803
        rows, labels = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        check_classification_targets(labels)
        if type_of_target(labels) != "binary" or len(np.unique(labels)) != _CLASSES:
            kind, found = type_of_target(labels), len(np.unique(labels))
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{kind}: {found} {'class' if found == 1 else 'classes'}."
            )
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        return rows, numbers.astype(np.int64)

    @abstractmethod
    def _fit(self, rows: Floats, fails: Ints) -> None: ...

    @abstractmethod
    def _probability(self, rows: Floats) -> Floats: ...

    def predict_proba(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the probability of both classes, shape (n, 2)."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        fails = self._probability(rows)
        return np.column_stack((1.0 - fails, fails))

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the likelier class of each row."""
        fails = self.predict_proba(X)[:, 1] > 0.5  # noqa: PLR2004 - a half
        likely: NDArray[Any] = self.classes_[fails.astype(int)]
        return likely

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags


def fitted_map(probability: Floats, fails: Ints) -> tuple[float, float]:
    """Return shift and slope of the map logit p → shift + slope · logit p that fits what happened.

    Parameters
    ----------
    probability : ndarray of float64, shape (n,)
        Predicted.
    fails : ndarray of int64, shape (n,)
        0 or 1; without any 1 (or any 0) nothing can be said and the map changes nothing.

    Returns
    -------
    shift, slope : float
        The slope is above 0, so that nobody changes places; it is drawn to 1 while there are few
        defaults.

    Notes
    -----
    J. C. Platt, "Probabilistic Outputs for Support Vector Machines", 1999, on log-odds, with a
    normal prior on the log slope.

    Examples
    --------
    >>> fitted_map(np.array([0.1, 0.2]), np.array([0, 0]))
    (0.0, 1.0)
    """
    from scipy.optimize import minimize

    if fails.min(initial=1) == fails.max(initial=0):
        return 0.0, 1.0
    odds = logit(probability)

    def loss(at: Floats) -> tuple[float, Floats]:
        slope = np.exp(at[1])
        mapped = at[0] + slope * odds
        wrong = expit(mapped) - fails
        value = np.logaddexp(0.0, mapped).sum() - (fails * mapped).sum()
        value += 0.5 * (at[1] / _SLOPE_SD) ** 2
        slant = (wrong * odds).sum() * slope + at[1] / _SLOPE_SD**2
        return float(value), np.array([wrong.sum(), slant])

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-20, 20), (-4, 4)])
    return float(found.x[0]), float(np.exp(found.x[1]))


def checked_signs(signs: Sequence[int] | None, n_features: int) -> Ints:
    """Return a sign for every feature, 0 where none is asked for.

    Raises
    ------
    ValueError
        Their number is not that of the features, or one is none of -1, 0, 1.

    Examples
    --------
    >>> checked_signs(None, 2).tolist()
    [0, 0]
    """
    found = np.zeros(n_features, np.int64) if signs is None else np.asarray(signs, np.int64)
    if found.shape != (n_features,) or not np.isin(found, (-1, 0, 1)).all():
        raise ValueError(f"{n_features} features need as many signs of -1, 0 or 1.")
    return found
