"""Holding probabilities that were told against what happened, with intervals that can be believed.

A firm stands in many rows: one a month, each looking a year ahead. Its rows fail or hold together,
so the firm is the unit of every interval here, never the row.
"""

import dataclasses
import math
from statistics import NormalDist
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from scoring.metrics import auc
from scoring.odds import Floats, Ints, logit

FEWEST: Final = 5
"""Firms that failed, or were to fail, without which a group says nothing of its level."""

FEWEST_FOR_A_SLOPE: Final = 20
"""Firms that failed, and that held, without which no slope is told."""

_STEPS: Final = 50
_TINY: Final = 1e-12

Verdict = Literal["few", "low", "agrees", "high"]


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """What was told of some rows and what happened to them.

    Attributes
    ----------
    rows, firms : int
    failed_rows, failed_firms : int
    told : float
        Mean probability; NaN without rows.
    rate : float
        Share of the rows that failed; NaN without rows.
    low, high : float
        Interval of that share.
    verdict : str
        "few": too few failures to say anything; "low": less was told than happens, beyond chance;
        "high": more was told; "agrees" otherwise.
    """

    rows: int
    firms: int
    failed_rows: int
    failed_firms: int
    told: float
    rate: float
    low: float
    high: float
    verdict: Verdict


def group(told: Floats, fails: Ints, firm: Ints, *, confidence: float = 0.95) -> Group:
    """Hold some rows against what happened.

    Parameters
    ----------
    told : ndarray of float64, shape (n,)
        Probabilities.
    fails : ndarray of int64, shape (n,)
        1 where the firm failed within the horizon, else 0.
    firm : ndarray of int64, shape (n,)
        Which firm a row is of.
    confidence : float
        Of the interval; of k groups that are looked at together, 1 - 0.05/k each.

    Returns
    -------
    Group

    Notes
    -----
    Wilson's interval on the number of rows that would be worth as much if each were a firm of its
    own: the variance by firms gives it, and with no failure, or nothing else, the firms do.
    E. B. Wilson, JASA 22, 1927; E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998.

    Examples
    --------
    >>> rows = np.arange(100)
    >>> found = group(np.full(100, 0.1), (rows < 10).astype(np.int64), rows)
    >>> found.verdict, round(found.low, 4), round(found.high, 4)
    ('agrees', 0.0551, 0.1748)
    >>> group(np.full(3, 0.1), np.zeros(3, np.int64), np.arange(3)).verdict
    'few'
    """
    n = len(told)
    if not n:
        return Group(0, 0, 0, 0, math.nan, math.nan, math.nan, math.nan, "few")
    _, number = np.unique(firm, return_inverse=True)
    firms = int(number.max()) + 1
    rate, mean = float(fails.mean()), float(told.mean())
    failed_firms = int((np.bincount(number, fails) > 0).sum())
    worth = _worth((fails - rate).astype(np.float64), number, firms, rate)
    low, high = wilson(rate, worth, confidence)
    verdict: Verdict = "agrees"
    if max(failed_firms, mean * firms) < FEWEST:
        verdict = "few"
    elif mean < low:
        verdict = "low"
    elif mean > high:
        verdict = "high"
    return Group(n, firms, int(fails.sum()), failed_firms, mean, rate, low, high, verdict)


def wilson(rate: float, n: float, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share that was seen on n independent rows.

    Examples
    --------
    >>> low, high = wilson(0.0, 10)
    >>> low, round(high, 4)
    (0.0, 0.2775)
    """
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    middle = rate + z * z / (2 * n)
    half = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    low = (middle - half) / scale if rate > 0 else 0.0
    high = (middle + half) / scale if rate < 1 else 1.0
    return max(low, 0.0), min(high, 1.0)


def _worth(rest: Floats, number: NDArray[np.intp], firms: int, rate: float) -> float:
    """Return how many independent rows some rows of several firms are worth."""
    n = len(rest)
    if firms < 2 or not 0 < rate < 1:  # noqa: PLR2004 - one firm has no variance between firms
        return float(firms)
    sums = np.bincount(number, rest)
    variance = firms / (firms - 1) * float((sums**2).sum()) / n**2
    return float(min(max(rate * (1 - rate) / max(variance, _TINY), 1.0), n))


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """Log-odds of what happened on the log-odds that were told; 1 and 0 where all is told rightly.

    Attributes
    ----------
    slope, slope_low, slope_high : float
        Below 1: too much is told at both ends.
    intercept, intercept_low, intercept_high : float
        With the slope held at 1. Above 0: too little is told throughout.
    """

    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    intercept_low: float
    intercept_high: float


def line(told: Floats, fails: Ints, firm: Ints) -> Line | None:
    """Fit slope and intercept of calibration with 95 % intervals by firms; None where too few.

    Notes
    -----
    D. R. Cox, Biometrika 45, 1958. Newton's method; variance by firms after K.-Y. Liang and
    S. L. Zeger, Biometrika 73, 1986.

    Examples
    --------
    >>> told = np.repeat([0.2, 0.6], 100)
    >>> fails = np.r_[np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [60, 40])]
    >>> found = line(told, fails, np.arange(200))
    >>> round(found.slope, 6), round(found.intercept, 6)
    (1.0, 0.0)
    >>> line(told, np.zeros(200, np.int64), np.arange(200)) is None
    True
    """
    _, number = np.unique(firm, return_inverse=True)
    if len(number) == 0:
        return None
    bad = int((np.bincount(number, fails) > 0).sum())
    if min(bad, int(number.max()) + 1 - bad) < FEWEST_FOR_A_SLOPE:
        return None
    odds = logit(told)
    spread = odds - odds.mean()
    if not np.any(np.abs(spread) > _TINY):
        return None
    both, wide = _fit(np.column_stack((np.ones(len(odds)), spread)), fails, number, 0.0)
    level, narrow = _fit(np.ones((len(odds), 1)), fails, number, odds)
    z = NormalDist().inv_cdf(0.975)
    return Line(
        both[1], both[1] - z * wide[1], both[1] + z * wide[1],
        level[0], level[0] - z * narrow[0], level[0] + z * narrow[0],
    )  # fmt: skip


def _fit(
    columns: Floats, fails: Ints, number: NDArray[np.intp], offset: Floats | float
) -> tuple[list[float], list[float]]:
    """Fit a logistic line; gives its figures and their standard errors by firms."""
    at = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        chance = 1.0 / (1.0 + np.exp(-np.clip(columns @ at + offset, -30, 30)))
        weight = np.maximum(chance * (1.0 - chance), _TINY)
        bread = (columns * weight[:, None]).T @ columns
        step = np.linalg.lstsq(bread, columns.T @ (fails - chance), rcond=None)[0]
        at += np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:  # noqa: PLR2004 - settled
            break
    chance = 1.0 / (1.0 + np.exp(-np.clip(columns @ at + offset, -30, 30)))
    weight = np.maximum(chance * (1.0 - chance), _TINY)
    inverse = np.linalg.pinv((columns * weight[:, None]).T @ columns)
    firms = int(number.max()) + 1
    sums = np.zeros((firms, columns.shape[1]))
    np.add.at(sums, number, columns * (fails - chance)[:, None])
    meat = firms / max(1, firms - 1) * sums.T @ sums
    errors = np.sqrt(np.maximum(np.diag(inverse @ meat @ inverse), 0.0))
    return [float(one) for one in at], [float(one) for one in errors]


@dataclasses.dataclass(frozen=True, slots=True)
class Paired:
    """Two who told of the same firms on the same mornings.

    Attributes
    ----------
    rows, firms, failed_firms : int
    loss, other_loss : float
        Mean log loss of each.
    gain, gain_low, gain_high : float
        By how much the other's is lower, with its 95 % interval; NaN where too few failed.
    auc, other_auc : float
        NaN without both outcomes.
    verdict : str
        "few", "better" (the other one, beyond chance), "worse" or "alike".
    """

    rows: int
    firms: int
    failed_firms: int
    loss: float
    other_loss: float
    gain: float
    gain_low: float
    gain_high: float
    auc: float
    other_auc: float
    verdict: Literal["few", "better", "worse", "alike"]


def paired(told: Floats, other: Floats, fails: Ints, firm: Ints) -> Paired:
    """Compare what two told of the same rows by log loss, with an interval by firms.

    Parameters
    ----------
    told, other : ndarray of float64, shape (n,)
        Probabilities; ``other`` is the challenger's.
    fails, firm : ndarray of int64, shape (n,)

    Notes
    -----
    Student's t over the firms' summed differences. O(n log n).

    Examples
    --------
    >>> fails = (np.arange(100) < 10).astype(np.int64)
    >>> known = np.where(fails == 1, 0.6, 0.05)
    >>> paired(np.full(100, 0.1), known, fails, np.arange(100)).verdict
    'better'
    """
    n = len(told)
    if not n:
        return Paired(0, 0, 0, *(math.nan,) * 7, "few")
    _, number = np.unique(firm, return_inverse=True)
    firms = int(number.max()) + 1
    failed = int((np.bincount(number, fails) > 0).sum())
    mine, theirs = losses(told, fails), losses(other, fails)
    ranks = auc(told, fails), auc(other, fails)
    plain = float(mine.mean()), float(theirs.mean())
    if min(failed, firms - failed) < FEWEST:
        return Paired(n, firms, failed, *plain, math.nan, math.nan, math.nan, *ranks, "few")
    from scipy.stats import t

    difference = mine - theirs
    gain = float(difference.mean())
    sums = np.bincount(number, difference - gain)
    half = float(
        t.ppf(0.975, firms - 1) * math.sqrt(firms / (firms - 1) * float((sums**2).sum())) / n
    )
    verdict: Literal["better", "worse", "alike"] = "alike"
    if gain - half > 0:
        verdict = "better"
    elif gain + half < 0:
        verdict = "worse"
    return Paired(n, firms, failed, *plain, gain, gain - half, gain + half, *ranks, verdict)


def losses(told: Floats, fails: Ints) -> Floats:
    """Return the log loss of each row.

    Examples
    --------
    >>> losses(np.array([0.5]), np.array([1])).round(4)
    array([0.6931])
    """
    inside = np.clip(told, _TINY, 1.0 - _TINY)
    return np.asarray(-(fails * np.log(inside) + (1 - fails) * np.log1p(-inside)), np.float64)


def tenths_of(told: Floats) -> Ints:
    """Return the tenth of each row, 0 for the lowest; equal probabilities stand together.

    Examples
    --------
    >>> tenths_of(np.array([0.3, 0.1, 0.1])).tolist()
    [6, 0, 0]
    """
    n = len(told)
    order = np.sort(told)
    first = np.searchsorted(order, told, side="left")
    return np.asarray(first * 10 // max(1, n), np.int64)
