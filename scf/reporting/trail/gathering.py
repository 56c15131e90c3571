"""Read the rows of a trail: documents for both sides, finance and books for whoever may."""

from collections.abc import Collection, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import Session, SQLModel, col

from scf.documents.match.models import MatchAct
from scf.documents.messages.models import TradeMessage
from scf.documents.models import (
    Acceptance,
    CreditAllocation,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceFact,
    Order,
    OrderLine,
    Receipt,
)
from scf.financing.models import (
    Advance,
    AdvanceEvent,
    Decision,
    FinancingRequest,
    OverAdvance,
)
from scf.kernel.actor import Actor
from scf.ledger.models import Entry, NoEntry
from scf.parties.access import may
from scf.reporting.portfolio import booked
from scf.reporting.trail.things import Rows
from scf.settlement.models import Allocation, BankEntry, PaymentFile, PaymentInstruction

M = TypeVar("M", bound=SQLModel)
MOST_INVOICES: Final = 100
MOST_ENTRIES: Final = 2_000

_advance: Final = Advance.__table__  # type: ignore[attr-defined]
_part: Final = Allocation.__table__  # type: ignore[attr-defined]


def gather(
    session: Session, actor: Actor, order: Order | None, invoices: Sequence[Invoice]
) -> Rows:
    """Read everything that belongs to these invoices and their order, each table once."""
    rows = Rows(order=order, invoices=invoices)
    ids = [row.id for row in invoices]
    _documents(session, rows, ids)
    if may(actor, "advance.read"):
        _finance(session, actor, rows, ids)
    if may(actor, "payment.read"):
        _money(session, actor, rows, ids)
    if may(actor, "ledger.read"):
        _books(session, actor, rows, ids)
    return rows


def _all(session: Session, model: type[M], *where: ColumnElement[bool]) -> list[M]:
    key: Any = model.__table__.c.id  # type: ignore[attr-defined]
    return list(session.execute(select(model).where(*where).order_by(key)).scalars())


def _documents(session: Session, rows: Rows, ids: Collection[str]) -> None:
    order = rows.order
    if order is not None:
        rows.order_lines = _all(session, OrderLine, col(OrderLine.order_id) == order.id)
    first = rows.invoices[0] if rows.invoices else None
    buyer = order.buyer_id if order is not None else first.buyer_id if first else None
    number = order.canonical_number if order is not None else first and first.order_canonical
    if buyer and number:
        rows.receipts = _all(
            session,
            Receipt,
            col(Receipt.buyer_id) == buyer,
            col(Receipt.order_canonical) == number,
        )
        rows.messages = _all(
            session,
            TradeMessage,
            col(TradeMessage.buyer_id) == buyer,
            col(TradeMessage.order_canonical) == number,
        )
    rows.acceptances = _all(session, Acceptance, col(Acceptance.invoice_id).in_(ids))
    rows.acts = _all(session, MatchAct, col(MatchAct.invoice_id).in_(ids))
    rows.disputes = _all(session, Dispute, col(Dispute.invoice_id).in_(ids))
    rows.credits = _all(session, CreditAllocation, col(CreditAllocation.invoice_id).in_(ids))
    notes = _all(
        session, CreditNote, col(CreditNote.id).in_({one.credit_note_id for one in rows.credits})
    )
    rows.credit_notes = {one.id: one for one in notes}
    rows.facts = list(
        session.execute(
            select(InvoiceFact)
            .where(col(InvoiceFact.invoice_id).in_(ids))
            .order_by(col(InvoiceFact.sequence))
        ).scalars()
    )


def _finance(session: Session, actor: Actor, rows: Rows, ids: Collection[str]) -> None:
    rows.advances = _all(session, Advance, col(Advance.invoice_id).in_(ids))
    advances = [row.id for row in rows.advances]
    requests = {row.request_id for row in rows.advances}
    rows.requests = _all(session, FinancingRequest, col(FinancingRequest.id).in_(requests))
    rows.events = _all(session, AdvanceEvent, col(AdvanceEvent.advance_id).in_(advances))
    rows.over = _all(session, OverAdvance, col(OverAdvance.advance_id).in_(advances))
    if may(actor, "decision.read"):
        rows.decisions = _all(session, Decision, col(Decision.request_id).in_(requests))


def _money(session: Session, actor: Actor, rows: Rows, ids: Collection[str]) -> None:
    advances = [row.id for row in rows.advances]
    rows.parts = _all(
        session,
        Allocation,
        or_(col(Allocation.invoice_id).in_(ids), col(Allocation.advance_id).in_(advances)),
    )
    rows.payments = _all(
        session,
        PaymentInstruction,
        or_(
            col(PaymentInstruction.advance_id).in_(advances),
            col(PaymentInstruction.subject_id).in_([part.id for part in rows.parts]),
        ),
    )
    if may(actor, "bank_statement.read"):
        found = {part.bank_entry_id for part in rows.parts}
        rows.bank = _all(session, BankEntry, col(BankEntry.id).in_(found))
        rows.all_parts = _all(session, Allocation, col(Allocation.bank_entry_id).in_(found))
    if may(actor, "payment_file.read"):
        wanted = {row.file_id for row in rows.payments if row.file_id}
        rows.files = {
            row.id: row for row in _all(session, PaymentFile, col(PaymentFile.id).in_(wanted))
        }


def _books(session: Session, actor: Actor, rows: Rows, ids: Collection[str]) -> None:
    """Read the reader's own book about this life.

    A life's entries carry the advance, also in the book of a firm that may not see the advance:
    its id is looked up here and shown to nobody, and the own book is all that it opens.
    """
    conn = session.connection()
    lives = set(ids) | {one.credit_note_id for one in rows.credits}
    owned = conn.execute(select(_advance.c.id).where(_advance.c.invoice_id.in_(ids))).scalars()
    lives |= set(owned)
    parts = select(_part.c.id).where(_part.c.invoice_id.in_(ids))
    lives |= set(conn.execute(parts).scalars())
    lives |= {row.id for row in rows.bank}
    found = booked(session, col(Entry.subject_id).in_(lives), most=MOST_ENTRIES + 1)
    rows.entries, rows.more_entries = found[:MOST_ENTRIES], len(found) > MOST_ENTRIES
    # Why its book has no entry would tell a buyer what its supplier and a bank have agreed.
    if not any(row.buyer_id == actor.org_id for row in rows.invoices):
        rows.dashes = _all(session, NoEntry, col(NoEntry.subject_id).in_(lives))
