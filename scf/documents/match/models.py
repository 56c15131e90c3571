"""What people said about matching: pack sizes of a pair, and acts on invoices that do not fit."""

from sqlalchemy import ForeignKeyConstraint, Index, text

from scf.db.types import (
    Code,
    Count,
    Currency,
    Id,
    IdKey,
    Instant,
    Minor,
    OptId,
    OptInstant,
    OptJson,
    Record,
    Text,
    index_where,
    table_args,
)

_AGREED = text("withdrawn_at IS NULL")


class PackSize(Record, table=True):
    """What buyer and seller count by: one pack of an article holds so much of another unit.

    The buyer states it and both see it. A row is never changed: what no longer holds is withdrawn
    and stated anew.
    """

    __tablename__ = "pack_size"
    __table_args__ = table_args(
        index_where(
            _AGREED, "uq_pack_agreed", "seller_id", "buyer_id", "item_key", "pack_unit", unique=True
        ),
    )
    id: IdKey
    seller_id: Id
    buyer_id: Id
    item_key: Text
    item: Text
    pack_unit: Code
    unit: Code
    per_pack_micro: Count
    user_id: Id
    at: Instant
    withdrawn_by: OptId
    withdrawn_at: OptInstant


class MatchAct(Record, table=True):
    """What a person did about an invoice that does not fit its order, and why."""

    __tablename__ = "match_act"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_match_act_invoice"),
        Index("ix_match_act_invoice", "invoice_id"),
    )
    id: IdKey
    invoice_id: Id
    act: Code  # WAIVED CREDIT_ASKED ORDER_CORRECTED
    code: Code  # the exception that it answers
    amount_minor: Minor  # the money that was at stake
    currency: Currency
    facts: OptJson
    reason: Text
    org_id: Id
    user_id: Id
    at: Instant
