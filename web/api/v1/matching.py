"""How an invoice matches its order, and what settles a difference: the acts of its two sides.

Differences tell what other papers of the order have taken, so their facts are between seller and
buyer; the financier reads the state, the code and the sum.
"""

import datetime as dt

from flask import Blueprint
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlmodel import Session, col

from scf.db.types import Count, Day
from scf.documents.match.acts import MAX_ACTS, LineMeans, stake_of
from scf.documents.match.explained import told
from scf.documents.match.goods import GoodsLine
from scf.documents.match.models import MatchAct, PackSize
from scf.documents.match.tolerance import rules_from
from scf.documents.models import Invoice
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, Reason, amount
from web.api.v1.shell import endpoint, reader, run
from web.api.v1.trade import children, is_bank

resource = Blueprint("matching", __name__)


class Variance(Answer):
    """One difference from the order; ``tolerated`` ones keep nothing out."""

    code: str
    text: str
    amount: Amount
    order_line: str | None
    tolerated: bool


class MatchStep(Answer):
    """What a person did about it: WAIVED, CREDIT_ASKED or ORDER_CORRECTED."""

    act: str
    code: str
    amount: Amount
    reason: str
    at: dt.datetime


class Match(Answer):
    """How the invoice matches. ``mode`` is what was looked at: order, receipt or despatch.

    ``differs`` is the sum beside the order. ``variances`` are those about no single line; they are
    null for the financier.
    """

    state: str
    code: str | None
    mode: str
    differs: Amount
    variances: list[Variance] | None
    acts: list[MatchStep]


def match_of(session: Session, row: Invoice) -> Match:
    """Give how an invoice matches, as the caller may know it."""
    acts = children(session, MatchAct, MatchAct.invoice_id, [row.id])
    return Match(
        state=row.match_state,
        code=row.match_code,
        mode=rules_from(row.match_rules).mode,
        differs=amount(stake_of(row.variances), row.currency),
        variances=variances(row, ""),
        acts=[
            MatchStep(
                act=one.act,
                code=one.code,
                amount=amount(one.amount_minor, one.currency),
                reason=one.reason,
                at=one.at,
            )
            for one in acts
        ],
    )


def variances(row: Invoice, line: str) -> list[Variance] | None:
    """Give the differences of one line of an invoice; those of no line for an empty one."""
    if is_bank():
        return None
    found = [one for one in row.variances or () if one["line"] == line]
    return [
        Variance(
            code=said.code,
            text=str(said.text),
            amount=amount(said.amount_minor, row.currency),
            order_line=one["order_line"] or None,
            tolerated=said.within,
        )
        for one in found
        for said in [told(one, row.currency)]
    ]


# --- What settles a difference ------------------------------------------------------------------


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskForCredit(_Body):
    """What the supplier is told, if anything."""

    reason: str = Field(default="", max_length=1000)


class RightOrder(_Body):
    """The order that the invoice means, and the lines where it names none or a wrong one."""

    order_number: str = Field(min_length=1, max_length=200)
    lines: list[LineMeans] = Field(default_factory=list, max_length=MAX_ACTS)
    reason: str = Field(min_length=3, max_length=1000)


class Arrived(_Body):
    """What arrived of an order on a day, under a number of the buyer's own."""

    number: str = Field(min_length=1, max_length=100)
    received_on: Day
    lines: list[GoodsLine] = Field(min_length=1, max_length=1000)


class Waived(Answer):
    """The invoice that may pass."""

    invoice_id: str
    match_state: str


class CreditAsked(Answer):
    """For how much a credit note is asked."""

    invoice_id: str
    amount: Amount


class OrderCorrected(Answer):
    """With which order the invoice is matched now."""

    invoice_id: str
    order_id: str


class GoodsReceived(Answer):
    """The new receipt; it counts as a receipt advice does."""

    id: str
    number: str


@endpoint(resource, "POST", "/invoices/<invoice_id>/waive", action="match.waive", answer=Waived)
def waive(invoice_id: str, json: Reason) -> Waived:
    """Let an invoice pass although it differs from its order, as its buyer."""
    run("match.waive", {"invoice_ids": [invoice_id], "reason": json.reason})
    return Waived(invoice_id=invoice_id, match_state="WAIVED")


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/ask-credit",
    action="match.ask_credit",
    answer=CreditAsked,
)
def ask_credit(invoice_id: str, json: AskForCredit) -> CreditAsked:
    """Ask the supplier for a credit note over the difference, as the buyer."""
    payload = {"invoice_ids": [invoice_id], "reason": json.reason}
    done = run("match.ask_credit", payload).result["asked"][0]
    return CreditAsked(
        invoice_id=done["invoice_id"], amount=amount(done["amount_minor"], done["currency"])
    )


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/correct-order",
    action="match.correct_order",
    answer=OrderCorrected,
)
def correct_order(invoice_id: str, json: RightOrder) -> OrderCorrected:
    """Set an invoice to the order that it means, as its seller or its buyer."""
    payload = {"invoice_id": invoice_id, **json.model_dump()}
    return OrderCorrected.model_validate(run("match.correct_order", payload).result)


@endpoint(
    resource,
    "POST",
    "/orders/<order_id>/receive",
    action="goods.receive",
    answer=GoodsReceived,
    status=201,
)
def receive(order_id: str, json: Arrived) -> tuple[GoodsReceived, int]:
    """Record what arrived of an order, as its buyer."""
    done = run("goods.receive", {"order_id": order_id, **json.model_dump()}).result
    return GoodsReceived(id=done["id"], number=done["number"]), 201


# --- Pack sizes -------------------------------------------------------------------------------


class Pack(Answer):
    """One pack of an article, in millionths of the unit that it holds."""

    id: str
    seller_id: str
    buyer_id: str
    item: str
    pack_unit: str
    unit: str
    per_pack_micro: Count
    at: dt.datetime
    withdrawn_at: dt.datetime | None


class PackPage(Answer):
    """Some of the pack sizes."""

    items: list[Pack]
    next_cursor: str


class PackHolds(_Body):
    """How much one pack of the article on a line holds, as a number above zero."""

    line_id: str = Field(min_length=1, max_length=64)
    pack_unit: str = Field(min_length=1, max_length=20)
    per_pack: str = Field(min_length=1, max_length=40)


class PackAgreed(Answer):
    """What counts from now on."""

    id: str
    pack_unit: str
    unit: str
    per_pack_micro: Count


class PackWithdrawn(Answer):
    """What counts no longer."""

    id: str


@endpoint(resource, "GET", "/pack-sizes", action="document.read", answer=PackPage)
def list_packs(query: PageQuery) -> PackPage:
    """List the pack sizes by which you count with others, withdrawn ones too."""
    with reader() as session:
        rows, following = page(session, select(PackSize), query, col(PackSize.id))
        return PackPage(items=[Pack.model_validate(row) for row in rows], next_cursor=following)


@endpoint(
    resource,
    "POST",
    "/invoices/<invoice_id>/pack-sizes",
    action="pack.agree",
    answer=PackAgreed,
    status=201,
)
def agree_pack(invoice_id: str, json: PackHolds) -> tuple[PackAgreed, int]:
    """Say as the buyer how much a pack holds, for every paper about the article."""
    done = run("pack.agree", {"invoice_id": invoice_id, **json.model_dump()}).result
    return PackAgreed.model_validate(done), 201


@endpoint(resource, "DELETE", "/pack-sizes/<pack_id>", action="pack.withdraw", answer=PackWithdrawn)
def withdraw_pack(pack_id: str) -> PackWithdrawn:
    """Count by a pack size no longer, as the buyer."""
    return PackWithdrawn.model_validate(run("pack.withdraw", {"pack_id": pack_id}).result)
