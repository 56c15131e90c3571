"""The table of rows that were kept out."""

from sqlalchemy import UniqueConstraint, text

from scf.db.types import (
    Count,
    Id,
    IdKey,
    OptCode,
    OptCount,
    OptId,
    OptInstant,
    OptText,
    Record,
    index_where,
    table_args,
)

# Exactly as the queries say it, or the engines do not use the index.
OPEN = text("by_upload_id IS NULL")


class BadRow(Record, table=True):
    """A row of a table that was kept out, what it seems to be, and the file that brought it again.

    Kind, number and firms are known only where the row could be read that far and both firms are
    firms of ours; ``year`` is empty where its date could not be read.
    """

    __tablename__ = "bad_row"
    __table_args__ = table_args(
        UniqueConstraint("upload_id", "row", name="uq_bad_row"),
        index_where(OPEN, "ix_bad_row_open", "org_id", "canonical_number"),
    )
    id: IdKey
    org_id: Id
    upload_id: Id
    row: Count  # the line at which its document starts
    kind: OptCode
    canonical_number: OptText
    seller_id: OptId
    buyer_id: OptId
    year: OptCount
    by_upload_id: OptId
    by_row: OptCount  # where it stands in that file, if that file said so
    answered_at: OptInstant
