"""One simulated chain, judged by the same model without and with the network."""

import dataclasses
from collections.abc import Callable

import numpy as np

from scoring.estimators.binary import Floats, Ints
from scoring.evaluation.metrics import auc, brier, calibration, share_of_gap
from scoring.evaluation.settings import ChainSettings
from scoring.features import NAMES, Position, features, named
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

# From a chain, the week of a snapshot and everybody's own one-year probability (NaN when out) to
# what the graph of that morning says; given by the caller, since this package knows no graph.
Place = Callable[[Chain, int, Floats], Position]


@dataclasses.dataclass(frozen=True)
class Contrast:
    """What one chain said.

    Attributes
    ----------
    regime : str
    seed : int
    firms : ndarray of int64, shape (n,)
        Firm of each test row.
    weeks : ndarray of int64, shape (n,)
        Week of its snapshot.
    fails : ndarray of int64, shape (n,)
    without, having, oracle : ndarray of float64, shape (n,)
        Probability of a default within 26 weeks.
    repeats : int
        Runs of the oracle.
    """

    regime: str
    seed: int
    firms: Ints
    weeks: Ints
    fails: Ints
    without: Floats
    having: Floats
    oracle: Floats
    repeats: int

    def figures(self) -> dict[str, float]:
        """Return what is reported of a seed."""
        slope, ratio = calibration(self.having, self.fails)
        before_slope, before = calibration(self.without, self.fails)
        return {
            "share": share_of_gap(self.fails, self.without, self.having, self.oracle, self.repeats),
            "auc_gain": auc(self.having, self.fails) - auc(self.without, self.fails),
            "auc": auc(self.having, self.fails),
            "brier": brier(self.having, self.fails),
            "slope": slope,
            "realised_over_priced": ratio,
            "auc_without": auc(self.without, self.fails),
            "brier_without": brier(self.without, self.fails),
            "slope_without": before_slope,
            "realised_over_priced_without": before,
            "failures": float(self.fails.sum()),
            "oracle_total": float(self.oracle.sum()),
        }


def contrast(
    name: str, seed: int, settings: ChainSettings, place: Place, *, repeats: int | None = None
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

    Returns
    -------
    Contrast

    Raises
    ------
    ValueError
        The regime was not declared, or its parameters have changed.

    Notes
    -----
    The own probabilities of training rows come from models that saw no row of the same firm; those
    of test rows from the model without the network. Nothing of a test row enters before its day.
    """
    if settings.regimes.get(name) != digest(REGIMES[name]):
        raise ValueError(f"regime {name} is not the declared one.")
    chain = simulate(name, seed, n_firms=settings.firms)
    weeks = (*TRAIN_WEEKS, *TEST_WEEKS)
    plain = {week: features(chain.events, morning_of(week), _tier(chain)) for week in weeks}
    columns = [NAMES.index(feature) for feature in settings.without]
    few = {week: found[:, columns] for week, found in plain.items()}
    own, without = _own(chain, few, settings)
    full = {
        week: features(chain.events, morning_of(week), place(chain, week, own[week]))
        for week in weeks
    }
    rows, fails, _, _ = _rows(chain, full, TRAIN_WEEKS)
    signs = tuple(feature.sign for feature in named(NAMES))
    model = settings.learner.blend(signs).fit(rows, fails)
    tests, happened, firms, taken = _rows(chain, full, TEST_WEEKS)
    repeats = settings.oracle_repeats if repeats is None else repeats
    chances = {week: chain.oracle(week, repeats) for week in TEST_WEEKS}
    return Contrast(
        regime=name,
        seed=seed,
        firms=firms,
        weeks=taken,
        fails=happened,
        without=without,
        having=model.predict_proba(tests)[:, 1],
        oracle=np.concatenate([chances[week][chain.alive[week]] for week in TEST_WEEKS]),
        repeats=repeats,
    )


def _tier(chain: Chain) -> Position:
    """Give the one fact of the chain that a model without the network may see: the tier."""
    unknown = Position.unknown(len(chain.world.tier))
    return dataclasses.replace(unknown, anchor_distance=chain.world.tier.astype(np.float64))


def _own(
    chain: Chain, few: dict[int, Floats], settings: ChainSettings
) -> tuple[dict[int, Floats], Floats]:
    """Give everybody's own probability at each snapshot, and those of the test rows."""
    from sklearn.model_selection import GroupKFold

    signs = tuple(feature.sign for feature in named(settings.without))
    rows, fails, firms, taken = _rows(chain, few, TRAIN_WEEKS)
    told = np.zeros(len(rows))
    for rest, fold in GroupKFold(settings.folds).split(rows, fails, firms):
        model = settings.learner.blend(signs).fit(rows[rest], fails[rest])
        told[fold] = model.predict_proba(rows[fold])[:, 1]
    model = settings.learner.blend(signs).fit(rows, fails)
    tests, _, tested, when = _rows(chain, few, TEST_WEEKS)
    answers = model.predict_proba(tests)[:, 1]
    own = {week: np.full(len(chain.world.tier), np.nan) for week in few}
    for week in TRAIN_WEEKS:
        own[week][firms[taken == week]] = _a_year(told[taken == week])
    for week in TEST_WEEKS:
        own[week][tested[when == week]] = _a_year(answers[when == week])
    return own, answers


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
