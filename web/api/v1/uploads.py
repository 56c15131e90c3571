"""Uploads: a file handed in, how far its reading is, what was found, what is to be corrected.

A file is kept byte for byte and queued for the worker. A small one is read at once as well, so
that its sender sees the result with the next request; whichever of the two comes first does it.
A ZIP is one upload, read by the worker; its files are uploads of their own that name it.
"""

import datetime as dt
import json
from typing import Any, Final, Literal

from flask import Blueprint, Response, url_for
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.models import Job
from scf.db.runner import invalid_input
from scf.documents import errorfile, intake
from scf.documents.archives.models import ArchiveFile
from scf.documents.archives.opening import is_archive
from scf.documents.archives.results import Result, became, placed, with_its_files
from scf.documents.commands import MAX_UPLOAD, READ_AT_ONCE, ReceiveUpload
from scf.documents.models import DocumentFinding, Original, Upload
from scf.documents.progress import pace
from scf.documents.readers import FormatName
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel.findings import Severity
from scf.kernel.strict_json import NotStrict, loads
from web.api.v1 import described
from web.api.v1.files import BYTES, attachment, sent_file
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.context import platform
from web.problems import BadRequest
from web.refusals import findings_told, translated

resource = Blueprint("uploads", __name__)

MAX_ERRORS: Final = 100_000


class UploadOut(Answer):
    """An upload. ``bad`` were not taken, ``incomplete`` wait for a firm or a date.

    While it is read, ``rows_…`` and ``seconds_left`` say how far it is, as far as that is known.
    """

    id: str
    name: str
    format: str
    document_type: str | None
    mode: str
    archive_id: str | None
    state: str
    read: int
    stored: int
    incomplete: int
    duplicate: int
    bad: int
    corrected: int
    job_id: str | None
    rows_done: int | None
    rows_total: int | None
    rows_per_second: int | None
    seconds_left: int | None
    created_at: dt.datetime
    finished_at: dt.datetime | None


class UploadPage(Answer):
    """Some of the uploads."""

    items: list[UploadOut]
    next_cursor: str


class UploadsQuery(PageQuery):
    """Which uploads; the files of an archive are listed only where it is named."""

    state: str = Field(default="", max_length=20)
    archive_id: str = Field(default="", max_length=64)


class ArchiveFileOut(Answer):
    """A file of an archive and what became of it; without an upload, ``code`` says why not."""

    id: str
    name: str
    result: Result
    code: str
    upload_id: str | None


class ArchiveFilePage(Answer):
    """Some of the files of an archive."""

    items: list[ArchiveFileOut]
    next_cursor: str


class UploadReceived(Answer):
    """The file is kept; its progress stands at ``/uploads/{id}``."""

    id: str
    job_id: str | None
    seen_before: bool


class FindingOut(Answer):
    """What is wrong or worth saying, with its place; ``facts`` hold the party of FIRM_UNKNOWN."""

    id: str
    upload_id: str
    document_type: str | None
    document_id: str | None
    severity: str
    code: str
    place: str
    message: str
    value: str
    facts: dict[str, Any] | None
    created_at: dt.datetime
    resolved_at: dt.datetime | None


class FindingPage(Answer):
    """Some of the findings."""

    items: list[FindingOut]
    next_cursor: str


class FindingsQuery(PageQuery):
    """Which findings; ``open`` leaves out what has been resolved."""

    severity: str = Field(default="", max_length=10)
    code: str = Field(default="", max_length=64)
    upload_id: str = Field(default="", max_length=64)
    document_id: str = Field(default="", max_length=64)
    open: bool = False


class HowToRead(BaseModel):
    """How a file is to be read; ``mapping`` is the JSON text of a column mapping."""

    model_config = ConfigDict(extra="forbid")
    format: FormatName = "auto"
    type: Literal["", "order", "invoice", "credit_note", "payment"] = ""
    mode: Literal["keep-good", "atomic"] = "keep-good"
    mapping: str = Field(default="", max_length=200_000)


_FIELDS: Final[dict[str, Any]] = {
    "name": {"type": "string", "maxLength": 400},
    **HowToRead.model_json_schema()["properties"],
}
described.takes_file(
    "/uploads",
    "application/xml",
    "application/edifact",
    "application/edi-x12",
    "application/json",
    "application/pdf",
    "application/pkcs7-mime",
    "text/csv",
    "application/gzip",
    "application/zip",
    BYTES,
    form=_FIELDS,
)
described.gives_file("/uploads/<upload_id>/original", BYTES)
described.gives_file("/uploads/<upload_id>/errors", "text/csv")


# --- In ---------------------------------------------------------------------------------------


class HowQuery(HowToRead):
    """Beside a plain body, the name of the file and how to read it."""

    name: str = Field(default="", max_length=400)


@endpoint(
    resource,
    "POST",
    "/uploads",
    action="upload.receive",
    answer=UploadReceived,
    status=202,
    raw_body=True,
    max_body=MAX_UPLOAD,
)
def receive_upload(query: HowQuery) -> tuple[UploadReceived, int, dict[str, str]]:  # noqa: ARG001 - read with the file
    """Hand in a file of orders, receipts, invoices, credit notes or payments."""
    sent = sent_file()
    try:
        how = HowToRead.model_validate(sent.said)
    except ValidationError as error:
        raise invalid_input(error) from None
    payload = ReceiveUpload(
        name=sent.name or "file",
        content=sent.content,
        format=how.format,
        document_type=how.type or None,
        mode=how.mode,
        mapping=_mapping(how.mapping),
        queue=True,
    )
    result = run("upload.receive", payload).result
    if len(sent.content) <= READ_AT_ONCE and not is_archive(sent.content):
        intake.run_upload(platform(), result["upload_id"])
    received = UploadReceived(
        id=result["upload_id"], job_id=result["job_id"], seen_before=result["seen_before"]
    )
    return received, 202, {"Location": url_for("api.uploads.get_upload", upload_id=received.id)}


def _mapping(text: str) -> ColumnMapping | None:
    if not text:
        return None
    try:
        plain = json.dumps(loads(text))
    except NotStrict as why:
        raise BadRequest(
            "JSON", "The mapping is not clean JSON: %(reason)s.", reason=str(why)
        ) from None
    except (ValueError, RecursionError):
        raise BadRequest("JSON", "The mapping is not JSON.") from None
    return ColumnMapping.from_json(plain)


# --- Progress and findings --------------------------------------------------------------------


@endpoint(resource, "GET", "/uploads", action="upload.read", answer=UploadPage)
def list_uploads(query: UploadsQuery) -> UploadPage:
    """List what your organisation has handed in."""
    statement = select(Upload).where(
        col(Upload.archive_id) == (query.archive_id or None)  # without one: IS NULL
    )
    if query.state:
        statement = statement.where(col(Upload.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(Upload.id))
        return UploadPage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/uploads/<upload_id>", action="upload.read", answer=UploadOut)
def get_upload(upload_id: str) -> UploadOut:
    """Show how far an upload is and what came of it."""
    with reader() as session:
        return _shown(session, [one(session, Upload, upload_id)])[0]


@endpoint(
    resource, "GET", "/uploads/<upload_id>/findings", action="upload.read", answer=FindingPage
)
def list_upload_findings(upload_id: str, query: PageQuery) -> FindingPage:
    """List what was found in one upload, in the order of the file."""
    with reader() as session:
        one(session, Upload, upload_id)
        statement = select(DocumentFinding).where(col(DocumentFinding.upload_id) == upload_id)
        rows, following = page(
            session, statement, query, col(DocumentFinding.id), newest_first=False
        )
        return FindingPage(items=[finding_out(row) for row in rows], next_cursor=following)


@endpoint(
    resource, "GET", "/uploads/<upload_id>/files", action="upload.read", answer=ArchiveFilePage
)
def list_upload_files(upload_id: str, query: PageQuery) -> ArchiveFilePage:
    """List the files of an archive in its order, and what became of each."""
    with reader() as session:
        one(session, Upload, upload_id)
        statement = select(ArchiveFile).where(col(ArchiveFile.archive_id) == upload_id)
        rows, following = page(session, statement, query, col(ArchiveFile.id), newest_first=False)
        items = [
            ArchiveFileOut(
                id=came.file.id,
                name=came.file.name,
                result=came.result,
                code=came.file.code,
                upload_id=came.file.upload_id,
            )
            for came in became(session, rows)
        ]
        return ArchiveFilePage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/findings", action="upload.read", answer=FindingPage)
def list_findings(query: FindingsQuery) -> FindingPage:
    """List the findings on everything your organisation has handed in, the newest first."""
    statement = select(DocumentFinding)
    for name in ("severity", "code", "upload_id", "document_id"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(DocumentFinding, name) == wanted)
    if query.open:
        statement = statement.where(col(DocumentFinding.resolved_at).is_(None))
    with reader() as session:
        rows, following = page(session, statement, query, col(DocumentFinding.id))
        return FindingPage(items=[finding_out(row) for row in rows], next_cursor=following)


# --- Out --------------------------------------------------------------------------------------


@endpoint(resource, "GET", "/uploads/<upload_id>/original", action="upload.read", answer=None)
def get_original(upload_id: str) -> Response:
    """Give the file back exactly as it came."""
    with reader() as session:
        row = one(session, Upload, upload_id)
        content = one(session, Original, row.original_id).content
    return attachment(content, row.name)


@endpoint(resource, "GET", "/uploads/<upload_id>/errors", action="upload.read", answer=None)
def get_errors(upload_id: str) -> Response:
    """Give what was not taken, as CSV: of a table its bad rows, else the findings."""
    with reader() as session:
        row = one(session, Upload, upload_id)
        content = one(session, Original, row.original_id).content
        found = (
            session.execute(
                select(DocumentFinding)
                .where(
                    col(DocumentFinding.upload_id).in_(with_its_files(row.id)),
                    col(DocumentFinding.severity) == Severity.ERROR.value,
                    col(DocumentFinding.document_id).is_(None),
                    col(DocumentFinding.resolved_at).is_(None),
                )
                .order_by(col(DocumentFinding.id))
                .limit(MAX_ERRORS)
            )
            .scalars()
            .all()
        )
        told = findings_told(placed(session, row.id, found))
        written = (
            errorfile.bad_rows(content, told, row.mapping, row.document_type, row.id)
            if intake.is_table(content, row.format)
            else errorfile.list_of(told)
        )
    return attachment(written, f"errors-{upload_id}.csv", "text/csv; charset=utf-8")


def _shown(session: Session, rows: list[Upload]) -> list[UploadOut]:
    jobs = session.execute(
        select(Job).where(
            col(Job.kind) == "documents.import", col(Job.key).in_([row.id for row in rows])
        )
    ).scalars()
    job_of = {job.key: job for job in jobs}
    return [
        UploadOut(
            id=row.id,
            name=row.name,
            format=row.format,
            document_type=row.document_type,
            mode=row.mode,
            archive_id=row.archive_id,
            state=row.state,
            read=row.read_count,
            stored=row.stored_count,
            incomplete=row.incomplete_count,
            duplicate=row.duplicate_count,
            bad=row.bad_count,
            corrected=row.corrected_count,
            job_id=job_of[row.id].id if row.id in job_of else None,
            **_pace(row, job_of.get(row.id)),
            created_at=row.created_at,
            finished_at=row.finished_at,
        )
        for row in rows
    ]


def _pace(row: Upload, job: Job | None) -> dict[str, int | None]:
    names = ("rows_done", "rows_total", "rows_per_second", "seconds_left")
    if row.state != "RUNNING" or job is None:
        return dict.fromkeys(names)
    found = pace(job.progress)
    return dict(
        zip(names, (found.done, found.total, found.per_second, found.seconds_left), strict=True)
    )


_SHOWN = set(FindingOut.model_fields)


def finding_out(row: DocumentFinding) -> FindingOut:
    """Show a finding in the language of who asks."""
    return FindingOut.model_validate(
        row.model_dump(include=_SHOWN) | {"message": translated(row.told)}
    )
