"""Read one organisation's book: its journal lines and its trial balance."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.ledger import turnover
from scf.ledger.models import Account, Entry, Posting

_account = Account.__table__  # type: ignore[attr-defined]
_entry = Entry.__table__  # type: ignore[attr-defined]
_posting = Posting.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One posting with the entry it belongs to; the amount is positive for a debit."""

    entry_id: str
    event_id: str
    event_kind: str
    subject_id: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    place: int
    account_code: str
    account_name: str
    account_kind: str
    currency: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """One account of a trial balance; the balance is positive for a debit."""

    account_code: str
    account_name: str
    account_kind: str
    currency: str
    debit_minor: int
    credit_minor: int

    @property
    def balance_minor(self) -> int:
        """Debits less credits."""
        return self.debit_minor - self.credit_minor


def journal_lines(
    conn: Connection,
    org_id: str,
    from_on: dt.date | None = None,
    to_on: dt.date | None = None,
) -> Iterator[JournalLine]:
    """Give the lines of one book booked between two days, both included.

    In the order of booking: day, instant, place in the command, id. The same book gives the same
    lines in the same order, always and on both engines.
    """
    query = (
        select(
            _entry.c.id,
            _entry.c.event_id,
            _entry.c.event_kind,
            _entry.c.subject_id,
            _entry.c.booked_on,
            _entry.c.value_on,
            _entry.c.narrative,
            _posting.c.place,
            _account.c.code,
            _account.c.name,
            _account.c.kind,
            _posting.c.currency,
            _posting.c.amount_minor,
        )
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_account, _account.c.id == _posting.c.account_id)
        .where(_entry.c.org_id == org_id)
        .order_by(
            _entry.c.booked_on, _entry.c.created_at, _entry.c.seq, _entry.c.id, _posting.c.place
        )
    )
    if from_on is not None:
        query = query.where(_entry.c.booked_on >= from_on)
    if to_on is not None:
        query = query.where(_entry.c.booked_on <= to_on)
    for row in conn.execute(query):
        yield JournalLine(*tuple(row))


def trial_balance(conn: Connection, org_id: str, up_to: dt.date | None = None) -> list[BalanceLine]:
    """Give debits and credits of every account of one book, up to the close of a day."""
    accounts = {
        row.id: row for row in conn.execute(select(_account).where(_account.c.org_id == org_id))
    }
    return sorted(
        (
            BalanceLine(told.code, told.name, told.kind, currency, debit, credit)
            for account, currency, debit, credit in turnover.of_book(conn, org_id, up_to)
            for told in (accounts[account],)
        ),
        key=lambda line: (line.account_code, line.currency),
    )
