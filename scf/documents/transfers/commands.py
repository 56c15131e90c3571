"""The commands on a file that comes by slices: announced, brought, made whole, dropped."""

import hashlib
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import Row, Table, delete, insert, select, update

from scf.db.leases import Claimed
from scf.db.platform import Platform
from scf.db.runner import Context, command
from scf.db.visibility import not_found
from scf.documents.commands import MAX_UPLOAD, HowToRead, keep_file
from scf.documents.transfers import rules
from scf.documents.transfers.models import Transfer, TransferSlice
from scf.kernel.actor import OPERATOR
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.kernel.findings import shown
from scf.kernel.ids import new_id

_transfer: Final[Table] = Transfer.__table__  # type: ignore[attr-defined]
_slice: Final[Table] = TransferSlice.__table__  # type: ignore[attr-defined]
_SHA256: Final = r"^[0-9a-f]{64}$"


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class OpenTransfer(_Input):
    """A file that is announced: its name, its size, and its digest."""

    name: str = Field(min_length=1, max_length=400)
    size: int = Field(ge=1, le=MAX_UPLOAD, strict=True)
    sha256: str = Field(pattern=_SHA256)
    slice_bytes: int = Field(
        default=rules.SLICE_BYTES, ge=rules.MIN_SLICE_BYTES, le=rules.SLICE_BYTES, strict=True
    )


class BringSlice(_Input):
    """One slice of an announced file, and the digest that its sender worked out."""

    transfer_id: str = Field(max_length=64)
    number: int = Field(ge=0, lt=10_000, strict=True)
    sha256: str = Field(pattern=_SHA256)
    content: bytes = Field(exclude=True, repr=False, max_length=rules.SLICE_BYTES)

    # What really came stands in the body of the key: other bytes are another request.
    @computed_field  # type: ignore[prop-decorator]
    @cached_property
    def arrived(self) -> str:
        """Fingerprint of the bytes that came."""
        return hashlib.sha256(self.content).hexdigest()


class CompleteTransfer(HowToRead):
    """An announced file whose last slice is here, and how it is to be read."""

    transfer_id: str = Field(max_length=64)


class DropTransfer(_Input):
    """An announced file that will not be finished."""

    transfer_id: str = Field(max_length=64)


@command("transfer.open", OpenTransfer)
def open_transfer(ctx: Context, data: OpenTransfer) -> dict[str, Any]:
    """Slices of a file are taken for a day; the same file again goes on where it was.

    Raises
    ------
    RuleViolation
        TRANSFERS_OPEN when the person or the organisation has too much on its way already.
    """
    mine = (
        _transfer.c.org_id == ctx.actor.org_id,
        _transfer.c.state == "OPEN",
        _transfer.c.expires_at > ctx.now,
    )
    open_ones = ctx.conn.execute(select(_transfer).where(*mine).order_by(_transfer.c.id)).all()
    own = [row for row in open_ones if row.user_id == ctx.actor.user_id]
    for row in own:
        if (row.sha256, row.size) == (data.sha256, data.size):
            return {"transfer_id": row.id, "slice_bytes": row.slice_bytes}
    on_the_way = sum(row.size for row in open_ones)
    if (
        len(own) >= rules.OPEN_OF_A_PERSON
        or len(open_ones) >= rules.OPEN_OF_AN_ORGANISATION
        or on_the_way + data.size > rules.BYTES_OF_AN_ORGANISATION
    ):
        raise RuleViolation(
            "TRANSFERS_OPEN",
            "Too many files are on their way. Finish one or drop it.",
            own=len(own),
            organisation=len(open_ones),
        )
    transfer_id = new_id()
    expires_at = ctx.now + rules.LIFETIME
    ctx.conn.execute(
        insert(_transfer),
        {
            "id": transfer_id,
            "org_id": ctx.actor.org_id,
            "user_id": ctx.actor.user_id,
            "name": shown(data.name, 400),
            "size": data.size,
            "slice_bytes": data.slice_bytes,
            "sha256": data.sha256,
            "state": "OPEN",
            "created_at": ctx.now,
            "expires_at": expires_at,
        },
    )
    ctx.change("transfer", transfer_id, None, {"sha256": data.sha256, "size": data.size})
    ctx.enqueue("transfers.expire", {"transfer_id": transfer_id}, transfer_id, at=expires_at)
    return {"transfer_id": transfer_id, "slice_bytes": data.slice_bytes}


@command("transfer.bring", BringSlice)
def bring_slice(ctx: Context, data: BringSlice) -> dict[str, Any]:
    """One slice of an announced file is kept, once, if it came as it was sent.

    Raises
    ------
    InvalidInput
        SLICE_SIZE or SLICE_DIGEST when it is not the slice that it should be.
    Conflict
        TRANSFER_STATE for a file that is whole, dropped or too old; SLICE_OTHER when other bytes
        stand in its place.
    """
    row = _own(ctx, data.transfer_id)
    _must_be_open(ctx, row)
    expected = rules.size_of_slice(data.number, row.size, row.slice_bytes)
    if len(data.content) != expected:
        raise InvalidInput(
            "SLICE_SIZE",
            "This slice must have %(expected)s bytes, and %(came)s came.",
            expected=expected,
            came=len(data.content),
        )
    if data.arrived != data.sha256:
        raise InvalidInput(
            "SLICE_DIGEST", "The slice did not arrive as it was sent. Send it again."
        )
    there = ctx.conn.execute(
        select(_slice.c.sha256).where(
            _slice.c.transfer_id == row.id, _slice.c.number == data.number
        )
    ).scalar_one_or_none()
    if there is None:
        one = {"transfer_id": row.id, "number": data.number, "sha256": data.sha256}
        ctx.conn.execute(insert(_slice), one | {"content": data.content})
        ctx.change("transfer", row.id, None, {"slice": data.number, "sha256": data.sha256})
    elif there != data.sha256:
        raise Conflict("SLICE_OTHER", "Another slice stands here: the file is not the same.")
    return {"transfer_id": row.id, "number": data.number}


@command("transfer.complete", CompleteTransfer)
def complete_transfer(ctx: Context, data: CompleteTransfer) -> dict[str, Any]:
    """The slices become the file that was announced, which is kept and read as any other.

    Raises
    ------
    Conflict
        TRANSFER_STATE; TRANSFER_INCOMPLETE while slices are missing.
    InvalidInput
        FILE_DIGEST when the whole is not what was announced.
    """
    row = _own(ctx, data.transfer_id)
    _must_be_open(ctx, row)
    parts = ctx.conn.execute(
        select(_slice.c.number, _slice.c.content)
        .where(_slice.c.transfer_id == row.id)
        .order_by(_slice.c.number)
    ).all()
    gaps = rules.missing({part.number for part in parts}, row.size, row.slice_bytes)
    if gaps:
        raise Conflict("TRANSFER_INCOMPLETE", "Slices of the file are missing.", missing=gaps[:100])
    content = b"".join(part.content for part in parts)
    if hashlib.sha256(content).hexdigest() != row.sha256:
        raise InvalidInput("FILE_DIGEST", "The file is not the one that was announced.")
    answer = keep_file(ctx, data, row.name, content, row.sha256)
    _end(ctx, row, "DONE", answer["upload_id"])
    return answer


@command("transfer.drop", DropTransfer)
def drop_transfer(ctx: Context, data: DropTransfer) -> dict[str, Any]:
    """What is here of a file is removed: its sender says so, or a day has passed."""
    row = (
        ctx.lock(Transfer, [data.transfer_id])[data.transfer_id]
        if ctx.actor.is_operator
        else _own(ctx, data.transfer_id)
    )
    if row.state == "OPEN" and (not ctx.actor.is_operator or row.expires_at <= ctx.now):
        _end(ctx, row, "DROPPED", None)
        return {"transfer_id": row.id, "state": "DROPPED"}
    return {"transfer_id": row.id, "state": row.state}


def expire_job(platform: Platform, job: Claimed) -> dict[str, Any]:
    """Do the job "transfers.expire": remove what nobody has finished within its day."""
    payload = DropTransfer(transfer_id=job.payload["transfer_id"])
    return platform.run("transfer.drop", payload, OPERATOR, key=job.key).result


def _own(ctx: Context, transfer_id: str) -> Row[Any]:
    """Lock a file that the actor has announced; those of others answer as if there were none."""
    row = ctx.lock(Transfer, [transfer_id])[transfer_id]
    if (row.org_id, row.user_id) != (ctx.actor.org_id, ctx.actor.user_id):
        raise not_found("transfer", transfer_id)
    return row


def _must_be_open(ctx: Context, row: Row[Any]) -> None:
    if row.state != "OPEN" or row.expires_at <= ctx.now:
        raise Conflict(
            "TRANSFER_STATE",
            "This file takes no more slices. Begin again.",
            state=row.state,
            upload_id=row.upload_id,
        )


def _end(ctx: Context, row: Row[Any], state: str, upload_id: str | None) -> None:
    ctx.conn.execute(delete(_slice).where(_slice.c.transfer_id == row.id))
    ctx.conn.execute(
        update(_transfer)
        .where(_transfer.c.id == row.id)
        .values(state=state, upload_id=upload_id, ended_at=ctx.now)
    )
    ctx.change("transfer", row.id, {"state": row.state}, {"state": state, "upload_id": upload_id})
