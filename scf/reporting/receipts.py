"""Money in that waits for a person: what the bank said of it, and what it might be for."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, select
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.parties.service import firm_names
from scf.settlement import continuity
from scf.settlement.models import Allocation, BankEntry, BankStatement

_OPEN = ("RECEIVED", "IDENTIFIED")
MOST = 200


@dataclass(frozen=True, slots=True)
class Movement:
    """A booked movement: the sum as it came, what of it waits and why, and the bank's words."""

    id: str
    currency: str
    amount_minor: int
    waiting_minor: int
    booked_on: dt.date
    value_on: dt.date
    state: str
    reason: str
    names: tuple[str, ...]
    references: tuple[str, ...]
    account: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An invoice that a receipt may pay; ``exact`` when its open sum is the receipt's."""

    id: str
    number: str
    seller: str
    obligor: str
    obligor_id: str
    due_on: dt.date | None
    owed_minor: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Paid:
    """What a part of a receipt has paid."""

    kind: str
    invoice_number: str
    payee: str
    amount_minor: int
    taken_back: bool


def waiting(session: Session) -> list[Movement]:
    """Give the receipts, or parts of them, that wait for a person, the oldest first."""
    rows = session.execute(
        select(BankEntry)
        .where(col(BankEntry.unallocated_minor) > 0, col(BankEntry.state).in_(_OPEN))
        .order_by(col(BankEntry.value_on), col(BankEntry.id))
        .limit(MOST)
    ).scalars()
    return [_movement(row) for row in rows]


def movement(session: Session, entry_id: str) -> Movement | None:
    """Give one movement, or nothing where the reader may see none of this id."""
    row = session.execute(
        select(BankEntry).where(col(BankEntry.id) == entry_id)
    ).scalar_one_or_none()
    return _movement(row) if row is not None else None


def _movement(row: BankEntry) -> Movement:
    details = row.details if isinstance(row.details, dict) else {}
    parts = details.get("parts", [])
    names = dict.fromkeys(part["name"] for part in parts if part["name"])
    accounts = dict.fromkeys(part.get("account", "") for part in parts)
    texts = dict.fromkeys(
        text
        for part in parts
        for text in (*part["references"], part.get("end_to_end_id", ""))
        if text
    )
    if details.get("text"):
        texts.setdefault(details["text"])
    return Movement(
        row.id,
        row.currency,
        row.amount_minor,
        row.unallocated_minor,
        row.booked_on,
        row.value_on,
        row.state,
        row.reason or "",
        tuple(names),
        tuple(texts),
        next((one for one in accounts if one), ""),
    )


def candidates(session: Session, entry: Movement) -> list[Candidate]:
    """Give the financed invoices that the money may be for: an exact sum first, then by due date.

    Only invoices with money out on them and in the receipt's currency.
    """
    financed = select(col(Advance.invoice_id)).where(col(Advance.state).in_(OUT))
    rows = list(
        session.execute(
            select(Invoice)
            .where(col(Invoice.id).in_(financed), col(Invoice.currency) == entry.currency)
            .order_by(col(Invoice.due_on), col(Invoice.id))
            .limit(MOST)
        ).scalars()
    )
    names = firm_names(
        session.connection(), {one for row in rows for one in (row.seller_id, row.buyer_id) if one}
    )
    found = [
        Candidate(
            row.id,
            row.number,
            names.get(row.seller_id or "", ""),
            names.get(row.buyer_id or "", ""),
            row.buyer_id or "",
            row.due_on,
            owed(row),
            owed(row) == entry.waiting_minor,
        )
        for row in rows
    ]
    return sorted((one for one in found if one.owed_minor > 0), key=lambda one: not one.exact)


def advance_of(session: Session, invoice_id: str) -> str | None:
    """Give the advance that is out on an invoice, the oldest of several."""
    return session.execute(
        select(col(Advance.id))
        .where(col(Advance.invoice_id) == invoice_id, col(Advance.state).in_(OUT))
        .order_by(col(Advance.id))
        .limit(1)
    ).scalar_one_or_none()


def paid_by(session: Session, entry_id: str) -> list[Paid]:
    """Give what a receipt has paid so far, what was taken back included."""
    rows = list(
        session.execute(
            select(Allocation)
            .where(col(Allocation.bank_entry_id) == entry_id)
            .order_by(col(Allocation.id))
        ).scalars()
    )
    invoices = session.execute(
        select(col(Invoice.id), col(Invoice.number)).where(
            col(Invoice.id).in_({row.invoice_id for row in rows if row.invoice_id})
        )
    )
    numbers = {row.id: row.number for row in invoices}
    names = firm_names(session.connection(), {row.payee_id for row in rows if row.payee_id})
    return [
        Paid(
            row.kind,
            numbers.get(row.invoice_id or "", ""),
            names.get(row.payee_id or "", ""),
            row.amount_minor,
            row.reversed_by is not None,
        )
        for row in rows
    ]


def statements(session: Session, most: int = 20) -> Sequence[BankStatement]:
    """Give the newest statements that were read."""
    newest = case((col(BankStatement.to_on).is_(None), 1), else_=0)
    return (
        session.execute(
            select(BankStatement)
            .order_by(newest, col(BankStatement.created_at).desc(), col(BankStatement.id).desc())
            .limit(most)
        )
        .scalars()
        .all()
    )


def apart(session: Session, rows: Sequence[BankStatement]) -> set[str]:
    """Give those statements that do not join the ones before and after them."""
    conn = session.connection()
    return {row.id for row in rows if continuity.apart(conn, row) is not None}
