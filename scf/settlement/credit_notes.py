"""Credit notes on invoices that an undertaking keeps whole: postings 4.14.

The buyer still pays the financed face, so what the note takes away stands between the two firms
until it is set against their next invoices. The note is booked once, for what the named invoices
left of it; each part that later invoices take is booked as it is taken.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any, Final

from sqlalchemy import select

from scf.db.runner import Context
from scf.documents.dilution import Carried
from scf.documents.models import Invoice
from scf.financing.lifecycle import OUT
from scf.ledger.models import NoEntry
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.parties.service import business_date
from scf.programmes.techniques import technique_of
from scf.settlement.journals import TRADE_PAYABLES, TRADE_RECEIVABLES, Journals
from scf.settlement.loans import ADVANCE, terms_of_versions
from scf.settlement.reserve_journals import PURCHASES, RETURNS

DUE_TO_ANCHOR: Final = "credit_notes_due_to_anchor"
DUE_FROM_SUPPLIER: Final = "credit_notes_due_from_supplier"
CARRIED: Final = "credit_note.carried"
SET: Final = "credit_note.set"

_INVOICE: Final = Invoice.__table__  # type: ignore[attr-defined]
_DASH: Final = NoEntry.__table__  # type: ignore[attr-defined]


def carried(seller_id: str, buyer_id: str, financier_id: str, amount: int) -> Journals:
    """A credit note that the financed invoice does not bear: the seller owes it to the buyer."""
    return (
        Journal(seller_id, (debit(RETURNS, amount), credit(DUE_TO_ANCHOR, amount))),
        Journal(buyer_id, (debit(DUE_FROM_SUPPLIER, amount), credit(PURCHASES, amount))),
        Journal(financier_id, reason="the anchor still pays the face"),
    )


def set_against(seller_id: str, buyer_id: str, amount: int) -> Journals:
    """The pair's next invoices have taken so much of it."""
    return (
        Journal(seller_id, (debit(DUE_TO_ANCHOR, amount), credit(TRADE_RECEIVABLES, amount))),
        Journal(buyer_id, (debit(TRADE_PAYABLES, amount), credit(DUE_FROM_SUPPLIER, amount))),
    )


def book(ctx: Context, notes: Sequence[Carried]) -> None:
    """Book what was carried and what was set against other invoices, where finance is the cause."""
    if not notes:
        return
    known = _booked(ctx, [note.id for note in notes])
    keepers = _keepers(ctx, {one for note in notes for one in note.named})
    events: list[LedgerEvent] = []
    for note in notes:
        found = next((keepers[one] for one in note.named if one in keepers), "")
        taken = note.elsewhere_minor
        if note.id in known:
            day = business_date(ctx.conn, known[note.id])
            taken += note.on_named_minor
        elif found and (whole := note.elsewhere_minor + note.left_minor):
            day = business_date(ctx.conn, found)
            made = carried(note.seller_id, note.buyer_id, found, whole)
            events.append(_event(note, CARRIED, f"{note.id}:carried", day, made))
        else:
            continue
        if taken:
            made = set_against(note.seller_id, note.buyer_id, taken)
            events.append(_event(note, SET, f"{note.id}:{note.version}", day, made))
    if events:
        post(ctx, events)


def _event(note: Carried, kind: str, name: str, on: dt.date, made: Journals) -> LedgerEvent:
    words = f"Credit note {note.number}"
    return LedgerEvent(name, kind, note.id, note.currency, on, on, words, made)


def _booked(ctx: Context, ids: Collection[str]) -> dict[str, str]:
    """Give the notes that are booked as carried, with the financier whose days they follow."""
    rows = ctx.conn.execute(
        select(_DASH.c.subject_id, _DASH.c.org_id).where(
            _DASH.c.subject_id.in_(sorted(ids)), _DASH.c.event_kind == CARRIED
        )
    )
    return {row.subject_id: row.org_id for row in rows}


def _keepers(ctx: Context, invoice_ids: Collection[str]) -> dict[str, str]:
    """Give by invoice the financier whose money an undertaking keeps whole."""
    rows: Sequence[Any] = ctx.conn.execute(
        select(ADVANCE.c.invoice_id, ADVANCE.c.financier_id, ADVANCE.c.programme_version_id)
        .join(_INVOICE, _INVOICE.c.id == ADVANCE.c.invoice_id)
        .where(
            ADVANCE.c.invoice_id.in_(sorted(invoice_ids)),
            ADVANCE.c.state.in_(OUT),
            _INVOICE.c.ipu,
        )
        .order_by(ADVANCE.c.id)
    ).all()
    terms = terms_of_versions(ctx.conn, (row.programme_version_id for row in rows))
    return {
        row.invoice_id: row.financier_id
        for row in rows
        if not technique_of(terms[row.programme_version_id]).takes_credit_notes(undertaking=True)
    }
