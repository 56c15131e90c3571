"""Two invoices that may be one claim, and what each organisation has said of them."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    Json,
    OptId,
    OptInstant,
    OptText,
    Record,
    Text,
    table_args,
)


class DuplicateSuspicion(Record, table=True):
    """That a later invoice looks like an earlier one, and by which rule.

    ``seller_id`` and ``buyer_id`` are of the later one; mostly they are of both.
    """

    __tablename__ = "duplicate_suspicion"
    __table_args__ = table_args(
        UniqueConstraint("invoice_id", "twin_id", name="uq_suspicion"),
        ForeignKeyConstraint(["invoice_id"], ["invoice.id"], name="fk_suspicion_invoice"),
        ForeignKeyConstraint(["twin_id"], ["invoice.id"], name="fk_suspicion_twin"),
        Index("ix_suspicion_twin", "twin_id"),
        Index("ix_suspicion_buyer", "buyer_id"),
    )
    id: IdKey
    invoice_id: Id  # the one that came later
    twin_id: Id
    seller_id: Id
    buyer_id: Id
    # SAME_NUMBER SAME_ORDER SAME_LINES SAME_AMOUNT NEAR_NUMBER SOME_LINES
    # SAME_UUID SAME_FILE OTHER_BUYER
    code: Code
    facts: Json  # nothing where the two papers are of other firms: one is told nothing of the other
    found_at: Instant


class DuplicateVerdict(Record, table=True):
    """One organisation's word on a suspicion; it binds nobody else.

    Where money hangs on one of the two it takes two people: the first word is PROPOSED.
    """

    __tablename__ = "duplicate_verdict"
    __table_args__ = table_args(
        UniqueConstraint("suspicion_id", "org_id", name="uq_verdict"),
        ForeignKeyConstraint(
            ["suspicion_id"], ["duplicate_suspicion.id"], name="fk_verdict_suspicion"
        ),
        CheckConstraint("outcome IN ('DISTINCT', 'SAME')", name="ck_verdict_outcome"),
        CheckConstraint("(outcome = 'SAME') = (copy_id IS NOT NULL)", name="ck_verdict_copy"),
        CheckConstraint("state IN ('PROPOSED', 'DECIDED', 'APPEALED')", name="ck_verdict_state"),
        Index("ix_verdict_org", "org_id", "state"),
    )
    id: IdKey
    suspicion_id: Id
    org_id: Id
    outcome: Code
    copy_id: OptId  # of SAME: the paper that it stops, usually the later one
    state: Code
    reason: Text
    user_id: Id
    at: Instant
    second_id: OptId
    second_at: OptInstant
    appeal: OptText  # what the seller holds against SAME; another person looks again
    appealed_at: OptInstant
    version: Count = 1
