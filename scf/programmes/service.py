"""What other slices ask about programmes: the terms of a day, who finances what, a fixing.

Every function reads through the connection it is handed, inside or outside a command.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, bindparam, select
from sqlalchemy.engine import Connection

from scf.db.visibility import not_found
from scf.kernel.calendar import BusinessCalendar
from scf.kernel.errors import NotFound
from scf.parties.service import business_date
from scf.programmes.models import Fixing, Programme, ProgrammeVersion
from scf.programmes.terms import Terms, terms_of

_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_VERSION: Final[Table] = ProgrammeVersion.__table__  # type: ignore[attr-defined]
_FIXING: Final[Table] = Fixing.__table__  # type: ignore[attr-defined]
_BY_ID: Final = select(_PROGRAMME).where(_PROGRAMME.c.id == bindparam("id"))
_TERMS: Final = select(_VERSION.c.terms).where(_VERSION.c.id == bindparam("id"))

# In these states what was undertaken stands, whether or not new finance is given.
IN_FORCE: Final = ("ACTIVE", "SUSPENDED")


def programme_of(conn: Connection, programme_id: str) -> Row[Any]:
    """Give a programme.

    Raises
    ------
    NotFound
        When there is none.
    """
    row = conn.execute(_BY_ID, {"id": programme_id}).one_or_none()
    if row is None:
        raise not_found("programme", programme_id)
    return row


def terms_on(conn: Connection, programme_id: str, on: dt.date) -> tuple[str, Terms]:
    """Give the id and terms of the version in force on a day: the latest that was approved.

    Raises
    ------
    NotFound
        NO_TERMS when no approved version is in force by then.
    """
    row = conn.execute(
        select(_VERSION.c.id, _VERSION.c.terms)
        .where(
            _VERSION.c.programme_id == programme_id,
            _VERSION.c.effective_on <= on,
            _VERSION.c.approved_by.is_not(None),
        )
        .order_by(_VERSION.c.effective_on.desc(), _VERSION.c.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound(
            "NO_TERMS",
            "No approved terms of this programme are in force on %(on)s.",
            programme_id=programme_id,
            on=on.isoformat(),
        )
    return row.id, terms_of(row.terms)


def terms_of_version(conn: Connection, version_id: str) -> Terms:
    """Give the terms of one version; what was agreed for an advance never changes."""
    row = conn.execute(_TERMS, {"id": version_id}).one()
    return terms_of(row.terms)


def party_of(programme: Row[Any]) -> str:
    """Give the firm that the financier has made the agreement with: an anchor or a seller."""
    return str(programme.anchor_id or programme.seller_id)


def covers(programme: Row[Any], seller_id: str, obligor_id: str) -> bool:
    """Tell whether a programme is for invoices of this seller to this obligor.

    A seller's programme admits each debtor that the financier has set a limit for; without one
    the limit tree refuses.
    """
    return party_of(programme) == (obligor_id if programme.anchor_id else seller_id)


def programmes_of(conn: Connection, anchor_id: str) -> list[Row[Any]]:
    """Give the anchor's programmes in force, the oldest first."""
    return _in_force(conn, _PROGRAMME.c.anchor_id == anchor_id)


def programmes_of_seller(conn: Connection, seller_id: str) -> list[Row[Any]]:
    """Give the programmes in force that were agreed with a seller, the oldest first."""
    return _in_force(conn, _PROGRAMME.c.seller_id == seller_id)


def _in_force(conn: Connection, whose: ColumnElement[bool]) -> list[Row[Any]]:
    return list(
        conn.execute(
            select(_PROGRAMME)
            .where(whose, _PROGRAMME.c.state.in_(IN_FORCE))
            .order_by(_PROGRAMME.c.created_at, _PROGRAMME.c.id)
        )
    )


def programme_for(
    conn: Connection, anchor_id: str, currency: str, on: dt.date | None = None
) -> Row[Any] | None:
    """Give the anchor's oldest programme in force that finances the currency, or nothing.

    Without a day, each programme is judged on its own financier's business date.
    """
    found = _financing(conn, programmes_of(conn, anchor_id), currency, on)
    return next((row for row, _terms in found), None)


def programmes_between(
    conn: Connection, seller_id: str, buyer_id: str, currency: str
) -> list[tuple[Row[Any], Terms]]:
    """Give the programmes that could finance a pair's invoices: the buyer's, then the seller's."""
    rows = [*programmes_of(conn, buyer_id), *programmes_of_seller(conn, seller_id)]
    return list(_financing(conn, rows, currency, None))


def _financing(
    conn: Connection, rows: Iterable[Row[Any]], currency: str, on: dt.date | None
) -> Iterator[tuple[Row[Any], Terms]]:
    for row in rows:
        try:
            day = on or business_date(conn, row.financier_id)
            _version, terms = terms_on(conn, row.id, day)
        except NotFound:
            continue
        if currency in terms.currency:
            yield row, terms


def fixing(
    conn: Connection,
    org_id: str,
    benchmark: str,
    on: dt.date,
    lag_days: int,
    calendar: BusinessCalendar,
) -> Row[Any] | None:
    """Give a financier's latest fixing of a benchmark, the lag in business days before a day.

    One person's value counts for nobody; how old it may be stands in the terms, and the caller
    judges that.
    """
    # A lag of zero means the day itself, business day or not: the latest fixing by then counts.
    day = calendar.add_business_days(on, -lag_days) if lag_days else on
    return conn.execute(
        select(_FIXING)
        .where(
            _FIXING.c.org_id == org_id,
            _FIXING.c.benchmark == benchmark,
            _FIXING.c.fixed_on <= day,
            _FIXING.c.confirmed_by.is_not(None),
        )
        .order_by(_FIXING.c.fixed_on.desc())
        .limit(1)
    ).one_or_none()
