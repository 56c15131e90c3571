"""The identity of an invoice with a tax authority, and each answer that was given about it."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index

from scf.db.types import (
    Code,
    Id,
    IdKey,
    Instant,
    Minor,
    OptId,
    OptInstant,
    Record,
    Text,
    table_args,
)
from scf.documents.taxcheck.port import STATES


class TaxIdentityRow(Record, table=True):
    """Under what an authority knows an invoice, as its document or its seller says."""

    __tablename__ = "tax_identity"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_tax_identity_invoice"),
    )
    invoice_id: IdKey
    scheme: Code
    code: Code
    number: Text
    check_code: Code
    stated_by: Id  # who handed the document in, or who entered it by hand
    stated_at: Instant


class TaxCheck(Record, table=True):
    """One answer about an invoice, with the authority's own reference, version and time.

    Rows are only ever added; the last one that is a word says what holds. A word of two people
    in an authority's place (``source`` people) counts for their financier alone.
    """

    __tablename__ = "tax_check"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_tax_check_invoice"),
        CheckConstraint(
            f"answer IN ({', '.join(repr(state) for state in STATES)})", name="ck_tax_check_answer"
        ),
        CheckConstraint(
            "(source = 'people') = (financier_id IS NOT NULL)", name="ck_tax_check_source"
        ),
        Index("ix_tax_check_invoice", "invoice_id", "asked_at"),
    )
    id: IdKey
    invoice_id: Id
    scheme: Code
    answer: Code
    credited_minor: Minor = 0
    field: Code = ""
    theirs: Text = ""
    ours: Text = ""
    reference: Text = ""
    authority_version: Text = ""
    answered_at: OptInstant  # by the authority's clock
    reason: Code = ""  # why it is UNAVAILABLE
    purpose: Code  # offer payout weekly person
    source: Code = "authority"
    financier_id: OptId
    asked_at: Instant
