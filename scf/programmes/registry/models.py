"""The book of a registry, who takes part in one, and what it has answered."""

from sqlalchemy import Index, UniqueConstraint, text

from scf.db.types import (
    Code,
    Count,
    Flag,
    Id,
    IdKey,
    Instant,
    OptInstant,
    Record,
    Text,
    index_where,
    table_args,
)

_LIVE = text("state = 'LIVE' AND exact")


class RegistryEntry(Record, table=True):
    """One print of a claim that a member says it finances; the book of a registry kept here."""

    __tablename__ = "registry_entry"
    __table_args__ = table_args(
        index_where(_LIVE, "uq_registry_live", "consortium", "print", unique=True),
        Index("ix_registry_print", "consortium", "print"),
        Index("ix_registry_ref", "consortium", "member", "claim_ref"),
    )
    id: IdKey
    consortium: Code
    member: Code
    claim_ref: Code
    kind: Code
    exact: Flag
    key_version: Count
    print: Code
    state: Code  # LIVE RELEASED VOID
    registered_at: Instant
    ended_at: OptInstant


class RegistryMember(Record, table=True):
    """That a financier takes part in a registry: from then on it pays nothing unasked."""

    __tablename__ = "registry_member"
    __table_args__ = table_args(UniqueConstraint("consortium", "member", name="uq_registry_member"))
    financier_id: IdKey
    consortium: Code
    member: Code
    joined_by: Id
    joined_at: Instant


class RegistryWord(Record, table=True):
    """What a registry has answered a financier about one invoice, and at which step."""

    __tablename__ = "registry_word"
    __table_args__ = table_args(Index("ix_registry_word", "financier_id", "invoice_id", "asked_at"))
    id: IdKey
    financier_id: Id
    invoice_id: Id
    step: Code  # search register again release void
    state: Code
    reference: Code
    version: Count
    reason: Text
    asked_at: Instant
