"""Large files by slices: announced, brought in any order and as often as needed, made whole.

Whoever was cut off asks what is missing and goes on. A slice carries its own digest, the file the
one that was announced.
"""

import datetime as dt
from typing import Any, Literal

from flask import Blueprint, url_for
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.readers import FormatName
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.transfers import service
from scf.documents.transfers.commands import OpenTransfer
from scf.documents.transfers.models import Transfer
from scf.documents.transfers.rules import SLICE_BYTES
from web.api.v1 import described
from web.api.v1.files import BYTES, sent_file
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.api.v1.uploads import UploadReceived

resource = Blueprint("transfers", __name__)
described.takes_file("/transfers/<transfer_id>/slices", BYTES)


class TransferOut(Answer):
    """A file on its way; ``missing`` numbers the slices to bring, from 0."""

    id: str
    name: str
    size: int
    slice_bytes: int
    sha256: str
    state: str
    received: int
    missing: list[int]
    upload_id: str | None
    created_at: dt.datetime
    expires_at: dt.datetime


class TransferOpened(Answer):
    """The file is taken up, or was before: what is missing stands at ``/transfers/{id}``."""

    id: str
    slice_bytes: int


class TransferPage(Answer):
    """Some of the files on their way."""

    items: list[TransferOut]
    next_cursor: str


class TransferDropped(Answer):
    """What became of it."""

    id: str
    state: str


class SliceQuery(BaseModel):
    """Which slice the body is, and its SHA-256 in hexadecimal."""

    model_config = ConfigDict(extra="forbid")
    number: int = Field(ge=0, lt=10_000)
    sha256: str = Field(min_length=64, max_length=64)


class HowToReadIt(BaseModel):
    """How the whole file is to be read."""

    model_config = ConfigDict(extra="forbid")
    format: FormatName = "auto"
    type: Literal["", "order", "invoice", "credit_note", "payment"] = ""
    mode: Literal["keep-good", "atomic"] = "keep-good"
    mapping: ColumnMapping | None = None


@endpoint(resource, "POST", "/transfers", action="transfer.open", answer=TransferOpened, status=201)
def open_transfer(json: OpenTransfer) -> tuple[TransferOpened, int, dict[str, str]]:
    """Announce a file; one that you have begun to send goes on where it was."""
    result = run("transfer.open", json).result
    opened = TransferOpened(id=result["transfer_id"], slice_bytes=result["slice_bytes"])
    return opened, 201, {"Location": url_for("api.transfers.get_transfer", transfer_id=opened.id)}


@endpoint(resource, "GET", "/transfers", action="transfer.read", answer=TransferPage)
def list_transfers(query: PageQuery) -> TransferPage:
    """List the files that you have begun to send."""
    with reader() as session:
        rows, following = page(session, select(Transfer), query, col(Transfer.id))
        return TransferPage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/transfers/<transfer_id>", action="transfer.read", answer=TransferOut)
def get_transfer(transfer_id: str) -> TransferOut:
    """Show what is here of a file, and what is missing."""
    return _now(transfer_id)


@endpoint(
    resource,
    "POST",
    "/transfers/<transfer_id>/slices",
    action="transfer.bring",
    answer=TransferOut,
    raw_body=True,
    max_body=SLICE_BYTES,
)
def bring_slice(transfer_id: str, query: SliceQuery) -> TransferOut:
    """Bring one slice; the same one again changes nothing."""
    sent = sent_file()
    run(
        "transfer.bring",
        {
            "transfer_id": transfer_id,
            "number": query.number,
            "sha256": query.sha256,
            "content": sent.content,
        },
    )
    return _now(transfer_id)


@endpoint(
    resource,
    "POST",
    "/transfers/<transfer_id>/complete",
    action="transfer.complete",
    answer=UploadReceived,
    status=202,
)
def complete_transfer(
    transfer_id: str, json: HowToReadIt
) -> tuple[UploadReceived, int, dict[str, str]]:
    """Make the slices one file and let it be read."""
    result = run(
        "transfer.complete",
        {
            "transfer_id": transfer_id,
            "format": json.format,
            "document_type": json.type or None,
            "mode": json.mode,
            "mapping": json.mapping,
            "queue": True,
        },
    ).result
    received = UploadReceived(
        id=result["upload_id"], job_id=result["job_id"], seen_before=result["seen_before"]
    )
    return received, 202, {"Location": url_for("api.uploads.get_upload", upload_id=received.id)}


@endpoint(
    resource, "DELETE", "/transfers/<transfer_id>", action="transfer.drop", answer=TransferDropped
)
def drop_transfer(transfer_id: str) -> TransferDropped:
    """Remove what is here of a file that you will not finish."""
    result = run("transfer.drop", {"transfer_id": transfer_id}).result
    return TransferDropped(id=result["transfer_id"], state=result["state"])


def _now(transfer_id: str) -> TransferOut:
    with reader() as session:
        return _shown(session, [one(session, Transfer, transfer_id)])[0]


_SHOWN = set(TransferOut.model_fields)


def _shown(session: Session, rows: list[Transfer]) -> list[TransferOut]:
    here = service.have(session, rows)
    shown: list[dict[str, Any]] = [
        row.model_dump(include=_SHOWN) | service.state_of(row, here.get(row.id, set()))
        for row in rows
    ]
    return [TransferOut.model_validate(row) for row in shown]
