"""Programmes with their terms in words and versions."""

import datetime as dt
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.parties.models import Firm
from scf.parties.service import business_date, firm_names, people_names
from scf.programmes.models import Programme, ProgrammeVersion
from scf.reporting.desk import fixings_waiting
from web.context import actor
from web.portal.officer.desk import act, done, errors_of, missing, page, reading, typed
from web.portal.officer.terms import changed, sentences

MAX_FILE = 64 * 1024


@page("/programmes", "programme.read")
def programmes() -> str:
    """Show the programmes, those that wait for a second person first."""
    return _list({}, {})


def _list(form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        rows = list(
            session.execute(
                select(Programme)
                .where(col(Programme.financier_id) == actor().org_id)
                .order_by(col(Programme.name), col(Programme.id))
            ).scalars()
        )
        versions = _versions(session, [row.id for row in rows])
        names = firm_names(session.connection(), {_party(row) for row in rows})
        anchors = session.execute(
            select(col(Firm.id), col(Firm.name))
            .where(col(Firm.kind) == "trader", col(Firm.state) == "ACTIVE")
            .order_by(col(Firm.name))
        ).all()
        today = business_date(session.connection(), actor().org_id)
        values = session.execute(fixings_waiting(actor())).scalar_one()
    shown = [
        {
            "row": row,
            "party": names.get(_party(row), ""),
            "versions": len(versions.get(row.id, [])),
            "open": any(one.approved_by is None for one in versions.get(row.id, [])),
        }
        for row in rows
    ]
    shown.sort(key=lambda one: not one["open"])
    return render_template(
        "officer/programmes.html",
        programmes=shown,
        anchors=anchors,
        today=today,
        values=values,
        form=form,
        errors=errors,
        may_load=may(actor(), "programme.load"),
    )


def _versions(session: Session, ids: list[str]) -> dict[str, list[ProgrammeVersion]]:
    found: dict[str, list[ProgrammeVersion]] = {}
    rows = session.execute(
        select(ProgrammeVersion)
        .where(col(ProgrammeVersion.programme_id).in_(ids))
        .order_by(col(ProgrammeVersion.programme_id), col(ProgrammeVersion.number).desc())
    ).scalars()
    for row in rows:
        found.setdefault(row.programme_id, []).append(row)
    return found


@page("/programmes", "programme.load", method="POST")
def load_programme() -> Any:  # noqa: ANN401 - a page or a way on
    """Load the terms of a programme from its file; a second person puts them in force."""
    form = {name: typed(name, MAX_FILE) for name in ("content", "firm_id", "effective_on")}
    sent = request.files.get("file")
    if sent is not None and sent.filename:
        form["content"] = sent.read(MAX_FILE + 1).decode("utf-8", "replace")
    errors = {}
    if not form["content"]:
        errors["file"] = _("Choose the file with the terms.")
    try:
        on = dt.date.fromisoformat(form["effective_on"])
    except ValueError:
        errors["effective_on"] = _("Say from which day the terms apply.")
    if errors:
        return _list(form, errors), 422
    try:
        side = "seller_id" if form["firm_id"].startswith("seller:") else "anchor_id"
        firm_id = form["firm_id"].partition(":")[2]
        payload = {"content": form["content"], side: firm_id, "effective_on": on}
        result = act("programme.load", payload).result
    except ScfError as refusal:
        told = errors_of(refusal, ("firm_id", "effective_on"))
        return _list(form, told), refusal.http_status
    return done(
        _("The terms are loaded. A second person puts them in force."),
        url_for("officer.programme", programme_id=result["id"]),
    )


@page("/programmes/<programme_id>", "programme.read")
def programme(programme_id: str) -> str:
    """Show the terms of one programme in words, its versions, and what waits."""
    return _one(programme_id, {})


def _one(programme_id: str, errors: dict[str, str]) -> str:
    with reading() as session:
        row = _row(session, programme_id)
        versions = _versions(session, [row.id]).get(row.id, [])
        conn = session.connection()
        people = people_names(
            conn, {one for v in versions for one in (v.created_by, v.approved_by) if one}
        )
        party = firm_names(conn, [_party(row)]).get(_party(row), "")
    number = request.args.get("version", "")
    shown = next((one for one in versions if str(one.number) == number), versions[0])
    before = next((one for one in versions if one.number == shown.number - 1), None)
    waits = next((one for one in versions if one.approved_by is None), None)
    return render_template(
        "officer/programme.html",
        programme=row,
        party=party,
        versions=versions,
        people=people,
        shown=shown,
        waits=waits,
        terms=sentences(shown.terms),
        changed=changed(before.terms, shown.terms) if before else set(),
        errors=errors,
        own=waits is not None and waits.created_by == actor().user_id,
        may_activate=may(actor(), "programme.activate"),
        may_suspend=may(actor(), "programme.suspend"),
        may_resume=may(actor(), "programme.resume"),
    )


def _party(row: Programme) -> str:
    """Give the firm that the agreement is with: the anchor, or the seller."""
    return row.anchor_id or row.seller_id or ""


def _row(session: Session, programme_id: str) -> Programme:
    row: Programme | None = session.execute(
        select(Programme).where(
            col(Programme.id) == programme_id, col(Programme.financier_id) == actor().org_id
        )
    ).scalar_one_or_none()
    if row is None:
        raise missing("programme")
    return row


@page("/programmes/<programme_id>/activate", "programme.activate", method="POST")
def activate_programme(programme_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Put the newest terms in force, as another person than the one who loaded them."""
    return _step(programme_id, "programme.activate", {}, _("The terms are in force."))


@page("/programmes/<programme_id>/suspend", "programme.suspend", method="POST")
def suspend_programme(programme_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Stop new finance under a programme."""
    return _switch(programme_id, "programme.suspend", _("No new finance is given."))


@page("/programmes/<programme_id>/resume", "programme.resume", method="POST")
def resume_programme(programme_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Give new finance under a suspended programme again."""
    return _switch(programme_id, "programme.resume", _("New finance is given again."))


def _switch(programme_id: str, command: str, said: str) -> Any:  # noqa: ANN401
    why = typed("reason", 1000)
    if len(why) < 3:  # noqa: PLR2004 - as the command has it
        return _one(programme_id, {"reason": _("Say why, in a few words.")}), 422
    return _step(programme_id, command, {"reason": why}, said)


def _step(programme_id: str, command: str, more: dict[str, str], said: str) -> Any:  # noqa: ANN401
    with reading() as session:
        _row(session, programme_id)
    try:
        act(command, {"programme_id": programme_id, **more})
    except ScfError as refusal:
        return _one(programme_id, errors_of(refusal, ("reason",))), refusal.http_status
    return done(said, url_for("officer.programme", programme_id=programme_id))
