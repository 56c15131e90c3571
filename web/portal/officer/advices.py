"""What senders say their payments are made of: handed in, and held against the credits."""

from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting import advices as reporting
from scf.settlement.advised import handing, tables
from web import sessions
from web.context import actor, platform
from web.forms import form_key
from web.portal.officer.desk import act, done, errors_of, missing, officer, page, reading, typed

MAX_FILES: Final = 10
FORM_ROOM: Final = 65_536


@officer.url_value_preprocessor
def _room_for_papers(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if endpoint == "officer.hand_in_advices" and sessions.may_bring_a_file(request):
        request.max_content_length = tables.MAX_BYTES * MAX_FILES + FORM_ROOM


@page("/advices", "advice.read")
def advices() -> str:
    """Show what senders have said, what waits for its credit first."""
    return _shown([], {})


def _shown(read: list[dict[str, Any]], errors: dict[str, str]) -> str:
    with reading() as session:
        papers = reporting.papers(session)
    return render_template(
        "officer/advices.html",
        papers=papers,
        read=read,
        errors=errors,
        advice_header=", ".join(tables.ADVICE),
        settlement_header=", ".join(tables.SETTLEMENT),
        may_keep=may(actor(), "advice.keep"),
    )


@page("/advices", "advice.keep", method="POST")
def hand_in_advices() -> Any:  # noqa: ANN401 - a page with its status
    """Read papers one after the other; each waits for its credit, or explains it at once."""
    files = [file for file in request.files.getlist("files") if file.filename][:MAX_FILES]
    if not files:
        return _shown([], {"files": _("Choose an advice or a settlement.")}), 422
    read: list[dict[str, Any]] = []
    key = form_key()
    for number, file in enumerate(files):
        name = (file.filename or "")[:200]
        try:
            result = handing.hand_in(platform(), actor(), file.read(), name, key=f"{key}:{number}")
        except ScfError as refusal:
            read.append({"name": name, "problem": errors_of(refusal)["form"]})
        else:
            read.append({"name": name, "problem": "", **result})
    return _shown(read, {}), 422 if any(one["problem"] for one in read) else 200


@page("/advices/<advice_id>/withdraw", "advice.withdraw", method="POST")
def withdraw_advice(advice_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Let a paper that was handed in by mistake explain nothing."""
    with reading() as session:
        if not reporting.known(session, advice_id):
            raise missing("advice")
    try:
        act("advice.withdraw", {"advice_id": advice_id, "note": typed("note")})
    except ScfError as refusal:
        return _shown([], errors_of(refusal)), refusal.http_status
    return done(_("The paper is withdrawn."), url_for("officer.advices"))
