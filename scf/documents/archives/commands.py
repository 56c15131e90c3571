"""The command that notes what became of the files of an archive."""

from collections.abc import Sequence
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, SkipValidation
from sqlalchemy import Table, insert, select, update

from scf.db.bulk import insert_mappings
from scf.db.runner import Context, command
from scf.documents.archives.models import ArchiveFile
from scf.documents.arrivals import finding_row
from scf.documents.commands import columns_of, must_run
from scf.documents.models import DocumentFinding, Upload
from scf.documents.rows import Origin
from scf.documents.slices import Stored
from scf.kernel.findings import Finding
from scf.kernel.ids import new_id

_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
FILES: Final[Table] = ArchiveFile.__table__  # type: ignore[attr-defined]


class Noted(NamedTuple):
    """A file of an archive with its upload, or with the reason why it has none."""

    place: int
    name: str
    upload_id: str | None = None
    refused: Finding | None = None


class NoteFiles(BaseModel):
    """Files of an archive that were dealt with, and what is to be said of the archive itself."""

    model_config = ConfigDict(extra="forbid")
    archive_id: str = Field(max_length=64)
    places: list[int] = Field(max_length=20_000)
    # Values of ours, not of a caller.
    files: Annotated[Sequence[Noted], SkipValidation] = Field(exclude=True, repr=False)
    findings: Annotated[Sequence[Finding], SkipValidation] = Field(exclude=True, repr=False)


@command("archive.note", NoteFiles)
def note_files(ctx: Context, data: NoteFiles) -> dict[str, Any]:
    """The archive's upload counts what its files came to, and lists them by their names."""
    archive = ctx.lock(Upload, [data.archive_id])[data.archive_id]
    must_run(archive)
    origin = Origin(archive.org_id, archive.user_id, archive.id, archive.original_id, ctx.now)
    uploads = _uploads(ctx, data.files)
    seen = _noted(ctx, archive.id, list(uploads))
    total = Stored()
    rows = []
    for one in data.files:
        row = uploads.get(one.upload_id or "")
        before = row is not None and (row.archive_id != archive.id or row.id in seen)
        if row is None:
            total.read += 1
            total.bad += 1
        else:
            seen.add(row.id)
            _count(total, row, before=before)
        rows.append(
            {
                "id": new_id(),
                "place": one.place,
                "name": one.name,
                "upload_id": one.upload_id,
                "seen_before": before,
                "code": one.refused.code if one.refused else "",
            }
        )
    told = [*data.findings, *(one.refused for one in data.files if one.refused)]
    # What keeps the archive as a whole out counts as one thing that was wrong.
    total.bad += sum(found.is_error for found in data.findings)
    same = {"org_id": archive.org_id, "archive_id": archive.id, "created_at": ctx.now}
    insert_mappings(ctx.conn, FILES, rows, same)
    if told:
        found_rows = [finding_row(origin, found, None, None) for found in told]
        ctx.conn.execute(insert(_finding), found_rows)
    ctx.conn.execute(
        update(_upload)
        .where(_upload.c.id == archive.id)
        .values(
            state="RUNNING",
            **{name: _upload.c[name] + count for name, count in columns_of(total).items()},
        )
    )
    ctx.change("upload", archive.id, None, {"files": len(rows), **total.counts()})
    return total.counts()


def _uploads(ctx: Context, files: Sequence[Noted]) -> dict[str, Any]:
    ids = {one.upload_id for one in files if one.upload_id is not None}
    query = select(_upload).where(_upload.c.id.in_(ids), _upload.c.org_id == ctx.actor.org_id)
    return {row.id: row for row in ctx.conn.execute(query)}


def _noted(ctx: Context, archive_id: str, uploads: list[str]) -> set[str]:
    """Find which of these uploads the archive has named already."""
    query = select(FILES.c.upload_id).where(
        FILES.c.archive_id == archive_id, FILES.c.upload_id.in_(uploads)
    )
    return set(ctx.conn.execute(query).scalars())


def _count(total: Stored, row: Any, *, before: bool) -> None:  # noqa: ANN401 - a row
    total.read += row.read_count
    total.bad += row.bad_count
    if before:  # all that it brought is here already
        total.duplicate += row.stored_count + row.duplicate_count
        return
    total.stored += row.stored_count
    total.incomplete += row.incomplete_count
    total.duplicate += row.duplicate_count
