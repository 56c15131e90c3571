"""Money about to leave: what waits for its payment file and why, and the files with their payments.

Everything is read as the reader may see it; amounts are minor units of the row's currency.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.financing import advances, guards
from scf.financing.models import Advance
from scf.parties.models import BankAccount
from scf.parties.service import firm_names, people_names
from scf.programmes.service import terms_of_version
from scf.settlement import instructions, payout
from scf.settlement.models import PaymentFile, PaymentInstruction

_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]

WAITING: Final = ("DECIDED", "SIGNED", "REGISTERED", "RECHECKED", "FAILED", "RETURNED")
MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """An advance that is decided and not paid: ``hurdle`` is empty once it can be prepared."""

    id: str
    request_id: str
    invoice_number: str
    seller: str
    obligor: str
    currency: str
    net_minor: int
    value_on: dt.date
    state: str
    hurdle: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FileLine:
    """One payment of a file."""

    id: str
    kind: str
    advance_id: str | None
    payee: str
    account: str
    currency: str
    amount_minor: int
    value_on: dt.date
    end_to_end_id: str
    state: str
    status_code: str | None
    settled_on: dt.date | None


@dataclass(frozen=True, slots=True)
class FileHead:
    """A payment file, the two people behind it, and how its payments stand."""

    id: str
    message_id: str
    state: str
    execution_on: dt.date
    currency: str
    count: int
    total_minor: int
    sha256: str
    prepared_by: str
    prepared_by_id: str
    prepared_at: dt.datetime
    released_by: str
    released_at: dt.datetime | None
    stands: dict[str, int] = field(default_factory=dict)
    lines: tuple[FileLine, ...] = ()


def waiting(session: Session, today: dt.date) -> list[Waiting]:
    """Give what is decided and not paid, by value date, each with what is in its way."""
    conn = session.connection()
    rows = list(
        session.execute(
            select(Advance)
            .where(col(Advance.state).in_(WAITING))
            .order_by(col(Advance.value_on), col(Advance.id))
            .limit(MOST)
        ).scalars()
    )
    prepared = instructions.being_paid(conn, (row.id for row in rows))
    # A row of the table itself, as the guards of settlement read it.
    found = {row.id: row for row in advances.rows_of(conn, [row.id for row in rows])}
    ready = [found[row.id] for row in rows if row.state == payout.READY]
    barred = payout.barred(conn, ready, today)
    numbers = _numbers(conn, (row.invoice_id for row in rows))
    names = firm_names(conn, {one for row in rows for one in (row.seller_id, row.obligor_id)})
    return [
        Waiting(
            row.id,
            row.request_id,
            numbers[row.invoice_id],
            names.get(row.seller_id, ""),
            names.get(row.obligor_id, ""),
            row.currency,
            row.net_minor,
            row.value_on,
            row.state,
            "PAYMENT_PREPARED" if row.id in prepared else _hurdle(row, barred, today),
            _missing(conn, row),
        )
        for row in rows
    ]


def _hurdle(row: Advance, barred: dict[str, str], today: dt.date) -> str:
    if row.state in payout.AGAIN:
        return row.state
    if row.state == payout.READY:
        return barred.get(row.id, "")
    return "VALUE_DATE_MOVED" if row.value_on < today else "CHECK_MISSING"


def _missing(conn: Connection, row: Advance) -> tuple[str, ...]:
    if row.state in {payout.READY, *payout.AGAIN}:
        return ()
    terms = terms_of_version(conn, row.programme_version_id)
    return tuple(guards.missing_checks(conn, row.request_id, terms.checks_before_payout))


def _numbers(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    rows = conn.execute(select(_invoice.c.id, _invoice.c.number).where(_invoice.c.id.in_(set(ids))))
    return {row.id: row.number for row in rows}


def files(session: Session, states: Sequence[str] = (), most: int = 50) -> list[FileHead]:
    """Give the newest payment files with how many of their payments stand where."""
    query = select(PaymentFile).order_by(col(PaymentFile.id).desc()).limit(most)
    if states:
        query = query.where(col(PaymentFile.state).in_(states))
    rows = list(session.execute(query).scalars())
    counted = session.execute(
        select(col(PaymentInstruction.file_id), col(PaymentInstruction.state), func.count())
        .where(col(PaymentInstruction.file_id).in_([row.id for row in rows]))
        .group_by(col(PaymentInstruction.file_id), col(PaymentInstruction.state))
    )
    stands: dict[str, dict[str, int]] = {}
    for file_id, state, count in counted:
        stands.setdefault(file_id, {})[state] = count
    people = _people(session, rows)
    return [_head(row, people, stands.get(row.id, {})) for row in rows]


def file_of(session: Session, file_id: str) -> FileHead | None:
    """Give one payment file with its payments, or nothing where the reader may see none."""
    row = session.execute(
        select(PaymentFile).where(col(PaymentFile.id) == file_id)
    ).scalar_one_or_none()
    if row is None:
        return None
    found = list(
        session.execute(
            select(PaymentInstruction)
            .where(col(PaymentInstruction.file_id) == file_id)
            .order_by(col(PaymentInstruction.id))
        ).scalars()
    )
    conn = session.connection()
    names = firm_names(conn, {one.payee_id for one in found})
    accounts = conn.execute(
        select(_account.c.id, _account.c.number).where(
            _account.c.id.in_({one.account_id for one in found})
        )
    )
    numbers = {one.id: one.number for one in accounts}
    stands: dict[str, int] = {}
    for one in found:
        stands[one.state] = stands.get(one.state, 0) + 1
    lines = tuple(
        FileLine(
            one.id,
            one.kind,
            one.advance_id,
            names.get(one.payee_id, ""),
            numbers.get(one.account_id, ""),
            one.currency,
            one.amount_minor,
            one.value_on,
            one.end_to_end_id,
            one.state,
            one.status_code,
            one.settled_on,
        )
        for one in found
    )
    return _head(row, _people(session, [row]), stands, lines)


def _people(session: Session, rows: Iterable[PaymentFile]) -> dict[str, str]:
    ids = {one for row in rows for one in (row.prepared_by, row.released_by) if one}
    return people_names(session.connection(), ids)


def _head(
    row: Any,  # noqa: ANN401 - a PaymentFile
    people: dict[str, str],
    stands: dict[str, int],
    lines: tuple[FileLine, ...] = (),
) -> FileHead:
    return FileHead(
        row.id,
        row.msg_id,
        row.state,
        row.execution_on,
        row.currency,
        row.count,
        row.total_minor,
        row.sha256,
        people.get(row.prepared_by, ""),
        row.prepared_by,
        row.prepared_at,
        people.get(row.released_by or "", ""),
        row.released_at,
        stands,
        lines,
    )
