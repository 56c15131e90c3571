"""The positions of UBL invoices, credit notes, orders and receipts.

The four kinds differ in one wrapper and in the name of the quantity; everything else is read by
the same loop.
"""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from scf.documents.canonical import Identifier, Line
from scf.documents.readers.ubl_names import QUANTITY, cac, cbc
from scf.documents.readers.ubl_parts import Scope, read_allowance

_ID, _NOTE, _NET = cbc("ID"), cbc("Note"), cbc("LineExtensionAmount")
_LINE_ITEM: Final = cac("LineItem")
_ORDER_LINE, _LINE_ID = cac("OrderLineReference"), cbc("LineID")
_ORDER_REFERENCE: Final = cac("OrderReference")
_RECEIPT_LINE: Final = cac("ReceiptLineReference")
_ITEM, _PRICE, _ALLOWANCE = cac("Item"), cac("Price"), cac("AllowanceCharge")
_NAME, _DESCRIPTION = cbc("Name"), cbc("Description")
_PRICE_AMOUNT, _BASE_QUANTITY = cbc("PriceAmount"), cbc("BaseQuantity")
_REJECTED, _SHORT = cbc("RejectedQuantity"), cbc("ShortQuantity")
_BILLING, _INVOICE_REFERENCE = cac("BillingReference"), cac("InvoiceDocumentReference")
_RECEIVED_DATE: Final = cbc("ReceivedDate")
_TAX_CATEGORY, _PERCENT = cac("ClassifiedTaxCategory"), cbc("Percent")
_ITEM_NUMBERS: Final = {
    cac("SellersItemIdentification"): "seller",
    cac("BuyersItemIdentification"): "buyer",
    cac("ManufacturersItemIdentification"): "manufacturer",
    cac("StandardItemIdentification"): "standard",
}
# These may stand in a line once; a second one would be a second truth.
_ONCE: Final = frozenset({_ID, _NET, _ITEM, _PRICE, _LINE_ITEM, _REJECTED, _SHORT})


def read_line(  # noqa: C901, PLR0912 - one flat loop, a case per element
    scope: Scope, wrapper: etree._Element, position: int
) -> Line:
    """Read one position; ``position`` counts from one and leads a finding to it."""
    values: dict[str, Any] = {}
    element = wrapper
    if scope.root == "Order":
        inner = [child for child in wrapper if child.tag == _LINE_ITEM]
        if len(inner) != 1:
            scope.error(
                "LINE",
                "An order line holds exactly one line item.",
                scope.place("line_id", position),
            )
            return Line()
        element = inner[0]
    quantity_tag = QUANTITY[scope.root]
    seen: set[str] = set()
    for child in element:
        tag = child.tag
        if tag in seen:
            scope.error(
                "ELEMENT_TWICE",
                "The element stands there twice.",
                scope.place("line_id", position),
                tag.rpartition("}")[2],
            )
            continue
        if tag in _ONCE or tag == quantity_tag:
            seen.add(tag)
        if tag == _ID:
            values["line_id"] = scope.text(child, "line_id", position)
        elif tag == quantity_tag:
            values["quantity"] = scope.decimal(child, "quantity", position)
            values["unit"] = child.get("unitCode", "")
        elif tag == _NET:
            values["net_minor"] = scope.amount(child, "net", position)
        elif tag == _ITEM:
            _read_item(scope, child, position, values)
        elif tag == _PRICE:
            _read_price(scope, child, position, values)
        elif tag == _ALLOWANCE:
            is_charge, amount = read_allowance(scope, child, position)
            key = "charge_minor" if is_charge else "allowance_minor"
            values[key] = values.get(key, 0) + (amount or 0)
        elif tag == _ORDER_LINE:
            _read_order_line(scope, child, position, values)
        elif tag == _RECEIPT_LINE:
            values.setdefault("receipt_line", _text_of(scope, child, _LINE_ID, position))
        elif tag == _BILLING:
            _read_billing(scope, child, position, values)
        elif tag == _REJECTED:
            values["rejected_quantity"] = scope.decimal(child, "quantity", position)
        elif tag == _SHORT:
            values["short_quantity"] = scope.decimal(child, "quantity", position)
        elif tag == _RECEIVED_DATE:
            values["delivered_on"] = scope.date(child, "delivered_on", position)
        elif tag == _NOTE:
            values.setdefault("note", scope.text(child, "note", position)[:1000])
    return Line(**values)


def _text_of(scope: Scope, parent: etree._Element, tag: str, position: int) -> str:
    for child in parent:
        if child.tag == tag:
            return scope.text(child, "line_id", position)
    return ""


def _read_order_line(
    scope: Scope, element: etree._Element, position: int, values: dict[str, Any]
) -> None:
    for child in element:
        if child.tag == _LINE_ID:
            values.setdefault("order_line", scope.text(child, "line_id", position))
        elif child.tag == _ORDER_REFERENCE:
            values.setdefault("order_reference", _text_of(scope, child, _ID, position))


def _read_billing(
    scope: Scope, element: etree._Element, position: int, values: dict[str, Any]
) -> None:
    for child in element:
        if child.tag == _INVOICE_REFERENCE:
            values.setdefault("invoice_reference", _text_of(scope, child, _ID, position))


def _read_item(  # noqa: C901 - one flat loop, a case per element
    scope: Scope, element: etree._Element, position: int, values: dict[str, Any]
) -> None:
    numbers: list[Identifier] = []
    description = ""
    for child in element:
        tag = child.tag
        if tag == _NAME:
            values["item_name"] = scope.text(child, "item_name", position)
        elif tag == _DESCRIPTION and not description:
            description = scope.text(child, "item_name", position)[:500]
        elif tag in _ITEM_NUMBERS:
            for number in child:
                if number.tag == _ID:
                    scheme = _ITEM_NUMBERS[tag]
                    register = number.get("schemeID", "")
                    scheme = f"{scheme}:{register}" if register else scheme
                    numbers.append(Identifier(scheme, scope.text(number, "item_name", position)))
        elif tag == _TAX_CATEGORY:
            for part in child:
                if part.tag == _ID:
                    values["tax_category"] = scope.text(part, "item_name", position)
                elif part.tag == _PERCENT:
                    values["tax_percent"] = scope.decimal(part, "item_name", position)
    if not values.get("item_name") and description:
        values["item_name"] = description
    if numbers:
        values["item_ids"] = tuple(numbers)


def _read_price(
    scope: Scope, element: etree._Element, position: int, values: dict[str, Any]
) -> None:
    for child in element:
        if child.tag == _PRICE_AMOUNT:
            stated = child.get("currencyID", "")
            if scope.currency and stated != scope.currency:
                scope.error(
                    "CURRENCY_MIXED",
                    f"The document is in {scope.currency}, this price in another currency.",
                    scope.place("price", position),
                    stated,
                )
            values["price"] = scope.decimal(child, "price", position)
        elif child.tag == _BASE_QUANTITY:
            values["price_quantity"] = scope.decimal(child, "price", position)
