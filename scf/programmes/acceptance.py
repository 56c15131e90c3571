"""The buyer's commands on invoices: accept, reject, dispute, and end a dispute.

An acceptance under a programme is an irrevocable undertaking to pay. It is booked at once: the
anchor's debt moves from trade payables to payables in the supplier finance arrangement; the
supplier and the financier book nothing, and the reason is stored. Without a programme an
acceptance is an approval between the trading parties and books nothing.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, select

from scf.db.runner import Context, command
from scf.db.types import Id, Minor, OptDay, OptMinor
from scf.db.visibility import not_found
from scf.documents import axes, disputes
from scf.documents.matching import keys_of, settle
from scf.documents.models import Dispute, Invoice
from scf.documents.orderbook import Orders
from scf.kernel.errors import InvalidInput, NotAllowed
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.parties.service import business_date
from scf.programmes.service import programme_for, terms_on

MAX_ITEMS: Final = 1000
_DISPUTE: Final[Table] = Dispute.__table__  # type: ignore[attr-defined]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class AcceptItem(_Input):
    """One invoice; without an amount the whole of it, without a date the invoice's own."""

    invoice_id: Id
    amount_minor: OptMinor = None
    due_on: OptDay = None


class AcceptInvoices(_Input):
    """Invoices that the buyer accepts in one act."""

    items: list[AcceptItem] = Field(min_length=1, max_length=MAX_ITEMS)
    reason: str = Field(default="", max_length=1000)


class RejectInvoices(_Input):
    """Invoices that the buyer rejects in one act, and why."""

    invoice_ids: list[Id] = Field(min_length=1, max_length=MAX_ITEMS)
    reason: str = Field(min_length=3, max_length=1000)


class DisputeInvoice(_Input):
    """The part of an invoice that the buyer contests, and why."""

    invoice_id: Id
    amount_minor: Minor
    reason: str = Field(min_length=3, max_length=1000)


class ResolveDispute(_Input):
    """How a dispute ends; of a split, ``buyer_minor`` is what the buyer wins."""

    dispute_id: Id
    outcome: Literal["seller", "buyer", "split"]
    buyer_minor: Minor = 0


class _Undertaking(NamedTuple):
    """Under which programme an acceptance is given, on which day of its books."""

    programme: Row[Any]
    on: dt.date
    irrevocable: bool
    asks_tax: bool


# --- Accept and reject ------------------------------------------------------------------------


@command("invoice.accept", AcceptInvoices)
def accept_invoices(ctx: Context, data: AcceptInvoices) -> dict[str, Any]:
    """The buyer accepts invoices; under a programme it undertakes, for good, to pay them.

    Raises
    ------
    InvalidInput
        REPEATED for an invoice named twice; what ``documents.axes.accept_many`` refuses.
    NotFound
        For an invoice that is not there or of other parties.
    """
    ids = [item.invoice_id for item in data.items]
    rows = _own_as_buyer(ctx, ids)
    undertakings = {
        currency: _undertaking(ctx, currency)
        for currency in sorted({row.currency for row in rows.values()})
    }
    words = []
    for item in data.items:
        row = rows[item.invoice_id]
        under = undertakings[row.currency]
        amount = row.payable_minor if item.amount_minor is None else item.amount_minor
        ipu = under is not None and under.irrevocable
        words.append(axes.Word(row.id, amount, item.due_on, ipu))
    axes.accept_many(ctx, words, reason=data.reason)
    post(ctx, list(_booked(rows, words, undertakings)))
    _tell_sellers(ctx, "invoice.accepted", rows.values())
    _have_asked(ctx, rows.values(), undertakings)
    return {
        "accepted": [
            {
                "invoice_id": word.invoice_id,
                "amount_minor": word.amount_minor,
                "currency": rows[word.invoice_id].currency,
                "irrevocable": word.ipu or rows[word.invoice_id].ipu,
            }
            for word in words
        ]
    }


@command("invoice.reject", RejectInvoices)
def reject_invoices(ctx: Context, data: RejectInvoices) -> dict[str, Any]:
    """The buyer rejects invoices: none can be financed on its acceptance, none takes of an order.

    Raises
    ------
    RuleViolation
        UNDERTAKING after an irrevocable acceptance; ALREADY_FINANCED while money hangs on it.
    """
    keys = keys_of(ctx.conn, data.invoice_ids)
    Orders.load(ctx, keys)  # before any invoice is locked
    rows = _own_as_buyer(ctx, data.invoice_ids)
    axes.reject_many(ctx, data.invoice_ids, reason=data.reason)
    settle(ctx, keys)
    _tell_sellers(ctx, "invoice.rejected", rows.values())
    return {"rejected": list(data.invoice_ids)}


def _own_as_buyer(ctx: Context, invoice_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Lock invoices of which the actor's organisation is the buyer."""
    if len(set(invoice_ids)) != len(invoice_ids):
        raise InvalidInput("REPEATED", "An invoice is named twice.")
    rows = ctx.lock(Invoice, invoice_ids)
    for invoice_id in invoice_ids:
        _buyer_only(ctx, rows[invoice_id])
    return rows


def _tell_sellers(ctx: Context, topic: str, rows: Iterable[Row[Any]]) -> None:
    """Note what the buyer said, once for each seller."""
    of_seller: dict[str, list[str]] = {}
    for row in rows:
        if row.seller_id is not None:
            of_seller.setdefault(row.seller_id, []).append(row.id)
    for seller_id, ids in sorted(of_seller.items()):
        ctx.emit(topic, {"invoice_ids": sorted(ids)}, org_id=seller_id)


def _buyer_only(ctx: Context, row: Row[Any]) -> None:
    if row.buyer_id == ctx.actor.org_id and row.document_state != "RECEIVED":
        return
    if row.seller_id == ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the buyer of the invoice does this.")
    raise not_found("invoice", row.id)


def _undertaking(ctx: Context, currency: str) -> _Undertaking | None:
    programme = programme_for(ctx.conn, ctx.actor.org_id, currency)
    if programme is None:
        return None
    on = business_date(ctx.conn, programme.financier_id)
    _version, terms = terms_on(ctx.conn, programme.id, on)
    irrevocable = terms.ipu == "from_acceptance"
    return _Undertaking(programme, on, irrevocable, terms.tax_check != "none")


def _have_asked(
    ctx: Context, rows: Iterable[Row[Any]], undertakings: dict[str, _Undertaking | None]
) -> None:
    """Let the tax authority be asked at once, so that the seller finds its word when it looks."""
    ids = [
        row.id
        for row in rows
        if (under := undertakings[row.currency]) is not None and under.asks_tax
    ]
    if ids:
        ctx.enqueue("tax.ask", {"invoice_ids": ids}, f"tax:{ctx.command_id}")


def _booked(
    rows: dict[str, Row[Any]],
    words: Iterable[axes.Word],
    undertakings: dict[str, _Undertaking | None],
) -> Iterable[LedgerEvent]:
    """Give postings 4.1, "irrevocable acceptance"; a later acceptance books what it adds."""
    for word in words:
        row = rows[word.invoice_id]
        under = undertakings[row.currency]
        booked_before = row.accepted_minor or 0 if row.ipu else 0
        added = word.amount_minor - booked_before
        if under is None or not word.ipu or added == 0:
            continue
        yield LedgerEvent(
            event_id=f"{row.id}:{row.acceptance_version + 1}",
            event_kind="invoice_accepted",
            subject_id=row.id,
            currency=row.currency,
            booked_on=under.on,
            value_on=under.on,
            narrative=f"Irrevocable acceptance of invoice {row.number}",
            journals=(
                Journal(
                    row.buyer_id,
                    (
                        debit("trade_payables", added),
                        credit("payables_in_supplier_finance_arrangement", added),
                    ),
                ),
                Journal(row.seller_id, reason="the receivable is unchanged until it is sold"),
                Journal(
                    under.programme.financier_id,
                    reason="nothing is bought yet; a commitment is registered off the ledger",
                ),
            ),
        )


# --- Disputes ---------------------------------------------------------------------------------


@command("invoice.dispute", DisputeInvoice)
def dispute_invoice(ctx: Context, data: DisputeInvoice) -> dict[str, Any]:
    """The buyer contests a part of an invoice; after an undertaking this stops no finance.

    Raises
    ------
    RuleViolation
        ALREADY_FINANCED when, without an undertaking, the part is held or financed.
    """
    row = _own_as_buyer(ctx, [data.invoice_id])[data.invoice_id]
    made = disputes.open_dispute(ctx, row, amount_minor=data.amount_minor, reason=data.reason)
    ctx.emit(
        "invoice.disputed",
        {"invoice_id": row.id, "dispute_id": made["id"], "amount_minor": data.amount_minor},
        org_id=row.seller_id,
    )
    return {
        "id": made["id"],
        "invoice_id": row.id,
        "amount_minor": data.amount_minor,
        "state": made["state"],
        "commercial": made["commercial"],
    }


@command("dispute.resolve", ResolveDispute)
def resolve_dispute(ctx: Context, data: ResolveDispute) -> dict[str, Any]:
    """A side gives way: the buyer ends it for the seller or in part, the seller for the buyer.

    Raises
    ------
    NotAllowed
        GIVE_WAY for the side that would decide in its own favour.
    """
    head = ctx.conn.execute(select(_DISPUTE).where(_DISPUTE.c.id == data.dispute_id)).one_or_none()
    if head is None:
        raise not_found("dispute", data.dispute_id)
    row = ctx.lock(Invoice, [head.invoice_id])[head.invoice_id]
    if ctx.actor.org_id not in {row.seller_id, row.buyer_id}:
        raise not_found("dispute", data.dispute_id)
    gives_way = row.seller_id if data.outcome == "buyer" else row.buyer_id
    if ctx.actor.org_id != gives_way:
        raise NotAllowed("GIVE_WAY", "A dispute is ended by the side that gives way.")
    return disputes.resolve_dispute(
        ctx, head.id, outcome=data.outcome, buyer_minor=data.buyer_minor
    )
