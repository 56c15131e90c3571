"""The sample of automatic approvals: looked at later, with a verdict and a note."""

from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting.reviews import drawn
from web.context import actor
from web.portal.officer import verdicts
from web.portal.officer.case import file_of
from web.portal.officer.desk import act, done, errors_of, page, reading, typed

_LEAST_WORDS = 3


@page("/reviews", "decision.read")
def reviews() -> str:
    """Show what was drawn and waits for a look, and what officers thought of the others."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        waiting, done_ = drawn(session, "OPEN"), drawn(session, "DONE")
    return render_template(
        "officer/reviews.html",
        waiting=waiting,
        looked_at=done_,
        form=form,
        errors=errors,
        codes=verdicts.review_codes(),
        code_name=verdicts.review_code,
        may_review=may(actor(), "request.review"),
    )


@page("/reviews/<request_id>", "request.review", method="POST")
def review(request_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Say what one thinks of an approval that the policy gave."""
    file_of(request_id)
    form = {name: typed(name) for name in ("outcome", "code", "note")} | {"id": request_id}
    errors = {}
    if form["outcome"] not in {"AGREE", "DISAGREE"}:
        errors["outcome"] = _("Choose your verdict.")
    if form["outcome"] == "DISAGREE" and not form["code"]:
        errors["code"] = _("Say what was wrong.")
    if len(form["note"]) < _LEAST_WORDS:
        errors["note"] = _("Say what you saw, in a few words.")
    if errors:
        return _page(form, errors), 422
    payload = {
        "request_id": request_id,
        "outcome": form["outcome"],
        "code": form["code"] if form["outcome"] == "DISAGREE" else None,
        "note": form["note"],
    }
    try:
        act("request.review", payload)
    except ScfError as refusal:
        return _page(form, errors_of(refusal, ("code", "note"))), refusal.http_status
    return done(_("Your verdict is recorded."), url_for("officer.reviews"))
