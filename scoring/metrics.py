"""What an evaluation measures, and how sure one may be of it; the seed is the unit, not the row."""

import dataclasses
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.odds import Floats, Ints, logit

Bools = NDArray[np.bool_]

_STEPS: Final = 50


def brier(told: Floats, fails: Ints) -> float:
    """Return the mean squared error of probabilities.

    Examples
    --------
    >>> brier(np.array([0.5, 0.0]), np.array([1, 0]))
    0.125
    """
    return float(((told - fails) ** 2).mean())


def auc(told: Floats, fails: Ints) -> float:
    """Return the chance that a firm that fails was told the higher probability; NaN without both.

    Notes
    -----
    O(n log n); ties count half.

    Examples
    --------
    >>> auc(np.array([0.9, 0.1, 0.5]), np.array([1, 0, 0]))
    1.0
    """
    from scipy.stats import rankdata

    bad = int(fails.sum())
    good = len(fails) - bad
    if not bad or not good:
        return math.nan
    ranks = rankdata(told)[fails == 1].sum()
    return float((ranks - bad * (bad + 1) / 2) / (bad * good))


def calibration(told: Floats, fails: Ints) -> tuple[float, float]:
    """Return the slope of what happened on the log-odds told, and realised over predicted.

    Parameters
    ----------
    told : ndarray of float64, shape (n,)
    fails : ndarray of int64, shape (n,)

    Returns
    -------
    slope, ratio : float
        Both 1 for a model that says what happens; a slope below 1 means that it says too much at
        both ends. NaN without both outcomes.

    Notes
    -----
    D. R. Cox, "Two Further Applications of a Model for Binary Regression", Biometrika 45, 1958;
    Newton's method with intercept.

    Examples
    --------
    >>> told = np.repeat([0.2, 0.6], 10)
    >>> fails = np.array([1] * 2 + [0] * 8 + [1] * 6 + [0] * 4)
    >>> slope, ratio = calibration(told, fails)
    >>> round(slope, 6), round(ratio, 6)
    (1.0, 1.0)
    """
    ratio = float(fails.sum() / told.sum()) if told.sum() > 0 else math.nan
    if fails.min() == fails.max():
        return math.nan, ratio
    odds = logit(told)
    columns = np.column_stack((np.ones(len(odds)), odds - odds.mean()))
    at = np.zeros(2)
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(columns @ at, -30, 30)))
        weight = np.maximum(chance * (1.0 - chance), 1e-12)
        step = np.linalg.lstsq(
            (columns * weight[:, None]).T @ columns, columns.T @ (fails - chance), rcond=None
        )[0]
        at += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - settled
            break
    return float(at[1]), ratio


def share_of_gap(
    fails: Ints, without: Floats, having: Floats, oracle: Floats, repeats: int
) -> float:
    """Return which share of the Brier gap between a model and the oracle another model closes.

    Parameters
    ----------
    fails : ndarray of int64, shape (n,)
    without, having : ndarray of float64, shape (n,)
        Probabilities of the same class of model, without and with what is tested.
    oracle : ndarray of float64, shape (n,)
        Share of the oracle's runs in which each firm failed.
    repeats : int
        Runs; their noise p(1 - p)/(repeats - 1) is taken off the oracle's Brier score.

    Returns
    -------
    float
        0: closes nothing, 1: as good as the true state; NaN where there is no gap.

    Examples
    --------
    >>> fails = np.array([1, 0])
    >>> share_of_gap(fails, np.array([0.5, 0.5]), np.array([0.75, 0.25]), np.array([1.0, 0.0]), 9)
    0.75
    """
    noise = float((oracle * (1.0 - oracle)).mean() / (repeats - 1))
    gap = brier(without, fails) - (brier(oracle, fails) - noise)
    return (brier(without, fails) - brier(having, fails)) / gap if gap > 0 else math.nan


@dataclasses.dataclass(frozen=True, slots=True)
class OverSeeds:
    """A figure over independent seeds.

    Parameters
    ----------
    mean, sd : float
    low, high : float
        95 % interval of the mean by Student's t.
    seeds : int
    """

    mean: float
    sd: float
    low: float
    high: float
    seeds: int


def over_seeds(values: Floats, confidence: float = 0.95) -> OverSeeds:
    """Return mean and interval of a figure, one value for each seed.

    Raises
    ------
    ValueError
        Fewer than two seeds, or a value that is no number.

    Examples
    --------
    >>> found = over_seeds(np.array([0.1, 0.2, 0.3]))
    >>> round(found.mean, 6), round(found.low, 4)
    (0.2, -0.0484)
    """
    from scipy.stats import t

    n = len(values)
    if n < 2 or not np.isfinite(values).all():  # noqa: PLR2004 - a deviation needs two
        raise ValueError(f"{n} seeds, of which {int(np.isfinite(values).sum())} have a figure.")
    mean, sd = float(values.mean()), float(values.std(ddof=1))
    half = float(t.ppf(0.5 + confidence / 2, n - 1)) * sd / math.sqrt(n)
    return OverSeeds(mean, sd, mean - half, mean + half, n)


def is_nothing(values: Floats, bound: float, level: float = 0.05) -> bool:
    """Say whether a figure is shown to lie within ±bound: two one-sided tests, each at the level.

    Notes
    -----
    D. J. Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987. That a figure is
    not shown to differ from 0 is no such proof.

    Examples
    --------
    >>> is_nothing(np.array([0.001, -0.002, 0.0]), 0.02), is_nothing(np.array([0.0, 0.3]), 0.02)
    (True, False)
    """
    within = over_seeds(values, 1.0 - 2.0 * level)
    return -bound < within.low and within.high < bound


def holm(p_values: tuple[float, ...], level: float = 0.05) -> tuple[bool, ...]:
    """Say which of several hypotheses are rejected while the whole family keeps its level.

    Notes
    -----
    S. Holm, Scandinavian Journal of Statistics 6, 1979.

    Examples
    --------
    >>> holm((0.01, 0.04, 0.03))
    (True, False, False)
    """
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    rejected = [False] * len(p_values)
    for rank, place in enumerate(order):
        if p_values[place] > level / (len(p_values) - rank):
            break
        rejected[place] = True
    return tuple(rejected)
