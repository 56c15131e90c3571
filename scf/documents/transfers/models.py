"""The tables of files that are not wholly here yet."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index

from scf.db.types import (
    Blob,
    Code,
    Count,
    CountKey,
    Id,
    IdKey,
    Instant,
    OptId,
    OptInstant,
    Record,
    Text,
    table_args,
)


class Transfer(Record, table=True):
    """A file that a person hands in by slices; what it must become is known from the start."""

    __table_args__ = table_args(
        CheckConstraint("state IN ('OPEN', 'DONE', 'DROPPED')", name="ck_transfer_state"),
        CheckConstraint("size > 0 AND slice_bytes > 0", name="ck_transfer_size"),
        Index("ix_transfer_org", "org_id", "state", "user_id"),
    )
    id: IdKey
    org_id: Id
    user_id: Id
    name: Text
    size: Count
    slice_bytes: Count
    sha256: Code  # of the whole file, as its sender announced it
    state: Code = "OPEN"
    upload_id: OptId  # what it became
    created_at: Instant
    expires_at: Instant
    ended_at: OptInstant


class TransferSlice(Record, table=True):
    """A part of a file, counted from 0; it is gone when the file is whole or given up."""

    __tablename__ = "transfer_slice"
    __table_args__ = table_args(
        ForeignKeyConstraint(["transfer_id"], ["transfer.id"], name="fk_transfer_slice")
    )
    transfer_id: IdKey
    number: CountKey
    sha256: Code
    content: Blob
