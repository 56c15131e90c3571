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
    OptCount,
    OptDay,
    OptId,
    OptInstant,
    OptJson,
    OptText,
    Ppm,
    Record,
    Text,
    table_args,
)
from scf.kernel.errors import words_from_stored


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
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    all_in_ppm: Ppm
    effective_ppm: Ppm
    route: Code  # auto officer two_officers: as priced, or as overridden since
    reasons: Json  # why the policy decided by itself, or why not: one line a criterion
    round: Count = 1  # each return, disagreement or undo begins another
    decide_by: Instant
    clock_stopped_at: OptInstant  # while the seller owes an answer
    decline_code: OptCode
    decline_facts: OptJson
    submitted_by: Id
    submitted_on: Day
    submitted_at: Instant
    decided_by: OptCode  # policy, or officer
    decided_at: OptInstant
    approved_version: OptCount  # what is paid must be what was approved
    version: Count = 1


class Decision(Record, table=True):
    """One officer's word on a request, over a digest of exactly what was decided."""

    __table_args__ = table_args(
        UniqueConstraint("request_id", "round", "step", name="uq_decision_step"),
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_decision_request"),
    )
    id: IdKey
    request_id: Id
    round: Count
    step: Count  # 1 the maker, 2 the checker
    outcome: Code  # APPROVE COUNTER RETURN DECLINE DIFFER UNDO
    code: OptCode
    codes: OptJson  # of a decline, the weightiest first
    note: Text
    signed_digest: Code  # amounts, currency, payee account, invoices, version
    version: Count  # of the request when it was signed
    seen: Json  # what lay before this person; the next one is shown what differs
    policy_version: OptCode  # of a decision that the policy took
    user_id: Id
    at: Instant


class ManualCheck(Record, table=True):
    """A recorded check: an officer's, or the platform's own where the programme lets it answer."""

    __tablename__ = "manual_check"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_check_request"),
        Index("ix_check_request", "request_id"),
    )
    id: IdKey
    request_id: Id
    kind: Code  # duplicate screening tax_status title_search e_signature registration recheck
    result: Code  # CLEAR HIT VOID; the latest of a kind counts
    source: Code = "officer"  # officer platform
    evidence: Text
    words: OptJson  # of the platform's answer: how it was made, to be told in another language
    user_id: Id
    at: Instant

    @property
    def told(self) -> str:
        """The evidence, ready to be told in any language."""
        return words_from_stored(self.evidence, self.words)


class RequestQuestion(Record, table=True):
    """What an officer asks the seller before deciding, and what the seller answers."""

    __tablename__ = "request_question"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_question_request"),
        Index("ix_question_request", "request_id"),
    )
    id: IdKey
    request_id: Id
    state: Code  # OPEN ANSWERED WITHDRAWN
    question: Text
    asked_by: Id
    asked_at: Instant
    answer: OptText
    answered_by: OptId
    answered_at: OptInstant


class CounterOffer(Record, table=True):
    """What the financier offers instead, less or at another price; the seller takes it or not."""

    __tablename__ = "counter_offer"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_counter_request"),
        UniqueConstraint("request_id", "round", name="uq_counter_round"),
    )
    id: IdKey
    request_id: Id
    round: Count
    state: Code  # PROPOSED OPEN ACCEPTED LAPSED WITHDRAWN
    currency: Currency
    face_minor: Minor
    discount_minor: Minor
    fee_minor: Minor
    net_minor: Minor
    all_in_ppm: Ppm
    effective_ppm: Ppm
    lines: Json  # per advance: face, discount, fee, net
    quote_id: OptId  # at another price: the quote made again, whose lines the advances move to
    value_on: OptDay = None  # for another day: the one asked for passed before it was paid
    signed_digest: Code
    valid_until: Instant
    made_at: Instant
    answered_at: OptInstant


class RequestOverride(Record, table=True):
    """That a person set the route, a reason or the price aside, and with which code."""

    __tablename__ = "request_override"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_override_request"),
        Index("ix_override_request", "request_id"),
    )
    id: IdKey
    request_id: Id
    what: Code  # route reason price
    before: Code
    after: Code
    code: Code
    note: Text
    user_id: Id
    at: Instant


class RequestReview(Record, table=True):
    """An automatic approval drawn for a later look, and what the officer thought of it."""

    __tablename__ = "request_review"
    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_review_request"),
        UniqueConstraint("request_id", name="uq_review_request"),
        Index("ix_review_financier", "financier_id", "state"),
    )
    id: IdKey
    request_id: Id
    financier_id: Id
    state: Code  # OPEN DONE
    outcome: OptCode  # AGREE DISAGREE
    code: OptCode
    note: OptText
    user_id: OptId
    drawn_at: Instant
    reviewed_at: OptInstant


class UserAuthority(Record, table=True):
    """Up to which amount one person's word decides, whatever the programme's bands say."""

    __tablename__ = "user_authority"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "user_id", "currency", name="uq_user_authority")
    )
    id: IdKey
    financier_id: Id
    user_id: Id
    currency: Currency
    ceiling_minor: Minor
    set_by: Id
    set_at: Instant
    version: Count = 1


class Advance(Record, table=True):
    """Money paid early on one invoice, from request to the last cent owed back."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["request_id"], ["financing_request.id"], name="fk_advance_request"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_advance_invoice"),
        UniqueConstraint("request_id", "invoice_id", name="uq_advance_line"),
        CheckConstraint(
            "repaid_minor + diluted_minor + bought_minor <= face_minor", name="ck_advance_repaid"
        ),
        CheckConstraint(
            "gap_paid_minor <= gap_minor AND gap_minor <= diluted_minor"
            " AND reserve_left_minor <= reserve_minor AND lent_paid_minor <= face_minor",
            name="ck_advance_reserve",
        ),
        CheckConstraint("income_minor <= discount_minor", name="ck_advance_income"),
        CheckConstraint("penalty_paid_minor <= penalty_minor", name="ck_advance_penalty"),
        CheckConstraint(
            "recovered_minor <= written_off_minor AND written_off_minor <= face_minor",
            name="ck_advance_written_off",
        ),
        CheckConstraint(
            "net_minor = face_minor - reserve_minor - discount_minor - fee_minor - tax_minor",
            name="ck_advance_net",
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
    tax_minor: Minor = 0
    reserve_minor: Minor = 0  # of the face: the seller's, once the obligor has paid
    net_minor: Minor
    rate_percent: Text
    day_count: Code
    value_on: Day
    due_on: Day  # rolled: the day the face is owed
    days: Count
    repaid_minor: Minor = 0  # face that the obligor has paid
    diluted_minor: Minor = 0  # face that credit notes took
    bought_minor: Minor = 0  # face whose title went back to the seller
    reserve_left_minor: Minor = 0  # of the reserve: not yet used or released
    gap_minor: Minor = 0  # of the dilution: beyond the reserve, the seller's to repurchase
    gap_paid_minor: Minor = 0
    lent_paid_minor: Minor = 0  # of a loan: principal paid back
    interest_minor: Minor = 0  # interest in arrears accrued and posted so far
    interest_paid_minor: Minor = 0
    called_on: OptDay  # the day on which the seller was asked to pay in the obligor's place
    income_minor: Minor = 0  # discount earned and posted so far
    penalty_minor: Minor = 0  # penalty accrued and posted so far
    penalty_paid_minor: Minor = 0
    income_to: OptDay  # last business date whose close has been posted
    impaired_on: OptDay  # first in stage 3; what comes in afterwards pays the face first
    written_off_minor: Minor = 0  # face that is in no book of the financier any more
    recovered_minor: Minor = 0  # of it: paid later all the same
    written_off_on: OptDay
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


class OverAdvance(Record, table=True):
    """A fall of an invoice's capacity under what is financed on it, and how that is cured."""

    __tablename__ = "over_advance"
    __table_args__ = table_args(
        ForeignKeyConstraint(["advance_id"], ["advance.id"], name="fk_over_advance_advance"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_over_advance_invoice"),
        CheckConstraint(
            "amount_minor = reserve_minor + repurchase_minor AND open_minor <= repurchase_minor",
            name="ck_over_advance_cure",
        ),
        CheckConstraint("state IN ('OPEN', 'CURED')", name="ck_over_advance_state"),
        Index("ix_over_advance_advance", "advance_id"),
    )
    id: IdKey
    advance_id: Id
    invoice_id: Id
    seller_id: Id
    financier_id: Id
    currency: Currency
    amount_minor: Minor
    cause: Code  # credit_note
    cause_id: Id
    reserve_minor: Minor  # cured at once from the reserve
    repurchase_minor: Minor  # left to the seller
    open_minor: Minor  # of it, still owed
    cure: Code  # reserve, repurchase, recourse: what has to cure what is open; none when cured
    state: Code
    on_date: Day
    closed_on: OptDay
    command_id: Id
    opened_at: Instant
