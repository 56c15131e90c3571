"""One shape for every trade document, whatever format it arrived in.

A reader turns bytes into these values and nothing else: no database, no clock, no settings. An
order, a receipt, an invoice, a credit note and a plain payment line all have the same fields, so
the rules in ``checks`` and everything after them are written once.

Amounts are integer minor units of ``currency``; quantities and prices stay exact decimal text,
since they are multiplied once and never stored as money.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import format_minor

_NOWHERE: Final[Mapping[str, str]] = MappingProxyType({})


def _nowhere() -> Mapping[str, str]:
    return _NOWHERE


class Kind(StrEnum):
    """What a document is; the type code says what sort of it.

    A debit note is an invoice of type 383. The kinds after PAYMENT claim nothing: they change or
    answer an order, announce goods or money, or remind of what is open.
    """

    ORDER = "order"
    RECEIPT = "receipt"
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    ORDER_RESPONSE = "order_response"
    ORDER_CHANGE = "order_change"
    ORDER_CANCELLATION = "order_cancellation"
    DESPATCH = "despatch"
    REMITTANCE = "remittance"
    STATEMENT = "statement"
    REMINDER = "reminder"


# What a sender may say that a file holds; what is said to hold invoices may hold credit notes too.
DocumentType = Literal["order", "invoice", "credit_note", "payment"]

# What claims nothing and is kept as a message about an order or about invoices.
MESSAGES: Final = frozenset(
    {
        Kind.ORDER_RESPONSE,
        Kind.ORDER_CHANGE,
        Kind.ORDER_CANCELLATION,
        Kind.DESPATCH,
        Kind.REMITTANCE,
        Kind.STATEMENT,
        Kind.REMINDER,
    }
)


class Word(StrEnum):
    """What an answer or a change says of an order or of one line of it."""

    ACCEPTED = "accepted"
    CHANGED = "changed"
    REFUSED = "refused"
    ADDED = "added"
    CANCELLED = "cancelled"
    NOTED = "noted"  # acknowledged, and nothing promised


def side_name(kind: Kind, side: str) -> Words:
    """Call a party of a document by what it does there; of a payment, the seller is the payee."""
    if kind is Kind.PAYMENT:
        return Words("payee") if side == "seller" else Words("payer")
    return Words("seller") if side == "seller" else Words("buyer")


class Identifier(NamedTuple):
    """A number by which a firm is known.

    ``scheme`` is ``lei``, ``vat``, ``uscc``, ``gln``, ``duns``, ``sepa``, ``reg:<country or ICD>``
    (a company register), ``endpoint:<EAS>`` (an electronic address), ``tax:<scheme>`` (a tax that
    is no VAT), ``id:<ICD>`` or plain ``id`` (a number that only the two parties understand).
    """

    scheme: str
    value: str


class Account(NamedTuple):
    """Where the document asks to be paid. ``number`` is an account that is no IBAN."""

    iban: str = ""
    bic: str = ""
    number: str = ""
    holder: str = ""


class Reference(NamedTuple):
    """Another document by its number, with its date where that is stated."""

    number: str
    issue_on: dt.date | None = None


class TaxSubtotal(NamedTuple):
    """The tax of one category and rate; ``percent`` is exact decimal text or empty."""

    category: str
    percent: str
    taxable_minor: int | None
    tax_minor: int | None


class TaxIdentity(NamedTuple):
    """Under what a tax authority knows an invoice; which fields it takes, its scheme says."""

    scheme: str
    code: str = ""
    number: str = ""
    check_code: str = ""


class Party(NamedTuple):
    """A firm as the document names it; who it really is, the parties slice decides."""

    name: str = ""
    country: str = ""
    identifiers: tuple[Identifier, ...] = ()
    trading_name: str = ""
    address: str = ""  # street, postcode and town in one line
    mail: str = ""  # the domain of its mailbox; whose it is, is nobody's business here

    @property
    def is_blank(self) -> bool:
        """Tell whether the document says nothing about the firm."""
        return not self.name and not self.identifiers

    def identifier(self, scheme: str) -> str:
        """Give the first number of a scheme, or an empty text."""
        return next((value for kind, value in self.identifiers if kind == scheme), "")


class Line(NamedTuple):
    """One position of a document.

    ``quantity`` is the ordered, despatched, received, invoiced or credited quantity, by the
    document's kind; ``rejected_quantity`` and ``short_quantity`` occur on receipts only, ``word``
    on answers to and changes of orders. A line of a remittance, statement or reminder names an
    invoice; its ``net_minor`` is paid or asked for (below zero: credited).
    """

    line_id: str = ""
    item_name: str = ""
    item_ids: tuple[Identifier, ...] = ()
    quantity: str = ""
    unit: str = ""
    price: str = ""
    price_quantity: str = ""
    net_minor: int | None = None
    allowance_minor: int = 0
    charge_minor: int = 0
    order_line: str = ""
    order_reference: str = ""
    receipt_line: str = ""
    invoice_reference: str = ""
    tax_category: str = ""
    tax_percent: str = ""
    rejected_quantity: str = ""
    short_quantity: str = ""
    delivered_on: dt.date | None = None
    note: str = ""
    word: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document stood in its file, so that a finding can point at the field.

    ``row`` is the row of a table file (0 for XML); ``places`` and ``line_places`` name the path or
    the column of every field. The two maps are shared by all documents of a file. A message of an
    interchange has no root: its own maps say the segment of a field ("" the first one), and of a
    line by its position.
    """

    format: str = ""
    row: int = 0
    root: str = ""
    places: Mapping[str, str] = field(default_factory=_nowhere, compare=False)
    line_places: Mapping[str, str] = field(default_factory=_nowhere, compare=False)

    def place(self, name: str) -> str:
        """Say where a field stands: an XML path, or row and column."""
        where = self.places.get(name, "")
        if self.row:
            return f"row {self.row}, column {where or name}"
        if not self.root:  # EDI: the places are words, and what has none stands in the message
            return where or (f"{self.places['']}: {name}" if "" in self.places else name)
        return f"/{self.root}/{where or name}"

    def line_place(self, position: int, name: str) -> str:
        """Say where a field of the line at this position (from 1) stands."""
        if not self.root and not self.row:
            return f"{self.line_places.get(str(position), f'line {position}')}: {name}"
        where = self.line_places.get(name, "")
        if self.row:
            return f"row {self.row}, line {position}, column {where or name}"
        base = self.line_places.get("", "line")
        return f"/{self.root}/{base}[{position}]/{where or name}"


class CanonicalDocument(NamedTuple):
    """A trade document, read and understood but not yet stored.

    On a payment ``buyer`` is who paid, ``seller`` who was paid, ``issue_on`` the day it was paid,
    ``number`` the reference, and a negative ``payable_minor`` is a refund.

    A tuple, because a frozen dataclass of forty fields costs four times as much to make.
    """

    kind: Kind
    number: str = ""
    issue_on: dt.date | None = None
    currency: str = ""
    seller: Party = Party()
    buyer: Party = Party()
    payable_minor: int | None = None
    type_code: str = ""
    due_on: dt.date | None = None
    payee: Party | None = None
    gross_minor: int | None = None
    net_minor: int | None = None
    tax_minor: int | None = None
    lines_minor: int | None = None
    allowance_minor: int | None = None
    charge_minor: int | None = None
    prepaid_minor: int | None = None
    rounding_minor: int | None = None
    withheld_minor: int | None = None
    third_party_minor: int | None = None
    tax_currency: str = ""
    tax_subtotals: tuple[TaxSubtotal, ...] = ()
    order_reference: str = ""
    sales_order_reference: str = ""
    contract_reference: str = ""
    despatch_references: tuple[str, ...] = ()
    receipt_references: tuple[str, ...] = ()
    billing_references: tuple[Reference, ...] = ()
    buyer_reference: str = ""
    delivered_on: dt.date | None = None
    accounts: tuple[Account, ...] = ()
    payment_reference: str = ""
    payment_terms: str = ""
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    profile: str = ""
    tax_identity: TaxIdentity | None = None
    uuid: str = ""  # as fingerprints.worldwide_id spells it
    word: str = ""  # of an answer to an order as a whole
    sequence: int = 0  # which change of an order this is, where the sender counts them
    source: Source = Source()
    findings: tuple[Finding, ...] = ()

    def place(self, name: str) -> str:
        """Say where a field of this document stands in its file."""
        return self.source.place(name)

    def with_findings(self, findings: tuple[Finding, ...]) -> CanonicalDocument:
        """Give the document with what was found."""
        return self._replace(findings=findings)


@dataclass(frozen=True, slots=True)
class ParsedFile:
    """What a file came to: the documents that may be stored, and everything that was found.

    A document with an ERROR is not in ``documents``; it is counted in ``refused``, and where a file
    holds many, ``refusals`` has the findings of each one. The warnings of a document stand both in
    its own ``findings`` and in those of the file.
    """

    documents: tuple[CanonicalDocument, ...] = ()
    findings: tuple[Finding, ...] = ()
    format: str = ""
    refused: int = 0
    refusals: tuple[tuple[Finding, ...], ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Give the findings that keep something out."""
        return tuple(found for found in self.findings if found.severity == Severity.ERROR)


def amount_text(document: CanonicalDocument, minor: int) -> str:
    """Write an amount of the document as people read it: "14000.00 EUR"."""
    return f"{format_minor(minor, document.currency)} {document.currency}"


def blocks(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    """Tell whether any finding keeps the document out."""
    return any(found.severity == Severity.ERROR for found in findings)
