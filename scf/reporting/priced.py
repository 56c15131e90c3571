"""The price of a case explained line by line, and what would lower it; for the bank only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.kernel.errors import NotFound
from scf.parties.service import business_date, firm_by, firm_names
from scf.programmes.models import Programme
from scf.programmes.service import IN_FORCE, terms_on
from scf.programmes.terms import Insured, Terms
from scf.risk.explaining import Explained, explained
from scf.risk.levers import Lower, insurance_of, lower

_INVOICE: Table = Invoice.__table__  # type: ignore[attr-defined]
_PROGRAMME: Table = Programme.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class CasePrice:
    """One invoice's price: its lines, the names of the firms in them, and what would lower it."""

    number: str
    explained: Explained
    names: Mapping[str, str]
    lower: tuple[Lower, ...]


def price_of(
    conn: Connection, financier_id: str, terms: Terms, advances: Sequence[Any]
) -> CasePrice | None:
    """Explain the stored price of the largest invoice; nothing for a price by contract."""
    largest = max(advances, key=lambda one: one.face_minor, default=None)
    found = explained(conn, largest.quote_line_id) if largest is not None else None
    if largest is None or found is None:
        return None
    number = conn.execute(
        select(_INVOICE.c.number).where(_INVOICE.c.id == largest.invoice_id)
    ).scalar_one()
    cover = None if terms.insurance is not None else _another_cover(conn, financier_id)
    insurance = None
    if cover is not None:
        insurance = insurance_of(conn, largest.quote_line_id, *cover)
    return CasePrice(
        number,
        found,
        firm_names(conn, found.firms),
        lower(conn, largest.quote_line_id, insurance, terms.tenor_min_days),
    )


def _another_cover(conn: Connection, financier_id: str) -> tuple[str, Insured] | None:
    """Give the cover of the financier's oldest insured programme, with its insurer's id."""
    on = business_date(conn, financier_id)
    rows = conn.execute(
        select(_PROGRAMME.c.id)
        .where(_PROGRAMME.c.financier_id == financier_id, _PROGRAMME.c.state.in_(IN_FORCE))
        .order_by(_PROGRAMME.c.created_at, _PROGRAMME.c.id)
    )
    for row in rows.all():
        try:
            _version, terms = terms_on(conn, row.id, on)
            if terms.insurance is not None:
                insurer_id = firm_by(conn, terms.insurance.insurer, financier_id)
                return insurer_id, terms.insurance
        except NotFound:
            continue
    return None
