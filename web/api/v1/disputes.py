"""Disputes: ended by the side that gives way."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.models import Dispute, Invoice
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import minor_of, one

resource = Blueprint("disputes", __name__)


class DisputeRow(Answer):
    """A contested part of an invoice; after an undertaking it is commercial only."""

    id: str
    invoice_id: str
    amount: Amount
    reason: str
    state: str
    commercial: bool
    opened_at: dt.datetime
    resolved_at: dt.datetime | None


class DisputePage(Answer):
    """Some of the disputes."""

    items: list[DisputeRow]
    next_cursor: str


class DisputesQuery(PageQuery):
    """Which disputes."""

    invoice_id: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=24)


class Resolve(BaseModel):
    """For whom it ends; of a split, how much the buyer wins."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["seller", "buyer", "split"]
    buyer: Amount | None = None


class DisputeEnded(Answer):
    """How it ended, and how much of it stays out of the invoice."""

    id: str
    state: str
    buyer: Amount


@endpoint(resource, "GET", "/disputes", action="document.read", answer=DisputePage)
def list_disputes(query: DisputesQuery) -> DisputePage:
    """List the disputes on invoices that you may see."""
    statement = select(Dispute)
    if query.invoice_id:
        statement = statement.where(col(Dispute.invoice_id) == query.invoice_id)
    if query.state:
        statement = statement.where(col(Dispute.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(Dispute.id))
        return DisputePage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/disputes/<dispute_id>", action="document.read", answer=DisputeRow)
def get_dispute(dispute_id: str) -> DisputeRow:
    """Show one dispute."""
    with reader() as session:
        return _shown(session, [one(session, Dispute, dispute_id)])[0]


@endpoint(
    resource,
    "POST",
    "/disputes/<dispute_id>/resolve",
    action="dispute.resolve",
    answer=DisputeEnded,
)
def resolve_dispute(dispute_id: str, json: Resolve) -> DisputeEnded:
    """End a dispute as the side that gives way; to win it in part or whole is for the other."""
    with reader() as session:
        currency = one(session, Invoice, one(session, Dispute, dispute_id).invoice_id).currency
    wins = 0 if json.buyer is None else minor_of(json.buyer, currency)
    payload = {"dispute_id": dispute_id, "outcome": json.outcome, "buyer_minor": wins}
    done = run("dispute.resolve", payload).result
    return DisputeEnded(
        id=done["id"], state=done["state"], buyer=amount(done["buyer_minor"], currency)
    )


def _shown(session: Session, rows: list[Dispute]) -> list[DisputeRow]:
    wanted = {row.invoice_id for row in rows}
    found = session.execute(select(Invoice).where(col(Invoice.id).in_(wanted))).scalars()
    currencies = {row.id: row.currency for row in found}
    return [
        DisputeRow(
            id=row.id,
            invoice_id=row.invoice_id,
            amount=amount(row.amount_minor, currencies[row.invoice_id]),
            reason=row.reason,
            state=row.state,
            commercial=row.commercial,
            opened_at=row.opened_at,
            resolved_at=row.resolved_at,
        )
        for row in rows
    ]
