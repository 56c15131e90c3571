"""The payment behind a remittance advice, and the invoice behind a notice of assignment."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.accounting.parties import companies_of
from scf.accounting.writers.saft import Company
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.errors import Conflict
from scf.parties.models import BankAccount
from scf.settlement.models import Allocation, PaymentInstruction

_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
# The bank has the order, or has booked it; before and after there is no payment to advise of.
PAID: Final = ("SENT", "ACKED", "SETTLED")


@dataclass(frozen=True, slots=True)
class Part:
    """One line: what it is, positive for what is paid and negative for what is kept back."""

    kind: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Paper:
    """The invoice that a payment is about."""

    id: str
    number: str
    issue_on: dt.date
    face_minor: int
    seller: Company
    buyer: Company


@dataclass(frozen=True, slots=True)
class Advice:
    """One payment with its parts, which sum to it."""

    id: str
    reference: str
    kind: str
    paid_on: dt.date
    settled: bool
    currency: str
    amount_minor: int
    payer: Company
    payee: Company
    account: str
    bic: str
    paper: Paper | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """An invoice whose claim has passed: what is left to pay, by when, and to whom."""

    paper: Paper
    currency: str
    owed_minor: int
    due_on: dt.date | None
    payee: Company
    account: str
    bic: str


def advice_of(conn: Connection, payment: PaymentInstruction) -> Advice:
    """Explain a payment that the reader may see.

    Raises
    ------
    Conflict
        NOTHING_PAID while the bank has no order, or where it refused or returned the money.
    """
    if payment.state not in PAID:
        raise Conflict("NOTHING_PAID", "Nothing was paid by this order.", state=payment.state)
    advance = _one(conn, _advance, payment.advance_id)
    invoice = _one(conn, _invoice, _about(conn, payment, advance))
    firms = {payment.financier_id, payment.payee_id}
    if invoice is not None:
        firms |= {invoice.seller_id, invoice.buyer_id}
    companies = companies_of(conn, sorted(firms))
    account = _one(conn, _account, payment.account_id)
    return Advice(
        payment.id,
        payment.end_to_end_id,
        payment.kind,
        payment.settled_on or payment.value_on,
        payment.state == "SETTLED",
        payment.currency,
        payment.amount_minor,
        companies[payment.financier_id],
        companies[payment.payee_id],
        account.number if account is not None else "",
        (account.bic or "") if account is not None else "",
        _paper(invoice, companies) if invoice is not None else None,
        _parts(payment, advance),
    )


def assignment_of(conn: Connection, invoice: Invoice, financier_id: str, owed: int) -> Assignment:
    """Say to whom an assigned invoice is to be paid, at which account the bank itself has named."""
    firms = {invoice.seller_id or "", invoice.buyer_id or "", financier_id}
    companies = companies_of(conn, sorted(firms))
    return Assignment(
        _paper(invoice, companies),
        invoice.currency,
        owed,
        invoice.due_on,
        companies[financier_id],
        *collecting_account(conn, financier_id, invoice.currency),
    )


def collecting_account(conn: Connection, financier_id: str, currency: str) -> tuple[str, str]:
    """Give number and BIC of the account that a financier itself has named for what it is paid."""
    found = conn.execute(
        select(_account.c.number, _account.c.bic)
        .where(
            _account.c.firm_id == financier_id,
            _account.c.added_by_org == financier_id,
            _account.c.currency == currency,
            _account.c.state == "OPEN",
        )
        .order_by(_account.c.id)
        .limit(1)
    ).one_or_none()
    return (found.number, found.bic or "") if found is not None else ("", "")


def _one(conn: Connection, table: Table, row_id: str | None) -> Any:  # noqa: ANN401 - a row
    return conn.execute(select(table).where(table.c.id == row_id)).one_or_none()


def _about(conn: Connection, payment: PaymentInstruction, advance: Any) -> str | None:  # noqa: ANN401
    """Give the invoice of the advance, or of the part of a receipt that is passed on."""
    if advance is not None:
        return str(advance.invoice_id)
    part = _one(conn, _allocation, payment.subject_id)
    return part.invoice_id if part is not None else None


def _paper(invoice: Any, companies: dict[str, Company]) -> Paper:  # noqa: ANN401
    return Paper(
        invoice.id,
        invoice.number,
        invoice.issue_on,
        invoice.payable_minor,
        companies[invoice.seller_id],
        companies[invoice.buyer_id],
    )


def _parts(payment: PaymentInstruction, advance: Any) -> tuple[Part, ...]:  # noqa: ANN401
    if payment.kind == "advance" and advance is not None:
        parts = (
            Part("face", advance.face_minor),
            Part("reserve", -advance.reserve_minor),
            Part("discount", -advance.discount_minor),
            Part("fee", -advance.fee_minor),
            Part("tax", -advance.tax_minor),
        )
        if sum(part.amount_minor for part in parts) == payment.amount_minor:
            return tuple(part for part in parts if part.amount_minor)
    return (Part(payment.kind, payment.amount_minor),)
