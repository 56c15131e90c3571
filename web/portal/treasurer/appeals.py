"""What a seller says where somebody's check has stopped an own invoice."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import NotAllowed, NotFound, ScfError
from web.portal.acting import act, must
from web.portal.treasurer.blueprint import treasurer
from web.portal.treasurer.invoices import invoice_page
from web.refusals import refusal_text

_LEAST_WORDS = 3


@treasurer.post("/invoices/<invoice_id>/appeal")
def appeal(invoice_id: str) -> Any:  # noqa: ANN401 - a page with its status, or a way on
    """Say why the invoice is a claim of its own; another person then looks at it."""
    must("duplicate.appeal")
    note = request.form.get("note", "").strip()[:2000]
    errors = {}
    if len(note) < _LEAST_WORDS:
        errors["note"] = _("Say in a few words why it is a claim of its own.")
    else:
        try:
            act("duplicate.appeal", {"invoice_id": invoice_id, "note": note})
        except (NotAllowed, NotFound):
            raise
        except ScfError as refused:
            errors["note"] = refusal_text(refused)
    if errors:
        return invoice_page(invoice_id, {"note": note}, errors), 422
    flash(_("Sent. Another person looks at it again."), "ok")
    return redirect(url_for("treasurer.invoice", invoice_id=invoice_id), 303)
