"""Money in: posted at once, recognised, and shared out among what it pays.

Inner functions of this slice for booked credits; the commands stand in ``desk.py`` (a person's
word) and ``statements.py`` (the bank's). A receipt that cannot be recognised, or whose payer is
not the obligor, stays in suspense with its reason until a person decides.
"""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, func, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents.models import Invoice
from scf.documents.rules import owed
from scf.financing.lifecycle import COLLECTIBLE, OUT
from scf.ledger.service import balances
from scf.parties.models import Firm, FirmIdentifier
from scf.parties.service import firms_of_accounts
from scf.programmes.service import terms_of_version
from scf.settlement import journals, matching
from scf.settlement.allocation import settle
from scf.settlement.lifecycle import RECEIPT
from scf.settlement.loans import ADVANCE
from scf.settlement.models import BankEntry
from scf.settlement.position import ALLOCATION, SHARES, Coming, Position

ENTRY: Final[Table] = BankEntry.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_IDENTIFIER: Final[Table] = FirmIdentifier.__table__  # type: ignore[attr-defined]
MOST_INVOICES: Final = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Lot:
    """One payment inside a bank credit, as the bank describes it."""

    amount: int
    names: tuple[str, ...]
    accounts: tuple[str, ...]
    texts: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Recognised:
    """What a lot seems to pay: invoices best first, who sent it, and why nothing was found.

    ``named`` tells that the payer named the invoices; otherwise only the payer is known.
    ``shares`` are minor units for each invoice where a paper says them.
    """

    lot: Lot
    invoice_ids: tuple[str, ...] = ()
    remitters: tuple[str, ...] = ()
    named: bool = False
    reason: str = ""
    shares: tuple[int, ...] = ()


def lots_of(amount: int, details: Mapping[str, Any]) -> list[Lot]:
    """Split a credit into the payments it consists of, or take it whole where that is unclear."""
    parts = details["parts"]
    amounts = [part["amount_minor"] for part in parts]
    if len(parts) > 1 and None not in amounts and sum(amounts) == amount and min(amounts) > 0:
        return [_lot(part["amount_minor"], [part], "") for part in parts]
    return [_lot(amount, parts, details.get("text", ""))]


def _lot(amount: int, parts: Sequence[Mapping[str, Any]], text: str) -> Lot:
    return Lot(
        amount,
        tuple(dict.fromkeys(part["name"] for part in parts if part["name"])),
        tuple(dict.fromkeys(part["account"] for part in parts if part["account"])),
        (
            *(word for part in parts for word in (*part["references"], part["end_to_end_id"])),
            *((text,) if text else ()),
        ),
    )


# --- Recognising, without a lock ------------------------------------------------------------------


def recognise(conn: Connection, financier_id: str, lot: Lot) -> Recognised:
    """Look up what a payment seems to pay.

    References first: invoice numbers and our own ids. Without any, the sender's account or name:
    then the invoices of that obligor, if one of them is exactly the amount, else those due.
    """
    senders = _senders(conn, financier_id, lot)
    named = _named(conn, financier_id, lot)
    if named:
        return _of_named(conn, lot, named, senders)
    if not senders:
        return Recognised(lot, reason=matching.NO_REFERENCE)
    rows = conn.execute(
        select(_INVOICE.c.id, _INVOICE.c.due_on)
        .where(
            _INVOICE.c.buyer_id.in_(senders),
            _INVOICE.c.id.in_(
                select(ADVANCE.c.invoice_id).where(
                    ADVANCE.c.financier_id == financier_id, ADVANCE.c.state.in_(COLLECTIBLE)
                )
            ),
        )
        .order_by(_INVOICE.c.due_on, _INVOICE.c.id)
        .limit(MOST_INVOICES)
    ).all()
    ids = tuple(row.id for row in rows)
    reason = "" if ids else matching.NO_REFERENCE
    return Recognised(lot, ids, senders, named=False, reason=reason)


def _senders(conn: Connection, financier_id: str, lot: Lot) -> tuple[str, ...]:
    """Give the firms that may have sent a payment: by account, else by name."""
    numbers = [matching.plain_account(number) for number in lot.accounts]
    firms = firms_of_accounts(conn, numbers, financier_id)
    if firms or not lot.names:
        return firms
    # A name alone is weak: exactly one firm must go by it.
    by_name = conn.execute(
        select(_FIRM.c.id).where(
            func.lower(_FIRM.c.name).in_([name.lower() for name in lot.names]),
            _FIRM.c.state == "ACTIVE",
        )
    ).scalars()
    firms = tuple(by_name)
    return firms if len(firms) == 1 else ()


def _named(conn: Connection, financier_id: str, lot: Lot) -> list[Row[Any]]:
    """Give the invoices with advances of this financier that the payer's references name."""
    numbers = matching.numbers_in(lot.texts)
    ids = list(matching.ids_in(lot.texts))
    if not numbers and not ids:
        return []
    rows = conn.execute(
        select(_INVOICE)
        .where(
            _INVOICE.c.canonical_number.in_(numbers)
            | _INVOICE.c.id.in_(ids)
            | _INVOICE.c.id.in_(select(ADVANCE.c.invoice_id).where(ADVANCE.c.id.in_(ids))),
            _INVOICE.c.id.in_(
                select(ADVANCE.c.invoice_id).where(
                    ADVANCE.c.financier_id == financier_id, ADVANCE.c.funded_on.is_not(None)
                )
            ),
        )
        .order_by(_INVOICE.c.due_on, _INVOICE.c.id)
        .limit(MOST_INVOICES)
    )
    return list(rows)


def _of_named(
    conn: Connection, lot: Lot, named: Sequence[Row[Any]], senders: tuple[str, ...]
) -> Recognised:
    if senders:
        own = [row for row in named if {row.buyer_id, row.seller_id} & set(senders)]
        if not own:
            ids = tuple(row.id for row in named)
            return Recognised(lot, ids, senders, named=True, reason=matching.PAYER_NOT_OBLIGOR)
    else:
        obligors = _called(conn, lot.names, {row.buyer_id for row in named})
        own = [row for row in named if row.buyer_id in obligors]
        senders = tuple(sorted(obligors))
        if not own:
            ids = tuple(row.id for row in named)
            return Recognised(lot, ids, reason=matching.PAYER_UNKNOWN)
    own = _unambiguous(own, lot.amount)
    return Recognised(lot, tuple(row.id for row in own), senders, named=True)


def _unambiguous(rows: Sequence[Row[Any]], amount: int) -> list[Row[Any]]:
    """Of several invoices, the one that is exactly the amount; else all, what is paid last."""
    exact = [row for row in rows if owed(row) == amount]
    if len(exact) == 1:
        return exact
    still_open = [row for row in rows if owed(row)]
    return still_open or list(rows)


def _called(conn: Connection, names: Sequence[str], firm_ids: Iterable[str]) -> set[str]:
    """Give those of the firms that go by one of the names."""
    wanted = sorted(set(firm_ids))
    rows = conn.execute(select(_FIRM.c.id, _FIRM.c.name).where(_FIRM.c.id.in_(wanted))).all()
    aliases = conn.execute(
        select(_IDENTIFIER.c.firm_id, _IDENTIFIER.c.value).where(
            _IDENTIFIER.c.firm_id.in_(wanted), _IDENTIFIER.c.scheme == "name"
        )
    ).all()
    return {
        firm_id
        for firm_id, known in (*rows, *aliases)
        if any(matching.same_name(name, known) for name in names)
    }


# --- Sharing out, under lock ----------------------------------------------------------------------


def share_out(
    ctx: Context, entry: Row[Any], found: Sequence[Recognised], today: dt.date
) -> Row[Any]:
    """Let a receipt pay what its lots were recognised to pay; gives the entry as it is then.

    The invoices are locked. What nothing is found for stays in suspense with its reason.
    """
    if entry.value_on > today:
        return note(ctx, entry, matching.VALUE_DATE_AHEAD)
    reasons = []
    remitter: str | None = None
    left = entry.unallocated_minor
    for one in found:
        amount = min(one.lot.amount, left)
        if one.reason or not amount:
            reasons.append(one.reason)
            continue
        used, sender, reason = _pay(ctx, entry, one, amount, today)
        left -= used
        remitter = remitter or sender
        reasons.append(reason)
    reason = next((one for one in reasons if one), "")
    return note(ctx, entry, reason, remitter)


def _pay(
    ctx: Context, entry: Row[Any], one: Recognised, amount: int, today: dt.date
) -> tuple[int, str | None, str]:
    """Let one lot pay its invoices in turn; gives what was used, who sent it, and why not all."""
    financier_id = entry.financier_id
    left = amount
    reason = ""
    sender: str | None = None
    ids = one.invoice_ids if one.named else _due(ctx.conn, one, entry, today)
    for place, invoice_id in enumerate(ids):
        position = Position(ctx.conn, invoice_id, financier_id, today)
        invoice = position.invoice
        remitter = _remitter(one, invoice)
        most = min(left, one.shares[place]) if one.shares else left
        if remitter == invoice.seller_id != invoice.buyer_id:
            own = own_debt(ctx, position, entry, left, today)
            if own:
                left -= own
                sender = sender or remitter
                position = Position(ctx.conn, invoice_id, financier_id, today)
            most = min(most, left, passed_on(ctx.conn, position))
            if most == 0:
                reason = "" if own else matching.PAYER_NOT_OBLIGOR
                continue
        coming = Coming(entry.id, entry.value_on, most, remitter)
        # A payment found late frees penalty, so the excess can be more than it brings itself.
        excess = min(position.excess(coming), most)
        last = one.named and place == len(ids) - 1 and remitter == invoice.buyer_id
        kept = min(excess, position.waiting) if last else excess
        if kept and last:
            reason = matching.HELD_PART
        if most - kept:
            sender = sender or remitter
            settle(ctx, position, today, [dataclasses.replace(coming, amount=most - kept)])
            left -= most - kept
        if not left:
            break
    if left and not reason:
        reason = matching.NO_REFERENCE
    return amount - left, sender, reason


def own_debt(ctx: Context, position: Position, entry: Row[Any], left: int, today: dt.date) -> int:
    """Let the seller's money pay what it owes itself, beyond what it holds for the financier."""
    amount = left - min(left, handed_over(ctx.conn, position))
    if not amount:
        return 0
    coming = Coming(entry.id, entry.value_on, amount, position.invoice.seller_id, by_seller=True)
    own = amount - position.excess(coming)
    if own > 0:
        settle(ctx, position, today, [dataclasses.replace(coming, amount=own)])
    return max(0, own)


def passed_on(conn: Connection, position: Position) -> int:
    """Give what of the obligor's money the seller may pass on.

    Told where to pay, the obligor pays the seller only in error; never told, always.
    """
    if position.silent:
        return position.open_financed
    return handed_over(conn, position)


def _remitter(one: Recognised, invoice: Row[Any]) -> str:
    """Tell on whose behalf a lot came: the obligor, or the seller who hands over."""
    if invoice.buyer_id in one.remitters or not one.remitters:
        return str(invoice.buyer_id)
    return str(invoice.seller_id)


def _due(conn: Connection, one: Recognised, entry: Row[Any], today: dt.date) -> tuple[str, ...]:
    """Without a reference: the one invoice that is exactly the amount, else those due by then."""
    exact = []
    due: list[Position] = []
    for invoice_id in one.invoice_ids:
        position = Position(conn, invoice_id, entry.financier_id, today)
        if one.lot.amount in {position.open_financed, position.open_financed + position.rest}:
            exact.append(invoice_id)
        if any(
            row.state in OUT and row.due_on <= max(entry.value_on, today)
            for row in position.advances.values()
        ):
            due.append(position)
    if len(exact) == 1:
        return tuple(exact)
    return tuple(position.invoice.id for position in in_agreed_order(conn, due))


def in_turn(
    conn: Connection, financier_id: str, invoice_ids: Iterable[str], today: dt.date
) -> tuple[str, ...]:
    """Put the invoices of a payment that is short of them in the order that was agreed."""
    some = [Position(conn, one_id, financier_id, today) for one_id in invoice_ids]
    return tuple(one.invoice.id for one in in_agreed_order(conn, some))


def in_agreed_order(conn: Connection, due: Sequence[Position]) -> list[Position]:
    """Put invoices in the order that their programme agreed on; the oldest due date first."""
    if not due:
        return []
    version = next(iter(due[0].advances.values())).programme_version_id
    order = terms_of_version(conn, version).allocation_order
    by_date = sorted(due, key=lambda one: (one.invoice.due_on, one.invoice.id))
    if order == "lifo":
        return by_date[::-1]
    if order in {"largest", "smallest"}:
        by_date.sort(key=lambda one: one.open_financed, reverse=order == "largest")
    return by_date


def handed_over(conn: Connection, position: Position) -> int:
    """Give what the seller holds for the financier on this invoice: paid to it in error."""
    invoice = position.invoice
    held = 0
    for advance_id in position.advances:
        account = (journals.HELD_FOR_FINANCIER, invoice.currency)
        held -= balances(conn, invoice.seller_id, subject_id=advance_id).get(account, 0)
    return held


def note(ctx: Context, entry: Row[Any], reason: str, remitter_id: str | None = None) -> Row[Any]:
    """Bring a receipt's own row in line with its parts: what is left, its state, its reason."""
    shared = ctx.conn.execute(
        select(func.coalesce(func.sum(ALLOCATION.c.amount_minor), 0)).where(
            ALLOCATION.c.bank_entry_id == entry.id,
            ALLOCATION.c.kind.in_(SHARES),
            ALLOCATION.c.reversed_by.is_(None),
        )
    ).scalar_one()
    left = entry.amount_minor - int(shared)
    state = entry.state
    if shared:
        state = state if state == "POSTED" else RECEIPT.after(state, "identify")
        if left == 0 and state != "POSTED":
            state = RECEIPT.after(RECEIPT.after(state, "allocate"), "post")
    after = ctx.conn.execute(
        update(ENTRY)
        .where(ENTRY.c.id == entry.id)
        .values(
            state=state,
            unallocated_minor=left,
            reason=(reason or None) if left else None,
            remitter_id=remitter_id or entry.remitter_id,
        )
        .returning(ENTRY)
    ).one()
    if left and reason:
        ctx.emit("receipt.waiting", {"entry_id": entry.id, "reason": reason, "amount_minor": left})
    return after


def invoices_of(conn: Connection, entry_id: str) -> set[str]:
    """Give the invoices that a receipt has paid."""
    rows = conn.execute(
        select(ALLOCATION.c.invoice_id)
        .distinct()
        .where(
            ALLOCATION.c.bank_entry_id == entry_id,
            ALLOCATION.c.invoice_id.is_not(None),
            ALLOCATION.c.reversed_by.is_(None),
        )
    )
    return set(rows.scalars())
