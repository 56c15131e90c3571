"""The words of the anchor's pages: an invoice as its buyer knows it, and why it wants a look."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from scf.documents.models import Invoice
from scf.documents.rules import label
from scf.reporting.alike import Alike
from web.api.v1.invoices import AsTheBuyerKnows


def label_of(row: Invoice, on: dt.date) -> str:
    """Return the one word that the buyer may know; never what finance rests on an invoice."""
    return label(AsTheBuyerKnows(row), on)


def match_words(code: str | None) -> str:
    """Return what an exception in matching means."""
    return str(_MATCH.get(code or "", _("It does not fit its order.")))


_MATCH: Final[Mapping[str, object]] = {
    "ORDER_MISSING": _l("Its order is not here yet."),
    "ORDER_CANCELLED": _l("Its order was cancelled."),
    "ORDER_REFUSED": _l("The supplier had refused the order."),
    "ORDER_CURRENCY": _l("It is in another currency than its order."),
    "ORDER_LINE_UNKNOWN": _l("It names a line that the order does not have."),
    "LINE_AMBIGUOUS": _l("A line could be more than one line of the order."),
    "LINE_EXTRA": _l("It has a line that was not ordered."),
    "UNIT_DIFFERS": _l("It counts in another unit than the order."),
    "QUANTITY_EXCEEDED": _l("More is invoiced than was ordered."),
    "AMOUNT_EXCEEDED": _l("It asks for more money than was ordered."),
    "PRICE_ABOVE": _l("It costs more than was ordered."),
    "PRICE_BELOW": _l("It costs less than was ordered."),
    "TAX_DIFFERS": _l("It is taxed differently from the order."),
    "RECEIPT_MISSING": _l("More is invoiced than was received."),
    "DESPATCH_MISSING": _l("More is invoiced than was sent."),
}


def match_remedy(code: str | None) -> str:
    """Return what settles an exception in matching, and who does it."""
    return str(_REMEDY.get(code or "", _("Let it pass, or ask for a credit note.")))


_ORDER: Final = _l("Set it to the right order, or reject it.")
_REMEDY: Final[Mapping[str, object]] = {
    "ORDER_MISSING": _l("Upload the order, or set the invoice to another one."),
    "ORDER_CANCELLED": _ORDER,
    "ORDER_REFUSED": _ORDER,
    "ORDER_CURRENCY": _ORDER,
    "ORDER_LINE_UNKNOWN": _ORDER,
    "LINE_AMBIGUOUS": _l("Ask the supplier to name the lines of the order."),
    "UNIT_DIFFERS": _l("Say how much one pack holds."),
    "QUANTITY_EXCEEDED": _l("Ask for a credit note, or change the order."),
    "TAX_DIFFERS": _l("Ask for a credit note, or let it pass."),
    "PRICE_BELOW": _l("Let it pass, or change the order."),
    "RECEIPT_MISSING": _l("Record what arrived."),
    "DESPATCH_MISSING": _l("Wait for the supplier's despatch advice."),
}


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


def looks_like(row: Invoice, pairs: Sequence[Alike]) -> list[str]:
    """Return which other invoices an invoice looks like, as long as that is not decided."""
    found = []
    for one in pairs:
        both = [paper for paper in (one.paper, one.twin) if paper is not None]
        if one.waits and row.id in {paper.invoice_id for paper in both}:
            others = [paper.number for paper in both if paper.invoice_id != row.id]
            found += [str(_("It looks like invoice %(number)s.", number=other)) for other in others]
    return found


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
