"""Two records of one firm, joined or parted: for officers, because it holds for every financier."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.documents.identity.merging import MergeFirms, consequences
from scf.parties.identity.models import FirmMerge
from web.api.v1.identity_cases import ScorePart, parts_of
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one
from web.context import actor, platform
from web.refusals import refusal_text

resource = Blueprint("firm_merges", __name__)


class FirmMergeOut(Answer):
    """A proposal that one record stands for another (``MERGE``) or no longer does (``UNMERGE``)."""

    id: str
    kind: str
    firm_id: str
    survivor_id: str
    state: str
    reason: str
    proposed_by: str
    proposed_at: dt.datetime
    decided_by: str | None
    decided_reason: str
    decided_at: dt.datetime | None


class FirmMergePage(Answer):
    """Some of the proposals."""

    items: list[FirmMergeOut]
    next_cursor: str


class FirmMergeMoved(Answer):
    """The proposal after the act."""

    id: str
    kind: str
    firm_id: str
    survivor_id: str
    state: str


class MergeObstacle(Answer):
    """Something that stands in the way, as the proposal would be refused for it."""

    code: str
    why: str


class MergeEffect(Answer):
    """What joining would do; ``stays`` counts the papers under the record that is given up."""

    points: int
    parts: list[ScorePart]
    stays: dict[str, int]
    obstacles: list[MergeObstacle]


class MergesQuery(PageQuery):
    """Which proposals."""

    state: str = Field(default="", max_length=20)


class Unmerge(BaseModel):
    """Why a record is a firm of its own after all."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=3, max_length=2000)


class MergeWord(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid")
    confirm: bool = Field(strict=True)
    reason: str = Field(min_length=3, max_length=2000)


@endpoint(resource, "GET", "/firm-merges", action="firm.merge", answer=FirmMergePage)
def list_firm_merges(query: MergesQuery) -> FirmMergePage:
    """List who proposed to join or to part which records, the newest first."""
    statement = select(FirmMerge)
    if query.state:
        statement = statement.where(col(FirmMerge.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(FirmMerge.id))
        items = [FirmMergeOut.model_validate(row) for row in rows]
    return FirmMergePage(items=items, next_cursor=following)


@endpoint(resource, "GET", "/firm-merges/<merge_id>", action="firm.merge", answer=FirmMergeOut)
def get_firm_merge(merge_id: str) -> FirmMergeOut:
    """Show one proposal."""
    with reader() as session:
        row = one(session, FirmMerge, merge_id)
        return FirmMergeOut.model_validate(row)


@endpoint(resource, "POST", "/firm-merges", action="firm.merge", answer=FirmMergeMoved, status=201)
def propose_firm_merge(json: MergeFirms) -> tuple[FirmMergeMoved, int]:
    """Propose that one record stands for another; a second person decides."""
    return FirmMergeMoved.model_validate(run("firm.merge", json).result), 201


@endpoint(
    resource,
    "POST",
    "/firm-merges/<merge_id>/decide",
    action="firm.merge.decide",
    answer=FirmMergeMoved,
)
def decide_firm_merge(merge_id: str, json: MergeWord) -> FirmMergeMoved:
    """Carry a proposal out, or strike it out."""
    outcome = run("firm.merge.decide", {"merge_id": merge_id, **json.model_dump()})
    return FirmMergeMoved.model_validate(outcome.result)


@endpoint(
    resource,
    "POST",
    "/firms/<firm_id>/unmerge",
    action="firm.unmerge",
    answer=FirmMergeMoved,
    status=201,
)
def propose_firm_unmerge(firm_id: str, json: Unmerge) -> tuple[FirmMergeMoved, int]:
    """Propose that a record stands for itself again; a second person decides."""
    outcome = run("firm.unmerge", {"firm_id": firm_id, **json.model_dump()})
    return FirmMergeMoved.model_validate(outcome.result), 201


@endpoint(
    resource,
    "GET",
    "/firms/<firm_id>/merge-effect/<survivor_id>",
    action="firm.merge",
    answer=MergeEffect,
)
def merge_effect(firm_id: str, survivor_id: str) -> MergeEffect:
    """Show what giving this record up for another would do; nothing is stored."""
    with platform().db.snapshot() as conn:
        found = consequences(conn, actor(), firm_id, survivor_id)
    return MergeEffect(
        points=found.score.points,
        parts=parts_of(found.score),
        stays=dict(found.own.stays),
        obstacles=[MergeObstacle(code=why.code, why=refusal_text(why)) for why in found.obstacles],
    )
