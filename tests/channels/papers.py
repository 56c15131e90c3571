"""Documents that machines send: JSON, EDIFACT and X12, good and bad."""

import json

from tests.documents.readers.edi import BIG, INVOIC, ORDERS, edifact, x12

HEAD = "Bill Number;Invoice Date;Due Date;Supplier VAT;Buyer VAT;Currency;Amount Due\n"
GOOD_ROW = "W-1;2026-02-10;2026-06-10;NL004495445B01;DE136695976;EUR;1200.50\n"
BAD_ROW = "W-2;2026-02-10;10.13.2026;NL004495445B01;DE136695976;EUR;12.00.1\n"


def invoice(number: str) -> dict[str, object]:
    return {
        "kind": "invoice", "number": number, "issue_on": "2026-02-01", "due_on": "2026-06-01",
        "currency": "EUR", "net_minor": 10_000, "payable_minor": 10_000,
        "seller": {"name": "Supplier Company"}, "buyer": {"name": "Anchor Company"},
    }  # fmt: skip


def as_json(*numbers: str) -> bytes:
    return json.dumps({"documents": [invoice(number) for number in numbers]}).encode()


def good_edifact() -> bytes:
    return edifact(("INVOIC", INVOIC), ("ORDERS", ORDERS))


def half_good_edifact() -> bytes:
    """An interchange whose second message counts its segments wrongly."""
    return good_edifact().replace(b"UNT+21+2", b"UNT+99+2")


def x12_invoices(*, second_is_cut: bool = False) -> bytes:
    """Two invoices in X12; of the second the end may count its segments wrongly."""
    content = x12(("810", BIG), ("810", (BIG[0].replace("I-77", "I-78"), *BIG[1:])))
    if second_is_cut:
        right = f"SE*{len(BIG) + 2}*0002".encode()
        assert right in content
        content = content.replace(right, b"SE*99*0002")
    return content
