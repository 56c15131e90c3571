"""Where one firm stands in the whole chain: how deep, how heavy, among whom, and who hangs on it.

Worked out from a snapshot once and kept in memory for the two newest that were asked about; a
snapshot never changes.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphEdge, GraphNode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.critical import Passages
    from graph.model import SupplyGraph

    Ints = NDArray[np.int64]

_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]
_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_KEPT: Final = 2
_LOCK: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the whole chain says of one firm.

    ``core`` is the largest number of partners that each firm of some group around it has in that
    group. ``rank`` counts firms from the one to which most sales lead, directly and through others.
    ``behind`` firms reach no anchor without this one; ``through`` is the nearest firm that its own
    goods must pass. Weight and community follow sales in the main currency of the snapshot.
    """

    firms: int
    core: int
    deepest: int
    rank: int
    community: int
    behind: int
    through: str | None


@dataclass(frozen=True)
class _Measures:
    graph: "SupplyGraph"
    core: "Ints"
    rank: "Ints"
    community: "Ints"
    passed: "Passages"


_MADE: Final[OrderedDict[str, _Measures]] = OrderedDict()


def standing_of(conn: Connection, snapshot: Row[Any], firm_id: str) -> Standing | None:
    """Say where a firm of a snapshot stands; None for a firm that is not in it."""
    found = _measures(conn, snapshot)
    at = found.graph.index.get(firm_id)
    if at is None:
        return None
    through = int(found.passed.next[at])
    return Standing(
        firms=found.graph.n_firms,
        core=int(found.core[at]),
        deepest=int(found.core.max()),
        rank=int(found.rank[at]),
        community=int((found.community == found.community[at]).sum()),
        behind=int(found.passed.behind[at]),
        through=found.graph.firms[through] if through >= 0 else None,
    )


def _measures(conn: Connection, snapshot: Row[Any]) -> _Measures:
    with _LOCK:
        there = _MADE.get(snapshot.id)
    if there is None:
        there = _measured(conn, snapshot)
        with _LOCK:
            _MADE[snapshot.id] = there
            while len(_MADE) > _KEPT:
                _MADE.popitem(last=False)
    return there


def _measured(conn: Connection, snapshot: Row[Any]) -> _Measures:
    import numpy as np

    from graph.build import from_relations
    from graph.critical import passages
    from graph.measures import communities, cores, pagerank

    rows = conn.execute(
        select(_edge.c.seller_id, _edge.c.buyer_id, _edge.c.currency, _edge.c.sales_52w_minor)
        .where(_edge.c.snapshot_id == snapshot.id)
        .order_by(_edge.c.seller_id, _edge.c.buyer_id, _edge.c.currency)
    ).all()
    main = [row[3] if row[2] == snapshot.currency else 0 for row in rows]
    graph = from_relations([row[0] for row in rows], [row[1] for row in rows], main)
    anchors = conn.execute(
        select(_node.c.firm_id).where(_node.c.snapshot_id == snapshot.id, _node.c.tier_up == 0)
    ).scalars()
    weight = pagerank(graph)
    order = np.lexsort((np.arange(graph.n_firms), -weight))
    rank = np.empty(graph.n_firms, np.int64)
    rank[order] = np.arange(1, graph.n_firms + 1)
    known = [graph.index[one] for one in anchors if one in graph.index]
    return _Measures(graph, cores(graph), rank, communities(graph), passages(graph, known))
