"""Follow one invoice, or one order with all its invoices, from the first document to the books."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.models import Invoice, InvoiceFact, Order
from scf.financing.lifecycle import BEFORE_INSTRUCTED
from scf.kernel.actor import Actor
from scf.parties.service import firm_names
from scf.reporting.trail.booking import booked_steps
from scf.reporting.trail.gathering import MOST_INVOICES, gather
from scf.reporting.trail.things import Rows, Step, Trail

# On one day, in the order in which things follow from each other.
_RANK: Final = {
    kind: place
    for place, kind in enumerate(
        (
            "order", "order_answer", "despatch", "receipt", "invoice", "match", "accepted",
            "rejected", "dispute", "dispute_ended", "credit_note", "request", "decision",
            "payment", "paid_out", "due", "money_in", "paid", "paid_back", "allocation",
            "over_advance", "advance", "closes", "entry",
        )
    )
}  # fmt: skip


def follow_invoice(session: Session, actor: Actor, invoice_id: str) -> Trail | None:
    """Follow one invoice; nothing where the reader may see none."""
    row = session.execute(select(Invoice).where(col(Invoice.id) == invoice_id)).scalar_one_or_none()
    if row is None:
        return None
    order = None
    if row.order_id is not None:
        found = session.execute(select(Order).where(col(Order.id) == row.order_id))
        order = found.scalar_one_or_none()
    return _trail(session, gather(session, actor, order, [row]))


def follow_order(session: Session, actor: Actor, order_id: str) -> Trail | None:
    """Follow one order through its invoices; nothing where the reader may see none."""
    order = session.execute(select(Order).where(col(Order.id) == order_id)).scalar_one_or_none()
    if order is None:
        return None
    invoices = session.execute(
        select(Invoice)
        .where(col(Invoice.order_id) == order_id)
        .order_by(col(Invoice.issue_on), col(Invoice.id))
        .limit(MOST_INVOICES)
    ).scalars()
    return _trail(session, gather(session, actor, order, list(invoices)))


def _trail(session: Session, rows: Rows) -> Trail:
    steps = [*_of_trade(rows), *_of_finance(rows), *_of_money(rows), *booked_steps(rows.entries)]
    steps.sort(key=lambda step: (step.on, _RANK.get(step.kind, len(_RANK))))
    firms = {step.firm_id for step in steps if step.firm_id}
    for paper in (rows.order, *rows.invoices):
        firms |= {one for one in (paper.seller_id, paper.buyer_id) if one} if paper else set()
    return Trail(rows, steps, firm_names(session.connection(), firms))


# --- Documents and the words of the two firms -----------------------------------------------------


def _of_trade(rows: Rows) -> Iterator[Step]:
    if (order := rows.order) is not None:
        yield Step(
            "order", order.issue_on, order.id, order.number, order.standing,
            order.total_minor, order.currency,
        )  # fmt: skip
    for said in rows.messages:
        kind = "despatch" if said.kind == "despatch" else "order_answer"
        yield Step(kind, said.issue_on, said.id, said.number, said.kind)
    for one in rows.receipts:
        yield Step("receipt", one.issue_on, one.id, one.number)
    for row in rows.invoices:
        yield Step(
            "invoice", row.issue_on, row.id, row.number, row.document_state,
            row.payable_minor, row.currency,
        )  # fmt: skip
        if row.due_on is not None:
            yield Step("due", row.due_on, row.id, row.number, row.payment_state)
    yield from _words(rows)
    if not rows.bank:
        yield from _paid(rows)


def _words(rows: Rows) -> Iterator[Step]:
    """What the two said of the invoices: acceptances, disputes, credit notes."""
    numbers = {row.id: row for row in rows.invoices}
    for said in rows.acceptances:
        row = numbers[said.invoice_id]
        kind = "rejected" if said.outcome == "REJECTED" else "accepted"
        yield Step(
            kind, said.at.date(), row.id, row.number, "IPU" if said.ipu else said.outcome,
            said.amount_minor, row.currency, note=said.reason,
        )  # fmt: skip
    for dispute in rows.disputes:
        row = numbers[dispute.invoice_id]
        yield Step(
            "dispute", dispute.opened_at.date(), dispute.id, row.number, dispute.state,
            dispute.amount_minor, row.currency, note=dispute.reason, facts={"invoice_id": row.id},
        )  # fmt: skip
        if dispute.resolved_at is not None:
            yield Step(
                "dispute_ended", dispute.resolved_at.date(), dispute.id, row.number, dispute.state,
                dispute.amount_minor, row.currency, facts={"invoice_id": row.id},
            )  # fmt: skip
    for part in rows.credits:
        row, note = numbers[part.invoice_id], rows.credit_notes.get(part.credit_note_id)
        yield Step(
            "credit_note", part.at.date(), part.credit_note_id, note.number if note else "",
            "", part.amount_minor, row.currency, facts={"invoice": row.number},
        )  # fmt: skip


def _paid(rows: Rows) -> Iterator[Step]:
    """Payments by the buyer as an invoice tells them to whoever does not see the bank's entries."""
    numbers = {row.id: row for row in rows.invoices}
    last: dict[str, InvoiceFact] = {}
    for fact in rows.facts:
        before = last.get(fact.invoice_id)
        change = fact.paid_minor - (before.paid_minor if before else 0)
        last[fact.invoice_id] = fact
        if change:
            row = numbers[fact.invoice_id]
            yield Step(
                "paid" if change > 0 else "paid_back", fact.paid_on or _day(fact.known_at), row.id,
                row.number, "", abs(change), row.currency,
            )  # fmt: skip


def _day(at: dt.datetime) -> dt.date:
    return at.date()


# --- Request, decision, advance -------------------------------------------------------------------


def _of_finance(rows: Rows) -> Iterator[Step]:
    for request in rows.requests:
        yield Step(
            "request", request.submitted_on, request.id, "", request.state,
            request.face_minor, request.currency, request.financier_id,
            facts={"net_minor": request.net_minor, "all_in_ppm": request.all_in_ppm},
        )  # fmt: skip
        if not rows.decisions and request.decided_at is not None:
            yield Step(
                "decision", request.decided_at.date(), request.id, "", request.state,
                firm_id=request.financier_id, facts={"by": request.decided_by},
            )  # fmt: skip
    for word in rows.decisions:
        yield Step(
            "decision", word.at.date(), word.request_id, "", word.outcome, note=word.note,
            facts={"by": "policy" if word.policy_version else "officer", "step": word.step},
        )  # fmt: skip
    by_id = {row.id: row for row in rows.advances}
    for event in rows.events:
        if event.to_state in BEFORE_INSTRUCTED or event.to_state == event.from_state:
            continue
        row = by_id[event.advance_id]
        yield Step(
            "advance", event.on_date, row.id, "", event.to_state, row.face_minor, row.currency,
            row.financier_id,
        )  # fmt: skip
    for over in rows.over:
        yield Step(
            "over_advance", over.on_date, over.id, "", over.state, over.amount_minor,
            over.currency, facts={"open_minor": over.open_minor, "advance_id": over.advance_id},
        )  # fmt: skip


# --- Money out and in -----------------------------------------------------------------------------


def _of_money(rows: Rows) -> Iterator[Step]:
    for one in rows.payments:
        file = rows.files.get(one.file_id or "")
        facts = {
            "file_id": file.id if file else "", "msg_id": file.msg_id if file else "",
            "kind": one.kind, "attempt": one.attempt,
        }  # fmt: skip
        yield Step(
            "payment", one.created_at.date(), one.id, one.end_to_end_id, one.state,
            one.amount_minor, one.currency, one.payee_id, note=one.status_code or "", facts=facts,
        )  # fmt: skip
        if one.settled_on is not None:
            yield Step(
                "paid_out", one.settled_on, one.id, one.end_to_end_id, one.state,
                one.amount_minor, one.currency, one.payee_id, facts=facts,
            )  # fmt: skip
    shares: dict[str, list[dict[str, object]]] = {}
    for part in rows.parts:
        shares.setdefault(part.bank_entry_id, []).append({
            "kind": part.kind, "amount_minor": part.amount_minor,
            "taken_back": part.reversed_by is not None,
        })  # fmt: skip
    for entry in rows.bank:
        yield Step(
            "money_in", entry.booked_on, entry.id, str(entry.details.get("reference", "")),
            entry.state, entry.amount_minor, entry.currency, entry.remitter_id or "",
            facts={"parts": shares.get(entry.id, []), "value_on": entry.value_on},
        )  # fmt: skip
    if not rows.bank:
        currencies = {row.id: row.currency for row in rows.invoices}
        for part in rows.parts:
            yield Step(
                "allocation", part.value_on, part.id, "",
                "TAKEN_BACK" if part.reversed_by else part.kind, part.amount_minor,
                currencies.get(part.invoice_id or "", ""), part.payee_id or "",
                facts={"kind": part.kind},
            )  # fmt: skip
