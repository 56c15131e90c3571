"""What must be true of revalued books, counted again from turnovers, rates and entries."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.ledger.currency.revaluation import ADJUSTING, REVALUATION, Valued, value
from scf.ledger.models import Account, Entry, Posting

_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_posting: Final[Table] = Posting.__table__  # type: ignore[attr-defined]


class Breach(NamedTuple):
    """What is wrong, and where."""

    code: str
    where: str
    message: str


def breaches(conn: Connection) -> Iterator[Breach]:
    """Give what does not hold.

    Each last look at a balance must say what turnovers and the rates known then say; what was
    booked for it must add up to what should stand; and the two accounts that carry it must hold
    what the rows say, and nothing else.
    """
    books = conn.execute(select(REVALUATION.c.org_id).distinct().order_by(REVALUATION.c.org_id))
    for org_id in books.scalars().all():
        yield from _of_book(conn, org_id)
    yield from _accounts(conn)


def _of_book(conn: Connection, org_id: str) -> Iterator[Breach]:
    rows = conn.execute(
        select(REVALUATION)
        .where(REVALUATION.c.org_id == org_id)
        .order_by(
            REVALUATION.c.account_id,
            REVALUATION.c.currency,
            REVALUATION.c.on_day,
            REVALUATION.c.attempt,
        )
    ).all()
    last: dict[tuple[str, str, dt.date], Row[Any]] = {}
    booked: dict[tuple[str, str, dt.date], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        key = row.account_id, row.currency, row.on_day
        last[key] = row
        booked[key][0] += row.unrealised_minor
        booked[key][1] += row.realised_minor
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for key, row in last.items():  # in the order of days
        stands = sums[key[:2]]
        stands[0] += booked[key][0]
        stands[1] += booked[key][1]
        should = row.closing_minor - row.cost_minor, row.cost_minor - row.historic_minor
        if tuple(stands) != should:
            words = f"booked {tuple(stands)}, should be {should}, in {row.book_currency}"
            yield Breach("REVALUATION_SUM", _where(row), words)
    looked = sorted({(row.source, row.known_no, row.on_day) for row in last.values()})
    again: dict[tuple[str, str, dt.date, str, int], Valued] = {}
    for known in sorted({(source, number) for source, number, _day in looked}):
        days = sorted(day for source, number, day in looked if (source, number) == known)
        for one in value(conn, org_id, days, known=known)[0]:
            again[one.account_id, one.currency, one.on, *known] = one
    for key, row in last.items():
        found = again.get((*key, row.source, row.known_no))
        if _told(found) != _told(row) and not _came_late(conn, row):
            words = f"says {_told(row)}, and turnovers and rates say {_told(found)}"
            yield Breach("REVALUATION", _where(row), words)


def _told(one: Any) -> tuple[int | None, ...]:  # noqa: ANN401 - a row, what was found, or nothing
    if one is None:
        return (0, 0, 0, 0)
    return one.balance_minor, one.historic_minor, one.cost_minor, one.closing_minor


def _where(row: Row[Any]) -> str:
    return f"{row.account_id} {row.currency} {row.on_day}"


def _came_late(conn: Connection, row: Row[Any]) -> bool:
    """Tell whether something was booked on or before the day after it was revalued."""
    found = (
        select(_entry.c.id)
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .where(
            _posting.c.account_id == row.account_id,
            _posting.c.currency == row.currency,
            _entry.c.booked_on <= row.on_day,
            _entry.c.created_at > row.created_at,
        )
        .limit(1)
    )
    return conn.execute(found).first() is not None


def _accounts(conn: Connection) -> Iterator[Breach]:
    """What stands on the two accounts is what the rows booked, balance by balance."""
    told: dict[tuple[str, str, str], int] = defaultdict(int)
    for number, column in enumerate((REVALUATION.c.unrealised_minor, REVALUATION.c.realised_minor)):
        rows = conn.execute(
            select(
                REVALUATION.c.org_id,
                REVALUATION.c.account_id,
                REVALUATION.c.book_currency,
                func.sum(column),
            ).group_by(REVALUATION.c.org_id, REVALUATION.c.account_id, REVALUATION.c.book_currency)
        )
        for org_id, account_id, currency, amount in rows:
            told[f"{org_id}:{ADJUSTING[number]}", account_id, currency] += int(amount)
    postings = conn.execute(
        select(
            _posting.c.account_id,
            _entry.c.subject_id,
            _posting.c.currency,
            func.sum(_posting.c.amount_minor),
        )
        .join(_entry, _entry.c.id == _posting.c.entry_id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(_account.c.code.in_(ADJUSTING))
        .group_by(_posting.c.account_id, _entry.c.subject_id, _posting.c.currency)
    )
    for account_id, subject_id, currency, amount in postings:
        told[account_id, subject_id, currency] -= int(amount)
    for (account_id, subject_id, currency), off in sorted(told.items()):
        if off:
            words = f"holds {-off} minor units of {currency} more than was booked for {subject_id}"
            yield Breach("REVALUATION_BOOKS", account_id, words)
