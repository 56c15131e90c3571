"""Whether the statements of an account follow from one another, and come in one form.

Two statements join when the closing balance of the one, and what was booked since, is the closing
balance of the other. Where they do not, a statement is missing, or an entry is counted twice or not
at all; a person is told by how much. An entry carries its identity only within one form of file (an
MT940 cuts texts that a camt.053 has whole), so the days of an account are read in one form.
"""

import datetime as dt
from typing import Any, Final

from sqlalchemy import Row, Table, and_, func, select
from sqlalchemy.engine import Connection

from scf.kernel.errors import RuleViolation, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import format_minor
from scf.settlement.models import BankEntry, BankStatement

_ENTRY: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
_STATEMENT: Final[Table] = BankStatement.__table__  # type: ignore[attr-defined]
# All but the file itself, which is long.
_COLUMNS: Final = tuple(one for one in _STATEMENT.c if one.name != "content")


def one_form(
    conn: Connection,
    account: tuple[str, str],
    form: str,
    first_on: dt.date | None,
    last_on: dt.date | None,
) -> None:
    """Refuse entries of days that came in another form of file; the account is (whose, number).

    Raises
    ------
    RuleViolation
        FORM_MIXED, with the file that came before.
    """
    if first_on is None or last_on is None:
        return
    kin = _STATEMENT.c.form.like("camt%") if form.startswith("camt") else _STATEMENT.c.form == form
    other = conn.execute(
        select(_STATEMENT.c.form, _STATEMENT.c.name, _ENTRY.c.booked_on)
        .join(_ENTRY, _ENTRY.c.statement_id == _STATEMENT.c.id)
        .where(
            _ENTRY.c.financier_id == account[0],
            _ENTRY.c.account == account[1],
            _ENTRY.c.booked_on.between(first_on, last_on),
            ~kin,
        )
        .order_by(_ENTRY.c.booked_on.desc())
        .limit(1)
    ).one_or_none()
    if other is not None:
        raise RuleViolation(
            "FORM_MIXED",
            "Entries of %(booked_on)s came as %(other)s already (%(name)s); read in another form "
            "they would count twice. Hand in files of this form from the next day on.",
            booked_on=other.booked_on.isoformat(),
            other=other.form,
            name=other.name or other.form,
            form=form,
        )


def apart(conn: Connection, row: Row[Any] | BankStatement) -> int | None:
    """Tell by how much a statement does not join its neighbours, in minor units; None if it does.

    Statements of one day are put in order by their balances alone: no bank dates them finer.
    """
    if row.opening_on is None or row.closing_on is None:
        return None
    others = conn.execute(
        select(*_COLUMNS).where(
            _STATEMENT.c.account == row.account,
            _STATEMENT.c.currency == row.currency,
            _STATEMENT.c.financier_id == row.financier_id,
            _STATEMENT.c.id != row.id,
            _STATEMENT.c.opening_on.is_not(None),
            _STATEMENT.c.closing_on.is_not(None),
        )
    ).all()
    if not others or _is_link(row, others):
        return None
    before = [one for one in others if one.closing_on < row.closing_on]
    if before:
        last = max(before, key=lambda one: (one.closing_on, one.created_at, one.id))
        return _difference(conn, last, row)
    after = [one for one in others if one.closing_on > row.closing_on]
    if after:
        return _difference(conn, row, min(after, key=lambda one: (one.closing_on, one.created_at)))
    newest = max(others, key=lambda one: (one.created_at, one.id))
    return int(row.opening_minor - newest.closing_minor) or None


def _is_link(row: Row[Any] | BankStatement, others: Any) -> bool:  # noqa: ANN401 - rows
    """Tell whether a statement is one that is known, or the only one at an end of another."""
    moved = [one for one in others if one.opening_minor != one.closing_minor]
    ends = (row.opening_minor, row.closing_minor)
    if any((one.opening_minor, one.closing_minor) == ends for one in others):
        return True
    starts = {one.opening_minor for one in moved}
    stops = {one.closing_minor for one in moved}
    follows = row.opening_minor in {one.closing_minor for one in others}
    precedes = row.closing_minor in {one.opening_minor for one in others}
    return (follows and row.opening_minor not in starts) or (
        precedes and row.closing_minor not in stops
    )


def _difference(
    conn: Connection, one: Row[Any] | BankStatement, then: Row[Any] | BankStatement
) -> int | None:
    booked = conn.execute(
        select(func.coalesce(func.sum(_ENTRY.c.amount_minor), 0)).where(
            and_(
                _ENTRY.c.financier_id == one.financier_id,
                _ENTRY.c.account == one.account,
                _ENTRY.c.currency == one.currency,
                _ENTRY.c.booked_on > one.closing_on,
                _ENTRY.c.booked_on <= then.closing_on,
            )
        )
    ).scalar_one()
    return int(then.closing_minor - one.closing_minor - int(booked)) or None


def finding(conn: Connection, statement_id: str, place: str) -> Finding | None:
    """Say that a statement which was just read does not join what was read before."""
    row = conn.execute(select(*_COLUMNS).where(_STATEMENT.c.id == statement_id)).one()
    minor = apart(conn, row)
    if minor is None:
        return None
    return Finding(
        Severity.WARNING,
        "STATEMENT_GAP",
        Words(
            "The balances of this statement do not join those before and after it: a statement "
            "is missing, or an entry was not told. Hand in the statements in between."
        ),
        place,
        f"{format_minor(minor, row.currency)} {row.currency}",
    )
