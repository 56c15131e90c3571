"""Invoices: what is claimed, what the buyer has said of it, and what may still be financed.

Seller and buyer share the document, the buyer's word and the payment. What finance rests on an
invoice is between the seller and the financier in whose programme it lives: the buyer's answer
has neither the amounts nor a label that tells them.
"""

import dataclasses
import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Currency, OptCount, OptDay
from scf.documents import rules
from scf.documents.models import Acceptance, Dispute, Invoice, InvoiceLine
from scf.programmes.models import ProgrammeClaim
from web.api.v1.matching import Match, Variance, match_of, variances
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, reader, run
from web.api.v1.trade import (
    Party,
    children,
    is_bank,
    minor_of,
    names_of,
    one,
    party,
    today,
)
from web.context import actor

resource = Blueprint("invoices", __name__)


class Axes(Answer):
    """Where the invoice stands on each of its axes but finance."""

    document: str
    match: str
    match_code: str | None
    acceptance: str
    payment: str
    dispute: str


class Finance(Answer):
    """What finance rests on the invoice; never in the buyer's answer."""

    state: str
    offered: Amount
    held: Amount
    outstanding: Amount
    repaid: Amount
    reassigned: Amount
    over_advance: Amount


class InvoiceHead(Answer):
    """An invoice. ``eligible`` may still be financed; it and ``finance`` are null for the buyer.

    ``on`` is the business date by which ``label`` is judged.
    """

    id: str
    number: str
    type_code: str
    seller: Party
    buyer: Party
    issue_on: dt.date
    due_on: dt.date | None
    currency: Currency
    net: Amount
    tax: Amount
    gross: Amount
    payable: Amount
    order_number: str | None
    order_id: str | None
    label: str
    on: dt.date
    axes: Axes
    irrevocable: bool
    accepted: Amount | None
    credited: Amount
    disputed: Amount
    paid: Amount
    retention: Amount
    eligible: Amount | None
    finance: Finance | None
    upload_id: str | None
    version: int


class InvoiceLineOut(Answer):
    """One line; quantities in millionths of the unit. ``variances`` are null for the financier."""

    id: str
    line: str
    item: str
    unit: str | None
    quantity_micro: OptCount
    net: Amount
    order_line: str | None
    paired_by: str | None
    credited_micro: OptCount
    variances: list[Variance] | None


class Word(Answer):
    """One version of the buyer's word."""

    version: int
    outcome: str
    amount: Amount
    due_on: dt.date | None
    irrevocable: bool
    reason: str
    at: dt.datetime


class DisputeOut(Answer):
    """A contested part."""

    id: str
    amount: Amount
    reason: str
    state: str
    commercial: bool
    opened_at: dt.datetime
    resolved_at: dt.datetime | None


class ShownInvoice(InvoiceHead):
    """An invoice with its lines, the buyer's words on it and its disputes."""

    lines: list[InvoiceLineOut]
    match: Match
    words: list[Word]
    disputes: list[DisputeOut]


class InvoicePage(Answer):
    """Some of the invoices."""

    items: list[InvoiceHead]
    next_cursor: str


class InvoicesQuery(PageQuery):
    """Which invoices."""

    number: str = Field(default="", max_length=400)
    document_state: str = Field(default="", max_length=20)
    acceptance_state: str = Field(default="", max_length=20)
    payment_state: str = Field(default="", max_length=20)
    seller_id: str = Field(default="", max_length=64)
    buyer_id: str = Field(default="", max_length=64)
    upload_id: str = Field(default="", max_length=64)
    due_from: OptDay = None
    due_to: OptDay = None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Accept(_Body):
    """The buyer's word: without an amount the whole, without a date the invoice's own."""

    amount: Amount | None = None
    due_on: OptDay = None
    reason: str = Field(default="", max_length=1000)


class Reject(_Body):
    """Why the buyer rejects it."""

    reason: str = Field(min_length=3, max_length=1000)


class Contest(_Body):
    """The part that the buyer contests, and why."""

    amount: Amount
    reason: str = Field(min_length=3, max_length=1000)


class Accepted(Answer):
    """What the buyer has accepted; an irrevocable word is an undertaking to pay."""

    invoice_id: str
    amount: Amount
    irrevocable: bool


class Rejected(Answer):
    """The rejected invoice."""

    invoice_id: str
    acceptance_state: str


class Contested(Answer):
    """The new dispute; a commercial one stops no finance."""

    id: str
    invoice_id: str
    amount: Amount
    state: str
    commercial: bool


# --- Reading ----------------------------------------------------------------------------------


@endpoint(resource, "GET", "/invoices", action="document.read", answer=InvoicePage)
def list_invoices(query: InvoicesQuery) -> InvoicePage:
    """List the invoices that you may see."""
    statement = select(Invoice)
    for name in _EQUAL:
        if wanted := getattr(query, name):
            statement = statement.where(getattr(Invoice, name) == wanted)
    if query.due_from is not None:
        statement = statement.where(col(Invoice.due_on) >= query.due_from)
    if query.due_to is not None:
        statement = statement.where(col(Invoice.due_on) <= query.due_to)
    with reader() as session:
        rows, following = page(session, statement, query, col(Invoice.id))
        return InvoicePage(items=_heads(session, list(rows)), next_cursor=following)


_EQUAL = (
    "number",
    "document_state",
    "acceptance_state",
    "payment_state",
    "seller_id",
    "buyer_id",
    "upload_id",
)


@endpoint(resource, "GET", "/invoices/<invoice_id>", action="document.read", answer=ShownInvoice)
def get_invoice(invoice_id: str) -> tuple[ShownInvoice, int, dict[str, str]]:
    """Show one invoice with its lines and all that was said of it."""
    with reader() as session:
        row = one(session, Invoice, invoice_id)
        shown = ShownInvoice(
            **dict(_heads(session, [row])[0]),
            match=match_of(session, row),
            lines=[
                InvoiceLineOut(
                    id=line.id,
                    line=line.line_ref,
                    item=line.item,
                    unit=line.unit,
                    quantity_micro=line.quantity_micro,
                    net=amount(line.net_minor, row.currency),
                    order_line=line.order_line_ref,
                    paired_by=line.paired_by,
                    credited_micro=line.credited_micro,
                    variances=variances(row, line.line_ref),
                )
                for line in children(session, InvoiceLine, InvoiceLine.invoice_id, [row.id])
            ],
            words=[
                Word(
                    version=word.version,
                    outcome=word.outcome,
                    amount=amount(word.amount_minor, row.currency),
                    due_on=word.due_on,
                    irrevocable=word.ipu,
                    reason=word.reason,
                    at=word.at,
                )
                for word in children(session, Acceptance, Acceptance.invoice_id, [row.id])
            ],
            disputes=[
                DisputeOut(
                    id=dispute.id,
                    amount=amount(dispute.amount_minor, row.currency),
                    reason=dispute.reason,
                    state=dispute.state,
                    commercial=dispute.commercial,
                    opened_at=dispute.opened_at,
                    resolved_at=dispute.resolved_at,
                )
                for dispute in children(session, Dispute, Dispute.invoice_id, [row.id])
            ],
        )
    return shown, 200, etag(row.version)


# --- The buyer's word -------------------------------------------------------------------------


@endpoint(
    resource, "POST", "/invoices/<invoice_id>/accept", action="invoice.accept", answer=Accepted
)
def accept_invoice(invoice_id: str, json: Accept) -> Accepted:
    """Accept an invoice as its buyer; under a programme that is an undertaking to pay."""
    word: dict[str, Any] = {"invoice_id": invoice_id, "due_on": json.due_on}
    if json.amount is not None:
        word["amount_minor"] = minor_of(json.amount, _currency(invoice_id))
    result = run("invoice.accept", {"items": [word], "reason": json.reason}).result
    done = result["accepted"][0]
    return Accepted(
        invoice_id=done["invoice_id"],
        amount=amount(done["amount_minor"], done["currency"]),
        irrevocable=done["irrevocable"],
    )


@endpoint(
    resource, "POST", "/invoices/<invoice_id>/reject", action="invoice.reject", answer=Rejected
)
def reject_invoice(invoice_id: str, json: Reject) -> Rejected:
    """Reject an invoice as its buyer."""
    result = run("invoice.reject", {"invoice_ids": [invoice_id], **json.model_dump()}).result
    return Rejected(invoice_id=result["rejected"][0], acceptance_state="REJECTED")


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/dispute",
    action="invoice.dispute",
    answer=Contested,
    status=201,
)
def dispute_invoice(invoice_id: str, json: Contest) -> tuple[Contested, int]:
    """Contest a part of an invoice as its buyer."""
    currency = _currency(invoice_id)
    payload = {
        "invoice_id": invoice_id,
        "amount_minor": minor_of(json.amount, currency),
        "reason": json.reason,
    }
    done = run("invoice.dispute", payload).result
    return Contested(
        id=done["id"],
        invoice_id=done["invoice_id"],
        amount=amount(done["amount_minor"], currency),
        state=done["state"],
        commercial=done["commercial"],
    ), 201


def _currency(invoice_id: str) -> str:
    """Give the currency of an invoice, which never changes."""
    with reader() as session:
        return one(session, Invoice, invoice_id).currency


# --- Showing ----------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Reading:
    """Who reads, and what that person may know of the finance on each invoice."""

    org_id: str
    bank: bool
    claimed: frozenset[str]
    on: dt.date
    names: dict[str, str]

    def knows_finance(self, row: Invoice) -> bool:
        return row.seller_id == self.org_id or (self.bank and row.id in self.claimed)


class AsTheBuyerKnows:
    """An invoice as its buyer knows it: nothing is financed, as far as that side is told."""

    offered_minor = held_minor = outstanding_minor = repaid_minor = 0

    def __init__(self, row: Invoice) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the row has
        return getattr(self._row, name)


def _heads(session: Session, rows: list[Invoice]) -> list[InvoiceHead]:
    who = actor()
    claims = select(col(ProgrammeClaim.invoice_id)).where(
        col(ProgrammeClaim.invoice_id).in_([row.id for row in rows]),
        col(ProgrammeClaim.financier_id) == who.org_id,
    )
    reading = _Reading(
        org_id=who.org_id,
        bank=is_bank(),
        claimed=frozenset(session.execute(claims).scalars()),
        on=today(session.connection()),
        names=names_of(session, rows),
    )
    return [_head(row, reading) for row in rows]


def _head(row: Invoice, reading: _Reading) -> InvoiceHead:
    currency = row.currency
    knows = reading.knows_finance(row)
    may_finance = knows or reading.bank
    return InvoiceHead(
        id=row.id,
        number=row.number,
        type_code=row.type_code,
        seller=party(row, "seller", reading.names),
        buyer=party(row, "buyer", reading.names),
        issue_on=row.issue_on,
        due_on=row.due_on,
        currency=currency,
        net=amount(row.net_minor, currency),
        tax=amount(row.tax_minor, currency),
        gross=amount(row.gross_minor, currency),
        payable=amount(row.payable_minor, currency),
        order_number=row.order_number,
        order_id=row.order_id,
        label=rules.label(row if knows else AsTheBuyerKnows(row), reading.on),
        on=reading.on,
        axes=Axes(
            document=row.document_state,
            match=row.match_state,
            match_code=row.match_code,
            acceptance=row.acceptance_state,
            payment=row.payment_state,
            dispute=row.dispute_state,
        ),
        irrevocable=row.ipu,
        accepted=None if row.accepted_minor is None else amount(row.accepted_minor, currency),
        credited=amount(row.credited_minor, currency),
        disputed=amount(row.disputed_minor, currency),
        paid=amount(row.paid_minor, currency),
        retention=amount(row.retention_minor, currency),
        eligible=amount(rules.eligible(row), currency) if may_finance else None,
        finance=_finance(row) if knows else None,
        upload_id=row.upload_id if row.org_id == reading.org_id else None,
        version=row.version,
    )


def _finance(row: Invoice) -> Finance:
    currency = row.currency
    return Finance(
        state=rules.finance_state(row),
        offered=amount(row.offered_minor, currency),
        held=amount(row.held_minor, currency),
        outstanding=amount(row.outstanding_minor, currency),
        repaid=amount(row.repaid_minor, currency),
        reassigned=amount(row.reassigned_minor, currency),
        over_advance=amount(row.over_advance_minor, currency),
    )
