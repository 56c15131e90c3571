"""Decisions: the policy's word on a request, or an officer's, and then another person's."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Code, Count, Id, OptCode, OptCount, SignedCount
from scf.financing.counter import CounterLine
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
    round: int
    step: int
    outcome: str
    code: str | None
    codes: list[str] | None
    note: str
    signed_digest: str
    version: int
    policy_version: str | None
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

    A decline has a ``code``, or several ``codes`` by their weight; the seller reads what may be
    told of them, with the ``gap``. RETURN asks the seller a ``question``; COUNTER offers less
    ``lines``; DIFFER, as the second officer, says in the ``note`` why. The note stays inside.
    """

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    outcome: Literal["APPROVE", "COUNTER", "RETURN", "DECLINE", "DIFFER"]
    version: OptCount = None
    code: OptCode = None
    codes: list[Code] = Field(default_factory=list, max_length=4)
    gap: str = Field(default="", max_length=1000)
    note: str = Field(default="", max_length=4000)
    question: str = Field(default="", max_length=2000)
    lines: list[CounterLine] = Field(default_factory=list, max_length=500)


class Case(BaseModel):
    """One case of several, on the version that was read."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    version: Count


class Bulk(BaseModel):
    """Up to ten similar small cases and the one reason for approving them."""

    model_config = ConfigDict(extra="forbid")
    items: list[Case] = Field(min_length=1, max_length=10)
    note: str = Field(min_length=3, max_length=4000)


class Approved(Answer):
    """A case that was approved."""

    id: str
    state: str
    version: int


class Skipped(Answer):
    """A case that needs a look of its own, and why."""

    id: str
    code: str
    message: str


class BulkDone(Answer):
    """What came of several cases."""

    approved: list[Approved]
    skipped: list[Skipped]


class Undo(BaseModel):
    """Why the last word on a request is taken back."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    note: str = Field(default="", max_length=4000)


class Override(BaseModel):
    """What is set aside: the route, for another one, or one of the case's reasons."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    what: Literal["route", "reason"]
    value: Code
    code: Code
    note: str = Field(min_length=3, max_length=4000)


class Reprice(BaseModel):
    """Whole basis points on the policy's margin: less than nothing is cheaper, 0 the model's."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    margin_shift_bp: SignedCount
    code: Code
    note: str = Field(min_length=3, max_length=4000)


described.asks_version("POST", "/decisions", required=False)
described.asks_version("POST", "/decisions/reprice")
described.asks_version("POST", "/decisions/undo")
described.asks_version("POST", "/decisions/override")


@endpoint(resource, "POST", "/decisions", action="request.decide", answer=RequestMoved, status=201)
def decide(json: Decide) -> tuple[RequestMoved, int, dict[str, str]]:
    """Say your word on a request, on the version of it that you have read."""
    version = expected_version() if json.version is None else json.version
    result = run("request.decide", json.model_dump() | {"version": version}).result
    moved = moved_of(result)
    return moved, 201, etag(moved.version)


@endpoint(
    resource,
    "POST",
    "/decisions/bulk",
    action="request.approve_many",
    answer=BulkDone,
    status=201,
)
def decide_many(json: Bulk) -> tuple[BulkDone, int]:
    """Approve up to ten small cases that are alike; what stands out is left and named."""
    return BulkDone.model_validate(run("request.approve_many", json.model_dump()).result), 201


@endpoint(resource, "POST", "/decisions/undo", action="request.undo", answer=RequestMoved)
def undo(json: Undo) -> tuple[RequestMoved, int, dict[str, str]]:
    """Take your last word back, within five minutes and before the pay-out is released."""
    return _moved("request.undo", json)


@endpoint(resource, "POST", "/decisions/override", action="request.override", answer=RequestMoved)
def override(json: Override) -> tuple[RequestMoved, int, dict[str, str]]:
    """Set a route or a reason aside, with a code and a note."""
    return _moved("request.override", json)


@endpoint(resource, "POST", "/decisions/reprice", action="request.reprice", answer=RequestMoved)
def reprice(json: Reprice) -> tuple[RequestMoved, int, dict[str, str]]:
    """Propose another price, with a code and a note; officers decide, and the seller takes it."""
    return _moved("request.reprice", json)


def _moved(name: str, json: BaseModel) -> tuple[RequestMoved, int, dict[str, str]]:
    payload = json.model_dump() | {"version": expected_version()}
    moved = moved_of(run(name, payload).result)
    return moved, 200, etag(moved.version)


@endpoint(resource, "GET", "/decisions", action="decision.read", answer=DecisionPage)
def list_decisions(query: DecisionsQuery) -> DecisionPage:
    """List the decisions of your officers."""
    statement = select(Decision)
    if query.request_id:
        statement = statement.where(col(Decision.request_id) == query.request_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(Decision.id))
        return DecisionPage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(resource, "GET", "/decisions/<decision_id>", action="decision.read", answer=DecisionOut)
def get_decision(decision_id: str) -> DecisionOut:
    """Show one decision."""
    with reader() as session:
        return _shown(one(session, Decision, decision_id))


def _shown(row: Decision) -> DecisionOut:
    return DecisionOut.model_validate(row.model_dump(exclude={"seen"}))
