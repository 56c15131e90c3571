"""Invoices that do not fit their orders, as every buyer has some: dearer, more, in packs."""

import datetime as dt
from typing import Final

from scf.demo import sheets, world
from scf.demo.story import Story

_LINE: Final = {
    "line_id": "line", "item_name": "item", "quantity": "quantity", "unit": "unit",
    "line_net": "net",
}  # fmt: skip
_ORDERED: Final = (
    ("PO-H-7701", "Ball valve DN 25", 40, "EA", 1840),
    ("PO-H-7702", "Gasket set", 60, "EA", 2700),
    ("PO-H-7703", "Hose clamp", 240, "EA", 1200),
)
_INVOICED: Final = (
    ("BV-D01", "PO-H-7701", "Ball valve DN 25", 40, "EA", 1960),  # three euros more a piece
    ("BV-D02", "PO-H-7702", "Gasket set", 64, "EA", 2880),  # four more than ordered
    ("BV-D03", "PO-H-7703", "Hose clamp", 20, "CT", 1200),  # in cartons of twelve
)


def come(story: Story) -> None:
    """Let the appliance maker order and its supplier invoice a little beside it."""
    sides = f"{story.cast.firms[world.SUPPLIER].duns},{story.cast.firms[world.ANCHOR].duns}"
    ordered, issued, due = (story.today + dt.timedelta(days=days) for days in (-20, -3, 57))
    head = "number,order,date,due,amount,seller,buyer,line,item,quantity,unit,net"
    placed = [
        f"{number},,{ordered},,{net}.00,{sides},1,{item},{quantity},{unit},{net}.00"
        for number, item, quantity, unit, net in _ORDERED
    ]
    asked = [
        f"{number},{order},{issued},{due},{net}.00,{sides},1,{item},{quantity},{unit},{net}.00"
        for number, order, item, quantity, unit, net in _INVOICED
    ]
    for who, name, mapping, rows in (
        (world.ANCHOR, "spare-parts-orders", sheets.ORDERS, placed),
        (world.SUPPLIER, "spare-parts-invoices", sheets.INVOICES, asked),
    ):
        columns = {**mapping["columns"], **_LINE}
        content = "\n".join([head, *rows]).encode()
        story.upload(story.people[who], name, {**mapping, "columns": columns}, content)
