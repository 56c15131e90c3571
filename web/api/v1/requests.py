"""Financing requests: a seller takes a quote, two officers decide, either side may step back.

The seller reads the state, the money and why it was declined. Checks, notes and evidence are the
financier's own; what a check has found is never told, only that the request needs one.
"""

import datetime as dt
from typing import Any, Final

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Currency, Id, Ppm
from scf.financing.models import Advance, FinancingRequest, ManualCheck, RequestQuestion
from scf.financing.reasons import letter, told
from scf.offers.models import Quote
from web.api.v1 import described
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, expected_version, reader, run
from web.api.v1.trade import children, one, today
from web.context import actor
from web.refusals import translated

resource = Blueprint("financing-requests", __name__)


class AdvanceBrief(Answer):
    """One advance of the request."""

    id: str
    invoice_id: str
    face: Amount
    state: str


class Declined(Answer):
    """Why not, the weightiest code first, what is missing, and what the seller can do."""

    code: str
    codes: list[str]
    gap: str
    next_step: str


class RequestOut(Answer):
    """A request. ``on`` is the financier's business date at this answer."""

    id: str
    state: str
    quote_id: str
    seller_id: str
    financier_id: str
    programme_id: str
    currency: Currency
    face: Amount
    discount: Amount
    fee: Amount
    net: Amount
    on: dt.date
    value_on: dt.date
    day_count: str
    rate_basis: str
    rate_percent: str
    all_in_ppm: Ppm
    effective_ppm: Ppm
    decide_by: dt.datetime
    submitted_by: str
    submitted_at: dt.datetime
    decided_at: dt.datetime | None
    declined: Declined | None
    advances: list[AdvanceBrief]
    version: int


class RequestPage(Answer):
    """Some of the requests."""

    items: list[RequestOut]
    next_cursor: str


class RequestsQuery(PageQuery):
    """Which requests."""

    state: str = Field(default="", max_length=20)
    programme_id: str = Field(default="", max_length=64)


class Submitted(Answer):
    """The new request: its amounts are set aside until ``decide_by``."""

    id: str
    state: str
    version: int
    quote_id: str
    face: Amount
    discount: Amount
    fee: Amount
    net: Amount
    on: dt.date
    value_on: dt.date
    day_count: str
    rate_basis: str
    all_in_ppm: Ppm
    effective_ppm: Ppm
    decide_by: dt.datetime
    advances: list[AdvanceBrief]


class RequestMoved(Answer):
    """The request after a step; ``missing`` are the checks that the next one needs."""

    id: str
    state: str
    version: int
    decide_by: dt.datetime
    code: str | None = None
    missing: list[str] = Field(default_factory=list)


class CheckOut(Answer):
    """An officer's recorded check, for the financier only."""

    id: str
    request_id: str
    kind: str
    result: str
    source: str
    evidence: str
    user_id: str
    at: dt.datetime


class CheckPage(Answer):
    """Some of the checks."""

    items: list[CheckOut]
    next_cursor: str


class QuestionOut(Answer):
    """A question before the decision, and its answer."""

    id: str
    state: str
    question: str
    asked_at: dt.datetime
    answer: str | None
    answered_at: dt.datetime | None


class QuestionPage(Answer):
    """Some of the questions."""

    items: list[QuestionOut]
    next_cursor: str


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TakeQuote(_Body):
    """The quote that the seller takes."""

    quote_id: Id


class AnswerQuestion(_Body):
    """What the seller says to the open question."""

    answer: str = Field(min_length=1, max_length=4000)


class Check(_Body):
    """What an officer looked at, what came of it, and where that can be seen."""

    kind: str = Field(max_length=64)
    result: str = Field(max_length=64)
    evidence: str = Field(min_length=3, max_length=4000)


class Cancel(_Body):
    """Why the financier will not pay after all; ``note`` stays inside."""

    code: str = Field(min_length=2, max_length=64)
    note: str = Field(min_length=3, max_length=4000)


described.asks_version("POST", "/financing-requests/<request_id>/withdraw")
described.asks_version("POST", "/financing-requests/<request_id>/cancel")
described.asks_version("POST", "/financing-requests/<request_id>/answers")


# --- Seller -----------------------------------------------------------------------------------


@endpoint(
    resource,
    "POST",
    "/financing-requests",
    action="request.submit",
    answer=Submitted,
    status=201,
)
def submit_request(json: TakeQuote) -> tuple[Submitted, int, dict[str, str]]:
    """Take a quote: its amounts are set aside; within policy it is approved at once."""
    result = run("request.submit", json.model_dump()).result
    currency = result["currency"]
    shown = {name: result[name] for name in _KEPT}
    money = {name: amount(result[f"{name}_minor"], currency) for name in _AMOUNTS}
    advances = [
        AdvanceBrief(
            id=line["id"],
            invoice_id=line["invoice_id"],
            face=amount(line["face_minor"], currency),
            state=line["state"],
        )
        for line in result["advances"]
    ]
    answer = Submitted.model_validate({**shown, **money, "advances": advances})
    return answer, 201, etag(answer.version)


_AMOUNTS: Final = ("face", "discount", "fee", "net")
_KEPT: Final = set(Submitted.model_fields) - set(_AMOUNTS) - {"advances"}


@endpoint(
    resource,
    "POST",
    "/financing-requests/<request_id>/withdraw",
    action="request.withdraw",
    answer=RequestMoved,
)
def withdraw_request(request_id: str) -> tuple[RequestMoved, int, dict[str, str]]:
    """Take a request back, as the seller, before its pay-out is instructed."""
    return _moved("request.withdraw", request_id, {"version": expected_version()})


@endpoint(
    resource,
    "POST",
    "/financing-requests/<request_id>/answers",
    action="request.answer",
    answer=RequestMoved,
)
def answer_request(
    request_id: str, json: AnswerQuestion
) -> tuple[RequestMoved, int, dict[str, str]]:
    """Answer what the financier has asked, as the seller; the clock runs on."""
    return _moved(
        "request.answer", request_id, {"version": expected_version(), **json.model_dump()}
    )


@endpoint(
    resource,
    "GET",
    "/financing-requests/<request_id>/answers",
    action="request.read",
    answer=QuestionPage,
)
def list_questions(request_id: str, query: PageQuery) -> QuestionPage:
    """List what the financier has asked, with the answers."""
    with reader() as session:
        one(session, FinancingRequest, request_id)
        statement = select(RequestQuestion).where(col(RequestQuestion.request_id) == request_id)
        key = col(RequestQuestion.id)
        rows, following = page(session, statement, query, key, newest_first=False)
        items = [QuestionOut.model_validate(row) for row in rows]
    return QuestionPage(items=items, next_cursor=following)


# --- Financier --------------------------------------------------------------------------------


@endpoint(
    resource,
    "POST",
    "/financing-requests/<request_id>/checks",
    action="request.check",
    answer=RequestMoved,
)
def check_request(request_id: str, json: Check) -> tuple[RequestMoved, int, dict[str, str]]:
    """Put an officer's check on record; a hit refuses the request and frees everything."""
    return _moved("request.check", request_id, json.model_dump())


@endpoint(
    resource,
    "GET",
    "/financing-requests/<request_id>/checks",
    action="decision.read",
    answer=CheckPage,
)
def list_checks(request_id: str, query: PageQuery) -> CheckPage:
    """List the recorded checks of a request, for the financier only."""
    with reader() as session:
        one(session, FinancingRequest, request_id)
        statement = select(ManualCheck).where(col(ManualCheck.request_id) == request_id)
        rows, following = page(session, statement, query, col(ManualCheck.id), newest_first=False)
        items = [
            CheckOut.model_validate(
                row.model_dump(exclude={"words"}) | {"evidence": translated(row.told)}
            )
            for row in rows
        ]
    return CheckPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/financing-requests/<request_id>/cancel",
    action="request.cancel",
    answer=RequestMoved,
)
def cancel_request(request_id: str, json: Cancel) -> tuple[RequestMoved, int, dict[str, str]]:
    """Drop a request that is not instructed yet, as the financier."""
    payload = {"version": expected_version(), **json.model_dump()}
    return _moved("request.cancel", request_id, payload)


def _moved(
    command: str, request_id: str, payload: dict[str, Any]
) -> tuple[RequestMoved, int, dict[str, str]]:
    result = run(command, {"request_id": request_id, **payload}).result
    moved = moved_of(result)
    return moved, 200, etag(moved.version)


def moved_of(result: dict[str, Any]) -> RequestMoved:
    """Give the answer of a step from what its command has stored."""
    return RequestMoved.model_validate(
        {name: result[name] for name in RequestMoved.model_fields if name in result}
    )


# --- Reading ----------------------------------------------------------------------------------


@endpoint(resource, "GET", "/financing-requests", action="request.read", answer=RequestPage)
def list_requests(query: RequestsQuery) -> RequestPage:
    """List the requests of which you are a side."""
    statement = select(FinancingRequest)
    for name in ("state", "programme_id"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(FinancingRequest, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(FinancingRequest.id))
        return RequestPage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/financing-requests/<request_id>",
    action="request.read",
    answer=RequestOut,
)
def get_request(request_id: str) -> tuple[RequestOut, int, dict[str, str]]:
    """Show one request."""
    with reader() as session:
        row = one(session, FinancingRequest, request_id)
        return _shown(session, [row])[0], 200, etag(row.version)


def _shown(session: Session, rows: list[FinancingRequest]) -> list[RequestOut]:
    conn = session.connection()
    on = {row.financier_id: today(conn, row.financier_id) for row in rows}
    found = session.execute(select(Quote).where(col(Quote.id).in_([r.quote_id for r in rows])))
    quotes = {quote.id: quote for quote in found.scalars()}
    briefs: dict[str, list[AdvanceBrief]] = {}
    for advance in children(session, Advance, Advance.request_id, [row.id for row in rows]):
        briefs.setdefault(advance.request_id, []).append(
            AdvanceBrief(
                id=advance.id,
                invoice_id=advance.invoice_id,
                face=amount(advance.face_minor, advance.currency),
                state=advance.state,
            )
        )
    return [
        _one(row, quotes[row.quote_id], on[row.financier_id], briefs.get(row.id, []))
        for row in rows
    ]


def _one(
    row: FinancingRequest, quote: Quote, on: dt.date, briefs: list[AdvanceBrief]
) -> RequestOut:
    return RequestOut(
        id=row.id,
        state=row.state,
        quote_id=row.quote_id,
        seller_id=row.seller_id,
        financier_id=row.financier_id,
        programme_id=row.programme_id,
        currency=row.currency,
        face=amount(row.face_minor, row.currency),
        discount=amount(row.discount_minor, row.currency),
        fee=amount(row.fee_minor, row.currency),
        net=amount(row.net_minor, row.currency),
        on=on,
        value_on=quote.value_on,
        day_count=quote.day_count,
        rate_basis=quote.rate_basis,
        rate_percent=quote.rate_percent,
        all_in_ppm=row.all_in_ppm,
        effective_ppm=row.effective_ppm,
        decide_by=row.decide_by,
        submitted_by=row.submitted_by,
        submitted_at=row.submitted_at,
        decided_at=row.decided_at,
        declined=_declined(row),
        advances=briefs,
        version=row.version,
    )


def _declined(row: FinancingRequest) -> Declined | None:
    if row.decline_code is None:
        return None
    facts = row.decline_facts if isinstance(row.decline_facts, dict) else {}
    own = row.financier_id == actor().org_id
    codes = [row.decline_code, *facts.get("codes", [])]
    return Declined(
        code=row.decline_code if own else told(row.decline_code),
        codes=list(dict.fromkeys(codes if own else letter(codes))),
        gap=str(facts.get("gap", "")),
        next_step=translated(str(facts.get("next_step", ""))),
    )
