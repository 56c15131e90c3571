"""The table of the files that came in archives."""

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import Code, Count, Flag, Id, IdKey, Instant, OptId, Record, Text, table_args


class ArchiveFile(Record, table=True):
    """One file of an archive: its name there, and the upload that says what became of it.

    Without an upload it was not read at all; the archive's own finding with this ``code`` says why.
    """

    __tablename__ = "archive_file"
    __table_args__ = table_args(
        ForeignKeyConstraint(["archive_id"], ["upload.id"], name="fk_archive_file_archive"),
        ForeignKeyConstraint(["upload_id"], ["upload.id"], name="fk_archive_file_upload"),
        UniqueConstraint("archive_id", "place", name="uq_archive_file"),
        Index("ix_archive_file", "archive_id", "id"),
    )
    id: IdKey
    org_id: Id
    archive_id: Id
    place: Count  # in the archive, from 1
    name: Text
    upload_id: OptId
    seen_before: Flag = False  # by another way, or under another name of the same archive
    code: Code = ""
    created_at: Instant
