"""Reading the chain: the snapshot in force, a firm's relations, who is within reach.

These take a plain connection and a snapshot id, and limit nothing by themselves: whoever shows
the answer to a person goes through :mod:`scf.chain.views`, which knows what that person may see.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.kernel.errors import InvalidInput, NotFound, RuleViolation

if TYPE_CHECKING:
    from graph.model import SupplyGraph

MAX_HOPS: Final = 5
# Further out everybody is related to everybody; a page of that says nothing.
MAX_REACHED: Final = 5_000
_SLICE: Final = 500

_snapshot: Any = GraphSnapshot.__table__  # type: ignore[attr-defined]
_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]
_LATEST = (
    select(_snapshot)
    .where(_snapshot.c.financier_id == bindparam("financier"))
    .order_by(_snapshot.c.as_of_on.desc())
    .limit(1)
)
_BY_SELLER = select(_edge).where(
    _edge.c.snapshot_id == bindparam("snapshot"),
    _edge.c.seller_id.in_(bindparam("firms", expanding=True)),
)
_BY_BUYER = select(_edge).where(
    _edge.c.snapshot_id == bindparam("snapshot"),
    _edge.c.buyer_id.in_(bindparam("firms", expanding=True)),
)
_NODES = select(_node).where(
    _node.c.snapshot_id == bindparam("snapshot"),
    _node.c.firm_id.in_(bindparam("firms", expanding=True)),
)


@dataclasses.dataclass(frozen=True)
class Reach:
    """The firms within some steps of one, with the relations between them.

    ``level`` counts steps: suppliers positive, customers negative. ``complete`` is false when the
    walk stopped because too many firms were reached.
    """

    firm_id: str
    level: Mapping[str, int]
    edges: Sequence[Row[Any]]
    complete: bool = True


def latest_snapshot(conn: Connection, financier_id: str, *, on: dt.date | None = None) -> Row[Any]:
    """Give a financier's newest snapshot, or the one in force ``on`` a day.

    Raises
    ------
    RuleViolation
        GRAPH_MISSING: nothing may be concluded from a chain that nobody has looked at.
    """
    statement = _LATEST if on is None else _LATEST.where(_snapshot.c.as_of_on <= on)
    row = conn.execute(statement, {"financier": financier_id}).one_or_none()
    if row is None:
        raise RuleViolation(
            "GRAPH_MISSING",
            "The chain has not been built yet. The end of day builds it, or `scf graph build`.",
            financier_id=financier_id,
        )
    return row


def edges_of(
    conn: Connection, snapshot_id: str, firm_id: str, currency: str = ""
) -> list[Row[Any]]:
    """Give the relations of one firm, as seller and as buyer, the largest sales first."""
    statement = select(_edge).where(
        _edge.c.snapshot_id == snapshot_id,
        or_(_edge.c.seller_id == firm_id, _edge.c.buyer_id == firm_id),
    )
    if currency:
        statement = statement.where(_edge.c.currency == currency)
    order = (_edge.c.sales_52w_minor.desc(), _edge.c.seller_id, _edge.c.buyer_id, _edge.c.currency)
    return list(conn.execute(statement.order_by(*order)))


def nodes_of(conn: Connection, snapshot_id: str, firms: Iterable[str]) -> dict[str, Row[Any]]:
    """Give the rows of some firms by id; firms that are not in the snapshot are left out."""
    found = {}
    for part in _slices(sorted(set(firms))):
        for row in conn.execute(_NODES, {"snapshot": snapshot_id, "firms": part}):
            found[row.firm_id] = row
    return found


def node(conn: Connection, snapshot_id: str, firm_id: str) -> Row[Any]:
    """Give one firm of a snapshot.

    Raises
    ------
    NotFound
        NOT_IN_CHAIN: it traded with nobody of this chain as far as was known before the day.
    """
    found = nodes_of(conn, snapshot_id, [firm_id])
    if firm_id not in found:
        raise NotFound(
            "NOT_IN_CHAIN",
            "This firm is in no relation of the chain. What is stored today enters tomorrow.",
            firm_id=firm_id,
        )
    return found[firm_id]


def neighbourhood(conn: Connection, snapshot_id: str, firm_id: str, up: int, down: int) -> Reach:
    """Find the firms within ``up`` sales towards the firm and ``down`` sales from it.

    A firm that is reached on both sides stands on the nearer one, upstream when both are as near.

    Raises
    ------
    InvalidInput
        HOPS, outside 0 to 5.
    NotFound
        NOT_IN_CHAIN.
    """
    if not (0 <= up <= MAX_HOPS and 0 <= down <= MAX_HOPS):
        raise InvalidInput(
            "HOPS", "0 to %(limit)s steps can be shown.", up=up, down=down, limit=MAX_HOPS
        )
    node(conn, snapshot_id, firm_id)
    level = {firm_id: 0}
    complete = True
    fronts = {1: {firm_id}, -1: {firm_id}}
    for step in range(1, max(up, down) + 1):
        for side, limit in ((1, up), (-1, down)):
            if step > limit:
                continue
            reached = _partners(conn, snapshot_id, fronts[side], side)
            room = MAX_REACHED - len(level)
            fresh = sorted(reached - level.keys())
            complete = complete and len(fresh) <= room
            fronts[side] = set(fresh[: max(room, 0)])
            level |= dict.fromkeys(fronts[side], side * step)
    return Reach(firm_id, level, edges_among(conn, snapshot_id, level), complete)


def _partners(conn: Connection, snapshot_id: str, firms: Collection[str], side: int) -> set[str]:
    statement, other = (
        (_BY_BUYER.with_only_columns(_edge.c.seller_id), "seller_id")
        if side > 0
        else (_BY_SELLER.with_only_columns(_edge.c.buyer_id), "buyer_id")
    )
    found: set[str] = set()
    for part in _slices(sorted(firms)):
        rows = conn.execute(statement, {"snapshot": snapshot_id, "firms": part})
        found.update(getattr(row, other) for row in rows)
    return found


def edges_among(conn: Connection, snapshot_id: str, firms: Collection[str]) -> list[Row[Any]]:
    """Give the relations whose both ends are among some firms, by seller, buyer and currency."""
    inside = set(firms)
    found = [
        row
        for part in _slices(sorted(inside))
        for row in conn.execute(_BY_SELLER, {"snapshot": snapshot_id, "firms": part}).all()
        if row.buyer_id in inside
    ]
    found.sort(key=lambda row: (row.seller_id, row.buyer_id, row.currency))
    return found


def drawn_nodes(conn: Connection, snapshot_id: str) -> dict[str, Row[Any]]:
    """Give the firms that the picture of the whole chain shows, with their places."""
    rows = conn.execute(
        select(_node)
        .where(_node.c.snapshot_id == snapshot_id, _node.c.y_ppm.is_not(None))
        .order_by(_node.c.firm_id)
    )
    return {row.firm_id: row for row in rows}


@dataclasses.dataclass(frozen=True)
class Standing:
    """What a firm trades and owes in one currency over all its relations, drawn or not."""

    volume_minor: int
    open_minor: int
    overdue_minor: int
    overdue_days: int


def standings(
    conn: Connection, snapshot: Row[Any], nodes: Mapping[str, Row[Any]], currency: str
) -> dict[str, Standing]:
    """Add up what each firm trades and owes, over the whole chain."""
    owed: dict[str, Row[Any]] = {}
    sums = select(
        _edge.c.buyer_id,
        func.sum(_edge.c.open_minor).label("open"),
        func.sum(_edge.c.overdue_minor).label("overdue"),
        func.min(_edge.c.overdue_since_on).label("since"),
    ).group_by(_edge.c.buyer_id)
    for part in _slices(sorted(nodes)):
        rows = conn.execute(
            sums.where(
                _edge.c.snapshot_id == snapshot.id,
                _edge.c.currency == currency,
                _edge.c.buyer_id.in_(part),
            )
        )
        owed |= {row.buyer_id: row for row in rows}
    found = {}
    for firm, row in nodes.items():
        sides = row.indicators.get(currency, {})
        volume = sum(side["minor"] for side in sides.values())
        debt = owed.get(firm)
        found[firm] = Standing(
            volume_minor=volume,
            open_minor=int(debt.open) if debt else 0,
            overdue_minor=int(debt.overdue) if debt else 0,
            overdue_days=(snapshot.as_of_on - debt.since).days if debt and debt.since else 0,
        )
    return found


def firms_per_column(conn: Connection, snapshot_id: str) -> dict[int, int]:
    """Count all firms of the snapshot by column of the picture."""
    rows = conn.execute(
        select(_node.c.x, func.count())
        .where(_node.c.snapshot_id == snapshot_id)
        .group_by(_node.c.x)
    )
    return {int(x): int(count) for x, count in rows}


def strengths(edges: Iterable[Row[Any]]) -> dict[tuple[str, str], float]:
    """Tell how far each seller depends on each buyer: its share of the seller's sales.

    Shares are taken within a currency; of several currencies the largest share counts. Only what
    is among ``edges`` is seen, so they must be all relations of the sellers.
    """
    totals: dict[tuple[str, str], int] = {}
    rows = list(edges)
    for row in rows:
        key = (row.seller_id, row.currency)
        totals[key] = totals.get(key, 0) + row.sales_52w_minor
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        total = totals[row.seller_id, row.currency]
        share = row.sales_52w_minor / total if total else 0.0
        pair = (row.seller_id, row.buyer_id)
        found[pair] = max(found.get(pair, 0.0), share)
    return found


@dataclasses.dataclass(frozen=True)
class Way:
    """How two firms are tied: the firms from one to the other, and how strongly."""

    firms: tuple[str, ...]
    direction: str  # sales, purchases, either
    strength: float


@dataclasses.dataclass(frozen=True)
class Ways:
    """The way with the fewest steps and the strongest one; often the same."""

    shortest: Way
    strongest: Way


def ways_between(conn: Connection, snapshot_id: str, start: str, end: str) -> Ways | None:
    """Find how two firms are tied: along the goods, else against them, else whichever way.

    Raises
    ------
    NotFound
        NOT_IN_CHAIN, for either of them.
    """
    import numpy as np

    from graph.build import from_relations
    from graph.paths import Direction, shortest_path, strongest_path

    for firm in (start, end):
        node(conn, snapshot_id, firm)
    wanted = (_edge.c.seller_id, _edge.c.buyer_id, _edge.c.currency, _edge.c.sales_52w_minor)
    rows = conn.execute(select(*wanted).where(_edge.c.snapshot_id == snapshot_id)).all()
    share = strengths(rows)
    graph = from_relations([pair[0] for pair in share], [pair[1] for pair in share])
    # A relation without sales yet (an order) is a way too, but the weakest.
    least = 1e-6
    weight = np.array(
        [
            max(share[graph.firms[s], graph.firms[b]], least)
            for s, b in zip(graph.seller.tolist(), graph.buyer.tolist(), strict=True)
        ]
    )
    ends = graph.index[start], graph.index[end]
    directions: tuple[Direction, ...] = ("sales", "purchases", "either")
    for direction in directions:
        shortest = shortest_path(graph, *ends, weight, direction=direction)
        strongest = strongest_path(graph, *ends, weight, direction=direction)
        if shortest is not None and strongest is not None:
            return Ways(_way(graph, shortest), _way(graph, strongest))
    return None


def _way(graph: "SupplyGraph", path: Any) -> Way:  # noqa: ANN401 - a path, loaded lazily
    return Way(tuple(graph.firms[firm] for firm in path.firms), path.direction, path.strength)


def _slices(items: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(items), _SLICE):
        yield items[start : start + _SLICE]
