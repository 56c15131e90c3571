"""The loss allowance of each advance, every movement of it, and officers' proposals on a case."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    CodeKey,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    Minor,
    OptDay,
    OptId,
    OptInstant,
    OptMinor,
    OptText,
    Record,
    Text,
    index_where,
    table_args,
)


class ImpairmentPolicy(Record, table=True):
    """An impairment policy as it was used, whole, under its fingerprint; for replays."""

    __tablename__ = "impairment_policy"
    __table_args__ = table_args()
    digest: CodeKey
    version: Code
    content: Text
    first_used_at: Instant


class LossAllowance(Record, table=True):
    """What stands set aside for one advance, by its id: the last of its movements, and its start.

    ``penalty_off_minor`` is the penalty that the obligor owes and that the financier's book does
    not hold any more, because nobody expects it.
    """

    __tablename__ = "loss_allowance"
    __table_args__ = table_args(
        ForeignKeyConstraint(["id"], ["advance.id"], name="fk_loss_allowance_advance"),
        ForeignKeyConstraint(
            ["assessment_id"], ["risk_assessment.id"], name="fk_loss_allowance_assessment"
        ),
        CheckConstraint("stage IN (1, 2, 3)", name="ck_loss_allowance_stage"),
        Index("ix_loss_allowance_financier", "financier_id", "stage"),
    )
    id: IdKey
    financier_id: Id
    currency: Currency
    stage: Count
    since_on: Day  # in this stage since
    reason: Code
    allowance_minor: Minor
    exposure_minor: Minor
    penalty_off_minor: Minor
    specific_minor: OptMinor  # what two officers agreed on, in place of the rule
    days_past_due: Count
    start_pd: Code  # within a year, as it was when the money went out; a decimal
    pd: Code  # within a year, now
    lgd: Code
    assessment_id: OptId
    number: Count  # of its last movement
    measured_on: Day  # the last close that looked


class AllowanceMovement(Record, table=True):
    """One change of an allowance or its stage, with everything that the figure was made of.

    ``kind``: ORIGINATED, TRANSFERRED (another stage), REMEASURED, CORRECTED (a fact of the past
    came in late: what had been set aside since then is reversed), AGREED (two officers), ENDED
    (paid, or sold back), WRITTEN_OFF. ``source`` says where the probability is from:
    ``assessment``, ``matrix`` of the policy, ``policy`` for a firm that nobody assessed,
    ``default`` in stage 3, ``officers``, or ``none``.
    """

    __tablename__ = "allowance_movement"
    __table_args__ = table_args(
        UniqueConstraint("advance_id", "number", name="uq_allowance_movement"),
        ForeignKeyConstraint(["advance_id"], ["advance.id"], name="fk_movement_advance"),
        ForeignKeyConstraint(
            ["policy_digest"], ["impairment_policy.digest"], name="fk_movement_policy"
        ),
        CheckConstraint(
            "kind IN ('ORIGINATED', 'TRANSFERRED', 'REMEASURED', 'CORRECTED', 'AGREED', 'ENDED',"
            " 'WRITTEN_OFF')",
            name="ck_movement_kind",
        ),
        Index("ix_movement_financier", "financier_id", "on_date"),
    )
    id: IdKey
    advance_id: Id
    number: Count
    financier_id: Id
    currency: Currency
    on_date: Day
    kind: Code
    from_stage: Count  # 0: nothing stood before
    to_stage: Count
    before_minor: Minor
    after_minor: Minor
    exposure_minor: Minor
    days_past_due: Count
    days: Count  # ahead, over which the probability is
    pd: Code  # within those days; a decimal
    lgd: Code
    reason: Code
    source: Code
    assessment_id: OptId
    proposal_id: OptId
    policy_digest: Code
    command_id: Id
    at: Instant


class ImpairmentProposal(Record, table=True):
    """What one officer proposes for a case and another person agrees to, or refuses.

    ``kind``: ``allowance`` of a given amount, by which the case is in stage 3; ``rule``, back to
    what the policy says; ``write_off`` of everything still carried.
    """

    __tablename__ = "impairment_proposal"
    __table_args__ = table_args(
        ForeignKeyConstraint(["advance_id"], ["advance.id"], name="fk_proposal_advance"),
        CheckConstraint("kind IN ('allowance', 'rule', 'write_off')", name="ck_proposal_kind"),
        CheckConstraint("state IN ('PROPOSED', 'AGREED', 'REFUSED')", name="ck_proposal_state"),
        CheckConstraint(
            "state <> 'AGREED' OR decided_by <> proposed_by", name="ck_proposal_two_people"
        ),
        index_where(text("state = 'PROPOSED'"), "uq_proposal_open", "advance_id", unique=True),
        Index("ix_proposal_financier", "financier_id", "state"),
    )
    id: IdKey
    advance_id: Id
    financier_id: Id
    kind: Code
    state: Code
    currency: Currency
    amount_minor: Minor
    ground: Code  # why: default, insolvency, unlikely_to_pay, uncollectible, settled, recovered
    note: Text
    proposed_by: Id
    proposed_on: Day
    proposed_at: Instant
    decided_by: OptId
    decided_on: OptDay
    decided_at: OptInstant
    answer: OptText


__all__ = [
    "AllowanceMovement",
    "ImpairmentPolicy",
    "ImpairmentProposal",
    "LossAllowance",
]
