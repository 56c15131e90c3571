"""Connected systems: ERPs and shops that are asked and written to, and how each round went."""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.channels.erp import figures
from scf.channels.erp.models import ErpConnection, ErpRun
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one

resource = Blueprint("connected_systems", __name__)
_MOST = 200


class SystemRound(Answer):
    """One round: how much of each kind went over, and why it ended early if it did.

    A name with ``:bad`` behind it counts what could not be taken or written. ``place`` is where it
    ended; ``said`` are the system's own words.
    """

    id: str
    state: str
    counts: dict[str, int]
    problem: str | None
    place: str | None
    said: str | None
    started_at: dt.datetime
    ended_at: dt.datetime | None


class SystemFlow(Answer):
    """One kind of thing that goes over: how many are over, how many are not."""

    name: str
    done: int
    waiting: int
    last_at: dt.datetime | None


class SystemTrouble(Answer):
    """Something that did not go over; ``next_at`` is its next try, none until it changes there."""

    where: str
    what: str
    code: str
    said: str | None
    next_at: dt.datetime | None


class ShownSystem(Answer):
    """A connection without its password; ``problem`` says why its last round failed."""

    id: str
    name: str
    kind: str
    state: str
    url: str
    database: str
    pulls: list[str]
    pushes: list[str]
    from_on: dt.date
    looked_at: dt.datetime | None
    next_look_at: dt.datetime
    problem: str | None
    said: str | None
    last_round: SystemRound | None


class SystemDetail(ShownSystem):
    """The connection with what came, what was written and what did not go over."""

    pulled: list[SystemFlow]
    pushed: list[SystemFlow]
    troubles: list[SystemTrouble]


class SystemPage(Answer):
    """Some of your connected systems."""

    items: list[ShownSystem]
    next_cursor: str


class SystemRoundPage(Answer):
    """Some of the rounds, the newest first."""

    items: list[SystemRound]
    next_cursor: str


class AskRound(BaseModel):
    """``again`` reads every record anew; what is here already is not taken twice."""

    model_config = ConfigDict(extra="forbid")
    again: bool = Field(default=False, strict=True)


class RoundAsked(Answer):
    """A worker comes by as soon as one is free."""

    id: str
    again: bool


@endpoint(resource, "GET", "/connected-systems", action="erp.read", answer=SystemPage)
def list_systems(query: PageQuery) -> SystemPage:
    """List the ERPs and shops that your organisation has connected."""
    with reader() as session:
        statement = select(ErpConnection).where(col(ErpConnection.state) != "REMOVED")
        rows, following = page(session, statement, query, col(ErpConnection.id))
        return SystemPage(items=[_shown(session, row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/connected-systems/<connection_id>",
    action="erp.read",
    answer=SystemDetail,
)
def get_system(connection_id: str) -> SystemDetail:
    """Show one connected system: counts, errors, its last round."""
    with reader() as session:
        row = one(session, ErpConnection, connection_id)
        return SystemDetail(
            **dict(_shown(session, row)),
            pulled=[
                SystemFlow.model_validate(flow)
                for flow in figures.pulled(session, row.id, row.pulls)
            ],
            pushed=[
                SystemFlow.model_validate(flow)
                for flow in figures.pushed(session, row.id, row.pushes)
            ],
            troubles=[
                SystemTrouble.model_validate(trouble)
                for trouble in figures.troubles(session, row.id, _MOST)
            ],
        )


@endpoint(
    resource,
    "GET",
    "/connected-systems/<connection_id>/rounds",
    action="erp.read",
    answer=SystemRoundPage,
)
def list_rounds(connection_id: str, query: PageQuery) -> SystemRoundPage:
    """List the rounds over one system, the newest first."""
    with reader() as session:
        one(session, ErpConnection, connection_id)
        statement = select(ErpRun).where(col(ErpRun.connection_id) == connection_id)
        rows, following = page(session, statement, query, col(ErpRun.id))
        items = [SystemRound.model_validate(row) for row in rows]
    return SystemRoundPage(items=items, next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/connected-systems/<connection_id>/sync",
    action="erp.sync",
    answer=RoundAsked,
)
def ask_round(connection_id: str, json: AskRound) -> RoundAsked:
    """Let a worker come by at once; what failed is tried again."""
    payload = {"connection_id": connection_id, **json.model_dump()}
    done = run("erp.sync", payload).result
    return RoundAsked(id=done["id"], again=done["again"])


def _shown(session: Session, row: ErpConnection) -> ShownSystem:
    newest = select(ErpRun).where(col(ErpRun.connection_id) == row.id)
    last = session.execute(newest.order_by(col(ErpRun.id).desc()).limit(1)).scalar_one_or_none()
    return ShownSystem(
        **{name: getattr(row, name) for name in ShownSystem.model_fields if name != "last_round"},
        last_round=SystemRound.model_validate(last) if last else None,
    )
