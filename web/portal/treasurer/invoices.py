"""The list of invoices, and one invoice with its whole life."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.documents.canonical import Kind
from scf.documents.duplicates.standing import against_seller
from scf.documents.einvoice.models import RULE_CODES
from scf.documents.einvoice.shown import verdicts
from scf.documents.match.explained import explained
from scf.documents.messages.models import TradeMessage
from scf.documents.models import (
    Acceptance,
    Dispute,
    DocumentFinding,
    Invoice,
    InvoiceLine,
    Order,
    Receipt,
)
from scf.documents.rules import capacity, eligible, label
from scf.documents.taxcheck.asking import invoices_of
from scf.documents.taxcheck.shown import taxes
from scf.financing.models import Advance
from scf.financing.taxwatch.demands import demands_of
from scf.offers.basket import settle, stopped
from scf.parties.service import day_for, firm_names
from web.context import actor, now, platform
from web.portal.reasons import Told, told
from web.portal.treasurer.blueprint import treasurer
from web.portal.treasurer.listing import SHOWS, Asked, page
from web.portal.treasurer.progress import words

_MOST_FINDINGS = 50


@treasurer.get("/invoices")
def invoices() -> str:
    """Show one page of the own invoices."""
    who, asked = actor(), Asked.sent(request.args)
    with platform().db.read(who) as reading:
        conn = reading.connection()
        today = day_for(conn, who.org_id, now().date())
        rows, following = page(reading, who.org_id, asked, today)
        names = firm_names(conn, {row.buyer_id for row in rows if row.buyer_id})
        return render_template(
            "treasurer/invoices.html",
            asked=asked,
            tabs=[(word, _address(asked, show=show), show == asked.show, None)
                  for show, word in zip(SHOWS, _names(), strict=True)],
            rows=[
                (row, _buyer(row, names), word, against)
                for row, (word, against) in zip(rows, _states(reading, rows, today), strict=True)
            ],
            today=today,
            following=_address(asked, after=following) if following else "",
            start=_address(asked) if asked.after else "",
        )  # fmt: skip


def _states(
    reading: Session, rows: Sequence[Invoice], today: dt.date
) -> list[tuple[str, Told | None]]:
    """Tell each row's word, and of an accepted one what an offer would say against it."""
    words = [label(row, today, early_pay=True) for row in rows]
    asked = [row for row, word in zip(rows, words, strict=True) if word == "EARLY_PAY_AVAILABLE"]
    found = stopped(reading.connection(), actor().org_id, asked, now())
    return [
        (label(row, today), told(found[row.id])) if row.id in found else (word, None)
        for row, word in zip(rows, words, strict=True)
    ]


def _names() -> list[str]:
    return [_("Ready"), _("Waiting"), _("Financed"), _("Paid"), _("All")]


def _address(asked: Asked, show: str = "", after: str = "") -> str:
    """Give the address of a view with its filters; a filter is a link that can be kept."""
    query = {"show": show or asked.show, "q": asked.words, "currency": asked.currency}
    filled: dict[str, Any] = {key: value for key, value in query.items() if value}
    if after:
        filled["after"] = after
    return url_for("treasurer.invoices", **filled)


def _buyer(row: Invoice, names: dict[str, str]) -> str:
    if row.buyer_id in names:
        return names[row.buyer_id]
    said = row.parties.get("buyer") if isinstance(row.parties, dict) else None
    return str(said.get("name", "")) if isinstance(said, dict) else ""


@treasurer.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """Show one invoice: where it stands, why, what belongs to it, and what helps."""
    return invoice_page(invoice_id, {}, {})


def invoice_page(invoice_id: str, form: dict[str, str], errors: dict[str, str]) -> str:
    """Draw the page of an own invoice, with what was typed where something was wrong with it."""
    who = actor()
    with platform().db.read(who) as reading:
        conn = reading.connection()
        row = reading.execute(
            select(Invoice).where(
                col(Invoice.id) == invoice_id, col(Invoice.seller_id) == who.org_id
            )
        ).scalar_one_or_none()
        if row is None:
            raise not_found("invoice", invoice_id)
        today = day_for(conn, who.org_id, now().date())
        reasons, can_get = _standing(reading, who.org_id, row, today)
        life = _life(reading, row)
        return render_template(
            "treasurer/invoice.html",
            row=row,
            buyer=_buyer(row, firm_names(conn, {row.buyer_id} if row.buyer_id else set())),
            word=label(row, today, early_pay=can_get),
            today=today,
            steps=_steps(row, life),
            reasons=reasons,
            can_get=can_get,
            capacity=capacity(row),
            tax=_tax(reading, row, life["taxes"], reasons),
            eligible=eligible(row),
            life=life,
            check=against_seller(conn, row.id),
            form=form,
            errors=errors,
        )


def _standing(
    reading: Session, seller_id: str, row: Invoice, today: dt.date
) -> tuple[list[Any], bool]:
    """Tell what stands against finance today, and whether nothing does."""
    if row.document_state not in {"VALIDATED", "INCOMPLETE"} or row.payment_state == "PAID":
        return [], False
    if row.due_on is not None and row.due_on < today:
        return [], False
    table = Invoice.__table__  # type: ignore[attr-defined]
    plain = reading.connection().execute(select(table).where(table.c.id == row.id)).one()
    part, waiting = settle(reading.connection(), seller_id, [plain], now(), None)
    return [told(one) for each in waiting for one in each.refusals], part is not None


def _tax(
    reading: Session, row: Invoice, found: Sequence[Any], reasons: Sequence[Any]
) -> dict[str, Any] | None:
    """Tell what the seller can do about the tax authority's word, where somebody wants it."""
    plain = invoices_of(reading.connection(), [row.id])
    wanted = demands_of(reading.connection(), plain)[row.id]
    if not wanted:
        return None
    codes = {one.code for one in reasons}
    return {
        "scheme": wanted[0].scheme,
        "identify": "TAX_IDENTITY" in codes or "TAX_NOT_FOUND" in codes,
        "ask": not (row.held_minor or row.outstanding_minor),
        "known": found[0] if found else None,
    }


def _life(reading: Session, row: Invoice) -> dict[str, Any]:
    """Read everything that belongs to an invoice."""

    def all_of(model: Any, *where: Any, by: Any) -> Sequence[Any]:  # noqa: ANN401 - any table
        return reading.execute(select(model).where(*where).order_by(by)).scalars().all()

    order = reading.get(Order, row.order_id) if row.order_id else None
    receipts: Sequence[Any] = ()
    despatches: Sequence[Any] = ()
    if row.order_canonical and row.buyer_id:
        receipts = all_of(
            Receipt,
            col(Receipt.buyer_id) == row.buyer_id,
            col(Receipt.order_canonical) == row.order_canonical,
            by=col(Receipt.issue_on),
        )
        despatches = all_of(
            TradeMessage,
            col(TradeMessage.buyer_id) == row.buyer_id,
            col(TradeMessage.order_canonical) == row.order_canonical,
            col(TradeMessage.kind) == Kind.DESPATCH,
            by=col(TradeMessage.issue_on),
        )
    findings = reading.execute(
        select(DocumentFinding)
        .where(
            col(DocumentFinding.document_id) == row.id,
            col(DocumentFinding.resolved_at).is_(None),
            col(DocumentFinding.code).not_in(RULE_CODES),
        )
        .limit(_MOST_FINDINGS)
    ).scalars()
    return {
        "order": order,
        "despatches": despatches,
        "receipts": receipts,
        "findings": list(findings),
        "rules": verdicts(reading, [row.id]),
        "taxes": taxes(reading, [row.id]),
        "match": explained(reading, row),
        "lines": all_of(
            InvoiceLine, col(InvoiceLine.invoice_id) == row.id, by=col(InvoiceLine.place)
        ),
        "acceptances": all_of(
            Acceptance, col(Acceptance.invoice_id) == row.id, by=col(Acceptance.version)
        ),
        "disputes": all_of(Dispute, col(Dispute.invoice_id) == row.id, by=col(Dispute.opened_at)),
        "advances": all_of(Advance, col(Advance.invoice_id) == row.id, by=col(Advance.created_at)),
    }


def _steps(row: Invoice, life: dict[str, Any]) -> list[dict[str, Any]]:
    """Tell the life of an invoice: order, receipt, invoice, the buyer's word, finance, payment."""
    order, receipts = life["order"], life["receipts"]
    valid = row.document_state == "VALIDATED"
    paid = row.payment_state == "PAID"
    numbers = ", ".join(one.number for one in receipts)
    steps = [_word_on_order(order)]
    if sent := life["despatches"]:
        steps.append(_step("done", _("Despatch"), ", ".join(one.number for one in sent), sent[-1]))
    steps += [
        _step(_past(receipts), _("Receipt"), numbers or _("none handed in"), *receipts[-1:]),
        _step(
            "done" if valid else "now",
            _("Invoice"),
            row.number if valid else _("something is missing"),
            row,
        ),
        _word_of_buyer(life["acceptances"]),
    ]
    for advance in life["advances"]:
        kind, text = words("APPROVED", {advance.state})
        steps.append(
            _step(kind, _("Paid early"), text)
            | {"on": advance.value_on, "minor": advance.net_minor}
        )
    note = _("paid") if paid else _("part paid") if row.paid_minor else _("due")
    steps.append(_step(_past(paid), _("Payment by the buyer"), note) | {"on": row.due_on})
    return steps


def _word_on_order(order: Order | None) -> dict[str, Any]:
    if order is None:
        return _step("todo", _("Order"), _("none matched"))
    said = {
        "ACCEPTED": _("accepted by the seller"),
        "CHANGED": _("accepted with changes"),
        "REFUSED": _("refused by the seller"),
        "CANCELLED": _("cancelled by the buyer"),
    }.get(order.standing)
    ended = order.standing in {"REFUSED", "CANCELLED"}
    note = f"{order.number} · {said}" if said else order.number
    return _step("bad" if ended else "done", _("Order"), note, order)


def _word_of_buyer(given: Sequence[Any]) -> dict[str, Any]:
    text = _("Confirmation")
    if not given:
        return _step("now", text, _("the buyer has not answered"))
    last = given[-1]
    if last.outcome == "REJECTED":
        found = _step("bad", text, _("refused by the buyer"))
    else:
        note = _("binding: the buyer cannot take it back") if last.ipu else _("confirmed")
        found = _step("done", text, note)
    return found | {"on": last.at.date()}


def _past(thing: object) -> str:
    return "done" if thing else "todo"


def _step(state: str, text: str, note: str, document: Any = None) -> dict[str, Any]:  # noqa: ANN401
    on = document.issue_on if document is not None else None
    return {"state": state, "text": text, "note": note, "on": on}
