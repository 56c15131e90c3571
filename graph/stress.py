"""Who fails in many drawn years, and how far the distress of one firm spreads.

A drawn year: one common factor and one shock per firm decide who fails of itself (a one-factor
copula); such a firm leaves a part of its debts unpaid; whoever loses more on its debtors than its
buffer fails too and passes the rest of the loss on (clearing as in :mod:`graph.clearing`, written
in losses). The draws depend on the seed alone, so two questions meet the same years.
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graph.compiled import kernel
from graph.exposure import Weights, check_index

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RHO: Final = 0.15  # how much of a firm's shock is common
RECOVERY: Final = 0.30  # part of its debts that a firm pays which fails of itself
SCENARIOS: Final = 2_000
TAIL: Final = 0.01
BLOCK: Final = 64  # years at a time: their losses fit the caches
_MOST_STEPS: Final = 500
_SETTLED: Final = 1e-5  # share of a firm's debts


@dataclasses.dataclass(frozen=True)
class StressedPD:
    """Failures over the drawn years.

    Attributes
    ----------
    own : ndarray of float64, shape (n,)
        Probability of default of itself, as given.
    chain : ndarray of float64, shape (n,)
        Share of the years in which the firm fails only because others do.
    tail : ndarray of float64, shape (n,)
        Share of the worst years, by the common factor, in which it fails for either reason.
    failures : ndarray of int64, shape (s,)
        How many firms fail in each year, the years worst for all first.
    """

    own: Floats
    chain: Floats
    tail: Floats
    failures: Ints

    @property
    def pd(self) -> Floats:
        """Probability of default with the chain, shape (n,); the own part has no drawn error."""
        return np.minimum(self.own + self.chain, 1.0)


@dataclasses.dataclass(frozen=True)
class Book:
    """What firms owe each other and can lose.

    Attributes
    ----------
    owed : ndarray of float64, shape (n,)
        All that each firm owes.
    claims : tuple of (indptr, creditor, amount)
        The debts of each firm, creditors ascending; shapes (n + 1,), (m,), (m,).
    buffer : ndarray of float64, shape (n,)
        What each firm can lose before it fails.
    """

    owed: Floats
    claims: tuple[Ints, Ints, Floats]
    buffer: Floats


def book_of(debtor: ArrayLike, creditor: ArrayLike, amount: ArrayLike, buffer: ArrayLike) -> Book:
    """Add up claims and keep them beside the buffers.

    Parameters
    ----------
    debtor, creditor, amount
        As in :func:`graph.clearing.debts_of`.
    buffer : array_like, shape (n,)
        In the currency of the debts, not negative (:func:`graph.exposure.buffers`).

    Raises
    ------
    ValueError
        When an amount or buffer is negative or not a number, or a firm unknown.

    Examples
    --------
    >>> book_of([0], [1], [70], [5, 20]).owed.tolist()
    [70.0, 0.0]
    """
    from graph.clearing import debts_of

    can_lose = np.asarray(buffer, np.float64)
    for firm in np.flatnonzero(~(can_lose >= 0.0))[:1]:
        raise ValueError(f"firm {firm} has a buffer of {can_lose[firm]}")
    debts = debts_of(debtor, creditor, amount, len(can_lose))
    by_debtor = debts.shares.tocsc()
    rows = by_debtor.indptr.astype(np.int64)
    amounts = by_debtor.data * np.repeat(debts.owed, np.diff(rows))
    return Book(debts.owed, (rows, by_debtor.indices.astype(np.int64), amounts), can_lose)


def stressed(
    book: Book,
    pd: ArrayLike,
    *,
    seed: int,
    scenarios: int = SCENARIOS,
    rho: float = RHO,
    recovery: float = RECOVERY,
) -> StressedPD:
    """Draw years and count who fails.

    Parameters
    ----------
    book : Book
    pd : array_like, shape (n,)
        Probability in [0, 1] of default within a year of itself.
    seed : int
        Of the draws: the same seed and firms meet the same years, whatever else changes.
    scenarios : int
        Years.
    rho : float
        Share of the common factor in [0, 1).
    recovery : float
        In [0, 1].

    Returns
    -------
    StressedPD

    Raises
    ------
    ValueError
        When a probability is outside [0, 1], sizes differ or a parameter is out of bounds.

    Notes
    -----
    O(scenarios · n) for the draws, 64 years at a time, and the debts of those that fall: firms
    that pay are not touched. Memory O(64 n). O. Vasicek, "The Distribution of Loan Portfolio
    Value", Risk 15, 2002, for the copula.

    Examples
    --------
    >>> book = book_of([0], [1], [100], [0, 60])
    >>> found = stressed(book, [0.1, 0.0], seed=1, scenarios=200)
    >>> bool(found.chain[1] == found.failures.sum() / 400), found.chain[0]
    (True, np.float64(0.0))
    """
    own = np.asarray(pd, np.float64)
    if own.shape != book.owed.shape:
        raise ValueError(f"{own.size} probabilities for {book.owed.size} firms")
    for firm in np.flatnonzero(~((own >= 0.0) & (own <= 1.0)))[:1]:
        raise ValueError(f"firm {firm}: a probability of {own[firm]} is not in [0, 1]")
    if not (0.0 <= rho < 1.0 and 0.0 <= recovery <= 1.0 and scenarios > 0):
        raise ValueError(f"rho {rho}, recovery {recovery}, {scenarios} scenarios")
    common = np.random.default_rng([seed, 0]).standard_normal(scenarios)
    # The worst years come first, so that they fill blocks of their own.
    common = common[np.argsort(common, kind="stable")]
    n_worst = max(1, round(TAIL * scenarios))
    blocks = _blocks(n_worst, scenarios)
    rows, creditors, amounts = book.claims
    fall = _fall.of(scenarios * len(own))
    through, failures = np.zeros(len(own), np.int64), np.zeros(scenarios, np.int64)
    tail = np.zeros(len(own))
    for number, years in enumerate(blocks):
        alone = fail_alone(own, common[years], rho=rho, seed=seed, block=number)
        failures[years] = fall(
            alone, 1.0 - recovery, rows, creditors, amounts, book.owed, book.buffer, through
        )
        if years.start < n_worst:
            tail += np.count_nonzero(alone, axis=1)
        if years.stop == n_worst:
            tail = (tail + through) / n_worst
    return StressedPD(own, through / scenarios, tail, failures)


def _blocks(n_worst: int, scenarios: int) -> list[slice]:
    """Cut years into blocks, none of which holds both worst and other years."""
    starts = [*range(0, n_worst, BLOCK), *range(n_worst, scenarios, BLOCK)]
    ends = [*starts[1:], scenarios]
    return [slice(start, end) for start, end in zip(starts, ends, strict=True)]


def fail_alone(
    pd: Floats, common: Floats, *, rho: float, seed: int, block: int
) -> NDArray[np.bool_]:
    """Draw who fails of itself in a block of years.

    Parameters
    ----------
    pd : ndarray of float64, shape (n,)
    common : ndarray of float64, shape (s,)
        The common factor of each year, at most 64 years.
    rho, seed, block

    Returns
    -------
    ndarray of bool, shape (n, s)

    Examples
    --------
    >>> fail_alone(np.array([0.0, 1.0]), np.zeros(2), rho=0.2, seed=1, block=0).tolist()
    [[False, False], [True, True]]
    """
    from scipy.special import ndtr, ndtri

    # Most are far from failing: only draws below a firm's chance in the block's worst year are
    # held against its chance in their own year.
    draws = np.random.default_rng([seed, 1 + block]).random((len(pd), BLOCK), dtype=np.float32)
    draws = draws[:, : len(common)]
    own, root, rest = ndtri(pd), np.sqrt(rho), np.sqrt(1.0 - rho)
    most = ndtr((own - root * common.min()) / rest).astype(np.float32)
    firm, year = np.nonzero(draws <= most[:, None])
    found = np.zeros(draws.shape, np.bool_)
    found[firm, year] = draws[firm, year] < ndtr((own[firm] - root * common[year]) / rest)
    return found


@kernel
def _fall(
    alone: NDArray[np.bool_],
    unpaid: float,
    rows: Ints,
    creditors: Ints,
    amounts: Floats,
    owed: Floats,
    buffer: Floats,
    counted: Ints,
) -> Ints:
    # Year by year, only those that leave something unpaid are touched: each hands what is new of
    # it to its creditors, in the order in which they fell, until nothing new is worth handing on.
    # ``counted`` grows by the years in which a firm fell with others.
    n, years = alone.shape
    failures = np.zeros(years, np.int64)
    lost, share, handed = np.zeros(n), np.zeros(n), np.zeros(n)
    line = np.empty(n + 1, np.int64)
    waits, fell = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    for year in range(years):
        lost[:], share[:], handed[:], fell[:] = 0.0, 0.0, 0.0, False
        head, tail = 0, 0
        for firm in range(n):
            if alone[firm, year]:
                share[firm] = unpaid
                line[tail], waits[firm], fell[firm] = firm, True, True
                tail += 1
        failures[year] = tail
        while head != tail:
            firm = line[head]
            head = head + 1 if head < n else 0
            waits[firm] = False
            fresh = share[firm] - handed[firm]
            handed[firm] = share[firm]
            for at in range(rows[firm], rows[firm + 1]):
                who = creditors[at]
                lost[who] += amounts[at] * fresh
                beyond = lost[who] - buffer[who]
                if beyond <= 0.0:
                    continue
                if not fell[who]:
                    fell[who] = True
                    counted[who] += 1
                    failures[year] += 1
                if owed[who] > 0.0:
                    share[who] = max(share[who], min(1.0, beyond / owed[who]))
                    if share[who] - handed[who] > _SETTLED and not waits[who]:
                        line[tail], waits[who] = who, True
                        tail = tail + 1 if tail < n else 0
    return failures


def debtrank(
    weights: Weights, firms: ArrayLike, value: ArrayLike, *, shock: float = 1.0
) -> tuple[Floats, Floats]:
    """Rank firms by the distress that theirs would spread.

    Parameters
    ----------
    weights : Weights
        Row = the firm that suffers, column = the one it depends on; the loss of the first per
        loss of the second, in [0, 1].
    firms : array_like of int, shape (s,)
        The firms to start from, each by itself.
    value : array_like, shape (n,)
        Economic weight of each firm, not negative, for example its sales.
    shock : float
        Distress in (0, 1] at the start.

    Returns
    -------
    rank : ndarray of float64, shape (s,)
        Share of all value that is lost at other firms.
    reached : ndarray of float64, shape (s,)
        How many firms are in distress in the end, weighted by how much, the first one not counted.

    Raises
    ------
    ValueError
        When a firm is unknown, the shock out of bounds or a value negative.

    Notes
    -----
    O(steps · nnz · s), 64 firms at a time. Distress adds up along every way and stops at 1: the
    linear form of M. Bardoscia et al., "DebtRank: A Microscopic Foundation for Shock Propagation",
    PLoS ONE 10, 2015, after S. Battiston et al., "DebtRank: Too Central to Fail?", Scientific
    Reports 2, 2012.

    Examples
    --------
    >>> from graph.exposure import weights_from
    >>> weights = weights_from([1, 2], [0, 1], [0.5, 0.4], n_firms=3)
    >>> debtrank(weights, [0, 2], [10, 20, 20])[0].round(4).tolist()
    [0.28, 0.0]
    """
    from scipy.sparse import csr_array

    n = weights.n_firms
    start = np.asarray(firms, np.int64)
    worth = np.asarray(value, np.float64)
    for firm in start.tolist():
        check_index(firm, n)
    if worth.shape != (n,) or not (worth >= 0.0).all():
        raise ValueError(f"{worth.size} values for {n} firms, the least {worth.min(initial=0.0)}")
    if not 0.0 < shock <= 1.0:
        raise ValueError(f"a shock of {shock}")
    matrix = csr_array((weights.values, weights.indices, weights.indptr), shape=(n, n))
    part = worth / max(worth.sum(), np.finfo(float).tiny)
    rank, reached = np.zeros(len(start)), np.zeros(len(start))
    for begin in range(0, len(start), BLOCK):
        now = start[begin : begin + BLOCK]
        fresh = np.zeros((n, len(now)))
        fresh[now, np.arange(len(now))] = shock
        distress = fresh
        for _ in range(_MOST_STEPS):
            anew = np.minimum(distress + matrix @ fresh, 1.0)
            fresh = anew - distress
            distress = anew
            if fresh.max(initial=0.0) <= _SETTLED * shock:
                break
        distress[now, np.arange(len(now))] = 0.0
        rank[begin : begin + len(now)] = part @ distress
        reached[begin : begin + len(now)] = distress.sum(axis=0)
    return rank, reached
