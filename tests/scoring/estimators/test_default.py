"""Probabilities of default: monotone, put right later, in order of horizon, cautious."""

import doctest
import importlib
import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import poisson

from scoring.estimators import (
    HORIZONS,
    Blend,
    Boosting,
    Calibrated,
    ColdStart,
    HazardCurves,
    Scorecard,
    add_on,
    cautious,
    drawn_to_prior,
)
from scoring.estimators.binary import fitted_map
from scoring.odds import expit, logit

Floats = NDArray[np.float64]
SIGNS = (1, -1, 0, 1)


@pytest.mark.parametrize("name", ["binary", "default", "curves", "late", "shares"])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"scoring.estimators.{name}"))
    assert tried.attempted > 0 or name == "curves"
    assert tried.failed == 0


def book(seed: int, n: int = 1_500, shift: float = 0.0) -> tuple[Floats, NDArray[np.int64]]:
    """Firms with three telling features, one without meaning, and values that are missing."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 4))
    odds = -2.5 + shift + 1.2 * rows[:, 0] - 0.8 * rows[:, 1] + 0.3 * rows[:, 2] ** 2
    fails = (rng.random(n) < expit(odds)).astype(np.int64)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    return rows, fails


def auc(told: Floats, fails: NDArray[np.int64]) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(fails, told))


@pytest.fixture(scope="module")
def blend() -> Blend:
    return Blend(signs=SIGNS, trees=40).fit(*book(1))


def test_no_curve_of_ten_thousand_turns_against_its_sign(blend: Blend) -> None:
    """Each curve moves one feature over its range, the others at a random firm's values."""
    rng = np.random.default_rng(2)
    steps = np.linspace(-4, 4, 9)
    rows, _ = book(3, 10_000)
    feature = rng.choice([0, 1, 3], len(rows))
    swept = np.repeat(rows[:, None, :], len(steps), axis=1)
    swept[np.arange(len(rows))[:, None], np.arange(len(steps)), feature[:, None]] = steps
    told = blend.predict_proba(swept.reshape(-1, 4))[:, 1].reshape(len(rows), len(steps))
    rise = np.diff(told, axis=1) * np.array(SIGNS)[feature][:, None]
    assert (rise >= -1e-15).all()
    assert (np.diff(told, axis=1) != 0).any(axis=1).mean() > 0.5


def test_a_scorecard_leaves_out_what_would_turn_against_its_sign() -> None:
    rows, fails = book(4)
    card = Scorecard(signs=(-1, -1, 0, 1)).fit(rows, fails)
    assert card.coef_[0] == 0.0
    assert card.coef_[1] < 0
    free = Scorecard().fit(rows, fails)
    assert free.coef_[0] > 0
    one = rows[:5]
    parts = card.contributions(one)
    assert np.allclose(expit(card.intercept_ + parts.sum(axis=1)), card.predict_proba(one)[:, 1])


def test_firms_of_whom_nothing_is_known_get_an_answer_and_infinite_values_none(
    blend: Blend,
) -> None:
    told = blend.predict_proba(np.full((1, 4), np.nan))[0, 1]
    assert 0 < told < 1
    with pytest.raises(ValueError, match="infinity"):
        blend.predict_proba([[math.inf, 0, 0, 0]])
    with pytest.raises(ValueError, match="4 features need as many signs"):
        Blend(signs=(1,)).fit(*book(1, 50))


def test_a_feature_that_was_never_known_is_no_reason() -> None:
    rows, fails = book(5, 400)
    rows[:, 3] = np.nan
    trees = Boosting(trees=3).fit(rows, fails)
    assert np.isfinite(trees.predict_proba(book(6, 20)[0])).all()
    silent = Boosting(trees=3).fit(np.full((9, 2), np.nan), np.arange(9) % 2)
    assert silent.predict_proba([[1.0, np.nan]])[0, 1] == pytest.approx(4 / 9)
    card = Scorecard().fit(rows, fails)
    assert (card.coef_[3], card.missing_coef_[3]) == (0.0, 0.0)
    assert np.isfinite(card.predict_proba(book(6, 20)[0])).all()


def test_the_blend_is_the_mean_in_log_odds(blend: Blend) -> None:
    rows, fails = book(7, 30)
    card = Scorecard(signs=SIGNS).fit(*book(1)).predict_proba(rows)[:, 1]
    trees = Boosting(SIGNS, trees=40).fit(*book(1)).predict_proba(rows)[:, 1]
    told = blend.predict_proba(rows)[:, 1]
    assert np.allclose(logit(told), (logit(card) + logit(trees)) / 2)
    assert auc(told, fails) > 0.5


def test_permuted_labels_teach_nothing() -> None:
    rows, fails = book(8, 3_000)
    mixed = np.random.default_rng(9).permutation(fails)
    later, came = book(10, 3_000)
    told = Blend(signs=SIGNS, trees=20).fit(rows, mixed).predict_proba(later)[:, 1]
    honest = Blend(signs=SIGNS, trees=20).fit(rows, fails).predict_proba(later)[:, 1]
    assert abs(auc(told, np.random.default_rng(11).permutation(came)) - 0.5) < 0.05
    assert auc(honest, came) > 0.75


def test_a_later_snapshot_puts_the_level_right_and_changes_no_order() -> None:
    early, failed = book(12)
    late, came = book(13, shift=1.0)
    rows, fails = np.vstack((early, late)), np.concatenate((failed, came))
    taken = np.repeat([52, 78], len(early))
    model = Calibrated(Blend(trees=30)).fit(rows, fails, taken)
    plain = Blend(trees=30).fit(early, failed)
    test, happened = book(14, shift=1.0)
    told, before = model.predict_proba(test)[:, 1], plain.predict_proba(test)[:, 1]
    assert before.sum() < 0.75 * happened.sum()
    assert 0.85 < happened.sum() / told.sum() < 1.15
    assert model.slope_ > 0
    order = np.argsort(before, kind="stable")
    assert (np.diff(told[order]) >= 0).all()


def test_a_snapshot_without_defaults_changes_nothing() -> None:
    rows, fails = book(15, 400)
    quiet = np.zeros(100, np.int64)
    taken = np.repeat([1, 2], [400, 100])
    model = Calibrated(Scorecard()).fit(
        np.vstack((rows, rows[:100])), np.concatenate((fails, quiet)), taken
    )
    assert (model.shift_, model.slope_) == (0.0, 1.0)
    assert fitted_map(np.array([0.2]), np.array([1])) == (0.0, 1.0)
    with pytest.raises(ValueError, match="3 snapshots for 400 rows"):
        Calibrated(Scorecard()).fit(rows, fails, [1, 2, 3])


def test_calibration_within_folds_finds_the_map_back() -> None:
    rng = np.random.default_rng(16)
    true = expit(rng.normal(-2, 1, 20_000))
    came = (rng.random(20_000) < true).astype(np.int64)
    shift, slope = fitted_map(expit(0.5 * logit(true) - 1.0), came)
    assert shift == pytest.approx(2.0, abs=0.25)
    assert slope == pytest.approx(2.0, abs=0.15)


# --- Curves ---------------------------------------------------------------------------------------


def lives(seed: int, n: int = 1_200) -> tuple[Floats, Floats]:
    """Firms with a constant hazard each; some are watched for less than a year."""
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n, 2))
    hazard = 0.15 * np.exp(1.0 * rows[:, 0])
    failed = rng.exponential(365 / hazard)
    watched = np.where(rng.random(n) < 0.2, rng.uniform(10, 365, n), 365.0)
    return rows, np.where(failed <= watched, np.maximum(failed, 0.5), -watched)


def test_a_longer_horizon_never_has_the_smaller_chance() -> None:
    curves = HazardCurves(Blend(signs=(1, 0, 0), trees=20)).fit(*lives(1))
    rows = np.random.default_rng(2).normal(0, 3, (10_000, 2))
    told = curves.pd_within(rows, (0, 30, 45, *HORIZONS))
    assert (told[:, 0] == 0).all()
    assert (np.diff(told, axis=1) >= 0).all()
    assert (told < 1).all()
    assert (curves.predict(rows) == told[:, -1]).all()


def test_a_curve_is_the_one_that_the_price_reads() -> None:
    curves = HazardCurves(Scorecard()).fit(*lives(3))
    rows = np.zeros((1, 2))
    curve = curves.curves(rows)[0]
    for days in (1, 30, 95, 185, 364, 365):
        assert curve.pd_within(days) == pytest.approx(curves.pd_within(rows, (days,))[0, 0])
    with pytest.raises(ValueError, match="beyond, a person decides"):
        curves.pd_within(rows, (366,))


def test_a_curve_tells_what_happens_within_a_year_although_some_leave_early() -> None:
    curves = HazardCurves(Scorecard()).fit(*lives(4, 6_000))
    rows = np.random.default_rng(5).standard_normal((4_000, 2))
    true = 1 - np.exp(-0.15 * np.exp(rows[:, 0]))
    assert curves.predict(rows).mean() == pytest.approx(true.mean(), rel=0.1)


def test_one_map_puts_all_months_right() -> None:
    curves = HazardCurves(Scorecard()).fit(*lives(6, 4_000))
    rows, days = lives(7, 4_000)
    worse = np.where(days > 0, days / 2, days)
    before = curves.predict(rows).mean()
    curves.calibrate(rows, worse)
    assert curves.slope_ > 0
    assert curves.predict(rows).mean() >= before
    assert (np.diff(curves.pd_within(rows), axis=1) >= 0).all()


# --- Caution --------------------------------------------------------------------------------------


def test_a_firm_without_history_is_judged_as_firms_like_it() -> None:
    rng = np.random.default_rng(20)
    rows = np.column_stack((rng.integers(0, 3, 6_000), rng.integers(0, 2, 6_000))).astype(float)
    chance = np.array([0.01, 0.05, 0.15])[rows[:, 0].astype(int)] * (1 + rows[:, 1])
    fails = (rng.random(6_000) < chance).astype(np.int64)
    start = ColdStart(weight=50).fit(rows, fails)
    told = start.predict_proba([[2.0, 1.0], [2.0, 9.0], [9.0, 9.0], [np.nan, 0.0]])[:, 1]
    assert told[0] == pytest.approx(0.3, abs=0.04)
    assert told[1] == pytest.approx(0.225, abs=0.04)  # only its first class is known
    assert told[2] == told[3] == pytest.approx(fails.mean(), rel=0.02)
    few = ColdStart(weight=50).fit(rows[:40], fails[:40] | (np.arange(40) == 0))
    assert (few.predict_proba(rows[:40])[:, 1] < 0.5).all()


def test_history_takes_over_from_the_prior() -> None:
    seen = np.array([np.nan, 0.0, 6.0, 60.0])
    told = drawn_to_prior(np.full(4, 0.001), np.full(4, 0.05), seen, 12)
    assert told[0] == told[1] == pytest.approx(0.05)
    assert (np.diff(told[1:]) < 0).all()
    assert told[3] > 0.001


@pytest.mark.parametrize(("fails", "expected"), [(0, 3.0), (7, 5.0), (40, 60.0)])
def test_the_add_on_covers_what_few_defaults_leave_open(fails: int, expected: float) -> None:
    upper = expected * (1 + add_on(fails, expected))
    if upper > expected:
        assert poisson.cdf(fails, upper) == pytest.approx(0.1)
    else:
        assert poisson.cdf(fails, expected) <= 0.1
    with pytest.raises(ValueError, match="above 0"):
        add_on(1, 0.0)


def test_a_floor_that_binds_is_told() -> None:
    told, binds = cautious(np.array([0.001, 0.9, 0.99]), floor=0.003, extra=0.2)
    assert told.tolist() == [0.003, 1.0, 1.0]
    assert binds.tolist() == [True, False, False]
