"""Work that goes on behind: how far it is, and what came of it."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.models import Job
from scf.db.visibility import not_found
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader

resource = Blueprint("jobs", __name__)


class JobOut(Answer):
    """One piece of work. Why an attempt failed inside is the operator's to read, not shown here."""

    id: str
    kind: str
    state: str
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    attempts: int
    created_at: dt.datetime
    finished_at: dt.datetime | None


class JobPage(Answer):
    """Some of the work."""

    items: list[JobOut]
    next_cursor: str


class JobsQuery(PageQuery):
    """Which work."""

    state: str = Field(default="", max_length=20)
    kind: str = Field(default="", max_length=64)


@endpoint(resource, "GET", "/jobs", action="job.read", answer=JobPage)
def list_jobs(query: JobsQuery) -> JobPage:
    """List your organisation's work."""
    statement = select(Job)
    if query.state:
        statement = statement.where(col(Job.state) == query.state)
    if query.kind:
        statement = statement.where(col(Job.kind) == query.kind)
    with reader() as session:
        rows, following = page(session, statement, query, col(Job.id))
        items = [JobOut.model_validate(row) for row in rows]
    return JobPage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/jobs/<job_id>", action="job.read", answer=JobOut)
def get_job(job_id: str) -> JobOut:
    """Show one piece of work."""
    with reader() as session:
        row = session.execute(select(Job).where(col(Job.id) == job_id)).scalar_one_or_none()
        if row is None:
            raise not_found("job", job_id)
        return JobOut.model_validate(row)
