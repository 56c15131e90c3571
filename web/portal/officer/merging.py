"""Joining two records of one firm: what it would do is shown before anybody proposes it."""

from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col

from scf.documents.identity.merging import consequences, unanswered
from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.parties.identity.lookup import candidates, facts_of_record
from scf.parties.identity.models import FirmLink, FirmMerge
from scf.parties.models import Firm
from scf.parties.service import firm_names, people_names
from web.context import actor, platform
from web.portal.officer.desk import act, done, errors_of, missing, page, typed
from web.portal.officer.firms import known_firm
from web.portal.who import PARTS
from web.refusals import refusal_text

_LEAST_WORDS = 3


@page("/firms/<firm_id>/records", "firm.merge")
def records(firm_id: str) -> str:
    """Show which records mean this firm, and what joining another one would do."""
    return _page(firm_id, {})


def _page(firm_id: str, errors: dict[str, str]) -> str:
    firm = known_firm(firm_id)
    other = (request.form.get("firm_id") or request.args.get("with", ""))[:64]
    who = actor()
    with platform().db.snapshot() as conn:
        row = conn.execute(select(Firm.__table__).where(col(Firm.id) == firm_id)).one()  # type: ignore[attr-defined]
        alike = [
            one
            for one in candidates(conn, facts_of_record(conn, row, who), who, 6)
            if one.firm_id != firm_id
        ]
        found = consequences(conn, who, other, firm_id) if other else None
        stops = [
            refusal_text(one)
            for one in (
                (*found.obstacles, *unanswered(conn, who, found.firm, found.survivor))
                if found
                else ()
            )
        ]
        links = conn.execute(
            select(col(FirmLink.firm_id), col(FirmLink.survivor_id)).where(
                (col(FirmLink.firm_id) == firm_id) | (col(FirmLink.survivor_id) == firm_id)
            )
        ).all()
        waiting = conn.execute(
            select(FirmMerge.__table__).where(  # type: ignore[attr-defined]
                (col(FirmMerge.firm_id) == firm_id) | (col(FirmMerge.survivor_id) == firm_id),
                col(FirmMerge.state) == "PROPOSED",
            )
        ).all()
        ids = {*(one for link in links for one in link)}
        ids |= {one for move in waiting for one in (move.firm_id, move.survivor_id)}
        names = firm_names(conn, ids)
        people = people_names(conn, {move.proposed_by for move in waiting})
    return render_template(
        "officer/records.html",
        firm=firm,
        alike=alike,
        found=found,
        obstacles=stops,
        stood_for=[link.firm_id for link in links if link.survivor_id == firm_id],
        survivor=next((link.survivor_id for link in links if link.firm_id == firm_id), ""),
        waiting=waiting,
        parting={move.firm_id for move in waiting if move.kind == "UNMERGE"},
        proposed=any({move.firm_id, move.survivor_id} == {firm_id, other} for move in waiting),
        names=names,
        people=people,
        parts=PARTS,
        errors=errors,
        reason=request.form.get("reason", ""),
        me=who.user_id,
        may_decide=may(who, "firm.merge.decide"),
    )


@page("/firms/<firm_id>/merge", "firm.merge", method="POST")
def merge(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose that this record stands for another one as well."""
    payload = {"firm_id": typed("firm_id", 64), "survivor_id": firm_id}
    said = _("Proposed. A second person decides.")
    return _asked(firm_id, "firm.merge", payload, said)


@page("/firms/<firm_id>/unmerge", "firm.unmerge", method="POST")
def unmerge(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Propose that a record stands for itself again."""
    payload = {"firm_id": typed("firm_id", 64)}
    return _asked(firm_id, "firm.unmerge", payload, _("Proposed. A second person decides."))


@page("/firms/<firm_id>/merge-word", "firm.merge.decide", method="POST")
def decide_merge(firm_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Carry a proposal out, or strike it out."""
    confirm = typed("word", 10) == "yes"
    payload = {"merge_id": typed("merge_id", 64), "confirm": confirm}
    said = _("Done. What waited is looked at again.") if confirm else _("Struck out.")
    return _asked(firm_id, "firm.merge.decide", payload, said)


def _asked(firm_id: str, command: str, payload: dict[str, Any], said: str) -> Any:  # noqa: ANN401
    known_firm(firm_id)
    reason = typed("reason", 2000)
    if len(reason) < _LEAST_WORDS:
        return _page(firm_id, {"reason": _("Say what you saw, in a few words.")}), 422
    if not next(iter(payload.values())):
        raise missing("firm")
    try:
        act(command, payload | {"reason": reason})
    except ScfError as refusal:
        return _page(firm_id, errors_of(refusal)), refusal.http_status
    return done(said, url_for("officer.records", firm_id=firm_id))
