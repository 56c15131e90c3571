"""One simulated chain, judged by the same model without and with the network."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from scoring.evaluation.settings import ChainSettings
from scoring.features import NAMES, Position, features, named
from scoring.metrics import auc, brier, calibration, share_of_gap
from scoring.odds import Floats, Ints
from scoring.simulate import (
    HORIZON,
    REGIMES,
    TEST_WEEKS,
    TRAIN_WEEKS,
    Chain,
    digest,
    morning_of,
    simulate,
)

if TYPE_CHECKING:
    from scoring.estimators import Blend

# From a chain, the week of a snapshot and everybody's own one-year probability (NaN when out) to
# what the graph of that morning says; given by the caller, since this package knows no graph.
Place = Callable[[Chain, int, Floats], Position]

# From a chain, the week of a snapshot and everybody's own probability within the horizon to the
# probability in the worst hundredth of years, with the chain; given by the caller likewise.
Stress = Callable[[Chain, int, Floats], Floats]

_SHUFFLED_FROM: Final = 20_000  # plus the seed: what the permuted edges are drawn from


def nothing() -> Floats:
    """Return the column of what was not asked for."""
    return np.zeros(0)


@dataclasses.dataclass(frozen=True)
class Contrast:
    """What one chain said; columns of one row a firm and test week, empty where not asked for.

    Attributes
    ----------
    regime : str
    seed : int
    firms : ndarray of int64, shape (n,)
        Firm of each test row.
    weeks : ndarray of int64, shape (n,)
        Week of its snapshot.
    tiers, sectors : ndarray of int64, shape (n,)
        Tier 0: anchor.
    fails : ndarray of int64, shape (n,)
    without, having, oracle : ndarray of float64, shape (n,)
        Probability of a default within 26 weeks.
    boosting_without, boosting, scorecard_without, scorecard : ndarray of float64, shape (n,)
        By the two halves of the blends, each alone, without and with the network.
    stressed : ndarray of float64, shape (n,)
        In the worst hundredth of years.
    own : ndarray of float64, shape (snapshots, firms)
        One-year probability of each firm's own layer that the network's features begin from; NaN
        for a firm that is out.
    shuffled : ndarray of float64, shape (n,)
        By a blend with the network of a chain whose edges were permuted.
    strangers_without, strangers : ndarray of float64, shape (n,)
        By blends that saw, in earlier years too, only other firms.
    oracle_twice : ndarray of float64, shape (n,)
        Of twice the runs.
    repeats : int
        Runs of the oracle.
    """

    regime: str
    seed: int
    firms: Ints
    weeks: Ints
    tiers: Ints
    sectors: Ints
    fails: Ints
    without: Floats
    having: Floats
    oracle: Floats
    boosting_without: Floats
    boosting: Floats
    scorecard_without: Floats
    scorecard: Floats
    stressed: Floats
    own: Floats
    repeats: int
    shuffled: Floats = dataclasses.field(default_factory=nothing)
    strangers_without: Floats = dataclasses.field(default_factory=nothing)
    strangers: Floats = dataclasses.field(default_factory=nothing)
    oracle_twice: Floats = dataclasses.field(default_factory=nothing)

    def figures(self) -> dict[str, float]:
        """Return what is reported of a seed; what was not asked for is left out."""
        slope, ratio = calibration(self.having, self.fails)
        before_slope, before = calibration(self.without, self.fails)
        found = {
            "share": self.share(self.without, self.having),
            "auc_gain": auc(self.having, self.fails) - auc(self.without, self.fails),
            "auc": auc(self.having, self.fails),
            "brier": brier(self.having, self.fails),
            "slope": slope,
            "realised_over_priced": ratio,
            "auc_without": auc(self.without, self.fails),
            "brier_without": brier(self.without, self.fails),
            "slope_without": before_slope,
            "realised_over_priced_without": before,
            "share_boosting": self.share(self.boosting_without, self.boosting),
            "share_scorecard": self.share(self.scorecard_without, self.scorecard),
            "auc_gain_boosting": auc(self.boosting, self.fails)
            - auc(self.boosting_without, self.fails),
            "auc_gain_scorecard": auc(self.scorecard, self.fails)
            - auc(self.scorecard_without, self.fails),
            "auc_oracle": auc(self.oracle, self.fails),
            "rows": float(len(self.fails)),
            "failures": float(self.fails.sum()),
            "priced": float(self.having.sum()),
            "oracle_total": float(self.oracle.sum()),
        }
        if len(self.shuffled):
            found["share_shuffled"] = self.share(self.without, self.shuffled)
            found["auc_gain_shuffled"] = auc(self.shuffled, self.fails) - found["auc_without"]
        if len(self.strangers):
            found["share_strangers"] = self.share(self.strangers_without, self.strangers)
            found["auc_strangers"] = auc(self.strangers, self.fails)
        if len(self.oracle_twice):
            found["share_oracle_twice"] = share_of_gap(
                self.fails, self.without, self.having, self.oracle_twice, 2 * self.repeats
            )
        if len(self.stressed):
            found["stressed_total"] = float(self.stressed.sum())
        return found

    def share(self, without: Floats, having: Floats) -> float:
        """Return the share of the gap between a model and the oracle that another one closes."""
        return share_of_gap(self.fails, without, having, self.oracle, self.repeats)

    def deciles(self) -> dict[str, list[float]]:
        """Return rows, failures and the sum priced in each tenth, the least risky first."""
        order = np.argsort(self.having, kind="stable")
        parts = np.array_split(order, 10)
        return {
            "rows": [float(len(part)) for part in parts],
            "failures": [float(self.fails[part].sum()) for part in parts],
            "priced": [float(self.having[part].sum()) for part in parts],
        }

    def groups(self) -> dict[str, dict[str, float]]:
        """Return failures and the sum priced of each tier and each test week."""
        found = {}
        segments = {"tier": self.tiers, "sector": self.sectors, "week": self.weeks}
        for name, column in segments.items():
            for value in np.unique(column).tolist():
                here = column == value
                found[f"{name} {value}"] = {
                    "rows": float(here.sum()),
                    "failures": float(self.fails[here].sum()),
                    "priced": float(self.having[here].sum()),
                }
        return found


def contrast(
    name: str,
    seed: int,
    settings: ChainSettings,
    place: Place,
    *,
    repeats: int | None = None,
    stress: Stress | None = None,
) -> Contrast:
    """Simulate a chain, train on its early years without and with the network, test on its late.

    Parameters
    ----------
    name : str
        Regime, one of those declared.
    seed : int
    settings : ChainSettings
    place : callable
        Gives `Position` from (chain, week, own probabilities).
    repeats : int, optional
        Of the oracle, in place of the declared number.
    stress : callable, optional
        Gives probabilities in the worst years from (chain, week, own probabilities).

    Returns
    -------
    Contrast

    Raises
    ------
    ValueError
        The regime was not declared, or its parameters have changed.

    """
    if settings.regimes.get(name) != digest(REGIMES[name]):
        raise ValueError(f"regime {name} is not the declared one.")
    chain = simulate(name, seed, n_firms=settings.firms)
    return judged(chain, name, settings, place, repeats=repeats, stress=stress)


def judged(
    chain: Chain,
    name: str,
    settings: ChainSettings,
    place: Place,
    *,
    repeats: int | None = None,
    stress: Stress | None = None,
) -> Contrast:
    """Judge a chain that is there; the parameters are those of `contrast`.

    Notes
    -----
    The own probabilities of training rows come from models that saw no row of the same firm; those
    of test rows from the model without the network. Nothing of a test row enters before its day.
    """
    weeks = (*TRAIN_WEEKS, *TEST_WEEKS)
    few = _without_network(chain, settings)
    own, alone = _own(chain, few, settings)
    few_tests, happened, firms, taken = _rows(chain, few, TEST_WEEKS)
    without = alone.predict_proba(few_tests)[:, 1]
    many = _with_network(chain, own, place)
    full = _fitted(chain, many, settings, NAMES)
    tests = _rows(chain, many, TEST_WEEKS)[0]
    worst = nothing()
    if stress is not None:
        within = {week: np.full(len(chain.world.tier), np.nan) for week in TEST_WEEKS}
        for week in TEST_WEEKS:
            within[week][firms[taken == week]] = without[taken == week]
        told = {week: stress(chain, week, within[week]) for week in TEST_WEEKS}
        worst = _of_alive(chain, told)
    repeats = settings.oracle_repeats if repeats is None else repeats
    return Contrast(
        regime=name,
        seed=chain.seed,
        firms=firms,
        weeks=taken,
        tiers=chain.world.tier[firms],
        sectors=chain.world.sector[firms],
        fails=happened,
        without=without,
        having=full.predict_proba(tests)[:, 1],
        oracle=_foretold(chain, repeats),
        **_halves("_without", alone, few_tests),
        **_halves("", full, tests),
        stressed=worst,
        own=np.array([own[week] for week in weeks]),
        repeats=repeats,
    )


def checked(
    found: Contrast,
    settings: ChainSettings,
    place: Place,
    *,
    twice: bool,
    chain: Chain | None = None,
) -> Contrast:
    """Hold a contrast against permuted edges and models that never saw the firm.

    Parameters
    ----------
    found : Contrast
        Of these settings.
    settings : ChainSettings
    place : callable
        As for `contrast`.
    twice : bool
        Also ask the oracle twice as often.
    chain : Chain, optional
        That was judged, where it is at hand; it is drawn again otherwise.

    Returns
    -------
    Contrast
        The same, with the columns that were empty.
    """
    if chain is None:
        chain = simulate(found.regime, found.seed, n_firms=settings.firms)
    weeks = (*TRAIN_WEEKS, *TEST_WEEKS)
    own = dict(zip(weeks, found.own, strict=True))
    few = _without_network(chain, settings)
    columns = [NAMES.index(feature) for feature in settings.without]
    other = _with_network(shuffled_sales(chain), own, place)
    for week, rows in other.items():
        rows[:, columns] = few[week]  # what a firm does and reports stays its own
    model = _fitted(chain, other, settings, NAMES)
    many = _with_network(chain, own, place)
    return dataclasses.replace(
        found,
        shuffled=model.predict_proba(_rows(chain, other, TEST_WEEKS)[0])[:, 1],
        strangers_without=_strangers(chain, few, settings, settings.without),
        strangers=_strangers(chain, many, settings, NAMES),
        oracle_twice=_foretold(chain, 2 * found.repeats) if twice else nothing(),
    )


def shuffled_sales(chain: Chain) -> Chain:
    """Give each firm's visible sales to another of its tier, sector and number of buyers.

    What a firm pays and reports stays its own; whom it sells to becomes somebody
    else's, so that a network of the same shape says nothing of it. A firm that is the only one of
    its kind keeps its sales.
    """
    world = chain.world
    n = len(world.tier)
    buyers = np.bincount(world.seller[chain.visible], minlength=n)
    chance = np.random.default_rng(_SHUFFLED_FROM + chain.seed).random(n)
    order = np.lexsort((chance, buyers, world.sector, world.tier))
    kinds = np.column_stack((world.tier, world.sector, buyers))[order]
    starts = np.flatnonzero(np.any(np.diff(kinds, axis=0), axis=1)) + 1
    to = np.arange(n)
    for members in np.split(order, starts):
        to[members] = np.roll(members, 1)
    sold = dataclasses.replace(chain.events.invoices, seller=to[chain.events.invoices.seller])
    return dataclasses.replace(chain, events=dataclasses.replace(chain.events, invoices=sold))


def _without_network(chain: Chain, settings: ChainSettings) -> dict[int, Floats]:
    """Give what a model without the network sees at each snapshot."""
    columns = [NAMES.index(feature) for feature in settings.without]
    return {
        week: features(chain.events, morning_of(week), _tier(chain))[:, columns]
        for week in (*TRAIN_WEEKS, *TEST_WEEKS)
    }


def _with_network(chain: Chain, own: dict[int, Floats], place: Place) -> dict[int, Floats]:
    """Give all features at each snapshot."""
    return {
        week: features(chain.events, morning_of(week), place(chain, week, told))
        for week, told in own.items()
    }


def _fitted(
    chain: Chain,
    found: dict[int, Floats],
    settings: ChainSettings,
    names: tuple[str, ...],
    half: int | None = None,
) -> "Blend":
    """Fit a blend to the early snapshots, of all firms or of every second one."""
    rows, fails, firms, _ = _rows(chain, found, TRAIN_WEEKS)
    keep = slice(None) if half is None else firms % 2 == half
    signs = tuple(feature.sign for feature in named(names))
    return settings.learner.blend(signs).fit(rows[keep], fails[keep])


def _halves(suffix: str, blend: "Blend", rows: Floats) -> dict[str, Floats]:
    """Give the probabilities of each half of a blend; empty for one that weighs nothing."""
    halves = {"boosting": blend.boosting_, "scorecard": blend.scorecard_}
    return {
        f"{name}{suffix}": np.zeros(0) if model is None else model.predict_proba(rows)[:, 1]
        for name, model in halves.items()
    }


def _strangers(
    chain: Chain, found: dict[int, Floats], settings: ChainSettings, names: tuple[str, ...]
) -> Floats:
    """Give the probabilities of each half of the firms by a model fitted to the other half."""
    tests, _, firms, _ = _rows(chain, found, TEST_WEEKS)
    told = np.zeros(len(tests))
    for half in (0, 1):
        others = firms % 2 != half
        model = _fitted(chain, found, settings, names, half)
        told[others] = model.predict_proba(tests[others])[:, 1]
    return told


def _foretold(chain: Chain, repeats: int) -> Floats:
    return _of_alive(chain, {week: chain.oracle(week, repeats) for week in TEST_WEEKS})


def _of_alive(chain: Chain, told: dict[int, Floats]) -> Floats:
    return np.concatenate([told[week][chain.alive[week]] for week in TEST_WEEKS])


def _tier(chain: Chain) -> Position:
    """Give the one fact of the chain that a model without the network may see: the tier."""
    unknown = Position.unknown(len(chain.world.tier))
    return dataclasses.replace(unknown, anchor_distance=chain.world.tier.astype(np.float64))


def _own(
    chain: Chain, few: dict[int, Floats], settings: ChainSettings
) -> "tuple[dict[int, Floats], Blend]":
    """Give everybody's own probability at each snapshot, and the model without the network."""
    from sklearn.model_selection import GroupKFold

    signs = tuple(feature.sign for feature in named(settings.without))
    rows, fails, firms, taken = _rows(chain, few, TRAIN_WEEKS)
    told = np.zeros(len(rows))
    for rest, fold in GroupKFold(settings.folds).split(rows, fails, firms):
        model = settings.learner.blend(signs).fit(rows[rest], fails[rest])
        told[fold] = model.predict_proba(rows[fold])[:, 1]
    model = _fitted(chain, few, settings, settings.without)
    tests, _, tested, when = _rows(chain, few, TEST_WEEKS)
    answers = model.predict_proba(tests)[:, 1]
    own = {week: np.full(len(chain.world.tier), np.nan) for week in few}
    for week in TRAIN_WEEKS:
        own[week][firms[taken == week]] = _a_year(told[taken == week])
    for week in TEST_WEEKS:
        own[week][tested[when == week]] = _a_year(answers[when == week])
    return own, model


def _a_year(within: Floats) -> Floats:
    """Give the probability within a year of one within the horizon, at the same hazard."""
    return np.asarray(1.0 - (1.0 - within) ** (52 / HORIZON), np.float64)


def _rows(
    chain: Chain, found: dict[int, Floats], weeks: tuple[int, ...]
) -> tuple[Floats, Ints, Ints, Ints]:
    """Stack the firms alive at each snapshot: features, what happened, who, when."""
    alive = [np.flatnonzero(chain.alive[week]) for week in weeks]
    pairs = list(zip(weeks, alive, strict=True))
    return (
        np.vstack([found[week][firms] for week, firms in pairs]),
        np.concatenate([chain.fails_after(week)[firms] for week, firms in pairs]).astype(np.int64),
        np.concatenate(alive),
        np.concatenate([np.full(len(firms), week) for week, firms in pairs]),
    )
