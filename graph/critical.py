"""Firms without which others lose their way to an anchor."""

import dataclasses
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from graph.compiled import kernel
from graph.exposure import check_index
from graph.model import SupplyGraph

Ints = NDArray[np.int64]

NONE: Final = -1


@dataclasses.dataclass(frozen=True)
class Passages:
    """What must be passed on the way to the anchors.

    Attributes
    ----------
    next : ndarray of int64, shape (n,)
        The nearest firm that all the goods of a firm must pass on their way to any anchor; -1 for
        an anchor, for a firm whose goods reach none, and where no firm must be passed.
    behind : ndarray of int64, shape (n,)
        How many firms reach no anchor when this one fails: 0 for most, more than 0 for a single
        point of failure.
    sales_behind : ndarray of int64, shape (n,)
        Their sales together, minor units.
    reached : ndarray of bool, shape (n,)
        Whether the firm's goods reach an anchor; true for anchors.
    """

    next: Ints
    behind: Ints
    sales_behind: Ints
    reached: NDArray[np.bool_]


def passages(graph: SupplyGraph, anchors: Iterable[int]) -> Passages:
    """Find the single points of failure between firms and anchors.

    Parameters
    ----------
    graph : SupplyGraph
    anchors : iterable of int
        Reaching any one of them is enough.

    Returns
    -------
    Passages

    Raises
    ------
    ValueError
        When an anchor is not a firm of the graph.

    Notes
    -----
    Dominators of the graph of purchases, from one root above all anchors; O(m) per round, few
    rounds. K. D. Cooper, T. J. Harvey and K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["ore", "coal", "steel"], ["steel", "steel", "cars"], [2, 3, 9])
    >>> found = passages(chain, [chain.number("cars")])
    >>> at = chain.number("steel")
    >>> int(found.behind[at]), int(found.sales_behind[at]), chain.firms[found.next[0]]
    (2, 5, 'steel')
    """
    n = graph.n_firms
    roots = sorted(set(anchors))
    for root in roots:
        check_index(root, n)
    by_buyer, order = graph.purchases
    suppliers, customers = graph.seller[order], graph.buyer
    start = np.array(roots, np.int64)
    sold = np.zeros(n, np.int64)
    np.add.at(sold, graph.seller, graph.value)
    above, behind, sales = _dominate.of(10 * (n + len(suppliers)))(
        start, by_buyer, suppliers, graph.sales[0], customers, sold
    )
    reached = above != NONE
    following = np.where(reached & (above < n), above, NONE)
    return Passages(following, behind, sales, reached)


@kernel
def _dominate(  # noqa: C901, PLR0912, PLR0915 - a kernel may call no other one
    start: Ints, by_buyer: Ints, suppliers: Ints, by_seller: Ints, customers: Ints, sold: Ints
) -> tuple[Ints, Ints, Ints]:
    n = len(by_buyer) - 1
    # Depth first against the goods, from a root n above the anchors: firms in the order in which
    # the walk leaves them.
    left = np.full(n + 1, -1, np.int64)  # when the walk left each firm
    line = np.empty(n + 1, np.int64)
    seen = np.zeros(n, np.bool_)
    is_start = np.zeros(n, np.bool_)
    stack, at = np.empty(n + 1, np.int64), np.zeros(n + 1, np.int64)
    count = 0
    for root in start:
        is_start[root] = True
    for root in start:
        if seen[root]:
            continue
        depth = 0
        stack[0], at[0] = root, by_buyer[root]
        seen[root] = True
        while depth >= 0:
            firm = stack[depth]
            if at[depth] < by_buyer[firm + 1]:
                other = suppliers[at[depth]]
                at[depth] += 1
                if not seen[other]:
                    seen[other] = True
                    depth += 1
                    stack[depth], at[depth] = other, by_buyer[other]
            else:
                left[firm] = count
                line[count] = firm
                count += 1
                depth -= 1
    left[n] = count
    above = np.full(n + 1, -1, np.int64)
    above[n] = n
    changed = True
    while changed:
        changed = False
        for place in range(count - 1, -1, -1):
            firm = line[place]
            best = n if is_start[firm] else -1
            for entry in range(by_seller[firm], by_seller[firm + 1]):
                other = customers[entry]
                if above[other] == -1:
                    continue
                if best == -1:
                    best = other
                    continue
                while best != other:
                    while left[best] < left[other]:
                        best = above[best]
                    while left[other] < left[best]:
                        other = above[other]
            if above[firm] != best:
                above[firm] = best
                changed = True
    behind, sales = np.zeros(n + 1, np.int64), np.zeros(n + 1, np.int64)
    for place in range(count):
        firm = line[place]
        behind[above[firm]] += behind[firm] + 1
        sales[above[firm]] += sales[firm] + sold[firm]
    return above[:n], behind[:n], sales[:n]
