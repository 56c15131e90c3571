"""What happened that concerns the person behind the token."""

import datetime as dt
from typing import Annotated

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.notices.commands import MAX_READ
from scf.notices.models import Notice
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.refusals import translated

resource = Blueprint("notices", __name__)


class ShownNotice(Answer):
    """A notice; ``subject`` and ``subject_id`` say what it is about."""

    id: str
    topic: str
    subject: str
    subject_id: str
    message: str
    created_at: dt.datetime
    read_at: dt.datetime | None


class NoticePage(Answer):
    """Some of the notices."""

    items: list[ShownNotice]
    next_cursor: str


class NoticesQuery(PageQuery):
    """Which notices."""

    unread: bool = False


class NoticesRead(Answer):
    """How many were unread before."""

    read: int


class ReadNotices(BaseModel):
    """The notices that were read; without ids all of them."""

    model_config = ConfigDict(extra="forbid")
    ids: list[Annotated[str, Field(max_length=64)]] = Field(
        default_factory=list, max_length=MAX_READ
    )


_SHOWN = set(ShownNotice.model_fields)


@endpoint(resource, "GET", "/notices", action="notice.read", answer=NoticePage)
def list_notices(query: NoticesQuery) -> NoticePage:
    """List your own notices, the newest first."""
    statement = select(Notice)
    if query.unread:
        statement = statement.where(col(Notice.read_at).is_(None))
    with reader() as session:
        rows, following = page(session, statement, query, col(Notice.id))
        items = [
            ShownNotice.model_validate(
                row.model_dump(include=_SHOWN) | {"message": translated(row.told)}
            )
            for row in rows
        ]
    return NoticePage(items=items, next_cursor=following)


@endpoint(resource, "POST", "/notices/read", action="notice.mark_read", answer=NoticesRead)
def mark_read(json: ReadNotices) -> NoticesRead:
    """Note that you have read notices."""
    return NoticesRead.model_validate(run("notice.mark_read", json).result)
