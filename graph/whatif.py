"""What becomes of others when one firm fails, is downgraded or pays late; nothing is changed.

Failing and downgrading fix the firm's hazard and let it run up the chain
(:mod:`graph.propagation`): what it sells on no longer matters to it, so its own row is dropped.
Paying late moves its dues and lets everybody pay week by week out of what came in
(:mod:`graph.clearing`).
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graph.clearing import clear, debts_of
from graph.exposure import Weights, check_index
from graph.propagation import Propagation, propagate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAILED: Final = 1.0  # hazard of a firm that has failed: the weights are conditional on it
LEAST: Final = 1e-6  # rise of a probability of default that is worth a line
WEEKS: Final = 26
LATE: Final = 30  # days


@dataclasses.dataclass(frozen=True)
class Touched:
    """A firm whose default becomes likelier.

    Attributes
    ----------
    firm : int
    before, after : float
        Its probability of default within a year.
    receivable : int
        What it has open on the firm asked about, minor units.
    path : tuple of int
        The strongest way from the firm asked about to this one, both included.
    """

    firm: int
    before: float
    after: float
    receivable: int
    path: tuple[int, ...]

    @property
    def change(self) -> float:
        """How much likelier its default becomes."""
        return self.after - self.before


@dataclasses.dataclass(frozen=True)
class Fixed:
    """The chain with one firm's hazard fixed.

    Attributes
    ----------
    firm : int
    before, after : Propagation
    listed : ndarray of int64
        The firms whose probability changes by a millionth or more, largest change first; the firm
        itself is not among them.
    rest : float
        Sum of the changes too small to be listed: with those listed they make up all change.
    receivables : mapping of int to int
        Creditors of the firm with what they have open on it, minor units; each is listed or in
        ``quiet``.
    quiet : tuple of (int, int)
        Creditors whose change is too small to be listed, with their receivables.
    """

    firm: int
    before: Propagation
    after: Propagation
    listed: Ints
    rest: float
    receivables: Mapping[int, int]
    quiet: tuple[tuple[int, int], ...]

    @property
    def receivable(self) -> int:
        """All that is open on the firm, minor units."""
        return sum(self.receivables.values())

    @cached_property
    def touched(self) -> tuple[Touched, ...]:
        """The listed firms one by one; a hundred thousand take longer than finding them."""
        was, becomes = self.before.pd[self.listed], self.after.pd[self.listed]
        return tuple(
            Touched(at, before, after, self.receivables.get(at, 0), self.path(at))
            for at, before, after in zip(
                self.listed.tolist(), was.tolist(), becomes.tolist(), strict=True
            )
        )

    def path(self, firm: int) -> tuple[int, ...]:
        """Give the strongest way from the firm asked about to another; O(its length)."""
        path = [firm]
        while path[-1] != self.firm and self._before_it[path[-1]] >= 0:
            path.append(self._before_it[path[-1]])
        return tuple(reversed(path))

    @cached_property
    def _before_it(self) -> Sequence[int]:
        """The firm before each one on the strongest way to it, found once: O(nnz · log n)."""
        return _strongest(self.after.weights, self.firm).tolist()  # type: ignore[no-any-return]


def fails(
    own: ArrayLike,
    weights: Weights,
    firm: int,
    receivables: Sequence[tuple[int, int]] = (),
    *,
    before: Propagation | None = None,
) -> Fixed:
    """Ask what happens when a firm fails: its hazard becomes 1.

    Parameters
    ----------
    own : array_like, shape (n,)
        Hazards per year (:func:`graph.exposure.own_hazard`).
    weights : Weights
        Before any cut (:func:`graph.exposure.exposure_weights`).
    firm : int
    receivables : sequence of (int, int)
        Creditors of the firm, each once, with what they have open on it in minor units.
    before : Propagation, optional
        ``propagate(own, weights)``, where many questions are asked of one chain.

    Returns
    -------
    Fixed

    Raises
    ------
    ValueError
        When a firm is unknown, a receivable negative, or ``before`` of other hazards.

    Notes
    -----
    Two solutions of the linear system, one where ``before`` is known; the ways are found by one
    run of Dijkstra's algorithm when they are first asked for.

    Examples
    --------
    >>> from graph.exposure import weights_from
    >>> weights = weights_from([1, 2], [0, 1], [0.25, 0.5], n_firms=3)
    >>> answer = fails([0.02, 0.01, 0.01], weights, 0, receivables=[(1, 40_000)])
    >>> [(line.firm, round(line.after, 4), line.receivable, line.path) for line in answer.touched]
    [(1, 0.2289, 40000, (0, 1)), (2, 0.1306, 0, (0, 1, 2))]
    """
    return fixed(own, weights, firm, FAILED, receivables, before=before)


def downgraded(
    own: ArrayLike,
    weights: Weights,
    firm: int,
    grade: tuple[float, float],
    receivables: Sequence[tuple[int, int]] = (),
    *,
    before: Propagation | None = None,
) -> Fixed:
    """Ask what happens when a firm falls into a grade: it takes the grade's geometric middle.

    Parameters
    ----------
    grade : tuple of float
        Lower and upper bound of the grade's probability of default within a year, in (0, 1).
    own, weights, firm, receivables, before
        As in :func:`fails`, as are result, errors and cost.

    Examples
    --------
    >>> from graph.exposure import weights_from
    >>> weights = weights_from([1], [0], [0.25], n_firms=2)
    >>> answer = downgraded([0.02, 0.01], weights, 0, grade=(0.04, 0.065))
    >>> round(float(answer.after.pd[0]), 6) == round((0.04 * 0.065) ** 0.5, 6)
    True
    """
    low, high = grade
    if not 0.0 < low <= high < 1.0:
        raise ValueError(f"a grade from {low} to {high}")
    hazard = -math.log1p(-math.sqrt(low * high))
    return fixed(own, weights, firm, hazard, receivables, before=before)


def fixed(
    own: ArrayLike,
    weights: Weights,
    firm: int,
    hazard: float,
    receivables: Sequence[tuple[int, int]] = (),
    *,
    before: Propagation | None = None,
) -> Fixed:
    """Fix a firm's hazard per year and say whom that touches (:func:`fails`).

    Examples
    --------
    >>> from graph.exposure import weights_from
    >>> weights = weights_from([1], [0], [0.5], n_firms=2)
    >>> fixed([0.02, 0.01], weights, 0, 0.04).after.hazard.tolist()
    [0.04, 0.03]
    """
    check_index(firm, weights.n_firms)
    open_on = dict(receivables)
    if len(open_on) != len(receivables) or min(open_on.values(), default=0) < 0:
        raise ValueError("a creditor stands twice or its receivable is negative")
    for creditor in open_on:
        check_index(creditor, weights.n_firms)
    given = np.array(own, dtype=np.float64)
    if before is None:
        before = propagate(given, weights)
    elif not np.array_equal(before.own, given):
        raise ValueError("what was before is of other hazards")
    moved = given.copy()
    moved[firm] = hazard
    after = propagate(moved, _without_row(weights, firm), near=before.hazard)
    was, becomes = before.pd, after.pd  # each reading computes all of them
    change = becomes - was
    change[firm] = 0.0
    listed = np.flatnonzero(np.abs(change) >= LEAST)
    listed = listed[np.lexsort((listed, -change[listed]))]
    named = set(listed.tolist())
    quiet = tuple(sorted((at, worth) for at, worth in open_on.items() if at not in named))
    rest = float(change.sum()) - math.fsum(change[listed].tolist())
    return Fixed(firm, before, after, listed, rest, open_on, quiet)


def _without_row(weights: Weights, firm: int) -> Weights:
    begin, end = int(weights.indptr[firm]), int(weights.indptr[firm + 1])
    indptr = weights.indptr.copy()
    indptr[firm + 1 :] -= end - begin
    kept = np.r_[0:begin, end : len(weights.indices)]
    return Weights(indptr, weights.indices[kept], weights.values[kept])


def _strongest(weights: Weights, firm: int) -> Ints:
    """Give for each firm the one before it on the strongest way from a firm."""
    from scipy.sparse import csc_array
    from scipy.sparse.csgraph import dijkstra

    n = weights.n_firms
    cost = np.maximum(-np.log(weights.values), np.finfo(np.float64).tiny)
    ways = csc_array((cost, weights.indices, weights.indptr), shape=(n, n))
    _, came_from = dijkstra(ways.tocsr(), indices=firm, return_predecessors=True)
    found: Ints = came_from.astype(np.int64)
    return found


@dataclasses.dataclass(frozen=True)
class Short:
    """A firm that cannot pay all that falls due.

    Attributes
    ----------
    firm : int
    week : int
        The first, counted from 0, in which it is shorter than it was before.
    before, after : float
        The most that it leaves unpaid at the end of a week, minor units.
    """

    firm: int
    week: int
    before: float
    after: float


@dataclasses.dataclass(frozen=True)
class Late:
    """What a late payer does to the cash of others.

    Attributes
    ----------
    firm : int
    short : tuple of Short
        Firms that become shorter of cash, the largest shortfall added first; the late payer itself
        among them where the delay catches up with it.
    moved : int
        What was put off, minor units.
    unpaid_before, unpaid_after : ndarray of float64, shape (weeks, n)
        What each firm leaves unpaid at the end of each week, minor units.
    """

    firm: int
    short: tuple[Short, ...]
    moved: int
    unpaid_before: Floats
    unpaid_after: Floats


def pays_late(
    dues: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    cash: ArrayLike,
    firm: int,
    *,
    days: int = LATE,
    weeks: int = WEEKS,
    before: Floats | None = None,
) -> Late:
    """Ask what happens when a firm pays all its dues some days late.

    Parameters
    ----------
    dues : tuple of array_like (debtor, creditor, amount, day), shape (m,) each
        Firms by number, minor units, days from today; what is overdue (negative) is due today.
    cash : array_like, shape (n,)
        What each firm can pay with today, minor units, not negative.
    firm : int
    days : int
        How late.
    weeks : int
        How far to look.
    before : ndarray of float64, shape (weeks, n), optional
        ``unpaid(dues, cash, weeks=weeks)``, where many questions are asked of one chain.

    Returns
    -------
    Late

    Raises
    ------
    ValueError
        When a firm is unknown, an amount or cash negative, a number of days negative, or
        ``before`` of other weeks or firms.

    Notes
    -----
    Each week all that is due is cleared at once, pro rata; what stays unpaid is due again the
    week after. O(weeks · steps · what is due).

    Examples
    --------
    >>> chain = ([0, 1], [1, 2], [100, 90], [0, 3])
    >>> answer = pays_late(chain, [100, 20, 0], 0)
    >>> [(line.firm, line.week, line.after) for line in answer.short]
    [(1, 0, 70.0)]
    """
    debtor, creditor = np.asarray(dues[0], np.int64), np.asarray(dues[1], np.int64)
    amount, day = np.asarray(dues[2], np.float64), np.asarray(dues[3], np.int64)
    have = np.asarray(cash, np.float64)
    check_index(firm, len(have))
    if days < 0 or weeks < 1:
        raise ValueError(f"{days} days late, {weeks} weeks")
    own = debtor == firm
    if before is None:
        before = _weekly(debtor, creditor, amount, day // 7, have, weeks)
    elif before.shape != (weeks, len(have)):
        raise ValueError(f"what was before is of {before.shape[0]} weeks, {before.shape[1]} firms")
    later = np.where(own, np.maximum(day, 0) + days, day)
    after = _weekly(debtor, creditor, amount, later // 7, have, weeks)
    # A rounding of the clearing is no shortfall: less than half a minor unit counts as nothing.
    worse = after - before > 0.5  # noqa: PLR2004
    deeper = (after - before).max(axis=0)
    firms = np.flatnonzero(worse.any(axis=0))
    firms = firms[np.lexsort((firms, -deeper[firms]))]
    short = tuple(
        Short(at, int(worse[:, at].argmax()), float(before[:, at].max()), float(after[:, at].max()))
        for at in firms.tolist()
    )
    return Late(firm, short, int(amount[own].sum()), before, after)


def unpaid(
    dues: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    cash: ArrayLike,
    *,
    weeks: int = WEEKS,
) -> Floats:
    """Say what each firm leaves unpaid at the end of each week when everybody pays in time.

    Parameters
    ----------
    dues, cash, weeks
        As in :func:`pays_late`, as is the cost.

    Returns
    -------
    ndarray of float64, shape (weeks, n)

    Examples
    --------
    >>> unpaid(([0, 1], [1, 2], [100, 90], [0, 3]), [100, 0, 0], weeks=1).tolist()
    [[0.0, 0.0, 0.0]]
    """
    debtor, creditor, amount, day = (np.asarray(column) for column in dues)
    have = np.asarray(cash, np.float64)
    return _weekly(debtor, creditor, amount.astype(np.float64), day // 7, have, weeks)


def _weekly(
    debtor: Ints, creditor: Ints, amount: Floats, week: Ints, cash: Floats, weeks: int
) -> Floats:
    """Clear week by week; give what each firm leaves unpaid at the end of each, (weeks, n)."""
    n = len(cash)
    unpaid = np.zeros((weeks, n))
    rest, have = amount.copy(), cash
    for now in range(weeks):
        due = np.flatnonzero((week <= now) & (rest != 0.0))
        if not len(due):
            continue
        debts = debts_of(debtor[due], creditor[due], rest[due], n)
        found = clear(debts, have)
        unpaid[now] = debts.owed - found.paid
        have = have + found.received - found.paid
        np.maximum(have, 0.0, out=have)
        owed = np.where(debts.owed > 0.0, debts.owed, 1.0)
        rest[due] *= (unpaid[now] / owed)[debtor[due]]
    return unpaid
