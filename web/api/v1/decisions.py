"""Decisions: each officer's word on a request, a maker's first, then another person's."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Id, OptCode, OptCount
from scf.financing.models import Decision
from web.api.v1 import described
from web.api.v1.paging import PageQuery, page
from web.api.v1.requests import RequestMoved, moved_of
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, etag, expected_version, reader, run
from web.api.v1.trade import one

resource = Blueprint("decisions", __name__)


class DecisionOut(Answer):
    """One word; ``signed_digest`` covers amounts, currency, payee, invoices and version."""

    id: str
    request_id: str
    step: int
    outcome: str
    code: str | None
    note: str
    signed_digest: str
    user_id: str
    at: dt.datetime


class DecisionPage(Answer):
    """Some of the decisions."""

    items: list[DecisionOut]
    next_cursor: str


class DecisionsQuery(PageQuery):
    """Which decisions."""

    request_id: str = Field(default="", max_length=64)


class Decide(BaseModel):
    """A word on the version of the request that was read: here, or as ``If-Match``.

    A decline has a ``code``; the seller reads it with the ``gap``. The ``note`` stays inside.
    """

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    outcome: Literal["APPROVE", "DECLINE"]
    version: OptCount = None
    code: OptCode = None
    gap: str = Field(default="", max_length=1000)
    note: str = Field(default="", max_length=4000)


described.asks_version("POST", "/decisions", required=False)


@endpoint(resource, "POST", "/decisions", action="request.decide", answer=RequestMoved, status=201)
def decide(json: Decide) -> tuple[RequestMoved, int, dict[str, str]]:
    """Approve or decline a request, on the version of it that you have read."""
    version = expected_version() if json.version is None else json.version
    result = run("request.decide", json.model_dump() | {"version": version}).result
    moved = moved_of(result)
    return moved, 201, etag(moved.version)


@endpoint(resource, "GET", "/decisions", action="decision.read", answer=DecisionPage)
def list_decisions(query: DecisionsQuery) -> DecisionPage:
    """List the decisions of your officers."""
    statement = select(Decision)
    if query.request_id:
        statement = statement.where(col(Decision.request_id) == query.request_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(Decision.id))
        items = [DecisionOut.model_validate(row.model_dump()) for row in rows]
    return DecisionPage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/decisions/<decision_id>", action="decision.read", answer=DecisionOut)
def get_decision(decision_id: str) -> DecisionOut:
    """Show one decision."""
    with reader() as session:
        return DecisionOut.model_validate(one(session, Decision, decision_id).model_dump())
