"""A receipt of goods that the buyer's people record by hand: what a warehouse would have sent."""

import hashlib
import json
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Table, insert

from scf.db.runner import Context, command
from scf.db.types import Day, Id
from scf.documents.arrivals import receipts_arrived
from scf.documents.commands import add_upload, keep_original
from scf.documents.fingerprints import canonical_number, duplicate_key
from scf.documents.match.numbers import take_numbers
from scf.documents.match.pairing import by_number
from scf.documents.models import Order, Receipt
from scf.documents.orderbook import Orders
from scf.documents.quantities import to_micro
from scf.documents.readers.text import plain_decimal
from scf.kernel.errors import InvalidInput, NotAllowed, RuleViolation
from scf.kernel.ids import new_id

_receipt: Final[Table] = Receipt.__table__  # type: ignore[attr-defined]


class GoodsLine(BaseModel):
    """How much arrived on one line of the order, in the order's own unit."""

    model_config = ConfigDict(extra="forbid")

    order_line: str = Field(min_length=1, max_length=200)
    quantity: str = Field(min_length=1, max_length=40)


class ReceiveGoods(BaseModel):
    """What arrived of one order on a day."""

    model_config = ConfigDict(extra="forbid")

    order_id: Id
    number: str = Field(min_length=1, max_length=100)
    received_on: Day
    lines: list[GoodsLine] = Field(min_length=1, max_length=1000)


@command("goods.receive", ReceiveGoods)
def receive_goods(ctx: Context, data: ReceiveGoods) -> dict[str, Any]:
    """The buyer records what arrived; it counts as a receipt advice of the same content would.

    What was typed is kept byte for byte, like any paper.

    Raises
    ------
    InvalidInput
        QUANTITY for anything but a number above zero.
    RuleViolation
        ORDER_LINE_UNKNOWN for a line that the order does not have.
    Conflict
        DUPLICATE_EXACT for a receipt of this number that is here already.
    """
    order = ctx.visible(Order, data.order_id)
    if order.buyer_id != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the buyer of the order does this.")
    key = (order.seller_id, order.buyer_id, order.canonical_number)
    take_numbers(ctx, orders=(), papers=[key])
    book = Orders.load(ctx, [key]).books[key]
    lines = []
    for one in data.lines:
        line = by_number(one.order_line, book.lines)
        if line is None:
            raise RuleViolation(
                "ORDER_LINE_UNKNOWN", "The order has no line %(line)s.", line=one.order_line
            )
        micro = to_micro(plain_decimal(one.quantity) or "")
        if micro is None or micro <= 0:
            raise InvalidInput("QUANTITY", "Say how much arrived, as a number above zero.")
        items = {"seller": None, "buyer": None, "standard": None, "name": line.items.name}
        lines.append(
            {
                "order_line": line.line_ref,
                "item": line.items.name,
                "items": items,
                "unit": line.unit or "",
                "quantity_micro": micro,
            }
        )
    number = canonical_number(data.number)
    typed = json.dumps(data.model_dump(mode="json"), sort_keys=True).encode()
    name = f"{data.number}.json"
    original_id, _seen = keep_original(ctx, name, typed, hashlib.sha256(typed).hexdigest())
    upload: dict[str, Any] = {
        "original_id": original_id,
        "name": name,
        "format": "form",
        "document_type": None,
        "mode": "keep-good",
        "mapping": None,
        "state": "DONE",
        "finished_at": ctx.now,
        "read_count": 1,
        "stored_count": 1,
    }
    upload_id = add_upload(ctx, upload)
    row = {
        "id": new_id(),
        "number": data.number,
        "seller_id": order.seller_id,
        "buyer_id": order.buyer_id,
        "issue_on": data.received_on,
        "currency": order.currency,
        "canonical_number": number,
        "duplicate_key": duplicate_key(
            order.seller_id, order.buyer_id, number, data.received_on.year
        ),
        "document_state": "VALIDATED",
        "order_number": order.number,
        "order_canonical": order.canonical_number,
        "parties": order.parties,
        "lines": lines,
        "org_id": ctx.actor.org_id,
        "upload_id": upload_id,
        "original_id": original_id,
        "created_at": ctx.now,
    }
    ctx.conn.execute(insert(_receipt), row)
    ctx.change("receipt", row["id"], None, {"order_id": order.id, "lines": len(lines)})
    counts = receipts_arrived(ctx, {key})
    return {"id": row["id"], "number": data.number, "matched": counts}
