"""Arrears: what is late, payer by payer, what each was told, and what is held back."""

import datetime as dt
from typing import Any, Final

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.parties.service import business_date
from scf.reporting.arrears import arrears as arrears_of
from web.context import actor
from web.portal.officer.desk import act, advance_of, done, errors_of, page, reading, typed
from web.portal.reminders import STEPS

BUCKETS: Final = {
    "today": _l("Due today"),
    "1_30": _l("1 to 30 days"),
    "31_60": _l("31 to 60 days"),
    "61_90": _l("61 to 90 days"),
    "over_90": _l("Over 90 days"),
}


@page("/arrears", "advance.read")
def arrears() -> str:
    """Show what is late by age and by payer, the oldest first."""
    return _shown({}, "")


def _shown(errors: dict[str, str], about: str) -> str:
    with reading() as session:
        today = business_date(session.connection(), actor().org_id)
        found = arrears_of(session, today)
    return render_template(
        "officer/arrears.html",
        found=found,
        today=today,
        buckets=BUCKETS,
        steps=STEPS,
        may_hold=may(actor(), "reminder.hold"),
        errors=errors,
        about=about,
        form=request.form,
        until=_until(),
    )


def _until() -> dt.date | None:
    try:
        return dt.date.fromisoformat(typed("until", 10))
    except ValueError:
        return None


@page("/arrears/<advance_id>/hold", "reminder.hold", method="POST")
def hold_reminders(advance_id: str) -> Any:  # noqa: ANN401 - a page or a way on
    """Remind nobody of one item until a day, or let its reminders go again."""
    advance_of(advance_id)
    why = typed("why")
    ends = typed("word") == "release"
    errors = {} if why or ends else {"why": str(_("Say why, for whoever looks next."))}
    day = None if ends else _until()
    if day is None and not ends:
        errors["until"] = str(_("Choose a day."))
    if errors:
        return _shown(errors, advance_id), 422
    why = why or str(_("Reminders go on"))
    payload = {"advance_id": advance_id, "until_on": day, "reason": why}
    try:
        act("reminder.hold", payload, reason=why)
    except ScfError as refusal:
        return _shown(errors_of(refusal), advance_id), refusal.http_status
    said = _("Its reminders go on.") if ends else _("Nobody is reminded of it until that day.")
    return done(said, url_for("officer.arrears"))
