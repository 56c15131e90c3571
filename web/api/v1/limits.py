"""The financier's limit tree: what each node allows, holds and has used."""

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Minor
from scf.programmes.granting import SetLimit
from scf.programmes.models import LimitNode
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, Reason, amount
from web.api.v1.shell import endpoint, reader, run

resource = Blueprint("limits", __name__)


class LimitOut(Answer):
    """One node. ``headroom`` is negative while the node is breached.

    ``proposed`` is more than the limit, as one person has proposed it: it grants nothing before
    another person has confirmed it.
    """

    id: str
    kind: str
    subject_id: str
    limit: Amount
    held: Amount
    utilised: Amount
    headroom: Amount
    proposed: Amount | None
    proposed_by: str | None
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


class LimitRead(BaseModel):
    """The proposal that was read and is granted, in minor units of the limit's currency."""

    model_config = ConfigDict(extra="forbid")
    limit_minor: Minor


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
    """Lower a limit at once, or propose a new or higher one for another person to confirm.

    ``version`` guards a change of one that is there.
    """
    return LimitSet.model_validate(run("limit.set", json).result)


@endpoint(resource, "POST", "/limits/<limit_id>/confirm", action="limit.confirm", answer=LimitSet)
def confirm_limit(limit_id: str, json: LimitRead) -> LimitSet:
    """Grant the amount that another person has proposed."""
    item = {"limit_id": limit_id, "limit_minor": json.limit_minor}
    (granted,) = run("limit.confirm", {"items": [item]}).result["items"]
    return LimitSet.model_validate(granted)


@endpoint(resource, "POST", "/limits/<limit_id>/refuse", action="limit.refuse", answer=LimitSet)
def refuse_limit(limit_id: str, json: Reason) -> LimitSet:
    """Drop a proposal that waits; the limit stays as it is."""
    outcome = run("limit.refuse", {"limit_id": limit_id, **json.model_dump()})
    return LimitSet.model_validate(outcome.result)


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
        proposed=None if row.proposed_minor is None else amount(row.proposed_minor, row.currency),
        proposed_by=row.proposed_by,
        version=row.version,
    )
