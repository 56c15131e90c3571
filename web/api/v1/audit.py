"""The audit trail of one's own organisation: who did what, when, why, with which effect."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.models import AuditLog
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader

resource = Blueprint("audit", __name__)


class AuditRow(Answer):
    """One command and its effect; ``digest`` is what the seals protect."""

    seq: int
    command_id: str
    command: str
    at: dt.datetime
    user_id: str
    roles: str
    key: str
    reason: str
    changes: list[dict[str, Any]]
    digest: str


class AuditPage(Answer):
    """A part of the trail, the newest first."""

    items: list[AuditRow]
    next_cursor: str


class AuditQuery(PageQuery):
    """Which part."""

    command: str = Field(default="", max_length=64)
    user_id: str = Field(default="", max_length=64)


@endpoint(resource, "GET", "/audit", action="audit.read", answer=AuditPage)
def list_audit(query: AuditQuery) -> AuditPage:
    """Show what people of your organisation did."""
    statement = select(AuditLog)
    if query.command:
        statement = statement.where(col(AuditLog.command) == query.command)
    if query.user_id:
        statement = statement.where(col(AuditLog.user_id) == query.user_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(AuditLog.seq))
        items = [AuditRow.model_validate(row) for row in rows]
    return AuditPage(items=items, next_cursor=following)
