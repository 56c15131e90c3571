"""The table of documents that came as data under their sender's own ids."""

from sqlalchemy import ForeignKeyConstraint, Index, text

from scf.db.types import (
    Code,
    Count,
    Flag,
    Id,
    IdKey,
    Instant,
    OptCode,
    OptId,
    Record,
    Text,
    index_where,
    table_args,
)

_BOUND = text("NOT released")


class PostedItem(Record, table=True):
    """One document of a batch: the id by which its sender knows it, and what it became here.

    An id stands for one content. It is free again only where a batch was refused as a whole,
    because then nothing was kept under it.
    """

    __tablename__ = "posted_item"
    __table_args__ = table_args(
        ForeignKeyConstraint(["upload_id"], ["upload.id"], name="fk_posted_item_upload"),
        index_where(_BOUND, "uq_posted_item", "org_id", "client_id", unique=True),
        Index("ix_posted_item", "upload_id", "position"),
    )
    id: IdKey
    org_id: Id
    upload_id: Id
    position: Count  # in the upload's file, from 1
    client_id: Text
    sha256: Code  # of the document as canonical JSON
    document_type: OptCode
    document_id: OptId
    released: Flag = False
    created_at: Instant
