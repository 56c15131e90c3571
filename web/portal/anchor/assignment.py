"""The notice of assignment of one invoice, as the firm's own system takes it: a change of payee."""

from flask import flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting.advices.reading import assignment_of
from scf.accounting.advices.ubl import to_assignment
from scf.documents.rules import owed
from scf.reporting.anchor import payees_of_record
from web.api.v1.files import attachment
from web.context import actor, platform
from web.portal.anchor.blueprint import anchor, one_invoice


@anchor.get("/invoices/<invoice_id>/assignment")
def assignment(invoice_id: str) -> BaseResponse:
    """Give the invoice in UBL with its payee of record; one that nobody has taken has no notice."""
    with platform().db.read(actor()) as reading:
        row = one_invoice(reading, invoice_id)
        conn = reading.connection()
        financier = payees_of_record(conn, [row.id]).get(row.id)
        if financier is None:
            flash(_("This invoice is paid to its supplier: nobody has taken it over."), "bad")
            return redirect(url_for("anchor.invoice", invoice_id=invoice_id), 303)
        content = to_assignment(assignment_of(conn, row, financier, owed(row)))
    return attachment(content, f"assignment-{row.number}.xml", "application/xml")
