"""What the parts of Italian invoices share: reading by path, exact amounts, firms."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from lxml import etree

from scf.documents.canonical import Party
from scf.documents.readers.text import scaled, xml_date
from scf.documents.readers.ubl_parts import Scope, identifiers, named_country
from scf.kernel.money import EXPONENTS
from scf.kernel.rounding import round_half_up


class ItalianScope(Scope):
    """One Italian invoice being read; the file's structure is judged before and elsewhere."""

    __slots__ = ()

    def read(self, parent: etree._Element, path: str, name: str, position: int = 0) -> str:
        """Give the text at a path, or an empty text."""
        element = parent.find(path)
        return self.text(element, name, position) if element is not None else ""

    def day(self, parent: etree._Element, path: str, name: str) -> dt.date | None:
        """Give the date at a path, if one stands there."""
        element = parent.find(path)
        return self.date(element, name) if element is not None else None

    def moment(self, element: etree._Element, name: str) -> dt.date | None:
        """Give the day of a time; one that cannot be read is told, and no reason to refuse."""
        return xml_date(self.text(element, name)[:10])

    def minor(self, parent: etree._Element, path: str, name: str) -> int | None:
        """Give the amount at a path in minor units, if one stands there."""
        element = parent.find(path)
        return self.amount_in(element, self.currency, name, 0) if element is not None else None

    def exact(
        self, parent: etree._Element, path: str, name: str, position: int = 0
    ) -> Fraction | None:
        """Give the number at a path exactly: prices and sums of lines have up to eight decimals."""
        element = parent.find(path)
        text = self.decimal(element, name, position) if element is not None else ""
        return Fraction(*scaled(text)) if text else None

    def rounded(self, amount: Fraction) -> int:
        """Give an exact amount of the currency in whole minor units."""
        return round_half_up(amount * 10 ** EXPONENTS[self.currency])


def read_party(scope: ItalianScope, element: etree._Element | None, name: str) -> Party:
    """Read seller or buyer, of the ordinary or of the simplified form.

    The tax number (codice fiscale, ISO 6523 code 0210) names firms and persons alike.
    """
    if element is None:
        return Party()
    who = element.find("DatiAnagrafici")
    other = element.find("AltriDatiIdentificativi")
    numbered = element.find("IdentificativiFiscali")
    who = element if who is None else who
    about = other if other is not None else who
    numbered = who if numbered is None else numbered
    home = element if element.find("Sede") is not None or other is None else other
    country = named_country(scope, scope.read(home, "Sede/Nazione", name), name)
    tax = scope.read(numbered, "IdFiscaleIVA/IdPaese", name).upper()
    vat = scope.read(numbered, "IdFiscaleIVA/IdCodice", name)
    numbers = [
        ("tax", "VAT", tax + vat if vat else ""),
        ("id", "0210", scope.read(numbered, "CodiceFiscale", name).upper()),
    ]
    office = scope.read(element, "IscrizioneREA/Ufficio", name)
    register = scope.read(element, "IscrizioneREA/NumeroREA", name)
    if office and register:
        numbers.append(("reg", "", f"{office}-{register}"))
    return Party(
        name=_called(scope, about, name),
        country=country,
        identifiers=identifiers(numbers, country or "IT"),
    )


def _called(scope: ItalianScope, element: etree._Element, name: str) -> str:
    inside = element.find("Anagrafica")
    element = element if inside is None else inside
    firm = scope.read(element, "Denominazione", name)
    parts = (scope.read(element, tag, name) for tag in ("Nome", "Cognome"))
    return firm or " ".join(part for part in parts if part)
