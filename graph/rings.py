"""Rings of invoices that lead back to where they began, in the order of their dates.

A ring is k invoices between k parties (3 ≤ k ≤ 5), each sold by the buyer of the one before: dates
do not fall, the last is at most 60 days after the first, and every amount is 0.8 to 1.25 times the
one before. It may begin anywhere. Firms of one ownership group are one party, so a step inside a
group is free and its invoices close nothing. Two invoices that go there and back are reciprocity,
not a ring. Amounts of 0 and credit notes take part in none.
"""

import dataclasses
import itertools
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from graph.compiled import kernel
from graph.live import LiveGraph

Ints = NDArray[np.int64]

WINDOW: Final = 60
LONGEST: Final = 5
MOST_VISITED: Final = 20_000


@dataclasses.dataclass(frozen=True, order=True)
class Ring:
    """Invoices that close.

    Attributes
    ----------
    documents : tuple of int, length k
        In the order of the ring, from its first invoice; where several of one day could be the
        first, the one of the lowest seller.
    firms : tuple of int, length k
        The seller of each.
    """

    documents: tuple[int, ...]
    firms: tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Search:
    """What was found through one document.

    Attributes
    ----------
    rings : tuple of Ring
        Of 3 to 5 invoices.
    reciprocal : tuple of Ring
        Of two.
    visited : int
        Invoices looked at.
    finished : bool
        False when the search was cut off: no ring found is then no word of there being none.
    """

    rings: tuple[Ring, ...]
    reciprocal: tuple[Ring, ...]
    visited: int
    finished: bool


def rings_through(
    graph: LiveGraph,
    document: int,
    *,
    window: int = WINDOW,
    longest: int = LONGEST,
    most_visited: int = MOST_VISITED,
) -> Search:
    """Find the rings that a document is part of, whenever the others arrived.

    Parameters
    ----------
    graph : LiveGraph
    document : int
        Its number; it may stand anywhere in the ring.
    window : int
        Days from the first invoice to the last.
    longest : int
        Invoices of the longest ring.
    most_visited : int
        Invoices after which the search is cut off.

    Returns
    -------
    Search
        Each ring once, ascending.

    Raises
    ------
    ValueError
        When there is no such document.

    Notes
    -----
    Depth first from the buyer back to the seller, O(most_visited): dates and amounts prune, and the
    rows of each seller are sorted by day. Searched through each document as it arrives, the rings
    found are the same in whatever order they arrive.

    Examples
    --------
    >>> from graph.trades import trades_of
    >>> graph = LiveGraph(trades_of("abc", [0, 1], [1, 2], [1000, 1100], [10, 12]))
    >>> rings_through(graph, graph.add(2, 0, 1050, day=12)).rings
    (Ring(documents=(0, 1, 2), firms=(0, 1, 2)),)
    """
    seller, buyer, amount, day = graph.document(document)
    party = graph.party
    if amount <= 0 or party[seller] == party[buyer]:
        return Search((), (), 0, finished=True)
    merged, waiting = graph.merged, graph.waiting_documents
    found, count, visited = _close.of(len(merged.documents))(
        document, int(party[seller]), int(party[buyer]), amount, day, window, longest,
        most_visited, party, merged.rows, merged.documents, merged.trades.buyer,
        merged.trades.amount, merged.trades.day, graph.last_sale, waiting,
    )  # fmt: skip
    closed: dict[frozenset[int], Ring] = {}
    for row in found[:count].tolist():
        documents = tuple(number for number in row if number >= 0)
        closed.setdefault(frozenset(documents), _from_the_first(graph, documents, window))
    rings = sorted(closed.values())
    return Search(
        tuple(ring for ring in rings if len(ring.documents) > 2),  # noqa: PLR2004 - there and back
        tuple(ring for ring in rings if len(ring.documents) == 2),  # noqa: PLR2004
        int(visited),
        finished=bool(visited <= most_visited),
    )


def rings_among(graph: LiveGraph, documents: Iterable[int]) -> tuple[tuple[Ring, ...], int]:
    """Find the rings through any of some documents, and how many searches were cut off.

    Examples
    --------
    >>> from graph.trades import trades_of
    >>> graph = LiveGraph(trades_of("ab", [0, 1], [1, 0], [1000, 1100], [10, 12]))
    >>> rings_among(graph, range(2))
    ((), 0)
    """
    found: set[Ring] = set()
    unfinished = 0
    for document in documents:
        search = rings_through(graph, document)
        found.update(search.rings)
        unfinished += not search.finished
    return tuple(sorted(found)), unfinished


def _from_the_first(graph: LiveGraph, documents: tuple[int, ...], window: int) -> Ring:
    """Turn a ring so that it begins with its first invoice."""
    known = [graph.document(number) for number in documents]
    best: Ring | None = None
    for turn in range(len(documents)):
        order = [*range(turn, len(documents)), *range(turn)]
        if _follow([known[at] for at in order], window):
            ring = Ring(tuple(documents[at] for at in order), tuple(known[at][0] for at in order))
            if best is None or ring.firms < best.firms:
                best = ring
    if best is None:
        raise AssertionError(f"documents {documents} do not close")
    return best


def _follow(rows: list[tuple[int, int, int, int]], window: int) -> bool:
    """Say whether dates and amounts of invoices in this order are those of a ring."""
    return rows[-1][3] - rows[0][3] <= window and all(
        before[3] <= after[3] and 4 * before[2] <= 5 * after[2] and 4 * after[2] <= 5 * before[2]
        for before, after in itertools.pairwise(rows)
    )


@kernel
def _close(  # noqa: C901, PLR0912, PLR0913, PLR0915, PLR0917 - one loop, handed every array
    document: int,
    start: int,
    buyer: int,
    amount: int,
    day: int,
    window: int,
    longest: int,
    most_visited: int,
    party: Ints,
    rows: Ints,
    documents: Ints,
    buyers: Ints,
    amounts: Ints,
    days: Ints,
    heads: Ints,
    waiting: Ints,
) -> tuple[Ints, int, int]:
    # A path begins with the document itself. Each further invoice either goes on in time or, once,
    # turns back to be the ring's first invoice; after that turn it must lead up to the document.
    n_merged, n_rows = len(buyers), len(rows) - 1
    found = np.empty((64, longest), np.int64)
    count, visited = 0, 0
    path = np.full(longest, -1, np.int64)
    firms = np.full(longest, -1, np.int64)
    last_day, last_amount = np.zeros(longest, np.int64), np.zeros(longest, np.int64)
    turned = np.zeros(longest, np.int64)
    # where the walk through the row of each step stands: phase 0 goes on in time, 1 turns back
    phase, place, stop, link = (
        np.zeros(longest, np.int64), np.zeros(longest, np.int64),
        np.zeros(longest, np.int64), np.full(longest, -1, np.int64),
    )  # fmt: skip
    path[0], firms[0], last_day[0], last_amount[0] = document, buyer, day, amount
    phase[0] = -1
    depth = 0
    while depth >= 0:
        if place[depth] >= stop[depth] and link[depth] < 0:
            phase[depth] += 1
            if phase[depth] > 1 or (phase[depth] == 1 and turned[depth]):
                path[depth] = -1
                depth -= 1
                continue
            here = firms[depth]
            earliest = last_day[depth] if phase[depth] == 0 else last_day[depth] - window
            if here < n_rows:
                low, high = rows[here], rows[here + 1]
                stop[depth] = high
                while low < high:
                    middle = (low + high) // 2
                    if days[documents[middle]] < earliest:
                        low = middle + 1
                    else:
                        high = middle
                place[depth] = low
            link[depth] = heads[here]
            continue
        if place[depth] < stop[depth]:
            number = documents[place[depth]]
            to, worth, on = party[buyers[number]], amounts[number], days[number]
            place[depth] += 1
        else:
            entry = link[depth]
            number = n_merged + entry
            to, worth, on = party[waiting[1, entry]], waiting[2, entry], waiting[3, entry]
            link[depth] = waiting[6, entry]
        back = turned[depth] or phase[depth] == 1
        latest = day if back else day + window
        if on > latest:
            if number < n_merged:
                place[depth] = stop[depth]
            continue
        visited += 1
        if visited > most_visited:
            break
        before = last_amount[depth]
        if phase[depth] == 0:
            if on < last_day[depth] or 4 * before > 5 * worth or 4 * worth > 5 * before:
                continue
        elif on < last_day[depth] - window:
            continue
        if worth <= 0 or number == document:
            continue
        if to == start:
            if back and (4 * worth > 5 * amount or 4 * amount > 5 * worth):
                continue
            if count == len(found):
                more = np.empty((2 * count, longest), np.int64)
                more[:count] = found
                found = more
            found[count] = path
            found[count, depth + 1] = number
            count += 1
            continue
        known = depth + 2 >= longest
        for at in range(depth + 1):
            known = known or firms[at] == to
        if known:
            continue
        depth += 1
        path[depth], firms[depth], last_day[depth], last_amount[depth] = number, to, on, worth
        turned[depth] = 1 if back else 0
        phase[depth], place[depth], stop[depth], link[depth] = -1, 0, 0, -1
    return found, count, visited
