"""Follow the money: an order or an invoice with all that became of it, as the caller may see it.

The same as the portal's page: documents, finance, payments and the entries of the caller's own
book in the order of time, the sums, and the laws that say that nothing is lost.
"""

import datetime as dt

from flask import Blueprint
from pydantic import Field

from scf.db.types import Currency
from scf.db.visibility import not_found
from scf.reporting import trail as trails
from web.api.v1.ledger import PostingLine
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor

resource = Blueprint("trails", __name__)


class TrailFigures(Answer):
    """The sums in one currency; ``received`` is goods at the prices of the order."""

    currency: Currency
    ordered: Amount | None
    received: Amount | None
    invoiced: Amount
    credited: Amount
    disputed: Amount
    financed: Amount
    paid_out: Amount
    paid: Amount
    settled: Amount
    outstanding: Amount
    open: Amount


class TrailStep(Answer):
    """One thing that happened. ``about_id`` is the row behind it, ``code`` its state or kind.

    ``postings`` are those of an entry of the caller's own book, debit positive; ``closes`` counts
    the daily closes that stand together in one step.
    """

    kind: str
    on: dt.date
    about_id: str
    number: str
    code: str
    amount: Amount | None
    firm_id: str
    closes: int
    postings: list[PostingLine]


class TrailLaw(Answer):
    """Two sums that must be equal, each counted from its own rows."""

    code: str
    about: str
    left: Amount
    right: Amount
    holds: bool


class TrailOut(Answer):
    """An order or an invoice followed to the books."""

    order_id: str | None
    invoice_ids: list[str]
    figures: list[TrailFigures]
    steps: list[TrailStep]
    laws: list[TrailLaw]
    more_entries: bool = Field(description="whether the books hold more entries than are here")


@endpoint(resource, "GET", "/invoices/<invoice_id>/trail", action="document.read", answer=TrailOut)
def follow_invoice(invoice_id: str) -> TrailOut:
    """Follow one invoice to its payments and entries."""
    with reader() as session:
        found = trails.follow_invoice(session, actor(), invoice_id)
        if found is None:
            raise not_found("invoice", invoice_id)
        return _out(found)


@endpoint(resource, "GET", "/orders/<order_id>/trail", action="document.read", answer=TrailOut)
def follow_order(order_id: str) -> TrailOut:
    """Follow one order through its invoices to their payments and entries."""
    with reader() as session:
        found = trails.follow_order(session, actor(), order_id)
        if found is None:
            raise not_found("trade_order", order_id)
        return _out(found)


def _out(found: trails.Trail) -> TrailOut:
    rows = found.rows
    return TrailOut(
        order_id=rows.order.id if rows.order else None,
        invoice_ids=[row.id for row in rows.invoices],
        figures=[_figures(one) for one in trails.figures_of(rows)],
        steps=[_step(one) for one in found.steps],
        laws=[
            TrailLaw(
                code=one.code,
                about=one.about,
                left=amount(one.left_minor, one.currency),
                right=amount(one.right_minor, one.currency),
                holds=one.holds,
            )
            for one in trails.laws_of(rows)
        ],
        more_entries=rows.more_entries,
    )


def _figures(one: trails.Figures) -> TrailFigures:
    def of(minor: int) -> Amount:
        return amount(minor, one.currency)

    return TrailFigures(
        currency=one.currency,
        ordered=None if one.ordered_minor is None else of(one.ordered_minor),
        received=None if one.received_minor is None else of(one.received_minor),
        invoiced=of(one.invoiced_minor),
        credited=of(one.credited_minor),
        disputed=of(one.disputed_minor),
        financed=of(one.financed_minor),
        paid_out=of(one.paid_out_minor),
        paid=of(one.paid_minor),
        settled=of(one.settled_minor),
        outstanding=of(one.outstanding_minor),
        open=of(one.open_minor),
    )


def _step(one: trails.Step) -> TrailStep:
    told = one.amount_minor is not None and one.currency
    return TrailStep(
        kind=one.kind,
        on=one.on,
        about_id=one.about,
        number=one.number,
        code=one.code,
        amount=amount(one.amount_minor or 0, one.currency) if told else None,
        firm_id=one.firm_id,
        closes=int(one.facts.get("count", 0)),
        postings=[
            PostingLine(account=account, amount=amount(minor, currency))
            for entry in one.entries
            for account, minor, currency in entry.lines
        ],
    )
