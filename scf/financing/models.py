"""Requests, decisions, checks and advances: from a seller's wish to money that is owed back."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
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
    OptDay,
    OptId,
    OptInstant,
    OptJson,
    Record,
    Text,
    table_args,
)


class FinancingRequest(Record, table=True):
    """A seller's request on a firm quote; one advance per invoice follows."""

    __tablename__ = "financing_request"
    __table_args__ = table_args(
        UniqueConstraint("quote_id", name="uq_request_quote"),
        ForeignKeyConstraint(["quote_id"], ["quote.id"], name="fk_request_quote"),
        Index("ix_request_financier", "financier_id", "state"),
        Index("ix_request_seller", "seller_id", "state"),
    )
    id: IdKey
    quote_id: Id
    seller_id: Id
    financier_id: Id
    programme_id: Id
    state: Code
    currency: Currency
    face_minor: Minor
    net_minor: Minor
    decide_by: Instant
    decline_code: OptCode
    decline_facts: OptJson
    submitted_by: Id
    submitted_at: Instant
    decided_at: OptInstant
    version: Count = 1


class Decision(Record, table=True):
    """One officer's word on a request, over a digest of exactly what was decided."""

    __table_args__ = table_args(
        UniqueConstraint("request_id", "step", name="uq_decision_step"),
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_decision_request"),
    )
    id: IdKey
    request_id: Id
    step: Count  # 1 the maker, 2 the checker
    outcome: Code  # APPROVE DECLINE
    code: OptCode
    note: Text
    signed_digest: Code  # amounts, currency, payee account, invoices, version
    user_id: Id
    at: Instant


class ManualCheck(Record, table=True):
    """An officer's recorded check where no automatic source answers yet."""

    __tablename__ = "manual_check"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_check_request"),
        Index("ix_check_request", "request_id"),
    )
    id: IdKey
    request_id: Id
    kind: Code  # duplicate screening tax_status title_search e_signature registration recheck
    result: Code  # CLEAR HIT
    evidence: Text
    user_id: Id
    at: Instant


class Advance(Record, table=True):
    """Money paid early on one invoice, from request to the last cent owed back."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_advance_request"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_advance_invoice"),
        UniqueConstraint("request_id", "invoice_id", name="uq_advance_line"),
        CheckConstraint("repaid_minor <= face_minor", name="ck_advance_repaid"),
        CheckConstraint("income_minor <= discount_minor", name="ck_advance_income"),
        CheckConstraint("penalty_paid_minor <= penalty_minor", name="ck_advance_penalty"),
        CheckConstraint(
            "net_minor = face_minor - discount_minor - fee_minor", name="ck_advance_net"
        ),
        Index("ix_advance_financier", "financier_id", "state"),
        Index("ix_advance_invoice", "invoice_id"),
        Index("ix_advance_obligor", "obligor_id", "state"),
    )
    id: IdKey
    request_id: Id
    quote_line_id: Id
    invoice_id: Id
    programme_id: Id
    programme_version_id: Id
    seller_id: Id
    obligor_id: Id
    financier_id: Id
    state: Code
    recourse: Flag = False
    currency: Currency
    face_minor: Minor
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    rate_percent: Text
    day_count: Code
    value_on: Day
    due_on: Day  # rolled: the day the face is owed
    days: Count
    repaid_minor: Minor = 0  # face that the obligor, or recourse, has paid
    income_minor: Minor = 0  # discount earned and posted so far
    penalty_minor: Minor = 0  # penalty accrued and posted so far
    penalty_paid_minor: Minor = 0
    income_to: OptDay  # last business date whose close has been posted
    funded_on: OptDay
    closed_on: OptDay
    payee_account_id: OptId
    version: Count = 1
    created_at: Instant


class AdvanceEvent(Record, table=True):
    """One step in the life of an advance; replaying them gives its state."""

    __tablename__ = "advance_event"
    __table_args__ = table_args(
        UniqueConstraint("advance_id", "number", name="uq_advance_event"),
        ForeignKeyConstraint(["advance_id"], ["advance.id"], name="fk_event_advance"),
    )
    id: IdKey
    advance_id: Id
    number: Count
    event: Code
    from_state: Code
    to_state: Code
    on_date: Day
    facts: Json
    command_id: Id
    at: Instant
