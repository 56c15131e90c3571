"""The words of the anchor's pages: an invoice as its buyer knows it, and why it wants a look."""

import datetime as dt

from flask_babel import gettext as _

from scf.documents.models import Invoice
from scf.documents.rules import label
from web.api.v1.invoices import AsTheBuyerKnows


def label_of(row: Invoice, on: dt.date) -> str:
    """Return the one word that the buyer may know; never what finance rests on an invoice."""
    return label(AsTheBuyerKnows(row), on)


def match_words(code: str | None) -> str:
    """Return what an exception in matching means."""
    words = {
        "PRICE": _("The price differs from the order."),
        "QUANTITY": _("More is invoiced than was received."),
        "AMOUNT": _("More is invoiced than was ordered."),
    }
    for part, text in words.items():
        if code and part in code:
            return str(text)
    return str(_("It does not fit its order."))


def blockers(row: Invoice) -> list[str]:
    """Return why an invoice wants a look of its own before it is accepted."""
    found = []
    if row.due_on is None:
        found.append(_("It names no due date; state one."))
    if row.dispute_state == "DISPUTED":
        found.append(_("A part of it is disputed."))
    if row.match_state == "EXCEPTION":
        found.append(match_words(row.match_code))
    if row.document_state == "INCOMPLETE" and row.due_on is not None:
        found.append(_("One of its firms is not known yet."))
    return [str(text) for text in found]


def cannot(row: Invoice) -> str:
    """Return why an invoice cannot be accepted together with others; empty when it can."""
    if row.acceptance_state not in {"NONE", "SENT"}:
        return str(_("It has been answered already."))
    if row.due_on is None:
        return str(_("It names no due date; state one on its own page."))
    if row.document_state != "VALIDATED":
        return str(_("It is not complete yet."))
    if row.dispute_state == "DISPUTED":
        return str(_("A part of it is disputed; accept the rest on its own page."))
    return ""
