"""People's words on who a document means, with what they saw; papers that changed their firm."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index

from scf.db.types import Code, CodeKey, Id, IdKey, Instant, Json, OptId, Record, Text, table_args


class IdentityDecision(Record, table=True):
    """One person's word on a party that no number settled, and the evidence it rests on."""

    __tablename__ = "identity_decision"
    __table_args__ = table_args(
        ForeignKeyConstraint(["firm_id"], ["firm.id"], name="fk_identity_decision_firm"),
        CheckConstraint("outcome IN ('KNOWN', 'NEW', 'SENT_BACK')", name="ck_identity_outcome"),
        Index("ix_identity_decision_org", "decided_by_org", "at"),
    )
    id: IdKey
    org_id: Id  # whose document it was
    finding_id: Id
    said_digest: Code
    said: Json  # what the document says of the firm
    seen: Json  # the firms that were proposed, with points and reasons
    outcome: Code
    firm_id: OptId
    reason: Text
    decided_by: Id
    decided_by_org: Id
    at: Instant


class FirmHandover(Record, table=True):
    """One side of one paper that names the record that stands for the one it named before.

    It is there as long as the two records are joined; parting them moves exactly these back.
    """

    __tablename__ = "firm_handover"
    __table_args__ = table_args(
        ForeignKeyConstraint(["merge_id"], ["firm_merge.id"], name="fk_handover_merge"),
    )
    merge_id: IdKey
    row_id: IdKey
    side: CodeKey
    of_table: Code
