"""Firm quotes: what a seller can receive, at what all-in cost, until when."""

from sqlalchemy import ForeignKeyConstraint, Index

from scf.db.types import (
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
    OptId,
    OptJson,
    Ppm,
    Record,
    SignedPpm,
    Text,
    table_args,
)


class Quote(Record, table=True):
    """An offer held for a quarter of an hour; a request that names it keeps its price."""

    __table_args__ = table_args(
        ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_quote_programme"),
        Index("ix_quote_seller", "seller_id", "created_at"),
    )
    id: IdKey
    seller_id: Id
    financier_id: Id
    anchor_id: Id
    programme_id: Id
    programme_version_id: Id
    # OPEN USED EXPIRED WITHDRAWN; made again by officers also PROPOSED (not seen by the seller yet)
    # and OFFERED (the seller takes it with its request, never as a quote of its own).
    state: Code = "OPEN"
    currency: Currency
    face_minor: Minor
    discount_minor: Minor
    fee_minor: Minor
    reserve_minor: Minor = 0
    tax_minor: Minor = 0
    interest_minor: Minor = 0  # in arrears, if all is paid on its day; not taken from the cash
    net_minor: Minor
    rate_percent: Text  # exact digits: fixing + margin; of several lines the highest
    rate_ppm: SignedPpm  # the same, rounded half up to a whole part per million
    margin_ppm: SignedPpm
    benchmark: Code
    fixing_percent: Text
    fixing_on: Day
    day_count: Code
    rate_basis: Code
    all_in_ppm: Ppm
    effective_ppm: Ppm
    value_on: Day
    # Who may decide on it: auto, officer, two_officers. A contract price leaves it to an officer.
    route: Code = "officer"
    grade: OptCode
    rungs: OptJson  # what the seller is shown of a risk price: four sums in whole basis points
    reasons: Json
    model_kind: OptCode  # what a risk price rests on: expert_prior, trained, simulated
    # About what rate each of the seller's own levers would lead to, as it was when this was made.
    what_ifs: OptJson
    inputs_digest: Code
    instead_of: OptId  # the first quote of the request that this one prices again
    created_by: Id
    created_at: Instant
    expires_at: Instant


class QuoteLine(Record, table=True):
    """One invoice of a quote; each becomes one advance with its own rounding."""

    __tablename__ = "quote_line"
    __table_args__ = table_args(
        ForeignKeyConstraint(["quote_id"], ["quote.id"], name="fk_quote_line_quote"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_quote_line_invoice"),
        Index("ix_quote_line_quote", "quote_id"),
    )
    id: IdKey
    quote_id: Id
    place: Count
    invoice_id: Id
    acceptance_version: Count
    face_minor: Minor
    discount_minor: Minor
    fee_minor: Minor
    reserve_minor: Minor = 0
    tax_minor: Minor = 0
    interest_minor: Minor = 0
    net_minor: Minor
    rate_percent: Text  # this line's own rate: the margin depends on its days
    margin_ppm: SignedPpm
    due_on: Day
    settle_on: Day  # the due date after the roll rule
    days: Count
    components: OptJson  # the eleven parts of a risk price in whole basis points
    assessment_id: OptId
