"""One's own book: accounts, entries, trial balance. Debit is positive."""

import datetime as dt

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.ledger.models import Account, Entry, Posting
from scf.ledger.service import balances
from scf.parties.service import day_for
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.context import actor, now

resource = Blueprint("ledger", __name__)


class AccountLine(Answer):
    """One account of the book, as the chart of that version had it when it was opened."""

    id: str
    code: str
    name: str
    kind: str
    chart_version: str


class AccountLines(Answer):
    """Some of the accounts."""

    items: list[AccountLine]
    next_cursor: str


class PostingLine(Answer):
    """One line of an entry."""

    account: str
    amount: Amount


class EntryOut(Answer):
    """A balanced entry; ``event_id`` joins it with the entries of the other books."""

    id: str
    event_id: str
    event_kind: str
    subject_id: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    reverses_id: str | None
    postings: list[PostingLine]


class EntryPage(Answer):
    """Some of the entries."""

    items: list[EntryOut]
    next_cursor: str


class EntriesQuery(PageQuery):
    """Which entries."""

    booked_from: dt.date | None = None
    booked_to: dt.date | None = None
    subject_id: str = Field(default="", max_length=64)


class TrialBalanceLine(Answer):
    """The balance of one account in one currency."""

    account: str
    name: str
    kind: str
    balance: Amount


class TrialBalance(Answer):
    """The book at the close of a day; per currency the lines sum to zero."""

    on: dt.date
    lines: list[TrialBalanceLine]
    totals: list[Amount]


class TrialBalanceQuery(PageQuery):
    """At the close of which day; the business date when left out."""

    on: dt.date | None = None


@endpoint(resource, "GET", "/ledger/accounts", action="ledger.read", answer=AccountLines)
def list_accounts(query: PageQuery) -> AccountLines:
    """List the accounts of your book by code."""
    with reader() as session:
        rows, following = page(
            session, select(Account), query, col(Account.code), newest_first=False
        )
        items = [
            AccountLine(
                id=row.id,
                code=row.code,
                name=row.name,
                kind=row.kind,
                chart_version=row.chart_version,
            )
            for row in rows
        ]
    return AccountLines(items=items, next_cursor=following)


@endpoint(resource, "GET", "/ledger/entries", action="ledger.read", answer=EntryPage)
def list_entries(query: EntriesQuery) -> EntryPage:
    """List the entries of your book, the newest first."""
    statement = select(Entry)
    if query.booked_from is not None:
        statement = statement.where(col(Entry.booked_on) >= query.booked_from)
    if query.booked_to is not None:
        statement = statement.where(col(Entry.booked_on) <= query.booked_to)
    if query.subject_id:
        statement = statement.where(col(Entry.subject_id) == query.subject_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(Entry.id))
        return EntryPage(items=_with_postings(session, list(rows)), next_cursor=following)


@endpoint(resource, "GET", "/ledger/trial-balance", action="ledger.read", answer=TrialBalance)
def trial_balance(query: TrialBalanceQuery) -> TrialBalance:
    """Show the balance of every account at the close of a day."""
    org_id = actor().org_id
    with reader() as session:
        conn = session.connection()
        on = query.on or day_for(conn, org_id, now().date())
        accounts = {row.code: row for row in session.execute(select(Account)).scalars()}
        found = balances(conn, org_id, up_to=on)
    totals: dict[str, int] = {}
    for (_code, currency), minor in found.items():
        totals[currency] = totals.get(currency, 0) + minor
    return TrialBalance(
        on=on,
        lines=[
            TrialBalanceLine(
                account=code,
                name=accounts[code].name,
                kind=accounts[code].kind,
                balance=amount(minor, currency),
            )
            for (code, currency), minor in sorted(found.items())
        ],
        totals=[amount(minor, currency) for currency, minor in sorted(totals.items())],
    )


def _with_postings(session: Session, entries: list[Entry]) -> list[EntryOut]:
    found = session.execute(
        select(Posting, Account)
        .join(Account, col(Account.id) == col(Posting.account_id))
        .where(col(Posting.entry_id).in_([row.id for row in entries]))
        .order_by(col(Posting.entry_id), col(Posting.place))
    )
    lines: dict[str, list[PostingLine]] = {}
    for posting, account in found:
        lines.setdefault(posting.entry_id, []).append(
            PostingLine(account=account.code, amount=amount(posting.amount_minor, posting.currency))
        )
    return [
        EntryOut(
            id=row.id,
            event_id=row.event_id,
            event_kind=row.event_kind,
            subject_id=row.subject_id,
            booked_on=row.booked_on,
            value_on=row.value_on,
            narrative=row.narrative,
            reverses_id=row.reverses_id,
            postings=lines.get(row.id, []),
        )
        for row in entries
    ]
