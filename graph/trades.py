"""Dated amounts between firms as columns, and the relations that they add up to."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graph.build import MAX_VALUE
from graph.compiled import kernel
from graph.model import SupplyGraph

Ints = NDArray[np.int64]

MAX_AMOUNT: Final = 10**15  # the platform's bound of an amount, in minor units


@dataclasses.dataclass(frozen=True)
class Trades:
    """Documents between firms: invoices positive, credit notes negative, one currency.

    Attributes
    ----------
    firms : tuple of str, length n
        Names, each once; a firm's number is its place.
    seller, buyer : ndarray of int64, shape (d,)
        Numbers of the two firms of each document.
    amount : ndarray of int64, shape (d,)
        Minor units, |amount| at most 10^15.
    day : ndarray of int64, shape (d,)
        Days since 1970-01-01.
    """

    firms: tuple[str, ...]
    seller: Ints
    buyer: Ints
    amount: Ints
    day: Ints

    @property
    def n_firms(self) -> int:
        """The number of firms."""
        return len(self.firms)

    def __len__(self) -> int:
        return len(self.seller)


@dataclasses.dataclass(frozen=True)
class Relations:
    """What the documents of some days add up to.

    Attributes
    ----------
    graph : SupplyGraph
        Each pair once; ``value`` is the net amount, 0 where credit notes outweigh the invoices.
    net : ndarray of int64, shape (m,)
        Invoices less credit notes, minor units; may be negative.
    count : ndarray of int64, shape (m,)
        Documents of the pair, those of amount 0 among them.
    first, last : ndarray of int64, shape (m,)
        Days of its earliest and latest document.
    to_itself : int
        Documents of a firm with itself: they make no relation and are left out.
    """

    graph: SupplyGraph
    net: Ints
    count: Ints
    first: Ints
    last: Ints
    to_itself: int


def trades_of(
    firms: Iterable[str],
    seller: ArrayLike,
    buyer: ArrayLike,
    amount: ArrayLike,
    day: ArrayLike,
) -> Trades:
    """Check columns of documents and keep them.

    Parameters
    ----------
    firms : iterable of str
        Names, each once.
    seller, buyer : array_like of int, shape (d,)
        Numbers of firms.
    amount : array_like of int, shape (d,)
        Minor units of one currency: 0 is kept (a relation without value), a negative amount is a
        credit note.
    day : array_like of int or datetime64, shape (d,)
        Days since 1970-01-01, within ±10^9.

    Returns
    -------
    Trades

    Raises
    ------
    ValueError
        When lengths differ, a name stands twice, a number or amount is out of bounds or not whole,
        or all amounts together would not fit 64 bits; the message names the document.

    Notes
    -----
    O(n + d). Columns that are int64 already are not copied.

    Examples
    --------
    >>> trades_of(["a", "b"], [0], [1], [500], np.array(["1970-01-31"], "datetime64[D]")).day
    array([30])
    """
    names = tuple(firms)
    if len(set(names)) != len(names):
        raise ValueError("a firm stands twice among the names")
    sellers, buyers, amounts = (
        _whole(name, column)
        for name, column in (("seller", seller), ("buyer", buyer), ("amount", amount))
    )
    days = np.asarray(day)
    if days.dtype.kind == "M":
        days = days.astype("datetime64[D]").astype(np.int64)
    days = _whole("day", days)
    sizes = {len(column) for column in (sellers, buyers, amounts, days)}
    if len(sizes) != 1:
        raise ValueError(f"columns of {', '.join(map(str, sorted(sizes)))} documents")
    for what, column, low, high in (
        ("seller", sellers, 0, len(names) - 1),
        ("buyer", buyers, 0, len(names) - 1),
        ("amount", amounts, -MAX_AMOUNT, MAX_AMOUNT),
        ("day", days, -(10**9), 10**9),
    ):
        if len(column) and (column.min() < low or column.max() > high):
            at = int(np.flatnonzero((column < low) | (column > high))[0])
            raise ValueError(f"document {at} has {what} {column[at]}")
    if float(np.abs(amounts).sum(dtype=np.float64)) > MAX_VALUE:
        raise ValueError("the amounts of all documents together do not fit 64 bits")
    return Trades(names, sellers, buyers, amounts, days)


def numbered(*columns: Sequence[str]) -> tuple[tuple[str, ...], list[Ints]]:
    """Number the firms that stand in columns of names.

    Returns
    -------
    firms : tuple of str
        Ascending.
    numbers : list of ndarray of int64
        Each column with numbers in place of names.

    Notes
    -----
    O(d + n log n).

    Examples
    --------
    >>> firms, (seller, buyer) = numbered(["b", "a"], ["c", "b"])
    >>> firms, seller.tolist(), buyer.tolist()
    (('a', 'b', 'c'), [1, 0], [2, 1])
    """
    firms = tuple(sorted(set().union(*columns)))
    number = {name: at for at, name in enumerate(firms)}
    return firms, [
        np.fromiter(map(number.__getitem__, column), np.int64, len(column)) for column in columns
    ]


def relations(trades: Trades, *, since: int | None = None, until: int | None = None) -> Relations:
    """Add documents up to relations, as of any day.

    Parameters
    ----------
    trades : Trades
    since, until : int, optional
        First and last day that count, both included.

    Returns
    -------
    Relations
        Independent of the order of the documents. All firms stay in the graph, also those without
        a document.

    Notes
    -----
    O(n + d): two stable counting sorts (by buyer, then by seller) and one pass. D. E. Knuth, "The
    Art of Computer Programming" 3, 5.2.

    Examples
    --------
    >>> trades = trades_of("abc", [1, 0, 1, 1], [2, 2, 2, 1], [50, 7, -80, 9], [3, 4, 5, 5])
    >>> found = relations(trades)
    >>> found.graph.seller.tolist(), found.graph.value.tolist(), found.net.tolist()
    ([0, 1], [7, 0], [7, -30])
    >>> found.to_itself, relations(trades, until=4).net.tolist()
    (1, [7, 50])
    """
    keep = trades.seller != trades.buyer
    to_itself = len(keep) - int(keep.sum())
    if since is not None:
        keep &= trades.day >= since
    if until is not None:
        keep &= trades.day <= until
    seller, buyer, amount, day = trades.seller, trades.buyer, trades.amount, trades.day
    if not keep.all():
        seller, buyer, amount, day = seller[keep], buyer[keep], amount[keep], day[keep]
    order = sorted_by(seller, trades.n_firms, sorted_by(buyer, trades.n_firms))
    columns = _add_up.of(4 * len(order))(order, seller, buyer, amount, day)
    sellers, buyers, net, count, first, last = columns
    graph = SupplyGraph(trades.firms, sellers, buyers, np.maximum(net, 0))
    return Relations(graph, net, count, first, last, to_itself)


def sorted_by(keys: Ints, n_keys: int, order: Ints | None = None) -> Ints:
    """Order numbers by a key in [0, n_keys), those of one key as they stood in ``order``.

    Notes
    -----
    O(len(keys) + n_keys), stable.

    Examples
    --------
    >>> sorted_by(np.array([2, 0, 2, 1]), 3).tolist()
    [1, 3, 0, 2]
    """
    if order is None:
        order = np.arange(len(keys))
    places = np.zeros(n_keys + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=n_keys), out=places[1:])
    return _count_sort.of(2 * len(keys))(keys, order, places)


@kernel
def _count_sort(keys: Ints, order: Ints, places: Ints) -> Ints:
    found = order.copy()
    for at in range(len(order)):
        number = order[at]
        key = keys[number]
        found[places[key]] = number
        places[key] += 1
    return found


@kernel
def _add_up(
    order: Ints, seller: Ints, buyer: Ints, amount: Ints, day: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints]:
    sellers, buyers, net = order.copy(), order.copy(), order.copy()
    count, first, last = order.copy(), order.copy(), order.copy()
    at = -1
    for number in order:
        s, b, on = seller[number], buyer[number], day[number]
        if at < 0 or sellers[at] != s or buyers[at] != b:
            at += 1
            sellers[at], buyers[at], net[at], count[at] = s, b, 0, 0
            first[at] = last[at] = on
        net[at] += amount[number]
        count[at] += 1
        first[at] = min(first[at], on)
        last[at] = max(last[at], on)
    m = at + 1
    return (
        sellers[:m].copy(), buyers[:m].copy(), net[:m].copy(),
        count[:m].copy(), first[:m].copy(), last[:m].copy(),
    )  # fmt: skip


def _whole(what: str, column: ArrayLike) -> Ints:
    given = np.asarray(column)
    if given.size and given.dtype.kind not in "iu":
        raise ValueError(f"{what} is of {given.dtype}, not of whole numbers")
    return given.astype(np.int64, copy=False)
