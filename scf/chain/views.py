"""What one person may see of the chain, as one value; nothing else is shown to people.

The financier's people see everything. A trader sees its own direct partners; what stands deeper
only as counts of five firms and more, and only when it is the anchor of a programme.

Source: the rules of who may see which explanation (row "chain").
"""

import dataclasses
import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Row, select, true
from sqlalchemy.engine import Connection

from scf.chain import service
from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.db.visibility import not_found, predicate_for
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import NotFound, RuleViolation
from scf.parties.agreements import PROGRAMME
from scf.parties.service import firm_names

LEAST_COUNT: Final = 5
ANCHOR_TIERS: Final = 5
_OFFICERS: Final = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
_snapshot: Any = GraphSnapshot.__table__  # type: ignore[attr-defined]
_node: Any = GraphNode.__table__  # type: ignore[attr-defined]
_edge: Any = GraphEdge.__table__  # type: ignore[attr-defined]


@dataclasses.dataclass(frozen=True)
class Relation:
    """One relation of one currency as a person may see it; ``payments`` only where they may."""

    seller_id: str
    buyer_id: str
    currency: str
    sales_52w_minor: int
    sales_13w_minor: int
    orders_52w_minor: int
    invoices_52w_minor: int
    payments_52w_minor: int | None
    invoices_count: int
    open_minor: int
    overdue_minor: int
    overdue_days: int
    last_on: dt.date | None


@dataclasses.dataclass(frozen=True)
class Deeper:
    """How many firms stand on a level of which no name is shown; None means fewer than five."""

    level: int
    firms: int | None


@dataclasses.dataclass(frozen=True)
class ChainView:
    """A firm's chain as one person may see it."""

    snapshot_id: str
    as_of_on: dt.date
    firm_id: str
    full: bool  # whether it is the view of the financier's people
    level: dict[str, int]
    names: dict[str, str]
    relations: Sequence[Relation]
    deeper: Sequence[Deeper] = ()
    complete: bool = True
    nodes: dict[str, Row[Any]] = dataclasses.field(default_factory=dict)
    standings: dict[str, service.Standing] = dataclasses.field(default_factory=dict)


def is_officer(actor: Actor) -> bool:
    """Tell whether the actor sees the whole chain of its financier."""
    return bool(actor.roles & _OFFICERS)


def snapshot_for(conn: Connection, actor: Actor, on: dt.date | None = None) -> Row[Any]:
    """Give the snapshot that the actor's pages show, the newest or the one in force ``on`` a day.

    A trader's is the newest that holds it, of the financier whose anchor it is where there is one.

    Raises
    ------
    RuleViolation
        GRAPH_MISSING.
    """
    if is_officer(actor):
        return service.latest_snapshot(conn, actor.org_id, on=on)
    anchored = (
        select(PROGRAMME.c.financier_id)
        .where(
            PROGRAMME.c.financier_id == _snapshot.c.financier_id,
            PROGRAMME.c.anchor_id == actor.org_id,
        )
        .exists()
    )
    row = conn.execute(
        select(_snapshot)
        .where(
            predicate_for(GraphSnapshot, actor),
            true() if on is None else _snapshot.c.as_of_on <= on,
        )
        .order_by(_snapshot.c.as_of_on.desc(), anchored.desc(), _snapshot.c.id)
        .limit(1)
    ).one_or_none()
    if row is None:
        raise RuleViolation(
            "GRAPH_MISSING",
            "No chain shows your organisation yet. Documents enter it on the day after they are"
            " accepted.",
            firm_id=actor.org_id,
        )
    return row


def chain_of(
    conn: Connection, actor: Actor, firm_id: str, up: int, down: int, *, on: dt.date | None = None
) -> ChainView:
    """Show the chain of a firm, as far as the actor may see it; ``on`` looks back to a day.

    Raises
    ------
    NotFound
        For a firm that is not in the chain, and for any other than the trader's own.
    RuleViolation
        GRAPH_MISSING.
    InvalidInput
        HOPS.
    """
    if is_officer(actor):
        snapshot = service.latest_snapshot(conn, actor.org_id, on=on)
        reach = service.neighbourhood(conn, snapshot.id, firm_id, up, down)
        return _view(conn, snapshot, reach, full=True, actor=actor)
    if firm_id != actor.org_id:
        raise not_found("firm", firm_id)
    snapshot = snapshot_for(conn, actor, on)
    own = conn.execute(
        select(_edge).where(_edge.c.snapshot_id == snapshot.id, predicate_for(GraphEdge, actor))
    ).all()
    level = {firm_id: 0}
    edges = []
    for row in own:
        supplies = row.buyer_id == firm_id
        if (up if supplies else down) > 0:
            edges.append(row)
            other = row.seller_id if supplies else row.buyer_id
            level.setdefault(other, 1 if supplies else -1)
    edges.sort(key=lambda row: (row.seller_id, row.buyer_id, row.currency))
    reach = service.Reach(firm_id, level, edges)
    shown = _view(conn, snapshot, reach, full=False, actor=actor)
    deeper = _counts(conn, snapshot, firm_id, up, down) if _is_anchor(conn, actor) else ()
    return dataclasses.replace(shown, deeper=deeper)


def _is_anchor(conn: Connection, actor: Actor) -> bool:
    found = select(PROGRAMME.c.anchor_id).where(PROGRAMME.c.anchor_id == actor.org_id).limit(1)
    return conn.execute(found).first() is not None


def _counts(
    conn: Connection, snapshot: Row[Any], firm_id: str, up: int, down: int
) -> tuple[Deeper, ...]:
    """Count the firms beyond the direct partners; a small number would name somebody."""
    try:
        reach = service.neighbourhood(
            conn, snapshot.id, firm_id, min(up, ANCHOR_TIERS), min(down, ANCHOR_TIERS)
        )
    except NotFound:
        return ()
    counts = Counter(level for level in reach.level.values() if abs(level) > 1)
    return tuple(
        Deeper(level, count if count >= LEAST_COUNT else None)
        for level, count in sorted(counts.items())
    )


def _view(
    conn: Connection, snapshot: Row[Any], reach: service.Reach, *, full: bool, actor: Actor
) -> ChainView:
    nodes = service.nodes_of(conn, snapshot.id, reach.level) if full else {}
    return ChainView(
        snapshot_id=snapshot.id,
        as_of_on=snapshot.as_of_on,
        firm_id=reach.firm_id,
        full=full,
        level=dict(reach.level),
        names=firm_names(conn, reach.level),
        relations=[
            relation(row, snapshot.as_of_on, payments=full or row.buyer_id == actor.org_id)
            for row in reach.edges
        ],
        complete=reach.complete,
        nodes=nodes,
        standings=service.standings(
            conn, snapshot, nodes, main_currency(row.currency for row in reach.edges)
        ),
    )


def main_currency(currencies: Iterable[str]) -> str:
    """Name the one that occurs most; amounts of others are in tables, not in pictures."""
    counts = Counter(currencies)
    return min(counts, key=lambda currency: (-counts[currency], currency), default="")


def relation(row: Row[Any], as_of_on: dt.date, *, payments: bool) -> Relation:
    """Give a relation as it is shown; what the buyer says it paid is not the seller's to read.

    Without invoices the sales *are* what the buyer paid, so they go with the payments.
    """
    since = row.overdue_since_on
    sales = payments or row.invoices_count > 0
    return Relation(
        seller_id=row.seller_id,
        buyer_id=row.buyer_id,
        currency=row.currency,
        sales_52w_minor=row.sales_52w_minor if sales else 0,
        sales_13w_minor=row.sales_13w_minor if sales else 0,
        orders_52w_minor=row.orders_52w_minor,
        invoices_52w_minor=row.invoices_52w_minor,
        payments_52w_minor=row.payments_52w_minor if payments else None,
        invoices_count=row.invoices_count,
        open_minor=row.open_minor,
        overdue_minor=row.overdue_minor,
        overdue_days=(as_of_on - since).days if since else 0,
        last_on=row.last_on if payments or row.invoices_count else None,
    )


@dataclasses.dataclass(frozen=True)
class Share:
    """How one side of a firm's trade spreads over partners, within one currency."""

    currency: str
    side: str  # sales, purchases
    total_minor: int
    partners: int
    hhi: float
    top_id: str
    top_share: float


def concentrations(relations: Sequence[Relation], firm_id: str) -> list[Share]:
    """Measure a firm's dependence from the relations a person may see, per currency and side."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for one in relations:
        if firm_id not in {one.seller_id, one.buyer_id} or one.sales_52w_minor <= 0:
            continue
        sells = one.seller_id == firm_id
        key = (one.currency, "sales" if sells else "purchases")
        sums.setdefault(key, Counter())[one.buyer_id if sells else one.seller_id] += (
            one.sales_52w_minor
        )
    found = []
    for (currency, side), parts in sorted(sums.items()):
        total = parts.total()
        top_id, top = min(parts.items(), key=lambda item: (-item[1], item[0]))
        hhi = sum((part / total) ** 2 for part in parts.values())
        found.append(Share(currency, side, total, len(parts), hhi, top_id, top / total))
    return found
