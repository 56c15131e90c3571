"""Firm quotes: what a seller would receive for its invoices, at what cost all in, until when.

Made to the seller. The financier reads the same figures, and its margin in them beside.
"""

import datetime as dt
from typing import Any, Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Id, OptCode, OptDay, OptId, Ppm, SignedPpm
from scf.documents.models import Invoice
from scf.offers.commands import MAX_INVOICES
from scf.offers.models import Quote, QuoteLine
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import minor_of, one, today
from web.context import actor

resource = Blueprint("quotes", __name__)


class QuoteLineOut(Answer):
    """One invoice of a quote; it becomes one advance with its own rounding."""

    invoice_id: str
    face: Amount
    discount: Amount
    fee: Amount
    tax: Amount
    reserve: Amount
    interest: Amount
    net: Amount
    rate_percent: str
    due_on: dt.date
    settle_on: dt.date
    days: int


class Rungs(Answer):
    """What a risk price is made of, as its seller may read it: whole basis points of the rate.

    Of several invoices those of the dearest; they sum to ``rate_ppm`` over a hundred.
    """

    bank_funding: int
    buyer_credit: int
    record_and_size: int
    service: int


class WhatIf(Answer):
    """About what yearly rate one thing that the seller can do would lead to, in basis points.

    Worked out by the pricing engine on the morning of the quote and rounded to five: ``saves_bp`` 0
    would not help. ``lever``: an ``UNDERTAKING`` or early ``CONFIRMATION`` by this buyer, an annual
    ``STATEMENT`` of the seller, ``RECOURSE`` to it, a ``SHORTER_TENOR`` of ``tenor_days``, a
    ``BIGGER_BATCH`` with this whole ``face``.
    """

    lever: str
    about_bp: int
    saves_bp: int
    tenor_days: int | None
    face: Amount | None


class PriceModel(Answer):
    """By what a price was made.

    ``expert_prior``: set by judgement, not estimated. ``trained``: a champion that was fitted to
    defaults that happened. ``simulated``: one of simulated firms, in a demo world only.
    """

    kind: Literal["expert_prior", "trained", "simulated"]


class Components(Answer):
    """The eleven parts of one line's rate, in whole basis points; for the financier."""

    funding: int
    late_days: int
    default_own: int
    default_chain: int
    dilution: int
    capital: int
    operating: int
    channel: int
    uncertainty: int
    margin: int
    floor_addon: int


class Office(Answer):
    """What only the financier reads; ``components`` in the order of the lines."""

    margin_ppm: SignedPpm
    created_by: str
    route: str
    grade: str | None
    components: list[Components]


class QuoteOut(Answer):
    """A price that is held until ``expires_at``.

    The cash is the face less discount, fee, tax and ``reserve``, which follows when the buyer has
    paid; ``interest`` is what is taken from it then, if that is on the due date.
    ``on`` is the financier's business date at this answer. ``all_in_ppm`` is the simple yearly
    cost of everything on the cash received, ``effective_ppm`` the compounded one.
    """

    id: str
    state: str
    programme_id: str
    financier_id: str
    anchor_id: str
    face: Amount
    discount: Amount
    fee: Amount
    tax: Amount
    reserve: Amount
    interest: Amount
    net: Amount
    on: dt.date
    value_on: dt.date
    day_count: str
    rate_basis: str
    rate_percent: str
    rate_ppm: SignedPpm
    benchmark: str
    fixing_percent: str
    fixing_on: dt.date
    all_in_ppm: Ppm
    effective_ppm: Ppm
    inputs_digest: str
    expires_at: dt.datetime
    rungs: Rungs | None
    reasons: list[str]
    what_ifs: list[WhatIf] | None
    model: PriceModel | None
    lines: list[QuoteLineOut]
    office: Office | None = None


class QuotePage(Answer):
    """Some of the quotes."""

    items: list[QuoteOut]
    next_cursor: str


class QuotesQuery(PageQuery):
    """Which quotes."""

    state: str = Field(default="", max_length=20)


class AskQuote(BaseModel):
    """Invoices of one buyer in one currency, in the order in which they are to be financed.

    Without an amount all that is eligible, without a day the next pay-out day. ``inputs_digest``
    asks for exactly the quote that was shown before.
    """

    model_config = ConfigDict(extra="forbid")
    invoice_ids: list[Id] = Field(min_length=1, max_length=MAX_INVOICES)
    amount: Amount | None = None
    value_on: OptDay = None
    programme_id: OptId = None
    inputs_digest: OptCode = None


@endpoint(resource, "POST", "/quotes", action="quote.make", answer=QuoteOut, status=201)
def make_quote(json: AskQuote) -> tuple[QuoteOut, int]:
    """Ask for a firm price, as the seller; a refusal names every reason and what would help."""
    payload: dict[str, Any] = json.model_dump(exclude={"amount"})
    if json.amount is not None:
        with reader() as session:
            currency = one(session, Invoice, json.invoice_ids[0]).currency
        payload["amount_minor"] = minor_of(json.amount, currency)
    result = run("quote.make", payload).result
    return QuoteOut.model_validate(_money_of(result)), 201


@endpoint(resource, "GET", "/quotes", action="quote.read", answer=QuotePage)
def list_quotes(query: QuotesQuery) -> QuotePage:
    """List the quotes that were made to you, or by you."""
    statement = select(Quote)
    if query.state:
        statement = statement.where(col(Quote.state) == query.state)
    with reader() as session:
        rows, following = page(session, statement, query, col(Quote.id))
        return QuotePage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/quotes/<quote_id>", action="quote.read", answer=QuoteOut)
def get_quote(quote_id: str) -> QuoteOut:
    """Show one quote."""
    with reader() as session:
        return _shown(session, [one(session, Quote, quote_id)])[0]


_AMOUNTS = ("face", "discount", "fee", "tax", "reserve", "interest", "net")
_OF_LINE = set(QuoteLineOut.model_fields) - set(_AMOUNTS)
_OF_QUOTE = set(QuoteOut.model_fields) - {
    *_AMOUNTS, "on", "lines", "office", "model", "what_ifs",
}  # fmt: skip


def _money_of(result: dict[str, Any]) -> dict[str, Any]:
    """Give the command's stored answer with its amounts as the API shows them."""
    currency = result["currency"]

    def amounts(row: dict[str, Any]) -> dict[str, Amount]:
        return {name: amount(row[f"{name}_minor"], currency) for name in _AMOUNTS}

    lines = [
        {**{name: line[name] for name in _OF_LINE}, **amounts(line)} for line in result["lines"]
    ]
    shown = {name: result[name] for name in (*_OF_QUOTE, "on")}
    model = None if result["rungs"] is None else {"kind": result["model_kind"]}
    found = result["what_ifs"]
    what_ifs = None if found is None else [_what_if(one, currency) for one in found]
    return {**shown, **amounts(result), "model": model, "what_ifs": what_ifs, "lines": lines}


def _what_if(one: dict[str, Any], currency: str) -> dict[str, Any]:
    lever, to = one["lever"], one["to"]
    return {
        "lever": lever,
        "about_bp": one["about_bp"],
        "saves_bp": one["saves_bp"],
        "tenor_days": to if lever == "SHORTER_TENOR" else None,
        "face": amount(to, currency) if lever == "BIGGER_BATCH" else None,
    }


def _shown(session: Session, rows: list[Quote]) -> list[QuoteOut]:
    conn = session.connection()
    on = {row.financier_id: today(conn, row.financier_id) for row in rows}
    found = session.execute(
        select(QuoteLine)
        .where(col(QuoteLine.quote_id).in_([row.id for row in rows]))
        .order_by(col(QuoteLine.quote_id), col(QuoteLine.place))
    ).scalars()
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in found:
        lines.setdefault(line.quote_id, []).append(line.model_dump())
    return [
        QuoteOut.model_validate(
            _money_of({**row.model_dump(), "on": on[row.financier_id], "lines": lines[row.id]})
            | {"office": _office(row, lines[row.id])}
        )
        for row in rows
    ]


def _office(row: Quote, lines: list[dict[str, Any]]) -> Office | None:
    if row.financier_id != actor().org_id:
        return None
    return Office(
        margin_ppm=row.margin_ppm,
        created_by=row.created_by,
        route=row.route,
        grade=row.grade,
        components=[
            Components(**line["components"]) for line in lines if line["components"] is not None
        ],
    )
