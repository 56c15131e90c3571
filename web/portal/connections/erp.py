"""An ERP or a shop: how its rounds go, what waits, by which account numbers it posts."""

import datetime as dt
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import Session, col
from werkzeug.wrappers import Response as BaseResponse

from scf.accounting.mapping.reading import numbers_of, tables_of
from scf.accounting.mapping.systems import system_of
from scf.channels.erp import commands, figures
from scf.channels.erp.connectors import MAKES, make_of
from scf.channels.erp.models import (
    ErpConnection,
    ErpRun,
)
from scf.channels.erp.unmapped import lacking
from scf.kernel.actor import Role
from scf.kernel.errors import Conflict, InvalidInput
from scf.ledger.models import Account
from web.context import actor, platform, targets, vault
from web.forms import form_key
from web.portal.acting import must, tried
from web.portal.connections.blueprint import connections, must_be_ours, row_of
from web.portal.connections.erpwords import asked_words, erp_problem, stream_words
from web.portal.fresh import freshly_proved
from web.refusals import refusal_text

Answer = str | BaseResponse | tuple[str, int]
LOG = 15
WAITING = 30
_FIELDS = (
    "name", "kind", "role", "url", "database", "username", "journal_code", "from_on", "payee_code",
    "mapping",
)  # fmt: skip
# Where a refusal of the form belongs.
_PLACES = {
    "WEBHOOK_URL": "url",
    "ERP_DATABASE": "database",
    "ERP_PASSWORD": "password",
    "ERP_PAYEE": "payee_code",
    "ERP_MAPPING": "mapping",
    "MAPPING_SYSTEM": "mapping",
}


@connections.before_request
def _only_keepers() -> None:
    """Turn everybody else away from ERPs before anything of a form is read."""
    if request.path.startswith("/connections/erp"):
        must("erp.read")


@connections.context_processor
def _erp_words() -> dict[str, Any]:
    return {"erp_problem": erp_problem, "stream_words": stream_words}


@connections.get("/erp/new")
@freshly_proved
def new_erp() -> str:
    """Ask of which make the system is, where it is, and what is to go over the connection."""
    return _new({"kind": request.args.get("kind", "")}, {})


@connections.post("/erp")
@freshly_proved
def add_erp() -> Answer:
    """Connect an ERP; the first round is made at once."""
    form = request.form
    typed = {name: form.get(name, "").strip() for name in _FIELDS}
    needed = ("name", "url", "username")
    errors = {name: _("This is needed.") for name in needed if not typed[name]}
    from_on = _day(typed["from_on"])
    if from_on is None:
        errors["from_on"] = _("Choose a day.")
    if errors:
        return _new(typed, errors), 422
    wanted = {
        "name": typed["name"],
        "kind": typed["kind"],
        "role": Role.ANCHOR_CLERK if typed["role"] == "anchor_clerk" else Role.TREASURER,
        "url": typed["url"],
        "database": typed["database"],
        "username": typed["username"],
        "pulls": form.getlist("pulls"),
        "pushes": form.getlist("pushes"),
        "journal_code": typed["journal_code"] or None,
        "from_on": from_on,
        "payee_code": typed["payee_code"] or None,
        "mapping": typed["mapping"],
    }
    password = form.get("password", "")
    try:
        outcome = commands.add(
            platform(), vault(), targets(), actor(), wanted, password, key=form_key()
        )
    except (InvalidInput, Conflict) as refusal:
        place = _PLACES.get(refusal.code, "name")
        return _new(typed, {place: refusal_text(refusal)}), refusal.http_status
    return _back(str(outcome.result["id"]))


@connections.get("/erp/<connection_id>")
def erp(connection_id: str) -> str:
    """Show how the rounds go, what waits and why, and by which numbers journals are posted."""
    with platform().db.read(actor()) as reading:
        row = row_of(reading, ErpConnection, connection_id)
        return render_template(
            "connections/erp.html",
            row=row,
            streams=figures.pulled(reading, connection_id, row.pulls),
            writes=figures.pushed(reading, connection_id, row.pushes),
            runs=_latest(reading, ErpRun, connection_id, LOG),
            troubles=figures.troubles(reading, connection_id, WAITING),
            make=make_of(row.kind),
            accounts=_accounts(reading, row) if "JOURNAL" in row.pushes else None,
        )


@connections.post("/erp/<connection_id>/state")
def set_erp_state(connection_id: str) -> BaseResponse:
    """Pause, go on, or remove."""
    must_be_ours(ErpConnection, connection_id)
    state = request.form.get("state", "")
    if tried("erp.change", {"connection_id": connection_id, "state": state}) is not None:
        flash(_("The connection is changed."), "ok")
    if state == "REMOVED":
        return redirect(url_for("connections.home"), 303)
    return _back(connection_id)


@connections.post("/erp/<connection_id>/sync")
def sync_erp(connection_id: str) -> BaseResponse:
    """Come by at once; what failed is tried again."""
    must_be_ours(ErpConnection, connection_id)
    asked = {name: request.form.get(name) == "yes" for name in ("again", "rewrite")}
    if tried("erp.sync", {"connection_id": connection_id, **asked}) is not None:
        flash(_("A round begins. Load this page again in a moment."), "ok")
    return _back(connection_id)


@connections.post("/erp/<connection_id>/mapping")
def choose_mapping(connection_id: str) -> BaseResponse:
    """Post by another table of account numbers."""
    must_be_ours(ErpConnection, connection_id)
    payload = {"connection_id": connection_id, "mapping": request.form.get("mapping", "")}
    if tried("erp.change", payload) is not None:
        flash(_("The connection is changed."), "ok")
    return _back(connection_id)


@connections.post("/erp/<connection_id>/password")
@freshly_proved
def set_erp_password(connection_id: str) -> BaseResponse:
    """Take another password of the user there."""
    must_be_ours(ErpConnection, connection_id)
    try:
        commands.change_password(
            platform(), vault(), actor(), connection_id, request.form.get("password", ""),
            key=form_key(),
        )  # fmt: skip
        flash(_("The next round signs in with it."), "ok")
    except (InvalidInput, Conflict) as refusal:
        flash(refusal_text(refusal), "bad")
    return _back(connection_id)


def _back(connection_id: str) -> BaseResponse:
    return redirect(url_for("connections.erp", connection_id=connection_id), 303)


def _new(form: dict[str, str], errors: dict[str, str]) -> str:
    chosen = request.form.getlist
    make = make_of(form["kind"]) if form["kind"] in MAKES else next(iter(MAKES.values()))
    with platform().db.read(actor()) as reading:
        tables = _tables(reading, make.kind.lower()) if make.pushes else []
    return render_template(
        "connections/new_erp.html",
        form=form,
        make=make,
        words=asked_words(make.kind),
        tabs=[
            (one.name, url_for("connections.new_erp", kind=one.kind), one is make, None)
            for one in MAKES.values()
        ],
        errors=errors,
        tables=tables,
        pulled=chosen("pulls") if request.form else make.pulls,
        pushed=chosen("pushes") if request.form else ["JOURNAL", "FINANCED"],
        from_on=_day(form.get("from_on", "")) or platform().clock.now().date(),
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _latest(reading: Session, model: Any, connection_id: str, limit: int) -> list[Any]:  # noqa: ANN401
    query = select(model).where(col(model.connection_id) == connection_id)
    return list(reading.execute(query.order_by(col(model.id).desc()).limit(limit)).scalars())


def _accounts(reading: Session, row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row
    """Give the table by which journals are posted, and which accounts have no number in it."""
    conn = reading.connection()
    numbers = numbers_of(conn, row.org_id, row.mapping)
    book = reading.execute(select(col(Account.code)).where(col(Account.org_id) == row.org_id))
    return {
        "title": system_of(row.mapping).title,
        "version": numbers.version,
        "count": len(numbers.accounts),
        "waited_for": lacking(conn, row),
        "missing": numbers.missing(book.scalars()),
        "tables": _tables(reading, row.mapping.partition(".")[0]),
    }


def _tables(reading: Session, system: str) -> list[tuple[str, str]]:
    """Give the firm's tables of account numbers for a kind of system."""
    names = tables_of(reading.connection(), actor().org_id)
    return [(one, system_of(one).title) for one in names if one.partition(".")[0] == system]
