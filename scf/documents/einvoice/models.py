"""The verdict of the rules of EN 16931 on each document that declares to follow them."""

from typing import Final

from sqlalchemy import CheckConstraint, text

from scf.db.types import (
    Code,
    Count,
    Id,
    IdKey,
    Instant,
    OptCode,
    OptInstant,
    Record,
    Text,
    index_where,
    table_args,
)

# What is found by the rules: one that binds is broken, one that advises is, or nobody could look.
RULE_BROKEN: Final = "RULE_BROKEN"
RULE_ADVICE: Final = "RULE_ADVICE"
RULES_UNCHECKED: Final = "RULES_UNCHECKED"
RULE_CODES: Final = (RULE_BROKEN, RULE_ADVICE, RULES_UNCHECKED)

_WAITING = text("state = 'WAITING'")


class RuleCheck(Record, table=True):
    """What the rules of EN 16931 say of a document that declares to follow them.

    A document waits here until it is judged, and stays UNJUDGED, never VALID, when it cannot be.
    """

    __tablename__ = "rule_check"
    __table_args__ = table_args(
        CheckConstraint(
            "state IN ('WAITING', 'VALID', 'BROKEN', 'UNJUDGED')", name="ck_rule_check_state"
        ),
        CheckConstraint(
            "fatal_count >= 0 AND warning_count >= 0 AND (state = 'BROKEN') = (fatal_count > 0)",
            name="ck_rule_check_count",
        ),
        index_where(_WAITING, "ix_rule_check_waiting", "created_at", "document_id"),
    )
    document_id: IdKey
    document_type: Code
    org_id: Id
    user_id: Id
    upload_id: Id
    original_id: Id
    state: Code = "WAITING"
    rules: Text = ""  # the rule set that was applied, by name
    reason: OptCode  # why it is UNJUDGED
    fatal_count: Count = 0
    warning_count: Count = 0
    checked_at: OptInstant
    created_at: Instant
