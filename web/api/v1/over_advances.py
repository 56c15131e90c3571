"""Over-advances: where an invoice fell under what is financed on it; and the seller's recourse."""

import datetime as dt
from typing import Literal

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import col

from scf.financing.models import OverAdvance
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import one

resource = Blueprint("over_advances", __name__)


class ShownOverAdvance(Answer):
    """A fall of an invoice under its finance: what the reserve cured, what the seller still owes.

    ``cure`` names what has to cure the rest: repurchase by the seller, or recourse once it is
    called; none when nothing is open.
    """

    id: str
    advance_id: str
    invoice_id: str
    seller_id: str
    financier_id: str
    amount: Amount
    cause: str
    cause_id: str
    from_reserve: Amount
    repurchase: Amount
    open: Amount
    cure: str
    state: str
    on_date: dt.date
    closed_on: dt.date | None


class OverAdvancePage(Answer):
    """Some of the over-advances."""

    items: list[ShownOverAdvance]
    next_cursor: str


class OverAdvancesQuery(PageQuery):
    """Which over-advances."""

    advance_id: str = Field(default="", max_length=64)
    invoice_id: str = Field(default="", max_length=64)
    state: str = Field(default="", max_length=24)


class Call(BaseModel):
    """Why the seller has to pay, and what that rests on."""

    model_config = ConfigDict(extra="forbid")
    cause: Literal["unpaid", "breach", "dilution", "fraud"] = "unpaid"
    note: str = Field(min_length=1, max_length=4000)


class Called(Answer):
    """What the seller would have to pay on ``on``; interest runs until it does."""

    advance_id: str
    state: str
    cause: str
    on: dt.date
    due: Amount


@endpoint(resource, "GET", "/over-advances", action="over_advance.read", answer=OverAdvancePage)
def list_over_advances(query: OverAdvancesQuery) -> OverAdvancePage:
    """List the over-advances on advances of which you are a side."""
    statement = select(OverAdvance)
    for name in ("advance_id", "invoice_id", "state"):
        if wanted := getattr(query, name):
            statement = statement.where(getattr(OverAdvance, name) == wanted)
    with reader() as session:
        rows, following = page(session, statement, query, col(OverAdvance.id))
        return OverAdvancePage(items=[_shown(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "GET",
    "/over-advances/<over_advance_id>",
    action="over_advance.read",
    answer=ShownOverAdvance,
)
def get_over_advance(over_advance_id: str) -> ShownOverAdvance:
    """Show one over-advance."""
    with reader() as session:
        return _shown(one(session, OverAdvance, over_advance_id))


@endpoint(
    resource, "POST", "/advances/<advance_id>/recourse", action="recourse.call", answer=Called
)
def call_recourse(advance_id: str, json: Call) -> Called:
    """Ask the seller to pay what is open on an advance; the title goes back on its cash only."""
    done = run("recourse.call", {"advance_id": advance_id, **json.model_dump()}).result
    return Called(
        advance_id=done["advance_id"],
        state=done["state"],
        cause=done["cause"],
        on=dt.date.fromisoformat(done["on"]),
        due=amount(done["due_minor"], done["currency"]),
    )


def _shown(row: OverAdvance) -> ShownOverAdvance:
    return ShownOverAdvance(
        id=row.id,
        advance_id=row.advance_id,
        invoice_id=row.invoice_id,
        seller_id=row.seller_id,
        financier_id=row.financier_id,
        amount=amount(row.amount_minor, row.currency),
        cause=row.cause,
        cause_id=row.cause_id,
        from_reserve=amount(row.reserve_minor, row.currency),
        repurchase=amount(row.repurchase_minor, row.currency),
        open=amount(row.open_minor, row.currency),
        cure=row.cure,
        state=row.state,
        on_date=row.on_date,
        closed_on=row.closed_on,
    )
