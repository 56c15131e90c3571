"""The tax identity of an own invoice, and asking its tax authority now."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col

from scf.db.visibility import not_found
from scf.documents.models import Invoice
from scf.financing.taxwatch import watching
from web.context import actor, platform
from web.forms import form_key
from web.portal.acting import must, tried
from web.portal.treasurer.blueprint import treasurer


@treasurer.post("/invoices/<invoice_id>/tax")
def tax(invoice_id: str) -> Any:  # noqa: ANN401 - the way back to the invoice
    """Enter the tax number where one was typed, then ask the tax authority."""
    must("tax.ask")
    form_key()
    with platform().db.read(actor()) as reading:
        own = reading.execute(
            select(col(Invoice.id)).where(
                col(Invoice.id) == invoice_id, col(Invoice.seller_id) == actor().org_id
            )
        ).scalar_one_or_none()
    if own is None:
        raise not_found("invoice", invoice_id)
    if not request.form.get("scheme") or _identified(invoice_id):
        answers = watching.refresh(platform(), [own], "offer")
        if answers.get("UNAVAILABLE"):
            flash(_("The tax authority does not answer now. Try again later."), "bad")
        elif any(answers.values()):
            flash(_("The tax authority has answered."), "ok")
        else:
            flash(_("The last answer is a few minutes old, or something is missing."), "info")
    return redirect(url_for("treasurer.invoice", invoice_id=invoice_id), 303)


def _identified(invoice_id: str) -> bool:
    names = ("scheme", "number", "code", "check_code")
    typed = {name: request.form.get(name, "").strip()[:100] for name in names}
    return tried("tax.identify", {"invoice_id": invoice_id, **typed}) is not None
