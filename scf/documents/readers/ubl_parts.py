"""The parts that all UBL documents share: amounts, parties, accounts, allowances, references.

Each function takes one element and a ``Scope``, which knows the document's currency and collects
what is wrong, so that a document gives all its findings at once.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from lxml import etree

from scf.documents.canonical import Account, Identifier, Party, Reference, Source
from scf.documents.readers.text import plain_decimal, squeeze, xml_date
from scf.documents.readers.ubl_names import cac, cbc
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import parse_minor

MAX_FINDINGS: Final = 100

_ID, _NAME, _COMPANY_ID = cbc("ID"), cbc("Name"), cbc("CompanyID")
_REGISTRATION_NAME = cbc("RegistrationName")
_PARTY, _PARTY_NAME = cac("Party"), cac("PartyName")
_PARTY_IDENTIFICATION, _PARTY_TAX = cac("PartyIdentification"), cac("PartyTaxScheme")
_PARTY_LEGAL, _ENDPOINT = cac("PartyLegalEntity"), cbc("EndpointID")
_ADDRESS, _REGISTERED = cac("PostalAddress"), cac("RegistrationAddress")
_COUNTRY, _COUNTRY_CODE = cac("Country"), cbc("IdentificationCode")
_TAX_SCHEME, _PERSON = cac("TaxScheme"), cac("Person")
_PLACE: Final = {
    tag: at for at, tag in enumerate(map(cbc, ("StreetName", "PostalZone", "CityName")))
}
_CONTACT, _MAIL = cac("Contact"), cbc("ElectronicMail")
_HIDDEN: Final = ("Cc", "Cf", "Cs", "Co", "Cn")
_MOST_ADDRESS: Final = 200
_FIRST_NAME, _FAMILY_NAME = cbc("FirstName"), cbc("FamilyName")
_ACCOUNT, _BRANCH = cac("PayeeFinancialAccount"), cac("FinancialInstitutionBranch")
_INSTITUTION, _PAYMENT_ID = cac("FinancialInstitution"), cbc("PaymentID")
_PAYMENT_DUE = cbc("PaymentDueDate")
_INDICATOR, _AMOUNT, _ISSUE_DATE = cbc("ChargeIndicator"), cbc("Amount"), cbc("IssueDate")

# ISO 6523 codes of registers that have a name of their own here.
_REGISTERS: Final = {
    "0088": "gln",
    "0199": "lei",
    "0060": "duns",
    "GLN": "gln",
    "GS1": "gln",
    "LEI": "lei",
    "DUNS": "duns",
    "VAT": "vat",
    "VA": "vat",
    "SEPA": "sepa",
    "USCC": "uscc",
}
_USCC = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_COUNTRY_TEXT = re.compile(r"[A-Za-z]{2}")
_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,8}")
_VAT_LAYOUT = re.compile(r"[\s.\-/]")


@lru_cache(maxsize=4096)  # a document states its totals two or three times
def _minor(text: str, currency: str) -> int:
    try:
        return parse_minor(text, currency, signed=True)
    except InvalidInput:
        # XML may write what money may not: "+7.5", ".50", "-0.00" are decimals there.
        plain = plain_decimal(text)
        if plain is None:
            raise
        return parse_minor(plain, currency, signed=True)


class Scope:
    """One document being read: its currency, what was found, and which fields could not be read."""

    __slots__ = ("currency", "findings", "root", "source", "unread")

    def __init__(self, root: str, source: Source) -> None:
        self.root = root
        self.source = source
        self.currency = ""
        self.findings: list[Finding] = []
        self.unread: set[str] = set()

    def add(self, severity: Severity, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding; past the cap only the first hundred are of use to anybody."""
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(severity, code, message, place, value))

    def error(self, code: str, message: str, place: str, value: str = "") -> None:
        """Record a finding that keeps the document out."""
        self.add(Severity.ERROR, code, message, place, value)

    def place(self, name: str, position: int) -> str:
        """Say where a field stands, in the header or in a line."""
        return self.source.line_place(position, name) if position else self.source.place(name)

    def text(self, element: etree._Element, name: str = "", position: int = 0) -> str:
        """Give the text of an element, refusing one that has elements inside it."""
        if len(element):
            # lxml would silently end the text at the first inner element.
            self.error(
                "TEXT_WITH_ELEMENTS", "A value has elements inside it.", self.place(name, position)
            )
            return ""
        return squeeze(element.text)

    def date(self, element: etree._Element, name: str, position: int = 0) -> dt.date | None:
        """Read a date, refusing what is no day of our time."""
        text = self.text(element, name, position)
        day = xml_date(text)
        if day is None:
            self.unread.add(name)
            self.error(
                "DATE",
                "A date is written YYYY-MM-DD and lies between 1980 and 2199.",
                self.place(name, position),
                text,
            )
        return day

    def decimal(self, element: etree._Element, name: str, position: int = 0) -> str:
        """Read a quantity, price or percentage as exact decimal text."""
        text = self.text(element, name, position)
        plain = plain_decimal(text)
        if plain is None:
            self.error("NUMBER", "This is no plain decimal.", self.place(name, position), text)
            return ""
        return plain

    def price(self, element: etree._Element, stated: str, position: int) -> str:
        """Read the price of a line as exact decimal text, refusing one in another currency."""
        if self.currency and stated != self.currency:
            self.error(
                "CURRENCY_MIXED",
                Words(
                    "The document is in %(currency)s, this price in another currency.",
                    currency=self.currency,
                ),
                self.place("price", position),
                stated,
            )
        return self.decimal(element, "price", position)

    def amount(self, element: etree._Element, name: str, position: int = 0) -> int | None:
        """Read an amount of the document's currency, in minor units."""
        return self.amount_in(element, element.get("currencyID", ""), name, position)

    def amount_in(
        self, element: etree._Element, stated: str, name: str, position: int
    ) -> int | None:
        """Read an amount that states its currency, or that of which it is understood."""
        if not self.currency:
            self.unread.add(name)
            return None
        if stated != self.currency:
            self._wrong_currency(stated, name, position)
            return None
        text = self.text(element, name, position)
        try:
            return _minor(text, self.currency)
        except InvalidInput as refusal:
            self.unread.add(name)
            self.error(refusal.code, refusal.message, self.place(name, position), text)
            return None

    def _wrong_currency(self, stated: str, name: str, position: int) -> None:
        self.unread.add(name)
        place = self.place(name, position) + "/@currencyID"
        if stated:
            message = Words(
                "The document is in %(currency)s, this amount in another currency.",
                currency=self.currency,
            )
            self.error("CURRENCY_MIXED", message, place, stated)
        else:
            self.error("CURRENCY_MISSING", "The amount does not state its currency.", place)


def read_party(scope: Scope, wrapper: etree._Element, name: str) -> Party:
    """Read a party, whether it is wrapped (``AccountingSupplierParty``) or not (``PayeeParty``)."""
    inner = [child for child in wrapper if child.tag == _PARTY]
    if len(inner) > 1:
        scope.error("ELEMENT_TWICE", "The party stands there twice.", scope.source.place(name))
    element = inner[0] if inner else wrapper
    names: dict[str, str] = {}
    numbers: list[tuple[str, str, str]] = []  # what for, scheme, value
    country = address = ""
    for child in element:
        tag = child.tag
        if tag == _ENDPOINT:
            numbers.append(("endpoint", child.get("schemeID", ""), scope.text(child, name)))
        elif tag == _PARTY_IDENTIFICATION:
            numbers += (
                ("id", number.get("schemeID", ""), scope.text(number, name))
                for number in child
                if number.tag == _ID
            )
        elif tag == _PARTY_NAME:
            names.setdefault("trading", _first_text(scope, child, _NAME, name))
        elif tag == _ADDRESS:
            country = _country_of(scope, child, name)
            address = _address_of(child)
        elif tag == _PARTY_TAX:
            _read_tax_scheme(scope, child, name, names, numbers)
        elif tag == _PARTY_LEGAL:
            country = _read_legal_entity(scope, child, name, names, numbers) or country
        elif tag == _PERSON:
            person = (_first_text(scope, child, part, name) for part in (_FIRST_NAME, _FAMILY_NAME))
            names.setdefault("person", " ".join(part for part in person if part))
    country = named_country(scope, country, name)
    called = [names.get(kind, "") for kind in ("legal", "trading", "taxed", "person")]
    legal = next((text for text in called if text), "")
    trading = names.get("trading", "")
    return Party(
        name=legal,
        country=country,
        identifiers=identifiers(numbers, country),
        trading_name=trading if trading != legal else "",
        address=address,
        mail=_mail_of(element),
    )


def one_line(parts: Iterable[str]) -> str:
    """Write an address in one line; it helps to recognise a firm and decides nothing."""
    text = ", ".join(part for part in (" ".join(part.split()) for part in parts) if part)
    if not text.isascii():
        text = "".join(char for char in text if unicodedata.category(char) not in _HIDDEN)
    return text[:_MOST_ADDRESS]


@lru_cache(maxsize=4096)
def mail_domain(address: str) -> str:
    """Give the domain of a mail address; who sits behind it is nobody's business here."""
    _, at, domain = address.strip().lower().rpartition("@")
    return domain if at and _DOMAIN.fullmatch(domain) else ""


def _address_of(element: etree._Element) -> str:
    found = ["", "", ""]
    for child in element:
        at = _PLACE.get(child.tag)
        if at is not None:
            found[at] = child.text or ""
    return one_line(found)


def _mail_of(party: etree._Element) -> str:
    for contact in party:
        if contact.tag == _CONTACT:
            mails = (child.text or "" for child in contact if child.tag == _MAIL)
            return mail_domain(next(mails, ""))
    return ""


def named_country(scope: Scope, text: str, name: str) -> str:
    """Give the two letters of a country; anything else is told and left out."""
    country = text.upper()
    if country and not _COUNTRY_TEXT.fullmatch(country):
        message = "A country is two letters of ISO 3166."
        scope.add(Severity.WARNING, "COUNTRY", message, scope.source.place(name), country)
        return ""
    return country


def _read_tax_scheme(
    scope: Scope,
    element: etree._Element,
    name: str,
    names: dict[str, str],
    numbers: list[tuple[str, str, str]],
) -> None:
    number = scheme = ""
    for child in element:
        tag = child.tag
        if tag == _COMPANY_ID:
            number = scope.text(child, name)
        elif tag == _TAX_SCHEME:
            scheme = _first_text(scope, child, _ID, name)
        elif tag == _REGISTRATION_NAME:
            names.setdefault("taxed", scope.text(child, name))
    numbers.append(("tax", scheme, number))


def _read_legal_entity(
    scope: Scope,
    element: etree._Element,
    name: str,
    names: dict[str, str],
    numbers: list[tuple[str, str, str]],
) -> str:
    country = ""
    for child in element:
        tag = child.tag
        if tag == _REGISTRATION_NAME:
            names.setdefault("legal", scope.text(child, name))
        elif tag == _COMPANY_ID:
            numbers.append(("reg", child.get("schemeID", ""), scope.text(child, name)))
        elif tag == _REGISTERED:
            country = _country_of(scope, child, name)
    return country


def identifiers(numbers: Iterable[tuple[str, str, str]], country: str) -> tuple[Identifier, ...]:
    """Name the register of every number: what for, scheme as written, value as written."""
    named: dict[Identifier, None] = {}
    for purpose, scheme, raw in numbers:
        value = raw.strip()
        if not value:
            continue
        code = scheme.strip().upper()
        if purpose == "endpoint":
            kind = f"endpoint:{code}" if code else "endpoint"
        elif purpose == "tax":
            # "UK VAT" and "VAT" occur; a national tax number has another scheme.
            kind = "vat" if not code or "VAT" in code or code == "VA" else _tax_scheme(code)
        elif country == "CN" and _USCC.fullmatch(value.upper()):
            kind = "uscc"
        elif code in _REGISTERS:
            kind = _REGISTERS[code]
        elif purpose == "reg":
            kind = f"reg:{code or country}" if code or country else "reg"
        else:
            kind = f"id:{code}" if code else "id"
        named[Identifier(kind, _tidy(kind, value, country))] = None
    return tuple(named)


def _tax_scheme(code: str) -> str:
    """Name a tax other than VAT; EN 16931 lets UBL write anything for the local tax number."""
    named = code if code.isalnum() and code != "ID" else "FC"
    return f"tax:{named.lower()}"


def _tidy(kind: str, value: str, country: str) -> str:
    if kind == "vat":
        if country == "CN" and _USCC.fullmatch(value.upper()):
            return value.upper()
        return _VAT_LAYOUT.sub("", value).upper()
    if kind in ("lei", "uscc"):
        return value.replace(" ", "").upper()
    if kind in ("gln", "duns"):
        return value.replace(" ", "").replace("-", "")
    return value


def _country_of(scope: Scope, address: etree._Element, name: str) -> str:
    for child in address:
        if child.tag == _COUNTRY:
            return _first_text(scope, child, _COUNTRY_CODE, name)
    return ""


def _first_text(scope: Scope, parent: etree._Element, tag: str, name: str) -> str:
    for child in parent:
        if child.tag == tag:
            return scope.text(child, name)
    return ""


def child_text(scope: Scope, parent: etree._Element, tag: str, name: str, position: int = 0) -> str:
    """Give the text of the only child of that name, or an empty text."""
    found = [child for child in parent if child.tag == tag]
    if len(found) > 1:
        scope.error("ELEMENT_TWICE", "The value stands there twice.", scope.place(name, position))
    return scope.text(found[0], name, position) if found else ""


def read_reference(scope: Scope, element: etree._Element, name: str) -> Reference:
    """Read a document reference: its number and, where stated, its date."""
    number = child_text(scope, element, _ID, name)
    issued = next((child for child in element if child.tag == _ISSUE_DATE), None)
    return Reference(number, scope.date(issued, name) if issued is not None else None)


def read_allowance(
    scope: Scope, element: etree._Element, position: int = 0
) -> tuple[bool, int | None]:
    """Read an allowance or charge: whether it is a charge, and its amount."""
    indicator, amount = "", None
    seen = 0
    for child in element:
        if child.tag == _INDICATOR:
            indicator = scope.text(child)
            seen += 1
        elif child.tag == _AMOUNT:
            amount = scope.amount(child, "allowance", position)
            seen += 1
    if seen > 2 or indicator not in ("true", "false", "1", "0"):  # noqa: PLR2004 - the two above
        scope.error(
            "ALLOWANCE",
            "An allowance or charge needs one indicator (true, false) and one amount.",
            scope.place("allowance", position),
            indicator,
        )
    return indicator in ("true", "1"), amount


def read_payment_means(
    scope: Scope, element: etree._Element
) -> tuple[Account | None, str, dt.date | None]:
    """Read one way of paying: the account, the reference to quote, and the day it is due."""
    account: Account | None = None
    reference = ""
    due: dt.date | None = None
    for child in element:
        tag = child.tag
        if tag == _ACCOUNT:
            account = _read_account(scope, child)
        elif tag == _PAYMENT_ID and not reference:
            reference = scope.text(child)
        elif tag == _PAYMENT_DUE:
            due = scope.date(child, "due_on")
    return account, reference, due


def _read_account(scope: Scope, element: etree._Element) -> Account:
    number = holder = bic = ""
    for child in element:
        tag = child.tag
        if tag == _ID:
            number = scope.text(child, "accounts")
        elif tag == _NAME:
            holder = scope.text(child, "accounts")
        elif tag == _BRANCH:
            bic = _first_text(scope, child, _ID, "accounts")
            for inner in child:
                if inner.tag == _INSTITUTION:
                    bic = _first_text(scope, inner, _ID, "accounts") or bic
    return make_account(number, bic, holder)


def make_account(number: str, bic: str, holder: str = "") -> Account:
    """Tell an IBAN from another account number by its form; its check digits are checked later."""
    packed = number.replace(" ", "").upper()
    bic = bic.replace(" ", "").upper()
    if _IBAN.fullmatch(packed):
        return Account(iban=packed, bic=bic, holder=holder)
    return Account(number=number, bic=bic, holder=holder)
