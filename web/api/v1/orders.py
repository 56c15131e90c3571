"""Orders: what a buyer has ordered of a seller; their lines bound what may be invoiced."""

import datetime as dt

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import Currency, OptCount
from scf.documents.models import Order, OrderLine
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, etag, reader
from web.api.v1.trade import Party, children, names_of, one, party

resource = Blueprint("orders", __name__)


class OrderHead(Answer):
    """An order. ``invoiced`` counts what invoices have taken of it.

    ``standing`` is OPEN, ACCEPTED, CHANGED or REFUSED by its seller, or CANCELLED by its buyer.
    """

    id: str
    number: str
    seller: Party
    buyer: Party
    issue_on: dt.date
    currency: Currency
    total: Amount
    invoiced: Amount
    document_state: str
    standing: str
    version: int


class OrderLineOut(Answer):
    """One line; quantities in millionths of the unit.

    ``stated_micro`` is what the order itself said, ``quantity_micro`` what counts after changes.
    """

    line: str
    item: str
    unit: str | None
    stated_micro: OptCount
    quantity_micro: OptCount
    despatched_micro: int
    received_micro: int
    invoiced_micro: int
    net: Amount | None
    invoiced: Amount


class OrderOut(OrderHead):
    """An order with its lines."""

    lines: list[OrderLineOut]


class OrderPage(Answer):
    """Some of the orders."""

    items: list[OrderHead]
    next_cursor: str


class OrdersQuery(PageQuery):
    """Which orders."""

    number: str = Field(default="", max_length=400)
    upload_id: str = Field(default="", max_length=64)


@endpoint(resource, "GET", "/orders", action="document.read", answer=OrderPage)
def list_orders(query: OrdersQuery) -> OrderPage:
    """List the orders of which you are a side."""
    statement = select(Order)
    if query.number:
        statement = statement.where(col(Order.number) == query.number)
    if query.upload_id:
        statement = statement.where(col(Order.upload_id) == query.upload_id)
    with reader() as session:
        rows, following = page(session, statement, query, col(Order.id))
        names = names_of(session, rows)
        return OrderPage(items=[_head(row, names) for row in rows], next_cursor=following)


@endpoint(resource, "GET", "/orders/<order_id>", action="document.read", answer=OrderOut)
def get_order(order_id: str) -> tuple[OrderOut, int, dict[str, str]]:
    """Show one order with its lines."""
    with reader() as session:
        row = one(session, Order, order_id)
        head = _head(row, names_of(session, [row]))
        lines = [
            _line(line, row.currency)
            for line in children(session, OrderLine, OrderLine.order_id, [row.id])
        ]
        return OrderOut(**dict(head), lines=lines), 200, etag(row.version)


def _head(row: Order, names: dict[str, str]) -> OrderHead:
    return OrderHead(
        id=row.id,
        number=row.number,
        seller=party(row, "seller", names),
        buyer=party(row, "buyer", names),
        issue_on=row.issue_on,
        currency=row.currency,
        total=amount(row.total_minor, row.currency),
        invoiced=amount(row.invoiced_minor, row.currency),
        document_state=row.document_state,
        standing=row.standing,
        version=row.version,
    )


def _line(row: OrderLine, currency: str) -> OrderLineOut:
    return OrderLineOut(
        line=row.line_ref,
        item=row.item,
        unit=row.unit,
        stated_micro=row.stated_micro,
        quantity_micro=row.quantity_micro,
        despatched_micro=row.despatched_micro,
        received_micro=row.received_micro,
        invoiced_micro=row.invoiced_micro,
        net=None if row.net_minor is None else amount(row.net_minor, currency),
        invoiced=amount(row.invoiced_minor, currency),
    )
