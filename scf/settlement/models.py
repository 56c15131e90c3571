"""Payment files and instructions out; statements, entries and their allocation in."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Blob,
    Code,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    Json,
    Minor,
    OptCode,
    OptDay,
    OptId,
    OptInstant,
    OptMinor,
    Record,
    SignedMinor,
    Text,
    table_args,
)


class PaymentFile(Record, table=True):
    """A payment order to the bank; prepared by one person, released by another."""

    __tablename__ = "payment_file"
    __table_args__ = table_args(UniqueConstraint("msg_id", name="uq_payment_file_msg"))
    id: IdKey
    financier_id: Id
    msg_id: Code
    state: Code  # CREATED APPROVED SENT CANCELLED
    execution_on: Day
    account_id: OptId  # the own account that it pays from
    currency: Currency
    count: Count
    total_minor: Minor
    content: Blob
    sha256: Code
    prepared_by: Id
    prepared_at: Instant
    released_by: OptId
    released_at: OptInstant


class PaymentInstruction(Record, table=True):
    """One payment: of an advance to its seller, or of money that is somebody else's."""

    __tablename__ = "payment_instruction"
    __table_args__ = table_args(
        UniqueConstraint("end_to_end_id", name="uq_end_to_end"),
        ForeignKeyConstraint(["file_id"], ["payment_file.id"], name="fk_instruction_file"),
        Index("ix_instruction_advance", "advance_id"),
        CheckConstraint("amount_minor > 0", name="ck_instruction_amount"),
    )
    id: IdKey
    financier_id: Id
    file_id: OptId
    kind: Code  # advance payer seller rebate reserve surplus excess
    advance_id: OptId
    subject_id: Id
    payee_id: Id
    account_id: Id
    currency: Currency
    amount_minor: Minor
    end_to_end_id: Code
    attempt: Count = 1
    replaces_id: OptId = None  # the refused or returned instruction that this one stands for
    state: Code  # CREATED APPROVED SENT ACKED SETTLED REJECTED UNKNOWN RETURNED CANCELLED
    status_code: OptCode
    value_on: Day
    settled_on: OptDay
    created_at: Instant


class BankStatement(Record, table=True):
    """A statement file of the bank that was read; the same bytes are read once.

    ``opening_on`` and ``closing_on`` are empty where the bank states no balance.
    """

    __tablename__ = "bank_statement"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "sha256", "place", name="uq_statement_bytes"),
        Index("ix_bank_statement_day", "account", "closing_on"),
    )
    id: IdKey
    financier_id: Id
    sha256: Code
    place: Count
    name: Text
    content: Blob
    form: Code  # camt.053 camt.054 mt940 csv
    statement_ref: Text
    account: Text
    currency: Currency
    from_on: OptDay
    to_on: OptDay
    opening_on: OptDay
    closing_on: OptDay
    opening_minor: SignedMinor
    closing_minor: SignedMinor
    entries: Count
    new_entries: Count
    created_at: Instant


class BankEntry(Record, table=True):
    """One booked movement on the financier's account; the same movement is stored once."""

    __tablename__ = "bank_entry"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "account", "identity", name="uq_bank_entry"),
        ForeignKeyConstraint(["statement_id"], ["bank_statement.id"], name="fk_entry_statement"),
        Index("ix_bank_entry_state", "financier_id", "state"),
        Index("ix_bank_entry_day", "account", "booked_on"),
    )
    id: IdKey
    statement_id: Id
    financier_id: Id
    account: Text
    identity: Code
    amount_minor: SignedMinor  # credit positive
    currency: Currency
    booked_on: Day
    value_on: Day
    state: Code  # RECEIVED IDENTIFIED ALLOCATED POSTED REVERSED REFUNDED
    reason: OptCode  # why it, or a part of it, waits for a person
    remitter_id: OptId
    unallocated_minor: Minor = 0
    details: Json
    created_at: Instant


class Allocation(Record, table=True):
    """The part of a receipt that paid one thing; never changed, only replaced by another.

    Parts for a seller or payer, and rebates, are money the financier owes: ``paid_out_minor`` is
    set as soon as a payment of it is ordered.
    """

    __table_args__ = table_args(
        ForeignKeyConstraint(["bank_entry_id"], ["bank_entry.id"], name="fk_allocation_entry"),
        Index("ix_allocation_entry", "bank_entry_id"),
        Index("ix_allocation_advance", "advance_id"),
        Index("ix_allocation_invoice", "invoice_id"),
    )
    id: IdKey
    bank_entry_id: Id
    # principal penalty seller payer return; interest surplus gap charge bought excess where a
    # reserve is run; and beside the receipt's own sum: rebate, reserve
    kind: Code
    advance_id: OptId
    invoice_id: OptId
    payee_id: OptId
    amount_minor: Minor
    paid_out_minor: OptMinor
    value_on: Day
    reversed_by: OptId  # the command that took it back
    command_id: Id
    at: Instant


class ReceiptProposal(Record, table=True):
    """What a waiting receipt may pay, as reconciliation found it; a person decides.

    ``pays`` are invoices with minor units; ``reasons`` codes of :mod:`.reconcile.columns`.
    """

    __tablename__ = "receipt_proposal"
    __table_args__ = table_args(
        ForeignKeyConstraint(["bank_entry_id"], ["bank_entry.id"], name="fk_proposal_entry"),
        Index("ix_receipt_proposal_entry", "bank_entry_id", "state"),
    )
    id: IdKey
    bank_entry_id: Id
    financier_id: Id
    rank: Count
    confidence_ppm: Count
    reasons: Json
    pays: Json
    state: Code  # OPEN AGREED ACCEPTED REPLACED
    agreed_by: OptId  # the first of two people
    decided_by: OptId
    command_id: Id
    at: Instant
