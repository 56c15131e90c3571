"""A graph that documents arrive in: arrays for what is old, a short list for what is new.

Rebuilding a million relations for one invoice takes a second. So a new document is appended to a
list that hangs on its two firms, every question walks the arrays and the list, and once in a while
the owner merges the list into the arrays (:meth:`LiveGraph.merge`).
"""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graph.compiled import kernel
from graph.trades import MAX_AMOUNT, Relations, Trades, relations, sorted_by, trades_of

Ints = NDArray[np.int64]
Shorts = NDArray[np.int32]

LEAST_ROOM: Final = 1_024
_FOREVER: Final = 2**31 - 1
_SELLS, _BUYS = 2, 4
MERGE_AT: Final = 0.02  # share of the documents that may wait in the list


@dataclasses.dataclass(frozen=True)
class Merged:
    """The arrays of the documents that were merged.

    Attributes
    ----------
    trades : Trades
    sales, purchases : tuple of (indptr, other firm, first day)
        Relations by seller and by buyer, shapes (n + 1,), (m,), (m,); the latter two int32, so
        that more of them fit the caches.
    documents : ndarray of int64, shape (d,)
        Numbers of the documents by (party of the seller, day), those within a party left out.
    rows : ndarray of int64, shape (p + 1,)
        Where the documents of each selling party begin in it.
    """

    trades: Trades
    sales: tuple[Ints, Shorts, Shorts]
    purchases: tuple[Ints, Shorts, Shorts]
    documents: Ints
    rows: Ints


class LiveGraph:
    """Relations and documents of one currency, kept up to date document by document.

    Parameters
    ----------
    trades : Trades
        What is known at the start.
    party : array_like of int, shape (n,), optional
        The number of the group that each firm belongs to (:func:`parties`); each firm by itself
        if left out.

    Notes
    -----
    Making it and :meth:`merge` cost O(n + d), :meth:`add` O(1). Numbers of documents and firms
    never change.

    Examples
    --------
    >>> graph = LiveGraph(trades_of(["ore", "steel", "cars"], [0], [1], [500], [10]))
    >>> graph.add(1, 2, 900, day=12)
    1
    >>> graph.neighbourhood(0, up=0, down=2)[0].tolist(), graph.waiting
    ([0, 1, 2], 1)
    """

    def __init__(self, trades: Trades, party: ArrayLike | None = None) -> None:
        self._names = list(trades.firms)
        self._known = set(trades.firms)
        own = np.arange(trades.n_firms) if party is None else np.asarray(party, np.int64)
        if own.shape != (trades.n_firms,) or (
            len(own) and not 0 <= own.min() <= own.max() < len(own)
        ):
            raise ValueError(f"{own.size} parties for {trades.n_firms} firms")
        self.party = own.astype(np.int64)
        self._start(trades)

    def _start(self, trades: Trades) -> None:
        """Build the arrays of documents and empty the list."""
        n = trades.n_firms
        self.merged = _merged(trades, self.party)
        self.waiting = 0
        room = max(LEAST_ROOM, int(MERGE_AT * len(trades)))
        # what waits: seller, buyer, amount, day; then the next of its seller, of its buyer, of its
        # selling party
        self._list = np.empty((7, room), np.int64)
        # the newest that waits of each seller, buyer, selling party
        self._heads = np.full((3, n + LEAST_ROOM), -1, np.int64)
        # per firm: bit 1 while it is reached, and whether something waits of its sales, purchases
        self._marks = np.zeros(n + LEAST_ROOM, np.uint8)

    @property
    def n_firms(self) -> int:
        """The number of firms."""
        return len(self._names)

    @property
    def n_documents(self) -> int:
        """The number of documents, merged and waiting."""
        return len(self.merged.trades) + self.waiting

    @property
    def waiting_documents(self) -> Ints:
        """What waits, shape (7, room): seller, buyer, amount, day; the next of the same seller,
        buyer and selling party, -1 for none.
        """  # noqa: D205 - one sentence
        return self._list

    @property
    def last_sale(self) -> Ints:
        """The newest that waits of each selling party, -1 for none."""
        heads: Ints = self._heads[2]
        return heads

    @property
    def should_merge(self) -> bool:
        """Whether so many documents wait that a merge pays for itself."""
        return self.waiting >= max(LEAST_ROOM, int(MERGE_AT * len(self.merged.trades)))

    def add_firm(self, name: str) -> int:
        """Add a firm that is its own party, and give its number.

        Raises
        ------
        ValueError
            When there is a firm of this name.
        """
        if name in self._known:
            raise ValueError(f"firm {name} is in the graph already")
        number = len(self._names)
        self._names.append(name)
        self._known.add(name)
        self.party = np.append(self.party, number)
        if number >= self._heads.shape[1]:
            more = np.full((3, number + LEAST_ROOM), -1, np.int64)
            more[:, :number] = self._heads
            self._heads = more
            marks = np.zeros(number + LEAST_ROOM, np.uint8)
            marks[:number] = self._marks
            self._marks = marks
        return number

    def add(self, seller: int, buyer: int, amount: int, day: int) -> int:
        """Add a document and give its number.

        Parameters
        ----------
        seller, buyer : int
            A document of a firm with itself is kept and makes no relation.
        amount : int
            Minor units; 0 makes a relation without value, a negative one is a credit note.
        day : int
            Days since 1970-01-01.

        Raises
        ------
        ValueError
            When a firm is unknown or the amount out of bounds.
        """
        for firm in (seller, buyer):
            if not 0 <= firm < self.n_firms:
                raise ValueError(f"firm {firm} is not one of {self.n_firms}")
        if abs(amount) > MAX_AMOUNT:
            raise ValueError(f"an amount of {amount}")
        at = self.waiting
        if at == self._list.shape[1]:
            self._list = np.concatenate((self._list, np.empty_like(self._list)), axis=1)
        group = int(self.party[seller])
        heads = self._heads
        self._list[:, at] = (
            seller, buyer, amount, day, heads[0, seller], heads[1, buyer], heads[2, group],
        )  # fmt: skip
        if seller != buyer:
            heads[0, seller] = heads[1, buyer] = at
            self._marks[seller] |= _SELLS
            self._marks[buyer] |= _BUYS
        if group != self.party[buyer]:
            heads[2, group] = at
        self.waiting += 1
        return len(self.merged.trades) + at

    def document(self, number: int) -> tuple[int, int, int, int]:
        """Give seller, buyer, amount and day of a document."""
        merged = self.merged.trades
        if not 0 <= number < self.n_documents:
            raise ValueError(f"document {number} is not one of {self.n_documents}")
        if number < len(merged):
            columns = (merged.seller, merged.buyer, merged.amount, merged.day)
            seller, buyer, amount, day = (int(column[number]) for column in columns)
        else:
            seller, buyer, amount, day = self._list[:4, number - len(merged)].tolist()
        return seller, buyer, amount, day

    def trades(self) -> Trades:
        """Give all documents as columns, merged and waiting; O(d)."""
        old, new = self.merged.trades, self._list[:4, : self.waiting]
        columns = (
            np.concatenate((before, after))
            for before, after in zip((old.seller, old.buyer, old.amount, old.day), new, strict=True)
        )
        return trades_of(self._names, *columns)

    def merge(self) -> None:
        """Take what waits into the arrays; answers stay the same, numbers too."""
        self._start(self.trades())

    def relations(self, *, since: int | None = None, until: int | None = None) -> Relations:
        """Give the relations as of any day, what waits included."""
        return relations(self.trades(), since=since, until=until)

    def neighbourhood(
        self, firm: int, up: int, down: int, *, until: int | None = None
    ) -> tuple[Ints, Ints]:
        """Find the firms within some steps of one, what waits included.

        Parameters
        ----------
        firm : int
        up, down : int
            How many sales against and along the goods.
        until : int, optional
            The day as of which: relations that began later are not walked.

        Returns
        -------
        firms : ndarray of int64
            Numbers, nearest first; the firm itself is the first.
        level : ndarray of int64
            Steps from it: suppliers positive, customers negative; of two ways the shorter one
            counts, upstream when both are as short.

        Raises
        ------
        ValueError
            When the firm is unknown or a number of steps negative.

        Notes
        -----
        Breadth first, O(relations walked): nothing of the size of the graph is touched.
        """
        if not 0 <= firm < self.n_firms:
            raise ValueError(f"firm {firm} is not one of {self.n_firms}")
        if up < 0 or down < 0:
            raise ValueError(f"{min(up, down)} steps")
        if not up:
            firms, level = self._reach(firm, down, until, self.merged.sales, 0, 1)
            return firms, -level
        firms, level = self._reach(firm, up, until, self.merged.purchases, 1, 0)
        if not down:
            return firms, level
        below, deeper = self._reach(firm, down, until, self.merged.sales, 0, 1)
        firms, level = np.concatenate((firms, below)), np.concatenate((level, -deeper))
        near = np.argsort(np.abs(level), kind="stable")
        kept = np.sort(np.unique(firms[near], return_index=True)[1])
        return firms[near[kept]], level[near[kept]]

    def _reach(
        self,
        firm: int,
        steps: int,
        until: int | None,
        by: tuple[Ints, Shorts, Shorts],
        own: int,
        other: int,
    ) -> tuple[Ints, Ints]:
        """Walk one way: the list by its column ``own``, to the firms of its column ``other``."""
        rows, day = self._list, _FOREVER if until is None else min(until, _FOREVER)
        return _reach.of(len(self.merged.documents))(
            firm, steps, day, _SELLS << own, self._marks,
            self._heads[own], rows[4 + own], rows[other], rows[3], *by,
        )  # fmt: skip


def parties(n_firms: int, owner: ArrayLike, owned: ArrayLike) -> Ints:
    """Put firms that ownership ties together into one party.

    Parameters
    ----------
    n_firms : int
    owner, owned : array_like of int, shape (k,)
        Numbers of firms.

    Returns
    -------
    ndarray of int64, shape (n,)
        The lowest number of a firm of the same group.

    Notes
    -----
    O(n + k).

    Examples
    --------
    >>> parties(4, [3], [1]).tolist()
    [0, 1, 2, 1]
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    if not n_firms:
        return np.zeros(0, np.int64)
    ends = np.asarray(owner, np.int64), np.asarray(owned, np.int64)
    matrix = csr_array((np.ones(len(ends[0]), np.int8), ends), shape=(n_firms, n_firms))
    count, labels = connected_components(matrix, directed=False)
    lowest = np.full(count, n_firms, np.int64)
    np.minimum.at(lowest, labels, np.arange(n_firms))
    found: Ints = lowest[labels]
    return found


def _merged(trades: Trades, party: Ints) -> Merged:

    found, n = relations(trades), trades.n_firms
    graph = found.graph
    by_buyer, order = graph.purchases
    sellers = party[trades.seller]
    between = np.flatnonzero(sellers != party[trades.buyer])
    days = trades.day[between]
    first = int(days.min(initial=0))
    span = int(days.max(initial=0)) - first + 1
    if span <= max(len(days), 2**16):
        in_time = sorted_by(days - first, span)
    else:
        in_time = np.argsort(days, kind="stable")
    documents = between[sorted_by(sellers[between], n, in_time)]
    rows = np.concatenate(([0], np.cumsum(np.bincount(sellers[between], minlength=n))))
    return Merged(
        trades,
        (graph.sales[0], graph.buyer.astype(np.int32), found.first.astype(np.int32)),
        (
            by_buyer,
            graph.seller[order].astype(np.int32),
            found.first[order].astype(np.int32),
        ),
        documents,
        rows.astype(np.int64),
    )


@kernel
def _reach(  # noqa: C901, PLR0912, PLR0913, PLR0917 - a kernel is one loop and is handed every array
    firm: int,
    steps: int,
    until: int,
    bit: int,
    marks: NDArray[np.uint8],
    head: Ints,
    link: Ints,
    who: Ints,
    began: Ints,
    rows: Ints,
    others: Shorts,
    first: Shorts,
) -> tuple[Ints, Ints]:
    # Three passes per step, since memory is what takes the time: where the rows are, who stands in
    # them, who of those is new (without a branch). None waits for the one before.
    n_merged = len(rows) - 1
    firms = np.empty(1_024, np.int64)
    firms[0] = firm
    marks[firm] |= 1
    ends = np.ones(steps + 1, np.int64)
    size, at, step = 1, 0, 0
    while step < steps and at < size:
        front = size - at
        begins, stops = np.zeros(front, np.int64), np.zeros(front, np.int64)
        total = 0
        for place in range(front):
            here = firms[at + place]
            if here < n_merged:
                begins[place], stops[place] = rows[here], rows[here + 1]
            total += stops[place] - begins[place]
            if marks[here] & bit:
                waiting = head[here]
                while waiting >= 0:
                    total += 1
                    waiting = link[waiting]
        found = np.empty(total, np.int32)
        total = 0
        for place in range(front):
            for entry in range(begins[place], stops[place]):
                found[total] = others[entry]
                total += 1 if until == _FOREVER or first[entry] <= until else 0
            if marks[firms[at + place]] & bit:
                waiting = head[firms[at + place]]
                while waiting >= 0:
                    found[total] = who[waiting]
                    total += 1 if began[waiting] <= until else 0
                    waiting = link[waiting]
        if size + total >= len(firms):
            longer = np.empty(2 * (size + total), np.int64)
            longer[:size] = firms[:size]
            firms = longer
        at = size
        for place in range(total):
            there = found[place]
            firms[size] = there
            size += 1 - int(marks[there] & 1)
            marks[there] |= 1
        step += 1
        ends[step] = size
    levels = np.empty(size, np.int64)
    levels[:1] = 0
    for level in range(step):
        levels[ends[level] : ends[level + 1]] = level + 1
    for place in range(size):
        marks[firms[place]] &= 254
    return firms[:size], levels
