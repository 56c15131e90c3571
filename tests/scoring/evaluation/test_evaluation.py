"""The evaluation is the declared one, its figures are right, and its placebo is quiet by design."""

import dataclasses
import doctest
import importlib
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from scf.risk.evaluation.chains import place, stress
from scf.risk.placing import position
from scoring.evaluation import (
    ChainSettings,
    Contrast,
    TableSettings,
    auc,
    calibration,
    checked,
    contrast,
    is_nothing,
    judged_split,
    over_seeds,
    share_of_gap,
    without_repeats,
)
from scoring.features import NAMES, Position, features
from scoring.odds import logit
from scoring.simulate import TEST_WEEKS, morning_of, simulate

Floats = NDArray[np.float64]
FILE = Path(__file__).parents[3] / "config" / "risk_evaluation.toml"


@pytest.mark.parametrize("name", ["tables", "datasets", "summary", "pictures", "page"])
def test_the_examples_in_the_docstrings_run(name: str) -> None:
    tried = doctest.testmod(importlib.import_module(f"scoring.evaluation.{name}"))
    assert tried.attempted > 0
    assert tried.failed == 0


def declared() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def small() -> ChainSettings:
    """The declared evaluation with fewer firms, and a model that is quick to fit."""
    full = ChainSettings.from_mapping(declared()["chain"])
    quick = dataclasses.replace(full.learner, trees=10)
    return dataclasses.replace(full, firms=160, folds=2, learner=quick)


def test_the_generator_is_the_declared_one() -> None:
    settings = ChainSettings.from_mapping(declared()["chain"])
    assert settings.seeds == tuple(range(101, 121))
    assert len(settings.regimes) == 5
    assert settings.learner.blend().get_params()["leaves"] == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"generator": "ChainSim-2"}, "the generator is ChainSim-1"),
        ({"test_weeks": [260, 286]}, "test_weeks are declared"),
        ({"regimes": {"main": "0" * 64}}, "parameters of regime main"),
        ({"without": ["colour"]}, "colour is no declared feature"),
    ],
)
def test_an_evaluation_of_something_else_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        ChainSettings.from_mapping(declared()["chain"] | change)


def test_one_seed_is_judged_without_and_with_the_network(small: ChainSettings) -> None:
    fewer = dataclasses.replace(small, firms=100)
    first = contrast("high", 1, fewer, place, repeats=4, stress=stress)
    assert {"share_shuffled", "share_strangers", "share_oracle_twice"}.isdisjoint(first.figures())
    found = checked(first, fewer, place, twice=True)
    figures = found.figures()
    assert len(found.fails) == len(found.without) == len(found.having) == len(found.oracle)
    assert 0 < figures["failures"] < 0.2 * len(found.fails)
    assert set(found.weeks.tolist()) == set(TEST_WEEKS)
    assert figures["auc_without"] > 0.5
    assert figures["auc"] > 0.5
    assert (found.without != found.having).mean() > 0.9
    assert 0.3 < figures["realised_over_priced"] < 3
    columns = [getattr(found, field.name) for field in dataclasses.fields(found)]
    columns = [column for column in columns if isinstance(column, np.ndarray)]
    assert {column.shape for column in columns} == {(len(found.fails),), (11, 100)}
    assert (found.stressed >= found.without).mean() > 0.5
    assert found.stressed.sum() > found.without.sum()
    odds = (logit(found.boosting) + logit(found.scorecard)) / 2
    assert np.allclose(logit(found.having), odds)
    assert sum(found.deciles()["failures"]) == figures["failures"]
    for kind in ("tier", "sector", "week"):
        groups = [told for name, told in found.groups().items() if name.startswith(kind)]
        assert sum(told["priced"] for told in groups) == pytest.approx(figures["priced"])
    assert {"share_shuffled", "share_strangers", "share_oracle_twice"} <= set(figures)
    changed = dataclasses.replace(small, regimes={"high": "0" * 64})
    with pytest.raises(ValueError, match="regime high is not the declared one"):
        contrast("high", 1, changed, place)


def test_the_position_of_a_morning_reads_nothing_of_that_day() -> None:
    chain = simulate("high", 2, n_firms=60, weeks=80, keep=())
    t = morning_of(60)
    own = np.full(60, 0.02)
    tier = chain.world.tier.astype(np.float64)
    whole = position(chain.events, t, own, tier, seed=1, kappa=0.75)
    cut = position(chain.events.before(t), t, own, tier, seed=1, kappa=0.75)
    for field in dataclasses.fields(Position):
        assert np.array_equal(getattr(whole, field.name), getattr(cut, field.name), equal_nan=True)
    assert np.nanmax(whole.chain_hazard) > 0
    assert (whole.stressed_pd >= 0.02 - 1e-12).all()
    found = features(chain.events, t, whole)
    assert np.isfinite(found[:, NAMES.index("buyers_pd")]).mean() > 0.3


def test_the_share_of_the_gap_takes_the_oracles_noise_off() -> None:
    rng = np.random.default_rng(3)
    true = rng.beta(0.3, 10, 60_000)
    fails = (rng.random(60_000) < true).astype(np.int64)
    drawn = rng.binomial(20, true) / 20
    flat = np.full(60_000, fails.mean())
    assert share_of_gap(fails, flat, true, drawn, 20) == pytest.approx(1.0, abs=0.1)
    assert share_of_gap(fails, flat, flat, drawn, 20) == 0.0
    assert math.isnan(share_of_gap(fails, true, flat, flat, 20))


def test_a_table_is_judged_by_folds_that_did_not_see_a_row() -> None:
    full = TableSettings.from_mapping(declared()["polish"])
    assert full.seeds == tuple(range(1, 11))
    quick = dataclasses.replace(full.learner, trees=15)
    settings = dataclasses.replace(full, seeds=(1, 2), folds=3, inner_folds=2, learner=quick)
    rng = np.random.default_rng(6)
    rows = rng.standard_normal((500, 3))
    fails = (rng.random(500) < 1 / (1 + np.exp(2 - 1.5 * rows[:, 0]))).astype(np.int64)
    kept = without_repeats(np.vstack((rows, rows[:40])), np.concatenate((fails, fails[:40])))
    assert np.array_equal(kept[0], rows)
    found = judged_split(
        *kept, settings, 1, lambda seed: full.learner.blend().set_params(trees=seed)
    )
    figures = found.figures(found.told)
    low, high = found.interval(found.told)
    assert low < figures["pooled_auc"] < high
    assert figures["fold_auc"] > 0.7
    assert 0.8 < figures["realised_over_predicted"] < 1.25
    assert sorted(np.bincount(found.fold).tolist()) == [166, 167, 167]
    assert found.fold_auc(found.raw) == pytest.approx(figures["fold_auc"], abs=1e-9)
    assert found.fold_auc(found.peer) > 0.6
    assert not len(judged_split(*kept, settings, 2).peer)
    noise = judged_split(rows, rng.permutation(fails), settings, 1)
    low, high = noise.interval(noise.told)
    assert low < 0.5 < high or abs(auc(noise.told, noise.fails) - 0.5) < 0.08


def test_calibration_and_rank_are_the_ones_of_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(4)
    odds = rng.normal(-2, 1.5, 4_000)
    fails = (rng.random(4_000) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    told = 1 / (1 + np.exp(-2 * odds - 1))
    slope, ratio = calibration(told, fails)
    fitted = LogisticRegression(C=1e9, tol=1e-10).fit((2 * odds + 1)[:, None], fails)
    assert slope == pytest.approx(float(fitted.coef_[0, 0]), rel=1e-4)
    assert ratio == fails.sum() / told.sum()
    tied = np.round(told, 1)
    assert auc(tied, fails) == pytest.approx(roc_auc_score(fails, tied))
    assert math.isnan(auc(told, np.zeros(4_000, np.int64)))


def test_the_seed_is_the_unit() -> None:
    found = over_seeds(np.array([0.100, 0.113, 0.137, 0.118]))
    assert (round(found.mean, 3), round(found.sd, 3)) == (0.117, 0.015)  # risk.md 5.2
    assert found.low < 0.1 < found.high
    assert not is_nothing(np.array([0.02, 0.04, 0.06]), 0.05)
    with pytest.raises(ValueError, match="2 seeds, of which 1 have a figure"):
        over_seeds(np.array([0.1, math.nan]))


@pytest.mark.long
@pytest.mark.parametrize("regime", ["main", "high"])
def test_the_oracles_total_is_what_happens(regime: str) -> None:
    """Ten chains that no evaluation uses: the oracle's sum and the defaults, by seed."""
    settings = ChainSettings.from_mapping(declared()["chain"])
    ratios = []
    for seed in range(1, 11):
        chain = simulate(regime, seed, n_firms=settings.firms)
        told = sum(chain.oracle(week, 20)[chain.alive[week]].sum() for week in TEST_WEEKS)
        came = sum(chain.fails_after(week)[chain.alive[week]].sum() for week in TEST_WEEKS)
        ratios.append(came / told)
    found = over_seeds(np.array(ratios))
    assert found.low < 1 < found.high


def test_a_contrast_is_the_same_twice(small: ChainSettings) -> None:
    tiny = dataclasses.replace(small, firms=40)
    one, two = (contrast("main", 5, tiny, place, repeats=2) for _ in range(2))
    for field in dataclasses.fields(Contrast):
        first, second = getattr(one, field.name), getattr(two, field.name)
        np.testing.assert_array_equal(first, second, err_msg=field.name)
