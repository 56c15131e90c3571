"""Build a financier's snapshot of the chain: the relations first, then what follows from them."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.engine import Connection

from scf.chain.fingerprint import fingerprint
from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.chain.relations import bound, store_edges
from scf.chain.service import latest_snapshot
from scf.db.bulk import insert_mappings
from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.kernel.errors import Conflict, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.agreements import PROGRAMME
from scf.parties.service import financier_only, known_before, start_of_day

if TYPE_CHECKING:
    from graph.model import SupplyGraph

_snapshot: Any = GraphSnapshot.__table__  # type: ignore[attr-defined]
_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]
# A programme that was in force has a chain, also while it is suspended.
_HAS_A_CHAIN: Final = ("ACTIVE", "SUSPENDED")
_PPM: Final = 1_000_000
_MOST_ANCHORS: Final = 100  # of those that are drawn whatever their size
_DELETE_SLICE: Final = 500
_FIRST_DAY: Final = dt.date(1990, 1, 1)  # nobody's documents are older
# Seller, buyer, currency, then amounts: sales of 52 and 13 weeks, open, overdue, kept.
Edge = tuple[Any, ...]
_STORE_EDGES: Final = store_edges()

constraint_means(
    "uq_graph_snapshot",
    "graph_snapshot.financier_id",
    lambda: Conflict("GRAPH_BUILT", "The chain of this day has just been built by somebody else."),
)


class BuildGraph(BaseModel):
    """The chain of the actor's own financier on its business date."""

    model_config = ConfigDict(extra="forbid")


@command("graph.build", BuildGraph)
def build_graph(ctx: Context, _data: BuildGraph) -> dict[str, Any]:
    """The chain is kept as it was known before the business date began.

    Once per financier and date: a second call finds the snapshot and changes nothing.

    Raises
    ------
    NotAllowed
        For an organisation that is no financier.
    """
    financier_id = financier_only(ctx.conn, ctx.actor)
    as_of_on, cutoff = known_before(ctx.conn, financier_id)
    return _once(ctx, financier_id, as_of_on, cutoff)


class LookBack(BaseModel):
    """The chain of the actor's own financier as it was known before a day of the past."""

    model_config = ConfigDict(extra="forbid")
    as_of_on: dt.date = Field(ge=_FIRST_DAY)


@command("graph.look_back", LookBack)
def look_back(ctx: Context, data: LookBack) -> dict[str, Any]:
    """The chain of a past day is put together from what was stored before that day began.

    Only of days before the newest snapshot: a later one is the night's to build, and prices rest on
    it. An order that was replaced since then no longer says what it was; the anchors are today's.

    Raises
    ------
    NotAllowed
        For an organisation that is no financier.
    RuleViolation
        GRAPH_MISSING, or CHAIN_NOT_PAST for a day that is not before the newest snapshot.
    """
    financier_id = financier_only(ctx.conn, ctx.actor)
    newest = latest_snapshot(ctx.conn, financier_id).as_of_on
    if data.as_of_on >= newest:
        raise RuleViolation(
            "CHAIN_NOT_PAST",
            "Only a day before %(newest)s can be looked back to; the night builds later ones.",
            newest=newest,
            as_of_on=data.as_of_on,
        )
    begins = start_of_day(ctx.conn, financier_id, data.as_of_on)
    return _once(ctx, financier_id, data.as_of_on, begins)


def _once(
    ctx: Context, financier_id: str, as_of_on: dt.date, cutoff: dt.datetime
) -> dict[str, Any]:
    there = ctx.conn.execute(
        select(_snapshot).where(
            _snapshot.c.financier_id == financier_id, _snapshot.c.as_of_on == as_of_on
        )
    ).one_or_none()
    if there is not None:
        return _told(there._asdict(), built=False)
    values = _build(ctx, financier_id, as_of_on, cutoff)
    ctx.change(
        "graph_snapshot",
        values["id"],
        None,
        {"as_of_on": as_of_on.isoformat(), "digest": values["digest"]},
    )
    return _told(values, built=True)


def _told(values: Any, *, built: bool) -> dict[str, Any]:  # noqa: ANN401 - a row or its values
    return {
        "snapshot_id": values["id"],
        "financier_id": values["financier_id"],
        "as_of_on": values["as_of_on"].isoformat(),
        "firms": values["firms"],
        "relations": values["relations"],
        "edges": values["edges"],
        "currencies": values["currencies"],
        "digest": values["digest"],
        "built": built,
    }


def _build(
    ctx: Context, financier_id: str, as_of_on: dt.date, cutoff: dt.datetime
) -> dict[str, Any]:
    from graph.build import from_relations

    snapshot_id = new_id()
    values: dict[str, Any] = {
        "id": snapshot_id,
        "financier_id": financier_id,
        "as_of_on": as_of_on,
        "known_before": cutoff,
        "built_at": ctx.now,
    }
    # The row that all others refer to comes first; what it counts is known at the end.
    unknown = {"firms": 0, "relations": 0, "edges": 0, "currencies": [], "digest": ""}
    ctx.conn.execute(insert(_snapshot), values | unknown | {"currency": None})
    ctx.conn.execute(_STORE_EDGES, bound(snapshot_id, as_of_on, cutoff))
    rows = _read_edges(ctx.conn, snapshot_id)
    anchors = _anchors(ctx.conn, financier_id)
    graph = from_relations([row[0] for row in rows], [row[1] for row in rows])
    inside = _own_chain(graph, anchors)
    if len(inside) < graph.n_firms:
        _forget(ctx.conn, snapshot_id, set(graph.firms) - inside)
        rows = [row for row in rows if row[0] in inside]
        graph = from_relations([row[0] for row in rows], [row[1] for row in rows])
    nodes, currencies = _nodes(graph, anchors, rows)
    insert_mappings(ctx.conn, _node, nodes, {"snapshot_id": snapshot_id})
    values |= {
        "firms": graph.n_firms,
        "relations": graph.n_relations,
        "edges": len(rows),
        "currency": currencies[0] if currencies else None,
        "currencies": currencies,
        "digest": fingerprint(ctx.conn, snapshot_id, as_of_on),
    }
    ctx.conn.execute(_snapshot.update().where(_snapshot.c.id == snapshot_id).values(**values))
    return values


def _read_edges(conn: Connection, snapshot_id: str) -> Sequence[Edge]:
    wanted = (
        _edge.c.seller_id,
        _edge.c.buyer_id,
        _edge.c.currency,
        _edge.c.sales_52w_minor,
        _edge.c.sales_13w_minor,
        _edge.c.open_minor,
        _edge.c.overdue_minor,
        _edge.c.kept_minor,
    )
    found = conn.execute(
        select(*wanted)
        .where(_edge.c.snapshot_id == snapshot_id)
        .order_by(_edge.c.seller_id, _edge.c.buyer_id, _edge.c.currency)
    )
    return [*map(tuple, found.all())]


def _anchors(conn: Connection, financier_id: str) -> list[str]:
    return list(
        conn.execute(
            select(PROGRAMME.c.anchor_id)
            .where(PROGRAMME.c.financier_id == financier_id, PROGRAMME.c.state.in_(_HAS_A_CHAIN))
            .distinct()
            .order_by(PROGRAMME.c.anchor_id)
        ).scalars()
    )


def _own_chain(graph: "SupplyGraph", anchors: Iterable[str]) -> set[str]:
    """Name the firms that hang together with an anchor; everybody else's trade is not ours."""
    import numpy as np

    from graph.tiers import components

    part = components(graph)
    own = {int(part[graph.index[anchor]]) for anchor in anchors if anchor in graph.index}
    members = np.flatnonzero(np.isin(part, sorted(own)))
    return {graph.firms[firm] for firm in members.tolist()}


def _forget(conn: Connection, snapshot_id: str, firms: Iterable[str]) -> None:
    statement = delete(_edge).where(
        _edge.c.snapshot_id == snapshot_id,
        _edge.c.seller_id.in_(bindparam("firms", expanding=True)),
    )
    names = sorted(firms)
    for start in range(0, len(names), _DELETE_SLICE):
        conn.execute(statement, {"firms": names[start : start + _DELETE_SLICE]})


def _nodes(
    graph: "SupplyGraph", anchors: Iterable[str], rows: Sequence[Edge]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the rows of all firms, and the currencies, the one with most relations first."""
    from graph.layout import layered
    from graph.tiers import circles, levels, tiers_down, tiers_up

    known = [graph.index[anchor] for anchor in anchors if anchor in graph.index]
    up, down = tiers_up(graph, known), tiers_down(graph, known)
    place = levels(graph, up, down)
    counts = Counter(row[2] for row in rows)
    currencies = sorted(counts, key=lambda currency: (-counts[currency], currency))
    indicators: list[dict[str, Any]] = [{} for _ in graph.firms]
    size: Any = [0] * graph.n_firms
    for currency in currencies:
        volume = _indicators(graph.firms, rows, currency, indicators)
        size = volume if currency == currencies[0] else size
    drawn = layered(graph, place, size, keep=known[:_MOST_ANCHORS])
    y_ppm = dict(
        zip(drawn.firms.tolist(), (drawn.place * _PPM).round().astype(int).tolist(), strict=True)
    )
    circle = circles(graph)
    nodes = [
        {
            "firm_id": firm,
            "tier_up": above if above >= 0 else None,
            "tier_down": below if below >= 0 else None,
            "circle_id": graph.firms[ring] if ring >= 0 else None,
            "indicators": indicators[number],
            "x": x,
            "y_ppm": y_ppm.get(number),
        }
        for number, (firm, above, below, ring, x) in enumerate(
            zip(
                graph.firms,
                up.tolist(),
                down.tolist(),
                circle.tolist(),
                place.tolist(),
                strict=True,
            )
        )
    ]
    return nodes, currencies


def _indicators(
    firms: Sequence[str],
    rows: Sequence[Edge],
    currency: str,
    into: list[dict[str, Any]],
) -> Any:  # noqa: ANN401 - an array
    """Add each firm's sales and purchases in one currency; gives their sum as the firm's size."""
    from graph.build import from_relations
    from graph.concentration import concentration

    own = [row for row in rows if row[2] == currency]
    graph = from_relations(
        [row[0] for row in own], [row[1] for row in own], [row[3] for row in own], firms=firms
    )
    found = concentration(graph)
    for name, partner, side in (
        ("sales", "customers", found.sales),
        ("purchases", "suppliers", found.purchases),
    ):
        traded = (side.total > 0).nonzero()[0].tolist()
        hhi = (side.hhi[traded] * _PPM).round().astype(int).tolist()
        top = (side.top_share[traded] * _PPM).round().astype(int).tolist()
        for at, firm in enumerate(traded):
            into[firm].setdefault(currency, {})[name] = {
                "minor": int(side.total[firm]),
                partner: int(side.partners[firm]),
                "hhi_ppm": hhi[at],
                "top_id": firms[int(side.top[firm])],
                "top_ppm": top[at],
            }
    return found.sales.total + found.purchases.total
