"""Default probability by time: twelve conditional probabilities, so that horizons are in order."""

from collections.abc import Sequence
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from scoring.estimators.binary import fitted_map
from scoring.estimators.default import Blend
from scoring.hazard import YEAR_DAYS, Curve
from scoring.odds import Floats, Ints, expit, logit

STARTS: Final = tuple(range(0, 360, 30))
ENDS: Final = (*STARTS[1:], YEAR_DAYS)
HORIZONS: Final = (90, 180, 365)


class HazardCurves(BaseEstimator):  # type: ignore[misc]
    """The chance to fail in each month of a year, given no failure before.

    A firm gives one row for each month that it lived through or failed in; the number of the month
    stands beside its features. The chance to fail within d days is one less the product of living
    on, so a longer horizon never has the smaller chance.

    Parameters
    ----------
    estimator : Binary, optional
        Of a month; `Blend` if left out. With signs, the last one is that of the month, 0.

    Attributes
    ----------
    shift_, slope_ : float
        One map of log-odds for all months (`calibrate`).
    """

    def __init__(self, estimator: Any = None) -> None:  # noqa: ANN401
        self.estimator = estimator

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Fit to firms and when they failed.

        Parameters
        ----------
        X : array_like of float64, shape (n, f)
            On the morning of a snapshot; NaN where nothing was known.
        y : array_like of float64, shape (n,)
            Days until the failure, above 0. Of a firm that did not fail while it was watched, the
            days that it was watched, negative.
        """
        rows, days = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", y_numeric=True
        )
        self.shift_, self.slope_ = 0.0, 1.0
        months, fails = self._months(rows, days)
        self.constant_ = (fails.sum() + 0.5) / (len(fails) + 1.0)
        self.estimator_ = None
        if 0 < fails.sum() < len(fails):
            model = Blend() if self.estimator is None else clone(self.estimator)
            self.estimator_ = model.fit(months, fails)
        return self

    def calibrate(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803
        """Put the curves right on a later snapshot, all months by one rising map."""
        check_is_fitted(self)
        rows, days = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )
        months, fails = self._months(rows, np.asarray(days, np.float64))
        self.shift_, self.slope_ = fitted_map(self._raw(months), fails)
        return self

    def hazards(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the chance to fail in each month, shape (n, 12)."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, ensure_all_finite="allow-nan", reset=False)
        n, bins = len(rows), len(STARTS)
        months = np.hstack((np.repeat(rows, bins, axis=0), np.tile(np.arange(bins), n)[:, None]))
        mapped = expit(self.shift_ + self.slope_ * logit(self._raw(months)))
        return mapped.reshape(n, bins)

    def pd_within(self, X: ArrayLike, days: Sequence[int] = HORIZONS) -> Floats:  # noqa: N803
        """Return the chance to fail within each of some days, shape (n, len(days)).

        Raises
        ------
        ValueError
            Days are not between 0 and 365: beyond, a person decides.
        """
        alive = np.log1p(-self.hazards(X))
        found = np.empty((len(alive), len(days)))
        for column, within in enumerate(days):
            if not 0 <= within <= YEAR_DAYS:
                raise ValueError("days lie between 0 and 365; beyond, a person decides.")
            inside = np.clip(within - np.array(STARTS), 0, np.array(ENDS) - STARTS)
            found[:, column] = -np.expm1(alive @ (inside / (np.array(ENDS) - STARTS)))
        return found

    def predict(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return the chance to fail within a year, shape (n,)."""
        return self.pd_within(X, (YEAR_DAYS,))[:, 0]

    def curves(self, X: ArrayLike) -> list[Curve]:  # noqa: N803
        """Return the curves as the price reads them."""
        return [Curve(tuple(row)) for row in self.hazards(X).tolist()]

    def _raw(self, months: Floats) -> Floats:
        if self.estimator_ is None:
            return np.full(len(months), self.constant_)
        return np.asarray(self.estimator_.predict_proba(months)[:, 1])

    def _months(self, rows: Floats, days: Floats) -> tuple[Floats, Ints]:
        """Give one row for each firm and month that it lived through or failed in."""
        watched, failed = np.abs(days), days > 0
        parts, labels = [], []
        for number, (start, end) in enumerate(zip(STARTS, ENDS, strict=True)):
            here = failed & (watched > start) & (watched <= end)
            used = here | (watched >= end)
            parts.append(np.column_stack((rows[used], np.full(used.sum(), number))))
            labels.append(here[used])
        return np.vstack(parts), np.concatenate(labels).astype(np.int64)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags
