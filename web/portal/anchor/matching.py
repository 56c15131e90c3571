"""Invoices that do not fit their orders: why, for how much, until when, and what settles them."""

import datetime as dt
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, and_, case, func
from sqlmodel import Session, col, select
from werkzeug.wrappers import Response

from scf.documents.match.acts import MAX_ACTS, stake_of
from scf.documents.match.judging import CODES
from scf.documents.match.models import PackSize
from scf.documents.models import Invoice, Order, OrderLine
from scf.documents.quantities import from_micro
from scf.parties.service import firm_names
from web.context import actor, platform
from web.portal.acting import must, tried
from web.portal.anchor.blueprint import anchor, bought, one_invoice, today, unpaid

PAGE: Final = 100


def unsettled() -> ColumnElement[bool]:
    """Keep to open invoices that do not fit their order, or wait for it or for a receipt."""
    return and_(
        bought(),
        col(Invoice.document_state) == "VALIDATED",
        col(Invoice.match_state).in_(("EXCEPTION", "PARTIAL", "UNMATCHED")),
        col(Invoice.order_canonical).is_not(None),
        unpaid(),
    )


@anchor.get("/matching")
def matching() -> str:
    """Show what does not fit: what is late or due soon first, of that the largest sums."""
    why = request.args.get("why", "")
    with platform().db.read(actor()) as reading:
        on = today(reading.connection())
        code = func.coalesce(col(Invoice.match_code), "ORDER_MISSING")
        counted = reading.execute(
            select(code, func.count()).where(unsettled()).group_by(code).order_by(code)
        ).all()
        counts = {str(one): int(number) for one, number in counted}
        found = select(Invoice).where(unsettled())
        if why in counts:
            found = found.where(code == why)
        rows = list(reading.execute(found.order_by(*_urgency(on)).limit(PAGE)).scalars())
        packs = _packs(reading)
        return render_template(
            "anchor/matching.html",
            packs=[(pack, from_micro(pack.per_pack_micro)) for pack in packs],
            rows=[(row, stake_of(row.variances)) for row in rows],
            why=why if why in counts else "",
            counts=sorted(counts.items(), key=lambda one: _place(one[0])),
            total=sum(counts.values()),
            names=firm_names(
                reading.connection(),
                {row.seller_id for row in (*rows, *packs) if row.seller_id},
            ),
            today=on,
        )


def _place(code: str) -> int:
    return CODES.index(code) if code in CODES else len(CODES)


def _urgency(on: dt.date) -> tuple[Any, ...]:
    """Sort by when it is due in steps (late, this week, this month, later), then by money."""
    due = col(Invoice.due_on)
    step = case(
        (due < on, 0),
        (due <= on + dt.timedelta(days=7), 1),
        (due <= on + dt.timedelta(days=31), 2),
        else_=3,
    )
    return step, col(Invoice.payable_minor).desc(), col(Invoice.id)


@anchor.post("/matching/settle")
def settle() -> Response:
    """Let the chosen invoices pass, or ask their suppliers for credit notes: one act for all."""
    must("match.waive")
    ids = list(dict.fromkeys(request.form.getlist("invoice")))[:MAX_ACTS]
    reason = request.form.get("reason", "").strip()[:1000]
    alone = bool(request.form.get("alone")) and len(ids) == 1
    back = _to(ids[0]) if alone else redirect(url_for("anchor.matching"), 303)
    if not ids:
        flash(_("Choose at least one invoice first."), "warn")
    elif request.form.get("act") == "credit":
        if done := tried("match.ask_credit", {"invoice_ids": ids, "reason": reason}):
            many = len(done["asked"])
            flash(
                ngettext(
                    "A credit note is asked for on %(num)d invoice.",
                    "Credit notes are asked for on %(num)d invoices.",
                    many,
                ),
                "ok",
            )
    elif len(reason) < 3:  # noqa: PLR2004 - as the command asks
        flash(_("Say why they may pass; the supplier and the bank read it."), "bad")
    elif done := tried("match.waive", {"invoice_ids": ids, "reason": reason}):
        many = len(done["waived"])
        flash(
            ngettext("%(num)d invoice may pass.", "%(num)d invoices may pass.", many),
            "ok",
        )
    return back


@anchor.post("/invoices/<invoice_id>/order")
def correct_order(invoice_id: str) -> Response:
    """Set an invoice to the order that it means."""
    _known(invoice_id)
    payload = {
        "invoice_id": invoice_id,
        "order_number": request.form.get("order_number", "").strip()[:200] or "-",
        "reason": request.form.get("reason", "").strip()[:1000] or _("Order reference corrected"),
    }
    if tried("match.correct_order", payload):
        flash(_("The invoice is matched with this order."), "ok")
    return _to(invoice_id)


@anchor.post("/invoices/<invoice_id>/goods")
def receive_goods(invoice_id: str) -> Response:
    """Record what arrived on the lines of the invoice's order."""
    row = _known(invoice_id)
    lines = [
        {"order_line": name.removeprefix("arrived-"), "quantity": text.strip()[:40]}
        for name, text in request.form.items()
        if name.startswith("arrived-") and text.strip()
    ]
    with platform().db.read(actor()) as reading:
        received_on = today(reading.connection())
    if not lines or row.order_id is None:
        flash(_("Say how much arrived on at least one line."), "bad")
        return _to(invoice_id)
    number = request.form.get("number", "").strip()[:100] or f"R-{row.number}"
    payload = {
        "order_id": row.order_id,
        "number": number,
        "received_on": received_on.isoformat(),
        "lines": lines,
    }
    if tried("goods.receive", payload):
        flash(_("The receipt counts."), "ok")
    return _to(invoice_id)


@anchor.post("/invoices/<invoice_id>/pack")
def agree_pack(invoice_id: str) -> Response:
    """Say how much one pack holds, for every paper about the article."""
    _known(invoice_id)
    payload = {
        "invoice_id": invoice_id,
        "line_id": request.form.get("line_id", "")[:64] or "-",
        "pack_unit": request.form.get("pack_unit", "")[:20] or "-",
        "per_pack": request.form.get("per_pack", "").strip()[:40] or "-",
    }
    if tried("pack.agree", payload):
        flash(_("The pack size counts for both sides."), "ok")
    return _to(invoice_id)


@anchor.post("/packs/<pack_id>/withdraw")
def withdraw_pack(pack_id: str) -> Response:
    """Count by a pack size no longer."""
    if tried("pack.withdraw", {"pack_id": pack_id}):
        flash(_("The pack size no longer counts."), "ok")
    return redirect(url_for("anchor.matching") + "#packs", 303)


def _packs(reading: Session) -> list[PackSize]:
    """Give the pack sizes that the firm counts its suppliers' papers by, the newest first."""
    found = (
        select(PackSize)
        .where(col(PackSize.buyer_id) == actor().org_id, col(PackSize.withdrawn_at).is_(None))
        .order_by(col(PackSize.id).desc())
        .limit(PAGE)
    )
    return list(reading.execute(found).scalars())


def _known(invoice_id: str) -> Invoice:
    with platform().db.read(actor()) as reading:
        return one_invoice(reading, invoice_id)


def _to(invoice_id: str) -> Response:
    return redirect(url_for("anchor.invoice", invoice_id=invoice_id), 303)


def open_lines(reading: Session, row: Invoice) -> list[OrderLine]:
    """Give the lines of the invoice's order on which something may still arrive."""
    if row.order_id is None or row.match_code not in {"RECEIPT_MISSING", "QUANTITY_EXCEEDED"}:
        return []
    found = (
        select(OrderLine)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(col(OrderLine.order_id) == row.order_id)
        .order_by(col(OrderLine.id))
        .limit(20)
    )
    return list(reading.execute(found).scalars())
