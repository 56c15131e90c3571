"""Where an invoice stands with one financier: its advances, what was paid, what is still open."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import COLLECTIBLE
from scf.financing.models import Advance, AdvanceEvent
from scf.financing.reserve import open_face
from scf.programmes import limits
from scf.settlement.loans import ADVANCE, loans_of, terms_of_versions
from scf.settlement.models import Allocation, BankEntry
from scf.settlement.reserve import Reserved
from scf.settlement.schedule import Loan, Money, Pinned, Plan, plan

ALLOCATION: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_ENTRY: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_DAY: Final = dt.timedelta(days=1)
# Advances that a payment can pay, or has paid.
PAYABLE: Final = (*COLLECTIBLE, "EARLY_REPAID", "CLOSED", "REPURCHASED", "RECOVERED")
ENDED_UNPAID: Final = ("UNWOUND", "DECLINED", "CANCELLED", "EXPIRED")
# What the seller pays on its own debt, by the kind of part.
BY_SELLER: Final = ("gap", "charge", "bought", "excess")
# The kinds that share out a receipt; rebate and reserve are paid out of what is held already.
SHARES: Final = (
    "principal", "recovery", "penalty", "interest", "surplus", "seller", "payer", "return",
    *BY_SELLER,
)  # fmt: skip
# What a seller is paid once its account is closed; from the order on, the account moves no more.
RELEASED: Final = ("reserve", "surplus")


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """A receipt, or a part of one, that is to pay an invoice."""

    entry_id: str
    value_on: dt.date
    amount: int
    remitter_id: str | None = None
    by_seller: bool = False


def lock(
    ctx: Context, invoice_ids: Iterable[str], advance_ids: Iterable[str] = ()
) -> dict[str, Row[Any]]:
    """Lock invoices with all their advances and limit nodes, and further advances with theirs."""
    wanted = set(invoice_ids)
    of_advances = select(ADVANCE.c.id, ADVANCE.c.invoice_id)
    rows = ctx.conn.execute(
        of_advances.where(
            ADVANCE.c.invoice_id.in_(wanted) | ADVANCE.c.id.in_(sorted(set(advance_ids)))
        )
    ).all()
    limits.lock_nodes(ctx, [row.id for row in rows])
    ctx.lock(Invoice, wanted | {row.invoice_id for row in rows})
    return ctx.lock(Advance, [row.id for row in rows])


class Position:
    """Where an invoice stands with one financier: advances, what was paid, what is open."""

    def __init__(
        self, conn: Connection, invoice_id: str, financier_id: str, today: dt.date
    ) -> None:
        self.invoice = conn.execute(select(_INVOICE).where(_INVOICE.c.id == invoice_id)).one()
        rows = list(
            conn.execute(
                select(ADVANCE)
                .where(ADVANCE.c.invoice_id == invoice_id, ADVANCE.c.financier_id == financier_id)
                .order_by(ADVANCE.c.id)
            )
        )
        self.financier_id = financier_id
        self.live = list(
            conn.execute(
                select(ALLOCATION, _ENTRY.c.remitter_id)
                .join(_ENTRY, _ENTRY.c.id == ALLOCATION.c.bank_entry_id)
                .where(
                    ALLOCATION.c.invoice_id == invoice_id,
                    ALLOCATION.c.reversed_by.is_(None),
                    _ENTRY.c.financier_id == financier_id,
                )
                .order_by(ALLOCATION.c.id)
            )
        )
        pinned, past = _pinned(self.live)
        over = {
            row.advance_id
            for row in self.live
            if row.kind in RELEASED and row.paid_out_minor is not None
        }
        past |= {row.id for row in self.live if row.advance_id in over}
        self.past = {row.bank_entry_id for row in self.live if row.id in past}
        self.advances = {row.id: row for row in rows if _payable(row) and row.id not in over}
        self.loans: Mapping[str, Loan | Reserved] = {
            name: dataclasses.replace(loan, pinned=tuple(pinned.get(name, ())))
            if isinstance(loan, Loan)
            else loan
            for name, loan in loans_of(conn, self.advances.values()).items()
        }
        self.silent = bool(self.advances) and not all(
            terms.disclosed
            for terms in terms_of_versions(
                conn, (row.programme_version_id for row in self.advances.values())
            ).values()
        )
        funded = _last_funding(conn, self.advances)
        self.movable = [
            row
            for row in self.live
            if row.kind in SHARES
            and row.paid_out_minor is None  # else ordered or paid out: it can move no more
            # What was somebody else's before an advance was paid out does not pay that advance.
            and not (row.kind in {"seller", "payer"} and row.id < funded)
            and row.id not in past
        ]
        sellers = sum(row.amount_minor for row in self.movable if row.kind == "seller")
        on_hold = self.invoice.held_minor + self.invoice.outstanding_minor
        on_hold -= self.invoice.over_advance_minor
        # What the advances give back is counted by the plan itself.
        returned = sum(row.bought_minor for row in self.advances.values())
        self.rest = max(0, owed(self.invoice) - on_hold) + sellers - returned
        # Held, or paid out and in doubt: money for it has to wait.
        limbo = [row for row in rows if row.funded_on and not _payable(row)]
        self.waiting = self.invoice.held_minor + sum(
            row.face_minor for row in limbo if row.state not in ENDED_UNPAID
        )
        closed_to = [row.income_to + _DAY for row in self.advances.values() if row.income_to]
        # Slices of today's close may be through already: never behind what stands posted.
        self.until = max([today, *closed_to])

    @property
    def payments(self) -> dict[tuple[str, bool], Money]:
        """What each receipt brings to this invoice and can still be moved.

        What it pays of the seller's own debt stands apart from what it pays of the obligor's.
        """
        found: dict[tuple[str, bool], Money] = {}
        for row in self.movable:
            key = (row.bank_entry_id, row.kind in BY_SELLER)
            before = found[key].amount if key in found else 0
            found[key] = Money(key[0], row.value_on, before + row.amount_minor, key[1])
        return found

    def planned(
        self,
        coming: Iterable[Coming] = (),
        gone: Iterable[str] = (),
        changed: Mapping[str, Loan | Reserved] | None = None,
    ) -> Plan:
        """Plan everything anew: receipts that come or go, advances whose facts have changed."""
        without = set(gone)
        payments = {key: one for key, one in self.payments.items() if key[0] not in without}
        for one in coming:
            key = (one.entry_id, one.by_seller)
            before = payments[key].amount if key in payments else 0
            payments[key] = Money(one.entry_id, one.value_on, before + one.amount, one.by_seller)
        loans = {**self.loans, **(changed or {})}
        return plan(list(loans.values()), in_time(payments.values()), self.rest, self.until)

    def excess(self, coming: Coming) -> int:
        """Give how much of a receipt would be more than this invoice is owed."""
        kind = "excess" if coming.by_seller else "payer"
        before = sum(one.amount for one in self.planned().parts if one.kind == kind)
        after = self.planned([coming])
        return sum(one.amount for one in after.parts if one.kind == kind) - before

    @property
    def open_financed(self) -> int:
        """Face and penalty that the obligor still owes on the advances."""
        return sum(
            open_face(row) + row.penalty_minor - row.penalty_paid_minor
            for row in self.advances.values()
        )


def _pinned(live: Iterable[Row[Any]]) -> tuple[dict[str, list[Pinned]], set[str]]:
    """Give the face whose rebate was ordered or paid, by advance, and the parts it is made of.

    A part belongs to the first rebate that was made after it for the same receipt and advance.
    """
    rows = sorted(live, key=lambda row: str(row.id))
    found: dict[str, list[Pinned]] = {}
    past: set[str] = set()
    seen: set[str] = set()
    for rebate in (row for row in rows if row.kind == "rebate"):
        own = [
            row
            for row in rows
            if row.kind == "principal"
            and (row.advance_id, row.bank_entry_id) == (rebate.advance_id, rebate.bank_entry_id)
            and row.id < rebate.id
            and row.id not in seen
        ]
        seen |= {row.id for row in own}
        if rebate.paid_out_minor is not None:
            past |= {row.id for row in own}
            face = sum(row.amount_minor for row in own)
            found.setdefault(rebate.advance_id, []).append(
                Pinned(rebate.value_on, face, rebate.amount_minor)
            )
    return found, past


def _last_funding(conn: Connection, advance_ids: Iterable[str]) -> str:
    """Give the id of the latest funding among advances; ids sort by the time of their making."""
    last = conn.execute(
        select(func.max(_EVENT.c.id)).where(
            _EVENT.c.advance_id.in_(sorted(advance_ids)), _EVENT.c.event == "fund"
        )
    ).scalar_one()
    return str(last or "")


def _payable(row: Row[Any]) -> bool:
    return row.funded_on is not None and row.state in PAYABLE


def in_time(payments: Iterable[Money]) -> list[Money]:
    """Put payments in the order in which they count; equal days by the receipt."""
    return sorted(payments, key=lambda one: (one.value_on, one.key, one.by_seller))
