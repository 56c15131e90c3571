"""How much of a firm's trade hangs on one partner."""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.model import SupplyGraph

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class Side:
    """One side of every firm's trade: what it sells, or what it buys.

    Attributes
    ----------
    total : ndarray of int64, shape (n,)
        Sum of the amounts, minor units.
    partners : ndarray of int64, shape (n,)
        With how many firms, amounts of 0 not counted.
    hhi : ndarray of float64, shape (n,)
        Herfindahl-Hirschman index in (0, 1], NaN without any amount.
    top : ndarray of int64, shape (n,)
        The largest partner (the lowest number among equals), -1 without any.
    top_share : ndarray of float64, shape (n,)
        Its share in (0, 1], NaN without any amount.
    share : ndarray of float64, shape (m,)
        The share of each relation in this side of its firm, in [0, 1]; NaN without any amount.
    """

    total: "Ints"
    partners: "Ints"
    hhi: "Floats"
    top: "Ints"
    top_share: "Floats"
    share: "Floats"


@dataclasses.dataclass(frozen=True)
class Concentration:
    """Both sides: ``sales.share`` is how far a seller depends on a buyer (u), ``purchases.share``
    how far the buyer depends on the seller.
    """  # noqa: D205 - one sentence

    sales: Side
    purchases: Side


def concentration(graph: "SupplyGraph") -> Concentration:
    """Measure how far each firm depends on single customers and suppliers.

    Parameters
    ----------
    graph : SupplyGraph
        Of one currency: amounts of two are not added.

    Returns
    -------
    Concentration

    Notes
    -----
    O(n + m). The index is the sum of squared shares: 1 for a single partner, 1/k for k equal
    ones. A. O. Hirschman, "The Paternity of an Index", American Economic Review 54, 1964.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["t", "t", "u"], ["a", "x", "a"], [30, 10, 10])
    >>> found = concentration(chain)
    >>> found.sales.share.tolist(), found.purchases.share.tolist()
    ([0.75, 0.25, 1.0], [0.75, 1.0, 0.25])
    >>> float(found.sales.hhi[chain.number("t")])
    0.625
    """
    return Concentration(
        _side(graph, graph.seller, graph.buyer), _side(graph, graph.buyer, graph.seller)
    )


def _side(graph: "SupplyGraph", own: "Ints", other: "Ints") -> Side:
    import numpy as np

    n, value = graph.n_firms, graph.value
    total = np.zeros(n, np.int64)
    np.add.at(total, own, value)
    has = total > 0
    amounts = np.where(has, total, 1).astype(np.float64)
    share = np.where(has[own], value / amounts[own], np.nan)
    hhi = np.zeros(n)
    np.add.at(hhi, own, np.where(has[own], share * share, 0.0))
    order = np.lexsort((other, -value, own))
    first = order[np.concatenate(([True], own[order][1:] != own[order][:-1]))[: len(order)]]
    first = first[value[first] > 0]
    top = np.full(n, -1, np.int64)
    top[own[first]] = other[first]
    top_share = np.full(n, np.nan)
    top_share[own[first]] = share[first]
    return Side(
        total=total,
        partners=np.bincount(own[value > 0], minlength=n).astype(np.int64),
        hhi=np.where(has, hhi, np.nan),
        top=top,
        top_share=top_share,
        share=share,
    )
