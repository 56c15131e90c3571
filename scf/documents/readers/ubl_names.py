"""The element names of UBL 2 that the reader understands, and where each field stands.

lxml spells a name with its namespace in braces; spelling them once here keeps the loops of the
reader to one comparison per element.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import Final

from scf.documents.canonical import Kind

NAMESPACE: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
_CBC: Final = f"{{{NAMESPACE}CommonBasicComponents-2}}"
_CAC: Final = f"{{{NAMESPACE}CommonAggregateComponents-2}}"


@cache
def cbc(name: str) -> str:
    """Spell the name of a basic component."""
    return _CBC + name


@cache
def cac(name: str) -> str:
    """Spell the name of an aggregate component."""
    return _CAC + name


def prefixed(tag: str) -> str:
    """Spell a tag the way people write it: ``cbc:ID``."""
    if tag.startswith(_CBC):
        return "cbc:" + tag[len(_CBC) :]
    if tag.startswith(_CAC):
        return "cac:" + tag[len(_CAC) :]
    return tag.rpartition("}")[2]


ROOTS: Final = MappingProxyType(
    {
        f"{{{NAMESPACE}Invoice-2}}Invoice": ("Invoice", Kind.INVOICE),
        f"{{{NAMESPACE}CreditNote-2}}CreditNote": ("CreditNote", Kind.CREDIT_NOTE),
        f"{{{NAMESPACE}Order-2}}Order": ("Order", Kind.ORDER),
        f"{{{NAMESPACE}ReceiptAdvice-2}}ReceiptAdvice": ("ReceiptAdvice", Kind.RECEIPT),
    }
)

TYPE_CODE: Final = MappingProxyType(
    {
        "Invoice": cbc("InvoiceTypeCode"),
        "CreditNote": cbc("CreditNoteTypeCode"),
        "Order": cbc("OrderTypeCode"),
        "ReceiptAdvice": cbc("ReceiptAdviceTypeCode"),
    }
)
LINE: Final = MappingProxyType(
    {
        "Invoice": cac("InvoiceLine"),
        "CreditNote": cac("CreditNoteLine"),
        "Order": cac("OrderLine"),
        "ReceiptAdvice": cac("ReceiptLine"),
    }
)
TOTAL: Final = MappingProxyType(
    {
        "Invoice": cac("LegalMonetaryTotal"),
        "CreditNote": cac("LegalMonetaryTotal"),
        "Order": cac("AnticipatedMonetaryTotal"),
        "ReceiptAdvice": "",
    }
)
SELLER: Final = MappingProxyType(
    {
        "Invoice": (cac("AccountingSupplierParty"),),
        "CreditNote": (cac("AccountingSupplierParty"),),
        "Order": (cac("SellerSupplierParty"),),
        "ReceiptAdvice": (cac("SellerSupplierParty"), cac("DespatchSupplierParty")),
    }
)
BUYER: Final = MappingProxyType(
    {
        "Invoice": (cac("AccountingCustomerParty"),),
        "CreditNote": (cac("AccountingCustomerParty"),),
        "Order": (cac("BuyerCustomerParty"),),
        "ReceiptAdvice": (cac("BuyerCustomerParty"), cac("DeliveryCustomerParty")),
    }
)

# Elements of the root that may stand there once. The schema says so for invoices and credit
# notes; orders, receipts and newer versions of UBL are held to it by this list.
SINGLE: Final = frozenset(
    {
        *(cbc(name) for name in ("ID", "UUID", "IssueDate", "IssueTime", "DueDate")),
        *(cbc(name) for name in ("DocumentCurrencyCode", "TaxCurrencyCode", "BuyerReference")),
        *(cbc(name) for name in ("CustomizationID", "ProfileID", "UBLVersionID", "SalesOrderID")),
        *TYPE_CODE.values(),
        *(name for name in TOTAL.values() if name),
        *(name for names in SELLER.values() for name in names),
        *(name for names in BUYER.values() for name in names),
        cac("PayeeParty"),
    }
)

_TOTAL_PLACES: Final = MappingProxyType(
    {
        "payable": "cbc:PayableAmount",
        "gross": "cbc:TaxInclusiveAmount",
        "net": "cbc:TaxExclusiveAmount",
        "lines": "cbc:LineExtensionAmount",
        "allowance": "cbc:AllowanceTotalAmount",
        "charge": "cbc:ChargeTotalAmount",
        "prepaid": "cbc:PrepaidAmount",
        "rounding": "cbc:PayableRoundingAmount",
    }
)
TOTAL_FIELDS: Final = MappingProxyType(
    {cbc(path.removeprefix("cbc:")): name for name, path in _TOTAL_PLACES.items()}
)


def _places(root: str) -> MappingProxyType[str, str]:
    total = prefixed(TOTAL[root])
    seller, buyer = prefixed(SELLER[root][0]), prefixed(BUYER[root][0])
    return MappingProxyType(
        {
            "number": "cbc:ID",
            "issue_on": "cbc:IssueDate",
            "due_on": "cbc:DueDate",
            "currency": "cbc:DocumentCurrencyCode",
            "type_code": prefixed(TYPE_CODE[root]),
            "seller": f"{seller}/cac:Party",
            "buyer": f"{buyer}/cac:Party",
            "payee": "cac:PayeeParty",
            "tax": "cac:TaxTotal/cbc:TaxAmount",
            "tax_subtotals": "cac:TaxTotal/cac:TaxSubtotal",
            "withheld": "cac:WithholdingTaxTotal/cbc:TaxAmount",
            "third_party": "cac:PrepaidPayment/cbc:PaidAmount",
            "order_reference": "cac:OrderReference/cbc:ID",
            "billing_references": "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
            "accounts": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
            "delivered_on": "cac:Delivery/cbc:ActualDeliveryDate",
            **{name: f"{total}/{path}" for name, path in _TOTAL_PLACES.items()},
        }
    )


PLACES: Final = MappingProxyType({root: _places(root) for root in LINE})

QUANTITY: Final = MappingProxyType(
    {
        "Invoice": cbc("InvoicedQuantity"),
        "CreditNote": cbc("CreditedQuantity"),
        "Order": cbc("Quantity"),
        "ReceiptAdvice": cbc("ReceivedQuantity"),
    }
)


def _line_places(root: str) -> MappingProxyType[str, str]:
    inner = "cac:LineItem/" if root == "Order" else ""
    return MappingProxyType(
        {
            "": prefixed(LINE[root]),
            "line_id": f"{inner}cbc:ID",
            "quantity": inner + prefixed(QUANTITY[root]),
            "net": f"{inner}cbc:LineExtensionAmount",
            "price": f"{inner}cac:Price/cbc:PriceAmount",
            "item_name": f"{inner}cac:Item/cbc:Name",
        }
    )


LINE_PLACES: Final = MappingProxyType({root: _line_places(root) for root in LINE})
