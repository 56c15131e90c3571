"""People's words on who a document means, with what they saw."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index

from scf.db.types import Code, Id, IdKey, Instant, Json, OptId, Record, Text, table_args


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
