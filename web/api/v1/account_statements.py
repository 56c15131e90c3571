"""The statement of one account of one's own book: opening, postings with balances, closing."""

import datetime as dt
from typing import Any, Literal

from flask import Blueprint, Response
from pydantic import ConfigDict, Field

from scf.db.types import OptCurrency, OptDay
from scf.db.visibility import not_found
from scf.ledger.statement import (
    Span,
    StatementLine,
    StatementPage,
    currencies_of,
    statement_page,
)
from scf.parties.service import day_for
from web.accounts import csv_of, cursor_of, place_of
from web.api.v1 import described
from web.api.v1.files import attachment
from web.api.v1.paging import PageQuery
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor, now

resource = Blueprint("account_statements", __name__)
_FIRST = dt.date(1900, 1, 1)


class StatementRow(Answer):
    """One posting, and the balance after it; debit positive."""

    entry_id: str
    event_kind: str
    subject_id: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    amount: Amount
    balance: Amount


class AccountStatement(Answer):
    """A period of one account; ``before`` is the balance above the first item of this page."""

    account: str
    from_on: dt.date
    to_on: dt.date
    opening: Amount
    debits: Amount
    credits: Amount
    closing: Amount
    before: Amount
    items: list[StatementRow]
    next_cursor: str


class StatementQuery(PageQuery):
    """Which days (all up to the business date when left out), which currency, in which form."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)
    from_on: OptDay = Field(default=None, alias="from")
    to_on: OptDay = Field(default=None, alias="to")
    currency: OptCurrency = None
    format: Literal["json", "csv"] = "json"


described.gives_file(
    "/ledger/accounts/<account_code>/statement", "text/csv", model=AccountStatement
)


@endpoint(
    resource,
    "GET",
    "/ledger/accounts/<account_code>/statement",
    action="ledger.read",
    answer=None,
)
def account_statement(account_code: str, query: StatementQuery) -> Response:
    """Show the statement of one account; as ``csv`` whole, else in pages."""
    org_id = actor().org_id
    with reader() as session:
        conn = session.connection()
        currencies = currencies_of(conn, org_id, account_code)
        if not currencies or (query.currency and query.currency not in currencies):
            raise not_found("account", account_code)
        to_on = query.to_on or day_for(conn, org_id, now().date())
        currency = query.currency or currencies[0]
        span = Span(org_id, account_code, currency, query.from_on or _FIRST, to_on)
        if query.format == "csv":
            content = "".join(csv_of(session, span)).encode("utf-8-sig")
            return attachment(content, f"{account_code}.csv", "text/csv; charset=utf-8")
        after = place_of(query.cursor) if query.cursor else None
        found = statement_page(conn, span, after, query.limit)
    return Response(_out(span, found).model_dump_json(), content_type="application/json")


def _out(span: Span, found: StatementPage) -> AccountStatement:
    def of(minor: int) -> Amount:
        return amount(minor, span.currency)

    totals = found.totals
    sums: dict[str, Any] = {
        "opening": of(totals.opening_minor),
        "debits": of(totals.debit_minor),
        "credits": of(totals.credit_minor),
        "closing": of(totals.closing_minor),
        "before": of(found.before_minor),
    }
    return AccountStatement(
        account=span.code,
        from_on=span.from_on,
        to_on=span.to_on,
        items=[_row(line, span.currency) for line in found.lines],
        next_cursor=cursor_of(found.following) if found.following else "",
        **sums,
    )


def _row(line: StatementLine, currency: str) -> StatementRow:
    return StatementRow(
        entry_id=line.at.entry_id,
        event_kind=line.event_kind,
        subject_id=line.subject_id,
        booked_on=line.at.booked_on,
        value_on=line.value_on,
        narrative=line.narrative,
        amount=amount(line.amount_minor, currency),
        balance=amount(line.balance_minor, currency),
    )
