"""The codes of EDIFACT that are read, and what each is taken for.

Source: UNTDID 1001, 1153, 2005, 3035, 5025, 5125, 6063, 7143.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Final

AGENCIES: Final = {"9": "GLN", "16": "DUNS"}
TAX_NUMBERS: Final = {"VA": "VAT", "FC": "FC", "AHP": "FC"}
REGISTERS: Final = frozenset({"GN", "XA"})
ITEM_NUMBERS: Final = {
    **dict.fromkeys(("EN", "UP", "SRV", "GT"), "standard:0160"),
    **dict.fromkeys(("SA", "VN", "VP"), "seller"),
    **dict.fromkeys(("IN", "BP"), "buyer"),
    "MF": "manufacturer",
}
# Banks of the one who is paid; the others in FII belong to the payer.
PAYEES_BANKS: Final = frozenset({"RB", "BF", "BE", "BK"})
LINE_AMOUNTS: Final = ("203", "66", "38")
ALLOWANCE_AMOUNTS: Final = frozenset({"8", "23", "204"})
TAXABLE_AMOUNTS: Final = frozenset({"125", "79"})
TAX_AMOUNTS: Final = frozenset({"124", "150"})
OTHER_TAX: Final = "TAX of another kind"
PRICES: Final = ("AAA", "INV", "CAL", "CON", "AAE", "AAB", "AAF")  # net before gross
DISCOUNT_TERMS: Final = frozenset({"22", "20", "8"})
DUE_DATES: Final = frozenset({"13", "140", "265"})
TERMS_TEXTS: Final = frozenset({"AAB", "PMT", "PMD"})
# Why a tax is not charged, and what an item is like: neither is a note to people.
NO_NOTES: Final = frozenset({"AGM", "ACF"})
SUB_LINE: Final = "1"
DAYS: Final = frozenset({"D", "CD"})
INVOICE_DATES: Final = frozenset({"5", ""})

DATES: Final[Mapping[str, str]] = {
    "137": "issue_on",
    "3": "issue_on",
    "4": "issue_on",
    "35": "delivered_on",
    "11": "delivered_on",
    "209": "due_on",
}
REFERENCES: Final[Mapping[str, str]] = {
    "ON": "order_reference",
    "CT": "contract_reference",
    "PQ": "payment_reference",
    "GN": "tax_identity",
    "IV": "billing_references",
    "OI": "billing_references",
}
TOTALS: Final[Mapping[str, str]] = {
    "9": "payable",
    "86": "payable",
    "77": "gross",
    "388": "gross",
    "39": "gross",
    "128": "gross",
    "389": "net",
    "125": "net",
    "79": "lines",
    "176": "tax",
    "124": "tax",
    "150": "tax",
    "113": "prepaid",
    "259": "charge",
    "260": "allowance",
    "131": "allowance_or_charge",
    "366": "rounding",
    "12": "payable",
}
# Whose amounts stand in a group, and which of their codes are read.
OWNERS: Final[Mapping[str, tuple[str, Container[str]]]] = {
    "ALC": ("allowance", ALLOWANCE_AMOUNTS),
    "TAX": ("tax", TAX_AMOUNTS | TAXABLE_AMOUNTS),
    "DOC": ("document", TOTALS.keys()),
    OTHER_TAX: ("none", frozenset()),
}
