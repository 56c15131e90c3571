"""Firms that documents name and no number settles: who may be meant, and a person's word."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field

from scf.documents.identity.cases import Case, case, cases
from scf.parties.identity.lookup import Candidate
from scf.parties.identity.score import Score
from web.api.v1.firms import Identifier
from web.api.v1.paging import PageQuery, decode, encode
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, run
from web.context import actor, platform

resource = Blueprint("identity_cases", __name__)


class ScorePart(Answer):
    """One reason of a score: what was compared, on both sides, and what it counts for."""

    code: str
    points: int
    said: str
    known: str


class CandidateOut(Answer):
    """A firm that may be meant; ``tier`` is ``certain``, ``likely``, ``possible`` or ``none``."""

    firm_id: str
    name: str
    state: str
    points: int
    tier: str
    parts: list[ScorePart]


class IdentityCase(Answer):
    """A firm as documents name it, with the firms that may be meant, the likeliest first.

    The list tells the first of them only.
    """

    id: str
    told_by: str
    side: str
    name: str
    country: str
    identifiers: list[Identifier]
    address: str
    documents: int
    since: dt.datetime
    candidates: list[CandidateOut]


class IdentityCasePage(Answer):
    """Some of the cases, the oldest first."""

    items: list[IdentityCase]
    next_cursor: str


class IdentityAnswer(BaseModel):
    """Who is meant: a known firm, a new one, or nobody that can be told."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["KNOWN", "NEW", "SENT_BACK"]
    firm_id: str | None = Field(default=None, max_length=64)
    reason: str = Field(min_length=3, max_length=2000)


class IdentityDecided(Answer):
    """What became of it; the firm is missing where the documents went back."""

    outcome: str
    name: str
    firm_id: str | None


@endpoint(resource, "GET", "/identity-cases", action="identity.decide", answer=IdentityCasePage)
def list_identity_cases(query: PageQuery) -> IdentityCasePage:
    """List the firms that your waiting documents name and nobody could settle."""
    with platform().db.snapshot() as conn:
        rows = cases(conn, actor())
    if query.cursor:
        after = decode(query.cursor, str)
        rows = [row for row in rows if row.finding_id > after]
    part = rows[: query.limit]
    return IdentityCasePage(
        items=[_shown(row) for row in part],
        next_cursor=encode(part[-1].finding_id) if len(rows) > len(part) else "",
    )


@endpoint(
    resource,
    "GET",
    "/identity-cases/<finding_id>",
    action="identity.decide",
    answer=IdentityCase,
)
def get_identity_case(finding_id: str) -> IdentityCase:
    """Show one case with the firms that may be meant, and why."""
    with platform().db.snapshot() as conn:
        return _shown(case(conn, actor(), finding_id))


@endpoint(
    resource,
    "POST",
    "/identity-cases/<finding_id>/decide",
    action="identity.decide",
    answer=IdentityDecided,
)
def decide_identity_case(finding_id: str, json: IdentityAnswer) -> IdentityDecided:
    """Say who is meant; what waited for it goes on, or back to its sender."""
    result = run("identity.decide", {"finding_id": finding_id, **json.model_dump()}).result
    return IdentityDecided(outcome=result["outcome"], name=result["name"], firm_id=result["id"])


def parts_of(score: Score) -> list[ScorePart]:
    """Give the reasons of a score."""
    return [ScorePart.model_validate(part._asdict()) for part in score.parts]


def _shown(row: Case) -> IdentityCase:
    return IdentityCase(
        id=row.finding_id,
        told_by=row.told_by,
        side=row.side,
        name=row.name,
        country=row.country,
        identifiers=[Identifier(scheme=scheme, value=value) for scheme, value in row.numbers],
        address=row.said.address,
        documents=row.documents,
        since=row.since,
        candidates=[_candidate(one) for one in row.candidates],
    )


def _candidate(one: Candidate) -> CandidateOut:
    return CandidateOut(
        firm_id=one.firm_id,
        name=one.name,
        state=one.state,
        points=one.score.points,
        tier=one.score.tier.value,
        parts=parts_of(one.score),
    )
