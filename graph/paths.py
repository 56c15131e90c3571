"""Who is within reach of a firm, and over which way two firms are tied."""

import dataclasses
import heapq
import math
from typing import TYPE_CHECKING, Literal

from graph.tiers import tiers_down, tiers_up

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.model import SupplyGraph

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Direction = Literal["sales", "purchases", "either"]


@dataclasses.dataclass(frozen=True)
class Path:
    """A way from one firm to another.

    Attributes
    ----------
    firms : tuple of int
        From the first to the last.
    relations : tuple of int
        Between them, one fewer.
    direction : {"sales", "purchases", "either"}
        Whether each step follows the goods, runs against them, or both occur.
    strength : float
        Product of the strengths of its relations; 1 for a way of no steps.
    """

    firms: tuple[int, ...]
    relations: tuple[int, ...]
    direction: Direction
    strength: float


def neighbourhood(graph: "SupplyGraph", firm: int, up: int, down: int) -> tuple["Ints", "Ints"]:
    """Find the firms within some steps of one.

    Parameters
    ----------
    graph : SupplyGraph
    firm : int
    up, down : int
        How many sales against and along the goods.

    Returns
    -------
    firms : ndarray of int64
        Numbers, ascending, the firm itself among them.
    level : ndarray of int64
        Steps from it: suppliers positive, customers negative; where both ways lead to a firm the
        shorter one counts, upstream when both are as short.

    Raises
    ------
    ValueError
        When the firm is unknown or a number of steps negative.

    Notes
    -----
    O(n) plus the relations that are walked.

    Examples
    --------
    >>> from graph.build import from_relations
    >>> chain = from_relations(["ore", "steel", "cars"], ["steel", "cars", "dealer"])
    >>> firms, level = neighbourhood(chain, chain.number("steel"), up=1, down=2)
    >>> {chain.firms[f]: l for f, l in zip(firms.tolist(), level.tolist())}
    {'cars': -1, 'dealer': -2, 'ore': 1, 'steel': 0}
    """
    import numpy as np

    if up < 0 or down < 0:
        raise ValueError(f"{min(up, down)} steps")
    above = tiers_up(graph, [firm], limit=up)
    below = tiers_down(graph, [firm], limit=down)
    firms = np.flatnonzero((above >= 0) | (below >= 0))
    far = np.int64(2**62)
    a = np.where(above[firms] >= 0, above[firms], far)
    b = np.where(below[firms] >= 0, below[firms], far)
    return firms, np.where(a <= b, a, -b)


def shortest_path(
    graph: "SupplyGraph", start: int, end: int, strength: "Floats", *, direction: Direction
) -> Path | None:
    """Find the way with the fewest steps; among those, the strongest.

    Parameters
    ----------
    graph : SupplyGraph
    start, end : int
    strength : ndarray of float64, shape (m,)
        In [0, 1] per relation, for example how far the seller depends on the buyer; a relation
        of 0 or NaN is no way.
    direction : {"sales", "purchases", "either"}
        Which way relations may be walked.

    Returns
    -------
    Path or None
        None when there is no way.

    Notes
    -----
    Dijkstra's algorithm, O((n + m) log n); equal ways are decided by the lower firm numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from graph.build import from_relations
    >>> chain = from_relations(["a", "a", "b"], ["b", "c", "c"])
    >>> shortest_path(chain, 0, 2, np.array([0.9, 0.1, 0.9]), direction="sales").firms
    (0, 2)
    """
    return _search(graph, start, end, strength, direction, by_steps=True)


def strongest_path(
    graph: "SupplyGraph", start: int, end: int, strength: "Floats", *, direction: Direction
) -> Path | None:
    """Find the way with the largest product of strengths; among those, the shortest.

    Parameters, result and cost are those of :func:`shortest_path`.

    Examples
    --------
    >>> import numpy as np
    >>> from graph.build import from_relations
    >>> chain = from_relations(["a", "a", "b"], ["b", "c", "c"])
    >>> found = strongest_path(chain, 0, 2, np.array([0.9, 0.1, 0.9]), direction="sales")
    >>> found.firms, round(found.strength, 2)
    ((0, 1, 2), 0.81)
    """
    return _search(graph, start, end, strength, direction, by_steps=False)


def _search(
    graph: "SupplyGraph",
    start: int,
    end: int,
    strength: "Floats",
    direction: Direction,
    *,
    by_steps: bool,
) -> Path | None:
    for firm in (start, end):
        if not 0 <= firm < graph.n_firms:
            raise ValueError(f"firm {firm} is not one of {graph.n_firms}")
    came: dict[int, tuple[int, int]] = {}
    # (first aim, second aim, firm before, firm, relation): equal ways fall to lower numbers.
    heap: list[tuple[float, float, int, int, int]] = [(0.0, 0.0, -1, start, -1)]
    while heap:
        first, second, before, firm, relation = heapq.heappop(heap)
        if firm in came:
            continue
        came[firm] = (before, relation)
        if firm == end:
            return _path(graph, came, end, strength)
        for step, other in _steps(graph, firm, direction):
            how = float(strength[step])
            if other in came or not how > 0.0:
                continue
            cost = -math.log(min(how, 1.0))
            aims = (first + 1.0, second + cost) if by_steps else (first + cost, second + 1.0)
            heapq.heappush(heap, (*aims, firm, other, step))
    return None


def _steps(graph: "SupplyGraph", firm: int, direction: Direction) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    if direction != "purchases":
        out = graph.sales_of(firm)
        found += zip(out.tolist(), graph.buyer[out].tolist(), strict=True)
    if direction != "sales":
        into = graph.purchases_of(firm)
        found += zip(into.tolist(), graph.seller[into].tolist(), strict=True)
    return found


def _path(
    graph: "SupplyGraph", came: dict[int, tuple[int, int]], end: int, strength: "Floats"
) -> Path:
    firms, relations = [end], []
    while came[firms[-1]][0] >= 0:
        before, relation = came[firms[-1]]
        relations.append(relation)
        firms.append(before)
    firms.reverse()
    relations.reverse()
    along = {
        int(graph.seller[relation]) == firm
        for relation, firm in zip(relations, firms, strict=False)
    }
    direction: Direction = "either"
    if along <= {True}:
        direction = "sales"
    elif along == {False}:
        direction = "purchases"
    product = math.prod(float(strength[relation]) for relation in relations)
    return Path(tuple(firms), tuple(relations), direction, product)
