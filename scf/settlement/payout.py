"""Pay-outs: prepared by one person, released by another, sent again only as the same bytes.

Preparing writes the payment files and instructs nothing. Releasing makes the advances INSTRUCTED,
books them in transit and hands the file over. Nothing here funds an advance: only a booked entry
of the bank does.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Id, OptDay, Text
from scf.db.visibility import fetch_visible
from scf.documents.models import Invoice
from scf.financing import advances, guards
from scf.financing.models import Advance
from scf.kernel.actor import Actor
from scf.kernel.errors import Conflict, NotAllowed, RuleViolation, ScfError
from scf.ledger.service import LedgerEvent, post
from scf.parties.service import business_date, same_person, verified_account
from scf.settlement import instructions, journals, outcomes
from scf.settlement.instructions import FILE_TABLE, Payment
from scf.settlement.lifecycle import FILE
from scf.settlement.models import Allocation, PaymentFile, PaymentInstruction
from scf.settlement.owed import MOST_PAYMENTS, payments_owed
from scf.settlement.own_accounts import sending
from scf.settlement.own_accounts.reading import setup_of

READY: Final = "RECHECKED"
AGAIN: Final = ("FAILED", "RETURNED")

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class PreparePayout(_Input):
    """What to prepare: everything that is ready, or the advances named; due on one day or any.

    An advance whose pay-out failed or came back goes again only when it is named.
    """

    value_on: OptDay = None
    advance_ids: list[Id] = Field(default_factory=list, max_length=MOST_PAYMENTS)
    owed: bool = True  # also refunds, rebates and what was collected for sellers
    # What the bank takes, and whether it may debit a block as one sum; else as its account says.
    version: Literal["pain.001.001.09", "pain.001.001.03"] | None = None
    batch_booking: bool | None = None


class OfFile(_Input):
    """One payment file."""

    file_id: Id


class CancelPayout(OfFile):
    """A prepared file that is not to be released, and why."""

    note: Text = Field(min_length=1, max_length=4000)


class UnwindPayout(_Input):
    """An advance whose pay-out failed or came back and will not be sent again."""

    advance_id: Id
    note: Text = Field(min_length=1, max_length=4000)


# --- Prepare --------------------------------------------------------------------------------------


@command("payout.prepare", PreparePayout)
def prepare(ctx: Context, data: PreparePayout) -> dict[str, Any]:
    """Write payment files for all that is decided and checked; one per currency and day.

    What cannot be paid is left out and named with its reason: VALUE_DATE_MOVED (the price was for
    an earlier day: a new quote is needed), ACCOUNT_UNVERIFIED, PAYEE_CHANGED, NOT_READY,
    CUTOFF_PASSED where the bank takes nothing more for the day, NOT_SEPA where it takes only that.
    """
    financier_id = ctx.actor.org_id
    today = business_date(ctx.conn, financier_id)
    due: dict[tuple[str, dt.date], list[tuple[Payment, Row[Any]]]] = defaultdict(list)
    skipped: list[dict[str, str]] = []
    for payment, hurdle, decided in _candidates(ctx, data, financier_id, today):
        account = verified_account(
            ctx.conn, payment.payee_id, payment.currency, today, financier_id=financier_id
        )
        code = hurdle or _wrong_account(account, decided)
        if account is None or code:
            skipped.append({"kind": payment.kind, "id": payment.subject_id, "code": code})
        else:
            due[payment.currency, payment.value_on].append((payment, account))
    files = [_file(ctx, financier_id, due[key], today, data, skipped) for key in sorted(due)]
    return {"files": [summary(file) for file in files if file is not None], "skipped": skipped}


def _wrong_account(account: Row[Any] | None, decided: str | None) -> str:
    """Name what is wrong with a payee's account: none that is verified, or not the decided one."""
    if account is None:
        return "ACCOUNT_UNVERIFIED"
    return "PAYEE_CHANGED" if decided not in {None, account.id} else ""


def _candidates(
    ctx: Context, data: PreparePayout, financier_id: str, today: dt.date
) -> list[tuple[Payment, str, str | None]]:
    """Give what might be paid, the reason why not, and the account that was decided on."""
    query = (
        select(_advance, _invoice.c.number.label("invoice_number"))
        .join(_invoice, _invoice.c.id == _advance.c.invoice_id)
        .where(_advance.c.financier_id == financier_id)
        .order_by(_advance.c.id)
        .limit(MOST_PAYMENTS)
    )
    if data.advance_ids:
        query = query.where(_advance.c.id.in_(data.advance_ids))
    else:
        query = query.where(_advance.c.state == READY)
    rows = list(ctx.conn.execute(query))
    # Whoever else prepares the same at this moment has to wait, and then sees our instructions.
    ctx.lock(Advance, [row.id for row in rows])
    found: list[tuple[Payment, str, str | None]] = []
    paid = instructions.being_paid(ctx.conn, (row.id for row in rows))
    going = [row for row in rows if row.state in {READY, *AGAIN}]
    stopped = barred(ctx.conn, going, today, ctx.now)
    for row in rows:
        # What the seller has had once keeps its amounts, and goes when it can.
        had = row.state in AGAIN and row.funded_on is not None
        value_on = max(row.value_on, today) if had else row.value_on
        if data.value_on is not None and value_on != data.value_on:
            continue
        if row.id in paid and not data.advance_ids:
            continue  # stands in a file already
        payment = Payment(
            "advance",
            row.id,
            row.id,
            row.seller_id,
            row.net_minor,
            row.currency,
            value_on,
            "Early payment",
            row.invoice_number,
        )
        reason = stopped.get(row.id) or _hurdle(row, value_on, today, paid)
        found.append((payment, reason, row.payee_account_id))
    if data.owed:
        found += [
            (one, "", None) for one in payments_owed(ctx.conn, financier_id, today, data.value_on)
        ]
    return found


def barred(
    conn: Connection, rows: Sequence[Row[Any]], today: dt.date, now: dt.datetime | None = None
) -> dict[str, str]:
    """Give the advances that must not be instructed now, each with the code of the reason.

    Without an instant, for a look, a tax authority's word may be of any age.
    """
    try:
        _may_go(conn, rows, today, now)
    except ScfError as refusal:
        if len(rows) == 1:
            return {rows[0].id: refusal.code}
    else:
        return {}
    # One of many is in the way: ask each alone, so that only that one stays behind.
    found: dict[str, str] = {}
    for row in rows:
        found |= barred(conn, [row], today, now)
    return found


def _may_go(
    conn: Connection, rows: Sequence[Row[Any]], today: dt.date, now: dt.datetime | None
) -> None:
    """Stop what must not be sent; of what goes again, only what its tax authority says is new."""
    guards.may_instruct(conn, [row for row in rows if row.state == READY], today, now)
    guards.tax_valid(conn, [row for row in rows if row.state in AGAIN], now)


def _hurdle(row: Row[Any], value_on: dt.date, today: dt.date, paid: set[str]) -> str:
    if row.id in paid:
        return "PAYMENT_PREPARED"
    if row.state not in {READY, *AGAIN}:
        return "NOT_READY"
    if value_on < today:
        return "VALUE_DATE_MOVED"
    return "" if row.net_minor > 0 else "AMOUNT_RANGE"


def _file(
    ctx: Context,
    financier_id: str,
    due: Sequence[tuple[Payment, Row[Any]]],
    today: dt.date,
    data: PreparePayout,
    skipped: list[dict[str, str]],
) -> Row[Any] | None:
    own = verified_account(
        ctx.conn, financier_id, due[0][0].currency, today, financier_id=financier_id
    )
    if own is None:
        raise RuleViolation(
            "ACCOUNT_UNVERIFIED",
            "The financier has no verified account of its own to pay from.",
            currency=due[0][0].currency,
        )
    setup = setup_of(ctx.conn, own.id)
    codes = sending.unfit(ctx, setup, own, due, today)
    skipped += [
        {"kind": payment.kind, "id": payment.subject_id, "code": code}
        for (payment, _), code in zip(due, codes, strict=True)
        if code
    ]
    due = [pair for pair, code in zip(due, codes, strict=True) if not code]
    ours = _claimed(ctx, [one.subject_id for one, _ in due if one.kind != "advance"])
    due = [pair for pair in due if pair[0].kind == "advance" or pair[0].subject_id in ours]
    form = sending.form_of(setup, data.version, data.batch_booking)
    return instructions.prepared(ctx, due, own, form) if due else None


def _claimed(ctx: Context, allocation_ids: Sequence[str]) -> set[str]:
    """Claim money that is somebody else's for this payment; gives what nobody claimed before.

    From now on it is spoken for: no later receipt moves it, and no other file pays it.
    """
    if not allocation_ids:
        return set()
    rows = ctx.conn.execute(
        update(_allocation)
        .where(
            _allocation.c.id.in_(allocation_ids),
            _allocation.c.paid_out_minor.is_(None),
            _allocation.c.reversed_by.is_(None),
        )
        .values(paid_out_minor=_allocation.c.amount_minor)
        .returning(_allocation.c.id)
    )
    return set(rows.scalars())


def summary(file: Row[Any]) -> dict[str, Any]:
    """Give what people and programs need to know of a payment file."""
    return {
        "file_id": file.id,
        "message_id": file.msg_id,
        "state": file.state,
        "execution_on": file.execution_on.isoformat(),
        "currency": file.currency,
        "count": file.count,
        "total_minor": file.total_minor,
        "sha256": file.sha256,
    }


def content_of(conn: Connection, file_id: str, actor: Actor) -> bytes:
    """Give the bytes of a payment file as they go to the bank; the same at every call.

    Raises
    ------
    NotFound
        When there is no such file, or it is another financier's.
    Conflict
        NOT_RELEASED, before a second person has released it.
    """
    file = fetch_visible(conn, PaymentFile, file_id, actor)
    if file.state != "SENT":
        raise Conflict(
            "NOT_RELEASED", "A second person has to release this file first.", state=file.state
        )
    return bytes(file.content)


# --- Release --------------------------------------------------------------------------------------


@command("payout.release", OfFile)
def release(ctx: Context, data: OfFile) -> dict[str, Any]:
    """Hand a prepared file to the bank: its advances are INSTRUCTED and booked in transit.

    Released again it gives the same bytes and changes nothing.

    Raises
    ------
    NotAllowed
        FOUR_EYES, for the person who prepared it.
    Conflict
        VALUE_DATE_MOVED, NOT_READY, PAYEE_CHANGED: what it says is no longer so; cancel it.
    RuleViolation
        What ``guards.may_instruct`` refuses at the last moment.
    """
    file = _locked(ctx, data.file_id)
    if file.state == "SENT":
        return {**summary(file), "again": True}
    FILE.after(file.state, "approve")
    if same_person(ctx.conn, ctx.actor.user_id, [file.prepared_by]):
        raise NotAllowed("FOUR_EYES", "Who prepared a payment file cannot release it.")
    today = business_date(ctx.conn, file.financier_id)
    if file.execution_on < today:
        raise Conflict(
            "VALUE_DATE_MOVED",
            "The day of this file has passed; cancel it. Its advances need a new quote.",
            execution_on=file.execution_on.isoformat(),
            business_date=today.isoformat(),
        )
    sending.before_the_cut_off(ctx, file, today)
    rows = instructions.of_file(ctx.conn, file.id)
    by_id = advances.lock(ctx, (row.advance_id for row in rows if row.advance_id))
    ctx.lock(PaymentInstruction, (row.id for row in rows))
    _still_right(ctx, file.financier_id, rows, by_id, today)
    instructions.move(ctx, rows, "approve")
    instructions.move(ctx, instructions.of_file(ctx.conn, file.id), "send")
    _instruct(ctx, list(by_id.values()), today)
    _book(ctx, rows, by_id, today)
    ctx.conn.execute(
        update(FILE_TABLE)
        .where(FILE_TABLE.c.id == file.id)
        .values(
            state=FILE.after("APPROVED", "send"),
            released_by=ctx.actor.user_id,
            released_at=ctx.now,
        )
    )
    ctx.change("payment_file", file.id, {"state": file.state}, {"state": "SENT"})
    ctx.emit("payout.released", {"file_id": file.id, "sha256": file.sha256})
    return {**summary(file), "state": "SENT", "again": False}


def _locked(ctx: Context, file_id: str) -> Row[Any]:
    ctx.visible(PaymentFile, file_id)
    return ctx.lock(PaymentFile, [file_id])[file_id]


def _still_right(
    ctx: Context,
    financier_id: str,
    rows: Sequence[Row[Any]],
    by_id: dict[str, Row[Any]],
    today: dt.date,
) -> None:
    """Check at the last moment what was true when the file was prepared."""
    _may_go(ctx.conn, list(by_id.values()), today, ctx.now)
    guards.registered(ctx.conn, financier_id, list(by_id.values()), ctx.now)
    accounts: dict[tuple[str, str], Row[Any] | None] = {}
    for row in rows:
        advance = by_id.get(row.advance_id)
        if advance is not None and advance.state not in {READY, *AGAIN}:
            raise Conflict(
                "NOT_READY",
                "An advance of this file has moved on; cancel the file.",
                advance_id=advance.id,
                state=advance.state,
            )
        key = (row.payee_id, row.currency)
        if key not in accounts:
            accounts[key] = verified_account(ctx.conn, *key, today, financier_id=financier_id)
        account = accounts[key]
        if account is None or account.id != row.account_id:
            raise Conflict(
                "PAYEE_CHANGED",
                "A payee's account has changed since the file was prepared; cancel the file.",
                instruction_id=row.id,
                payee_id=row.payee_id,
            )


def _instruct(ctx: Context, rows: Iterable[Row[Any]], today: dt.date) -> None:
    ready = [row.id for row in rows if row.state == READY]
    if ready:
        advances.instructed(ctx, ready, today)
    for row in rows:
        if row.state in AGAIN:
            advances.resend(ctx, row.id, today)


def _book(
    ctx: Context, rows: Sequence[Row[Any]], by_id: dict[str, Row[Any]], today: dt.date
) -> None:
    """Book what is on its way. What goes again stands in transit already."""
    subjects = outcomes.subjects_of(ctx.conn, rows)
    in_books = outcomes.books_of_many(ctx.conn, by_id.values())
    events = []
    for row in rows:
        advance = by_id.get(row.advance_id)
        if advance is None:
            made = journals.owed_instructed(
                row.financier_id, row.payee_id, row.kind, row.amount_minor
            )
        elif advance.state == READY:
            made = journals.payout_instructed(
                in_books[advance.id],
                **journals.amounts_of(advance),
            )
        else:
            continue
        events.append(
            LedgerEvent(
                row.id,
                "payout.instructed",
                subjects[row.id],
                row.currency,
                today,
                row.value_on,
                f"Payment {row.end_to_end_id} instructed",
                made,
            )
        )
    post(ctx, events)


# --- Again, not at all ----------------------------------------------------------------------------


@command("payout.resend", OfFile)
def resend(ctx: Context, data: OfFile) -> dict[str, Any]:
    """Note that a released file goes to the bank once more: the same bytes, so nothing is doubled.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION, before the file was released.
    """
    file = _locked(ctx, data.file_id)
    FILE.after(file.state, "send")
    ctx.change("payment_file", file.id, {"state": file.state}, {"state": file.state, "sent": True})
    ctx.emit("payout.resent", {"file_id": file.id, "sha256": file.sha256})
    return {**summary(file), "again": True}


@command("payout.cancel", CancelPayout)
def cancel(ctx: Context, data: CancelPayout) -> dict[str, Any]:
    """Drop a prepared file; what it would have paid can be prepared again.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION, once the file has been released.
    """
    file = _locked(ctx, data.file_id)
    state = FILE.after(file.state, "cancel")
    rows = instructions.of_file(ctx.conn, file.id)
    instructions.move(ctx, rows, "cancel")
    outcomes.owe_again(ctx, [row for row in rows if row.kind != "advance"])
    ctx.conn.execute(update(FILE_TABLE).where(FILE_TABLE.c.id == file.id).values(state=state))
    ctx.change("payment_file", file.id, {"state": file.state}, {"state": state})
    return {**summary(file), "state": state}


@command("payout.unwind", UnwindPayout)
def unwind(ctx: Context, data: UnwindPayout) -> dict[str, Any]:
    """Undo an advance whose pay-out failed or came back: title, hold, claim and limits are free.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION, while the money may still be out; PAYMENT_PREPARED, while it stands in
        a file that is about to go.
    """
    ctx.visible(Advance, data.advance_id)
    row = advances.lock(ctx, [data.advance_id])[data.advance_id]
    if instructions.being_paid(ctx.conn, [row.id]):
        raise Conflict("PAYMENT_PREPARED", "A payment file is about to pay this; cancel it first.")
    after = outcomes.undo(ctx, [row], data.note, business_date(ctx.conn, row.financier_id))
    return {"advance_id": row.id, "state": after[0].state}
