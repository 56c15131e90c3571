"""The command that takes up to a thousand documents, each under its sender's own id."""

import hashlib
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.documents.canonical import DocumentType
from scf.documents.commands import MAX_SLICE, HowToRead, keep_file
from scf.documents.posted.noting import ITEM
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id

_USED: Final = "CLIENT_ID_USED"

constraint_means(
    "uq_posted_item",
    "posted_item.org_id, posted_item.client_id",
    lambda: Conflict("IN_PROGRESS", "The same document is being received right now. Ask again."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PostedDocument(_Input):
    """A document under its sender's own id; ``text`` is its canonical JSON."""

    client_id: str = Field(min_length=1, max_length=100, pattern=r"^[\x21-\x7e]+$")
    sha256: str = Field(max_length=64)
    text: str = Field(exclude=True, repr=False)


class PostBatch(_Input):
    """Documents as data; their digests stand for them in key and audit trail."""

    mode: Literal["keep-good", "atomic"] = "keep-good"
    document_type: DocumentType | None = None
    items: Annotated[list[PostedDocument], Field(min_length=1, max_length=MAX_SLICE)]


@command("batch.post", PostBatch)
def post_batch(ctx: Context, data: PostBatch) -> dict[str, Any]:
    """What was not sent before is kept as one upload; the rest is answered by what it became.

    Raises
    ------
    InvalidInput
        CLIENT_ID_TWICE when an id stands twice in the batch.
    Conflict
        CLIENT_ID_USED when an all-or-nothing batch has ids that were used before, unless all of
        it was sent before.
    """
    ids = [item.client_id for item in data.items]
    if len(set(ids)) < len(ids):
        raise InvalidInput("CLIENT_ID_TWICE", "An id stands twice in this batch.")
    known = {
        row.client_id: row
        for row in ctx.conn.execute(
            select(ITEM).where(
                ITEM.c.org_id == ctx.actor.org_id, ITEM.c.client_id.in_(ids), ~ITEM.c.released
            )
        )
    }
    fresh = [item for item in data.items if item.client_id not in known]
    other = [
        item.client_id
        for item in data.items
        if item.client_id in known and known[item.client_id].sha256 != item.sha256
    ]
    if data.mode == "atomic" and known and (other or fresh):
        raise Conflict(
            _USED,
            "An id was used before. In a batch of all or nothing every id is new.",
            client_ids=sorted(known)[:20],
        )
    kept = _keep(ctx, data, fresh) if fresh else {"upload_id": None, "job_id": None}
    return {
        **kept,
        "items": [
            {
                "client_id": one,
                "upload_id": known[one].upload_id if one in known else kept["upload_id"],
                "sent_before": one in known,
                "code": _USED if one in other else None,
            }
            for one in ids
        ],
    }


def _keep(ctx: Context, data: PostBatch, fresh: list[PostedDocument]) -> dict[str, Any]:
    """Keep new documents as one file, to be read like every other."""
    content = f'{{"documents":[{",".join(item.text for item in fresh)}]}}'.encode()
    how = HowToRead(format="json", document_type=data.document_type, mode=data.mode, queue=True)
    sha256 = hashlib.sha256(content).hexdigest()
    received = keep_file(ctx, how, "documents.json", content, sha256)
    upload_id = received["upload_id"]
    ctx.conn.execute(
        insert(ITEM),
        [
            {
                "id": new_id(),
                "org_id": ctx.actor.org_id,
                "upload_id": upload_id,
                "position": position,
                "client_id": item.client_id,
                "sha256": item.sha256,
                "released": False,
                "created_at": ctx.now,
            }
            for position, item in enumerate(fresh, start=1)
        ],
    )
    return {"upload_id": upload_id, "job_id": received["job_id"]}
