"""Receipt advices: what of an order has arrived at its buyer."""

import datetime as dt

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import OptCount
from scf.documents.models import Receipt
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Answer
from web.api.v1.shell import endpoint, reader
from web.api.v1.trade import Party, names_of, one, party

resource = Blueprint("receipts", __name__)


class ReceiptLine(Answer):
    """What arrived on one line of the order, in millionths of the unit."""

    order_line: str | None
    item: str
    unit: str | None
    quantity_micro: OptCount


class ReceiptOut(Answer):
    """A receipt advice."""

    id: str
    number: str
    seller: Party
    buyer: Party
    issue_on: dt.date
    order_number: str | None
    document_state: str
    lines: list[ReceiptLine]


class ReceiptPage(Answer):
    """Some of the receipts."""

    items: list[ReceiptOut]
    next_cursor: str


class ReceiptsQuery(PageQuery):
    """Which receipts."""

    number: str = Field(default="", max_length=400)
    upload_id: str = Field(default="", max_length=64)


@endpoint(resource, "GET", "/receipts", action="document.read", answer=ReceiptPage)
def list_receipts(query: ReceiptsQuery) -> ReceiptPage:
    """List the receipt advices of which you are a side."""
    statement = select(Receipt)
    if query.number:
        statement = statement.where(col(Receipt.number) == query.number)
    if query.upload_id:
        statement = statement.where(col(Receipt.upload_id) == query.upload_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(Receipt.id))
        names = names_of(session, rows)
        return ReceiptPage(items=[_shown(row, names) for row in rows], next_cursor=following)


@endpoint(resource, "GET", "/receipts/<receipt_id>", action="document.read", answer=ReceiptOut)
def get_receipt(receipt_id: str) -> ReceiptOut:
    """Show one receipt advice."""
    with reader() as session:
        row = one(session, Receipt, receipt_id)
        return _shown(row, names_of(session, [row]))


def _shown(row: Receipt, names: dict[str, str]) -> ReceiptOut:
    return ReceiptOut(
        id=row.id,
        number=row.number,
        seller=party(row, "seller", names),
        buyer=party(row, "buyer", names),
        issue_on=row.issue_on,
        order_number=row.order_number,
        document_state=row.document_state,
        lines=[
            ReceiptLine(
                order_line=line.get("order_line") or None,
                item=line.get("item") or "",
                unit=line.get("unit") or None,
                quantity_micro=line.get("quantity_micro"),
            )
            for line in row.lines
        ],
    )
