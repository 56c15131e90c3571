"""A book as a Standard Audit File for Tax in the shape of the OECD's schema 2.0.

Header, accounts with opening and closing balances, customers and suppliers, and every entry with
its totals; one currency a file, because the platform books no rate between two. Source: OECD,
Standard Audit File for Tax 2.0 (2010), sections Header, MasterFiles, GeneralLedgerEntries.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, Literal

from lxml import etree

from scf.accounting.journal import BalanceLine, JournalLine
from scf.accounting.writers.harmless import one_line
from scf.kernel.money import format_minor
from scf.kernel.xml import Element

SPACE: Final = "urn:OECD:StandardAuditFile-Taxation/2.00"
VERSION: Final = "2.00"
_SHORT, _MIDDLE, _WIDE, _LONG = 18, 35, 70, 256
_KINDS: Final = {"asset": "Asset", "liability": "Liability", "income": "Sale", "expense": "Expense"}
Side = Literal["Customer", "Supplier"]
# On which accounts an amount is owed by or to whom: side of the file, and role in the invoice.
PARTIES: Final[Mapping[str, tuple[Side, str]]] = {
    "trade_receivables": ("Customer", "buyer"),
    "receivables_purchased": ("Customer", "buyer"),
    "penalty_receivable": ("Customer", "buyer"),
    "loans_to_sellers": ("Customer", "seller"),
    "interest_receivable": ("Customer", "seller"),
    "due_from_sellers_repurchase": ("Customer", "seller"),
    "due_to_sellers_reserve": ("Customer", "seller"),
    "trade_payables": ("Supplier", "seller"),
    "borrowings": ("Supplier", "financier"),
    "due_from_factor": ("Supplier", "financier"),
    "due_to_factor_repurchase": ("Supplier", "financier"),
    "accrued_interest": ("Supplier", "financier"),
    "payables_in_supplier_finance_arrangement": ("Supplier", "financier"),
    "accrued_penalty": ("Supplier", "financier"),
}


@dataclass(frozen=True, slots=True)
class Company:
    """A firm as the file names it: our id, its name, register number, tax number, address."""

    id: str
    name: str
    registration: str = ""
    tax_number: str = ""
    address: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Audit:
    """What the file is about: whose book, which days, both included, and what is known besides.

    ``parties`` is by subject the firm of each role (buyer, seller, financier); ``standard`` the
    account of the standard chart by our code, where the firm has said it.
    """

    company: Company
    currency: str
    from_on: dt.date
    to_on: dt.date
    made_on: dt.date
    software: str
    opening: Sequence[BalanceLine]
    closing: Sequence[BalanceLine]
    companies: Mapping[str, Company] = field(default_factory=dict)
    parties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    papers: Mapping[str, str] = field(default_factory=dict)
    standard: Mapping[str, str] = field(default_factory=dict)


def to_saft(lines: Iterable[JournalLine], audit: Audit) -> bytes:
    """Write the file, UTF-8; the same book, days and day of making give the same bytes."""
    every = [line for line in lines if line.currency == audit.currency]
    root = etree.Element(f"{{{SPACE}}}AuditFile", nsmap={None: SPACE})
    _header(_add(root, "Header"), audit)
    masters = _add(root, "MasterFiles")
    _accounts(_add(masters, "GeneralLedgerAccounts"), audit)
    sides: tuple[Side, ...] = ("Customer", "Supplier")
    for side in sides:
        known = sorted({party for line in every if (party := _party(line, audit, side))})
        if known:
            group = _add(masters, f"{side}s")
            for party in known:
                one = _add(group, side)
                _company(one, audit.companies[party])
                _add(one, f"{side}ID", _short_id(party))
    _entries(_add(root, "GeneralLedgerEntries"), every, audit)
    data: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return data


def _header(head: Element, audit: Audit) -> None:
    _add(head, "AuditFileVersion", VERSION)
    _add(head, "AuditFileCountry", audit.company.country or "ZZ")
    _add(head, "AuditFileDateCreated", audit.made_on.isoformat())
    _add(head, "SoftwareCompanyName", "Tributary")
    _add(head, "SoftwareID", "Tributary")
    _add(head, "SoftwareVersion", audit.software, _SHORT)
    _company(_add(head, "Company"), audit.company, always=True)
    _add(head, "DefaultCurrencyCode", audit.currency)
    days = _add(head, "SelectionCriteria")
    _add(days, "SelectionStartDate", audit.from_on.isoformat())
    _add(days, "SelectionEndDate", audit.to_on.isoformat())
    _add(head, "HeaderComment", "What supply-chain finance changes of the books, not all of them.")
    _add(head, "TaxAccountingBasis", "A")


def _company(node: Element, company: Company, *, always: bool = False) -> None:
    if company.registration or always:
        _add(node, "RegistrationNumber", company.registration or _short_id(company.id), _MIDDLE)
    _add(node, "Name", company.name, _WIDE)
    address = _add(node, "Address")
    if company.address:
        _add(address, "AdditionalAddressDetail", company.address, _WIDE)
    if company.country:
        _add(address, "Country", company.country)
    if company.tax_number:
        _add(_add(node, "TaxRegistration"), "TaxRegistrationNumber", company.tax_number, _MIDDLE)


def _accounts(node: Element, audit: Audit) -> None:
    opening = {line.account_code: line for line in audit.opening if line.currency == audit.currency}
    for line in audit.closing:
        if line.currency != audit.currency:
            continue
        account = _add(node, "Account")
        _add(account, "AccountID", line.account_code, _WIDE)
        _add(account, "AccountDescription", line.account_name, _LONG)
        if line.account_code in audit.standard:
            _add(account, "StandardAccountID", audit.standard[line.account_code], _MIDDLE)
        _add(account, "AccountType", _KINDS.get(line.account_kind, "Other"))
        before = opening.get(line.account_code)
        for when, minor in (
            ("Opening", before.balance_minor if before else 0),
            ("Closing", line.balance_minor),
        ):
            side = "Debit" if minor >= 0 else "Credit"
            _add(account, f"{when}{side}Balance", format_minor(abs(minor), audit.currency))


def _entries(node: Element, lines: list[JournalLine], audit: Audit) -> None:
    groups = [list(group) for _id, group in groupby(lines, key=lambda line: line.entry_id)]
    debit = sum(line.amount_minor for line in lines if line.amount_minor > 0)
    credit = -sum(line.amount_minor for line in lines if line.amount_minor < 0)
    _add(node, "NumberOfEntries", str(len(groups)))
    _add(node, "TotalDebit", format_minor(debit, audit.currency))
    _add(node, "TotalCredit", format_minor(credit, audit.currency))
    if not groups:
        return
    journal = _add(node, "Journal")
    _add(journal, "JournalID", "SCF")
    _add(journal, "Description", "Supply-chain finance")
    _add(journal, "Type", "GL")
    for entry in groups:
        _entry(_add(journal, "Transaction"), entry, audit)


def _entry(node: Element, entry: list[JournalLine], audit: Audit) -> None:
    head = entry[0]
    words = head.narrative or head.event_kind
    _add(node, "TransactionID", head.entry_id, _WIDE)
    _add(node, "Period", str(head.booked_on.month))
    _add(node, "PeriodYear", str(head.booked_on.year))
    _add(node, "TransactionDate", head.booked_on.isoformat())
    _add(node, "TransactionType", head.event_kind, _SHORT)
    _add(node, "Description", words, _LONG)
    _add(node, "BatchID", _short_id(head.event_id), _MIDDLE)
    _add(node, "SystemEntryDate", head.booked_on.isoformat())
    _add(node, "GLPostingDate", head.booked_on.isoformat())
    for line in entry:
        one = _add(node, "Line")
        _add(one, "RecordID", str(line.place + 1))
        _add(one, "AccountID", line.account_code, _WIDE)
        _add(one, "ValueDate", line.value_on.isoformat())
        if paper := audit.papers.get(line.subject_id):
            _add(one, "SourceDocumentID", paper, _MIDDLE)
        side = PARTIES.get(line.account_code, ("", ""))[0]
        if side and (party := _party(line, audit, side)):
            _add(one, f"{side}ID", _short_id(party))
        _add(one, "Description", words, _LONG)
        amount = _add(one, "DebitAmount" if line.amount_minor > 0 else "CreditAmount")
        _add(amount, "Amount", format_minor(abs(line.amount_minor), line.currency))


def _party(line: JournalLine, audit: Audit, side: str) -> str:
    """Give the firm that owes or is owed what stands on a line, where it is known."""
    where, role = PARTIES.get(line.account_code, ("", ""))
    party = audit.parties.get(line.subject_id, {}).get(role, "") if where == side else ""
    return party if party in audit.companies else ""


def _short_id(text: str) -> str:
    """Write an id within 35 signs; ours have 36 with their dashes."""
    return one_line(text).replace("-", "")[:_MIDDLE]


def _add(parent: Element, name: str, text: str | None = None, most: int = _LONG) -> Element:
    node = etree.SubElement(parent, f"{{{SPACE}}}{name}")
    if text is not None:
        node.text = one_line(text)[:most].rstrip() or "-"
    return node
