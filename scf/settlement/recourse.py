"""Recourse: the seller is asked to pay in the obligor's place, or to buy an item back."""

import dataclasses
import datetime as dt
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Id, Text
from scf.financing import advances
from scf.financing.lifecycle import ADVANCE
from scf.financing.models import Advance
from scf.financing.reserve import OVER_ADVANCE
from scf.kernel.errors import RuleViolation
from scf.parties.service import business_date
from scf.programmes.service import terms_of_version
from scf.programmes.techniques import obligation
from scf.programmes.terms import Terms
from scf.settlement.allocation import settle
from scf.settlement.position import Position, lock
from scf.settlement.reserve import Reserved, seller_owes


class CallRecourse(BaseModel):
    """The advance, why the seller has to pay, and what that rests on.

    ``unpaid`` needs recourse in the terms; the seller answers for a breach of its warranties, for
    dilution and for fraud in every programme.
    """

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    advance_id: Id
    cause: Literal["unpaid", "breach", "dilution", "fraud"] = "unpaid"
    note: Text


@command("recourse.call", CallRecourse)
def call_recourse(ctx: Context, data: CallRecourse) -> dict[str, Any]:
    """The seller owes what is still open on an advance; the title goes back only on its cash.

    Raises
    ------
    RuleViolation
        NO_RECOURSE, where the terms give none for this cause; RECOURSE_EARLY before its day;
        NOTHING_OWED.
    Conflict
        ILLEGAL_TRANSITION for an advance that is not out, or called already.
    """
    ctx.visible(Advance, data.advance_id)
    row = lock(ctx, [], [data.advance_id])[data.advance_id]
    today = business_date(ctx.conn, row.financier_id)
    ADVANCE.after(row.state, "call_recourse")
    position = Position(ctx.conn, row.invoice_id, row.financier_id, today)
    loan = position.loans[row.id]
    terms = terms_of_version(ctx.conn, row.programme_version_id)
    if not isinstance(loan, Reserved):
        raise RuleViolation(
            "NO_RECOURSE",
            "Under this technique the seller is not asked to repurchase.",
            advance_id=row.id,
        )
    if data.cause == "unpaid":
        _in_time(terms, position.invoice, row, today)
    due = seller_owes(loan, position.planned().standings[row.id])
    if due <= 0:
        raise RuleViolation("NOTHING_OWED", "Nothing is open on this advance.", advance_id=row.id)
    facts = {"cause": data.cause, "due_minor": due, "note": data.note}
    advances.transition_many(ctx, [row], "call_recourse", today, facts, {"called_on": today})
    ctx.conn.execute(
        update(OVER_ADVANCE)
        .where(OVER_ADVANCE.c.advance_id == row.id, OVER_ADVANCE.c.state == "OPEN")
        .values(cure="recourse")
    )
    settle(ctx, position, today, changed={row.id: dataclasses.replace(loan, called=True)})
    ctx.emit(
        "recourse.called",
        {"advance_id": row.id, "cause": data.cause, "due_minor": due},
        org_id=row.seller_id,
    )
    return {
        "advance_id": row.id,
        "state": "RECOURSE_CALLED",
        "cause": data.cause,
        "on": today.isoformat(),
        "due_minor": due,
        "currency": row.currency,
    }


def debt(conn: Connection, row: Advance | Row[Any]) -> int:
    """Give what the seller would have to pay now, or has been asked for, on an advance."""
    today = business_date(conn, row.financier_id)
    position = Position(conn, row.invoice_id, row.financier_id, today)
    loan = position.loans.get(row.id)
    if not isinstance(loan, Reserved):
        return 0
    return max(0, seller_owes(loan, position.planned().standings[row.id]))


def _in_time(terms: Terms, invoice: Row[Any], row: Row[Any], today: dt.date) -> None:
    """Stop a call that the terms do not give, or not yet: days count from the due date."""
    owed = obligation(terms, invoice)
    if owed.recourse == "none":
        raise RuleViolation(
            "NO_RECOURSE",
            "Without recourse the seller answers only for a breach, for dilution or for fraud.",
            advance_id=row.id,
        )
    wait = owed.recourse_after_days if owed.recourse == "after_days" else terms.grace_days + 1
    first = row.due_on + dt.timedelta(days=wait)
    if today < first:
        raise RuleViolation(
            "RECOURSE_EARLY",
            "The seller can be asked from %(frees_on)s.",
            advance_id=row.id,
            frees_on=first.isoformat(),
        )
