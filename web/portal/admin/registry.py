"""The shared duplicate registry: whether the organisation takes part, and what was answered."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.reporting.registry import answers, membership
from web.context import platform
from web.forms import form_key
from web.portal.admin.blueprint import admin, administrator
from web.refusals import refusal_text


@admin.get("/registry")
def registry() -> str:
    """Show the membership, or the form that begins it, and the last answers."""
    return _page("")


def _page(error: str) -> str:
    with platform().db.read(administrator()) as reading:
        return render_template(
            "admin/registry.html",
            member=membership(reading),
            answers=answers(reading),
            form={name: request.form.get(name, "")[:60] for name in ("consortium", "member")},
            error=error,
        )


@admin.post("/registry")
def join_registry() -> Any:  # noqa: ANN401 - a page or a way on
    """Take part: from now on nothing is paid that the registry has not confirmed."""
    who = administrator()
    asked = {name: request.form.get(name, "").strip() for name in ("consortium", "member")}
    try:
        platform().run("registry.join", asked, who, key=form_key())
    except ScfError as refusal:
        return _page(refusal_text(refusal)), refusal.http_status
    flash(_("Your organisation takes part: nothing is paid unasked any more."), "ok")
    return redirect(url_for("admin.registry"), 303)
