"""What became of the files of an archive, told from their uploads themselves."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Select, or_, select
from sqlalchemy.engine import Connection
from sqlmodel import Session, col

from scf.documents.archives.models import ArchiveFile
from scf.documents.models import DocumentFinding, Upload

Result = Literal["pending", "stored", "waits", "duplicate", "partly", "refused"]
_RUNNING: Final = frozenset({"RECEIVED", "RUNNING"})


class Became(NamedTuple):
    """A file of an archive, its upload if it was read, and what came of it."""

    file: ArchiveFile
    upload: Upload | None
    result: Result

    def as_dict(self) -> dict[str, Any]:
        """Give it as programs are told."""
        row = self.upload
        return {
            "name": self.file.name,
            "result": self.result,
            "code": self.file.code,
            "upload_id": self.file.upload_id,
            "read": row.read_count if row else 0,
            "stored": row.stored_count if row else 0,
            "bad": row.bad_count if row else 0,
        }


def became(session: Session, files: Sequence[ArchiveFile]) -> list[Became]:
    """Tell what became of some files; ``session`` sees what their sender may see."""
    ids = {one.upload_id for one in files if one.upload_id}
    rows = session.execute(select(Upload).where(col(Upload.id).in_(ids))).scalars()
    uploads = {row.id: row for row in rows}
    told = []
    for one in files:
        row = uploads.get(one.upload_id or "")
        told.append(Became(one, row, _result(one, row)))
    return told


def _result(file: ArchiveFile, row: Upload | None) -> Result:
    if row is None or row.state == "REFUSED":
        return "refused"
    if row.state in _RUNNING:
        return "pending"
    if file.seen_before or not row.stored_count:
        return "duplicate"
    if row.bad_count:
        return "partly"
    return "waits" if row.incomplete_count else "stored"


def all_of(archive_id: str) -> Select[Any]:
    """Ask for the files of an archive in their order."""
    return (
        select(ArchiveFile)
        .where(col(ArchiveFile.archive_id) == archive_id)
        .order_by(col(ArchiveFile.id))
    )


def with_its_files(upload_id: str) -> Select[Any]:
    """Ask for the ids of an upload and of the files that it brought as an archive."""
    return select(col(Upload.id)).where(
        or_(col(Upload.id) == upload_id, col(Upload.archive_id) == upload_id)
    )


def placed(
    reading: Session | Connection, upload_id: str, findings: Iterable[DocumentFinding]
) -> list[DocumentFinding]:
    """Say of findings on the files of an archive in which file each stands."""
    rows = reading.execute(
        select(col(Upload.id), col(Upload.name)).where(col(Upload.archive_id) == upload_id)
    )
    names: dict[str, str] = {row.id: row.name for row in rows}
    told = []
    for one in findings:
        if one.upload_id in names:
            place = ": ".join(part for part in (names[one.upload_id], one.place) if part)
            told.append(DocumentFinding(**one.model_dump() | {"place": place}))
        else:
            told.append(one)
    return told
