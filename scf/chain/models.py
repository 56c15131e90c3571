"""Snapshots of the chain: one per financier and day, with its firms and relations."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    CodeKey,
    Count,
    Day,
    Id,
    IdKey,
    Instant,
    Json,
    Minor,
    OptCount,
    OptCurrency,
    OptDay,
    OptId,
    Record,
    SignedCount,
    SignedMinor,
    table_args,
)


class GraphSnapshot(Record, table=True):
    """The chain of one financier as it was known before a day began; never changed."""

    __tablename__ = "graph_snapshot"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "as_of_on", name="uq_graph_snapshot"),
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_graph_snapshot_firm"),
    )
    id: IdKey
    financier_id: Id
    as_of_on: Day
    known_before: Instant  # only what was stored before this instant is in it
    built_at: Instant
    firms: Count
    relations: Count  # pairs of seller and buyer
    edges: Count  # the same per currency
    currency: OptCurrency  # the one in which most relations are; it orders the picture
    currencies: Json
    digest: Code


class GraphNode(Record, table=True):
    """One firm of a snapshot: where it stands and how far it hangs on single partners.

    ``indicators`` are per currency: sales and purchases of 52 weeks with the number of partners,
    the Herfindahl index and the largest partner's share in parts per million.
    """

    __tablename__ = "graph_node"
    __table_args__ = table_args(
        ForeignKeyConstraint(["snapshot_id"], ["graph_snapshot.id"], name="fk_graph_node_snapshot"),
        Index("ix_graph_node_drawn", "snapshot_id", "y_ppm"),
        Index("ix_graph_node_firm", "firm_id"),
    )
    snapshot_id: IdKey
    firm_id: IdKey
    tier_up: OptCount  # sales to the nearest anchor that its goods reach
    tier_down: OptCount  # sales from the nearest anchor whose goods reach it
    circle_id: OptId  # names the circle of sales it trades in
    indicators: Json
    x: SignedCount  # column: upstream positive, anchors 0, downstream negative
    y_ppm: OptCount  # place in the column from the top; null when it is not drawn


class GraphEdge(Record, table=True):
    """What one firm sold another, per currency, in the 52 and 13 weeks before the day.

    ``sales`` are the accepted invoices, or what the buyer says it paid where there are none: the
    two are never added, since they are the same trade. ``kept`` is the open part whose credit
    risk the seller still carries.
    """

    __tablename__ = "graph_edge"
    __table_args__ = table_args(
        ForeignKeyConstraint(["snapshot_id"], ["graph_snapshot.id"], name="fk_graph_edge_snapshot"),
        CheckConstraint(
            "seller_id <> buyer_id AND overdue_minor <= open_minor AND kept_minor <= open_minor",
            name="ck_graph_edge",
        ),
        Index("ix_graph_edge_buyer", "snapshot_id", "buyer_id"),
    )
    snapshot_id: IdKey
    seller_id: IdKey
    buyer_id: IdKey
    currency: CodeKey
    orders_52w_minor: Minor
    orders_13w_minor: Minor
    orders_count: Count
    invoices_52w_minor: Minor
    invoices_13w_minor: Minor
    invoices_count: Count
    payments_52w_minor: SignedMinor  # refunds can outweigh them
    payments_13w_minor: SignedMinor
    payments_count: Count
    sales_52w_minor: Minor
    sales_13w_minor: Minor
    open_minor: Minor  # receivable, without disputed parts
    overdue_minor: Minor
    overdue_since_on: OptDay  # the oldest due date that has passed
    kept_minor: Minor
    last_on: OptDay
