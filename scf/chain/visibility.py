"""Who sees the chain: the financier's people all of it, a trader its own relations.

What a firm sells and to whom is its secret towards the firms it trades with. So a trader sees the
relations in which it is a side, as far as it knows of them itself, and of the firms only itself.
Payments are the payer's word and are shown to a seller by no row that holds nothing else.
"""

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlmodel import col

from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.db.visibility import visible_to
from scf.kernel.actor import Actor, Role

_OFFICERS = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
_own = GraphSnapshot.__table__.alias("own_snapshot")  # type: ignore[attr-defined]
_placed = GraphNode.__table__.alias("placed_firm")  # type: ignore[attr-defined]


def _of_financier(actor: Actor) -> Select[tuple[str]]:
    return select(_own.c.id).where(_own.c.financier_id == actor.org_id)


@visible_to(GraphSnapshot)
def _snapshots(actor: Actor) -> ColumnElement[bool]:
    """Show that a snapshot exists to its financier and to the firms in it."""
    if actor.roles & _OFFICERS:
        return col(GraphSnapshot.financier_id) == actor.org_id
    return col(GraphSnapshot.id).in_(
        select(_placed.c.snapshot_id).where(_placed.c.firm_id == actor.org_id)
    )


@visible_to(GraphNode)
def _nodes(actor: Actor) -> ColumnElement[bool]:
    if actor.roles & _OFFICERS:
        return col(GraphNode.snapshot_id).in_(_of_financier(actor))
    return col(GraphNode.firm_id) == actor.org_id


@visible_to(GraphEdge)
def _edges(actor: Actor) -> ColumnElement[bool]:
    if actor.roles & _OFFICERS:
        return col(GraphEdge.snapshot_id).in_(_of_financier(actor))
    shared = or_(col(GraphEdge.orders_count) > 0, col(GraphEdge.invoices_count) > 0)
    return or_(
        col(GraphEdge.buyer_id) == actor.org_id,
        and_(col(GraphEdge.seller_id) == actor.org_id, shared),
    )
