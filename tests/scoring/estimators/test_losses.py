"""Days past due with intervals, dilution and losses."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from scoring.estimators import DaysPastDue, Dilution, LossGivenDefault, conformal_quantile


def test_the_golden_rank_and_too_little_history() -> None:
    """pricing.md 1.9: of 19 scores at 90 %, the 18th smallest."""
    scores = np.random.default_rng(1).permutation(np.arange(1.0, 20.0))
    assert conformal_quantile(scores, 0.1) == 18.0
    assert conformal_quantile(scores[:8], 0.1) == math.inf
    assert conformal_quantile(np.arange(9.0), 0.1) == 8.0


def items(seed: int, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Debtors whose lateness varies the more the later they are; integers as days are."""
    rng = np.random.default_rng(seed)
    rows = rng.uniform(0, 1, (n, 2))
    return rows, np.rint(rng.gamma(1.5, 4 + 16 * rows[:, 0])).astype(float)


def test_nine_of_ten_items_come_within_their_interval() -> None:
    model = DaysPastDue(trees=40).fit(*items(1, 2_000))
    rows, days = items(2, 4_000)
    low, high = model.interval(rows).T
    inside = ((days >= low) & (days <= high)).mean()
    assert abs(inside - 0.9) < 0.025
    late, early = rows[:, 0] > 0.8, rows[:, 0] < 0.2
    assert (high - low)[late].mean() > 1.5 * (high - low)[early].mean()
    assert model.predict(rows).mean() == pytest.approx(days.mean(), rel=0.08)


def test_a_group_has_its_own_interval_once_it_has_two_hundred_items() -> None:
    rows, days = items(3, 2_000)
    group = np.arange(2_000) % 2
    days = np.where(group == 1, 3 * days, days)
    model = DaysPastDue(trees=30).fit(rows, days, group)
    assert set(model.widening_) == {-1, 0, 1}
    assert model.widening_[1] > model.widening_[-1] > model.widening_[0]
    few = DaysPastDue(trees=30).fit(rows[:300], days[:300], group[:300])
    assert set(few.widening_) == {-1}
    same = few.interval(rows[:4], group[:4])
    assert same.tolist() == few.interval(rows[:4]).tolist()


def test_with_little_history_the_interval_is_open() -> None:
    model = DaysPastDue(trees=3).fit(*items(4, 20))
    assert np.isinf(model.interval(np.zeros((1, 2)))).all()
    assert np.isfinite(model.predict(np.zeros((1, 2)))).all()


def test_a_feature_known_only_lately_is_left_out() -> None:
    rows, days = items(7, 400)
    rows[:350, 1] = np.nan
    model = DaysPastDue(trees=3).fit(rows, days)
    assert np.isfinite(model.predict(rows)).all()
    blind = DaysPastDue(trees=3).fit(np.full((400, 1), np.nan), days)
    assert blind.predict([[1.0]])[0] == pytest.approx(days[:300].mean())


def test_dilution_is_drawn_to_the_mean_and_weighs_as_the_price_does() -> None:
    rng = np.random.default_rng(5)
    true = rng.beta(1, 30, 800)
    count = rng.integers(0, 40, 800)
    gross = count * 1_000.0
    credited = gross * rng.binomial(np.maximum(count, 1), true) / np.maximum(count, 1)
    model = Dilution().fit(np.column_stack((credited, gross, count)), true)
    assert model.share_ == pytest.approx(true.mean(), rel=0.01)
    assert model.weight_ > 1
    assert model.predict([[0, 0, 0]])[0] == model.share_
    k, share = model.weight_, model.share_
    wanted = (300 + k * share * 100) / (1_000 + k * 100)
    assert model.predict([[300, 1_000, 10]])[0] == pytest.approx(wanted)
    assert (model.predict([[5_000, 1_000, 10], [0, 1_000, 10]]) <= 1).all()


def test_losses_differ_by_technique_and_recourse_and_stay_within_bounds() -> None:
    rng = np.random.default_rng(6)
    cells = np.column_stack((rng.integers(0, 3, 900), rng.integers(0, 2, 900))).astype(float)
    mean = 0.2 + 0.2 * cells[:, 0] + 0.15 * (cells[:, 1] == 0)
    lost = np.clip(rng.normal(mean, 0.1), 0, 1)
    model = LossGivenDefault().fit(cells, lost)
    told = model.predict([[1, 0], [1, 1], [2, 0], [2, 1], [0, 1]])
    assert told[0] > told[1]
    assert told[2] > told[3]
    assert told[0] == pytest.approx(0.55, abs=0.04)
    assert told[4] == 0.25  # the bound
    assert model.predict([[1, 7]])[0] == pytest.approx(0.475, abs=0.04)  # its technique's mean
    assert LossGivenDefault().fit(cells[:1], [1.0]).predict([[0, 0]])[0] < 0.52
