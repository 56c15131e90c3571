"""scikit-learn's own checks of every estimator."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import check_estimator

from scoring.estimators import (
    Blend,
    Boosting,
    Calibrated,
    ColdStart,
    DaysPastDue,
    Dilution,
    HazardCurves,
    LossGivenDefault,
    Scorecard,
)

# What needs a library that is not installed with us: pandas, and an array API other than numpy's.
ELSEWHERE = {
    "check_array_api_input",
    "check_classifier_data_not_an_array",
    "check_regressor_data_not_an_array",
    "check_sample_weights_pandas_series",
}


@pytest.mark.parametrize(
    "estimator",
    [
        Scorecard(),
        Boosting(trees=4),
        Blend(trees=4),
        Calibrated(Scorecard(), folds=2),
        HazardCurves(Scorecard()),
        DaysPastDue(trees=3),
        LossGivenDefault(),
        Dilution(),
        ColdStart(),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.filterwarnings("default")
def test_an_estimator_keeps_the_conventions(estimator: Any) -> None:  # noqa: ANN401
    results = check_estimator(estimator, on_skip=None)  # a failed check raises
    assert {r["check_name"] for r in results if r["status"] == "skipped"} <= ELSEWHERE
    assert sum(r["status"] == "passed" for r in results) >= 40
