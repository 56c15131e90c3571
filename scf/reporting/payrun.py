"""A debtor's payment run as a file for its bank: whom to pay, to which account, and what is held.

A payee receives on the newest account that it has named itself, once a financier has verified it
and its cooling-off is over; while that is open nothing goes to an earlier account either, because
one of the two is wrong. The debtor's own account says in which form its bank takes the file.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Row, Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.kernel.errors import RuleViolation
from scf.kernel.money import Money
from scf.parties.models import AccountVerification, BankAccount
from scf.settlement.instructions import party
from scf.settlement.own_accounts.reading import own_accounts, setup_of
from scf.settlement.writers import PaymentBatch, PaymentInstruction, write_pain001

_account: Final[Table] = BankAccount.__table__  # type: ignore[attr-defined]
_verification: Final[Table] = AccountVerification.__table__  # type: ignore[attr-defined]
CHANGED: Final = "ACCOUNT_CHANGED"
MISSING: Final = "ACCOUNT_UNVERIFIED"


@dataclass(frozen=True, slots=True)
class Way:
    """The account of a payee in a currency, or why nothing is paid to it now."""

    account: Row[Any] | None
    held: str = ""


@dataclass(frozen=True, slots=True)
class ToPay:
    """An invoice to pay, so much of it, to whom."""

    invoice: Invoice
    amount: int
    payee_id: str


def ways(
    conn: Connection, payees: Iterable[tuple[str, str]], today: dt.date
) -> dict[tuple[str, str], Way]:
    """Give the way to each payee and currency."""
    wanted = sorted(set(payees))
    rows = conn.execute(
        select(_account)
        .where(
            _account.c.firm_id.in_(sorted({firm for firm, _currency in wanted})),
            _account.c.added_by_org == _account.c.firm_id,
            _account.c.state == "OPEN",
        )
        .order_by(_account.c.created_at.desc(), _account.c.id.desc())
    ).all()
    words = conn.execute(
        select(_verification.c.account_id, _verification.c.usable_on).where(
            _verification.c.account_id.in_([row.id for row in rows]),
            _verification.c.state == "VERIFIED",
        )
    ).all()
    usable = {one.account_id for one in words if one.usable_on is None or one.usable_on <= today}
    found: dict[tuple[str, str], Way] = {}
    for firm, currency in wanted:
        own = [row for row in rows if (row.firm_id, row.currency) == (firm, currency)]
        if own and own[0].id in usable:
            found[firm, currency] = Way(own[0])
        else:
            known = {one.account_id for one in words}
            changed = any(row.id in known for row in own)
            found[firm, currency] = Way(None, CHANGED if changed else MISSING)
    return found


def write_run(
    conn: Connection,
    org_id: str,
    rows: Sequence[ToPay],
    to: Mapping[tuple[str, str], Way],
    on: dt.date,
) -> bytes:
    """Write the payments of one currency and day that are not held back, as pain.001.

    The same run gives the same bytes: a payment is named by its invoice and what was open of it.

    Raises
    ------
    RuleViolation
        OWN_ACCOUNT, when the debtor has named no account in the currency; RUN_HELD, when nothing
        can be paid.
    """
    going = [(one, way) for one in rows if (way := _way(to, one)).account is not None]
    if not going:
        raise RuleViolation("RUN_HELD", "Nothing of this run can be paid yet.")
    currency = going[0][0].invoice.currency
    own = next((row for row in own_accounts(conn, org_id) if row.currency == currency), None)
    if own is None:
        raise RuleViolation(
            "OWN_ACCOUNT",
            "Your organisation has named no account in %(currency)s to pay from.",
            currency=currency,
        )
    setup = setup_of(conn, own.id)
    lines = tuple(
        PaymentInstruction(
            end_to_end_id=_name(one),
            creditor=party(way.account),
            amount=Money(one.amount, currency),
            remittance=one.invoice.number,
            invoice_numbers=(one.invoice.number,),
        )
        for one, way in going
        if way.account is not None
    )
    digest = sha256("".join(one.end_to_end_id for one in lines).encode()).hexdigest()
    return write_pain001(
        PaymentBatch(
            message_id=f"R{digest[:31]}",
            created_at=dt.datetime.combine(on, dt.time(), dt.UTC),
            requested_on=on,
            debtor=party(own),
            instructions=lines,
            batch_booking=setup.batch_booking,
            version=setup.payment_version,
            domestic=setup.shape == "domestic",
        )
    )


def _way(to: Mapping[tuple[str, str], Way], one: ToPay) -> Way:
    return to.get((one.payee_id, one.invoice.currency), Way(None, MISSING))


def _name(one: ToPay) -> str:
    """Name a payment: the same while as much is owed to the same payee, another after a part."""
    said = f"{one.invoice.id}:{one.invoice.paid_minor}:{one.amount}:{one.payee_id}"
    return sha256(said.encode()).hexdigest()[:32]
