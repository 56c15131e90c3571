"""The positions of cross industry invoices."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from scf.documents.canonical import Identifier, Line
from scf.documents.readers.cii_names import Found, grouped
from scf.documents.readers.cii_parts import CiiScope, read_allowance
from scf.documents.readers.derived import per_quantity

MAX_NOTE: Final = 1000
MAX_DESCRIPTION: Final = 500
# A line of these kinds sums up others or only informs; the lines that count stand beside it.
_NOT_COUNTED: Final = frozenset({"GROUP", "INFORMATION"})


def read_line(scope: CiiScope, element: etree._Element, position: int) -> Line | None:
    """Read one position, or give None for one that is no part of the sum.

    Source: Factur-X 1.0 EXTENDED, BT-X-8 (line status reason code).
    """
    found = grouped(element)
    values: dict[str, Any] = {}
    about = scope.inside(found, "AssociatedDocumentLineDocument", "line_id", position)
    if scope.only_text(about, "LineStatusReasonCode", "line_id", position) in _NOT_COUNTED:
        return None
    values["line_id"] = scope.only_text(about, "LineID", "line_id", position)
    for note in about.get("IncludedNote", ())[:1]:
        texts = grouped(note).get("Content", ())[:1]
        values["note"] = "".join(scope.text(one, "note", position) for one in texts)[:MAX_NOTE]
    product = scope.inside(found, "SpecifiedTradeProduct", "item_name", position)
    _read_product(scope, product, position, values)
    agreement = scope.inside(found, "LineAgreement", "order_line", position)
    _read_agreement(scope, agreement, position, values)
    delivery = scope.inside(found, "LineDelivery", "quantity", position)
    quantity = scope.only(delivery, "BilledQuantity", "quantity", position)
    if quantity is not None:
        values["quantity"] = scope.decimal(quantity, "quantity", position)
        values["unit"] = quantity.get("unitCode", "")
    values["receipt_line"] = _line_of(
        scope, delivery, "ReceivingAdviceReferencedDocument", "receipt_line", position
    )
    settlement = scope.inside(found, "LineSettlement", "net", position)
    _read_settlement(scope, settlement, position, values)
    return Line(**values)


def _read_product(scope: CiiScope, product: Found, position: int, values: dict[str, Any]) -> None:
    name = scope.only_text(product, "Name", "item_name", position)
    if not name:
        texts = product.get("Description", ())[:1]
        name = "".join(scope.text(one, "item_name", position) for one in texts)[:MAX_DESCRIPTION]
    values["item_name"] = name
    numbers: list[Identifier] = []
    for tag, scheme in (
        ("BuyerAssignedID", "buyer"),
        ("SellerAssignedID", "seller"),
        ("GlobalID", "standard"),
    ):
        for number in product.get(tag, ()):
            text = scope.text(number, "item_name", position)
            if text:
                register = number.get("schemeID", "")
                numbers.append(Identifier(f"{scheme}:{register}" if register else scheme, text))
    values["item_ids"] = tuple(numbers)


def _read_agreement(
    scope: CiiScope, agreement: Found, position: int, values: dict[str, Any]
) -> None:
    order = scope.inside(agreement, "BuyerOrderReferencedDocument", "order_line", position)
    values["order_line"] = scope.only_text(order, "LineID", "order_line", position)
    tag = "IssuerAssignedID" if "IssuerAssignedID" in order else "ID"
    values["order_reference"] = scope.only_text(order, tag, "order_line", position)
    net = scope.inside(agreement, "NetPriceProductTradePrice", "price", position)
    price = scope.only(net, "ChargeAmount", "price", position)
    if price is None:
        return
    values["price"] = scope.price(price, price.get("currencyID", scope.currency), position)
    base = scope.only(net, "BasisQuantity", "price", position)
    if base is None:
        # Both prices are for the same quantity; a document may say it with the first of them.
        gross = scope.inside(agreement, "GrossPriceProductTradePrice", "price", position)
        base = scope.only(gross, "BasisQuantity", "price", position)
    if base is not None:
        values["price_quantity"] = per_quantity(scope.decimal(base, "price", position))


def _read_settlement(
    scope: CiiScope, settlement: Found, position: int, values: dict[str, Any]
) -> None:
    tax = scope.inside(settlement, "ApplicableTradeTax", "tax", position)
    values["tax_category"] = scope.only_text(tax, "CategoryCode", "tax", position)
    percent = scope.only(tax, "RateApplicablePercent", "tax", position)
    if percent is not None:
        values["tax_percent"] = scope.decimal(percent, "tax", position)
    for element in settlement.get("SpecifiedTradeAllowanceCharge", ()):
        is_charge, amount = read_allowance(scope, element, position)
        key = "charge_minor" if is_charge else "allowance_minor"
        values[key] = values.get(key, 0) + (amount or 0)
    total = scope.inside(settlement, "Summation", "net", position)
    net = scope.only(total, "LineTotalAmount", "net", position)
    if net is not None:
        values["net_minor"] = scope.amount(net, "net", position)
    invoice = scope.inside(settlement, "InvoiceReferencedDocument", "invoice_reference", position)
    tag = "IssuerAssignedID" if "IssuerAssignedID" in invoice else "ID"
    values["invoice_reference"] = scope.only_text(invoice, tag, "invoice_reference", position)


def _line_of(scope: CiiScope, found: Found, name: str, field: str, position: int) -> str:
    for element in found.get(name, ())[:1]:
        return scope.only_text(grouped(element), "LineID", field, position)
    return ""
