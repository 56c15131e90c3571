"""One invoice as its buyer knows it, and the buyer's word on it: accept, reject, dispute."""

import datetime as dt
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response

from scf.documents.einvoice.shown import verdicts
from scf.documents.match.explained import explained
from scf.documents.models import Acceptance, Dispute, Invoice, InvoiceLine
from scf.documents.rules import owed
from scf.documents.taxcheck.shown import taxes
from scf.kernel.errors import NotAllowed, NotFound, ScfError
from scf.parties.service import firm_names
from scf.reporting.alike import alike_of
from scf.reporting.anchor import payees_of_record
from web.context import actor, platform
from web.forms import minor_of
from web.i18n import money
from web.portal.acting import act, must
from web.portal.alike import RULES
from web.portal.anchor.blueprint import OPEN, anchor, is_undertaking, one_invoice, today
from web.portal.anchor.matching import open_lines
from web.portal.anchor.words import blockers
from web.refusals import refusal_text

_LINES = 200


@anchor.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """Show one invoice."""
    return invoice_page(invoice_id, {}, {})


@anchor.post("/invoices/<invoice_id>/accept")
def accept_one(invoice_id: str) -> Any:  # noqa: ANN401 - a page or the way to one
    """Accept an invoice, with another amount or due date where that is allowed."""
    must("invoice.accept")
    row = _row(invoice_id)
    errors: dict[str, str] = {}
    item: dict[str, Any] = {"invoice_id": invoice_id}
    if text := request.form.get("amount", "").strip():
        item["amount_minor"] = _amount(text, row.currency, "amount", errors)
    if text := request.form.get("due_on", "").strip():
        item["due_on"] = _day(text, errors)
    payload = {"items": [item], "reason": request.form.get("note", "")[:1000]}
    return _said(invoice_id, "invoice.accept", payload, errors, _("The invoice is accepted."))


@anchor.post("/invoices/<invoice_id>/reject")
def reject(invoice_id: str) -> Any:  # noqa: ANN401
    """Reject an invoice, with a reason."""
    reason = request.form.get("reason", "").strip()
    errors = {} if len(reason) > 2 else {"reason": _("Say why, so that the supplier can act.")}  # noqa: PLR2004
    payload = {"invoice_ids": [invoice_id], "reason": reason[:1000]}
    _row(invoice_id)
    return _said(invoice_id, "invoice.reject", payload, errors, _("The invoice is rejected."))


@anchor.post("/invoices/<invoice_id>/dispute")
def dispute(invoice_id: str) -> Any:  # noqa: ANN401
    """Contest a part of an invoice."""
    row = _row(invoice_id)
    errors: dict[str, str] = {}
    why = request.form.get("why", "").strip()
    part = _amount(request.form.get("part", ""), row.currency, "part", errors)
    if len(why) < 3:  # noqa: PLR2004
        errors["why"] = _("Say what is wrong, so that the supplier can act.")
    payload = {"invoice_id": invoice_id, "amount_minor": part, "reason": why[:1000]}
    told = _("The dispute is open; the supplier is told.")
    return _said(invoice_id, "invoice.dispute", payload, errors, told)


def _row(invoice_id: str) -> Invoice:
    with platform().db.read(actor()) as reading:
        return one_invoice(reading, invoice_id)


def _said(
    invoice_id: str, command: str, payload: dict[str, Any], errors: dict[str, str], told: str
) -> Response | tuple[str, int]:
    """Run the word; a refusal stands on the page with everything that was typed."""
    if not errors:
        try:
            act(command, payload)
        except (NotAllowed, NotFound):
            raise
        except ScfError as refused:
            place = {"invoice.accept": "amount", "invoice.reject": "reason"}.get(command, "part")
            if "DUE_DATE" in refused.code:
                place = "due_on"
            errors = {place: refusal_text(refused)}
        else:
            flash(told, "ok")
            return redirect(url_for("anchor.invoice", invoice_id=invoice_id), 303)
    return invoice_page(invoice_id, request.form.to_dict(), errors), 422


def invoice_page(invoice_id: str, form: dict[str, str], errors: dict[str, str]) -> str:
    """Draw the page, with what was typed where something was wrong with it."""
    with platform().db.read(actor()) as reading:
        row = one_invoice(reading, invoice_id)
        conn = reading.connection()
        payee = payees_of_record(conn, [row.id]).get(row.id, row.seller_id)
        names = firm_names(conn, {one for one in (row.seller_id, payee) if one})
        on = today(conn)

        def parts(model: Any, at: Any) -> list[Any]:  # noqa: ANN401 - a table and its column
            found = select(model).where(at == row.id).order_by(col(model.id)).limit(_LINES)
            return list(reading.execute(found).scalars())

        return render_template(
            "anchor/invoice.html",
            row=row,
            seller=names.get(row.seller_id or "", ""),
            payee=names.get(payee or "", ""),
            to_bank=payee != row.seller_id,
            owed=owed(row),
            blockers=blockers(row),
            open=row.acceptance_state in OPEN,
            lines=parts(InvoiceLine, col(InvoiceLine.invoice_id)),
            words=parts(Acceptance, col(Acceptance.invoice_id)),
            disputes=parts(Dispute, col(Dispute.invoice_id)),
            rules=verdicts(reading, [row.id]),
            taxes=taxes(reading, [row.id]),
            match=explained(reading, row),
            arrivals=open_lines(reading, row),
            alike=alike_of(reading, actor(), [row.id]),
            rules_alike=RULES,
            undertaking=is_undertaking(conn, row.currency),
            today=on,
            form=form,
            errors=errors,
            sum=money(row.payable_minor, row.currency),
        )


def _amount(text: str, currency: str, name: str, errors: dict[str, str]) -> int:
    try:
        return minor_of(text, currency)
    except ScfError as unread:
        errors[name] = refusal_text(unread)
        return 0


def _day(text: str, errors: dict[str, str]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        errors["due_on"] = _("This is no date.")
        return None
