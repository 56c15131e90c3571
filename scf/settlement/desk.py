"""A person's word on money that the platform could not place, or placed wrongly."""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, insert, select, update

from scf.db.runner import Context, command
from scf.db.types import Code, Day, Id, Minor, OptId, Text
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.kernel.ids import new_id
from scf.ledger.service import LedgerEvent, post
from scf.parties.models import Firm
from scf.parties.service import business_date
from scf.settlement import journals, matching, outcomes
from scf.settlement.allocation import settle
from scf.settlement.lifecycle import UNDER_WAY
from scf.settlement.models import BankEntry, PaymentInstruction
from scf.settlement.position import ALLOCATION, Coming, Position, lock
from scf.settlement.proposing import Waiting, drop, recognised_by, weigh
from scf.settlement.receipts import (
    ENTRY,
    Recognised,
    handed_over,
    invoices_of,
    lots_of,
    note,
    own_debt,
    passed_on,
    recognise,
    share_out,
)
from scf.settlement.reversals import refuse, take_back

MAX_RETRIES: Final = 100


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class PayInvoice(_Input):
    """So much of a receipt for one invoice."""

    invoice_id: Id
    amount_minor: Minor = Field(gt=0)


class IdentifyReceipt(_Input):
    """What a waiting receipt pays, in a person's word.

    ``payer_id`` says who sent it where it was not the obligor in its own name; what is not for
    any invoice can be owed back to ``refund_to``.
    """

    entry_id: Id
    pays: list[PayInvoice] = Field(default_factory=list, max_length=100)
    payer_id: OptId = None
    refund_to: OptId = None
    note: Text = Field(min_length=1, max_length=4000)


class OneReceipt(_Input):
    """A receipt, and why."""

    entry_id: Id
    note: Text = Field(min_length=1, max_length=4000)


class RetryReceipts(_Input):
    """Try waiting receipts again; by default those whose reason time or another act may lift."""

    entry_ids: list[Id] = Field(default_factory=list, max_length=MAX_RETRIES)
    reasons: list[Code] = Field(default_factory=lambda: sorted(matching.RETRIED), max_length=20)


class IdentifyDebit(_Input):
    """Which payment of ours an unknown debit was."""

    entry_id: Id
    instruction_id: Id
    note: Text = Field(min_length=1, max_length=4000)


class ReportMisdirected(_Input):
    """That the obligor paid the seller instead of the financier, on an advance."""

    advance_id: Id
    amount_minor: Minor = Field(gt=0)
    value_on: Day
    note: Text = Field(min_length=1, max_length=4000)


def _entry(ctx: Context, entry_id: str, *, credit: bool = True) -> Row[Any]:
    ctx.visible(BankEntry, entry_id)
    row = ctx.lock(BankEntry, [entry_id])[entry_id]
    if (row.amount_minor > 0) is not credit:
        raise InvalidInput(
            "ENTRY_SIDE",
            "This needs a credit of the bank account."
            if credit
            else "This needs a debit of the bank account.",
            entry_id=entry_id,
        )
    return row


# --- Identify -------------------------------------------------------------------------------------


@command("receipt.identify", IdentifyReceipt)
def identify_receipt(ctx: Context, data: IdentifyReceipt) -> dict[str, Any]:
    """Let a waiting receipt pay what a person says, with its own value date.

    Raises
    ------
    RuleViolation
        AMOUNT_LEFT, when more is given out than waits; VALUE_DATE_AHEAD; HELD_PART, for money on
        a part that is being financed right now; NOT_HELD, when a seller hands over more than it
        had been paid in error.
    """
    entry = _entry(ctx, data.entry_id)
    for one in data.pays:
        ctx.visible(Invoice, one.invoice_id)
    return placed(ctx, entry, data, business_date(ctx.conn, entry.financier_id))


def placed(ctx: Context, entry: Row[Any], data: IdentifyReceipt, today: dt.date) -> dict[str, Any]:
    """Let a locked receipt pay what a person says; what was proposed for it is set aside."""
    _enough(entry, data, today)
    lock(ctx, [one.invoice_id for one in data.pays])
    for one in data.pays:
        _pay(ctx, entry, one, data.payer_id, today)
    if data.refund_to is not None:
        given = sum(one.amount_minor for one in data.pays)
        _owe_back(ctx, entry, data.refund_to, entry.unallocated_minor - given, today)
    after = note(ctx, entry, entry.reason or matching.NO_REFERENCE, data.payer_id)
    ctx.change(
        "bank_entry",
        entry.id,
        {"state": entry.state, "unallocated_minor": entry.unallocated_minor},
        {"state": after.state, "unallocated_minor": after.unallocated_minor, "note": data.note},
    )
    drop(ctx, [entry.id])
    return said(after)


def _enough(entry: Row[Any], data: IdentifyReceipt, today: dt.date) -> None:
    given = sum(one.amount_minor for one in data.pays)
    if not data.pays and data.refund_to is None:
        raise InvalidInput("NOTHING_SAID", "Say what the receipt pays, or who is to have it back.")
    if len({one.invoice_id for one in data.pays}) != len(data.pays):
        raise InvalidInput("INVOICE_TWICE", "Name each invoice once.")
    if given > entry.unallocated_minor:
        raise RuleViolation(
            "AMOUNT_LEFT",
            "More is given out than waits.",
            waiting_minor=entry.unallocated_minor,
            given_minor=given,
        )
    if entry.value_on > today:
        raise RuleViolation(
            matching.VALUE_DATE_AHEAD,
            "This money counts from a later day.",
            value_on=entry.value_on.isoformat(),
        )


def _pay(
    ctx: Context, entry: Row[Any], one: PayInvoice, payer_id: str | None, today: dt.date
) -> None:
    position = Position(ctx.conn, one.invoice_id, entry.financier_id, today)
    invoice = position.invoice
    if invoice.currency != entry.currency:
        raise InvalidInput(
            "CURRENCY", "The invoice is in another currency.", currency=invoice.currency
        )
    if payer_id == invoice.seller_id:
        _pay_by_seller(ctx, entry, one, position, today)
        return
    coming = Coming(entry.id, entry.value_on, one.amount_minor, payer_id or invoice.buyer_id)
    if min(position.excess(coming), position.waiting):
        raise RuleViolation(
            matching.HELD_PART,
            "A part of this invoice is being financed right now; wait for it.",
            waiting_minor=position.waiting,
        )
    settle(ctx, position, today, [coming])


def _pay_by_seller(
    ctx: Context, entry: Row[Any], one: PayInvoice, position: Position, today: dt.date
) -> None:
    """Let a seller pay what it was paid in error, then what it owes itself; nothing beyond."""
    own = own_debt(ctx, position, entry, one.amount_minor, today)
    fresh = Position(ctx.conn, one.invoice_id, entry.financier_id, today) if own else position
    held = passed_on(ctx.conn, fresh)
    if one.amount_minor - own > held:
        raise RuleViolation(
            "NOT_HELD",
            "The seller neither owes so much nor was paid it in error.",
            held_minor=held,
            owed_minor=own,
        )
    if one.amount_minor > own:
        seller_id = position.invoice.seller_id
        coming = Coming(entry.id, entry.value_on, one.amount_minor - own, seller_id)
        settle(ctx, fresh, today, [coming])


def _owe_back(ctx: Context, entry: Row[Any], payer_id: str, amount: int, today: dt.date) -> None:
    """Owe what nobody can place to whoever sent it; the next pay-out sends it back."""
    ctx.visible(Firm, payer_id)
    if amount <= 0:
        raise RuleViolation("AMOUNT_LEFT", "Nothing is left to give back.")
    row = {
        "id": new_id(),
        "bank_entry_id": entry.id,
        "kind": "payer",
        "advance_id": None,
        "invoice_id": None,
        "payee_id": payer_id,
        "amount_minor": amount,
        "paid_out_minor": None,
        "value_on": entry.value_on,
        "reversed_by": None,
        "command_id": ctx.command_id,
        "at": ctx.now,
    }
    ctx.conn.execute(insert(ALLOCATION), row)
    made = journals.overpaid(entry.financier_id, payer_id, amount)
    post(
        ctx,
        [
            LedgerEvent(
                row["id"],
                "payer.paid",
                row["id"],
                entry.currency,
                today,
                entry.value_on,
                "Receipt to be sent back",
                made,
            )
        ],
    )


def said(entry: Row[Any]) -> dict[str, Any]:
    """Tell where a receipt stands."""
    return {
        "entry_id": entry.id,
        "state": entry.state,
        "reason": entry.reason,
        "unallocated_minor": entry.unallocated_minor,
    }


@command("receipt.retry", RetryReceipts)
def retry_receipts(ctx: Context, data: RetryReceipts) -> dict[str, Any]:
    """Look again at receipts that wait, as if the bank had just told them."""
    financier_id = ctx.actor.org_id
    today = business_date(ctx.conn, financier_id)
    query = (
        select(ENTRY.c.id)
        .where(
            ENTRY.c.financier_id == financier_id,
            ENTRY.c.amount_minor > 0,
            ENTRY.c.unallocated_minor > 0,
            ENTRY.c.state.in_(["RECEIVED", "IDENTIFIED"]),
            ENTRY.c.value_on <= today,
        )
        .order_by(ENTRY.c.id)
        .limit(MAX_RETRIES)
    )
    if data.entry_ids:
        query = query.where(ENTRY.c.id.in_(data.entry_ids))
    else:
        query = query.where(ENTRY.c.reason.in_(data.reasons))
    rows = ctx.lock(BankEntry, list(ctx.conn.execute(query).scalars()))
    found: dict[str, list[Recognised]] = {}
    waiting: list[Waiting] = []
    for row in rows.values():
        whole = row.unallocated_minor == row.amount_minor
        lots = lots_of(row.unallocated_minor, row.details)
        if whole:
            found[row.id] = []
            waiting += [Waiting(row, lot, recognise(ctx.conn, financier_id, lot)) for lot in lots]
        else:  # what a rest is for was decided with the first part
            lots = [lot for lot in lots if lot.amount <= row.unallocated_minor][:1]
            found[row.id] = [recognise(ctx.conn, financier_id, lot) for lot in lots]
    weighed = weigh(ctx.conn, financier_id, waiting)
    for one, decided in zip(waiting, recognised_by(ctx.conn, waiting, weighed), strict=True):
        found[one.entry.id].append(decided)
    lock(
        ctx,
        {invoice_id for every in found.values() for one in every for invoice_id in one.invoice_ids},
    )
    after = [share_out(ctx, row, found[row.id], today) for row in rows.values()]
    return {
        "tried": len(after),
        "waiting": sum(1 for row in after if row.unallocated_minor),
    }


# --- Undo, or explain -----------------------------------------------------------------------------


@command("receipt.reverse", OneReceipt)
def reverse_receipt(ctx: Context, data: OneReceipt) -> dict[str, Any]:
    """Take back all that a receipt has paid; the money stands in suspense again.

    Raises
    ------
    RuleViolation
        PAID_OUT, when a part of it has been paid on to a seller or payer.
    Conflict
        NOT_ALLOCATED, when it has paid nothing (or was taken back before).
    """
    entry = _entry(ctx, data.entry_id)
    if entry.unallocated_minor == entry.amount_minor or entry.state == "REVERSED":
        raise Conflict("NOT_ALLOCATED", "This receipt has paid nothing.", state=entry.state)
    lock(ctx, invoices_of(ctx.conn, entry.id))
    today = business_date(ctx.conn, entry.financier_id)
    refuse(take_back(ctx, entry, today))
    after = ctx.conn.execute(select(ENTRY).where(ENTRY.c.id == entry.id)).one()
    return said(after)


@command("debit.identify", IdentifyDebit)
def identify_debit(ctx: Context, data: IdentifyDebit) -> dict[str, Any]:
    """Say which payment of ours an unknown debit was; it settles that payment.

    Raises
    ------
    RuleViolation
        AMOUNT_DIFFERS.
    Conflict
        NOT_SENT, when the payment is not under way; NOT_WAITING, when the debit is explained.
    """
    entry = _entry(ctx, data.entry_id, credit=False)
    if entry.unallocated_minor == 0:
        raise Conflict("NOT_WAITING", "This debit is explained already.", state=entry.state)
    wanted = ctx.visible(PaymentInstruction, data.instruction_id)
    lock(ctx, [], [wanted.advance_id] if wanted.advance_id else [])
    row = ctx.lock(PaymentInstruction, [wanted.id])[wanted.id]
    if row.financier_id != entry.financier_id or row.state not in UNDER_WAY:
        raise Conflict("NOT_SENT", "This payment is not under way.", state=row.state)
    if (row.amount_minor, row.currency) != (-entry.amount_minor, entry.currency):
        raise RuleViolation(
            matching.AMOUNT_DIFFERS,
            "The debit is not the amount that was ordered.",
            ordered_minor=row.amount_minor,
            debited_minor=-entry.amount_minor,
        )
    today = business_date(ctx.conn, entry.financier_id)
    parked = journals.debited(entry.financier_id, row.amount_minor)
    post(
        ctx,
        [
            LedgerEvent(
                entry.id,
                "bank.explained",
                entry.id,
                entry.currency,
                today,
                entry.value_on,
                "Unknown debit explained",
                journals.reversed_journals(parked, ""),
            )
        ],
    )
    outcomes.settled(ctx, [(row, entry.value_on)], today)
    ctx.conn.execute(
        update(ENTRY)
        .where(ENTRY.c.id == entry.id)
        .values(state="POSTED", unallocated_minor=0, reason=None)
    )
    ctx.change("bank_entry", entry.id, {"state": entry.state}, {"state": "POSTED"})
    return {"entry_id": entry.id, "instruction_id": row.id, "state": "SETTLED"}


@command("receipt.misdirected", ReportMisdirected)
def report_misdirected(ctx: Context, data: ReportMisdirected) -> dict[str, Any]:
    """Note that the obligor paid the seller after the assignment: the item stays due.

    The seller holds the money for the financier; a receipt from the seller that names the invoice
    then pays it.

    Raises
    ------
    RuleViolation
        AMOUNT_LEFT, when less is owed on the advance.
    """
    ctx.visible(Advance, data.advance_id)
    row = lock(ctx, [], [data.advance_id])[data.advance_id]
    today = business_date(ctx.conn, row.financier_id)
    position = Position(ctx.conn, row.invoice_id, row.financier_id, today)
    open_minor = open_face(row) if row.id in position.advances else 0
    open_minor -= handed_over(ctx.conn, position)
    if data.amount_minor > open_minor:
        raise RuleViolation(
            "AMOUNT_LEFT", "Less than that is owed on this advance.", open_minor=open_minor
        )
    books = journals.books_of(row, undertaken=position.invoice.ipu, silent=position.silent)
    post(
        ctx,
        [
            LedgerEvent(
                ctx.command_id,
                "misdirected",
                row.id,
                row.currency,
                today,
                data.value_on,
                f"Paid to the seller, invoice {position.invoice.number}",
                journals.misdirected(books, data.amount_minor),
            )
        ],
    )
    ctx.change("advance", row.id, None, {"misdirected_minor": data.amount_minor})
    ctx.emit("receipt.misdirected", {"advance_id": row.id, "amount_minor": data.amount_minor})
    return {"advance_id": row.id, "held_minor": handed_over(ctx.conn, position)}
