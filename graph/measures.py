"""Where a firm stands in the whole: its core, its weight, its community.

For strong components see :func:`graph.tiers.circles`, for shares :mod:`graph.concentration`.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from graph.compiled import kernel
from graph.model import SupplyGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAMPING: Final = 0.85
SETTLED: Final = 1e-9
_MOST_STEPS: Final = 1_000
_MOST_LEVELS: Final = 30
_LEAST_GAIN: Final = 1e-12  # of modularity: below it a move is rounding


def cores(graph: SupplyGraph) -> Ints:
    """Say how deep in the thick of trade each firm stands.

    Parameters
    ----------
    graph : SupplyGraph
        Two firms are partners whoever sells; amounts do not count.

    Returns
    -------
    ndarray of int64, shape (n,)
        The largest k such that the firm belongs to a group in which each has at least k partners.

    Notes
    -----
    O(n + m). V. Batagelj and M. Zaveršnik, "An O(m) Algorithm for Cores Decomposition of
    Networks", 2003.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> cores(from_relations(["a", "b", "c", "d"], ["b", "c", "a", "a"])).tolist()
    [2, 2, 2, 1]
    """
    partners = _partners(graph, np.ones(graph.n_relations, np.int8))
    rows, others = (ends.astype(_short(partners), copy=False) for ends in
                    (partners.indptr, partners.indices))  # fmt: skip
    return _peel.of(len(others))(rows, others).astype(np.int64)


def pagerank(graph: SupplyGraph, *, damping: float = DAMPING, settled: float = SETTLED) -> Floats:
    """Weigh firms by the sales that lead to them, directly and through others.

    Who sells passes its weight on to its buyers by their shares of its sales; a firm that sells
    nothing (or for nothing) passes it on to all.

    Parameters
    ----------
    graph : SupplyGraph
    damping : float
        Part in [0, 1) that is passed on; the rest goes to all alike.
    settled : float
        Change of all weights together at which to stop.

    Returns
    -------
    ndarray of float64, shape (n,)
        Sums to 1.

    Notes
    -----
    O(m) per step, about log(settled) / log(damping) steps. S. Brin and L. Page, "The Anatomy of a
    Large-Scale Hypertextual Web Search Engine", 1998.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> found = pagerank(from_relations(["a", "b"], ["c", "c"], [5, 7]))
    >>> found.round(4).tolist()
    [0.2128, 0.2128, 0.5745]
    """
    from scipy.sparse import csr_array

    n = graph.n_firms
    if not n:
        return np.zeros(0)
    if not 0.0 <= damping < 1.0:
        raise ValueError(f"a damping of {damping}")
    sold = np.bincount(graph.seller, graph.value, minlength=n)
    share = damping * graph.value / np.where(sold > 0.0, sold, 1.0)[graph.seller]
    indptr, order = graph.purchases
    passing = csr_array((share[order], graph.seller[order], indptr), shape=(n, n))
    idle = np.flatnonzero(sold <= 0.0)
    weight = np.full(n, 1.0 / n)
    for _ in range(_MOST_STEPS):
        anew = passing @ weight
        anew += (1.0 - damping + damping * weight[idle].sum()) / n
        change = np.abs(anew - weight).sum()
        weight = anew
        if change <= settled:
            break
    found: Floats = weight / weight.sum()
    return found


def communities(graph: SupplyGraph) -> Ints:
    """Find groups of firms that trade more with each other than by chance.

    Parameters
    ----------
    graph : SupplyGraph
        Amounts count, whichever way they run.

    Returns
    -------
    ndarray of int64, shape (n,)
        The lowest number of a firm of the same community; a firm without amounts is by itself.

    Notes
    -----
    Greedy moves that raise modularity, then the same among the groups found; about O(m) per round,
    firms in the order of their numbers, so that the answer is always the same. V. D. Blondel et
    al., "Fast unfolding of communities in large networks", J. Stat. Mech. P10008, 2008.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> two = from_relations(list("abcdefa"), list("bcaefdd"))
    >>> communities(two).tolist()
    [0, 0, 0, 3, 3, 3]
    """
    from scipy.sparse import csr_array

    n = graph.n_firms
    label = np.arange(n)
    links = _partners(graph, graph.value.astype(np.float64))
    whole = links.sum()
    if not whole > 0.0:
        return label
    for _ in range(_MOST_LEVELS):
        rows, others = links.indptr.astype(np.int64), links.indices.astype(np.int64)
        strength = np.asarray(links.sum(axis=1), np.float64).ravel()
        moved = _gather.of(10 * len(others))(rows, others, links.data, strength, float(whole))
        found, small = np.unique(moved, return_inverse=True)
        label = small[label]
        if len(found) == len(moved):
            break
        ones = np.ones(len(moved))
        fold = csr_array((ones, (small, np.arange(len(moved)))), shape=(len(found), len(moved)))
        links = (fold @ links @ fold.T).tocsr()
    lowest = np.full(n, n, np.int64)
    np.minimum.at(lowest, label, np.arange(n))
    named: Ints = lowest[label]
    return named


def _partners(graph: SupplyGraph, values: Any) -> Any:  # noqa: ANN401 - scipy ships no types
    """Give the graph without directions, amounts of both added."""
    from scipy.sparse import csr_array

    n = graph.n_firms
    sales = csr_array((values, graph.buyer, graph.sales[0]), shape=(n, n))
    short = _short(sales)
    sales.indices, sales.indptr = sales.indices.astype(short), sales.indptr.astype(short)
    return (sales + sales.T).tocsr()


def _short(matrix: Any) -> type[np.integer]:  # noqa: ANN401 - scipy ships no types
    """Give the kind of numbers that the places of a matrix fit in: the work waits for memory."""
    return np.int32 if 2 * matrix.nnz < 2**31 else np.int64


@kernel
def _peel(rows: Ints, others: Ints) -> Ints:
    n = len(rows) - 1
    degree = rows[1:] - rows[:-1]
    most = 0
    for firm in range(n):
        most = max(most, degree[firm])
    starts = np.zeros(most + 2, rows.dtype)
    for firm in range(n):
        starts[degree[firm] + 1] += 1
    for at in range(1, most + 2):
        starts[at] += starts[at - 1]
    order, place = np.empty(n, rows.dtype), np.empty(n, rows.dtype)
    filled = starts.copy()
    for firm in range(n):
        place[firm] = filled[degree[firm]]
        order[place[firm]] = firm
        filled[degree[firm]] += 1
    # ``order`` holds firms by what is left of their degree; ``starts`` where each degree begins.
    for at in range(n):
        firm = order[at]
        for entry in range(rows[firm], rows[firm + 1]):
            other = others[entry]
            if degree[other] > degree[firm]:
                begin = starts[degree[other]]
                first = order[begin]
                order[place[other]], order[begin] = first, other
                place[first], place[other] = place[other], begin
                starts[degree[other]] += 1
                degree[other] -= 1
    return degree


@kernel
def _gather(rows: Ints, others: Ints, links: Floats, strength: Floats, whole: float) -> Ints:
    n = len(rows) - 1
    group = np.arange(n)
    total = strength.copy()
    towards = np.zeros(n)
    near = np.empty(n, np.int64)
    moves = 1
    rounds = 0
    while moves > 0 and rounds < 50:  # noqa: PLR2004 - each round gains less than the one before
        moves = 0
        rounds += 1
        for firm in range(n):
            count = 0
            for entry in range(rows[firm], rows[firm + 1]):
                other = others[entry]
                if other == firm or links[entry] <= 0.0:
                    continue
                there = group[other]
                if towards[there] == 0.0:
                    near[count] = there
                    count += 1
                towards[there] += links[entry]
            own = group[firm]
            total[own] -= strength[firm]
            best, gain = own, towards[own] - total[own] * strength[firm] / whole
            for at in range(count):
                there = near[at]
                value = towards[there] - total[there] * strength[firm] / whole
                if value > gain + _LEAST_GAIN * whole:
                    best, gain = there, value
                towards[there] = 0.0
            towards[own] = 0.0
            total[best] += strength[firm]
            if best != own:
                group[firm] = best
                moves += 1
    return group
