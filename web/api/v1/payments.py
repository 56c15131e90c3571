"""Payments explained, and payees of record, as UBL for the firm's own system."""

from flask import Blueprint, Response

from scf.accounting.advices.reading import advice_of, assignment_of
from scf.accounting.advices.ubl import to_assignment, to_remittance_advice
from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.kernel.errors import Conflict
from scf.reporting.anchor import payees_of_record
from scf.settlement.models import PaymentInstruction
from web.api.v1 import described
from web.api.v1.files import attachment
from web.api.v1.shell import endpoint, reader
from web.api.v1.trade import one
from web.context import actor

resource = Blueprint("payments", __name__)
_UBL = "application/xml"
described.gives_file("/payments/<payment_id>/remittance-advice", _UBL)
described.gives_file("/invoices/<invoice_id>/assignment", _UBL)


@endpoint(
    resource,
    "GET",
    "/payments/<payment_id>/remittance-advice",
    action="payment.read",
    answer=None,
)
def read_remittance_advice(payment_id: str) -> Response:
    """Read what a payment is made of, as a UBL 2.1 RemittanceAdvice."""
    with reader() as session:
        payment = one(session, PaymentInstruction, payment_id)
        advice = advice_of(session.connection(), payment)
    return attachment(to_remittance_advice(advice), f"remittance-{advice.reference}.xml", _UBL)


@endpoint(resource, "GET", "/invoices/<invoice_id>/assignment", action="document.read", answer=None)
def read_assignment(invoice_id: str) -> Response:
    """Read to whom an assigned invoice is to be paid, as a UBL 2.1 Invoice with its payee."""
    with reader() as session:
        row = one(session, Invoice, invoice_id)
        conn = session.connection()
        financier = payees_of_record(conn, [row.id]).get(row.id)
        if financier is None:
            raise Conflict("NOT_ASSIGNED", "Nobody has taken this invoice over.", id=row.id)
        if actor().org_id not in {row.buyer_id, row.seller_id, financier}:
            raise not_found("invoice", invoice_id)
        content = to_assignment(assignment_of(conn, row, financier, owed(row)))
    return attachment(content, f"assignment-{row.number}.xml", _UBL)
