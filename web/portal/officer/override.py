"""Setting the route or a reason of the policy aside on a case: signed, with a code and a note."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from web.context import actor
from web.portal.officer import caseview, verdicts
from web.portal.officer.case import bound, file_of
from web.portal.officer.desk import act, done, errors_of, page, typed
from web.portal.officer.words import decided_by
from web.second_factor import check

_LEAST_WORDS = 3


@page("/cases/<request_id>/override", "request.override")
def override(request_id: str) -> str:
    """Show what may be set aside on the case, and what it would mean."""
    return _page(request_id, {})


def _page(request_id: str, errors: Mapping[str, str]) -> str:
    file = file_of(request_id)
    return render_template(
        "officer/override.html",
        case=caseview.view(file, actor()),
        overrides=verdicts.of_case(file, actor()),
        route=decided_by(file.request.route),
        typed={name: value[:4000] for name, value in request.form.items()},
        errors=errors,
    )


@page("/cases/<request_id>/override", "request.override", method="POST")
def override_case(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Set the route or a reason aside; the case begins again with a first word."""
    file = file_of(request_id)
    what, _sep, value = typed("what", 100).partition(":")
    note = typed("note")
    if what not in {"route", "reason"}:
        return _page(request_id, {"what": _("Choose what is set aside.")}), 422
    if len(note) < _LEAST_WORDS:
        return _page(request_id, {"note": _("Say why, in a few words.")}), 422
    version = request.form.get("version", "")
    number = int(version) if version.isascii() and version.isdigit() else 0
    payload = {
        "request_id": request_id,
        "version": number,
        "what": what,
        "value": value,
        "code": typed("why", 64),
        "note": note,
    }
    try:
        check(bound(file, number))
        act("request.override", payload)
    except ScfError as refusal:
        return _page(request_id, errors_of(refusal, ("note",))), refusal.http_status
    said = _("Set aside. The case begins again with a first word.")
    return done(said, url_for("officer.case", request_id=request_id))
