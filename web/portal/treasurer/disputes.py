"""A seller gives way in a dispute: what the buyer contests is the buyer's."""

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response

from scf.db.visibility import not_found
from scf.documents.models import Dispute, Invoice
from web.context import actor, platform
from web.portal.acting import must, tried
from web.portal.treasurer.blueprint import treasurer


@treasurer.post("/invoices/<invoice_id>/disputes/<dispute_id>/give-way")
def give_way(invoice_id: str, dispute_id: str) -> Response:
    """End a dispute for the buyer; the credit note that follows takes its place."""
    must("dispute.resolve")
    with platform().db.read(actor()) as reading:
        own = reading.execute(
            select(col(Dispute.id))
            .join(Invoice, col(Invoice.id) == col(Dispute.invoice_id))
            .where(
                col(Dispute.id) == dispute_id,
                col(Invoice.id) == invoice_id,
                col(Invoice.seller_id) == actor().org_id,
            )
        ).scalar_one_or_none()
    if own is None:
        raise not_found("dispute", dispute_id)
    if tried("dispute.resolve", {"dispute_id": dispute_id, "outcome": "buyer"}) is not None:
        flash(_("You have given way. Hand in the credit note next."), "ok")
    return redirect(url_for("treasurer.invoice", invoice_id=invoice_id), 303)
