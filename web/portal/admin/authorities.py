"""Personal authority: up to which amount each officer's word decides, set by somebody else."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlmodel import col
from werkzeug.wrappers import Response as BaseResponse

from scf.db.visibility import not_found
from scf.kernel.actor import Actor
from scf.kernel.errors import ScfError
from scf.kernel.money import EXPONENTS
from scf.parties.access import authorise
from scf.parties.models import Firm
from scf.reporting.entrusted import Officer, officers
from web.context import actor, platform
from web.forms import form_key, minor_of
from web.portal.admin.blueprint import admin
from web.refusals import refusal_text
from web.second_factor import check, digest_of

Answer = str | BaseResponse | tuple[str, int]


def _setter() -> Actor:
    """Return who asks, when authority is theirs to set: head office or a bank's administrator."""
    who = actor()
    authorise(who, "authority.set")
    with platform().db.read(who) as reading:
        kind = reading.execute(select(col(Firm.kind)).where(col(Firm.id) == who.org_id)).scalar()
    if kind != "financier":
        raise not_found("page", "authorities")
    return who


@admin.get("/authorities")
def authorities() -> str:
    """Show every officer with the amounts up to which the own word decides."""
    return _page(_setter(), {}, {}, None)


def _page(
    who: Actor, form: dict[str, str], errors: dict[str, str], proposed: dict[str, Any] | None
) -> str:
    return render_template(
        "admin/authorities.html",
        officers=_known(who),
        me=who.user_id,
        form=form,
        errors=errors,
        proposed=proposed,
    )


def _known(who: Actor) -> list[Officer]:
    with platform().db.read(who) as reading:
        return officers(reading, who)


@admin.post("/authorities")
def set_authority() -> Answer:
    """Show what a ceiling would mean; the second press, signed, sets it."""
    who = _setter()
    form = {
        name: request.form.get(name, "").strip()[:100] for name in ("user_id", "currency", "amount")
    }
    if form["currency"] not in EXPONENTS:
        return _page(who, form, {"currency": _("There is no such currency.")}, None), 422
    try:
        ceiling = minor_of(form["amount"], form["currency"])
    except ScfError:
        return _page(who, form, {"amount": _("Write an amount such as 1,250,000.00.")}, None), 422
    chosen = next((one for one in _known(who) if one.id == form["user_id"]), None)
    if chosen is None:
        return _page(who, form, {"user_id": _("Choose an officer.")}, None), 422
    before = chosen.ceiling(form["currency"])
    version = before.version if before is not None else 0
    proposed = {
        "name": chosen.name,
        "before": before.minor if before is not None else None,
        "after": ceiling,
        "currency": form["currency"],
        "signed": digest_of(
            user=chosen.id, currency=form["currency"], ceiling=ceiling, version=version
        ),
    }
    if request.form.get("step") != "confirm":
        return _page(who, form, {}, proposed)
    payload = {
        "user_id": chosen.id,
        "currency": form["currency"],
        "ceiling_minor": ceiling,
        "version": version,
    }
    try:
        check(str(proposed["signed"]))
        platform().run("authority.set", payload, who, key=form_key())
    except ScfError as refusal:
        said = {"form": refusal_text(refusal)}
        return _page(who, form, said, proposed), refusal.http_status
    flash(_("The authority is set."), "ok")
    return redirect(url_for("admin.authorities"), 303)
