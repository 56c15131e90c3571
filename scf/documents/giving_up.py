"""A file that cannot be read to its end: its upload says so, and nobody waits for it any longer."""

from typing import Any, Final

from sqlalchemy import Table, insert, or_, select, update

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.db.runner import Context, command
from scf.documents.arrivals import finding_row
from scf.documents.commands import OneUpload, must_run
from scf.documents.models import DocumentFinding, Original, Upload
from scf.documents.rows import Origin
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.findings import Finding, Severity

_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]
_finding: Final[Table] = DocumentFinding.__table__  # type: ignore[attr-defined]
_original: Final[Table] = Original.__table__  # type: ignore[attr-defined]
_OPEN: Final = ("RECEIVED", "RUNNING")


@command("upload.give_up", OneUpload)
def give_up_upload(ctx: Context, data: OneUpload) -> dict[str, Any]:
    """The upload says that its reading was given up; what was stored before stays."""
    row = ctx.lock(Upload, [data.upload_id])[data.upload_id]
    must_run(row)
    origin = Origin(row.org_id, row.user_id, row.id, row.original_id, ctx.now)
    told = Finding(
        Severity.ERROR,
        "READING_GIVEN_UP",
        "Reading this file stopped our reader again and again, so it was given up."
        " Send it in smaller parts, or as another format.",
    )
    ctx.conn.execute(insert(_finding), [finding_row(origin, told, None, None)])
    bad = _upload.c.bad_count + 1
    ctx.conn.execute(update(_upload).where(_upload.c.id == row.id).values(bad_count=bad))
    ctx.change("upload", row.id, None, {"given_up": True})
    return {"upload_id": row.id}


def give_up(platform: Platform, upload_id: str) -> None:
    """End an upload whose reading was given up, and those of its files that were being read.

    Safe to call again at any time; an upload that has ended stays as it is.
    """
    query = select(_upload.c.id, _upload.c.org_id, _upload.c.user_id, _upload.c.mode).where(
        or_(_upload.c.id == upload_id, _upload.c.archive_id == upload_id),
        _upload.c.state.in_(_OPEN),
    )
    with platform.db.snapshot() as conn:
        rows = conn.execute(query.order_by(_upload.c.id.desc())).all()
    for row in rows:
        actor = Actor(row.user_id, row.org_id, OPERATOR.roles)
        payload = OneUpload(upload_id=row.id)
        end = "documents.discard" if row.mode == "atomic" else "upload.finish"
        for name in ("upload.give_up", end):
            key = f"{row.id}:{name.partition('.')[2]}"
            platform.run(name, payload, actor, key=key)


def give_up_job(platform: Platform, job: Claimed) -> None:
    """End what the job "documents.import" was to read."""
    give_up(platform, job.payload["upload_id"])


def give_up_file(platform: Platform, actor: Actor, sha256: str) -> None:
    """End every upload by which this person handed a file in and nobody could read it."""
    query = (
        select(_upload.c.id)
        .join(_original, _original.c.id == _upload.c.original_id)
        .where(
            _original.c.org_id == actor.org_id,
            _original.c.sha256 == sha256,
            _upload.c.user_id == actor.user_id,
            _upload.c.state.in_(_OPEN),
        )
    )
    with platform.db.snapshot() as conn:
        ids = list(conn.execute(query).scalars())
    for upload_id in ids:
        give_up(platform, upload_id)
