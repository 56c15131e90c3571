"""What firms are found by, and which records of firms mean one firm."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, text

from scf.db.types import (
    Code,
    Id,
    IdKey,
    Instant,
    Json,
    OptId,
    OptInstant,
    Record,
    Text,
    TextKey,
    index_where,
    table_args,
)

_WAITING = text("state = 'PROPOSED'")


class FirmKey(Record, table=True):
    """A word under which a firm is looked up before it is compared, and the spelling behind it."""

    __tablename__ = "firm_key"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_firm_key_firm"),
        Index("ix_firm_key_firm", "firm_id"),
    )
    key: TextKey
    firm_id: IdKey
    spelling: Text


class FirmLink(Record, table=True):
    """One record of a firm that another record stands for, as long as this row is there.

    Nothing that was stored under the record changes. A record that stands for others is never
    itself stood for, so that a link is one step and an undone one leaves no trace.
    """

    __tablename__ = "firm_link"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_firm_link_firm"),
        ForeignKeyConstraint(["survivor_id"], ["firm.id"], name="fk_firm_link_survivor"),
        Index("ix_firm_link_survivor", "survivor_id"),
        CheckConstraint("firm_id <> survivor_id", name="ck_firm_link_two"),
    )
    firm_id: IdKey
    survivor_id: Id
    since_at: Instant


class FirmMerge(Record, table=True):
    """One act of joining two records, or of parting them again: proposed, then decided."""

    __tablename__ = "firm_merge"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_firm_merge_firm"),
        ForeignKeyConstraint(["survivor_id"], ["firm.id"], name="fk_firm_merge_survivor"),
        CheckConstraint("kind IN ('MERGE', 'UNMERGE')", name="ck_firm_merge_kind"),
        CheckConstraint("state IN ('PROPOSED', 'DONE', 'REFUSED')", name="ck_firm_merge_state"),
        # One act at a time on a record.
        index_where(_WAITING, "uq_firm_merge_waiting", "firm_id", unique=True),
    )
    id: IdKey
    kind: Code
    firm_id: Id
    survivor_id: Id
    state: Code = "PROPOSED"
    reason: Text
    seen: Json  # what the one who proposed it was shown: the score and the consequences
    proposed_by: Id
    proposed_by_org: Id
    proposed_at: Instant
    decided_by: OptId
    decided_reason: Text = ""
    decided_at: OptInstant
