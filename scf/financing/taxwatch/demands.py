"""Which programmes ask a tax authority about an invoice, under which scheme, and how often."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.financing.lifecycle import ENDED
from scf.financing.models import Advance
from scf.programmes.models import Programme, ProgrammeVersion
from scf.programmes.service import programmes_between, terms_of_version

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_PROGRAMME: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_VERSION: Final[Table] = ProgrammeVersion.__table__  # type: ignore[attr-defined]


class Demand(NamedTuple):
    """One financier that wants the authority's word; ``full`` also before it pays and after."""

    financier_id: str
    scheme: str
    full: bool


def demands_of(conn: Connection, rows: Sequence[Row[Any]]) -> dict[str, list[Demand]]:
    """Give who wants the word on each invoice: who could finance it, and who has."""
    found: dict[str, list[Demand]] = {row.id: [] for row in rows}
    pairs: dict[tuple[str, str, str], list[Demand]] = {}
    for row in rows:
        if not (row.seller_id and row.buyer_id):
            continue
        pair = (row.seller_id, row.buyer_id, row.currency)
        if pair not in pairs:
            pairs[pair] = [
                Demand(programme.financier_id, terms.tax_scheme, terms.tax_check == "full")
                for programme, terms in programmes_between(conn, *pair)
                if terms.tax_scheme is not None
            ]
        found[row.id] += pairs[pair]
    for invoice_id, demand in financed(conn, [row.id for row in rows]):
        if demand not in found[invoice_id]:
            found[invoice_id].append(demand)
    return found


def financed(conn: Connection, invoice_ids: Iterable[str]) -> list[tuple[str, Demand]]:
    """Give who has advances on these invoices under terms that want the word."""
    rows = conn.execute(
        select(_ADVANCE.c.invoice_id, _ADVANCE.c.financier_id, _ADVANCE.c.programme_version_id)
        .where(_ADVANCE.c.invoice_id.in_(sorted(set(invoice_ids))), _ADVANCE.c.state.not_in(ENDED))
        .distinct()
    ).all()
    versions = {row.programme_version_id for row in rows}
    terms = {one: terms_of_version(conn, one) for one in sorted(versions)}
    return [
        (row.invoice_id, Demand(row.financier_id, agreed.tax_scheme, agreed.tax_check == "full"))
        for row in rows
        if (agreed := terms[row.programme_version_id]).tax_scheme is not None
    ]


def full_versions(conn: Connection, financier_id: str) -> dict[str, str]:
    """Give the scheme of each version of a financier's terms that wants the word to the end."""
    return {
        row.id: row.terms["tax_scheme"]
        for row in _versions(conn, financier_id)
        if row.terms.get("tax_check") == "full"
    }


def asks_at_all(conn: Connection, financier_id: str) -> bool:
    """Tell whether any terms of a financier ask a tax authority."""
    return any(
        row.terms.get("tax_check", "none") != "none" for row in _versions(conn, financier_id)
    )


def _versions(conn: Connection, financier_id: str) -> list[Row[Any]]:
    return list(
        conn.execute(
            select(_VERSION.c.id, _VERSION.c.terms)
            .join(_PROGRAMME, _PROGRAMME.c.id == _VERSION.c.programme_id)
            .where(_PROGRAMME.c.financier_id == financier_id)
            .order_by(_VERSION.c.id)
        )
    )
