"""Orders, receipts, invoices, credit notes, plain payments, and the files they came in."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import SQLModel

from scf.db.types import (
    Blob,
    Code,
    CodeKey,
    Count,
    Currency,
    Day,
    Flag,
    Id,
    IdKey,
    Instant,
    Json,
    Minor,
    OptCode,
    OptCount,
    OptDay,
    OptId,
    OptInstant,
    OptJson,
    OptMinor,
    OptText,
    Record,
    SerialKey,
    SignedMinor,
    Text,
    TextKey,
    index_where,
    table_args,
)
from scf.documents.duplicates.columns import ALIKE_INDEXES, AlikeFields
from scf.documents.match.columns import ArticleFields, MatchFields, PlaceFields
from scf.kernel.errors import words_from_stored

# A document that only waits for a date or a firm counts as here, so nobody hands it in twice.
LIVE = text("document_state IN ('VALIDATED', 'INCOMPLETE')")
# Invoices that name an order which is not here yet.
_WAITING = text("match_state = 'UNMATCHED' AND order_canonical IS NOT NULL")

# What few invoices are at any time; a query that wants their index says exactly the same.
_TAKEN = text("held_minor + outstanding_minor > 0")
_INCOMPLETE = text("document_state = 'INCOMPLETE'")
# Findings about firms that nobody knows: few among very many.
UNKNOWN_FIRM = text("code = 'FIRM_UNKNOWN' AND resolved_at IS NULL")
_UNPAID = text("payment_state IN ('OPEN', 'PART_PAID')")


class Original(Record, table=True):
    """A file as it arrived, byte for byte; the same bytes are kept once per organisation."""

    __table_args__ = table_args(
        UniqueConstraint("org_id", "sha256", name="uq_original"),
        Index("ix_original_bytes", "sha256"),
    )
    id: IdKey
    org_id: Id
    sha256: Code
    name: Text
    size: Count
    content: Blob
    received_at: Instant


class Upload(Record, table=True):
    """One act of handing in a file: how it is to be read, how far it is, what came of it."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["original_id"], ["original.id"], name="fk_upload_original"),
        CheckConstraint("mode IN ('keep-good', 'atomic')", name="ck_upload_mode"),
        CheckConstraint(
            "state IN ('STAGED', 'RECEIVED', 'RUNNING', 'DONE', 'REFUSED')",
            name="ck_upload_state",
        ),
        Index("ix_upload_org", "org_id", "created_at"),
        Index("ix_upload_header", "org_id", "header_digest"),
        Index("ix_upload_archive", "archive_id"),
    )
    id: IdKey
    org_id: Id
    user_id: Id
    original_id: Id
    corrects_id: OptId  # the upload whose bad rows this one brings again, corrected
    archive_id: OptId  # the archive by which this file came
    name: Text
    format: Code
    document_type: OptCode
    mode: Code
    mapping: OptJson
    header_digest: OptCode  # of the table's header, by which its mapping is found again
    state: Code  # STAGED: kept, and waits for its sender's word on how to read it
    read_count: Count = 0
    stored_count: Count = 0
    incomplete_count: Count = 0
    duplicate_count: Count = 0
    bad_count: Count = 0
    corrected_count: Count = 0  # of the bad rows, those that came again since
    created_at: Instant
    finished_at: OptInstant


class DocumentFinding(Record, table=True):
    """What was wrong or worth saying, with its place in the file."""

    __tablename__ = "document_finding"
    __table_args__ = table_args(
        Index("ix_finding_upload", "upload_id"),
        Index("ix_finding_document", "document_id"),
        index_where(UNKNOWN_FIRM, "ix_finding_unknown", "org_id"),
    )
    id: IdKey
    org_id: Id
    upload_id: Id
    document_type: OptCode
    document_id: OptId
    severity: Code
    code: Code
    place: Text
    message: Text
    words: OptJson  # how the message was made, so that it can be told in another language
    value: Text
    facts: OptJson
    resolved_at: OptInstant
    created_at: Instant

    @property
    def told(self) -> str:
        """The message, ready to be told in any language."""
        return words_from_stored(self.message, self.words)


class PendingParty(Record, table=True):
    """A party that a kept document names and nobody knows yet, by each of its identifiers."""

    __tablename__ = "pending_party"
    __table_args__ = table_args(Index("ix_pending_identifier", "scheme", "value"))
    document_id: IdKey
    side: CodeKey
    scheme: CodeKey
    value: TextKey
    document_type: Code
    org_id: Id


class DocumentFields(SQLModel):
    """What every trade document has."""

    number: Text
    seller_id: OptId
    buyer_id: OptId
    issue_on: Day
    currency: Currency


class Order(DocumentFields, Record, table=True):
    """A buyer's order; its lines bound what may be invoiced."""

    __tablename__ = "trade_order"
    __table_args__ = table_args(
        Index("ix_order_number", "buyer_id", "canonical_number"),
        index_where(LIVE, "uq_order_live", "duplicate_key", unique=True),
    )
    id: IdKey
    canonical_number: Text
    duplicate_key: Code
    document_state: Code
    standing: Code = "OPEN"  # OPEN ACCEPTED CHANGED REFUSED CANCELLED, by the messages about it
    total_minor: Minor
    invoiced_minor: Minor = 0
    parties: Json
    org_id: Id
    upload_id: Id
    original_id: Id
    version: Count = 1
    created_at: Instant


class OrderLine(ArticleFields, Record, table=True):
    """One line of an order with the counters of what was sent, received and invoiced on it.

    Quantities are integers of one millionth of the unit. ``stated`` is what the order itself said;
    ``quantity`` and ``net`` are what counts after its changes.
    """

    __tablename__ = "order_line"
    __table_args__ = table_args(
        ForeignKeyConstraint(["order_id"], ["trade_order.id"], name="fk_order_line_order"),
        UniqueConstraint("order_id", "line_ref", name="uq_order_line"),
    )
    id: IdKey
    order_id: Id
    by_change: Flag = False  # the order did not have this line; a change added it
    stated_micro: OptCount
    stated_minor: OptMinor
    quantity_micro: OptCount
    despatched_micro: Count = 0
    received_micro: Count = 0
    invoiced_micro: Count = 0  # by invoices that fit, less what was credited of them
    matched_micro: Count = 0  # of these, by what has every proof that its programme asks for
    net_minor: OptMinor  # an order may state quantities only
    invoiced_minor: Minor = 0


class Receipt(DocumentFields, Record, table=True):
    """A buyer's receipt advice: what arrived, by order line."""

    __table_args__ = table_args(
        index_where(LIVE, "uq_receipt_live", "duplicate_key", unique=True),
        Index("ix_receipt_order", "buyer_id", "order_canonical"),
    )
    id: IdKey
    canonical_number: Text
    duplicate_key: Code
    document_state: Code
    order_number: OptText
    order_canonical: OptText
    parties: Json
    lines: Json
    org_id: Id
    upload_id: Id
    original_id: Id
    created_at: Instant


class Invoice(AlikeFields, MatchFields, DocumentFields, Record, table=True):
    """A claim of a seller on a buyer, with its six axes and its amounts.

    Axes: document, match, acceptance, payment and dispute states; the finance axis is held in
    amounts (offered, held, outstanding, repaid, reassigned) and its label derived.

    ``capacity = base − credited − disputed − paid − retention``; the database refuses any row
    with ``held + outstanding > capacity + over_advance``.
    """

    __table_args__ = table_args(
        CheckConstraint(
            "held_minor + outstanding_minor <= base_minor - credited_minor - disputed_minor"
            " - paid_minor - retention_minor + over_advance_minor",
            name="ck_invoice_capacity",
        ),
        CheckConstraint(
            "held_minor >= 0 AND outstanding_minor >= 0 AND over_advance_minor >= 0"
            " AND credited_minor >= 0 AND disputed_minor >= 0 AND paid_minor >= 0"
            " AND offered_minor >= 0 AND retention_minor >= 0"
            " AND conceded_minor BETWEEN 0 AND disputed_minor"
            " AND recourse_minor BETWEEN 0 AND outstanding_minor",
            name="ck_invoice_not_negative",
        ),
        index_where(LIVE, "uq_invoice_live", "duplicate_key", unique=True),
        # The buyer first, so that whoever trades with it is read off the index.
        Index("ix_invoice_pair", "buyer_id", "seller_id", "due_on"),
        Index("ix_invoice_seller", "seller_id", "due_on", "id"),
        *ALIKE_INDEXES,
        index_where(_TAKEN, "ix_invoice_taken", "seller_id", "due_on"),
        index_where(_INCOMPLETE, "ix_invoice_incomplete", "seller_id"),
        Index("ix_invoice_buyer", "buyer_id", "due_on"),
        index_where(_UNPAID, "ix_invoice_unpaid", "buyer_id", "id"),
        Index("ix_invoice_upload", "upload_id"),
        Index("ix_invoice_number", "canonical_number", "seller_id"),
        index_where(_WAITING, "ix_invoice_waiting", "buyer_id", "order_canonical"),
    )
    id: IdKey
    type_code: Code
    canonical_number: Text
    duplicate_key: Code  # digest of seller, buyer, canonical number and year of issue
    due_on: OptDay
    net_minor: Minor
    tax_minor: Minor
    gross_minor: Minor
    payable_minor: Minor
    order_number: OptText
    order_canonical: OptText
    order_id: OptId
    title_prior: Flag = False
    document_state: Code  # RECEIVED INCOMPLETE VALIDATED SUPERSEDED VOID
    match_state: Code = "UNMATCHED"
    match_code: OptCode
    acceptance_state: Code = "NONE"
    payment_state: Code = "OPEN"
    dispute_state: Code = "CLEAR"
    ipu: Flag = False
    accepted_minor: OptMinor
    acceptance_version: Count = 0
    base_minor: Minor
    credited_minor: Minor = 0
    disputed_minor: Minor = 0
    conceded_minor: Minor = 0  # the part of disputed_minor that the buyer has won
    paid_minor: Minor = 0
    retention_minor: Minor = 0
    offered_minor: Minor = 0
    held_minor: Minor = 0
    outstanding_minor: Minor = 0
    recourse_minor: Minor = 0  # the part of outstanding_minor whose credit risk the seller keeps
    repaid_minor: Minor = 0
    reassigned_minor: Minor = 0
    over_advance_minor: Minor = 0
    parties: Json  # what the document itself said of seller, buyer and payee
    org_id: Id  # who handed it in
    upload_id: Id
    original_id: Id
    version: Count = 1
    created_at: Instant


class InvoiceFact(Record, table=True):
    """What an invoice was worth after one change, and when the platform came to know it.

    Rows are only ever added: the last one known before an instant is the invoice as of then.
    """

    __tablename__ = "invoice_fact"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_fact_invoice"),
        Index("ix_fact_invoice", "invoice_id"),
    )
    sequence: SerialKey
    invoice_id: Id
    document_state: Code
    acceptance_state: Code
    ipu: Flag
    due_on: OptDay
    base_minor: Minor
    credited_minor: Minor
    disputed_minor: Minor
    conceded_minor: Minor
    paid_minor: Minor
    outstanding_minor: Minor
    recourse_minor: Minor
    paid_on: OptDay  # where this change is a payment by the obligor: its value date
    known_at: Instant


class InvoiceLine(PlaceFields, ArticleFields, Record, table=True):
    """One line of an invoice as read, and the order line it was matched to."""

    __tablename__ = "invoice_line"
    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_invoice_line_invoice"),
        Index("ix_invoice_line_invoice", "invoice_id"),
    )
    id: IdKey
    invoice_id: Id
    place: Count
    quantity_micro: OptCount
    net_minor: SignedMinor
    order_line_ref: OptText
    order_line_id: OptId


class Acceptance(Record, table=True):
    """One version of the buyer's word on an invoice: amount, due date, undertaking."""

    __table_args__ = table_args(
        UniqueConstraint("invoice_id", "version", name="uq_acceptance_version"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_acceptance_invoice"),
    )
    id: IdKey
    invoice_id: Id
    version: Count
    outcome: Code  # ACCEPTED PART_ACCEPTED REJECTED
    amount_minor: Minor
    due_on: OptDay
    ipu: Flag
    reason: Text
    user_id: Id
    at: Instant


class Dispute(Record, table=True):
    """A contested part of an invoice."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_dispute_invoice"),
        Index("ix_dispute_invoice", "invoice_id"),
    )
    id: IdKey
    invoice_id: Id
    amount_minor: Minor
    withheld_minor: Minor = 0  # what it still keeps out of the invoice's capacity
    reason: Text
    state: Code = "OPEN"  # OPEN RESOLVED_FOR_SELLER RESOLVED_FOR_BUYER SPLIT
    commercial: Flag = False  # after an undertaking: between the parties, funding goes on
    opened_by: Id
    opened_at: Instant
    resolved_at: OptInstant


class CreditNote(DocumentFields, Record, table=True):
    """A seller's reduction of earlier or coming invoices of the pair."""

    __tablename__ = "credit_note"
    __table_args__ = table_args(
        CheckConstraint("allocated_minor <= amount_minor", name="ck_credit_allocated"),
        index_where(LIVE, "uq_credit_note_live", "duplicate_key", unique=True),
        Index("ix_credit_note_pair", "seller_id", "buyer_id"),
    )
    id: IdKey
    canonical_number: Text
    duplicate_key: Code
    document_state: Code
    credit_state: Code = "RECEIVED"  # RECEIVED LINKED UNLINKED ALLOCATED APPLIED REFUSED
    amount_minor: Minor
    allocated_minor: Minor = 0
    net_minor: Minor = 0  # without tax, as orders count
    named_invoices: Json
    lines: Json = []
    parties: Json
    org_id: Id
    upload_id: Id
    original_id: Id
    version: Count = 1
    created_at: Instant


class CreditAllocation(Record, table=True):
    """The part of a credit note set against one invoice."""

    __tablename__ = "credit_allocation"
    __table_args__ = table_args(
        UniqueConstraint("credit_note_id", "invoice_id", name="uq_credit_allocation"),
        ForeignKeyConstraint(["credit_note_id"], ["credit_note.id"], name="fk_allocation_credit"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_allocation_invoice"),
    )
    id: IdKey
    credit_note_id: Id
    invoice_id: Id
    amount_minor: Minor
    at: Instant


class TradePayment(Record, table=True):
    """A payment between firms told by a ledger or spend file: an edge, never financeable."""

    __tablename__ = "trade_payment"
    __table_args__ = table_args(
        UniqueConstraint("org_id", "duplicate_key", name="uq_trade_payment"),
        CheckConstraint("(settled_minor = 0) = (invoice_id IS NULL)", name="ck_payment_settled"),
        Index("ix_trade_payment_pair", "payer_id", "payee_id", "paid_on"),
        index_where(text("invoice_id IS NOT NULL"), "ix_trade_payment_invoice", "invoice_id"),
    )
    id: IdKey
    payer_id: OptId
    payee_id: OptId
    payer_name: Text
    payee_name: Text
    amount_minor: SignedMinor  # negative: a refund
    currency: Currency
    paid_on: Day
    reference: Text
    invoice_id: OptId  # whose debt it took away, where the payee itself told of it
    settled_minor: Minor = 0  # how much of that
    document_state: Code  # VALIDATED, or INCOMPLETE while a party is unknown
    duplicate_key: Code
    parties: Json
    org_id: Id
    upload_id: Id
    row_number: Count
    created_at: Instant
