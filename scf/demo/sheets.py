"""The tables that the firms of the demo world hand in: which column means what."""

from typing import Any, Final

_SIDES: Final = {"seller_duns": "seller", "buyer_duns": "buyer"}
INVOICES: Final[dict[str, Any]] = {
    "kind": "invoice",
    "columns": {
        **_SIDES, "number": "number", "order_reference": "order", "issue_on": "date",
        "due_on": "due", "payable": "amount",
    },
}  # fmt: skip
ORDERS: Final[dict[str, Any]] = {
    "kind": "order",
    "columns": {
        **_SIDES, "number": "number", "issue_on": "date", "payable": "amount", "line_id": "line",
        "quantity": "quantity", "unit": "unit", "line_net": "net",
    },
}  # fmt: skip
PAYMENTS: Final[dict[str, Any]] = {
    "kind": "payment",
    "columns": {
        "payer_duns": "payer", "payee_duns": "payee", "amount": "amount", "paid_on": "paid",
        "reference": "reference",
    },
}  # fmt: skip
CREDITS: Final[dict[str, Any]] = {
    "kind": "credit_note",
    "columns": {
        **_SIDES, "number": "number", "issue_on": "date", "payable": "amount",
        "billing_reference": "invoice",
    },
}  # fmt: skip
