"""How far a firm stands from the anchors, and which firms trade in a circle."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.model import SupplyGraph

    Ints = NDArray[np.int64]

UNREACHED = -1


def tiers_up(graph: "SupplyGraph", anchors: Iterable[int], *, limit: int | None = None) -> "Ints":
    """Count the sales between each firm and the nearest anchor that its goods reach.

    Parameters
    ----------
    graph : SupplyGraph
    anchors : iterable of int
        Tier 0.
    limit : int, optional
        Firms further away are not reached.

    Returns
    -------
    ndarray of int64, shape (n,)
        1 for a firm that sells to an anchor, 2 for one that sells to such a firm, …; -1 where
        no anchor is reached. A circle ends where it meets a firm that was reached before.

    Raises
    ------
    ValueError
        When an anchor is not a firm of the graph.

    Notes
    -----
    Breadth first, O(n + m).

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["ore", "steel", "steel"], ["steel", "cars", "ore"])
    >>> dict(zip(chain.firms, tiers_up(chain, [chain.number("cars")]).tolist()))
    {'cars': 0, 'ore': 2, 'steel': 1}
    """
    return _distance(graph.purchases, graph.seller, graph.n_firms, anchors, limit)


def tiers_down(graph: "SupplyGraph", anchors: Iterable[int], *, limit: int | None = None) -> "Ints":
    """Count the sales between each firm and the nearest anchor whose goods reach it.

    Parameters, result and cost are those of :func:`tiers_up`, in the other direction.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["maker", "dealer"], ["dealer", "shop"])
    >>> dict(zip(chain.firms, tiers_down(chain, [chain.number("maker")]).tolist()))
    {'dealer': 1, 'maker': 0, 'shop': 2}
    """
    return _distance(graph.sales, graph.buyer, graph.n_firms, anchors, limit)


def levels(graph: "SupplyGraph", up: "Ints", down: "Ints") -> "Ints":
    """Give every firm one place in the picture: upstream positive, anchors 0, downstream negative.

    A firm that no anchor's goods reach and whose own reach none stands one step beside the
    partner through which it belongs to the chain: a buyer one step further down, a seller one
    step further up.

    Parameters
    ----------
    graph : SupplyGraph
    up, down : ndarray of int64, shape (n,)
        Of :func:`tiers_up` and :func:`tiers_down`.

    Returns
    -------
    ndarray of int64, shape (n,)
        0 for a firm without any way to an anchor.

    Notes
    -----
    O(n + m). A firm on both sides of the anchor is shown on the side that is nearer, upstream
    when both are.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["t1", "t1"], ["anchor", "x"])
    >>> anchor = [chain.number("anchor")]
    >>> found = levels(chain, tiers_up(chain, anchor), tiers_down(chain, anchor))
    >>> dict(zip(chain.firms, found.tolist()))
    {'anchor': 0, 't1': 1, 'x': 0}
    """
    import numpy as np

    placed = np.where(
        (up != UNREACHED) & ((down == UNREACHED) | (up <= down)),
        up,
        np.where(down != UNREACHED, -down, 0),
    )
    known = (up != UNREACHED) | (down != UNREACHED)
    while True:
        sells = known[graph.seller] & ~known[graph.buyer]
        buys = known[graph.buyer] & ~known[graph.seller]
        if not (sells.any() or buys.any()):
            return placed.astype(np.int64)
        fresh = np.full(graph.n_firms, np.iinfo(np.int64).max)
        np.minimum.at(fresh, graph.buyer[sells], placed[graph.seller[sells]] - 1)
        np.minimum.at(fresh, graph.seller[buys], placed[graph.buyer[buys]] + 1)
        found = fresh != np.iinfo(np.int64).max
        placed = np.where(found, fresh, placed)
        known = known | found


def circles(graph: "SupplyGraph") -> "Ints":
    """Name the circle that a firm trades in.

    Parameters
    ----------
    graph : SupplyGraph

    Returns
    -------
    ndarray of int64, shape (n,)
        The lowest number of a firm in the same circle of sales (strongly connected component), -1
        for a firm in none.

    Notes
    -----
    O(n + m). D. J. Pearce, "An improved algorithm for finding the strongly connected components
    of a directed graph", 2005 (scipy.sparse.csgraph).

    Examples
    --------
    >>> from graph.build import from_relations
    >>> circles(from_relations(["a", "b", "c"], ["b", "a", "a"])).tolist()
    [0, 0, -1]
    """
    return _components(graph, "strong")


def components(graph: "SupplyGraph") -> "Ints":
    """Name the part of the graph that hangs together, whichever way the goods run.

    Returns
    -------
    ndarray of int64, shape (n,)
        The lowest number of a firm in the same part; -1 for a firm without relations.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> components(from_relations(["a", "c"], ["b", "b"], firms=["d"])).tolist()
    [0, 0, 0, -1]
    """
    return _components(graph, "weak")


def _components(graph: "SupplyGraph", connection: str) -> "Ints":
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    n = graph.n_firms
    if not n:
        return np.zeros(0, np.int64)
    ones = np.ones(graph.n_relations, np.int8)
    matrix = csr_array((ones, graph.buyer, graph.sales[0]), shape=(n, n))
    count, labels = connected_components(matrix, directed=True, connection=connection)
    first = np.full(count, n, np.int64)
    np.minimum.at(first, labels, np.arange(n))
    sizes = np.bincount(labels, minlength=count)
    return np.where(sizes[labels] > 1, first[labels], -1).astype(np.int64)


def _distance(
    by_end: tuple["Ints", "Ints"],
    other_end: "Ints",
    n: int,
    anchors: Iterable[int],
    limit: int | None,
) -> "Ints":
    import numpy as np

    indptr, order = by_end
    distance = np.full(n, UNREACHED, np.int64)
    front = np.unique(np.fromiter(anchors, np.int64))
    for anchor in front[(front < 0) | (front >= n)][:1]:
        raise ValueError(f"anchor {anchor} is not one of {n} firms")
    distance[front] = 0
    step = 0
    while len(front) and (limit is None or step < limit):
        step += 1
        starts, counts = indptr[front], indptr[front + 1] - indptr[front]
        total = int(counts.sum())
        if not total:
            break
        offsets = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
        reached = np.unique(other_end[order[np.repeat(starts, counts) + offsets]])
        front = reached[distance[reached] == UNREACHED]
        distance[front] = step
    return distance
