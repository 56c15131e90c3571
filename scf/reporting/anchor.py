"""What an anchor may know of its programme: whom to pay, and what it does for all its suppliers.

The finance on an invoice is between seller and financier. A buyer learns two things all the same:
whom a notice of assignment tells it to pay, and averages over so many suppliers that no single
one can be read off them. Source: pricing.md section 5.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.errors import NotFound
from scf.kernel.rounding import round_half_up
from scf.parties.service import business_date
from scf.programmes.models import ProgrammeClaim
from scf.programmes.service import terms_on

_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_claim: Final[Table] = ProgrammeClaim.__table__  # type: ignore[attr-defined]
_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]

FEWEST_SUPPLIERS: Final = 5
_CAME_BACK: Final = ("RETURNED", "UNWOUND")


@dataclass(frozen=True)
class Effect:
    """What a year of early payments in one currency did; never about fewer than five suppliers."""

    currency: str
    suppliers: int
    paid_early_minor: int
    days_before_due: int


def payees_of_record(conn: Connection, invoice_ids: Collection[str]) -> dict[str, str]:
    """Say to which financier an assigned invoice is to be paid; the others go to their seller.

    Only a disclosed programme tells the debtor; in a silent one the seller goes on collecting.
    """
    rows = conn.execute(
        select(_claim.c.invoice_id, _claim.c.programme_id, _claim.c.financier_id)
        .join(_invoice, _invoice.c.id == _claim.c.invoice_id)
        .where(
            _claim.c.invoice_id.in_(list(invoice_ids)),
            _claim.c.live,
            _invoice.c.outstanding_minor > 0,
        )
    ).all()
    disclosed = {
        programme_id: _is_disclosed(conn, programme_id, financier_id)
        for programme_id, financier_id in {(row.programme_id, row.financier_id) for row in rows}
    }
    return {row.invoice_id: row.financier_id for row in rows if disclosed[row.programme_id]}


def _is_disclosed(conn: Connection, programme_id: str, financier_id: str) -> bool:
    try:
        _version, terms = terms_on(conn, programme_id, business_date(conn, financier_id))
    except NotFound:
        return True
    return terms.disclosed


def effects(conn: Connection, anchor_id: str, since: dt.date) -> list[Effect]:
    """Give the effect per currency, where enough suppliers took part to hide each of them."""
    paid = (
        _advance.c.obligor_id == anchor_id,
        _advance.c.funded_on >= since,
        _advance.c.state.not_in(_CAME_BACK),
    )
    counted = conn.execute(
        select(_advance.c.currency, func.count(_advance.c.seller_id.distinct()).label("firms"))
        .where(*paid)
        .group_by(_advance.c.currency)
    )
    suppliers = {str(row.currency): int(row.firms) for row in counted}
    sums: dict[str, list[tuple[int, int]]] = {}
    for row in conn.execute(
        select(
            _advance.c.currency,
            _advance.c.funded_on,
            _advance.c.due_on,
            func.sum(_advance.c.net_minor).label("paid"),
        )
        .where(*paid)
        .group_by(_advance.c.currency, _advance.c.funded_on, _advance.c.due_on)
    ):
        days = max(0, (row.due_on - row.funded_on).days)
        sums.setdefault(row.currency, []).append((int(row.paid), days))
    return [
        _effect(currency, suppliers[currency], parts)
        for currency, parts in sorted(sums.items())
        if suppliers[currency] >= FEWEST_SUPPLIERS
    ]


def _effect(currency: str, suppliers: int, parts: list[tuple[int, int]]) -> Effect:
    total = sum(paid for paid, _days in parts)
    weighted = sum(paid * days for paid, days in parts)
    return Effect(currency, suppliers, total, round_half_up(Fraction(weighted, total or 1)))
