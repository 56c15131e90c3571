"""What a bank has asked back from the seller: how much now, why, and where it is paid."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.parties.service import firm_names, own_account
from scf.settlement.recourse import debt


@dataclass(frozen=True)
class AskedBack:
    """One early payment that the seller has to answer for, with what closes it."""

    request_id: str
    invoice_id: str
    number: str
    buyer: str
    bank: str
    account: str
    currency: str
    minor: int
    due_on: dt.date
    called_on: dt.date | None


def asked_back(reading: Session, seller_id: str, request_id: str = "") -> list[AskedBack]:
    """Give what is asked back and still open, the longest overdue first."""
    query = select(Advance).where(
        col(Advance.seller_id) == seller_id, col(Advance.state) == "RECOURSE_CALLED"
    )
    if request_id:
        query = query.where(col(Advance.request_id) == request_id)
    rows: Sequence[Advance] = (
        reading.execute(query.order_by(col(Advance.due_on), col(Advance.id))).scalars().all()
    )
    if not rows:
        return []
    conn = reading.connection()
    found = reading.execute(
        select(col(Invoice.id), col(Invoice.number)).where(
            col(Invoice.id).in_({row.invoice_id for row in rows})
        )
    )
    numbers = {row.id: row.number for row in found}
    names = firm_names(conn, {one for row in rows for one in (row.obligor_id, row.financier_id)})
    return [
        AskedBack(
            row.request_id,
            row.invoice_id,
            numbers.get(row.invoice_id, ""),
            names.get(row.obligor_id, ""),
            names.get(row.financier_id, ""),
            own_account(conn, row.financier_id, row.currency),
            row.currency,
            debt(conn, row),
            row.due_on,
            row.called_on,
        )
        for row in rows
    ]
