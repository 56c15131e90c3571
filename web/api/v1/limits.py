"""The financier's limit tree: what each node allows, holds and has used."""

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.programmes.commands import SetLimit
from scf.programmes.models import LimitNode
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("limits", __name__)


class LimitOut(Answer):
    """One node. ``headroom`` is negative while the node is breached."""

    id: str
    kind: str
    subject_id: str
    limit: Amount
    held: Amount
    utilised: Amount
    headroom: Amount
    version: int


class LimitPage(Answer):
    """Some of the nodes."""

    items: list[LimitOut]
    next_cursor: str


class LimitsQuery(PageQuery):
    """Which nodes."""

    kind: str = Field(default="", max_length=20)
    subject_id: str = Field(default="", max_length=64)


class LimitSet(BaseModel):
    """The node after the change."""

    model_config = ConfigDict(extra="allow")
    id: str


@endpoint(resource, "GET", "/limits", action="limit.read", answer=LimitPage)
def list_limits(query: LimitsQuery) -> LimitPage:
    """List the nodes of your limit tree."""
    statement = select(LimitNode)
    if query.kind:
        statement = statement.where(col(LimitNode.kind) == query.kind)
    if query.subject_id:
        statement = statement.where(col(LimitNode.subject_id) == query.subject_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(LimitNode.id))
        items = [_shown(row) for row in rows]
    return LimitPage(items=items, next_cursor=following)


@endpoint(resource, "PUT", "/limits", action="limit.set", answer=LimitSet)
def set_limit(json: SetLimit) -> LimitSet:
    """Set what a node allows; ``version`` guards a change of one that is there."""
    return LimitSet.model_validate(run("limit.set", json).result)


def _shown(row: LimitNode) -> LimitOut:
    free = row.limit_minor - row.held_minor - row.utilised_minor
    return LimitOut(
        id=row.id,
        kind=row.kind,
        subject_id=row.subject_id,
        limit=amount(row.limit_minor, row.currency),
        held=amount(row.held_minor, row.currency),
        utilised=amount(row.utilised_minor, row.currency),
        headroom=amount(free, row.currency),
        version=row.version,
    )
