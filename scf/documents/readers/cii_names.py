"""The element names of UN/CEFACT cross industry invoices, and where each field stands.

Two generations are in use: CrossIndustryInvoice (uncefact 100: EN 16931, Factur-X, ZUGFeRD 2,
XRechnung) and its forerunner CrossIndustryDocument of ZUGFeRD 1.0. They differ in namespaces and in
a handful of names, so both are looked up in one table and read by one reader.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, TypeAlias

from lxml import etree

Found: TypeAlias = dict[str, list[Any]]  # the children of one element by name

_STANDARD: Final = "urn:un:unece:uncefact:data:standard:"
_RSM: Final = f"{{{_STANDARD}CrossIndustryInvoice:100}}"
_RAM: Final = f"{{{_STANDARD}ReusableAggregateBusinessInformationEntity:100}}"
_UDT: Final = f"{{{_STANDARD}UnqualifiedDataType:100}}"
_QDT: Final = f"{{{_STANDARD}QualifiedDataType:100}}"
_RSM_1: Final = "{urn:ferd:CrossIndustryDocument:invoice:1p0}"
_RAM_1: Final = f"{{{_STANDARD}ReusableAggregateBusinessInformationEntity:12}}"
_UDT_1: Final = f"{{{_STANDARD}UnqualifiedDataType:15}}"
_QDT_1: Final = f"{{{_STANDARD}QualifiedDataType:12}}"

INVOICE: Final = f"{_RSM}CrossIndustryInvoice"
DOCUMENT: Final = f"{_RSM_1}CrossIndustryDocument"
ROOTS: Final = MappingProxyType(
    {INVOICE: "CrossIndustryInvoice", DOCUMENT: "CrossIndustryDocument"}
)

# The three parts of the message, by the short names used here.
_MESSAGE: Final = MappingProxyType(
    {
        "Context": ("ExchangedDocumentContext", "SpecifiedExchangedDocumentContext"),
        "Header": ("ExchangedDocument", "HeaderExchangedDocument"),
        "Transaction": ("SupplyChainTradeTransaction", "SpecifiedSupplyChainTradeTransaction"),
    }
)
# Parts whose name the newer generation has changed.
_RENAMED: Final = MappingProxyType(
    {
        "Agreement": ("ApplicableHeaderTradeAgreement", "ApplicableSupplyChainTradeAgreement"),
        "Delivery": ("ApplicableHeaderTradeDelivery", "ApplicableSupplyChainTradeDelivery"),
        "Settlement": ("ApplicableHeaderTradeSettlement", "ApplicableSupplyChainTradeSettlement"),
        "LineAgreement": ("SpecifiedLineTradeAgreement", "SpecifiedSupplyChainTradeAgreement"),
        "LineDelivery": ("SpecifiedLineTradeDelivery", "SpecifiedSupplyChainTradeDelivery"),
        "LineSettlement": ("SpecifiedLineTradeSettlement", "SpecifiedSupplyChainTradeSettlement"),
        "Summation": (
            "SpecifiedTradeSettlementHeaderMonetarySummation",
            "SpecifiedTradeSettlementMonetarySummation",
        ),
        "RateApplicablePercent": ("RateApplicablePercent", "ApplicablePercent"),
    }
)
_KEPT: Final = (
    *("LineOne", "PostcodeCode", "CityName", "EmailURIUniversalCommunication"),
    *("ID", "GlobalID", "Name", "TypeCode", "IssueDateTime", "IncludedNote", "Content"),
    *("SubjectCode", "TestIndicator", "GuidelineSpecifiedDocumentContextParameter"),
    *("IncludedSupplyChainTradeLineItem", "BuyerReference", "SellerTradeParty"),
    *("BuyerTradeParty", "SellerOrderReferencedDocument", "BuyerOrderReferencedDocument"),
    *("ContractReferencedDocument", "ActualDeliverySupplyChainEvent", "OccurrenceDateTime"),
    *("DespatchAdviceReferencedDocument", "ReceivingAdviceReferencedDocument"),
    *("CreditorReferenceID", "PaymentReference", "TaxCurrencyCode", "InvoiceCurrencyCode"),
    *("PayeeTradeParty", "SpecifiedTradeSettlementPaymentMeans", "ApplicableTradeTax"),
    *("SpecifiedTradeAllowanceCharge", "SpecifiedLogisticsServiceCharge", "AppliedAmount"),
    *("SpecifiedTradePaymentTerms", "Description", "DueDateDateTime", "ChargeIndicator"),
    *("AdditionalReferencedDocument", "ReferenceTypeCode"),
    *("InvoiceReferencedDocument", "IssuerAssignedID", "FormattedIssueDateTime"),
    *("SpecifiedLegalOrganization", "TradingBusinessName", "PostalTradeAddress", "CountryID"),
    *("URIUniversalCommunication", "URIID", "SpecifiedTaxRegistration", "DefinedTradeContact"),
    *("PersonName", "PayeePartyCreditorFinancialAccount", "IBANID", "AccountName"),
    *("ProprietaryID", "PayeeSpecifiedCreditorFinancialInstitution", "BICID"),
    *("CalculatedAmount", "BasisAmount", "CategoryCode", "ActualAmount", "LineTotalAmount"),
    *("ChargeTotalAmount", "AllowanceTotalAmount", "TaxBasisTotalAmount", "TaxTotalAmount"),
    *("GrandTotalAmount", "TotalPrepaidAmount", "RoundingAmount", "DuePayableAmount"),
    *("AssociatedDocumentLineDocument", "LineID", "LineStatusReasonCode"),
    *("SpecifiedTradeProduct", "SellerAssignedID", "BuyerAssignedID"),
    *("NetPriceProductTradePrice", "GrossPriceProductTradePrice", "ChargeAmount"),
    *("BasisQuantity", "BilledQuantity"),
)


def _names() -> dict[str, str]:
    known = {
        f"{_RAM}SpecifiedTradeSettlementLineMonetarySummation": "Summation",
    }
    for values, generation in (
        ((_RSM, _RAM, _UDT, _QDT), 0),
        ((_RSM_1, _RAM_1, _UDT_1, _QDT_1), 1),
    ):
        rsm, ram, udt, qdt = values
        known |= {rsm + names[generation]: short for short, names in _MESSAGE.items()}
        known |= {ram + names[generation]: short for short, names in _RENAMED.items()}
        known |= {ram + name: name for name in _KEPT}
        known |= {
            space + name: name
            for space in (udt, qdt)
            for name in ("DateTimeString", "DateTime", "Indicator")
        }
    return known


_NAMES: Final = _names()


def grouped(element: etree._Element) -> Found:
    """Give the children of an element by name, in document order; unknown ones are left out."""
    found: Found = {}
    for child in element:
        name = _NAMES.get(child.tag)
        if name is None:
            continue
        if name in found:
            found[name].append(child)
        else:
            found[name] = [child]
    return found


def _paths(generation: int) -> MappingProxyType[str, str]:
    """Spell the path of every field as a person would write it in XPath."""
    header = "rsm:" + _MESSAGE["Header"][generation]
    transaction = "rsm:" + _MESSAGE["Transaction"][generation]
    agreement, delivery, settlement, total = (
        _RENAMED[short][generation]
        for short in ("Agreement", "Delivery", "Settlement", "Summation")
    )
    agreement = f"{transaction}/ram:{agreement}"
    settlement = f"{transaction}/ram:{settlement}"
    total = f"{settlement}/ram:{total}"
    number = "IssuerAssignedID" if generation == 0 else "ID"
    return MappingProxyType(
        {
            "number": f"{header}/ram:ID",
            "type_code": f"{header}/ram:TypeCode",
            "issue_on": f"{header}/ram:IssueDateTime",
            "notes": f"{header}/ram:IncludedNote",
            "profile": f"rsm:{_MESSAGE['Context'][generation]}",
            "parts": transaction,
            "seller": f"{agreement}/ram:SellerTradeParty",
            "buyer": f"{agreement}/ram:BuyerTradeParty",
            "buyer_reference": f"{agreement}/ram:BuyerReference",
            "order_reference": f"{agreement}/ram:BuyerOrderReferencedDocument/ram:{number}",
            "sales_order_reference": f"{agreement}/ram:SellerOrderReferencedDocument/ram:{number}",
            "tax_identity": f"{agreement}/ram:AdditionalReferencedDocument/ram:{number}",
            "contract_reference": f"{agreement}/ram:ContractReferencedDocument/ram:{number}",
            "delivered_on": f"{transaction}/ram:{delivery}/ram:ActualDeliverySupplyChainEvent",
            "despatch_references": f"{transaction}/ram:{delivery}"
            "/ram:DespatchAdviceReferencedDocument",
            "receipt_references": f"{transaction}/ram:{delivery}"
            "/ram:ReceivingAdviceReferencedDocument",
            "currency": f"{settlement}/ram:InvoiceCurrencyCode",
            "payee": f"{settlement}/ram:PayeeTradeParty",
            "payment_reference": f"{settlement}/ram:PaymentReference",
            "accounts": f"{settlement}/ram:SpecifiedTradeSettlementPaymentMeans"
            "/ram:PayeePartyCreditorFinancialAccount",
            "payment_terms": f"{settlement}/ram:SpecifiedTradePaymentTerms",
            "due_on": f"{settlement}/ram:SpecifiedTradePaymentTerms/ram:DueDateDateTime",
            "tax_subtotals": f"{settlement}/ram:ApplicableTradeTax",
            "billing_references": f"{settlement}/ram:InvoiceReferencedDocument",
            "listed": f"{settlement}/ram:SpecifiedTradeAllowanceCharge",
            "totals": total,
            "tax": f"{total}/ram:TaxTotalAmount",
            **{field: f"{total}/ram:{name}" for name, field in TOTALS.items()},
        }
    )


def _line_paths(generation: int) -> MappingProxyType[str, str]:
    agreement, delivery, settlement = (
        _RENAMED[short][generation] for short in ("LineAgreement", "LineDelivery", "LineSettlement")
    )
    total = "SpecifiedTradeSettlementLineMonetarySummation" if generation == 0 else (
        _RENAMED["Summation"][generation]
    )  # fmt: skip
    return MappingProxyType(
        {
            "": f"rsm:{_MESSAGE['Transaction'][generation]}/ram:IncludedSupplyChainTradeLineItem",
            "line_id": "ram:AssociatedDocumentLineDocument/ram:LineID",
            "note": "ram:AssociatedDocumentLineDocument/ram:IncludedNote",
            "item_name": "ram:SpecifiedTradeProduct",
            "order_line": f"ram:{agreement}/ram:BuyerOrderReferencedDocument",
            "price": f"ram:{agreement}/ram:NetPriceProductTradePrice",
            "quantity": f"ram:{delivery}/ram:BilledQuantity",
            "receipt_line": f"ram:{delivery}/ram:ReceivingAdviceReferencedDocument",
            "allowance": f"ram:{settlement}/ram:SpecifiedTradeAllowanceCharge",
            "tax": f"ram:{settlement}/ram:ApplicableTradeTax",
            "invoice_reference": f"ram:{settlement}/ram:InvoiceReferencedDocument",
            "net": f"ram:{settlement}/ram:{total}/ram:LineTotalAmount",
        }
    )


# The amounts of the summation, each of which may stand there once.
TOTALS: Final = MappingProxyType(
    {
        "LineTotalAmount": "lines",
        "ChargeTotalAmount": "charge",
        "AllowanceTotalAmount": "allowance",
        "TaxBasisTotalAmount": "net",
        "GrandTotalAmount": "gross",
        "TotalPrepaidAmount": "prepaid",
        "RoundingAmount": "rounding",
        "DuePayableAmount": "payable",
    }
)
PLACES: Final = MappingProxyType({INVOICE: _paths(0), DOCUMENT: _paths(1)})
LINE_PLACES: Final = MappingProxyType({INVOICE: _line_paths(0), DOCUMENT: _line_paths(1)})
