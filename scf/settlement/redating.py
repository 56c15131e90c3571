"""A pay-out that the bank refused goes again on a later day, at the price of that day.

A price is for its day, so what was refused is never just paid later: the rate stands over the days
that are left. These are fewer, so the seller pays less than it signed for and is paid more; where
it would be paid less, nothing is sent and a new quote is needed. Title, hold and claim stay as
they are. Source: finance.md section 3 (FAILED → RE-SENT); decision 0066.
"""

import datetime as dt
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Id
from scf.financing import advances
from scf.financing.models import Advance
from scf.financing.moved import first_day
from scf.kernel.errors import Conflict, RuleViolation
from scf.kernel.ids import new_id
from scf.kernel.rates import percent_to_fraction
from scf.ledger.service import LedgerEvent, post
from scf.offers.pricing import PricedLine, line_at
from scf.parties.service import business_date
from scf.programmes import limits
from scf.programmes.service import terms_of_version
from scf.settlement import instructions, journals, outcomes

_MONEY = ("discount_minor", "fee_minor", "tax_minor", "reserve_minor", "net_minor")


class RedatePayout(BaseModel):
    """A refused advance whose day has passed, and what shows that it can be paid now."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)
    advance_id: Id
    note: str = Field(min_length=3, max_length=4000)


def wants_another_day(row: Advance | Row[Any], today: dt.date) -> bool:
    """Tell whether an advance was refused before it was ever paid, and its day has passed."""
    return row.state == "FAILED" and row.funded_on is None and row.value_on < today


def priced_again(conn: Connection, row: Advance | Row[Any], now: dt.datetime) -> PricedLine:
    """Give the money of a refused advance for the next day on which it can be paid.

    Raises
    ------
    RuleViolation
        TENOR, where too few days are left; PRICE_HIGHER, where the seller would be paid less.
    """
    terms = terms_of_version(conn, row.programme_version_id)
    value_on = first_day(conn, row, terms, now)
    if (row.due_on - value_on).days < max(terms.tenor_min_days, 1):
        raise RuleViolation(
            "TENOR", "Too few days are left until it is due; unwind it.", advance_id=row.id
        )
    line = line_at(
        terms,
        terms.currency[row.currency],
        face=row.face_minor,
        start=value_on,
        settle_on=row.due_on,
        rate=percent_to_fraction(row.rate_percent),
        margin_ppm=0,
    )
    if line.net_minor < row.net_minor:
        raise RuleViolation(
            "PRICE_HIGHER",
            "On that day the seller would be paid less than it signed for; it needs a new quote.",
            advance_id=row.id,
        )
    return line


@command("payout.redate", RedatePayout)
def redate(ctx: Context, data: RedatePayout) -> dict[str, Any]:
    """Let a refused pay-out stand for the next day on which it can be paid; prepare it then.

    Raises
    ------
    Conflict
        NOT_READY for what the bank has not refused, or whose day has not passed; PAYMENT_PREPARED
        while a file is about to pay it.
    RuleViolation
        TENOR, PRICE_HIGHER; LIMIT_FINANCIER where the funding limit has no room for the more that
        is paid out.
    """
    ctx.visible(Advance, data.advance_id)
    row = advances.lock(ctx, [data.advance_id])[data.advance_id]
    today = business_date(ctx.conn, row.financier_id)
    if not wants_another_day(row, today):
        raise Conflict(
            "NOT_READY",
            "Only what the bank refused on an earlier day is given another; this is %(state)s.",
            state=row.state,
        )
    if instructions.being_paid(ctx.conn, [row.id]):
        raise Conflict("PAYMENT_PREPARED", "A payment file is about to pay this; cancel it first.")
    line = priced_again(ctx.conn, row, ctx.now)
    money = {name: getattr(line, name) for name in _MONEY}
    columns = {
        **money,
        "reserve_left_minor": line.reserve_minor,
        "value_on": line.start,
        "days": line.days,
    }
    facts = {**money, "value_on": line.start.isoformat(), "note": data.note}
    (after,) = advances.transition_many(ctx, [row], "redate", today, facts, columns)
    limits.lessen(ctx, row.id, row.face_minor, line.net_minor)
    books = outcomes.books_of_many(ctx.conn, [after])[row.id]
    made = journals.payout_redated(books, journals.amounts_of(row), journals.amounts_of(after))
    words = f"Pay-out moved from {row.value_on.isoformat()}"
    event = LedgerEvent(
        new_id(), "payout.redated", row.id, row.currency, today, line.start, words, made
    )
    post(ctx, [event])
    return {
        "advance_id": row.id,
        "state": after.state,
        "value_on": line.start.isoformat(),
        "net_minor": line.net_minor,
        "discount_minor": line.discount_minor,
        "currency": row.currency,
    }
