"""Payment files: prepared by one officer, released by another, given to nobody before that."""

import datetime as dt
from typing import Any, Final

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Currency
from scf.settlement import payout
from scf.settlement.models import PaymentFile, PaymentInstruction
from scf.settlement.payout import PreparePayout
from web.api.v1 import described
from web.api.v1.files import attachment
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import children, one
from web.context import actor

resource = Blueprint("payment-files", __name__)


class FileBrief(Answer):
    """A payment file as its acts answer it; ``sha256`` is that of its content."""

    id: str
    message_id: str
    state: str
    execution_on: dt.date
    currency: Currency
    count: int
    total: Amount
    sha256: str


class Skipped(Answer):
    """What is not paid now, and why."""

    kind: str
    id: str
    code: str


class Prepared(Answer):
    """The new files, one per currency and day."""

    files: list[FileBrief]
    skipped: list[Skipped]


class PaymentOut(Answer):
    """One payment of a file."""

    id: str
    kind: str
    advance_id: str | None
    payee_id: str
    account_id: str
    amount: Amount
    value_on: dt.date
    end_to_end_id: str
    attempt: int
    state: str
    status_code: str | None
    settled_on: dt.date | None


class FileHead(FileBrief):
    """A payment file and the two people behind it."""

    prepared_by: str
    prepared_at: dt.datetime
    released_by: str | None
    released_at: dt.datetime | None


class FileOut(FileHead):
    """A payment file with its payments."""

    payments: list[PaymentOut]


class FilePage(Answer):
    """Some of the files."""

    items: list[FileHead]
    next_cursor: str


class FilesQuery(PageQuery):
    """Which files."""

    state: str = Field(default="", max_length=20)


class Why(BaseModel):
    """Why the file is not to be released."""

    model_config = ConfigDict(extra="forbid")
    note: str = Field(min_length=1, max_length=4000)


_XML: Final = "application/xml"
described.gives_file("/payment-files/<file_id>/content", _XML)


@endpoint(
    resource,
    "POST",
    "/payment-files",
    action="payout.prepare",
    answer=Prepared,
    status=201,
)
def prepare_files(json: PreparePayout) -> tuple[Prepared, int]:
    """Prepare payment files for all that is decided and checked; nothing leaves yet."""
    result = run("payout.prepare", json).result
    files = [_brief(file) for file in result["files"]]
    return Prepared(files=files, skipped=[Skipped(**row) for row in result["skipped"]]), 201


@endpoint(
    resource,
    "POST",
    "/payment-files/<file_id>/release",
    action="payout.release",
    answer=FileBrief,
)
def release_file(file_id: str) -> FileBrief:
    """Release a file as another person than the one who prepared it."""
    return _brief(run("payout.release", {"file_id": file_id}).result)


@endpoint(
    resource,
    "POST",
    "/payment-files/<file_id>/cancel",
    action="payout.cancel",
    answer=FileBrief,
)
def cancel_file(file_id: str, json: Why) -> FileBrief:
    """Drop a file that was not released; what it would have paid can be prepared again."""
    return _brief(run("payout.cancel", {"file_id": file_id, **json.model_dump()}).result)


@endpoint(resource, "GET", "/payment-files", action="payment_file.read", answer=FilePage)
def list_files(query: FilesQuery) -> FilePage:
    """List your payment files."""
    statement = select(PaymentFile)
    if query.state:
        statement = statement.where(col(PaymentFile.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(PaymentFile.id))
        return FilePage(items=[_head(row) for row in rows], next_cursor=following)


@endpoint(resource, "GET", "/payment-files/<file_id>", action="payment_file.read", answer=FileOut)
def get_file(file_id: str) -> FileOut:
    """Show one payment file with its payments."""
    with reader() as session:
        row = one(session, PaymentFile, file_id)
        return FileOut(**dict(_head(row)), payments=_payments(session, row))


@endpoint(
    resource, "GET", "/payment-files/<file_id>/content", action="payment_file.read", answer=None
)
def get_content(file_id: str) -> Response:
    """Give the released file for the bank (pain.001), the same bytes every time."""
    with reader() as session:
        name = one(session, PaymentFile, file_id).msg_id
        content = payout.content_of(session.connection(), file_id, actor())
    return attachment(content, f"{name}.xml", _XML)


def _brief(result: dict[str, Any]) -> FileBrief:
    return FileBrief(
        id=result["file_id"],
        message_id=result["message_id"],
        state=result["state"],
        execution_on=dt.date.fromisoformat(result["execution_on"]),
        currency=result["currency"],
        count=result["count"],
        total=amount(result["total_minor"], result["currency"]),
        sha256=result["sha256"],
    )


def _head(row: PaymentFile) -> FileHead:
    return FileHead(
        id=row.id,
        message_id=row.msg_id,
        state=row.state,
        execution_on=row.execution_on,
        currency=row.currency,
        count=row.count,
        total=amount(row.total_minor, row.currency),
        sha256=row.sha256,
        prepared_by=row.prepared_by,
        prepared_at=row.prepared_at,
        released_by=row.released_by,
        released_at=row.released_at,
    )


def _payments(session: Session, file: PaymentFile) -> list[PaymentOut]:
    return [
        PaymentOut(
            id=row.id,
            kind=row.kind,
            advance_id=row.advance_id,
            payee_id=row.payee_id,
            account_id=row.account_id,
            amount=amount(row.amount_minor, row.currency),
            value_on=row.value_on,
            end_to_end_id=row.end_to_end_id,
            attempt=row.attempt,
            state=row.state,
            status_code=row.status_code,
            settled_on=row.settled_on,
        )
        for row in children(session, PaymentInstruction, PaymentInstruction.file_id, [file.id])
    ]
