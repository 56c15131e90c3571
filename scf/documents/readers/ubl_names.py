"""The element names of UBL 2 that the reader understands, and where each field stands.

lxml spells a name with its namespace in braces; spelling them once here keeps the loops of the
reader to one comparison per element.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from scf.documents.canonical import Kind, Word

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


class Shape(NamedTuple):
    """How one kind of UBL document names its parts; an empty name: it has no such part."""

    kind: Kind
    type_code: str = ""
    line: str = ""
    quantity: str = ""
    total: str = ""
    seller: tuple[str, ...] = ("SellerSupplierParty",)
    buyer: tuple[str, ...] = ("BuyerCustomerParty",)


_CREDITOR: Final = ("AccountingSupplierParty",)
_DEBTOR: Final = ("AccountingCustomerParty",)
_INVOICE: Final = Shape(
    Kind.INVOICE, "InvoiceTypeCode", "InvoiceLine", "InvoicedQuantity", "LegalMonetaryTotal",
            _CREDITOR, _DEBTOR,
)  # fmt: skip
_CREDIT: Final = Shape(
    Kind.CREDIT_NOTE, "CreditNoteTypeCode", "CreditNoteLine", "CreditedQuantity",
    "LegalMonetaryTotal", _CREDITOR, _DEBTOR,
)  # fmt: skip
_ORDER: Final = Shape(
    Kind.ORDER, "OrderTypeCode", "OrderLine", "Quantity", "AnticipatedMonetaryTotal"
)
SHAPES: Final = MappingProxyType(
    {
        "Invoice": _INVOICE,
        "SelfBilledInvoice": _INVOICE,
        "CreditNote": _CREDIT,
        "SelfBilledCreditNote": _CREDIT,
        "DebitNote": Shape(
            Kind.INVOICE, "", "DebitNoteLine", "DebitedQuantity", "RequestedMonetaryTotal",
            _CREDITOR, _DEBTOR,
        ),
        "Order": _ORDER,
        "OrderChange": _ORDER._replace(kind=Kind.ORDER_CHANGE, type_code=""),
        "OrderResponse": Shape(
            Kind.ORDER_RESPONSE, "OrderResponseCode", "OrderLine", "Quantity", "LegalMonetaryTotal"
        ),
        "OrderResponseSimple": Shape(Kind.ORDER_RESPONSE),
        "OrderCancellation": Shape(Kind.ORDER_CANCELLATION),
        "DespatchAdvice": Shape(
            Kind.DESPATCH, "DespatchAdviceTypeCode", "DespatchLine", "DeliveredQuantity",
            seller=("SellerSupplierParty", "DespatchSupplierParty"),
            buyer=("BuyerCustomerParty", "DeliveryCustomerParty"),
        ),
        "ReceiptAdvice": Shape(
            Kind.RECEIPT, "ReceiptAdviceTypeCode", "ReceiptLine", "ReceivedQuantity",
            seller=("SellerSupplierParty", "DespatchSupplierParty"),
            buyer=("BuyerCustomerParty", "DeliveryCustomerParty"),
        ),
        "RemittanceAdvice": Shape(
            Kind.REMITTANCE, "", "RemittanceAdviceLine", "", "", _CREDITOR, _DEBTOR
        ),
        "Statement": Shape(
            Kind.STATEMENT, "StatementTypeCode", "StatementLine", "", "", _CREDITOR, _DEBTOR
        ),
        "Reminder": Shape(
            Kind.REMINDER, "ReminderTypeCode", "ReminderLine", "", "LegalMonetaryTotal",
            _CREDITOR, _DEBTOR,
        ),
    }
)  # fmt: skip
# What a document is by its root, where it states no type code of its own (UNTDID 1001).
TYPE_STATED: Final = MappingProxyType(
    {"SelfBilledInvoice": "389", "SelfBilledCreditNote": "261", "DebitNote": "383"}
)
# Answers to a whole order (UNTDID 4343, or yes and no) and to one line (UNTDID 1229, or UBL 2.0).
WORDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("AP", "Accepted", "true", "1"), Word.ACCEPTED),
        **dict.fromkeys(("CA", "AC", "Conditional"), Word.CHANGED),
        **dict.fromkeys(("RE", "NA", "Rejected", "false", "0"), Word.REFUSED),
        "AB": Word.NOTED,
    }
)
LINE_WORDS: Final = MappingProxyType(
    {
        **dict.fromkeys(("1", "Added"), Word.ADDED),
        **dict.fromkeys(("2", "Cancelled"), Word.CANCELLED),
        **dict.fromkeys(("3", "6", "Revised"), Word.CHANGED),
        "5": Word.ACCEPTED,
        **dict.fromkeys(("7", "Disputed"), Word.REFUSED),
    }
)

ROOTS: Final = MappingProxyType(
    {f"{{{NAMESPACE}{root}-2}}{root}": (root, shape.kind) for root, shape in SHAPES.items()}
)


def _spelt(field: str, spell: Callable[[str], str]) -> MappingProxyType[str, str]:
    return MappingProxyType(
        {
            root: spell(name) if (name := getattr(shape, field)) else ""
            for root, shape in SHAPES.items()
        }
    )


TYPE_CODE: Final = _spelt("type_code", cbc)
LINE: Final = _spelt("line", cac)
TOTAL: Final = _spelt("total", cac)
QUANTITY: Final = _spelt("quantity", cbc)
SELLER: Final = MappingProxyType(
    {root: tuple(cac(name) for name in shape.seller) for root, shape in SHAPES.items()}
)
BUYER: Final = MappingProxyType(
    {root: tuple(cac(name) for name in shape.buyer) for root, shape in SHAPES.items()}
)
# Lines of orders, and of what answers or changes them, wrap one item each.
WRAPPED: Final = frozenset({"Order", "OrderChange", "OrderResponse"})
# What these come to stands in the root itself.
ACCOUNT_TOTAL: Final = MappingProxyType(
    {
        "RemittanceAdvice": cbc("TotalPaymentAmount"),
        "Statement": cbc("TotalBalanceAmount"),
    }
)

# Elements of the root that may stand there once. The schema says so for invoices and credit
# notes; orders, receipts and newer versions of UBL are held to it by this list.
SINGLE: Final = frozenset(
    {
        *(cbc(name) for name in ("ID", "UUID", "IssueDate", "IssueTime", "DueDate")),
        *(cbc(name) for name in ("DocumentCurrencyCode", "TaxCurrencyCode", "BuyerReference")),
        *(cbc(name) for name in ("CustomizationID", "ProfileID", "UBLVersionID", "SalesOrderID")),
        *(cbc(name) for name in ("SequenceNumberID", "AcceptedIndicator")),
        *ACCOUNT_TOTAL.values(),
        *(name for name in TYPE_CODE.values() if name),
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
            "word": prefixed(TYPE_CODE[root]) or "cbc:AcceptedIndicator",
            "sequence": "cbc:SequenceNumberID",
            "tax": "cac:TaxTotal/cbc:TaxAmount",
            "tax_subtotals": "cac:TaxTotal/cac:TaxSubtotal",
            "withheld": "cac:WithholdingTaxTotal/cbc:TaxAmount",
            "third_party": "cac:PrepaidPayment/cbc:PaidAmount",
            "order_reference": "cac:OrderReference/cbc:ID",
            "billing_references": "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID",
            "accounts": "cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID",
            "delivered_on": "cac:Delivery/cbc:ActualDeliveryDate",
            **{name: f"{total}/{path}" for name, path in _TOTAL_PLACES.items()},
            **({"payable": prefixed(ACCOUNT_TOTAL[root])} if root in ACCOUNT_TOTAL else {}),
        }
    )


PLACES: Final = MappingProxyType({root: _places(root) for root in LINE})


def _line_places(root: str) -> MappingProxyType[str, str]:
    inner = "cac:LineItem/" if root in WRAPPED else ""
    net = "cbc:LineExtensionAmount" if QUANTITY[root] else "cbc:DebitLineAmount"
    return MappingProxyType(
        {
            "": prefixed(LINE[root]),
            "line_id": f"{inner}cbc:ID",
            "quantity": inner + prefixed(QUANTITY[root]),
            "net": inner + net,
            "price": f"{inner}cac:Price/cbc:PriceAmount",
            "item_name": f"{inner}cac:Item/cbc:Name",
        }
    )


LINE_PLACES: Final = MappingProxyType({root: _line_places(root) for root in LINE})
