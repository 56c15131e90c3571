"""The table of messages; all kinds share it, because all say little and about the same things."""

from sqlalchemy import Index

from scf.db.types import (
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    Json,
    OptCode,
    OptText,
    Record,
    SignedMinor,
    Text,
    index_where,
    table_args,
)
from scf.documents.models import LIVE, DocumentFields


class TradeMessage(DocumentFields, Record, table=True):
    """What was said about an order or about invoices: no claim, but it changes what counts.

    Answers to, changes and cancellations of an order, despatch advices, remittance advices,
    statements of account and reminders.
    """

    __tablename__ = "trade_message"
    __table_args__ = table_args(
        index_where(LIVE, "uq_message_live", "duplicate_key", unique=True),
        Index("ix_message_order", "buyer_id", "order_canonical"),
        Index("ix_message_pair", "seller_id", "buyer_id", "issue_on"),
    )
    id: IdKey
    kind: Code
    canonical_number: Text
    duplicate_key: Code
    document_state: Code
    order_number: OptText
    order_canonical: OptText
    word: OptCode  # of an answer: accepted, changed, refused, noted
    sequence: Count = 0
    amount_minor: SignedMinor = 0  # paid, or asked for; below zero: in the debtor's favour
    lines: Json
    named_invoices: Json
    note: Text
    parties: Json
    org_id: Id
    upload_id: Id
    original_id: Id
    created_at: Instant
