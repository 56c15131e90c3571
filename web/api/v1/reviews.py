"""Automatic approvals that were drawn for a later look, for the financier only."""

import datetime as dt

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.financing.models import RequestReview
from scf.financing.oversight import ReviewRequest
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one

resource = Blueprint("reviews", __name__)


class ReviewOut(Answer):
    """One drawn approval, and what the officer thought of it."""

    id: str
    request_id: str
    state: str
    outcome: str | None
    code: str | None
    note: str | None
    user_id: str | None
    drawn_at: dt.datetime
    reviewed_at: dt.datetime | None


class ReviewPage(Answer):
    """Some of the reviews."""

    items: list[ReviewOut]
    next_cursor: str


class Reviewed(Answer):
    """The review after the officer's word."""

    id: str
    request_id: str
    state: str
    outcome: str
    code: str | None


class ReviewsQuery(PageQuery):
    """Which reviews."""

    state: str = Field(default="", max_length=20)


@endpoint(resource, "POST", "/reviews", action="request.review", answer=Reviewed, status=201)
def review(json: ReviewRequest) -> tuple[Reviewed, int]:
    """Say what you think of an approval that the policy gave."""
    return Reviewed.model_validate(run("request.review", json).result), 201


@endpoint(resource, "GET", "/reviews", action="decision.read", answer=ReviewPage)
def list_reviews(query: ReviewsQuery) -> ReviewPage:
    """List what was drawn for a look, the newest first."""
    statement = select(RequestReview)
    if query.state:
        statement = statement.where(col(RequestReview.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(RequestReview.id))
        items = [ReviewOut.model_validate(row) for row in rows]
    return ReviewPage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/reviews/<review_id>", action="decision.read", answer=ReviewOut)
def get_review(review_id: str) -> ReviewOut:
    """Show one review."""
    with reader() as session:
        row = one(session, RequestReview, review_id)
        return ReviewOut.model_validate(row)
