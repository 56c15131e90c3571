"""Who can pay what when everybody pays out of what they are paid.

The clearing vector of L. Eisenberg and T. H. Noe, "Systemic Risk in Financial Systems", Management
Science 47, 2001: p = min(p̄, e + Πᵀp), the greatest such p; with a cost of default after L. C. G.
Rogers and L. A. M. Veraart, "Failure and Rescue in an Interbank Network", Management Science 59,
2013.
"""

import dataclasses
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SETTLED: Final = 1e-12  # share of a firm's own debts below which its payment has settled
MOST_STEPS: Final = 400  # then those in default are solved for at once


@dataclasses.dataclass(frozen=True)
class Debts:
    """Who owes whom how much.

    Attributes
    ----------
    owed : ndarray of float64, shape (n,)
        All that each firm owes (p̄).
    shares : scipy.sparse.csr_array of float64, shape (n, n)
        Row = creditor, column = debtor: the part of the debtor's payments that goes to it (Πᵀ).
    """

    owed: Floats
    shares: Any

    @property
    def n_firms(self) -> int:
        """The number of firms."""
        return len(self.owed)


@dataclasses.dataclass(frozen=True)
class Clearing:
    """What everybody pays.

    Attributes
    ----------
    paid : ndarray of float64, shape (n,)
        The greatest clearing vector.
    received : ndarray of float64, shape (n,)
        From the other firms.
    in_default : ndarray of bool, shape (n,)
        Firms that cannot pay in full.
    equity : ndarray of float64, shape (n,)
        What is left to each firm, 0 in default.
    lost : ndarray of float64, shape (n,)
        Cost of default: what a firm had and nobody received. Σ equity + Σ lost = Σ assets.
    steps : int
        Products of matrix and vector.
    """

    paid: Floats
    received: Floats
    in_default: NDArray[np.bool_]
    equity: Floats
    lost: Floats
    steps: int


def debts_of(debtor: ArrayLike, creditor: ArrayLike, amount: ArrayLike, n_firms: int) -> Debts:
    """Add up what each firm owes each other one.

    Parameters
    ----------
    debtor, creditor : array_like of int, shape (m,)
        Pairs may repeat; a debt of a firm to itself is left out.
    amount : array_like, shape (m,)
        In one currency, not negative; debts of 0 are left out.
    n_firms : int

    Returns
    -------
    Debts

    Raises
    ------
    ValueError
        When an amount is negative or not finite, or a firm unknown; the message names the debt.

    Notes
    -----
    O(n + m).

    Examples
    --------
    >>> debts = debts_of([0, 1, 2, 0], [1, 2, 0, 1], [60, 80, 30, 40], 3)
    >>> debts.owed.tolist()
    [100.0, 80.0, 30.0]
    """
    from scipy.sparse import csr_array

    i, j = np.asarray(debtor, np.int64), np.asarray(creditor, np.int64)
    worth = np.asarray(amount, np.float64)
    if not len(i) == len(j) == len(worth):
        raise ValueError(f"{len(i)} debtors, {len(j)} creditors, {len(worth)} amounts")
    bad = ~(np.isfinite(worth) & (worth >= 0.0))
    for ends in (i, j):
        bad |= (ends < 0) | (ends >= n_firms)
    for at in np.flatnonzero(bad)[:1]:
        raise ValueError(f"debt {at}, of firm {i[at]} to {j[at]}, is {worth[at]}")
    keep = (worth > 0.0) & (i != j)
    i, j, worth = i[keep], j[keep], worth[keep]
    owed = np.bincount(i, worth, minlength=n_firms).astype(np.float64)
    shares = csr_array((worth / owed[i], (j, i)), shape=(n_firms, n_firms))
    shares.sum_duplicates()
    return Debts(owed, shares)


def clear(debts: Debts, assets: ArrayLike, *, recovery: float = 1.0) -> Clearing:
    """Find what everybody pays when all pay at once, each no more than it has.

    Parameters
    ----------
    debts : Debts
    assets : array_like, shape (n,)
        What each firm has outside the debts (e), not negative, in their currency.
    recovery : float
        The part in (0, 1] of what a firm in default has that reaches its creditors.

    Returns
    -------
    Clearing
        The greatest solution: nobody is in default who could pay.

    Raises
    ------
    ValueError
        When an asset is negative or not finite, or sizes differ.

    Notes
    -----
    From p̄ the payments only fall, so those found short stay short. O(nnz) per step; where they
    have not settled after 400 steps, the firms in default are solved for as one sparse linear
    system, as often as a further one falls (the fictitious default algorithm, at most n times).

    Examples
    --------
    >>> debts = debts_of([0, 1, 2], [1, 2, 0], [100, 80, 30], 3)
    >>> found = clear(debts, [50, 20, 10])
    >>> found.paid.tolist(), found.equity.tolist()
    ([80.0, 80.0, 30.0], [0.0, 20.0, 60.0])
    """
    have = np.asarray(assets, np.float64)
    owed, shares = debts.owed, debts.shares
    if have.shape != owed.shape:
        raise ValueError(f"assets of {have.size} firms for debts of {owed.size}")
    for firm in np.flatnonzero(~(np.isfinite(have) & (have >= 0.0)))[:1]:
        raise ValueError(f"firm {firm} has assets of {have[firm]}")
    if not 0.0 < recovery <= 1.0:
        raise ValueError(f"a recovery of {recovery} is not in (0, 1]")
    paid, steps = owed, 0
    small = SETTLED * owed
    enough = owed - small
    fallen = np.empty_like(owed)
    while True:
        total = shares @ paid
        total += have
        steps += 1
        if recovery < 1.0:
            total[total < enough] *= recovery
        np.minimum(total, owed, out=total)
        np.subtract(paid, total, out=fallen)
        paid = total
        if (fallen <= small).all():
            break
        if steps >= MOST_STEPS:
            paid = _solve(debts, have, have + shares @ paid < enough, recovery)
            break
    received = shares @ paid
    total = have + received
    short = total < enough
    left = np.where(short, 0.0, np.maximum(total - owed, 0.0))
    lost = np.where(short, total - paid, 0.0)
    return Clearing(paid, received, short, left, np.maximum(lost, 0.0), steps)


def _solve(debts: Debts, have: Floats, short: NDArray[np.bool_], recovery: float) -> Floats:
    """Solve for the payments of those known to fall short, until no other one does."""
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import spsolve

    while True:
        at = np.flatnonzero(short)
        paid = np.where(short, 0.0, debts.owed)
        inner = debts.shares[at][:, at]
        wanted = recovery * (have + debts.shares @ paid)[at]
        paid[at] = spsolve((eye_array(len(at)) - recovery * inner).tocsc(), wanted)
        total = have + debts.shares @ paid
        more = short | (total < debts.owed * (1.0 - SETTLED))
        if (more == short).all():
            return paid
        short = more
