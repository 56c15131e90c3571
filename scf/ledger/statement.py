"""The statement of one account: opening balance, each posting with the balance after it, closing.

Pages go on after a place in the order of booking, never by a number of rows to leave out, so a
page deep in a long account costs what the first one costs.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select, tuple_
from sqlalchemy.engine import Connection

from scf.ledger.models import Account, Entry, Posting

_account: Final = Account.__table__  # type: ignore[attr-defined]
_entry: Final = Entry.__table__  # type: ignore[attr-defined]
_posting: Final = Posting.__table__  # type: ignore[attr-defined]


class Place(NamedTuple):
    """Where a posting stands in the order of booking."""

    booked_on: dt.date
    created_at: dt.datetime
    seq: int
    entry_id: str
    place: int


_ORDER: Final[tuple[Any, ...]] = (
    _entry.c.booked_on,
    _entry.c.created_at,
    _entry.c.seq,
    _entry.c.id,
    _posting.c.place,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Which account of which book, in which currency, between which days (both included)."""

    org_id: str
    code: str
    currency: str
    from_on: dt.date
    to_on: dt.date


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting and the balance after it; debit positive."""

    at: Place
    event_kind: str
    subject_id: str
    value_on: dt.date
    narrative: str
    amount_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Totals:
    """What a period began with, what moved, and what it ended with."""

    opening_minor: int
    debit_minor: int
    credit_minor: int
    lines: int

    @property
    def closing_minor(self) -> int:
        """The balance at the close of the last day."""
        return self.opening_minor + self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Some lines of a statement; ``before_minor`` is the balance above the first of them."""

    totals: Totals
    before_minor: int
    lines: list[StatementLine]
    following: Place | None


def currencies_of(conn: Connection, org_id: str, code: str) -> list[str]:
    """Give the currencies in which one account of a book was ever posted, in order."""
    query = (
        select(_posting.c.currency)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(_account.c.org_id == org_id, _account.c.code == code)
        .distinct()
        .order_by(_posting.c.currency)
    )
    return list(conn.execute(query).scalars())


def totals_of(conn: Connection, span: Span, after: Place | None = None) -> tuple[Totals, int]:
    """Give the sums of a period, and the balance after a place in it (the opening without one)."""
    amount = _posting.c.amount_minor
    within = _entry.c.booked_on >= span.from_on
    early: ColumnElement[bool] = _entry.c.booked_on < span.from_on
    passed = early if after is None else and_(~_beyond(after), _entry.c.booked_on <= span.to_on)
    opening, debit, credit, lines, before = conn.execute(
        _rows(
            span,
            func.coalesce(func.sum(case((early, amount), else_=0)), 0),
            func.coalesce(func.sum(case((and_(within, amount > 0), amount), else_=0)), 0),
            func.coalesce(func.sum(case((and_(within, amount < 0), -amount), else_=0)), 0),
            func.coalesce(func.sum(case((within, 1), else_=0)), 0),
            func.coalesce(func.sum(case((passed, amount), else_=0)), 0),
        )
    ).one()
    return Totals(int(opening), int(debit), int(credit), int(lines)), int(before)


def statement_page(
    conn: Connection, span: Span, after: Place | None = None, limit: int = 100
) -> StatementPage:
    """Give one page of a statement; ``following`` is the place to go on after, if there is more."""
    totals, before = totals_of(conn, span, after)
    found = list(_lines(conn, span, before, after, limit + 1))
    more = found[limit - 1].at if len(found) > limit else None
    return StatementPage(totals, before, found[:limit], more)


def statement_lines(conn: Connection, span: Span) -> Iterator[StatementLine]:
    """Give every line of a period, read as it goes."""
    totals, _before = totals_of(conn, span)
    yield from _lines(conn, span, totals.opening_minor, None, None)


def _lines(
    conn: Connection, span: Span, balance: int, after: Place | None, limit: int | None
) -> Iterator[StatementLine]:
    query = _rows(
        span,
        *_ORDER,
        _entry.c.event_kind,
        _entry.c.subject_id,
        _entry.c.value_on,
        _entry.c.narrative,
        _posting.c.amount_minor,
    ).where(_entry.c.booked_on >= span.from_on)
    if after is not None:
        # The day alone lets the database begin where the page begins.
        query = query.where(_entry.c.booked_on >= after.booked_on, _beyond(after))
    for row in conn.execute(query.order_by(*_ORDER).limit(limit)):
        balance += row.amount_minor
        yield StatementLine(
            Place(*row[:5]),
            row.event_kind,
            row.subject_id,
            row.value_on,
            row.narrative,
            row.amount_minor,
            balance,
        )


def _rows(span: Span, *columns: Any) -> Select[Any]:  # noqa: ANN401 - columns
    return (
        select(*columns)
        .select_from(_posting)
        .join(_entry, _entry.c.id == _posting.c.entry_id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(
            _account.c.org_id == span.org_id,
            _account.c.code == span.code,
            _posting.c.currency == span.currency,
            _entry.c.booked_on <= span.to_on,
        )
    )


def _beyond(after: Place) -> ColumnElement[bool]:
    bounds = [literal(value, key.type) for value, key in zip(after, _ORDER, strict=True)]
    return tuple_(*_ORDER) > tuple_(*bounds)
