"""Which ERP of the reader's a paper came from, and which move there an entry became."""

from collections.abc import Mapping

from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.channels.erp.models import ErpConnection, ErpItem, ErpWrite
from scf.documents.models import Invoice, Order
from scf.reporting.trail import Trail

# The kind of a step, and what it is about.
Elsewhere = Mapping[tuple[str, str], str]
_STREAMS = {
    "order": ("PURCHASES", "SALES"),
    "invoice": ("SUPPLIER_INVOICES", "CUSTOMER_INVOICES"),
}


def elsewhere_of(reading: Session, found: Trail) -> Elsewhere:
    """Give for the steps of a trail what the reader's own connections know of them."""
    names = {
        row.id: row.name
        for row in reading.execute(select(col(ErpConnection.id), col(ErpConnection.name)))
    }
    if not names:
        return {}
    known: dict[tuple[str, str], str] = {}
    papers: list[tuple[str, Invoice | Order]] = [("invoice", row) for row in found.rows.invoices]
    if found.rows.order is not None:
        papers.append(("order", found.rows.order))
    for kind, paper in papers:
        item = reading.execute(
            select(col(ErpItem.connection_id))
            .where(
                col(ErpItem.stream).in_(_STREAMS[kind]),
                col(ErpItem.label) == paper.number,
                col(ErpItem.currency) == paper.currency,
                col(ErpItem.issue_on) == paper.issue_on,
                col(ErpItem.client_id).is_not(None),
            )
            .limit(1)
        ).scalar()
        if item is not None:
            known[kind, paper.id] = _("from %(erp)s", erp=names[item])
    entries = [step.about for step in found.steps if step.kind == "entry"]
    for row in reading.execute(
        select(ErpWrite).where(
            col(ErpWrite.kind) == "JOURNAL",
            col(ErpWrite.state) == "DONE",
            col(ErpWrite.subject_id).in_(entries),
        )
    ).scalars():
        words = _(
            "posted in %(erp)s as %(number)s", erp=names[row.connection_id], number=row.remote
        )
        known["entry", row.subject_id] = words
    return known
