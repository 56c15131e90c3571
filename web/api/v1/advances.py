"""Advances: money paid early on one invoice, from request to the last cent owed back."""

import datetime as dt
from typing import Any

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import OptPpm
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance, AdvanceEvent, FinancingRequest
from scf.financing.reserve import exposure
from scf.kernel.daycount import DayCount
from scf.kernel.rates import all_in_ppm, effective_ppm, percent_to_fraction
from scf.kernel.rates import interest as interest_on
from scf.offers.models import Quote, QuoteLine
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, reader
from web.api.v1.trade import one, today
from web.context import actor

resource = Blueprint("advances", __name__)


class BankView(Answer):
    """What only the financier reads: what it has earned, and where it pays."""

    income: Amount
    income_to: dt.date | None
    payee_account_id: str | None


class ShownAdvance(Answer):
    """An advance. ``on`` is the financier's business date at this answer.

    ``outstanding`` is what is out and still owed: the face open at the obligor, and what the
    seller owes for dilution (``repurchase_owed``). The yearly costs are of this advance alone, as
    they are when it is paid on its day.
    """

    id: str
    request_id: str
    invoice_id: str
    programme_id: str
    seller_id: str
    obligor_id: str
    financier_id: str
    state: str
    recourse: bool
    face: Amount
    discount: Amount
    fee: Amount
    tax: Amount
    reserve: Amount
    reserve_left: Amount
    net: Amount
    repaid: Amount
    diluted: Amount
    repurchase_owed: Amount
    interest: Amount
    interest_paid: Amount
    outstanding: Amount
    penalty: Amount
    penalty_paid: Amount
    on: dt.date
    value_on: dt.date
    due_on: dt.date
    days: int
    day_count: str
    rate_basis: str
    rate_percent: str
    all_in_ppm: OptPpm
    effective_ppm: OptPpm
    called_on: dt.date | None
    funded_on: dt.date | None
    closed_on: dt.date | None
    version: int
    office: BankView | None


class AdvancePage(Answer):
    """Some of the advances."""

    items: list[ShownAdvance]
    next_cursor: str


class AdvancesQuery(PageQuery):
    """Which advances."""

    state: str = Field(default="", max_length=20)
    request_id: str = Field(default="", max_length=64)
    invoice_id: str = Field(default="", max_length=64)


class AdvanceStep(Answer):
    """One step in its life; ``facts`` are the financier's own."""

    number: int
    event: str
    from_state: str
    to_state: str
    on_date: dt.date
    at: dt.datetime
    facts: dict[str, Any] | None


class AdvanceStepPage(Answer):
    """Some of the steps, the first one first."""

    items: list[AdvanceStep]
    next_cursor: str


@endpoint(resource, "GET", "/advances", action="advance.read", answer=AdvancePage)
def list_advances(query: AdvancesQuery) -> AdvancePage:
    """List the advances of which you are a side."""
    statement = select(Advance)
    for name in ("state", "request_id", "invoice_id"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(Advance, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(Advance.id))
        return AdvancePage(items=_shown(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/advances/<advance_id>", action="advance.read", answer=ShownAdvance)
def get_advance(advance_id: str) -> tuple[ShownAdvance, int, dict[str, str]]:
    """Show one advance."""
    with reader() as session:
        row = one(session, Advance, advance_id)
        return _shown(session, [row])[0], 200, etag(row.version)


@endpoint(
    resource,
    "GET",
    "/advances/<advance_id>/events",
    action="advance.read",
    answer=AdvanceStepPage,
)
def list_advance_events(advance_id: str, query: PageQuery) -> AdvanceStepPage:
    """List every step in the life of an advance."""
    with reader() as session:
        own = one(session, Advance, advance_id).financier_id == actor().org_id
        statement = select(AdvanceEvent).where(col(AdvanceEvent.advance_id) == advance_id)
        rows, following = page(session, statement, query, col(AdvanceEvent.id), newest_first=False)
        items = [
            AdvanceStep(
                number=row.number,
                event=row.event,
                from_state=row.from_state,
                to_state=row.to_state,
                on_date=row.on_date,
                at=row.at,
                facts=row.facts if own else None,
            )
            for row in rows
        ]
    return AdvanceStepPage(items=items, next_cursor=following)


def _shown(session: Session, rows: list[Advance]) -> list[ShownAdvance]:
    conn = session.connection()
    on = {row.financier_id: today(conn, row.financier_id) for row in rows}
    found = session.execute(
        select(FinancingRequest, Quote)
        .join(Quote, col(Quote.id) == col(FinancingRequest.quote_id))
        .where(col(FinancingRequest.id).in_([row.request_id for row in rows]))
    )
    basis = {request.id: quote.rate_basis for request, quote in found}
    quoted = session.execute(
        select(QuoteLine).where(col(QuoteLine.id).in_([row.quote_line_id for row in rows]))
    ).scalars()
    arrears = {line.id for line in quoted if line.interest_minor}
    return [
        _one(
            row,
            on[row.financier_id],
            basis[row.request_id],
            _expected(row) if row.quote_line_id in arrears else 0,
        )
        for row in rows
    ]


def _expected(row: Advance) -> int:
    """Give the interest in arrears of an advance that is paid on its day."""
    rate = percent_to_fraction(row.rate_percent)
    lent = row.face_minor - row.reserve_minor
    return interest_on(lent, rate, row.value_on, row.due_on, DayCount(row.day_count))


def _one(row: Advance, on: dt.date, rate_basis: str, interest: int) -> ShownAdvance:
    currency = row.currency
    charges = row.discount_minor + row.fee_minor + row.tax_minor + interest
    priced = row.net_minor > 0 and row.days > 0
    basis = DayCount(row.day_count).basis
    owed = exposure(row) if row.state in OUT else 0
    office = None
    if row.financier_id == actor().org_id:
        office = BankView(
            income=amount(row.income_minor, currency),
            income_to=row.income_to,
            payee_account_id=row.payee_account_id,
        )
    return ShownAdvance(
        id=row.id,
        request_id=row.request_id,
        invoice_id=row.invoice_id,
        programme_id=row.programme_id,
        seller_id=row.seller_id,
        obligor_id=row.obligor_id,
        financier_id=row.financier_id,
        state=row.state,
        recourse=row.recourse,
        face=amount(row.face_minor, currency),
        discount=amount(row.discount_minor, currency),
        fee=amount(row.fee_minor, currency),
        tax=amount(row.tax_minor, currency),
        reserve=amount(row.reserve_minor, currency),
        reserve_left=amount(row.reserve_left_minor, currency),
        net=amount(row.net_minor, currency),
        repaid=amount(row.repaid_minor, currency),
        diluted=amount(row.diluted_minor, currency),
        repurchase_owed=amount(row.gap_minor - row.gap_paid_minor, currency),
        interest=amount(row.interest_minor, currency),
        interest_paid=amount(row.interest_paid_minor, currency),
        outstanding=amount(owed, currency),
        penalty=amount(row.penalty_minor, currency),
        penalty_paid=amount(row.penalty_paid_minor, currency),
        on=on,
        value_on=row.value_on,
        due_on=row.due_on,
        days=row.days,
        day_count=row.day_count,
        rate_basis=rate_basis,
        rate_percent=row.rate_percent,
        all_in_ppm=all_in_ppm(charges, row.net_minor, row.days, basis) if priced else None,
        effective_ppm=effective_ppm(charges, row.net_minor, row.days) if priced else None,
        called_on=row.called_on,
        funded_on=row.funded_on,
        closed_on=row.closed_on,
        version=row.version,
        office=office,
    )
