"""What a credit pays by the paper that explains it: settled where all agrees, else proposed."""

import dataclasses
import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents import dilution
from scf.documents.models import Invoice
from scf.documents.rules import canonical_number, owed
from scf.financing.lifecycle import COLLECTIBLE
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.settlement import matching, proposing
from scf.settlement.advised.papers import PLATFORM
from scf.settlement.allocation import settle
from scf.settlement.loans import ADVANCE
from scf.settlement.position import Coming, Position, lock
from scf.settlement.receipts import ENTRY, in_agreed_order, note
from scf.settlement.reconcile import columns as why

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
REFUND: Final = "platform_refund"
# Why a paper's proposal is made, beside the reasons of reconciliation; the portal words them.
DEDUCTED: Final = "ADVICE_DEDUCTED"
PART: Final = "ADVICE_PART"
_SURE: Final = 990_000
_LESS: Final = 900_000
MOST_INVOICES: Final = 2_000


@dataclasses.dataclass(frozen=True, slots=True)
class Shared:
    """How a credit is shared out over invoices, and what speaks against doing so at once."""

    pays: tuple[tuple[str, int], ...]
    doubts: tuple[str, ...] = ()


def waits_whole(entry: Row[Any]) -> bool:
    """Tell whether a credit waits, and nothing of it is placed."""
    return bool(
        entry.state == "RECEIVED"
        and entry.amount_minor > 0
        and entry.unallocated_minor == entry.amount_minor
        and entry.reason != matching.TAKEN_BACK
    )


def place(ctx: Context, paper: Row[Any], entry: Row[Any], senders: Sequence[str]) -> dict[str, Any]:
    """Let a credit pay what its paper says, or propose it; refunds lower what they name."""
    today = business_date(ctx.conn, entry.financier_id)
    invoices = _spoken_of(ctx.conn, paper)
    lock(ctx, [row.id for row in invoices])
    fallen: dict[str, int] = {}
    if paper.kind == PLATFORM:
        fallen = dilution.lower(ctx, _refunds(paper, invoices), REFUND, paper.id)
        shared = _swept(ctx.conn, paper, entry, invoices, today)
    else:
        shared = _items(paper, entry, invoices)
    doubts = list(shared.doubts)
    if paper.sender_id not in senders:
        doubts.append(why.PAYER_OTHER if senders else why.PAYER_UNKNOWN)
    if entry.value_on > today:
        doubts.append(matching.VALUE_DATE_AHEAD)
    if not doubts and shared.pays and _pay(ctx, entry, shared, today):
        after = note(ctx, entry, matching.NO_REFERENCE, paper.sender_id)
        ctx.change(
            "bank_entry",
            entry.id,
            {"state": entry.state},
            {"state": after.state, "advice_id": paper.id},
        )
        proposing.drop(ctx, [entry.id])
    else:
        after = _propose(ctx, entry, shared, doubts)
    return {
        "advice_id": paper.id,
        "entry_id": entry.id,
        "state": "MATCHED",
        "entry_state": after.state,
        "placed_minor": after.amount_minor - after.unallocated_minor,
        "unallocated_minor": after.unallocated_minor,
        "refunds_minor": sum(fallen.values()),
        "proposed": after.unallocated_minor == after.amount_minor and bool(shared.pays),
    }


def _spoken_of(conn: Connection, paper: Row[Any]) -> list[Row[Any]]:
    """Read the financed invoices that a paper may speak of.

    Of a settlement: those of its merchant that the platform owes, or that its orders name. Of an
    advice: those that its sender owes and its items name.
    """
    numbers = sorted({canonical_number(one["number"]) for one in paper.lines if one["number"]})
    if paper.kind == PLATFORM:
        meant = (_INVOICE.c.seller_id == paper.merchant_id) & or_(
            _INVOICE.c.buyer_id == paper.sender_id, _INVOICE.c.canonical_number.in_(numbers)
        )
    else:
        meant = (_INVOICE.c.buyer_id == paper.sender_id) & _INVOICE.c.canonical_number.in_(numbers)
    return list(
        conn.execute(
            select(_INVOICE)
            .where(
                meant,
                _INVOICE.c.currency == paper.currency,
                _INVOICE.c.id.in_(
                    select(ADVANCE.c.invoice_id).where(
                        ADVANCE.c.financier_id == paper.financier_id,
                        ADVANCE.c.state.in_(COLLECTIBLE),
                    )
                ),
            )
            .order_by(_INVOICE.c.due_on, _INVOICE.c.id)
            .limit(MOST_INVOICES)
        )
    )


# --- Settlements of platforms ---------------------------------------------------------------------


def _refunds(paper: Row[Any], invoices: Iterable[Row[Any]]) -> Mapping[str, int]:
    """Give by financed order what was refunded of it."""
    known = {row.canonical_number: row.id for row in invoices}
    found: dict[str, int] = {}
    for one in paper.lines:
        invoice_id = known.get(canonical_number(one["number"])) if one["number"] else None
        if one["kind"] == "refund" and invoice_id is not None:
            found[invoice_id] = found.get(invoice_id, 0) - one["amount_minor"]
    return found


def _swept(
    conn: Connection,
    paper: Row[Any],
    entry: Row[Any],
    invoices: Sequence[Row[Any]],
    today: dt.date,
) -> Shared:
    """Split the net sum over the merchant's advances, in the order that was agreed on."""
    standing = [Position(conn, row.id, paper.financier_id, today) for row in invoices]
    left = entry.unallocated_minor
    pays = []
    for position in in_agreed_order(conn, [one for one in standing if one.advances]):
        part = min(left, position.open_financed)
        if part > 0:
            pays.append((position.invoice.id, part))
            left -= part
    return Shared(tuple(pays))


# --- Remittance advices ---------------------------------------------------------------------------


def _items(paper: Row[Any], entry: Row[Any], invoices: Sequence[Row[Any]]) -> Shared:
    """Give each item its net sum; what cannot be laid to one item leaves a doubt."""
    by_number: dict[str, list[Row[Any]]] = {}
    for row in invoices:
        by_number.setdefault(row.canonical_number, []).append(row)
    nets = _nets(paper)
    taken_off = any(one["kind"] == "deduction" for one in paper.lines)
    doubts = [DEDUCTED] if taken_off else []
    pays = []
    for number, net in nets.items():
        found = by_number.get(number, [])
        if len(found) != 1:
            doubts.append(PART)
            continue
        if net > owed(found[0]):
            doubts.append(why.AMOUNT_OVER)
        if net > 0:
            pays.append((found[0].id, net))
    if sum(net for _id, net in pays) > entry.unallocated_minor:
        return Shared((), (PART,))
    return Shared(tuple(pays), tuple(dict.fromkeys(doubts)))


def _nets(paper: Row[Any]) -> dict[str, int]:
    """Give by item what is paid of it; a deduction from no item of the paper, from the last ones.

    Nothing is paid on an item by that guess: a paper with a deduction is only proposed.
    """
    nets: dict[str, int] = {}
    general = 0
    for one in paper.lines:
        number = canonical_number(one["number"]) if one["number"] else ""
        if one["kind"] == "deduction" and number not in nets:
            general -= one["amount_minor"]
        else:
            nets[number] = nets.get(number, 0) + one["amount_minor"]
    for number in reversed(list(nets)):
        taken = min(general, max(0, nets[number]))
        nets[number] -= taken
        general -= taken
    return nets


# --- Paying and proposing -------------------------------------------------------------------------


def _pay(ctx: Context, entry: Row[Any], shared: Shared, today: dt.date) -> bool:
    """Let the credit pay; nothing of it where a part of an invoice is being financed right now."""
    coming: list[tuple[str, Coming]] = []
    for invoice_id, amount in shared.pays:
        position = Position(ctx.conn, invoice_id, entry.financier_id, today)
        one = Coming(entry.id, entry.value_on, amount, position.invoice.buyer_id)
        if min(position.excess(one), position.waiting):
            return False
        coming.append((invoice_id, one))
    for invoice_id, one in coming:
        settle(ctx, Position(ctx.conn, invoice_id, entry.financier_id, today), today, [one])
    return True


def _propose(ctx: Context, entry: Row[Any], shared: Shared, doubts: Sequence[str]) -> Row[Any]:
    reason = matching.TO_REVIEW if shared.pays else matching.ADVISED
    if shared.pays:
        proposing.drop(ctx, [entry.id])
        row = {
            "id": new_id(),
            "bank_entry_id": entry.id,
            "financier_id": entry.financier_id,
            "rank": 0,
            "confidence_ppm": _LESS if doubts else _SURE,
            "reasons": list(dict.fromkeys([why.PAPER, *doubts])),
            "pays": [
                {"invoice_id": invoice_id, "amount_minor": amount}
                for invoice_id, amount in shared.pays
            ],
            "state": "OPEN",
            "agreed_by": None,
            "decided_by": None,
            "command_id": ctx.command_id,
            "at": ctx.now,
        }
        ctx.conn.execute(insert(proposing.PROPOSALS), row)
    after = ctx.conn.execute(
        update(ENTRY).where(ENTRY.c.id == entry.id).values(reason=reason).returning(ENTRY)
    ).one()
    ctx.emit("receipt.waiting", {"entry_id": entry.id, "reason": reason})
    return after
