"""Read UN/CEFACT cross industry invoices: EN 16931 in CII, Factur-X, ZUGFeRD and XRechnung.

One message carries invoices and credit notes; its type code says which. The message lets nearly
every element stand any number of times, so whatever may stand once in an invoice is counted here:
a second total or number is refused and never silently chosen.

Source: UN/CEFACT SCRDM cross industry invoice D16B to D22B (namespace version 100), EN 16931-3-3
(mapping of the semantic model), Factur-X 1.0 with its profiles, ZUGFeRD 1.0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from lxml import etree

from scf.documents import checks
from scf.documents.canonical import Account, CanonicalDocument, Kind, Party, Source, TaxSubtotal
from scf.documents.readers import cii_names as names
from scf.documents.readers.cii_lines import read_line
from scf.documents.readers.cii_names import Found, grouped
from scf.documents.readers.cii_parts import (
    CiiScope,
    is_period,
    read_account,
    read_allowance,
    read_party,
    read_reference,
    read_tax_identity,
    warn_of_test,
)
from scf.documents.readers.derived import (
    compare_allowances,
    compare_tax,
    derive_totals,
    refer_by_lines,
)
from scf.documents.readers.schema import schema_findings
from scf.documents.readers.ubl import MAX_NOTE, MAX_NOTES
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS


def is_cii(root: etree._Element) -> bool:
    """Tell whether the root is a cross industry invoice of either generation."""
    return root.tag in names.ROOTS


def read_cii(root: etree._Element) -> tuple[CanonicalDocument, list[Finding], frozenset[str]]:
    """Read a parsed cross industry invoice.

    Returns the document, what was found while reading, and the fields that stood there but could
    not be read (so that the rules do not report them missing as well).
    """
    root_name = names.ROOTS[root.tag]
    places, line_places = names.PLACES[root.tag], names.LINE_PLACES[root.tag]
    source = Source("cii", 0, f"rsm:{root_name}", places, line_places)
    scope = CiiScope(root_name, source)
    scope.findings += schema_findings(root, root_name, Severity.ERROR)
    _refuse_nested(scope, root)
    message = grouped(root)
    transaction = scope.inside(message, "Transaction", "parts")
    agreement = scope.inside(transaction, "Agreement", "parts")
    delivery = scope.inside(transaction, "Delivery", "parts")
    settlement = scope.inside(transaction, "Settlement", "parts")
    fields: dict[str, Any] = {"source": source}
    _read_currency(scope, settlement, fields)
    _read_header(scope, message, fields)
    _read_agreement(scope, agreement, settlement, fields)
    _read_totals(scope, settlement, fields)
    _read_payment(scope, settlement, fields)
    _read_delivery(scope, delivery, fields)
    lines = (
        read_line(scope, line, position)
        for position, line in enumerate(
            transaction.get("IncludedSupplyChainTradeLineItem", ()), start=1
        )
    )
    fields["lines"] = tuple(line for line in lines if line is not None)
    refer_by_lines(fields)
    derive_totals(fields)
    _derive_payable(scope, root_name, fields)
    return CanonicalDocument(**fields), scope.findings, frozenset(scope.unread)


def _derive_payable(scope: CiiScope, root_name: str, fields: dict[str, Any]) -> None:
    """Conclude what the two profiles leave out that cannot state every total.

    Source: ZUGFeRD 1.0, profile BASIC (no amount due); Factur-X 1.0, profile MINIMUM (nothing on
    what was prepaid, BT-113).
    """
    gross, payable = fields.get("gross_minor"), fields.get("payable_minor")
    prepaid = fields.get("prepaid_minor")
    if gross is None:
        return
    if root_name == "CrossIndustryDocument" and payable is None and "payable" not in scope.unread:
        fields["payable_minor"] = gross - (prepaid or 0)
        message = "The profile states no amount to pay; the amount with tax is taken."
        scope.add(Severity.INFO, "PAYABLE_DERIVED", message, scope.source.place("payable"))
    elif fields["profile"].endswith(":minimum") and prepaid is None and payable is not None:
        fields["prepaid_minor"] = gross - payable if gross > payable else None


def _refuse_nested(scope: CiiScope, root: etree._Element) -> None:
    """Refuse a document inside the document: a signature could cover the one, we read the other."""
    walk = root.iter(*names.ROOTS)
    next(walk)
    inner = next(walk, None)
    if inner is not None:
        scope.error(
            "DOCUMENT_NESTED",
            "A document stands inside the document.",
            f"line {inner.sourceline}",
            names.ROOTS[inner.tag],
        )


def _read_currency(scope: CiiScope, settlement: Found, fields: dict[str, Any]) -> None:
    currency = scope.only_text(settlement, "InvoiceCurrencyCode", "currency")
    fields["currency"] = currency
    # Amounts are read only in a currency whose minor unit is known.
    scope.currency = currency if currency in EXPONENTS else ""
    fields["tax_currency"] = scope.only_text(settlement, "TaxCurrencyCode", "currency")


def _read_header(scope: CiiScope, message: Found, fields: dict[str, Any]) -> None:
    context = scope.inside(message, "Context", "profile")
    warn_of_test(scope, context)
    guideline = scope.inside(context, "GuidelineSpecifiedDocumentContextParameter", "profile")
    fields["profile"] = scope.only_text(guideline, "ID", "profile")
    header = scope.inside(message, "Header", "number")
    fields["number"] = scope.only_text(header, "ID", "number")
    code = scope.only_text(header, "TypeCode", "type_code")
    fields["type_code"] = code
    fields["kind"] = Kind.CREDIT_NOTE if code in checks.CREDIT_CODES else Kind.INVOICE
    issued = scope.only(header, "IssueDateTime", "issue_on")
    if issued is not None:
        fields["issue_on"] = scope.date(issued, "issue_on")
    notes = (_read_note(scope, note) for note in header.get("IncludedNote", ())[:MAX_NOTES])
    fields["notes"] = tuple(note[:MAX_NOTE] for note in notes if note)


def _read_note(scope: CiiScope, element: etree._Element) -> str:
    """Give a note as EN 16931 writes it in one text: ``#code of its subject#text``."""
    found = grouped(element)
    text = " ".join(scope.text(one, "notes") for one in found.get("Content", ()))
    subject = scope.only_text(found, "SubjectCode", "notes")
    return f"#{subject}#{text}" if subject and text else text


def _read_agreement(
    scope: CiiScope, agreement: Found, settlement: Found, fields: dict[str, Any]
) -> None:
    """Read who trades with whom, who is paid, and what the invoice refers to."""
    creditor = scope.only_text(settlement, "CreditorReferenceID", "seller")
    for name, tag in (("seller", "SellerTradeParty"), ("buyer", "BuyerTradeParty")):
        element = scope.only(agreement, tag, name)
        number = creditor if name == "seller" else ""
        fields[name] = read_party(scope, element, name, number) if element is not None else Party()
    payee = scope.only(settlement, "PayeeTradeParty", "payee")
    if payee is not None:
        fields["payee"] = read_party(scope, payee, "payee")
    fields["buyer_reference"] = scope.only_text(agreement, "BuyerReference", "buyer_reference")
    for name, tag in (
        ("order_reference", "BuyerOrderReferencedDocument"),
        ("sales_order_reference", "SellerOrderReferencedDocument"),
        ("contract_reference", "ContractReferencedDocument"),
    ):
        element = scope.only(agreement, tag, name)
        if element is not None:
            fields[name] = read_reference(scope, element, name).number
    for one in agreement.get("AdditionalReferencedDocument", ()):
        identity = read_tax_identity(scope, one)
        if identity is not None:
            fields["tax_identity"] = identity
    billed = [
        read_reference(scope, one, "billing_references")
        for one in settlement.get("InvoiceReferencedDocument", ())
    ]
    fields["billing_references"] = tuple(one for one in billed if one.number)


def _read_totals(scope: CiiScope, settlement: Found, fields: dict[str, Any]) -> None:
    total = scope.inside(settlement, "Summation", "totals")
    for tag, name in names.TOTALS.items():
        element = scope.only(total, tag, name)
        if element is not None:
            fields[f"{name}_minor"] = scope.amount(element, name)
    listed: dict[str, list[int]] = {"charge": [], "allowance": []}
    for element in settlement.get("SpecifiedTradeAllowanceCharge", ()):
        is_charge, amount = read_allowance(scope, element)
        listed["charge" if is_charge else "allowance"].append(amount or 0)
    # Freight is a charge that the larger profiles list under a name of its own.
    for element in settlement.get("SpecifiedLogisticsServiceCharge", ()):
        applied = scope.only(grouped(element), "AppliedAmount", "listed")
        if applied is not None:
            listed["charge"].append(scope.amount(applied, "allowance") or 0)
    if "allowance" not in scope.unread:
        compare_allowances(scope, listed, fields)
    subtotals = tuple(_read_tax(scope, one) for one in settlement.get("ApplicableTradeTax", ()))
    fields["tax_subtotals"] = subtotals
    _read_tax_total(scope, total.get("TaxTotalAmount", ()), fields)


def _read_tax(scope: CiiScope, element: etree._Element) -> TaxSubtotal:
    found = grouped(element)
    amounts = []
    for tag in ("BasisAmount", "CalculatedAmount"):
        one = scope.only(found, tag, "tax_subtotals")
        amounts.append(scope.amount(one, "tax_subtotals") if one is not None else None)
    percent = scope.only(found, "RateApplicablePercent", "tax_subtotals")
    return TaxSubtotal(
        scope.only_text(found, "CategoryCode", "tax_subtotals"),
        scope.decimal(percent, "tax_subtotals") if percent is not None else "",
        *amounts,
    )


def _read_tax_total(
    scope: CiiScope, elements: Sequence[etree._Element], fields: dict[str, Any]
) -> None:
    """Read the tax in the currency of the invoice; it may stand there a second time in another."""
    other = fields["tax_currency"] if fields["tax_currency"] != scope.currency else ""
    own = [one for one in elements if not other or one.get("currencyID") != other]
    if len(own) > 1:
        scope.unread.add("tax")
        message = "The tax of an invoice is stated once in its currency."
        values = " | ".join((one.text or "").strip() for one in own[:5])
        scope.error("TAX_TOTAL", message, scope.source.place("tax"), values)
    elif own:
        fields["tax_minor"] = amount = scope.amount(own[0], "tax")
        compare_tax(scope, fields["tax_subtotals"], amount)


def _read_payment(scope: CiiScope, settlement: Found, fields: dict[str, Any]) -> None:
    accounts: dict[Account, None] = {}
    for element in settlement.get("SpecifiedTradeSettlementPaymentMeans", ()):
        account = read_account(scope, element)
        if account is not None:
            accounts[account] = None
    fields["accounts"] = tuple(accounts)
    reference = scope.only_text(settlement, "PaymentReference", "payment_reference")
    fields["payment_reference"] = reference
    terms: list[str] = []
    dues: set[dt.date] = set()
    for element in settlement.get("SpecifiedTradePaymentTerms", ()):
        found = grouped(element)
        terms += (scope.text(one, "payment_terms") for one in found.get("Description", ()))
        due = scope.only(found, "DueDateDateTime", "due_on")
        day = scope.date(due, "due_on") if due is not None else None
        if day is not None:
            dues.add(day)
    fields["payment_terms"] = " ".join(text for text in terms if text)[:MAX_NOTE]
    # An invoice payable in parts has several due dates; then none of them is that of the whole.
    if len(dues) == 1 and "due_on" not in scope.unread:
        fields["due_on"] = dues.pop()


def _read_delivery(scope: CiiScope, delivery: Found, fields: dict[str, Any]) -> None:
    days = [
        scope.date(day, "delivered_on")
        for event in delivery.get("ActualDeliverySupplyChainEvent", ())
        for day in grouped(event).get("OccurrenceDateTime", ())
        if not is_period(day)
    ]
    known = [day for day in days if day is not None]
    if known:
        # Several deliveries on one invoice: it is complete with the last of them.
        fields["delivered_on"] = max(known)
    for name, tag in (
        ("despatch_references", "DespatchAdviceReferencedDocument"),
        ("receipt_references", "ReceivingAdviceReferencedDocument"),
    ):
        numbers = [read_reference(scope, one, name).number for one in delivery.get(tag, ())]
        fields[name] = tuple(number for number in numbers if number)
