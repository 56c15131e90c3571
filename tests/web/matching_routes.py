"""The routes of the API that settle what does not fit its order.

Method, address, roles, body, kind of the thing in the address; and who of those with the role may
not: the seller where the buyer decides, and a clerk where no sum is agreed.
"""

from typing import Any

from scf.kernel.actor import Role

ANCHORS = frozenset({Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER})
TRADERS = ANCHORS | {Role.TREASURER}
BANK = frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER, Role.HEAD_OFFICE})
WHY = {"reason": "because it must be"}
PACK = {"line_id": "nobody-knows-it", "pack_unit": "CT", "per_pack": "12"}
GOODS = {
    "number": "R-1", "received_on": "2026-03-02",
    "lines": [{"order_line": "none", "quantity": "1"}],
}  # fmt: skip
RIGHT = {"order_number": "4711", **WHY}

Row = tuple[str, str, frozenset[Role], dict[str, Any], str]
BY_BUYER: tuple[Row, ...] = (
    ("POST", "/invoices/<invoice_id>/ask-credit", ANCHORS, {}, "invoice"),
    ("POST", "/invoices/<invoice_id>/pack-sizes", ANCHORS, PACK, "invoice"),
    ("DELETE", "/pack-sizes/<pack_id>", ANCHORS, {}, "pack"),
    ("POST", "/orders/<order_id>/receive", ANCHORS, GOODS, "order"),
)
BY_APPROVER: tuple[Row, ...] = (("POST", "/invoices/<invoice_id>/waive", ANCHORS, WHY, "invoice"),)
BY_BOTH: tuple[Row, ...] = (
    ("POST", "/invoices/<invoice_id>/correct-order", TRADERS, RIGHT, "invoice"),
    ("GET", "/pack-sizes", TRADERS | BANK, {}, ""),
)
ROWS: tuple[tuple[Any, ...], ...] = tuple(
    (*row, refused)
    for rows, refused in (
        (BY_BUYER, lambda who: who.org == "supplier-x"),
        (BY_APPROVER, lambda who: who.org == "supplier-x" or who.role is Role.ANCHOR_CLERK),
        (BY_BOTH, lambda _who: False),
    )
    for row in rows
)
