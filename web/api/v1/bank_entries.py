"""Bank entries: booked movements, what they paid, and a person's word on those that wait."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Id, OptId, Ppm
from scf.reporting import reconciliation
from scf.settlement.models import Allocation, BankEntry
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import children, minor_of, one

resource = Blueprint("bank-entries", __name__)


class SharePaid(Answer):
    """The part of a receipt that paid one thing."""

    kind: str
    advance_id: str | None
    invoice_id: str | None
    payee_id: str | None
    amount: Amount
    value_on: dt.date
    reversed: bool


class EntryRow(Answer):
    """A booked movement, credits positive; ``unallocated`` waits for the ``reason``."""

    id: str
    statement_id: str
    account: str
    amount: Amount
    booked_on: dt.date
    value_on: dt.date
    state: str
    reason: str | None
    unallocated: Amount
    remitter_id: str | None
    names: list[str]
    references: list[str]


class BankEntryOut(EntryRow):
    """A movement with what it paid."""

    shares: list[SharePaid]


class EntryPage(Answer):
    """Some of the movements."""

    items: list[EntryRow]
    next_cursor: str


class EntriesQuery(PageQuery):
    """Which movements."""

    state: str = Field(default="", max_length=20)
    reason: str = Field(default="", max_length=64)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PaysInvoice(_Body):
    """So much of a receipt for one invoice."""

    invoice_id: Id
    amount: Amount


class IdentifyBody(_Body):
    """What a waiting receipt pays; what is for no invoice can be owed to ``refund_to``."""

    pays: list[PaysInvoice] = Field(default_factory=list, max_length=100)
    payer_id: OptId = None
    refund_to: OptId = None
    note: str = Field(min_length=1, max_length=4000)


class ReverseBody(_Body):
    """Why what a receipt paid is taken back."""

    note: str = Field(min_length=1, max_length=4000)


class AcceptBody(_Body):
    """Which proposal, and what shows that it is right."""

    proposal_id: Id
    note: str = Field(min_length=1, max_length=4000)


class ProposedPay(Answer):
    """So much of a receipt for one invoice."""

    invoice_id: str
    number: str
    amount: Amount


class ReceiptProposalOut(Answer):
    """What a waiting receipt may pay: confidence is a grade of the evidence, not odds."""

    id: str
    confidence_ppm: Ppm
    reasons: list[str]
    pays: list[ProposedPay]
    needs_two: bool
    state: str


class ReceiptProposals(Answer):
    """What stands proposed for a receipt, best first."""

    items: list[ReceiptProposalOut]


class EntryMoved(Answer):
    """The receipt after the act."""

    id: str
    state: str
    reason: str | None
    unallocated: Amount


@endpoint(resource, "GET", "/bank-entries", action="bank_statement.read", answer=EntryPage)
def list_bank_entries(query: EntriesQuery) -> EntryPage:
    """List the movements on your accounts; by ``reason`` those that wait for a person."""
    statement = select(BankEntry)
    for name in ("state", "reason"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(BankEntry, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(BankEntry.id))
        return EntryPage(items=[shown_entry(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/bank-entries/<entry_id>",
    action="bank_statement.read",
    answer=BankEntryOut,
)
def get_bank_entry(entry_id: str) -> BankEntryOut:
    """Show one movement and what it paid."""
    with reader() as session:
        row = one(session, BankEntry, entry_id)
        shares = [
            SharePaid(
                kind=share.kind,
                advance_id=share.advance_id,
                invoice_id=share.invoice_id,
                payee_id=share.payee_id,
                amount=amount(share.amount_minor, row.currency),
                value_on=share.value_on,
                reversed=share.reversed_by is not None,
            )
            for share in children(session, Allocation, Allocation.bank_entry_id, [row.id])
        ]
        return BankEntryOut(**dict(shown_entry(row)), shares=shares)


@endpoint(
    resource,
    "POST",
    "/bank-entries/<entry_id>/identify",
    action="receipt.identify",
    answer=EntryMoved,
)
def identify_receipt(entry_id: str, json: IdentifyBody) -> EntryMoved:
    """Say what a waiting receipt pays."""
    currency = _currency(entry_id)
    payload: dict[str, Any] = json.model_dump(exclude={"pays"})
    payload["pays"] = [
        {"invoice_id": part.invoice_id, "amount_minor": minor_of(part.amount, currency)}
        for part in json.pays
    ]
    return _moved(run("receipt.identify", {"entry_id": entry_id, **payload}).result, currency)


@endpoint(
    resource,
    "GET",
    "/bank-entries/<entry_id>/proposals",
    action="bank_statement.read",
    answer=ReceiptProposals,
)
def list_receipt_proposals(entry_id: str) -> ReceiptProposals:
    """Show which invoices a waiting receipt may pay, and why."""
    with reader() as session:
        row = one(session, BankEntry, entry_id)
        found = reconciliation.proposed(session, [row.id]).get(row.id, [])
        return ReceiptProposals(
            items=[
                ReceiptProposalOut(
                    id=each.id,
                    confidence_ppm=each.confidence_ppm,
                    reasons=list(each.reasons),
                    pays=[
                        ProposedPay(
                            invoice_id=part.invoice_id,
                            number=part.number,
                            amount=amount(part.amount_minor, row.currency),
                        )
                        for part in each.parts
                    ],
                    needs_two=each.needs_two,
                    state=each.state,
                )
                for each in found
            ]
        )


@endpoint(
    resource,
    "POST",
    "/bank-entries/<entry_id>/accept",
    action="receipt.accept",
    answer=EntryMoved,
)
def accept_receipt_proposal(entry_id: str, json: AcceptBody) -> EntryMoved:
    """Accept a proposal; of a sender who does not owe it, two people do."""
    currency = _currency(entry_id)
    payload = {"entry_id": entry_id, **json.model_dump()}
    return _moved(run("receipt.accept", payload).result, currency)


@endpoint(
    resource,
    "POST",
    "/bank-entries/<entry_id>/reverse",
    action="receipt.reverse",
    answer=EntryMoved,
)
def reverse_receipt(entry_id: str, json: ReverseBody) -> EntryMoved:
    """Take back all that a receipt has paid; the money waits again."""
    currency = _currency(entry_id)
    payload = {"entry_id": entry_id, **json.model_dump()}
    return _moved(run("receipt.reverse", payload).result, currency)


def _currency(entry_id: str) -> str:
    with reader() as session:
        return one(session, BankEntry, entry_id).currency


def _moved(result: dict[str, Any], currency: str) -> EntryMoved:
    return EntryMoved(
        id=result["entry_id"],
        state=result["state"],
        reason=result["reason"],
        unallocated=amount(result["unallocated_minor"], currency),
    )


def shown_entry(row: BankEntry) -> EntryRow:
    """Give a movement with the names and references that the bank told."""
    details = row.details if isinstance(row.details, dict) else {}
    parts = details.get("parts", [])
    return EntryRow(
        id=row.id,
        statement_id=row.statement_id,
        account=row.account,
        amount=amount(row.amount_minor, row.currency),
        booked_on=row.booked_on,
        value_on=row.value_on,
        state=row.state,
        reason=row.reason,
        unallocated=amount(row.unallocated_minor, row.currency),
        remitter_id=row.remitter_id,
        names=list(dict.fromkeys(part["name"] for part in parts if part["name"])),
        references=list(dict.fromkeys(text for part in parts for text in part["references"])),
    )
