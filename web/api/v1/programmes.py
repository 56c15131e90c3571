"""Programmes and their terms, and the benchmark values that price them."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.visibility import not_found
from scf.kernel.actor import Actor
from scf.programmes.commands import LoadProgramme
from scf.programmes.fixings import AddFixing
from scf.programmes.models import Fixing, Programme, ProgrammeVersion
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer, Reason
from web.api.v1.shell import endpoint, etag, reader, run
from web.context import actor

resource = Blueprint("programmes", __name__)

# What both sides of a programme may read of its terms. Margins and fees are the financier's
# price; a term that is not listed here is not shown to the anchor.
_SHARED = frozenset(
    {
        "technique",
        "recourse",
        "ipu",
        "disclosed",
        "cost_bearer",
        "tenor_min_days",
        "tenor_max_days",
        "invoice_age_max_days",
        "partial_allowed",
        "day_count",
        "roll",
        "calendar",
        "value_date_offset",
        "cut_off",
        "cut_off_zone",
        "grace_days",
    }
)


class VersionOut(Answer):
    """The terms from one day on, as far as the reader's side may know them."""

    number: int
    effective_on: dt.date
    approved: bool
    terms: dict[str, Any]


class ProgrammeOut(Answer):
    """One agreement of a financier with an anchor, or with a seller."""

    id: str
    code: str
    name: str
    financier_id: str
    anchor_id: str | None
    seller_id: str | None
    technique: str
    state: str
    version: int
    versions: list[VersionOut]


class ProgrammePage(Answer):
    """Some of the programmes."""

    items: list[ProgrammeOut]
    next_cursor: str


class ProgrammeMoved(BaseModel):
    """The programme and its state; further members by command."""

    model_config = ConfigDict(extra="allow")
    id: str
    state: str


class FixingOut(Answer):
    """A benchmark's value of a day, with the digits it was published with."""

    id: str
    benchmark: str
    fixed_on: dt.date
    percent: str
    confirmed: bool


class FixingPage(Answer):
    """Some of the values."""

    items: list[FixingOut]
    next_cursor: str


class FixingAdded(BaseModel):
    """The stored value."""

    model_config = ConfigDict(extra="allow")
    id: str


class FixingRead(BaseModel):
    """The value that was read and is confirmed."""

    model_config = ConfigDict(extra="forbid")
    percent: str = Field(max_length=40)


@endpoint(resource, "GET", "/programmes", action="programme.read", answer=ProgrammePage)
def list_programmes(query: PageQuery) -> ProgrammePage:
    """List the programmes of your organisation."""
    with reader() as session:
        rows, following = page(session, select(Programme), query, col(Programme.id))
        return ProgrammePage(items=_shown(session, list(rows), actor()), next_cursor=following)


@endpoint(
    resource, "GET", "/programmes/<programme_id>", action="programme.read", answer=ProgrammeOut
)
def get_programme(programme_id: str) -> tuple[ProgrammeOut, int, dict[str, str]]:
    """Show one programme with its terms."""
    with reader() as session:
        row = session.execute(
            select(Programme).where(col(Programme.id) == programme_id)
        ).scalar_one_or_none()
        if row is None:
            raise not_found("programme", programme_id)
        return _shown(session, [row], actor())[0], 200, etag(row.version)


@endpoint(
    resource, "POST", "/programmes", action="programme.load", answer=ProgrammeMoved, status=201
)
def load_programme(json: LoadProgramme) -> tuple[ProgrammeMoved, int]:
    """Load the terms of a programme from its file; a second person puts them in force."""
    return ProgrammeMoved.model_validate(run("programme.load", json).result), 201


@endpoint(
    resource,
    "POST",
    "/programmes/<programme_id>/activate",
    action="programme.activate",
    answer=ProgrammeMoved,
)
def activate_programme(programme_id: str) -> ProgrammeMoved:
    """Put the newest terms in force; never the person who loaded them."""
    outcome = run("programme.activate", {"programme_id": programme_id})
    return ProgrammeMoved.model_validate(outcome.result)


@endpoint(
    resource,
    "POST",
    "/programmes/<programme_id>/suspend",
    action="programme.suspend",
    answer=ProgrammeMoved,
)
def suspend_programme(programme_id: str, json: Reason) -> ProgrammeMoved:
    """Stop new finance under a programme."""
    outcome = run("programme.suspend", {"programme_id": programme_id, **json.model_dump()})
    return ProgrammeMoved.model_validate(outcome.result)


@endpoint(
    resource,
    "POST",
    "/programmes/<programme_id>/resume",
    action="programme.resume",
    answer=ProgrammeMoved,
)
def resume_programme(programme_id: str, json: Reason) -> ProgrammeMoved:
    """Give new finance under a suspended programme again."""
    outcome = run("programme.resume", {"programme_id": programme_id, **json.model_dump()})
    return ProgrammeMoved.model_validate(outcome.result)


@endpoint(resource, "GET", "/fixings", action="programme.read", answer=FixingPage)
def list_fixings(query: PageQuery) -> FixingPage:
    """List the benchmark values that your organisation has recorded."""
    with reader() as session:
        rows, following = page(session, select(Fixing), query, col(Fixing.id))
        items = [
            FixingOut(
                id=row.id,
                benchmark=row.benchmark,
                fixed_on=row.fixed_on,
                percent=row.percent,
                confirmed=row.confirmed_by is not None,
            )
            for row in rows
        ]
    return FixingPage(items=items, next_cursor=following)


@endpoint(resource, "POST", "/fixings", action="fixing.add", answer=FixingAdded, status=201)
def add_fixing(json: AddFixing) -> tuple[FixingAdded, int]:
    """Record a published benchmark value; prices follow once another person confirms it."""
    return FixingAdded.model_validate(run("fixing.add", json).result), 201


@endpoint(
    resource, "POST", "/fixings/<fixing_id>/confirm", action="fixing.confirm", answer=FixingAdded
)
def confirm_fixing(fixing_id: str, json: FixingRead) -> FixingAdded:
    """Confirm the value that another person has recorded."""
    outcome = run("fixing.confirm", {"fixing_id": fixing_id, "percent": json.percent})
    return FixingAdded.model_validate(outcome.result)


@endpoint(
    resource, "POST", "/fixings/<fixing_id>/refuse", action="fixing.refuse", answer=FixingAdded
)
def refuse_fixing(fixing_id: str, json: Reason) -> FixingAdded:
    """Strike out a value that nobody has confirmed."""
    outcome = run("fixing.refuse", {"fixing_id": fixing_id, **json.model_dump()})
    return FixingAdded.model_validate(outcome.result)


def _shown(session: Session, rows: list[Programme], who: Actor) -> list[ProgrammeOut]:
    found = session.execute(
        select(ProgrammeVersion)
        .where(col(ProgrammeVersion.programme_id).in_([row.id for row in rows]))
        .order_by(col(ProgrammeVersion.programme_id), col(ProgrammeVersion.number))
    ).scalars()
    versions: dict[str, list[ProgrammeVersion]] = {}
    for version in found:
        versions.setdefault(version.programme_id, []).append(version)
    return [
        ProgrammeOut(
            id=row.id,
            code=row.code,
            name=row.name,
            financier_id=row.financier_id,
            anchor_id=row.anchor_id,
            seller_id=row.seller_id,
            technique=row.technique,
            state=row.state,
            version=row.version,
            versions=[
                _version(version, all_terms=row.financier_id == who.org_id)
                for version in versions.get(row.id, [])
                if row.financier_id == who.org_id or version.approved_by
            ],
        )
        for row in rows
    ]


def _version(row: ProgrammeVersion, *, all_terms: bool) -> VersionOut:
    terms = row.terms if isinstance(row.terms, dict) else {}
    return VersionOut(
        number=row.number,
        effective_on=row.effective_on,
        approved=row.approved_by is not None,
        terms={key: value for key, value in terms.items() if all_terms or key in _SHARED},
    )
