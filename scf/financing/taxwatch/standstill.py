"""While an alert is open, its financier pays that seller nothing more."""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.financing.taxwatch.models import TaxAlert

ALERT: Final[Table] = TaxAlert.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
# That an authority is silent is somebody's work; it says nothing about the seller.
SILENT: Final = "UNANSWERED"


def standing_against(conn: Connection, financier_id: str, seller_ids: Iterable[str]) -> Any:  # noqa: ANN401 - a row, or nothing
    """Give an open alert of a financier on one of these sellers, with the invoice's number."""
    return conn.execute(
        select(ALERT.c.id, ALERT.c.kind, _INVOICE.c.number)
        .join(_INVOICE, _INVOICE.c.id == ALERT.c.invoice_id)
        .where(
            ALERT.c.financier_id == financier_id,
            ALERT.c.state != "CLOSED",
            ALERT.c.kind != SILENT,
            ALERT.c.seller_id.in_(sorted(set(seller_ids))),
        )
        .order_by(ALERT.c.opened_at, ALERT.c.id)
        .limit(1)
    ).first()
