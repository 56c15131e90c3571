"""What must add up in trade and finance, whatever happened; each law names its first offender.

Exact integers throughout: quantities and amounts in minor units, one tenant and one currency per
call. A law answers None where it holds.
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graph.trades import MAX_AMOUNT, Relations, Trades, relations

Ints = NDArray[np.int64]

PPM: Final = 1_000_000


@dataclasses.dataclass(frozen=True)
class Breach:
    """The first place where a law does not hold.

    Attributes
    ----------
    law : str
        What does not hold, as a formula.
    path : tuple of int
        Where: the row, or the numbers that lead to it.
    found, bound : int
        The left and the right side.
    """

    law: str
    path: tuple[int, ...]
    found: int
    bound: int


def order_lines(
    ordered: ArrayLike,
    received: ArrayLike,
    invoiced: ArrayLike,
    credited: ArrayLike,
    *,
    tolerance_ppm: ArrayLike = 0,
    by_receipt: ArrayLike = True,
) -> Breach | None:
    """Nothing is billed that did not come, and nothing came that was not ordered.

    Per order line Σ invoiced − Σ credited ≤ Σ received · (1 + tol) ≤ ordered · (1 + tol)²; where
    the match asks for no receipt, Σ invoiced − Σ credited ≤ ordered · (1 + tol).

    Parameters
    ----------
    ordered, received, invoiced, credited : array_like of int, shape (k,)
        Sums per order line in the smallest unit, 0 to 10^15.
    tolerance_ppm : array_like of int, shape (k,) or one
        Parts per million, 0 to 10^6.
    by_receipt : array_like of bool, shape (k,) or one

    Returns
    -------
    Breach or None
        ``path`` is the line.

    Raises
    ------
    ValueError
        When a column is out of bounds, or columns differ in length.

    Notes
    -----
    O(k), exact: a bound is floor(x · (10^6 + tol) / 10^6), taken apart so that it fits 64 bits.

    Examples
    --------
    >>> order_lines([100], [90], [95], [0], tolerance_ppm=50_000)
    Breach(law='invoiced − credited ≤ received · (1 + tolerance)', path=(0,), found=95, bound=94)
    """
    sizes = [_column(name, values) for name, values in (
        ("ordered", ordered), ("received", received), ("invoiced", invoiced),
        ("credited", credited),
    )]  # fmt: skip
    asked, came, billed, back = _same(sizes)
    tolerance = np.broadcast_to(_column("tolerance", tolerance_ppm, PPM), asked.shape)
    receipts = np.broadcast_to(np.asarray(by_receipt, np.bool_), asked.shape)
    net, at_most = billed - back, _raised(asked, tolerance)
    return _first(
        _above("invoiced − credited ≤ ordered · (1 + tolerance)", net, at_most, ~receipts),
        _above(
            "invoiced − credited ≤ received · (1 + tolerance)",
            net, _raised(came, tolerance), receipts,
        ),
        _above("received ≤ ordered · (1 + tolerance)", came, at_most, receipts),
    )  # fmt: skip


def invoices(  # noqa: PLR0913 - a claim has so many parts
    gross: ArrayLike,
    paid: ArrayLike,
    credited: ArrayLike,
    written_off: ArrayLike,
    still_open: ArrayLike,
    *,
    held: ArrayLike,
    outstanding: ArrayLike,
    capacity: ArrayLike,
    over_advance: ArrayLike,
) -> Breach | None:
    """Every invoice is accounted for, and no more is financed than it can bear.

    gross = paid + credited + written off + open, and held + outstanding ≤ capacity + over-advance.

    Parameters
    ----------
    gross, … : array_like of int, shape (k,)
        Minor units, 0 to 10^15.

    Returns
    -------
    Breach or None
        ``path`` is the invoice.

    Examples
    --------
    >>> invoices([100], [60], [10], [0], [30], held=[5], outstanding=[30], capacity=[30],
    ...          over_advance=[0]).law
    'held + outstanding ≤ capacity + over-advance'
    """
    columns = _same([
        _column(name, values) for name, values in (
            ("gross", gross), ("paid", paid), ("credited", credited),
            ("written off", written_off), ("open", still_open), ("held", held),
            ("outstanding", outstanding), ("capacity", capacity), ("over-advance", over_advance),
        )
    ])  # fmt: skip
    whole, came, back, given_up, rest, kept, out, bears, over = columns
    return _first(
        _unequal("gross = paid + credited + written off + open", whole,
                 came + back + given_up + rest),
        _above("held + outstanding ≤ capacity + over-advance", kept + out, bears + over),
    )  # fmt: skip


def vouchers(
    root: ArrayLike,
    parent: ArrayLike,
    amount: ArrayLike,
    live: ArrayLike,
    issued: ArrayLike,
    redeemed: ArrayLike,
    cancelled: ArrayLike,
) -> Breach | None:
    """The live leaves of a voucher are what was issued and is neither redeemed nor cancelled.

    Parameters
    ----------
    root : array_like of int, shape (k,)
        The voucher that each part belongs to.
    parent : array_like of int, shape (k,)
        The part that it was split from, by row, −1 for the first.
    amount : array_like of int, shape (k,)
        Minor units.
    live : array_like of bool, shape (k,)
        Whether the part is still held; a part with children is spent and must not be.
    issued, redeemed, cancelled : array_like of int, shape (v,)
        Per voucher.

    Returns
    -------
    Breach or None
        ``path`` is the voucher, or the voucher with the part and its child.

    Examples
    --------
    >>> split = dict(root=[0, 0, 0], parent=[-1, 0, 0], amount=[90, 50, 40])
    >>> vouchers(**split, live=[False, True, True], issued=[90], redeemed=[0], cancelled=[0])
    >>> vouchers(**split, live=[True, True, True], issued=[90], redeemed=[0], cancelled=[0]).path
    (0, 0, 1)
    """
    whole, paid, gone = _same([
        _column("issued", issued), _column("redeemed", redeemed), _column("cancelled", cancelled),
    ])  # fmt: skip
    roots, before, worth = _same(
        [_column("root", root), _column("parent", parent, low=-1), _column("amount", amount)]
    )
    alive = np.asarray(live, np.bool_)
    _within("root", roots, len(whole))
    _within("parent", before, len(roots))
    if alive.shape != roots.shape:
        raise ValueError(f"{alive.size} states for {len(roots)} parts")
    for child in np.flatnonzero((before >= 0) & alive[before])[:1].tolist():
        path = (int(roots[child]), int(before[child]), child)
        return Breach("a part that was split is spent", path, int(worth[before[child]]), 0)
    held = _sums(roots[alive], worth[alive], len(whole))
    return _unequal("live leaves = issued − redeemed − cancelled", held, whole - paid - gone)


def receipts(
    amount: ArrayLike, suspense: ArrayLike, receipt: ArrayLike, allocated: ArrayLike
) -> Breach | None:
    """All cash that came is allocated or in suspense.

    Parameters
    ----------
    amount, suspense : array_like of int, shape (k,)
        Per receipt, minor units.
    receipt, allocated : array_like of int, shape (a,)
        The receipt of each allocation, and how much.

    Returns
    -------
    Breach or None
        ``path`` is the receipt.

    Examples
    --------
    >>> receipts([100], [20], [0, 0], [50, 29]).bound
    99
    """
    came, kept = _same([_column("amount", amount), _column("suspense", suspense)])
    of, part = _same([_column("receipt", receipt), _column("allocated", allocated)])
    _within("receipt", of, len(came))
    return _unequal("receipt = allocations + suspense", came, _sums(of, part, len(came)) + kept)


def limits(
    used: ArrayLike, parent: ArrayLike, node: ArrayLike, utilisation: ArrayLike
) -> Breach | None:
    """Every limit is used by what hangs below it.

    Parameters
    ----------
    used : array_like of int, shape (k,)
        As stored, per node, minor units.
    parent : array_like of int, shape (k,)
        The node above, −1 at the top.
    node, utilisation : array_like of int, shape (u,)
        What uses a node, at the lowest one that it counts on.

    Returns
    -------
    Breach or None
        ``path`` leads from the top to the node.

    Raises
    ------
    ValueError
        When nodes stand above each other in a circle.

    Notes
    -----
    O((k + u) · depth).

    Examples
    --------
    >>> limits([70, 40, 31], [-1, 0, 0], [1, 2], [40, 30])
    Breach(law='used = what hangs below', path=(0, 2), found=31, bound=30)
    """
    stored, above = _same([_column("used", used), _column("parent", parent, low=-1)])
    at, worth = _same([_column("node", node), _column("utilisation", utilisation)])
    _within("parent", above, len(stored))
    _within("node", at, len(stored))
    below = np.zeros(len(stored), np.int64)
    for _ in range(len(stored) + 1):
        np.add.at(below, at, worth)
        at, worth = above[at], worth[above[at] >= 0]
        at = at[at >= 0]
        if not len(at):
            break
    else:
        raise ValueError("nodes stand above each other in a circle")
    breach = _unequal("used = what hangs below", stored, below)
    if breach is None:
        return None
    path = list(breach.path)
    while above[path[0]] >= 0:
        path.insert(0, int(above[path[0]]))
    return dataclasses.replace(breach, path=tuple(path))


def edges(
    stored: Relations, trades: Trades, *, since: int | None = None, until: int | None = None
) -> Breach | None:
    """The relations of a snapshot are the sums of the documents behind them.

    Parameters
    ----------
    stored : Relations
    trades : Trades
        All documents, of the same firms.
    since, until : int, optional
        Days of the snapshot.

    Returns
    -------
    Breach or None
        ``path`` is seller and buyer. Where every relation agrees, so do the sums of every seller
        and of every buyer.

    Notes
    -----
    O(n + d).

    Examples
    --------
    >>> from graph.trades import trades_of
    >>> book = trades_of("ab", [0, 0], [1, 1], [5, 7], [1, 2])
    >>> edges(relations(book, until=1), book)
    Breach(law='relation = sum of its documents', path=(0, 1), found=5, bound=12)
    """
    if stored.graph.firms != trades.firms:
        raise ValueError("the snapshot and the documents are of different firms")
    anew = relations(trades, since=since, until=until)
    n = trades.n_firms
    sides: list[Ints] = [one.graph.seller * n + one.graph.buyer for one in (stored, anew)]
    keys = np.union1d(sides[0], sides[1])
    sums = [np.zeros(len(keys), np.int64) for _ in sides]
    for total, side, one in zip(sums, sides, (stored, anew), strict=True):
        np.add.at(total, np.searchsorted(keys, side), one.net)
    only = np.setxor1d(sides[0], sides[1])
    for key in only[:1].tolist():
        at = int(np.searchsorted(keys, key))
        found, bound = int(sums[0][at]), int(sums[1][at])
        return Breach("relation = sum of its documents", divmod(key, n), found, bound)
    breach = _unequal("relation = sum of its documents", *sums)
    if breach is not None:
        return dataclasses.replace(breach, path=divmod(int(keys[breach.path[0]]), n))
    value = stored.graph.value
    breach = _unequal("value = sum of its documents, at least 0", value, np.maximum(stored.net, 0))
    if breach is None:
        return None
    at = breach.path[0]
    ends = int(stored.graph.seller[at]), int(stored.graph.buyer[at])
    return dataclasses.replace(breach, path=ends)


def clearing(
    equity: ArrayLike, unrecovered: ArrayLike, assets: ArrayLike, *, allowed: int = 0
) -> Breach | None:
    """What clearing leaves and loses is what there was: Σ equity + Σ unrecovered = Σ assets.

    Parameters
    ----------
    equity, unrecovered, assets : array_like of int, shape (n,)
        Whole minor units, each rounded from the clearing of floats.
    allowed : int
        What those roundings may add up to, in minor units.

    Returns
    -------
    Breach or None
        ``path`` is empty: the sum is of all firms.

    Examples
    --------
    >>> clearing([0, 20, 60], [0, 0, 0], [50, 20, 10])
    >>> clearing([0, 20, 61], [0, 0, 0], [50, 20, 10]).found
    81
    """
    left, lost, had = _same([
        _column("equity", equity), _column("unrecovered", unrecovered), _column("assets", assets),
    ])  # fmt: skip
    found, bound = int(left.sum() + lost.sum()), int(had.sum())
    if abs(found - bound) <= allowed:
        return None
    return Breach("equity + unrecovered = assets", (), found, bound)


def _column(name: str, values: ArrayLike, high: int = MAX_AMOUNT, low: int = 0) -> Ints:
    given = np.asarray(values)
    if given.size and given.dtype.kind not in "iu":
        raise ValueError(f"{name} is of {given.dtype}, not of whole numbers")
    column = given.astype(np.int64)
    bad = np.flatnonzero((column < low) | (column > high))
    if len(bad):
        raise ValueError(f"{name} of row {bad[0]} is {column.flat[bad[0]]}")
    return column


def _same(columns: list[Ints]) -> list[Ints]:
    sizes = {len(column) for column in columns}
    if len(sizes) != 1:
        raise ValueError(f"columns of {', '.join(map(str, sorted(sizes)))} rows")
    return columns


def _within(name: str, numbers: Ints, size: int) -> None:
    for at in np.flatnonzero(numbers >= size)[:1]:
        raise ValueError(f"{name} of row {at} is {numbers[at]}, of {size}")


def _sums(keys: Ints, values: Ints, size: int) -> Ints:
    total: Ints = np.zeros(size, np.int64)
    np.add.at(total, keys, values)
    return total


def _raised(values: Ints, ppm: Ints) -> Ints:
    """floor(values · (1 + ppm / 10^6)), exact."""
    raised: Ints = values + values // PPM * ppm + values % PPM * ppm // PPM
    return raised


def _above(
    law: str, found: Ints, bound: Ints, where: NDArray[np.bool_] | None = None
) -> Breach | None:
    wrong = found > bound
    if where is not None:
        wrong &= where
    return _breach(law, wrong, found, bound)


def _unequal(law: str, found: Ints, bound: Ints) -> Breach | None:
    return _breach(law, found != bound, found, bound)


def _breach(law: str, wrong: NDArray[np.bool_], found: Ints, bound: Ints) -> Breach | None:
    for at in np.flatnonzero(wrong)[:1].tolist():
        return Breach(law, (at,), int(found[at]), int(bound[at]))
    return None


def _first(*breaches: Breach | None) -> Breach | None:
    """Give the breach of the lowest row, of those of one row the first law."""
    found = [breach for breach in breaches if breach is not None]
    return min(found, key=lambda breach: breach.path) if found else None
