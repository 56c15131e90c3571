"""Disputes: the part of an invoice that the buyer contests.

Before an undertaking a dispute takes its amount out of what can be financed. After one it is a
matter between buyer and seller: the buyer still pays the financier, so it lowers nothing.
Source: finance.md section 3, "Dispute"; F6.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, insert, select, update

from scf.db.runner import Context
from scf.db.visibility import not_found
from scf.documents.invoice_state import State, fits, must_be_valid, states, write
from scf.documents.lifecycle import DISPUTE
from scf.documents.models import Dispute
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id

_dispute: Final[Table] = Dispute.__table__  # type: ignore[attr-defined]
_OUTCOMES: Final = {"seller": "resolve_for_seller", "buyer": "resolve_for_buyer", "split": "split"}


def open_dispute(
    ctx: Context, invoice_row: Row[Any], *, amount_minor: int, reason: str
) -> dict[str, Any]:
    """Contest a part of an invoice; gives the dispute.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE for an amount below one or above the invoice.
    RuleViolation
        ALREADY_FINANCED when, without an undertaking, the part is held or financed.
    """
    before = states(ctx, [invoice_row.id])
    state = dataclasses.replace(before[invoice_row.id])
    must_be_valid(state)
    if type(amount_minor) is not int or not 0 < amount_minor <= state.payable_minor:
        raise InvalidInput(
            "AMOUNT_RANGE",
            "Contest more than nothing and no more than the invoice.",
            invoice_id=state.id,
            payable_minor=state.payable_minor,
        )
    if not state.ipu:
        fits(state, amount_minor)
        state.disputed_minor += amount_minor
    state.dispute_state = DISPUTE.after(state.dispute_state, "open")
    dispute_id = new_id()
    row = {
        "id": dispute_id,
        "invoice_id": state.id,
        "amount_minor": amount_minor,
        "withheld_minor": 0 if state.ipu else amount_minor,
        "reason": reason,
        "state": "OPEN",
        "commercial": state.ipu,
        "opened_by": ctx.actor.user_id,
        "opened_at": ctx.now,
        "resolved_at": None,
    }
    ctx.conn.execute(insert(_dispute), row)
    write(ctx, before, [state])
    ctx.change("dispute", dispute_id, None, {"amount_minor": amount_minor, "commercial": state.ipu})
    return row


def resolve_dispute(
    ctx: Context, dispute_id: str, *, outcome: str, buyer_minor: int = 0
) -> dict[str, Any]:
    """End a dispute for the ``seller``, for the ``buyer``, or ``split``.

    What the seller wins can be financed again. What the buyer wins stays out until the seller's
    credit note takes its place, so that the invoice and its credits always add up.

    Raises
    ------
    Conflict
        DISPUTE_STATE when it has ended before.
    InvalidInput
        OUTCOME, or AMOUNT_RANGE for a split that gives one side everything.
    """
    head = ctx.conn.execute(select(_dispute).where(_dispute.c.id == dispute_id)).one_or_none()
    if head is None:
        raise not_found("dispute", dispute_id)
    before = states(ctx, [head.invoice_id])
    state = dataclasses.replace(before[head.invoice_id])
    # Read again under the invoice's lock: the dispute may have ended while we waited for it.
    head = ctx.conn.execute(select(_dispute).where(_dispute.c.id == dispute_id)).one()
    if head.state != "OPEN":
        raise Conflict(
            "DISPUTE_STATE", "The dispute is %(state)s.", dispute_id=dispute_id, state=head.state
        )
    if outcome not in _OUTCOMES:
        raise InvalidInput("OUTCOME", "A dispute ends for seller, buyer or split.")
    if outcome == "split" and not 0 < buyer_minor < head.amount_minor:
        raise InvalidInput(
            "AMOUNT_RANGE",
            "A split gives each side a part.",
            dispute_id=dispute_id,
            amount_minor=head.amount_minor,
        )
    ends = DISPUTE.after("DISPUTED", _OUTCOMES[outcome])
    stays_out = {"seller": 0, "buyer": head.amount_minor, "split": buyer_minor}[outcome]
    withheld = min(head.withheld_minor, stays_out)
    state.disputed_minor -= head.withheld_minor - withheld
    state.conceded_minor += withheld
    if not _others_open(ctx, head):
        state.dispute_state = DISPUTE.after(state.dispute_state, _OUTCOMES[outcome])
    ctx.conn.execute(
        update(_dispute)
        .where(_dispute.c.id == dispute_id)
        .values(state=ends, resolved_at=ctx.now, withheld_minor=withheld)
    )
    write(ctx, before, [state])
    ctx.change("dispute", dispute_id, {"state": "OPEN"}, {"state": ends, "buyer_minor": stays_out})
    return {"id": dispute_id, "state": ends, "buyer_minor": stays_out}


def _others_open(ctx: Context, head: Any) -> bool:  # noqa: ANN401 - a row
    return (
        ctx.conn.execute(
            select(_dispute.c.id)
            .where(
                _dispute.c.invoice_id == head.invoice_id,
                _dispute.c.id != head.id,
                _dispute.c.state == "OPEN",
            )
            .limit(1)
        ).first()
        is not None
    )


def settle_by_credit(ctx: Context, state: State, left: int) -> int:
    """Let a credit note that names the invoice take the place of what is contested there.

    It does so for what the seller has conceded, and for an open dispute over exactly its amount,
    which it ends. Any other open dispute is about something else and goes on beside the credit.
    Gives how much was settled; only the contested amount moves here, the caller adds the credit.
    """
    settled = 0
    rows = _withheld(ctx, state.id)
    for row in rows:
        if row.state == "OPEN" and row.withheld_minor != left:
            continue
        part = min(left - settled, row.withheld_minor)
        if part:
            settled += part
            if row.state != "OPEN":
                state.conceded_minor -= part
            _let_go(ctx, row, part, ends=row.state == "OPEN")
    ended = any(row.state == "OPEN" and row.withheld_minor == settled for row in rows)
    others = sum(row.state == "OPEN" for row in rows) > 1
    if ended and not others and state.dispute_state == "DISPUTED":
        state.dispute_state = DISPUTE.after(state.dispute_state, "resolve_for_buyer")
    state.disputed_minor -= settled
    return settled


def paid_although_contested(ctx: Context, invoice_id: str, amount: int) -> None:
    """Let go of contested money that the obligor has paid; the disputes themselves go on."""
    left = amount
    for row in _withheld(ctx, invoice_id):
        part = min(left, row.withheld_minor)
        left -= part
        if part:
            _let_go(ctx, row, part, ends=False)


def _withheld(ctx: Context, invoice_id: str) -> Sequence[Row[Any]]:
    """Read the disputes that keep something out, the conceded ones first, then by age."""
    rows = ctx.conn.execute(
        select(_dispute)
        .where(_dispute.c.invoice_id == invoice_id, _dispute.c.withheld_minor > 0)
        .order_by(_dispute.c.opened_at, _dispute.c.id)
    ).all()
    return sorted(rows, key=lambda row: row.state == "OPEN")


def _let_go(ctx: Context, row: Row[Any], part: int, *, ends: bool) -> None:
    values: dict[str, Any] = {"withheld_minor": row.withheld_minor - part}
    if ends:
        values |= {"state": "RESOLVED_FOR_BUYER", "resolved_at": ctx.now}
    ctx.conn.execute(update(_dispute).where(_dispute.c.id == row.id).values(**values))
    ctx.change(
        "dispute",
        row.id,
        {"state": row.state, "withheld_minor": row.withheld_minor},
        {"state": values.get("state", row.state), "withheld_minor": values["withheld_minor"]},
    )
