"""Firms: who is known, and how a firm comes to trade."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.kernel.actor import Actor
from scf.parties.commands import AddFirm, IdentifierIn
from scf.parties.models import Firm, FirmIdentifier
from web.api.v1 import described
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, etag, expected_version, reader, run
from web.context import actor

resource = Blueprint("firms", __name__)


class Identifier(Answer):
    """One number of a firm."""

    scheme: str
    value: str


class FirmOut(Answer):
    """A firm as its trade partners see it; the last three are for itself, its inviter and banks."""

    id: str
    name: str
    country: str | None
    kind: str
    state: str
    identifiers: list[Identifier]
    version: int | None = None
    invited_by: str | None = None
    created_at: dt.datetime | None = None


class FirmPage(Answer):
    """Some of the firms."""

    items: list[FirmOut]
    next_cursor: str


class FirmsQuery(PageQuery):
    """Which firms."""

    state: str = Field(default="", max_length=20)


class FirmAdded(Answer):
    """What became of an invitation."""

    id: str
    name: str
    state: str
    identifiers: list[Identifier]


class FirmIdentified(Answer):
    """What a firm is found by from now on."""

    id: str
    state: str
    identifiers: list[Identifier]


class FirmMoved(Answer):
    """The firm's new state and version."""

    id: str
    state: str
    version: int


class Identify(BaseModel):
    """Further numbers, or the finding that holds them."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(default="", max_length=400)
    identifiers: list[IdentifierIn] = Field(default_factory=list, max_length=50)
    finding_id: str | None = Field(default=None, max_length=64)


class Activate(BaseModel):
    """What showed the officer that the firm is what it says."""

    model_config = ConfigDict(extra="forbid")
    evidence: str = Field(min_length=3, max_length=2000)


class Suspend(BaseModel):
    """Why the firm may trade no further for now."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=3, max_length=2000)


@endpoint(resource, "GET", "/firms", action="firm.read", answer=FirmPage)
def list_firms(query: FirmsQuery) -> FirmPage:
    """List the firms you may know."""
    statement = select(Firm)
    if query.state:
        statement = statement.where(col(Firm.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(Firm.id))
        return FirmPage(items=_shown(session, list(rows), actor()), next_cursor=following)


@endpoint(resource, "GET", "/firms/<firm_id>", action="firm.read", answer=FirmOut)
def get_firm(firm_id: str) -> tuple[FirmOut, int, dict[str, str]]:
    """Show one firm."""
    with reader() as session:
        row = session.execute(select(Firm).where(col(Firm.id) == firm_id)).scalar_one_or_none()
        if row is None:
            raise not_found("firm", firm_id)
        return _shown(session, [row], actor())[0], 200, etag(row.version)


@endpoint(resource, "POST", "/firms", action="firm.add", answer=FirmAdded, status=201)
def add_firm(json: AddFirm) -> tuple[FirmAdded, int]:
    """Invite a firm, by hand or from the finding that a document named it."""
    return FirmAdded.model_validate(run("firm.add", json).result), 201


@endpoint(
    resource,
    "POST",
    "/firms/<firm_id>/identifiers",
    action="firm.identify",
    answer=FirmIdentified,
)
def identify_firm(firm_id: str, json: Identify) -> FirmIdentified:
    """Link further numbers to a firm."""
    outcome = run("firm.identify", {"firm_id": firm_id, **json.model_dump()})
    return FirmIdentified.model_validate(outcome.result)


described.asks_version("POST", "/firms/<firm_id>/activate")
described.asks_version("POST", "/firms/<firm_id>/suspend")


@endpoint(resource, "POST", "/firms/<firm_id>/activate", action="firm.activate", answer=FirmMoved)
def activate_firm(firm_id: str, json: Activate) -> FirmMoved:
    """Let a firm trade; documents that waited for it validate themselves."""
    return _moved("firm.activate", firm_id, json)


@endpoint(resource, "POST", "/firms/<firm_id>/suspend", action="firm.suspend", answer=FirmMoved)
def suspend_firm(firm_id: str, json: Suspend) -> FirmMoved:
    """Let a firm trade no further for now."""
    return _moved("firm.suspend", firm_id, json)


def _moved(command: str, firm_id: str, body: BaseModel) -> FirmMoved:
    payload = {"firm_id": firm_id, "version": expected_version(), **body.model_dump()}
    return FirmMoved.model_validate(run(command, payload).result)


def _shown(session: Session, rows: list[Firm], who: Actor) -> list[FirmOut]:
    numbers: dict[str, list[Identifier]] = {}
    wanted = [row.id for row in rows]
    found = session.execute(
        select(FirmIdentifier)
        .where(col(FirmIdentifier.firm_id).in_(wanted), col(FirmIdentifier.scheme) != "name")
        .order_by(col(FirmIdentifier.scheme), col(FirmIdentifier.value))
    ).scalars()
    for number in found:
        numbers.setdefault(number.firm_id, []).append(
            Identifier(scheme=number.scheme, value=number.value)
        )
    return [_one(row, numbers.get(row.id, []), who) for row in rows]


def _one(row: Firm, numbers: list[Identifier], who: Actor) -> FirmOut:
    close = who.org_id in {row.id, row.invited_by} or any(
        role.value.startswith(("officer", "head_office")) for role in who.roles
    )
    more: dict[str, Any] = (
        {"version": row.version, "invited_by": row.invited_by, "created_at": row.created_at}
        if close
        else {}
    )
    return FirmOut(
        id=row.id,
        name=row.name,
        country=row.country,
        kind=row.kind,
        state=row.state,
        identifiers=numbers,
        **more,
    )
