"""Credit notes: what a seller takes back of its invoices, and where that was set off."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Currency, Id
from scf.documents.models import CreditAllocation, CreditNote
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, reader, run
from web.api.v1.trade import Party, children, names_of, one, party

resource = Blueprint("credit-notes", __name__)


class CreditShare(Answer):
    """The part that was set off against one invoice."""

    invoice_id: str
    amount: Amount
    at: dt.datetime


class CreditNoteOut(Answer):
    """A credit note and its parts."""

    id: str
    number: str
    seller: Party
    buyer: Party
    issue_on: dt.date
    currency: Currency
    amount: Amount
    allocated: Amount
    document_state: str
    credit_state: str
    named_invoices: list[str]
    shares: list[CreditShare]
    version: int


class CreditNotePage(Answer):
    """Some of the credit notes."""

    items: list[CreditNoteOut]
    next_cursor: str


class CreditNotesQuery(PageQuery):
    """Which credit notes."""

    credit_state: str = Field(default="", max_length=20)
    upload_id: str = Field(default="", max_length=64)


class LinkInvoices(BaseModel):
    """The invoices that a waiting credit note belongs to."""

    model_config = ConfigDict(extra="forbid")
    invoice_ids: list[Id] = Field(min_length=1, max_length=1000)


class LinkedShare(Answer):
    """The part that is set off against one invoice now."""

    invoice_id: str
    amount: Amount


class CreditNoteLinked(Answer):
    """What the linking has set off."""

    id: str
    shares: list[LinkedShare]


@endpoint(resource, "GET", "/credit-notes", action="document.read", answer=CreditNotePage)
def list_credit_notes(query: CreditNotesQuery) -> CreditNotePage:
    """List the credit notes of which you are a side."""
    statement = select(CreditNote)
    if query.credit_state:
        statement = statement.where(col(CreditNote.credit_state) == query.credit_state)
    if query.upload_id:
        statement = statement.where(col(CreditNote.upload_id) == query.upload_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(CreditNote.id))
        return CreditNotePage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(
    resource, "GET", "/credit-notes/<credit_note_id>", action="document.read", answer=CreditNoteOut
)
def get_credit_note(credit_note_id: str) -> tuple[CreditNoteOut, int, dict[str, str]]:
    """Show one credit note."""
    with reader() as session:
        row = one(session, CreditNote, credit_note_id)
        return _shown(session, [row])[0], 200, etag(row.version)


@endpoint(
    resource,
    "POST",
    "/credit-notes/<credit_note_id>/link",
    action="credit_note.link",
    answer=CreditNoteLinked,
)
def link_credit_note(credit_note_id: str, json: LinkInvoices) -> CreditNoteLinked:
    """Say which invoices a credit note belongs to that named none; it is set off at once."""
    with reader() as session:
        currency = one(session, CreditNote, credit_note_id).currency
    payload = {"credit_note_id": credit_note_id, **json.model_dump()}
    allocated = run("credit_note.link", payload).result["allocated"]
    shares = [
        LinkedShare(invoice_id=invoice_id, amount=amount(minor, currency))
        for invoice_id, minor in sorted(allocated.items())
    ]
    return CreditNoteLinked(id=credit_note_id, shares=shares)


def _shown(session: Session, rows: list[CreditNote]) -> list[CreditNoteOut]:
    names = names_of(session, rows)
    currencies = {row.id: row.currency for row in rows}
    shares: dict[str, list[CreditShare]] = {}
    for share in children(session, CreditAllocation, CreditAllocation.credit_note_id, currencies):
        shares.setdefault(share.credit_note_id, []).append(
            CreditShare(
                invoice_id=share.invoice_id,
                amount=amount(share.amount_minor, currencies[share.credit_note_id]),
                at=share.at,
            )
        )
    return [
        CreditNoteOut(
            id=row.id,
            number=row.number,
            seller=party(row, "seller", names),
            buyer=party(row, "buyer", names),
            issue_on=row.issue_on,
            currency=row.currency,
            amount=amount(row.amount_minor, row.currency),
            allocated=amount(row.allocated_minor, row.currency),
            document_state=row.document_state,
            credit_state=row.credit_state,
            named_invoices=[str(named["number"]) for named in row.named_invoices],
            shares=shares.get(row.id, []),
            version=row.version,
        )
        for row in rows
    ]
