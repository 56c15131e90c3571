"""Commands between handing a file in and reading it: the sender's word, and corrected rows."""

import hashlib
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import Table, update

from scf.db.runner import Context, command
from scf.db.visibility import not_found
from scf.documents.canonical import DocumentType
from scf.documents.commands import MAX_UPLOAD, add_upload, keep_original
from scf.documents.models import Upload
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.repairs.answering import answered_by_hand, rows_of, settle_findings
from scf.kernel.errors import Conflict

MAX_ROWS: Final = 1000
_upload: Final[Table] = Upload.__table__  # type: ignore[attr-defined]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class StartUpload(_Input):
    """How a file that waits is to be read; ``header_digest`` finds its mapping again next time."""

    upload_id: str = Field(max_length=64)
    document_type: DocumentType | None = None
    mode: Literal["keep-good", "atomic"] = "keep-good"
    mapping: ColumnMapping | None = None
    header_digest: str | None = Field(default=None, max_length=64)


class CorrectUpload(_Input):
    """Bad rows of an upload, corrected; ``rows`` are the lines at which their documents start."""

    upload_id: str = Field(max_length=64)
    content: bytes = Field(exclude=True, repr=False, max_length=MAX_UPLOAD, min_length=1)
    mapping: ColumnMapping
    rows: list[Annotated[int, Field(ge=1, strict=True)]] = Field(min_length=1, max_length=MAX_ROWS)

    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def sha256(self) -> str:
        """Fingerprint of the corrected rows; stands for them in key and audit trail."""
        return hashlib.sha256(self.content).hexdigest()


@command("upload.start", StartUpload)
def start_upload(ctx: Context, data: StartUpload) -> dict[str, Any]:
    """A file that waited for its sender's word is read as the sender says.

    Raises
    ------
    Conflict
        UPLOAD_STATE when it has been started before.
    """
    row = _own(ctx, data.upload_id)
    if row.state != "STAGED":
        raise Conflict("UPLOAD_STATE", "This file has been started already.", upload_id=row.id)
    ctx.conn.execute(
        update(_upload)
        .where(_upload.c.id == row.id)
        .values(
            state="RECEIVED",
            document_type=data.document_type,
            mode=data.mode,
            mapping=data.mapping.model_dump(mode="json") if data.mapping else None,
            header_digest=data.header_digest,
        )
    )
    ctx.change("upload", row.id, {"state": row.state}, {"state": "RECEIVED"})
    job_id = ctx.enqueue("documents.import", {"upload_id": row.id}, row.id)
    return {"upload_id": row.id, "job_id": job_id}


@command("upload.correct", CorrectUpload)
def correct_upload(ctx: Context, data: CorrectUpload) -> dict[str, Any]:
    """Corrected rows come in as an upload of their own; what was said of them is settled.

    The good rows of the first upload are not touched, and what is still wrong with a corrected
    row is a finding of the new upload.

    Raises
    ------
    Conflict
        UPLOAD_STATE while the first upload is still read; CORRECTED when one of the rows has been
        corrected by then.
    """
    row = _own(ctx, data.upload_id)
    if row.state not in {"DONE", "REFUSED"} or row.mode != "keep-good":
        raise Conflict(
            "UPLOAD_STATE", "The upload is %(state)s.", upload_id=row.id, state=row.state
        )
    wanted = set(data.rows)
    if wanted - {*rows_of(ctx.conn, row.id, still_open=True)}:
        raise Conflict("CORRECTED", "Somebody has corrected these rows already.", upload_id=row.id)
    original_id, _seen = keep_original(ctx, row.name, data.content, data.sha256)
    new_id = add_upload(
        ctx,
        {
            "original_id": original_id,
            "corrects_id": row.id,
            "name": row.name,
            "format": "csv",
            "document_type": row.document_type,
            "mode": "keep-good",
            "mapping": data.mapping.model_dump(mode="json"),
            "state": "RECEIVED",
        },
    )
    settle_findings(ctx, row.id, wanted)
    answered_by_hand(ctx, row.id, new_id, wanted)
    ctx.change("upload", row.id, None, {"corrected_by": new_id, "rows": len(wanted)})
    job_id = ctx.enqueue("documents.import", {"upload_id": new_id}, new_id)
    return {"upload_id": new_id, "job_id": job_id}


def _own(ctx: Context, upload_id: str) -> Any:  # noqa: ANN401 - a row
    """Lock an upload of the actor's own organisation."""
    row = ctx.lock(Upload, [upload_id])[upload_id]
    if row.org_id != ctx.actor.org_id:
        raise not_found("upload", upload_id)
    return row
