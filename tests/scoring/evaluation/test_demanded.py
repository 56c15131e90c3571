"""What a validator asks of an evaluation: splits, placebos, groups, and an oracle that has settled.

The short form of each runs with the suite on small chains; the long form on a whole one, with seeds
that no evaluation uses.
"""

import dataclasses
import tomllib
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from config.settings import DEFAULTS
from scf.risk.evaluation.chains import place
from scoring.estimators import Blend
from scoring.evaluation import (
    ChainSettings,
    Contrast,
    TableSettings,
    auc,
    checked,
    contrast,
    judged,
    judged_split,
    over_seeds,
    shuffled_sales,
)
from scoring.evaluation.summary import regime_summary
from scoring.features import NAMES, features
from scoring.hazard import hazard_of
from scoring.odds import expit
from scoring.pricing import price
from scoring.schema import FirmRisk
from scoring.simulate import HORIZON, TEST_WEEKS, TRAIN_WEEKS, Chain, morning_of, simulate
from tests.scoring.quotes import POLICY, Q2

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DECLARED = tomllib.loads(DEFAULTS.with_name("risk_evaluation.toml").read_text(encoding="utf-8"))
FULL = ChainSettings.from_mapping(DECLARED["chain"])
FIRMS = 120


@pytest.fixture(scope="module")
def small() -> ChainSettings:
    quick = dataclasses.replace(FULL.learner, trees=10)
    return dataclasses.replace(FULL, firms=FIRMS, folds=2, learner=quick)


@pytest.fixture(scope="module")
def chain() -> Chain:
    return simulate("high", 4, n_firms=FIRMS)


@pytest.fixture(scope="module")
def found(chain: Chain, small: ChainSettings) -> Contrast:
    return of(chain, small)


def of(given: Chain, settings: ChainSettings) -> Contrast:
    return judged(given, "high", settings, place, repeats=2)


# --- Firms and times apart ------------------------------------------------------------------------


def test_what_happens_after_training_moves_no_probability(
    chain: Chain, small: ChainSettings, found: Contrast
) -> None:
    assert TRAIN_WEEKS[-1] + HORIZON <= TEST_WEEKS[0]
    later, earlier = chain.failed.copy(), chain.failed.copy()
    later[TEST_WEEKS[0] + 1 :] = ~later[TEST_WEEKS[0] + 1 :]
    earlier[60:66] = ~earlier[60:66]
    after = of(dataclasses.replace(chain, failed=later), small)
    before = of(dataclasses.replace(chain, failed=earlier), small)
    assert not np.array_equal(found.fails, after.fails)
    for name in ("own", "without", "having"):
        np.testing.assert_array_equal(getattr(found, name), getattr(after, name), err_msg=name)
        assert not np.array_equal(getattr(found, name), getattr(before, name), equal_nan=True)


def test_a_stranger_is_judged_by_a_model_that_never_saw_it(
    chain: Chain, small: ChainSettings, found: Contrast
) -> None:
    """Other fates of every second firm move the others' probabilities and not their own."""
    first = checked(found, small, place, twice=False, chain=chain)
    failed = chain.failed.copy()
    failed[60:66, ::2] = ~failed[60:66, ::2]
    other = dataclasses.replace(chain, failed=failed)
    second = checked(found, small, place, twice=False, chain=other)  # with the same own layer
    even = found.firms % 2 == 0
    for name in ("strangers_without", "strangers"):
        one, two = getattr(first, name), getattr(second, name)
        np.testing.assert_array_equal(one[even], two[even], err_msg=name)
        assert not np.array_equal(one[~even], two[~even])


# --- Placebos -------------------------------------------------------------------------------------


def test_permuted_edges_keep_the_shape_and_nobodys_own_buyers(chain: Chain) -> None:
    other = shuffled_sales(chain)
    world, n = chain.world, FIRMS
    was, now = chain.events.invoices.seller, other.events.invoices.seller
    for field in dataclasses.fields(chain.events.invoices):
        if field.name != "seller":
            kept = getattr(other.events.invoices, field.name)
            assert np.array_equal(kept, getattr(chain.events.invoices, field.name))
    to = np.full(n, -1)
    to[was] = now
    assert np.array_equal(to[was], now)  # a firm's sales go to one other firm, whole
    sellers = np.flatnonzero(to >= 0)
    assert len(set(to[sellers].tolist())) == len(sellers)
    buyers = np.bincount(world.seller[chain.visible], minlength=n)
    kinds = np.column_stack((world.tier, world.sector, buyers))
    assert np.array_equal(kinds[sellers], kinds[to[sellers]])
    _, number, size = np.unique(kinds, axis=0, return_inverse=True, return_counts=True)
    alone = size[number.ravel()] == 1
    assert np.array_equal(to[sellers] == sellers, alone[sellers])
    assert alone[sellers].mean() < 0.5
    t = morning_of(TEST_WEEKS[0])
    paying = [NAMES.index(name) for name in ("late_share", "worst_dpd", "margin")]
    mine, theirs = (features(one.events, t)[:, paying] for one in (chain, other))
    np.testing.assert_array_equal(mine, theirs)


def test_a_network_that_decides_is_found_and_its_permutation_is_not(
    chain: Chain, small: ChainSettings
) -> None:
    """Whose buyers pay late fails, in a world made so: only the true edges know."""
    failed = np.zeros_like(chain.failed)
    for week in (*TRAIN_WEEKS, *TEST_WEEKS):
        late = features(chain.events, morning_of(week))[:, NAMES.index("buyers_late_days")]
        failed[week + 1] = np.nan_to_num(late) >= np.nanquantile(late, 0.8)
    planted = dataclasses.replace(chain, failed=failed)
    found = of(planted, small)
    told = checked(found, small, place, twice=False, chain=planted).figures()
    assert told["auc_gain"] > 0.2
    assert told["auc_gain_shuffled"] < told["auc_gain"] / 2


def table(seed: int, rows: int) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, 8))
    fails = rng.random(rows) < expit(-2.6 + values[:, 0] - 0.7 * values[:, 1])
    return values, fails.astype(np.int64)


@pytest.mark.parametrize(
    ("rows", "trees", "times", "within"),
    [(1_200, 5, 3, 0.06), pytest.param(6_000, 60, 10, 0.02, marks=pytest.mark.long)],
)
def test_permuted_outcomes_are_not_predicted(
    rows: int, trees: int, times: int, within: float
) -> None:
    full = TableSettings.from_mapping(DECLARED["polish"])
    quick = dataclasses.replace(full.learner, trees=trees)
    settings = dataclasses.replace(full, folds=3, inner_folds=2, learner=quick)
    values, fails = table(1, rows)
    rng = np.random.default_rng(2)
    found = []
    for seed in range(times):
        mixed = judged_split(values, rng.permutation(fails), settings, seed)
        found.append(mixed.fold_auc(mixed.told))
    assert abs(np.mean(found) - 0.5) < within
    honest = judged_split(values, fails, settings, 1)
    assert honest.fold_auc(honest.told) > 0.7


@pytest.fixture(scope="module")
def mornings() -> tuple[Chain, dict[int, Floats]]:
    """A whole chain that no evaluation uses, with the features of its mornings."""
    whole = simulate("main", 1, n_firms=FULL.firms)
    none = np.full(FULL.firms, np.nan)
    found = {
        week: features(whole.events, morning_of(week), place(whole, week, none))
        for week in (*TRAIN_WEEKS, *TEST_WEEKS)
    }
    return whole, found


@pytest.mark.long
@pytest.mark.parametrize("apart", ["fates", "firms"])
def test_permuted_fates_of_a_whole_chain_are_not_predicted(
    mornings: tuple[Chain, dict[int, Floats]], apart: str
) -> None:
    """Each firm is given the fate of another: nothing is left to learn.

    The fate of a weak firm is weak in training and after, and a firm is known again by its size
    and age. So either the fates after training are borrowed anew, or other firms are judged.
    """
    whole, found = mornings
    rng = np.random.default_rng(3)
    everybody = np.ones(FULL.firms, np.bool_)

    def rows(some: tuple[int, ...], fate: Ints, who: NDArray[np.bool_]) -> tuple[Floats, Ints]:
        here = [whole.alive[week] & who for week in some]
        pairs = list(zip(some, here, strict=True))
        came = [whole.fails_after(week)[fate][firms] for week, firms in pairs]
        stacked = np.vstack([found[week][firms] for week, firms in pairs])
        return stacked, np.concatenate(came).astype(np.int64)

    told = []
    for _ in range(20):
        before = rng.permutation(FULL.firms)
        after = rng.permutation(FULL.firms) if apart == "fates" else before
        half = rng.random(FULL.firms) < 0.5 if apart == "firms" else everybody
        model = FULL.learner.blend().fit(*rows(TRAIN_WEEKS, before, half))
        others = ~half if apart == "firms" else everybody
        tests, fails = rows(TEST_WEEKS, after, others)
        told.append(auc(model.predict_proba(tests)[:, 1], fails))
    assert abs(np.mean(told) - 0.5) < 0.02


# --- Groups ---------------------------------------------------------------------------------------


def result(seed: int, wrong: int | None = None) -> Contrast:
    """A perfect model of a thousand firms, or one that knows a sector at half its risk."""
    rng = np.random.default_rng(seed)
    n = 3_000
    true = rng.beta(1, 20, n)
    sectors = rng.integers(0, 8, n)
    told = np.where(sectors == wrong, true / 2, true)
    same = ("without", "having", "oracle", "boosting_without", "boosting", "stressed")
    columns: dict[str, Any] = dict.fromkeys((*same, "scorecard_without", "scorecard"), told)
    return Contrast(
        regime="main", seed=seed, firms=np.arange(n), weeks=np.repeat(TEST_WEEKS, n // 3),
        tiers=rng.integers(0, 4, n), sectors=sectors,
        fails=(rng.random(n) < true).astype(np.int64), **columns, own=np.zeros((1, 1)), repeats=200,
    )  # fmt: skip


def ratios(results: list[Contrast]) -> dict[str, float]:
    groups = regime_summary(results)["groups"]
    return {name: told["failures"] / told["priced"] for name, told in groups.items()}


def test_a_group_that_is_priced_wrong_stands_out_in_its_own_row() -> None:
    fair = ratios([result(seed) for seed in range(20)])
    assert len(fair) == 4 + 8 + 3
    assert all(0.85 < ratio < 1.15 for ratio in fair.values())
    skewed = ratios([result(seed, wrong=5) for seed in range(20)])
    assert skewed.pop("sector 5") > 1.7
    assert all(ratio < 1.2 for ratio in skewed.values())
    below = regime_summary([result(1)])["below_floor_share"]
    told = result(1).having
    assert below == pytest.approx((1 - (1 - told) ** 2 < 0.0005).mean())
    assert below > 0


def test_groups_of_equal_loss_pay_the_same() -> None:
    """Young firms that fail no oftener than old ones are priced no dearer, with age in the rows."""
    rng, rows = np.random.default_rng(5), 6_000
    young = rng.random(rows) < 0.3
    values = np.column_stack((rng.standard_normal(rows), np.where(young, 1.0, 9.0)))
    values[:, 1] += rng.random(rows)
    fails = (rng.random(rows) < expit(-3.0 + values[:, 0])).astype(np.int64)
    early = np.arange(rows) < rows // 2
    model = Blend(signs=(1, -1), trees=20).fit(values[early], fails[early])
    told = model.predict_proba(values[~early])[:, 1]

    def rate(group: NDArray[np.bool_]) -> int:
        hazard = hazard_of(float(told[group[~early]].mean()))
        item = dataclasses.replace(Q2, obligor=FirmRisk(0.75 * hazard, hazard))
        priced = price(item, POLICY).rate_bp
        assert priced is not None
        return priced

    realised = [fails[~early][group[~early]].mean() for group in (young, ~young)]
    assert abs(realised[0] / realised[1] - 1) < 0.25  # the draw itself is fair
    assert abs(rate(young) / rate(~young) - 1) < 0.12


# --- The oracle -----------------------------------------------------------------------------------


def test_the_oracle_of_twice_the_runs_differs_by_its_noise_and_no_more(chain: Chain) -> None:
    few, many = chain.oracle(260, 30), chain.oracle(260, 60)
    assert not np.array_equal(few, many)
    assert np.array_equal(few * 30, np.rint(few * 30))
    # The second half is as good as the first: the same chance, drawn anew.
    rest = 2 * many - few
    noise = 2 * float((many * (1 - many)).mean()) / 30
    assert float(((few - rest) ** 2).mean()) == pytest.approx(noise, rel=0.35)


@pytest.mark.long
def test_twice_the_runs_of_the_oracle_hardly_move_the_share() -> None:
    found = contrast("main", 1, FULL, place)
    told = checked(found, FULL, place, twice=True).figures()
    most = FULL.goals["oracle_doubling_moves_share_by"]
    assert abs(told["share_oracle_twice"] - told["share"]) < most


PRICED_TOO_LOW: Final = (
    "a finding: firms of tier 2 fail oftener than priced (the page on accuracy, Main by tier)"
)


@pytest.fixture(scope="module")
def tiers() -> dict[str, list[float]]:
    """Realised over priced of six chains by tier; the model saw none of these weeks."""
    each: dict[str, list[float]] = {"tier 2": [], "tier 3": []}
    for seed in range(1, 7):
        groups = contrast("main", seed, FULL, place, repeats=2).groups()
        for name, values in each.items():
            values.append(groups[name]["failures"] / groups[name]["priced"])
    return each


@pytest.mark.long
@pytest.mark.parametrize(
    "tier",
    [
        pytest.param("tier 2", marks=pytest.mark.xfail(strict=True, reason=PRICED_TOO_LOW)),
        "tier 3",
    ],
)
def test_a_tier_of_chains_that_no_evaluation_uses_is_priced_right(
    tiers: dict[str, list[float]], tier: str
) -> None:
    told = over_seeds(np.array(tiers[tier]))
    assert told.low < 1 < told.high
