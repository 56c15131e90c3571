"""The pages that follow an order or an invoice; each reader finds the own side of it."""

from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from sqlmodel import Session

from scf.db.visibility import not_found
from scf.documents.models import Invoice, Order
from scf.documents.rules import owed
from scf.financing.reserve import open_face
from scf.parties.access import may
from scf.parties.service import day_for
from scf.reporting import trail as trails
from scf.reporting.trail.sums import over_paid
from web.context import actor, now, platform
from web.portal.acting import must
from web.portal.follow.elsewhere import elsewhere_of
from web.portal.follow.words import law_words, told

follow = Blueprint("follow", __name__, url_prefix="/follow")

# What a reader may leave out: the kinds of steps behind each view.
VIEWS: Final = ("all", "papers", "money", "books")
_MONEY: Final = frozenset({
    "request", "decision", "advance", "payment", "paid_out", "money_in", "paid", "paid_back",
    "allocation", "over_advance", "due",
})  # fmt: skip
_BOOKS: Final = frozenset({"entry", "closes"})


@follow.before_request
def _only_readers() -> None:
    must("document.read")


@follow.get("/invoices/<invoice_id>")
def invoice(invoice_id: str) -> str:
    """Follow one invoice."""
    who = actor()
    with platform().db.read(who) as reading:
        found = trails.follow_invoice(reading, who, invoice_id)
        if found is None:
            raise not_found("invoice", invoice_id)
        row = found.rows.invoices[0]
        title = _("Invoice %(number)s", number=row.number)
        return _page(reading, found, title, row)


@follow.get("/orders/<order_id>")
def order(order_id: str) -> str:
    """Follow one order through its invoices."""
    must("order.follow")
    who = actor()
    with platform().db.read(who) as reading:
        found = trails.follow_order(reading, who, order_id)
        if found is None or found.rows.order is None:
            raise not_found("trade_order", order_id)
        row = found.rows.order
        title = _("Order %(number)s", number=row.number)
        return _page(reading, found, title, row)


def _page(reading: Session, found: trails.Trail, title: str, row: Invoice | Order) -> str:
    who, rows = actor(), found.rows
    today = day_for(reading.connection(), who.org_id, now().date())
    asked = request.args.get("show", "all")
    view = asked if asked in VIEWS else "all"
    steps = [step for step in found.steps if _in(view, step.kind)]
    elsewhere = elsewhere_of(reading, found)
    return render_template(
        "follow/show.html",
        title=title,
        rows=rows,
        seller=found.names.get(row.seller_id or "", "") or _("an unknown seller"),
        buyer=found.names.get(row.buyer_id or "", "") or _("an unknown buyer"),
        figures=trails.figures_of(rows),
        laws=[(one, law_words(one)) for one in trails.laws_of(rows)],
        steps=[told(step, who, found.names, today, elsewhere) for step in steps],
        views=[
            (words, url_for(request.endpoint or "", **(request.view_args or {}), show=name),
             name == view, None)
            for name, words in zip(VIEWS, _views(), strict=True)
        ],
        with_books=may(who, "ledger.read"),
        with_bank=may(who, "decision.read"),
        with_finance=may(who, "advance.read"),
        owed=owed,
        over_paid=over_paid,
        open_face=open_face,
        numbers={one.id: one.number for one in rows.invoices},
        advances=trails.funded(rows),
        one_invoice=request.endpoint == "follow.invoice",
    )  # fmt: skip


def _views() -> list[str]:
    return [_("All"), _("Papers and words"), _("Money"), _("Books")]


def _in(view: str, kind: str) -> bool:
    if view == "money":
        return kind in _MONEY
    if view == "books":
        return kind in _BOOKS
    return view == "all" or kind not in _MONEY | _BOOKS
