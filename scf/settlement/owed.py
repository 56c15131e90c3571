"""Money that the financier holds for somebody else, as payments that are still to be ordered."""

import datetime as dt
from typing import Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.settlement import journals
from scf.settlement.instructions import Payment
from scf.settlement.models import Allocation, BankEntry

_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_entry: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
MOST_PAYMENTS: Final = 5_000

_WORDS: Final = {
    "payer": "Refund of an over-payment",
    "seller": "Collected for you",
    "rebate": "Rebate for early repayment",
    "reserve": "Reserve released",
    "surplus": "Collected for you",
    "excess": "Refund of an over-payment",
}


def payments_owed(
    conn: Connection, financier_id: str, today: dt.date, value_on: dt.date | None
) -> list[Payment]:
    """Give the money that is somebody else's and not yet on its way."""
    if value_on is not None and value_on != today:
        return []
    rows = conn.execute(
        select(_allocation, _entry.c.currency)
        .join(_entry, _entry.c.id == _allocation.c.bank_entry_id)
        .where(
            _entry.c.financier_id == financier_id,
            _allocation.c.kind.in_(sorted(journals.OWED)),
            _allocation.c.reversed_by.is_(None),
            _allocation.c.paid_out_minor.is_(None),
            _allocation.c.amount_minor > 0,
        )
        .order_by(_allocation.c.id)
        .limit(MOST_PAYMENTS)
    )
    return [
        Payment(
            row.kind, row.id, None, row.payee_id, row.amount_minor, row.currency, today,
            _WORDS[row.kind],
        )
        for row in rows
    ]  # fmt: skip
