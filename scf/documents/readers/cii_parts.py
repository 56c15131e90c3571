"""The parts that cross industry invoices share: dates, parties, accounts, allowances, references.

CII lets nearly everything stand any number of times; EN 16931 lets it stand once. ``only`` holds a
document to that, so that a second amount or number is refused and never silently chosen.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from lxml import etree

from scf.documents.canonical import Account, Party, Reference, TaxIdentity
from scf.documents.readers.cii_names import Found, grouped
from scf.documents.readers.text import plausible_date, xml_date
from scf.documents.readers.ubl_parts import (
    Scope,
    identifiers,
    mail_domain,
    make_account,
    named_country,
    one_line,
)
from scf.documents.taxcheck.schemes import SCHEMES, identity_of
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

# UNTDID 2379: a day, and a day with a time behind it. A week or a month is no day.
_FORMS: Final = {
    "102": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
    "203": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{4}"),
    "204": re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})[0-9]{6}"),
}
MAX_SHOWN: Final = 5


def is_period(element: etree._Element) -> bool:
    """Tell whether a date names a month or a week, which is no day and no mistake either."""
    return len(element) == 1 and element[0].get("format") in {"610", "616"}


def _plain_day(text: str, form: str) -> dt.date | None:
    pattern = _FORMS.get(form)
    found = pattern.fullmatch(text) if pattern else None
    return plausible_date("-".join(found.groups())) if found else None


class CiiScope(Scope):
    """One cross industry invoice being read."""

    __slots__ = ()

    def only(self, found: Found, name: str, field: str, position: int = 0) -> etree._Element | None:
        """Give the child of that name, refusing a second one."""
        elements = found.get(name)
        if elements is None:
            return None
        if len(elements) > 1:
            self.error(
                "ELEMENT_TWICE",
                Words("%(element)s stands there twice.", element=name),
                self.place(field, position),
                " | ".join(" ".join((one.text or "").split()) for one in elements[:MAX_SHOWN]),
            )
        return elements[0]

    def inside(self, found: Found, name: str, field: str, position: int = 0) -> Found:
        """Give the children of the child of that name, grouped; none if it is not there."""
        element = self.only(found, name, field, position)
        return grouped(element) if element is not None else {}

    def only_text(self, found: Found, name: str, field: str, position: int = 0) -> str:
        """Give the text of the child of that name, or an empty text."""
        element = self.only(found, name, field, position)
        return self.text(element, field, position) if element is not None else ""

    def date(self, element: etree._Element, name: str, position: int = 0) -> dt.date | None:
        """Read a date wrapped in its format, ``DateTimeString format="102"``, or a plain one."""
        text, day = "", None
        if len(element) == 1:
            inner = element[0]
            text = self.text(inner, name, position)
            form = inner.get("format")
            if form is not None:
                day = _plain_day(text, form)
            elif inner.tag.endswith("}DateTime"):
                day = xml_date(text[:10])
        if day is None:
            self.unread.add(name)
            self.error(
                "DATE",
                'A date is written YYYYMMDD with format="102" and lies between 1980 and 2199.',
                self.place(name, position),
                text,
            )
        return day

    def amount(self, element: etree._Element, name: str, position: int = 0) -> int | None:
        """Read an amount; where it names no currency, it is in that of the document."""
        return self.amount_in(element, element.get("currencyID", self.currency), name, position)

    def indicator(self, found: Found, name: str) -> bool | None:
        """Read a yes or no; None where there is none that can be read."""
        wrapped = found.get(name)
        if not wrapped or len(wrapped) > 1 or len(wrapped[0]) != 1:
            return None
        text = (wrapped[0][0].text or "").strip()
        return {"true": True, "1": True, "false": False, "0": False}.get(text)


def read_party(scope: CiiScope, element: etree._Element, name: str, creditor: str = "") -> Party:
    """Read a party; ``creditor`` is its SEPA creditor number, which stands elsewhere."""
    found = grouped(element)
    numbers = [
        ("endpoint", uri.get("schemeID", ""), scope.text(uri, name))
        for way in found.get("URIUniversalCommunication", ())
        for uri in grouped(way).get("URIID", ())
    ]
    for tag in ("ID", "GlobalID"):
        numbers += (
            ("id", one.get("schemeID", ""), scope.text(one, name)) for one in found.get(tag, ())
        )
    if creditor:
        numbers.append(("id", "SEPA", creditor))
    numbers += (
        ("tax", one.get("schemeID", ""), scope.text(one, name))
        for registration in found.get("SpecifiedTaxRegistration", ())
        for one in grouped(registration).get("ID", ())
    )
    legal = scope.inside(found, "SpecifiedLegalOrganization", name)
    registered = scope.only(legal, "ID", name)
    if registered is not None:
        scheme = registered.get("schemeID", "")
        numbers.append(("reg", scheme, scope.text(registered, name)))
    address = scope.inside(found, "PostalTradeAddress", name)
    country = named_country(scope, scope.only_text(address, "CountryID", name), name)
    trading = scope.only_text(legal, "TradingBusinessName", name)
    person = "".join(
        scope.only_text(grouped(contact), "PersonName", name)
        for contact in found.get("DefinedTradeContact", ())[:1]
    )
    called = scope.only_text(found, "Name", name) or trading or person
    return Party(
        name=called,
        country=country,
        identifiers=identifiers(numbers, country),
        trading_name=trading if trading != called else "",
        address=one_line(
            "".join((part.text or "") for part in address.get(tag, ())[:1])
            for tag in ("LineOne", "PostcodeCode", "CityName")
        ),
        mail=mail_domain(_mail_of(found)),
    )


def _mail_of(found: Found) -> str:
    """Give the mail address of the first contact that has one."""
    for contact in found.get("DefinedTradeContact", ()):
        for mail in grouped(contact).get("EmailURIUniversalCommunication", ()):
            for uri in grouped(mail).get("URIID", ()):
                return uri.text or ""
    return ""


def read_reference(scope: CiiScope, element: etree._Element, name: str) -> Reference:
    """Read a document reference: its number and, where stated, its date."""
    found = grouped(element)
    tag = "IssuerAssignedID" if "IssuerAssignedID" in found else "ID"
    number = scope.only_text(found, tag, name)
    issued = scope.only(found, "FormattedIssueDateTime", name)
    return Reference(number, scope.date(issued, name) if issued is not None else None)


def read_tax_identity(scope: CiiScope, element: etree._Element) -> TaxIdentity | None:
    """Read a reference that names a tax authority's register as the scheme of its number.

    CII has no element for it. Among its further documents (BG-24, BT-18) a number has a scheme: as
    ReferenceTypeCode (BT-18-1), or as an attribute of the identifier itself.
    """
    found = grouped(element)
    numbers = found.get("IssuerAssignedID", ())
    scheme = scope.only_text(found, "ReferenceTypeCode", "tax_identity")
    scheme = scheme or next((one.get("schemeID", "") for one in numbers), "")
    if scheme.lower() not in SCHEMES:
        return None
    return identity_of(scheme, scope.only_text(found, "IssuerAssignedID", "tax_identity"))


def read_allowance(
    scope: CiiScope, element: etree._Element, position: int = 0
) -> tuple[bool, int | None]:
    """Read an allowance or charge: whether it is a charge, and its amount."""
    found = grouped(element)
    is_charge = scope.indicator(found, "ChargeIndicator")
    amounts = found.get("ActualAmount", ())
    if is_charge is None or len(amounts) != 1:
        scope.error(
            "ALLOWANCE",
            "An allowance or charge needs one indicator (true, false) and one amount.",
            scope.place("allowance" if position else "listed", position),
        )
        return False, None
    return is_charge, scope.amount(amounts[0], "allowance", position)


def read_account(scope: CiiScope, element: etree._Element) -> Account | None:
    """Read the account of one way of paying."""
    found = grouped(element)
    account = scope.inside(found, "PayeePartyCreditorFinancialAccount", "accounts")
    if not account:
        return None
    bank = scope.inside(found, "PayeeSpecifiedCreditorFinancialInstitution", "accounts")
    number = scope.only_text(account, "IBANID", "accounts") or scope.only_text(
        account, "ProprietaryID", "accounts"
    )
    return make_account(
        number,
        scope.only_text(bank, "BICID", "accounts"),
        scope.only_text(account, "AccountName", "accounts"),
    )


def warn_of_test(scope: CiiScope, context: Found) -> None:
    """A document that calls itself a test is kept, and never financed."""
    if scope.indicator(context, "TestIndicator"):
        message = "The document says that it is a test; a test is no receivable."
        place = scope.source.place("profile") + "/ram:TestIndicator"
        scope.add(Severity.WARNING, "NOT_A_RECEIVABLE", message, place, "true")
