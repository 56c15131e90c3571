"""Read the UBL 2 documents of trade, from the order to the reminder.

A document is read in one walk over the children of its root. Whatever stands where it may stand
once is counted, so a second payable amount or number is refused and never silently chosen.
Versions 2.0 to 2.4 share their namespaces; invoices and credit notes are held to the 2.1 schema,
which accepts 2.0. A document that declares a later version may use elements that 2.1 does not
know, so there a violation of the schema is a warning and our own rules decide.

Source: OASIS Universal Business Language 2.1, the documents named in ``ubl_names.SHAPES``;
UNTDID 4343 and 1229 for the words of an answer to an order.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any, Final, TypeAlias

from lxml import etree

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Kind,
    Party,
    Reference,
    Source,
    TaxSubtotal,
)
from scf.documents.fingerprints import worldwide_id
from scf.documents.readers import ubl_names as names
from scf.documents.readers.derived import (
    compare_allowances,
    compare_tax,
    derive_totals,
    refer_by_lines,
)
from scf.documents.readers.schema import schema_findings
from scf.documents.readers.ubl_lines import read_line
from scf.documents.readers.ubl_names import cac, cbc, prefixed
from scf.documents.readers.ubl_parts import (
    Scope,
    child_text,
    read_allowance,
    read_party,
    read_payment_means,
    read_reference,
)
from scf.documents.taxcheck.schemes import SCHEMES, identity_of
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS

MAX_NOTES: Final = 20
MAX_NOTE: Final = 2000
MAX_SEQUENCE: Final = 9  # digits

_Children: TypeAlias = dict[str, list[Any]]  # the elements of the root by tag
_TAX_AMOUNT, _TAXABLE = cbc("TaxAmount"), cbc("TaxableAmount")
_SUBTOTAL, _CATEGORY = cac("TaxSubtotal"), cac("TaxCategory")
_NOTES: Final = (cbc("Note"), cbc("CancellationNote"), cbc("RejectionNote"))
_DOCUMENT_TAGS: Final = tuple(names.ROOTS)


def is_ubl(root: etree._Element) -> bool:
    """Tell whether the root is one of the documents read here."""
    return root.tag in names.ROOTS


def read_ubl(root: etree._Element) -> tuple[CanonicalDocument, list[Finding], frozenset[str]]:
    """Read a parsed UBL document.

    Returns the document, what was found while reading, and the fields that stood there but could
    not be read (so that the rules do not report them missing as well).
    """
    root_name, kind = names.ROOTS[root.tag]
    source = Source("ubl", 0, root_name, names.PLACES[root_name], names.LINE_PLACES[root_name])
    scope = Scope(root_name, source)
    children: _Children = defaultdict(list)
    for child in root:
        children[child.tag].append(child)
    version = _version(children)
    scope.findings += schema_findings(
        root, root_name, Severity.WARNING if version > (2, 1) else Severity.ERROR
    )
    _refuse_doubles(scope, children)
    _refuse_nested(scope, root)
    fields: dict[str, Any] = {"kind": kind, "source": source}
    _read_currency(scope, root_name, children, fields)
    _read_identity(scope, root_name, children, fields)
    _read_word(scope, children, fields)
    _read_parties(scope, root_name, children, fields)
    _read_totals(scope, root_name, children, fields)
    _read_tax(scope, children, fields)
    _read_references(scope, children, fields)
    _read_payment(scope, children, fields)
    _read_delivery(scope, children, fields)
    fields["lines"] = tuple(
        read_line(scope, line, position)
        for position, line in enumerate(children.get(names.LINE[root_name], ()), start=1)
    )
    refer_by_lines(fields)
    derive_totals(fields)
    return CanonicalDocument(**fields), scope.findings, frozenset(scope.unread)


def _version(children: _Children) -> tuple[int, ...]:
    """Read the declared version; an unreadable one counts as 2.1, the strictest reading."""
    stated = children.get(cbc("UBLVersionID"), ())
    text = (stated[0].text or "").strip() if stated else ""
    known = {"2.2": (2, 2), "2.3": (2, 3), "2.4": (2, 4)}
    return known.get(text, (2, 1))


def _refuse_doubles(scope: Scope, children: _Children) -> None:
    for tag, found in children.items():
        if len(found) > 1 and tag in names.SINGLE:
            scope.error(
                "ELEMENT_TWICE",
                Words(
                    "%(element)s may stand in the document once and stands there %(count)s times.",
                    element=prefixed(tag),
                    count=len(found),
                ),
                f"/{scope.root}/{prefixed(tag)}",
                " | ".join(" ".join((one.text or "").split()) for one in found[:5]),
            )


def _refuse_nested(scope: Scope, root: etree._Element) -> None:
    """Refuse a document inside the document: a signature could cover the one, we read the other."""
    walk = root.iter(*_DOCUMENT_TAGS)
    next(walk)
    inner = next(walk, None)
    if inner is not None:
        scope.error(
            "DOCUMENT_NESTED",
            "A document stands inside the document.",
            f"line {inner.sourceline}",
            prefixed(inner.tag),
        )


def _read_currency(
    scope: Scope, root_name: str, children: _Children, fields: dict[str, Any]
) -> None:
    stated = children.get(cbc("DocumentCurrencyCode"), ())
    currency = scope.text(stated[0], "currency") if stated else ""
    if not currency:
        currency = _currency_of_total(root_name, children)
        if currency:
            scope.add(
                Severity.INFO,
                "CURRENCY_FROM_TOTAL",
                "The document states no currency; that of its payable amount is taken.",
                fields["source"].place("currency"),
                currency,
            )
    fields["currency"] = currency
    # Amounts are read only in a currency whose minor unit is known.
    scope.currency = currency if currency in EXPONENTS else ""
    tax = children.get(cbc("TaxCurrencyCode"), ())
    fields["tax_currency"] = scope.text(tax[0]) if tax else ""


def _currency_of_total(root_name: str, children: _Children) -> str:
    for total in children.get(names.ACCOUNT_TOTAL.get(root_name, ""), ()):
        return str(total.get("currencyID", ""))
    for total in children.get(names.TOTAL[root_name], ()):
        for child in total:
            if child.tag == cbc("PayableAmount"):
                return str(child.get("currencyID", ""))
    return ""


def _read_identity(
    scope: Scope, root_name: str, children: _Children, fields: dict[str, Any]
) -> None:
    for name, tag in (
        ("number", cbc("ID")),
        ("type_code", names.TYPE_CODE[root_name]),
        ("profile", cbc("CustomizationID")),
        ("buyer_reference", cbc("BuyerReference")),
        ("sales_order_reference", cbc("SalesOrderID")),
    ):
        found = children.get(tag, ())
        if found:
            fields[name] = scope.text(found[0], name)
    fields["uuid"] = worldwide_id(next(map(scope.text, children.get(cbc("UUID"), ())), ""))
    for name, tag in (("issue_on", cbc("IssueDate")), ("due_on", cbc("DueDate"))):
        found = children.get(tag, ())
        if found:
            fields[name] = scope.date(found[0], name)
    stated = names.TYPE_STATED.get(root_name)
    if stated is not None and not fields.get("type_code"):
        fields["type_code"] = stated
    texts = [scope.text(note, "notes") for tag in _NOTES for note in children.get(tag, ())]
    fields["notes"] = tuple(text[:MAX_NOTE] for text in texts[:MAX_NOTES] if text)


def _read_word(scope: Scope, children: _Children, fields: dict[str, Any]) -> None:
    """Read what an answer says of its order, and which of several changes this one is."""
    if fields["kind"] is Kind.ORDER_RESPONSE:
        simple = children.get(cbc("AcceptedIndicator"), ())
        code = scope.text(simple[0], "word") if simple else fields.get("type_code", "")
        fields["word"] = names.WORDS.get(code, "")
        if code and not fields["word"]:
            scope.error("ANSWER_UNKNOWN", "This answer to an order is not known.",
                        scope.source.place("word"), code)  # fmt: skip
    counted = children.get(cbc("SequenceNumberID"), ())
    if counted:
        text = scope.text(counted[0], "sequence")
        if text.isascii() and text.isdigit() and len(text) <= MAX_SEQUENCE:
            fields["sequence"] = int(text)
        else:
            scope.error("NUMBER", "This is no plain count.", scope.source.place("sequence"), text)


def _read_parties(
    scope: Scope, root_name: str, children: _Children, fields: dict[str, Any]
) -> None:
    for name, tags in (("seller", names.SELLER[root_name]), ("buyer", names.BUYER[root_name])):
        wrapper = next((children[tag][0] for tag in tags if tag in children), None)
        fields[name] = read_party(scope, wrapper, name) if wrapper is not None else Party()
    payee = children.get(cac("PayeeParty"), ())
    if payee:
        fields["payee"] = read_party(scope, payee[0], "payee")


def _read_totals(scope: Scope, root_name: str, children: _Children, fields: dict[str, Any]) -> None:
    totals = children.get(names.TOTAL[root_name], ())
    if totals:
        for child in totals[0]:
            name = names.TOTAL_FIELDS.get(child.tag)
            if name is None:
                continue
            if f"{name}_minor" in fields:
                scope.error(
                    "ELEMENT_TWICE",
                    Words("%(element)s stands there twice.", element=prefixed(child.tag)),
                    fields["source"].place(name),
                    " ".join((child.text or "").split()),
                )
                continue
            fields[f"{name}_minor"] = scope.amount(child, name)
    for element in children.get(names.ACCOUNT_TOTAL.get(root_name, ""), ()):
        fields["payable_minor"] = scope.amount(element, "payable")
    listed: dict[str, list[int]] = {"charge": [], "allowance": []}
    for element in children.get(cac("AllowanceCharge"), ()):
        is_charge, amount = read_allowance(scope, element)
        listed["charge" if is_charge else "allowance"].append(amount or 0)
    if "allowance" not in scope.unread:
        compare_allowances(scope, listed, fields)


def _read_tax(scope: Scope, children: _Children, fields: dict[str, Any]) -> None:
    total: int | None = None
    subtotals: list[TaxSubtotal] = []
    for element in children.get(cac("TaxTotal"), ()):
        if _in_tax_currency(scope, element, fields["tax_currency"]):
            continue
        amounts = [child for child in element if child.tag == _TAX_AMOUNT]
        if len(amounts) != 1:
            scope.unread.add("tax")
            scope.error(
                "TAX_TOTAL", "A tax total has exactly one amount.", fields["source"].place("tax")
            )
            continue
        amount = scope.amount(amounts[0], "tax")
        total = (total or 0) + (amount or 0)
        parts = [_read_subtotal(scope, child) for child in element if child.tag == _SUBTOTAL]
        subtotals += parts
        compare_tax(scope, parts, amount)
    if "tax" not in scope.unread:
        fields["tax_minor"] = total
    fields["tax_subtotals"] = tuple(subtotals)
    withheld = children.get(cac("WithholdingTaxTotal"), ())
    if withheld:
        fields["withheld_minor"] = sum(
            scope.amount(child, "withheld") or 0
            for element in withheld
            for child in element
            if child.tag == _TAX_AMOUNT
        )


def _in_tax_currency(scope: Scope, element: etree._Element, tax_currency: str) -> bool:
    """Tell whether this is the second tax total, in the currency in which the tax is declared."""
    if not tax_currency or tax_currency == scope.currency:
        return False
    return any(
        child.tag == _TAX_AMOUNT and child.get("currencyID") == tax_currency for child in element
    )


def _read_subtotal(scope: Scope, element: etree._Element) -> TaxSubtotal:
    category = percent = ""
    taxable = tax = None
    for child in element:
        tag = child.tag
        if tag == _TAXABLE:
            taxable = scope.amount(child, "tax_subtotals")
        elif tag == _TAX_AMOUNT:
            tax = scope.amount(child, "tax_subtotals")
        elif tag == cbc("Percent"):
            percent = percent or scope.decimal(child, "tax_subtotals")
        elif tag == _CATEGORY:
            for part in child:
                if part.tag == cbc("ID"):
                    category = scope.text(part, "tax_subtotals")
                elif part.tag == cbc("Percent"):
                    percent = scope.decimal(part, "tax_subtotals")
    return TaxSubtotal(category, percent, taxable, tax)


def _read_references(scope: Scope, children: _Children, fields: dict[str, Any]) -> None:
    orders = children.get(cac("OrderReference"), ())
    if orders:
        # A receipt may name several orders; then its lines say which is meant.
        numbers = {child_text(scope, order, cbc("ID"), "order_reference") for order in orders}
        fields["order_reference"] = numbers.pop() if len(numbers) == 1 else ""
        fields.setdefault(
            "sales_order_reference",
            child_text(scope, orders[0], cbc("SalesOrderID"), "order_reference"),
        )
    for name, tag in (
        ("despatch_references", cac("DespatchDocumentReference")),
        ("receipt_references", cac("ReceiptDocumentReference")),
    ):
        found = children.get(tag, ())
        if found:
            fields[name] = tuple(read_reference(scope, one, name).number for one in found)
    contracts = [
        *children.get(cac("ContractDocumentReference"), ()),
        *children.get(cac("Contract"), ()),
    ]
    if contracts:
        fields["contract_reference"] = read_reference(
            scope, contracts[0], "contract_reference"
        ).number
    for reference in children.get(cac("AdditionalDocumentReference"), ()):
        number = next((child for child in reference if child.tag == cbc("ID")), None)
        scheme = number.get("schemeID", "") if number is not None else ""
        # UBL has no element for it: the register's name is the scheme of the reference.
        if number is not None and scheme.lower() in SCHEMES:
            fields["tax_identity"] = identity_of(scheme, scope.text(number, "tax_identity"))
    billed: list[Reference] = []
    for reference in children.get(cac("BillingReference"), ()):
        billed += (
            read_reference(scope, child, "billing_references")
            for child in reference
            if child.tag == cac("InvoiceDocumentReference")
        )
    fields["billing_references"] = tuple(one for one in billed if one.number)


def _read_payment(scope: Scope, children: _Children, fields: dict[str, Any]) -> None:
    accounts: dict[Account, None] = {}
    dues: set[dt.date] = set()
    for element in children.get(cac("PaymentMeans"), ()):
        account, reference, due = read_payment_means(scope, element)
        if account is not None:
            accounts[account] = None
        if reference:
            fields.setdefault("payment_reference", reference)
        if due is not None:
            dues.add(due)
    fields["accounts"] = tuple(accounts)
    fields["payment_terms"] = _read_terms(scope, children, dues)
    # Credit notes and UBL 2.0 say the due date here; two different ones say none.
    if fields.get("due_on") is None and len(dues) == 1 and "due_on" not in scope.unread:
        fields["due_on"] = dues.pop()
    paid_by_others = sum(
        scope.amount(child, "third_party") or 0
        for element in children.get(cac("PrepaidPayment"), ())
        for child in element
        if child.tag == cbc("PaidAmount")
    )
    if paid_by_others:
        fields["third_party_minor"] = paid_by_others


def _read_terms(scope: Scope, children: _Children, dues: set[dt.date]) -> str:
    """Give the terms in words, and add the due dates that they state as dates."""
    terms: list[str] = []
    for element in children.get(cac("PaymentTerms"), ()):
        for child in element:
            if child.tag == cbc("Note"):
                terms.append(scope.text(child, "payment_terms"))
            elif child.tag == cbc("PaymentDueDate"):
                due = scope.date(child, "due_on")
                if due is not None:
                    dues.add(due)
    return " ".join(text for text in terms if text)[:MAX_NOTE]


def _read_delivery(scope: Scope, children: _Children, fields: dict[str, Any]) -> None:
    days: list[dt.date] = []
    for element in children.get(cac("Delivery"), ()):
        for child in element:
            if child.tag == cbc("ActualDeliveryDate"):
                day = scope.date(child, "delivered_on")
                if day is not None:
                    days.append(day)
    if days:
        # Several deliveries on one invoice: it is complete with the last of them.
        fields["delivered_on"] = max(days)


__all__ = ["Kind", "is_ubl", "read_ubl"]
