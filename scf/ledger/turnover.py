"""Debits and credits per account and day, so that a balance does not add up every posting.

Each command writes rows of its own, in the transaction that posts, and never touches another's: a
row that all commands of a day had to raise would make them wait for each other until each has
reached the disk. A balance is the sum of the rows. At the end of a day many become one.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Table, case, delete, func, select
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.kernel.ids import new_id
from scf.ledger.models import Account, Entry, Posting, Turnover

TURNOVER: Final[Table] = Turnover.__table__  # type: ignore[attr-defined]
_account: Final[Table] = Account.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = Entry.__table__  # type: ignore[attr-defined]
_posting: Final[Table] = Posting.__table__  # type: ignore[attr-defined]
Sums = dict[tuple[str, str, str, dt.date], list[int]]  # book, account, currency, day


def keep(conn: Connection, sums: Sums) -> None:
    """Write what was booked: debits and credits of each account, currency and day."""
    bulk.insert_rows(
        conn,
        TURNOVER,
        ("id", "org_id", "account_id", "currency", "booked_on", "debit_minor", "credit_minor"),
        [(new_id(), *key, *amounts) for key, amounts in sums.items()],
    )


def merge(conn: Connection, org_ids: Iterable[str], on: dt.date) -> int:
    """Make one row of the many that an account of these books has for a day; gives how many were.

    What others are merging at this moment is left to them.
    """
    wanted = (
        select(TURNOVER.c.id)
        .where(TURNOVER.c.org_id.in_(sorted(set(org_ids))), TURNOVER.c.booked_on == on)
        .with_for_update(skip_locked=True)
    )
    columns = (c for c in TURNOVER.c if c.name != "id")
    gone = conn.execute(delete(TURNOVER).where(TURNOVER.c.id.in_(wanted)).returning(*columns)).all()
    sums: Sums = {}
    for *key, debit, credit in gone:
        add(sums, tuple(key), debit, credit)
    keep(conn, sums)
    return len(gone)


def add(sums: dict[Any, list[int]], key: Any, debit: int, credit: int) -> None:  # noqa: ANN401
    """Add to the sums of an account, currency and day."""
    amounts = sums.setdefault(key, [0, 0])
    amounts[0] += debit
    amounts[1] += credit


def of_book(
    conn: Connection, org_id: str, up_to: dt.date | None = None
) -> Sequence[tuple[str, str, int, int]]:
    """Give account id, currency, debits and credits of one book up to the close of a day."""
    query = (
        select(
            TURNOVER.c.account_id,
            TURNOVER.c.currency,
            func.sum(TURNOVER.c.debit_minor),
            func.sum(TURNOVER.c.credit_minor),
        )
        .where(TURNOVER.c.org_id == org_id)
        .group_by(TURNOVER.c.account_id, TURNOVER.c.currency)
    )
    if up_to is not None:
        query = query.where(TURNOVER.c.booked_on <= up_to)
    return [
        (account, currency, int(debit), int(credit))
        for account, currency, debit, credit in conn.execute(query)
    ]


def differences(conn: Connection) -> Iterator[tuple[str, str, str, dt.date, int, int]]:
    """Give book, account code, currency, day and by how much debits and credits are off."""
    amount = _posting.c.amount_minor
    postings = (
        select(
            _posting.c.account_id,
            _posting.c.currency,
            _entry.c.booked_on,
            func.sum(case((amount > 0, amount), else_=0)).label("debit"),
            func.sum(case((amount < 0, -amount), else_=0)).label("credit"),
        )
        .join(_entry, _entry.c.id == _posting.c.entry_id)
        .group_by(_posting.c.account_id, _posting.c.currency, _entry.c.booked_on)
    )
    turnovers = select(
        TURNOVER.c.account_id,
        TURNOVER.c.currency,
        TURNOVER.c.booked_on,
        func.sum(TURNOVER.c.debit_minor).label("debit"),
        func.sum(TURNOVER.c.credit_minor).label("credit"),
    ).group_by(TURNOVER.c.account_id, TURNOVER.c.currency, TURNOVER.c.booked_on)
    found: dict[tuple[str, str, dt.date], list[int]] = {}
    for query, sign in ((turnovers, 1), (postings, -1)):
        for account, currency, on, debit, credit in conn.execute(query):
            add(found, (account, currency, on), sign * int(debit), sign * int(credit))
    off = {key: amounts for key, amounts in found.items() if any(amounts)}
    named = {row.id: row for row in conn.execute(select(_account))} if off else {}
    for (account, currency, on), (debit, credit) in sorted(off.items()):
        yield named[account].org_id, named[account].code, currency, on, debit, credit
