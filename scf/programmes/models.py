"""Programmes and their versions, benchmark fixings, the limit tree, claims on invoices."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

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
    OptId,
    OptInstant,
    OptMinor,
    Record,
    Text,
    table_args,
)


class Programme(Record, table=True):
    """One agreement of a financier with an anchor, or with a seller, that uses a technique."""

    __table_args__ = table_args(
        UniqueConstraint("financier_id", "code", name="uq_programme_code"),
        ForeignKeyConstraint(["financier_id"], ["firm.id"], name="fk_programme_financier"),
        ForeignKeyConstraint(["anchor_id"], ["firm.id"], name="fk_programme_anchor"),
        ForeignKeyConstraint(["seller_id"], ["firm.id"], name="fk_programme_seller"),
        CheckConstraint(
            "(anchor_id IS NULL) <> (seller_id IS NULL)", name="ck_programme_one_party"
        ),
    )
    id: IdKey
    code: Code
    name: Text
    financier_id: Id
    anchor_id: OptId  # the one obligor, whose agreement it is
    seller_id: OptId  # or the one seller; its debtors are admitted by their limits
    technique: Code
    state: Code = "DRAFT"
    version: Count = 1
    created_by: Id
    created_at: Instant


class ProgrammeVersion(Record, table=True):
    """The terms of a programme from one day on; never changed, only followed by the next."""

    __tablename__ = "programme_version"
    __table_args__ = table_args(
        UniqueConstraint("programme_id", "number", name="uq_programme_version"),
        ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_version_programme"),
    )
    id: IdKey
    programme_id: Id
    number: Count
    effective_on: Day
    terms: Json
    terms_digest: Code
    created_by: Id
    created_at: Instant
    approved_by: OptId  # in force only with the word of a second person
    approved_at: OptInstant


class Fixing(Record, table=True):
    """A published benchmark value with the digits it was published with.

    Each financier keeps its own: nobody else can move the price of its programmes.
    """

    __table_args__ = table_args(
        UniqueConstraint("org_id", "benchmark", "fixed_on", name="uq_fixing"),
        ForeignKeyConstraint(["org_id"], ["firm.id"], name="fk_fixing_org"),
    )
    id: IdKey
    org_id: Id
    benchmark: Code
    fixed_on: Day
    percent: Text
    added_by: Id
    created_at: Instant
    confirmed_by: OptId  # prices follow it only with the word of a second person
    confirmed_at: OptInstant


class LimitNode(Record, table=True):
    """One node of a financier's limit tree: how much, held how much, used how much."""

    __tablename__ = "limit_node"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "kind", "subject_id", "currency", name="uq_limit_node"),
        CheckConstraint("held_minor >= 0 AND utilised_minor >= 0", name="ck_limit_not_negative"),
    )
    id: IdKey
    financier_id: Id
    kind: Code  # financier programme obligor group seller relationship sector country tenor
    kind_rank: Count
    subject_id: Id
    currency: Currency
    limit_minor: Minor  # what is granted by two people
    proposed_minor: OptMinor  # more, as one person has proposed it; grants nothing
    proposed_by: OptId
    proposed_at: OptInstant
    held_minor: Minor = 0
    utilised_minor: Minor = 0
    version: Count = 1
    created_at: Instant


class LimitHold(Record, table=True):
    """What one advance takes from one node; the tree is recomputed from these rows."""

    __tablename__ = "limit_hold"
    __table_args__ = table_args(
        UniqueConstraint("node_id", "advance_id", name="uq_limit_hold"),
        ForeignKeyConstraint(["node_id"], ["limit_node.id"], name="fk_hold_node"),
        Index("ix_hold_advance", "advance_id"),
        CheckConstraint("state IN ('HELD', 'UTILISED', 'FREED')", name="ck_hold_state"),
    )
    id: IdKey
    node_id: Id
    advance_id: Id
    taken_minor: Minor
    amount_minor: Minor  # what is left of it: falls with each repayment
    state: Code
    at: Instant


class ProgrammeClaim(Record, table=True):
    """That an invoice lives in a programme; at most one live claim per invoice."""

    __tablename__ = "programme_claim"
    __table_args__ = table_args(
        Index(
            "uq_claim_live",
            "invoice_id",
            unique=True,
            sqlite_where=text("live = 1"),
            postgresql_where=text("live"),
        ),
        ForeignKeyConstraint(["programme_id"], ["programme.id"], name="fk_claim_programme"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_claim_invoice"),
    )
    id: IdKey
    invoice_id: Id
    programme_id: Id
    financier_id: Id
    live: Flag
    opened_at: Instant
    closed_at: OptInstant
