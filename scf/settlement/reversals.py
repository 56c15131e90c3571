"""Take receipts back: by a person's word, or because the bank took the money back."""

import datetime as dt
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.kernel.errors import Conflict, RuleViolation
from scf.ledger.service import LedgerEvent, post
from scf.settlement import journals, matching
from scf.settlement.allocation import settle
from scf.settlement.lifecycle import RECEIPT
from scf.settlement.position import ALLOCATION, Position
from scf.settlement.receipts import ENTRY, invoices_of


def find_reversed(conn: Connection, entry: Row[Any]) -> Row[Any] | None:
    """Find the one credit that a reversing debit takes back: equal amount, same payer and words."""
    rows = conn.execute(
        select(ENTRY).where(
            ENTRY.c.financier_id == entry.financier_id,
            ENTRY.c.account == entry.account,
            ENTRY.c.currency == entry.currency,
            ENTRY.c.amount_minor == -entry.amount_minor,
            ENTRY.c.booked_on <= entry.booked_on,
            ENTRY.c.state.not_in(["REVERSED", "REFUNDED"]),
        )
    ).all()
    # The sides of the movement swap, so only what both entries quote alike is compared.
    alike = [row for row in rows if _marks(row) & _marks(entry)]
    if len(alike) == 1:
        return alike[0]
    return rows[0] if len(rows) == 1 and not _marks(entry) else None


def _marks(entry: Row[Any]) -> set[str]:
    parts = entry.details["parts"]
    ids = {part["end_to_end_id"] for part in parts if part["end_to_end_id"]}
    texts = {text for part in parts for text in part["references"]}
    return ids or texts


def take_back(
    ctx: Context, entry: Row[Any], today: dt.date, *, bank_entry: Row[Any] | None = None
) -> str:
    """Undo all that a receipt has paid; gives why that cannot be, or an empty text.

    Afterwards the money stands in suspense again; with ``bank_entry`` the bank has taken it and
    nothing is left. What was paid on to somebody (PAID_OUT) cannot be undone here. The receipt,
    its invoices and their advances are locked.
    """
    parts = ctx.conn.execute(
        select(ALLOCATION).where(
            ALLOCATION.c.bank_entry_id == entry.id, ALLOCATION.c.reversed_by.is_(None)
        )
    ).all()
    if any(part.paid_out_minor is not None for part in parts):
        return matching.PAID_OUT
    if any(part.kind == "return" for part in parts):
        return matching.RETURN_UNKNOWN
    for invoice_id in sorted({part.invoice_id for part in parts if part.invoice_id}):
        position = Position(ctx.conn, invoice_id, entry.financier_id, today)
        if entry.id in position.past or not any(
            key == entry.id for key, _by_seller in position.payments
        ):
            return matching.PAID_OUT
        settle(ctx, position, today, gone=[entry.id])
    loose = [part for part in parts if part.invoice_id is None]
    _undo_loose(ctx, entry, loose, today)
    state = entry.state
    if parts:
        state = RECEIPT.after(state, "take_back")
    left = entry.amount_minor
    if bank_entry is not None:
        state, left = RECEIPT.after(state, "reverse"), 0
    ctx.conn.execute(
        update(ENTRY)
        .where(ENTRY.c.id == entry.id)
        .values(
            state=state,
            unallocated_minor=left,
            remitter_id=None,
            reason=matching.TAKEN_BACK if left else None,
        )
    )
    ctx.change("bank_entry", entry.id, {"state": entry.state}, {"state": state})
    return ""


def _undo_loose(ctx: Context, entry: Row[Any], parts: list[Row[Any]], today: dt.date) -> None:
    """Undo what is owed to a payer without an invoice: money that was to be sent back."""
    if not parts:
        return
    post(
        ctx,
        [
            LedgerEvent(
                part.id,
                f"{part.kind}.reversed",
                part.id,
                entry.currency,
                today,
                part.value_on,
                "Allocation taken back",
                journals.reversed_journals(
                    journals.overpaid(entry.financier_id, part.payee_id, part.amount_minor),
                    "taken back",
                ),
            )
            for part in parts
        ],
    )
    done = ctx.conn.execute(
        update(ALLOCATION)
        .where(
            ALLOCATION.c.id.in_([part.id for part in parts]),
            ALLOCATION.c.paid_out_minor.is_(None),
        )
        .values(reversed_by=ctx.command_id)
        .returning(ALLOCATION.c.id)
    ).all()
    if len(done) != len(parts):
        raise Conflict("STALE", "A part of this money was just ordered to be paid out.")


def refuse(reason: str) -> None:
    """Raise when a receipt cannot be taken back.

    Raises
    ------
    RuleViolation
        PAID_OUT or RETURN_UNKNOWN.
    """
    if reason:
        raise RuleViolation(
            reason,
            "Money of this receipt has moved on already; what was paid on cannot be undone here.",
        )


__all__ = ["find_reversed", "invoices_of", "refuse", "take_back"]
