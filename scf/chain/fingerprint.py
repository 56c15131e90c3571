"""The fingerprint of a snapshot: every relation and every place in it, as they are stored.

The same knowledge has the same one, whoever builds it and when; a row that somebody changes later
has another.
"""

import datetime as dt
import hashlib
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphEdge, GraphNode

_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]
_EDGE: Final = tuple(column for column in _edge.c if column.name != "snapshot_id")
_NODE: Final = (_node.c.firm_id, _node.c.tier_up, _node.c.tier_down, _node.c.circle_id, _node.c.x,
                _node.c.y_ppm)  # fmt: skip


def fingerprint(conn: Connection, snapshot_id: str, as_of_on: dt.date) -> str:
    """Give the fingerprint of what is stored of a snapshot now."""
    found = hashlib.sha256(as_of_on.isoformat().encode())
    for table, columns in ((_edge, _EDGE), (_node, _NODE)):
        rows = conn.execute(select(*columns).where(table.c.snapshot_id == snapshot_id))
        found.update(repr(sorted(map(tuple, rows), key=_key)).encode())
    return found.hexdigest()


def _key(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Sort relations by seller, buyer and currency, firms by themselves: names, never amounts."""
    return row[:3] if len(row) == len(_EDGE) else row[:1]
