"""Batches: documents as data, each under its sender's own id, and what became of each."""

import datetime as dt
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from flask import Blueprint, url_for
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.documents import intake
from scf.documents.canonical import DocumentType
from scf.documents.commands import MAX_SLICE, READ_AT_ONCE
from scf.documents.posted.commands import PostBatch, PostedDocument
from scf.documents.posted.models import PostedItem
from scf.documents.posted.results import Became, Result, results
from scf.kernel.ids import canonical_json
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.uploads import FindingOut, finding_out
from web.context import platform

resource = Blueprint("batches", __name__)
MAX_BATCH: Final = 16 * 1024 * 1024


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BatchItem(_Body):
    """A document as docs/reference/json-documents.md has it, under an id of your own."""

    client_id: str = Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
    document: dict[str, Any]


class Batch(_Body):
    """Documents; ``atomic`` keeps all of them or none, ``keep-good`` those that are good."""

    mode: Literal["keep-good", "atomic"] = "keep-good"
    type: DocumentType | None = None
    items: Annotated[list[BatchItem], Field(min_length=1, max_length=MAX_SLICE)]


class ItemReceived(Answer):
    """Where an item is answered; ``code`` says why it was not taken at all."""

    client_id: str
    upload_id: str
    sent_before: bool
    code: str | None


class BatchReceived(Answer):
    """The batch is kept as upload ``id``; null when all of it was sent before."""

    id: str | None
    job_id: str | None
    items: list[ItemReceived]


class ItemOut(Answer):
    """An item and what became of it.

    Refused without a finding: another item of an ``atomic`` batch was not good.
    """

    id: str
    client_id: str
    upload_id: str
    result: Result
    document_type: str | None
    document_id: str | None
    findings: list[FindingOut]
    created_at: dt.datetime


class ItemPage(Answer):
    """Some of the items."""

    items: list[ItemOut]
    next_cursor: str


class ItemsQuery(PageQuery):
    """Which items."""

    upload_id: str = Field(default="", max_length=64)
    client_id: str = Field(default="", max_length=100)


@endpoint(
    resource,
    "POST",
    "/batches",
    action="batch.post",
    answer=BatchReceived,
    status=202,
    max_body=MAX_BATCH,
)
def post_batch(json: Batch) -> tuple[BatchReceived, int, dict[str, str]]:
    """Hand in up to 1,000 documents as data; an id that was sent before is answered as then."""
    posted = []
    for item in json.items:
        text = canonical_json(item.document)
        digest = sha256(text.encode()).hexdigest()
        posted.append(PostedDocument(client_id=item.client_id, sha256=digest, text=text))
    size = sum(len(one.text) for one in posted)
    result = run(
        "batch.post", PostBatch(mode=json.mode, document_type=json.type, items=posted)
    ).result
    upload_id = result["upload_id"]
    if upload_id is not None and size <= READ_AT_ONCE:
        intake.run_upload(platform(), upload_id)
    received = BatchReceived(id=upload_id, job_id=result["job_id"], items=result["items"])
    where = url_for("api.batches.list_items", **({"upload_id": upload_id} if upload_id else {}))
    return received, 202, {"Location": where}


@endpoint(resource, "GET", "/batch-items", action="upload.read", answer=ItemPage)
def list_items(query: ItemsQuery) -> ItemPage:
    """List what became of documents that were sent as data, the newest first."""
    statement = select(PostedItem)
    for name in ("upload_id", "client_id"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(PostedItem, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(PostedItem.id))
        items = [_shown(one) for one in results(session, rows)]
    return ItemPage(items=items, next_cursor=following)


def _shown(became: Became) -> ItemOut:
    item = became.item
    return ItemOut(
        id=item.id,
        client_id=item.client_id,
        upload_id=item.upload_id,
        result=became.result,
        document_type=item.document_type,
        document_id=item.document_id,
        findings=[finding_out(one) for one in became.findings],
        created_at=item.created_at,
    )
