"""What was said about orders and invoices: answers, changes, despatches, accounts, reminders."""

import datetime as dt

from flask import Blueprint
from pydantic import Field
from sqlalchemy import select
from sqlmodel import col

from scf.db.types import OptCount
from scf.documents.canonical import Kind
from scf.documents.messages.arriving import OF_ORDERS
from scf.documents.messages.models import TradeMessage
from web.api.v1.paging import PageQuery, page
from web.api.v1.shapes import Amount, Answer, amount
from web.api.v1.shell import endpoint, reader
from web.api.v1.trade import Party, names_of, one, party

resource = Blueprint("trade_messages", __name__)


class MessageLine(Answer):
    """One line: of an order, in millionths of the unit, or of an account, naming an invoice."""

    order_line: str
    item: str
    unit: str
    quantity_micro: OptCount
    net: Amount | None
    word: str
    invoice: str


class ShownMessage(Answer):
    """A message. ``amount`` is paid or asked for; below zero it is in the debtor's favour."""

    id: str
    kind: str
    number: str
    seller: Party
    buyer: Party
    issue_on: dt.date
    order_number: str | None
    word: str | None
    sequence: int
    amount: Amount | None
    named_invoices: list[str]
    note: str
    document_state: str
    lines: list[MessageLine]


class MessagePage(Answer):
    """Some of the messages."""

    items: list[ShownMessage]
    next_cursor: str


class MessagesQuery(PageQuery):
    """Which messages; ``kind`` says what sort, such as despatch or order_change."""

    kind: str = Field(default="", max_length=64)
    order: str = Field(default="", max_length=400)
    upload_id: str = Field(default="", max_length=64)


@endpoint(resource, "GET", "/trade-messages", action="document.read", answer=MessagePage)
def list_messages(query: MessagesQuery) -> MessagePage:
    """List the messages of which you are a side."""
    statement = select(TradeMessage)
    for column, value in (
        (TradeMessage.kind, query.kind),
        (TradeMessage.order_number, query.order),
        (TradeMessage.upload_id, query.upload_id),
    ):
        if value:
            statement = statement.where(col(column) == value)
    with reader() as session:
        rows, following = page(session, statement, query, col(TradeMessage.id))
        names = names_of(session, rows)
        return MessagePage(items=[_shown(row, names) for row in rows], next_cursor=following)


@endpoint(
    resource, "GET", "/trade-messages/<message_id>", action="document.read", answer=ShownMessage
)
def get_message(message_id: str) -> ShownMessage:
    """Show one message."""
    with reader() as session:
        row = one(session, TradeMessage, message_id)
        return _shown(row, names_of(session, [row]))


def _money(minor: int | None, currency: str) -> Amount | None:
    # A message about goods may state no currency at all.
    return None if minor is None or currency == "XXX" else amount(minor, currency)


def _shown(row: TradeMessage, names: dict[str, str]) -> ShownMessage:
    about_goods = Kind(row.kind) in OF_ORDERS
    return ShownMessage(
        id=row.id,
        kind=row.kind,
        number=row.number,
        seller=party(row, "seller", names),
        buyer=party(row, "buyer", names),
        issue_on=row.issue_on,
        order_number=row.order_number,
        word=row.word,
        sequence=row.sequence,
        amount=None if about_goods else _money(row.amount_minor, row.currency),
        named_invoices=[str(named["number"]) for named in row.named_invoices],
        note=row.note,
        document_state=row.document_state,
        lines=[
            MessageLine(
                order_line=line["order_line"],
                item=line["item"],
                unit=line["unit"],
                quantity_micro=line["quantity_micro"],
                net=_money(line["net_minor"], row.currency),
                word=line["word"],
                invoice=line["invoice"],
            )
            for line in row.lines
        ],
    )
