"""Posting to the books, and reading balances back."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.runner import Context
from scf.kernel.ids import new_id
from scf.ledger import turnover
from scf.ledger.lifecycle import SHUT
from scf.ledger.models import Account, Entry, NoEntry, Period, Posting

_account = Account.__table__  # type: ignore[attr-defined]
_entry = Entry.__table__  # type: ignore[attr-defined]
_posting = Posting.__table__  # type: ignore[attr-defined]
_no_entry = NoEntry.__table__  # type: ignore[attr-defined]
_period = Period.__table__  # type: ignore[attr-defined]
_ABOUT = ("event_id", "event_kind", "subject_id", "booked_on")
_POSTING = ("id", "entry_id", "place", "account_id", "currency", "amount_minor")
_ENTRY = ("id", "seq", "org_id", *_ABOUT, "value_on", "narrative")
_DASH = ("id", "org_id", *_ABOUT, "reason", "memo")
_OPEN = {
    "sqlite": sqlite.insert(_account).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(_account).on_conflict_do_nothing(),
}


_FEW = 500  # books; of more the condition would cost more than it saves


@dataclass(frozen=True)
class ChartLine:
    """One account of the chart every book is opened from.

    ``control``: the firm's own accounting owns the account and books the other half of its life
    (trade receivables, trade payables). ``clears``: zero once everything it is used for is over.
    ``monetary``: money, or a right or duty to a fixed amount of it; revalued in another currency.
    """

    code: str
    name: str
    kind: str
    control: bool = False
    clears: bool = True
    monetary: bool = False


@dataclass(frozen=True)
class Line:
    """One posting to be: account code, and an amount that is positive for a debit."""

    account: str
    amount_minor: int


def debit(account: str, amount_minor: int) -> Line:
    """Debit an account."""
    return Line(account, amount_minor)


def credit(account: str, amount_minor: int) -> Line:
    """Credit an account."""
    return Line(account, -amount_minor)


@dataclass(frozen=True)
class Journal:
    """What one event means in one book: lines, or the reason why there are none."""

    org_id: str
    lines: Sequence[Line] = ()
    reason: str = ""
    memo: str | None = None


@dataclass(frozen=True)
class LedgerEvent:
    """One business event with its journals in the books of everyone concerned.

    Attributes
    ----------
    event_id, event_kind
        Identity of the event; the same event is booked at most once per book and kind.
    subject_id
        What the event is about (an advance, an invoice): every entry of a life carries it.
    """

    event_id: str
    event_kind: str
    subject_id: str
    currency: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    journals: Sequence[Journal] = field(default_factory=tuple)


class Chart:
    """The chart of accounts, given once by the composition root."""

    lines: Mapping[str, ChartLine] = {}
    version: str = ""


def install_chart(lines: Iterable[ChartLine], version: str = "") -> None:
    """Set the chart of accounts of this process, and which version of it this is."""
    Chart.lines = {line.code: line for line in lines}
    Chart.version = version


def post(ctx: Context, events: Sequence[LedgerEvent]) -> int:
    """Book events into the books of all parties; gives the number of entries written.

    Where the day is in a closed period of a book, its entry is booked on the first open day after
    it and keeps its value date. Lines of zero are left out; a journal whose lines are all zero is
    stored as "no entry". Set-based: a thousand events cost as many statements as one.

    Raises
    ------
    IntegrityError
        From the triggers when an entry does not balance: a bug, never caught.
    """
    entries: list[tuple[Any, ...]] = []
    postings: list[tuple[Any, ...]] = []
    dashes: list[tuple[Any, ...]] = []
    sums: turnover.Sums = {}
    accounts = _accounts(ctx.conn, events)
    shut = _shut(ctx.conn, events)
    for event in events:
        about = (event.event_id, event.event_kind, event.subject_id, event.booked_on)
        for journal in event.journals:
            lines = [line for line in journal.lines if line.amount_minor]
            if not lines:
                reason = journal.reason or "amount is zero"
                dashes.append((new_id(), journal.org_id, *about, reason, journal.memo))
                continue
            entry_id = new_id()
            on = _open_day(event.booked_on, shut.get(journal.org_id, ()))
            for place, line in enumerate(lines):
                account, amount = accounts[journal.org_id, line.account], line.amount_minor
                postings.append((new_id(), entry_id, place, account, event.currency, amount))
                key = (journal.org_id, account, event.currency, on)
                turnover.add(sums, key, max(amount, 0), max(-amount, 0))
            told = (event.value_on, event.narrative)
            named = (event.event_id, event.event_kind, event.subject_id, on)
            entries.append((entry_id, len(entries), journal.org_id, *named, *told))
    bulk.insert_rows(ctx.conn, _posting, _POSTING, postings)
    same = {"command_id": ctx.command_id}
    of_now = same | {"reverses_id": None, "created_at": ctx.now}
    bulk.insert_rows(ctx.conn, _entry, _ENTRY, entries, of_now)
    bulk.insert_rows(ctx.conn, _no_entry, _DASH, dashes, same)
    turnover.keep(ctx.conn, sums)
    return len(entries)


def _shut(
    conn: Connection, events: Sequence[LedgerEvent]
) -> dict[str, list[tuple[dt.date, dt.date]]]:
    """Give the closed periods, by book and in order, that any of these events could fall in."""
    orgs = {journal.org_id for event in events for journal in event.journals if journal.lines}
    first = min((event.booked_on for event in events), default=None)
    if not orgs or first is None:
        return {}
    query = (
        select(_period)
        .where(_period.c.state != "OPEN", _period.c.to_on >= first)
        .order_by(_period.c.from_on)
        # Whoever is closing one of them waits for these entries, or they for the close.
        .with_for_update(read=True)
    )
    if len(orgs) <= _FEW:
        query = query.where(_period.c.org_id.in_(orgs))
    found: dict[str, list[tuple[dt.date, dt.date]]] = {}
    for row in conn.execute(query):
        if row.org_id in orgs and row.state in SHUT:
            found.setdefault(row.org_id, []).append((row.from_on, row.to_on))
    return found


def _open_day(on: dt.date, shut: Iterable[tuple[dt.date, dt.date]]) -> dt.date:
    for first, last in shut:
        if first <= on <= last:
            on = last + dt.timedelta(days=1)
    return on


def _accounts(conn: Connection, events: Sequence[LedgerEvent]) -> dict[tuple[str, str], str]:
    """Give the account ids needed, opening accounts of the chart on first use."""
    wanted = {
        (journal.org_id, line.account)
        for event in events
        for journal in event.journals
        for line in journal.lines
        if line.amount_minor
    }
    if not wanted:
        return {}
    missing = {code for _org, code in wanted if code not in Chart.lines}
    if missing:
        msg = f"not in the chart of accounts: {sorted(missing)}"
        raise RuntimeError(msg)
    found = _find(conn, wanted)
    new = sorted(wanted - found.keys())
    if new:
        rows = [
            {
                "id": f"{org}:{code}",
                "org_id": org,
                "code": code,
                "name": Chart.lines[code].name,
                "kind": Chart.lines[code].kind,
                "chart_version": Chart.version,
            }
            for org, code in new
        ]
        # Two commands may open the same account at once; the second finds it there.
        conn.execute(_OPEN[conn.dialect.name], rows)
        found |= {(org, code): f"{org}:{code}" for org, code in new}
    return found


def _find(conn: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    ids = [f"{org}:{code}" for org, code in wanted]
    rows = conn.execute(
        select(_account.c.org_id, _account.c.code, _account.c.id).where(_account.c.id.in_(ids))
    )
    return {(row.org_id, row.code): row.id for row in rows}


def balances(
    conn: Connection,
    org_id: str,
    *,
    subject_id: str | None = None,
    up_to: dt.date | None = None,
) -> dict[tuple[str, str], int]:
    """Give balances (debit positive) by (account code, currency) of one book.

    Parameters
    ----------
    subject_id
        Only entries of this life.
    up_to
        Only entries booked on or before this day.
    """
    if subject_id is None:
        book = select(_account.c.id, _account.c.code).where(_account.c.org_id == org_id)
        codes = {row.id: row.code for row in conn.execute(book)}
        return {
            (codes[account], currency): debits - credits_
            for account, currency, debits, credits_ in turnover.of_book(conn, org_id, up_to)
        }
    query = (
        select(
            _account.c.code, _posting.c.currency, func.sum(_posting.c.amount_minor).label("amount")
        )
        .join(_posting, _posting.c.account_id == _account.c.id)
        .join(_entry, _entry.c.id == _posting.c.entry_id)
        .where(_account.c.org_id == org_id, _entry.c.subject_id == subject_id)
        .group_by(_account.c.code, _posting.c.currency)
    )
    if up_to is not None:
        query = query.where(_entry.c.booked_on <= up_to)
    return {(row.code, row.currency): int(row.amount) for row in conn.execute(query)}
