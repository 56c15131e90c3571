"""Watching a model: how its inputs and scores have moved since the rows that it was fitted to."""

import dataclasses
from typing import Final, Literal, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WATCH: Final = 0.10
ACT: Final = 0.25
_PARTS: Final = 10
_LEAST: Final = 1e-4  # of a share, so that an empty bin has a logarithm


@dataclasses.dataclass(frozen=True, slots=True)
class Bins:
    """How values are spread: the inner bounds of at most ten bins, and the share in each.

    Parameters
    ----------
    edges : tuple of float
        Rising; a value on a bound belongs to the bin above it.
    shares : tuple of float
        First of the values that are not known, then of each bin; one more than the bins.
    """

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Cut values into bins of about one size.

        Examples
        --------
        >>> Bins.of(np.array([1.0, 2.0, np.nan, 2.0])).shares
        (0.25, 0.25, 0.5)
        """
        known = values[~np.isnan(values)]
        cuts = (
            np.quantile(known, np.arange(1, _PARTS) / _PARTS, method="nearest")
            if len(known)
            else ()
        )
        edges = tuple(float(cut) for cut in np.unique(cuts) if cut > known.min())
        return cls(edges, tuple(_shares(values, edges).tolist()))

    @classmethod
    def at(cls, values: Floats, marks: Floats) -> Self:
        """Cut values into one bin for each mark: the bands of a card, by their points.

        Examples
        --------
        >>> Bins.at(np.array([0.0, 35.0, 35.0, np.nan]), np.array([0.0, 35.0, 80.0])).shares
        (0.25, 0.25, 0.5, 0.0)
        """
        edges = tuple(float(mark) for mark in np.unique(marks[~np.isnan(marks)])[1:])
        return cls(edges, tuple(_shares(values, edges).tolist()))

    def psi(self, values: Floats) -> float:
        """Return the population stability index of other values; 0 where they are spread alike.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            NaN where nothing is known; at least one.

        Returns
        -------
        float
            0 or more. From 0.10 on one looks, from 0.25 on one acts.

        Notes
        -----
        O(n log k). N. Siddiqi, "Credit Risk Scorecards", 2006.

        Examples
        --------
        >>> bins = Bins.of(np.arange(100.0))
        >>> bins.psi(np.arange(100.0)), round(bins.psi(np.arange(100.0) + 50), 2) > ACT
        (0.0, True)
        """
        was = np.maximum(np.asarray(self.shares), _LEAST)
        now = np.maximum(_shares(values, self.edges), _LEAST)
        return float(((now - was) * np.log(now / was)).sum())

    def cells(self, values: Floats) -> int:
        """Return in how many bins, that of the unknown among them, anything was or is.

        Examples
        --------
        >>> Bins.of(np.array([1.0, 2.0])).cells(np.array([np.nan, 1.0]))
        3
        """
        return int(((np.asarray(self.shares) > 0) | (_shares(values, self.edges) > 0)).sum())


def by_chance(bins: int, was: int, now: int, *, above: float = 0.001) -> float:
    """Return how large an index is by chance alone, exceeded with a small probability.

    Parameters
    ----------
    bins : int
        Into which rows may fall.
    was, now : int
        Firms then and now. Of firms that stand in both it is less.
    above : float
        That probability.

    Notes
    -----
    With nothing moved the index is about (1/was + 1/now) times a chi-squared figure of one degree
    of freedom less than there are bins. B. Yurdakul and J. Naranjo, "Statistical properties of the
    population stability index", Journal of Risk Model Validation 14(4), 2020.

    Examples
    --------
    >>> round(by_chance(10, 1000, 1000), 4), round(by_chance(10, 40, 40), 2), by_chance(1, 9, 9)
    (0.0558, 1.39, 0.0)
    """
    if bins < 2 or not was or not now:  # noqa: PLR2004 - one bin holds everything
        return 0.0
    from scipy.stats import chi2

    return float((1 / was + 1 / now) * chi2.ppf(1 - above, bins - 1))


def level(psi: float) -> Literal["calm", "watch", "act"]:
    """Say what an index asks for.

    Examples
    --------
    >>> level(0.02), level(0.10), level(0.3)
    ('calm', 'watch', 'act')
    """
    if psi >= ACT:
        return "act"
    return "watch" if psi >= WATCH else "calm"


def _shares(values: Floats, edges: tuple[float, ...]) -> Floats:
    known = values[~np.isnan(values)]
    counts = np.bincount(np.searchsorted(edges, known, side="right"), minlength=len(edges) + 1)
    return np.concatenate(([len(values) - len(known)], counts)) / max(1, len(values))


@dataclasses.dataclass(frozen=True, slots=True)
class Tenth:
    """A tenth of some rows, by what was told of them: how many, how many were to fail and did."""

    rows: int
    told: float
    failed: int


def by_tenths(told: Floats, fails: NDArray[np.int64]) -> tuple[Tenth, ...]:
    """Return what was told and what happened, from the lowest tenth to the highest.

    Parameters
    ----------
    told : ndarray of float64, shape (n,)
        Probabilities.
    fails : ndarray of int64, shape (n,)

    Examples
    --------
    >>> by_tenths(np.array([0.5, 0.1]), np.array([1, 0]))[-1]
    Tenth(rows=1, told=0.5, failed=1)
    """
    order = np.argsort(told, kind="stable")
    return tuple(
        Tenth(len(part), float(told[part].sum()), int(fails[part].sum()))
        for part in np.array_split(order, _PARTS)
        if len(part)
    )
