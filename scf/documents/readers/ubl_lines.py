"""The positions of UBL documents, from the order to the reminder.

The kinds differ in one wrapper and in the name of the quantity; everything else is read by the
same loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from lxml import etree

from scf.documents.canonical import Identifier, Line
from scf.documents.readers.derived import per_quantity
from scf.documents.readers.ubl_names import LINE_WORDS, QUANTITY, WRAPPED, cac, cbc
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


def read_line(scope: Scope, wrapper: etree._Element, position: int) -> Line:
    """Read one position; ``position`` counts from one and leads a finding to it."""
    values: dict[str, Any] = {}
    element = wrapper
    if scope.root in WRAPPED:
        inner = [child for child in wrapper if child.tag == _LINE_ITEM]
        if len(inner) != 1:
            scope.error(
                "LINE",
                "An order line holds exactly one line item.",
                scope.place("line_id", position),
            )
            return Line()
        element = inner[0]
    readers = _READERS[scope.root]
    seen: set[str] = set()
    for child in element:
        tag = child.tag
        reader = readers.get(tag)
        if reader is None:
            continue
        if tag in seen:
            scope.error(
                "ELEMENT_TWICE",
                "The element stands there twice.",
                scope.place("line_id", position),
                tag.rpartition("}")[2],
            )
            continue
        read, once = reader
        if once:
            seen.add(tag)
        read(scope, child, position, values)
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
            values["price"] = scope.price(child, child.get("currencyID", ""), position)
        elif child.tag == _BASE_QUANTITY:
            values["price_quantity"] = per_quantity(scope.decimal(child, "price", position))


# --- One element of a line each ---------------------------------------------------------------

_Reader: TypeAlias = Callable[[Scope, Any, int, dict[str, Any]], None]


def _read_id(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    values["line_id"] = scope.text(child, "line_id", position)


def _read_quantity(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    values["quantity"] = scope.decimal(child, "quantity", position)
    values["unit"] = child.get("unitCode", "")


def _read_net(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    values["net_minor"] = scope.amount(child, "net", position)


def _read_allowance(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    is_charge, amount = read_allowance(scope, child, position)
    key = "charge_minor" if is_charge else "allowance_minor"
    values[key] = values.get(key, 0) + (amount or 0)


def _read_receipt_line(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    values.setdefault("receipt_line", _text_of(scope, child, _LINE_ID, position))


def _read_rejected(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    values["rejected_quantity"] = scope.decimal(child, "quantity", position)


def _read_short(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    values["short_quantity"] = scope.decimal(child, "quantity", position)


def _read_received_date(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    values["delivered_on"] = scope.date(child, "delivered_on", position)


def _read_debit(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    values["net_minor"] = values.get("net_minor", 0) + (scope.amount(child, "net", position) or 0)


def _read_credited(
    scope: Scope, child: etree._Element, position: int, values: dict[str, Any]
) -> None:
    values["net_minor"] = values.get("net_minor", 0) - (scope.amount(child, "net", position) or 0)


def _read_word(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    # Many senders write a status here that says nothing ("NoStatus"): what is no word is none.
    values["word"] = LINE_WORDS.get(scope.text(child, "line_id", position), "")


def _read_note(scope: Scope, child: etree._Element, position: int, values: dict[str, Any]) -> None:
    values.setdefault("note", scope.text(child, "note", position)[:1000])


# The reader of each element, and whether it may stand in a line once: a second one would be a
# second truth.
_COMMON: Final[dict[str, tuple[_Reader, bool]]] = {
    _ID: (_read_id, True),
    _NET: (_read_net, True),
    _ITEM: (_read_item, True),
    _PRICE: (_read_price, True),
    _ALLOWANCE: (_read_allowance, False),
    _ORDER_LINE: (_read_order_line, False),
    _RECEIPT_LINE: (_read_receipt_line, False),
    _BILLING: (_read_billing, False),
    _REJECTED: (_read_rejected, True),
    _SHORT: (_read_short, True),
    _RECEIVED_DATE: (_read_received_date, False),
    _NOTE: (_read_note, False),
    cbc("LineStatusCode"): (_read_word, True),
}
_OF_AN_ACCOUNT: Final[dict[str, tuple[_Reader, bool]]] = {
    cbc("DebitLineAmount"): (_read_debit, True),
    cbc("CreditLineAmount"): (_read_credited, True),
}
_READERS: Final = {
    root: {**_COMMON, **({quantity: (_read_quantity, True)} if quantity else _OF_AN_ACCOUNT)}
    for root, quantity in QUANTITY.items()
}
