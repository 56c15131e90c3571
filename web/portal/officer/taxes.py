"""Tax checks: alerts on financed invoices, and what two people look up while nobody answers."""

import datetime as dt
from typing import Any, Final

from flask import render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.kernel.errors import ScfError
from scf.parties.access import may
from scf.reporting import taxes
from web.context import actor, now
from web.portal.officer.desk import act, done, errors_of, page, reading, typed

_LEAST_WORDS: Final = 3
_AWAY_SINCE: Final = dt.timedelta(days=7)
_OUTCOMES: Final = {
    "UNDERTAKING": _l("The buyer has undertaken to pay and owes on"),
    "RECOURSE": _l("The seller is asked to buy it back"),
    "CREDIT_NOTE": _l("The credit note is here"),
    "CLEARED": _l("The tax authority has it as valid again"),
}


@page("/tax", "tax.alerts")
def tax_checks() -> str:
    """Show what tax authorities no longer have as we have it, and what nobody could be asked."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    with reading() as session:
        lines = taxes.alerts(session)
        closed = taxes.alerts(session, closed=True)
        waiting = taxes.vouches(session)
        away = taxes.away(session, now() - _AWAY_SINCE)
    return render_template(
        "officer/taxes.html",
        alerts=lines,
        closed=closed,
        vouches=waiting,
        away=away,
        form=form,
        errors=errors,
        outcomes=list(_OUTCOMES.items()),
        outcome_name=_OUTCOMES,
        me=actor().user_id,
        may_ask=may(actor(), "tax.ask"),
        may_vouch=may(actor(), "tax.vouch"),
        may_decide=may(actor(), "tax.decide_vouch"),
    )


@page("/tax", "tax.alerts", method="POST")
def work_tax_check() -> Any:  # noqa: ANN401 - a page or a way on
    """Take or close an alert, say what was seen elsewhere, or agree to it."""
    form = {name: typed(name) for name in ("act", "id", "outcome", "note", "evidence")}
    what, said, errors = _asked(form)
    if errors or what is None:
        return _page(form, errors or {"form": _("Choose what to do first.")}), 422
    command, payload = what
    try:
        act(command, payload)
    except ScfError as refusal:
        return _page(form, errors_of(refusal, ("note", "evidence"))), refusal.http_status
    return done(said, url_for("officer.tax_checks"))


def _asked(
    form: dict[str, str],
) -> tuple[tuple[str, dict[str, Any]] | None, str, dict[str, str]]:
    """Give the command that a form means and what is said when it is done, or what is missing."""
    short = _("Say what you saw, in a few words.")
    match form["act"]:
        case "take":
            return ("tax.take_alert", {"alert_id": form["id"]}), _("The alert is yours."), {}
        case "ask":
            said = _("The tax authority is being asked. Load this page again in a moment.")
            return ("tax.ask", {"invoice_id": form["id"]}), said, {}
        case "close":
            errors = {} if len(form["note"]) >= _LEAST_WORDS else {"note": short}
            if form["outcome"] not in _OUTCOMES:
                errors["outcome"] = _("Choose what became of it.")
            payload = {"alert_id": form["id"], "outcome": form["outcome"], "note": form["note"]}
            return ("tax.close_alert", payload), _("The alert is closed."), errors
        case "vouch":
            errors = {} if len(form["evidence"]) >= _LEAST_WORDS else {"evidence": short}
            payload = {"invoice_id": form["id"], "evidence": form["evidence"]}
            said = _("What you saw is recorded. Another person looks at it, too.")
            return ("tax.vouch", payload), said, errors
        case "agree" | "refuse":
            agree = form["act"] == "agree"
            said = _("It counts for a day.") if agree else _("It does not count.")
            return ("tax.decide_vouch", {"vouch_id": form["id"], "agree": agree}), said, {}
    return None, "", {}
