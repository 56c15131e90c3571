"""A reminder as the payer and the bank read it: what is due, on which account, by when."""

from typing import Final

from flask import Blueprint, Response, render_template
from flask_babel import lazy_gettext as _l

from scf.db.visibility import not_found
from scf.parties.access import may
from scf.reporting.arrears import Reminder
from scf.reporting.arrears import reminder as reminder_of
from web.api.v1.files import attachment
from web.context import actor, platform
from web.pdf import pdf_of
from web.portal.acting import must

reminders = Blueprint("reminders", __name__, url_prefix="/reminders")

STEPS: Final = {
    "upcoming": _l("Due soon"),
    "missed": _l("Not paid on the due day"),
    "last_call": _l("Overdue from tomorrow"),
    "overdue": _l("Overdue"),
    "overdue_15": _l("Second reminder"),
    "overdue_30": _l("Third reminder"),
    "overdue_60": _l("Fourth reminder"),
    "overdue_90": _l("Last reminder"),
}


@reminders.get("/<reminder_id>")
def reminder(reminder_id: str) -> str:
    """Show one reminder with its items and where to pay."""
    found = _one(reminder_id)
    who = actor()
    return render_template(
        "reminder.html",
        found=found,
        row=found.row,
        steps=STEPS,
        own=who.org_id == found.row.payer_id,
        follows=may(who, "document.read"),
    )


@reminders.get("/<reminder_id>.pdf")
def reminder_letter(reminder_id: str) -> Response:
    """Print it as a letter, in the reader's language."""
    found = _one(reminder_id)
    text = render_template("reminder_print.html", found=found, row=found.row, steps=STEPS)
    name = f"reminder-{found.row.on.isoformat()}-{found.row.id[-6:]}.pdf"
    return attachment(pdf_of(text), name, "application/pdf")


def _one(reminder_id: str) -> Reminder:
    must("reminder.read")
    with platform().db.read(actor()) as reading:
        found = reminder_of(reading, reminder_id)
    if found is None:
        raise not_found("payment_reminder", reminder_id)
    return found
