"""A picture of the chain in columns, one per tier, with few crossings."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from graph.model import SupplyGraph

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DRAWN = 300
LEAST_PER_COLUMN = 12
SWEEPS = 8


@dataclasses.dataclass(frozen=True)
class Layout:
    """Where each drawn firm stands.

    Attributes
    ----------
    firms : ndarray of int64, shape (k,)
        Numbers of the drawn firms, ascending.
    column : ndarray of int64, shape (k,)
        Their level: upstream positive, anchors 0, downstream negative.
    place : ndarray of float64, shape (k,)
        From top (0) to bottom (1) of the column, evenly spread.
    others : mapping of int to int
        How many firms of a level are not drawn; levels without any are left out.
    """

    firms: "Ints"
    column: "Ints"
    place: "Floats"
    others: Mapping[int, int]


def layered(
    graph: "SupplyGraph",
    level: "Ints",
    size: "ArrayLike",
    *,
    keep: Iterable[int] = (),
    limit: int = DRAWN,
) -> Layout:
    """Place the largest firms of each level so that relations cross little.

    Parameters
    ----------
    graph : SupplyGraph
    level : ndarray of int64, shape (n,)
        The column of each firm, see :func:`graph.tiers.levels`.
    size : array_like, shape (n,)
        What decides who is drawn, largest first; equal firms by their number.
    keep : iterable of int
        Firms that are drawn whatever their size.
    limit : int
        How many are drawn at most.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        When more firms must be kept than may be drawn.

    Notes
    -----
    Eight sweeps, each ordering the columns by the mean place of their neighbours (barycentre),
    O(sweeps · (m + n log n)) over what is drawn. K. Sugiyama, S. Tagawa and M. Toda, "Methods for
    Visual Understanding of Hierarchical System Structures", 1981. Nothing is random: the same
    input gives the same picture.

    Examples
    --------
    >>> import numpy as np
    >>> from graph.build import from_relations
    >>> chain = from_relations(["c", "d", "a", "b"], ["b", "a", "z", "z"])
    >>> made = layered(chain, np.array([1, 1, 2, 2, 0]), [1, 1, 1, 1, 1])
    >>> [chain.firms[f] for f in made.firms[np.lexsort((made.place, -made.column))]]
    ['c', 'd', 'b', 'a', 'z']
    """
    import numpy as np

    drawn = _choose(np.asarray(level), np.asarray(size), sorted(set(keep)), limit)
    others = dict(
        zip(*(part.tolist() for part in np.unique(level[~drawn], return_counts=True)), strict=True)
    )
    firms = np.flatnonzero(drawn)
    column = np.asarray(level)[firms]
    position = np.full(graph.n_firms, -1, np.int64)
    position[firms] = np.arange(len(firms))
    inside = drawn[graph.seller] & drawn[graph.buyer]
    left, right = position[graph.seller[inside]], position[graph.buyer[inside]]
    place = _sweep(column, left, right)
    return Layout(firms, column, place, others)


def _choose(level: "Ints", size: "Ints", keep: list[int], limit: int) -> "NDArray[np.bool_]":
    import numpy as np

    if len(keep) > limit:
        raise ValueError(f"{len(keep)} firms to keep, {limit} to draw")
    n = len(level)
    drawn = np.zeros(n, bool)
    drawn[keep] = True
    by_size = np.lexsort((np.arange(n), -size))
    # Each column shows at least a few, so that a tier of small firms is not an empty column.
    columns = np.unique(level)
    least = max(0, min(LEAST_PER_COLUMN, (limit - len(keep)) // max(len(columns), 1)))
    for one in columns:
        drawn[by_size[level[by_size] == one][:least]] = True
    rest = by_size[~drawn[by_size]]
    drawn[rest[: limit - int(drawn.sum())]] = True
    return drawn


def _sweep(column: "Ints", left: "Ints", right: "Ints") -> "Floats":
    import numpy as np

    place = np.zeros(len(column))
    members = [np.flatnonzero(column == one) for one in np.unique(column)]
    for firms in members:
        place[firms] = _spread(len(firms))
    ends = np.concatenate((left, right))
    others = np.concatenate((right, left))
    between = column[ends] != column[others]
    ends, others = ends[between], others[between]
    for sweep in range(SWEEPS):
        for firms in members if sweep % 2 else reversed(members):
            sums = np.zeros(len(column))
            counts = np.zeros(len(column))
            # Downwards a column follows those already settled above it, upwards those below.
            settled = (column[others] < column[ends]) == bool(sweep % 2)
            np.add.at(sums, ends[settled], place[others[settled]])
            np.add.at(counts, ends[settled], 1.0)
            mean = np.where(counts > 0, sums / np.maximum(counts, 1.0), place)
            order = firms[np.lexsort((firms, place[firms], mean[firms]))]
            place[order] = _spread(len(order))
    return place


def _spread(count: int) -> "Floats":
    import numpy as np

    return (np.arange(count) + 0.5) / max(count, 1)
