"""Alerts on financed invoices, and what two people looked up in an authority's place."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text

from scf.db.types import (
    Code,
    Currency,
    Id,
    IdKey,
    Instant,
    Minor,
    OptCode,
    OptId,
    OptInstant,
    OptText,
    Record,
    Text,
    index_where,
    table_args,
)

_LIVE = text("state <> 'CLOSED'")
_WAITING = text("state = 'PROPOSED'")


class TaxAlert(Record, table=True):
    """A financed invoice that its tax authority no longer has as we have it, and whose work it is.

    One at a time for an invoice and its financier; what the authority says later is told in it.
    """

    __tablename__ = "tax_alert"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_tax_alert_invoice"),
        ForeignKeyConstraint(["check_id"], ["tax_check.id"], name="fk_tax_alert_check"),
        CheckConstraint("state IN ('OPEN', 'TAKEN', 'CLOSED')", name="ck_tax_alert_state"),
        CheckConstraint(
            "(state = 'CLOSED') = (outcome IS NOT NULL AND closed_by IS NOT NULL)",
            name="ck_tax_alert_closed",
        ),
        index_where(_LIVE, "uq_tax_alert_live", "invoice_id", "financier_id", unique=True),
        Index("ix_tax_alert_financier", "financier_id", "state"),
    )
    id: IdKey
    invoice_id: Id
    financier_id: Id
    seller_id: Id
    check_id: Id  # the answer that raised it, or the latest bad one since
    kind: Code  # VOIDED CREDITED MISMATCH NOT_FOUND UNANSWERED
    currency: Currency
    financed_minor: Minor  # the face that was out when it was raised
    state: Code = "OPEN"
    owner_id: OptId
    opened_at: Instant
    taken_at: OptInstant
    outcome: OptCode  # RECOURSE CREDIT_NOTE CLEARED UNDERTAKING
    note: OptText
    closed_by: OptId
    closed_at: OptInstant


class TaxVouch(Record, table=True):
    """What one person saw of an invoice while its authority was away, and another confirmed."""

    __tablename__ = "tax_vouch"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_tax_vouch_invoice"),
        CheckConstraint("state IN ('PROPOSED', 'CONFIRMED', 'REFUSED')", name="ck_tax_vouch_state"),
        index_where(_WAITING, "uq_tax_vouch_waiting", "invoice_id", "financier_id", unique=True),
    )
    id: IdKey
    invoice_id: Id
    financier_id: Id
    scheme: Code
    evidence: Text
    state: Code = "PROPOSED"
    proposed_by: Id
    proposed_at: Instant
    decided_by: OptId
    decided_at: OptInstant
