"""Remittance advice and notice of assignment in UBL 2.1.

UBL has no notice of assignment. The debtor's system takes the invoice itself once more, with the
type code of a factored invoice and the new payee: that is what PayeeParty is for. Source: OASIS UBL
2.1, RemittanceAdvice and Invoice; UNTDID 1001 code 393; UNTDID 4461 code 30, credit transfer.
"""

from typing import Final

from lxml import etree

from scf.accounting.advices.reading import Advice, Assignment, Paper
from scf.accounting.writers.harmless import one_line
from scf.accounting.writers.saft import Company
from scf.kernel.money import format_minor
from scf.kernel.xml import Element

_URN: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC: Final = f"{_URN}CommonAggregateComponents-2"
CBC: Final = f"{_URN}CommonBasicComponents-2"
FACTORED: Final = "393"
INVOICE: Final = "380"
_CREDIT_TRANSFER: Final = "30"
# English, as the data of a message between programs; people read the printed advice.
WORDS: Final = {
    "face": "Face value of the invoice",
    "reserve": "Reserve kept back until the buyer has paid",
    "discount": "Discount",
    "fee": "Service fee",
    "tax": "Tax on the fee",
    "advance": "Paid early",
    "seller": "Rest of an invoice",
    "payer": "Paid back",
    "rebate": "Rebate for early repayment",
    "surplus": "Rest after what was financed",
    "excess": "Paid more than was owed",
}


def to_remittance_advice(advice: Advice) -> bytes:
    """Write what a payment is made of: debit lines are paid, credit lines are kept back."""
    root = _root("RemittanceAdvice")
    paid = sum(part.amount_minor for part in advice.parts if part.amount_minor > 0)
    _basic(root, "UBLVersionID", "2.1")
    _basic(root, "ID", advice.reference)
    _basic(root, "IssueDate", advice.paid_on.isoformat())
    if not advice.settled:
        _basic(root, "Note", "The order is with the bank, which has not booked it yet.")
    _basic(root, "DocumentCurrencyCode", advice.currency)
    _money(root, "TotalDebitAmount", paid, advice.currency)
    _money(root, "TotalCreditAmount", paid - advice.amount_minor, advice.currency)
    _money(root, "TotalPaymentAmount", advice.amount_minor, advice.currency)
    _basic(root, "PaymentOrderReference", advice.reference)
    _basic(root, "LineCountNumeric", str(len(advice.parts)))
    if advice.paper is not None:
        _reference(root, advice.paper)
    _party(_group(root, "AccountingCustomerParty"), "Party", advice.payer)
    _party(_group(root, "AccountingSupplierParty"), "Party", advice.payee)
    _party(root, "PayeeParty", advice.payee)
    _means(root, advice.account, advice.bic, advice.reference)
    for place, part in enumerate(advice.parts, 1):
        line = _group(root, "RemittanceAdviceLine")
        _basic(line, "ID", str(place))
        _basic(line, "Note", WORDS.get(part.kind, part.kind))
        side = "DebitLineAmount" if part.amount_minor > 0 else "CreditLineAmount"
        _money(line, side, abs(part.amount_minor), advice.currency)
        if advice.paper is not None:
            _reference(line, advice.paper)
    return _bytes(root)


def to_assignment(assignment: Assignment) -> bytes:
    """Write the invoice as its debtor's system needs it: what is left to pay, and to whom."""
    root, paper, currency = _root("Invoice"), assignment.paper, assignment.currency
    words = (
        "Notice of assignment: this invoice has been assigned. Only a payment to the payee named "
        "here discharges it."
    )
    _basic(root, "UBLVersionID", "2.1")
    _basic(root, "ID", paper.number)
    _basic(root, "IssueDate", paper.issue_on.isoformat())
    if assignment.due_on is not None:
        _basic(root, "DueDate", assignment.due_on.isoformat())
    _basic(root, "InvoiceTypeCode", FACTORED)
    _basic(root, "Note", words)
    _basic(root, "DocumentCurrencyCode", currency)
    _reference(root, paper)
    _party(_group(root, "AccountingSupplierParty"), "Party", paper.seller)
    _party(_group(root, "AccountingCustomerParty"), "Party", paper.buyer)
    _party(root, "PayeeParty", assignment.payee)
    _means(root, assignment.account, assignment.bic, paper.number)
    total = _group(root, "LegalMonetaryTotal")
    _money(total, "TaxInclusiveAmount", paper.face_minor, currency)
    if paper.face_minor > assignment.owed_minor:
        _money(total, "PrepaidAmount", paper.face_minor - assignment.owed_minor, currency)
    _money(total, "PayableAmount", assignment.owed_minor, currency)
    line = _group(root, "InvoiceLine")
    _basic(line, "ID", "1")
    _money(line, "LineExtensionAmount", paper.face_minor, currency)
    _basic(_group(line, "Item"), "Name", f"As invoice {paper.number}")
    return _bytes(root)


def _root(name: str) -> Element:
    space = f"{_URN}{name}-2"
    return etree.Element(f"{{{space}}}{name}", nsmap={None: space, "cac": CAC, "cbc": CBC})


def _bytes(root: Element) -> bytes:
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def _group(parent: Element, name: str) -> Element:
    return etree.SubElement(parent, f"{{{CAC}}}{name}")


def _basic(parent: Element, name: str, text: str) -> Element:
    node = etree.SubElement(parent, f"{{{CBC}}}{name}")
    node.text = one_line(text) or "-"
    return node


def _money(parent: Element, name: str, minor: int, currency: str) -> None:
    _basic(parent, name, format_minor(minor, currency)).set("currencyID", currency)


def _reference(parent: Element, paper: Paper) -> None:
    document = _group(_group(parent, "BillingReference"), "InvoiceDocumentReference")
    _basic(document, "ID", paper.number)
    _basic(document, "IssueDate", paper.issue_on.isoformat())
    _basic(document, "DocumentTypeCode", INVOICE)


def _party(parent: Element, name: str, company: Company) -> None:
    party = _group(parent, name)
    if company.registration:
        _basic(_group(party, "PartyIdentification"), "ID", company.registration)
    _basic(_group(party, "PartyName"), "Name", company.name)
    if company.address or company.country:
        address = _group(party, "PostalAddress")
        if company.address:
            _basic(_group(address, "AddressLine"), "Line", company.address)
        if company.country:
            _basic(_group(address, "Country"), "IdentificationCode", company.country)
    if company.tax_number:
        scheme = _group(party, "PartyTaxScheme")
        _basic(scheme, "CompanyID", company.tax_number)
        _basic(_group(scheme, "TaxScheme"), "ID", "VAT")


def _means(parent: Element, account: str, bic: str, reference: str) -> None:
    if not account:
        return
    means = _group(parent, "PaymentMeans")
    _basic(means, "PaymentMeansCode", _CREDIT_TRANSFER)
    _basic(means, "PaymentID", reference)
    payee = _group(means, "PayeeFinancialAccount")
    _basic(payee, "ID", account)
    if bic:
        _basic(_group(payee, "FinancialInstitutionBranch"), "ID", bic)
