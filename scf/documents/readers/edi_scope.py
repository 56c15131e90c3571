"""One message being read: its currency, its fields, what was found and where.

The amounts, dates and parties of EDIFACT and X12 end here in the same canonical fields, so that
an invoice is the same document in either.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Iterable, Sequence
from fractions import Fraction
from typing import Any, Final, TypeAlias

from scf.documents.canonical import (
    Account,
    CanonicalDocument,
    Identifier,
    Kind,
    Line,
    Party,
    Source,
    TaxSubtotal,
)
from scf.documents.readers.derived import compare_tax, derive_totals, refer_by_lines
from scf.documents.readers.edi_segments import Segment
from scf.documents.readers.text import plain_decimal, plausible_date, scaled
from scf.documents.readers.ubl_parts import MAX_FINDINGS, identifiers
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS, parse_minor

MAX_LINES: Final = 20_000
MAX_NOTES: Final = 20
MAX_NOTE: Final = 2000
_PURPOSES: Final = ("id", "tax", "reg")
_ITEM_NUMBERS: Final = ("buyer", "seller", "manufacturer", "standard:0160")
_FULL_NAME: Final = 35  # a name of the whole width of its field goes on in the next one
_CCYYMMDD: Final = 8
_YYMMDD: Final = 6
_CENTURY_TURN: Final = 80  # two digits of a year: 80 to 99 are of the last century

_AMOUNTS: Final = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER, Kind.ORDER_RESPONSE})
_CLAIMS: Final = frozenset({"INVOIC", "810"})
# What came of one message: the document, its findings, fields that stood there unreadable.
Reading: TypeAlias = tuple[CanonicalDocument | None, list[Finding], Container[str]]


class Message:
    """Collects what one message says; ``where`` names it among the messages of the file."""

    def __init__(self, form: str, where: str, marks: str, start: Segment) -> None:
        self.form = form
        self.where = where
        self.marks = marks  # the decimal marks that may still occur
        self.start = start
        self.currency = ""
        self.findings: list[Finding] = []
        self.unread: set[str] = set()
        self.fields: dict[str, Any] = {}
        self.places: dict[str, str] = {"": f"{where}, {start.place}"}
        self.line_places: dict[str, str] = {}
        self.source = Source(form, 0, "", self.places, self.line_places)
        self.lines: list[dict[str, Any]] = []
        self.notes: list[str] = []

    # -- findings

    def place(self, segment: Segment) -> str:
        """Say where a segment stands in the file."""
        return f"{self.where}, {segment.place}"

    def add(
        self, severity: Severity, code: str, message: str, place: Segment | str, value: str = ""
    ) -> None:
        """Record a finding; past the cap only the first hundred are of use to anybody."""
        if len(self.findings) < MAX_FINDINGS:
            where = place if isinstance(place, str) else self.place(place)
            self.findings.append(Finding(severity, code, message, where, value))

    def note(
        self, severity: Severity, code: str, message: str, segment: Segment, value: str = ""
    ) -> None:
        """Record a finding that keeps nothing out."""
        self.add(severity, code, message, segment, value)

    def error(self, code: str, message: str, place: Segment | str, value: str = "") -> None:
        """Record a finding that keeps the document out."""
        self.add(Severity.ERROR, code, message, place, value)

    def test(self, name: str) -> None:
        """A test is no trade: its invoices are kept and never financed, the rest proves nothing."""
        if name in _CLAIMS:
            message = "The sender has marked this as a test; a test is no receivable."
            self.note(Severity.WARNING, "NOT_A_RECEIVABLE", message, self.start)
        else:
            self.error("EDI_TEST", "The sender has marked this as a test.", self.start)

    # -- values

    def put(self, name: str, value: Any, segment: Segment) -> None:  # noqa: ANN401 - any field
        """Keep what stands there once; a second, different value is refused."""
        if value is None or value == "":
            return
        known = self.fields.get(name)
        if known is None:
            self.fields[name] = value
            self.places[name.removesuffix("_minor")] = self.place(segment)
        elif known != value:
            self.error(
                "VALUE_TWICE",
                "The message states this twice, and differently.",
                segment,
                f"{known} | {value}",
            )

    def currency_is(self, code: str, segment: Segment) -> None:
        """Take the currency of the document; amounts are read only where its unit is known."""
        self.put("currency", code, segment)
        self.currency = code if code in EXPONENTS else ""

    def decimal(self, segment: Segment, text: str) -> str:
        """Read a quantity, price or percentage as exact decimal text."""
        plain = plain_decimal(self._with_point(segment, text))
        if plain is None:
            self.error("NUMBER", "This is no plain decimal.", segment, text)
            return ""
        return plain

    def amount(self, segment: Segment, text: str, name: str = "") -> int | None:
        """Read an amount of the document's currency, in minor units."""
        if not text:
            return None
        if not self.currency:
            self.unread.add(name)
            return None
        # Numbers of EDI may stand without a digit before the mark or with zeros behind.
        plain = plain_decimal(self._with_point(segment, text))
        try:
            return parse_minor(text if plain is None else plain, self.currency, signed=True)
        except InvalidInput as refusal:
            self.unread.add(name)
            self.error(refusal.code, refusal.words, segment, text)
            return None

    def implied(self, segment: Segment, text: str, name: str = "") -> int | None:
        """Read an amount of type N2, whose last two digits are decimals by definition."""
        if not text:
            return None
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        if not (digits.isascii() and digits.isdigit()):
            self.unread.add(name)
            self.error(
                "EDI_IMPLIED_DECIMALS",
                "This amount is written in hundredths, with digits only.",
                segment,
                text,
            )
            return None
        digits = digits.rjust(3, "0")
        return self.amount(segment, f"{sign}{digits[:-2]}.{digits[-2:]}", name)

    def _with_point(self, segment: Segment, text: str) -> str:
        """Write a number with a point; the first decimal mark seen is that of the message."""
        if text.isdigit():
            return text
        used = [mark for mark in ".," if mark in text]
        if len(used) == 1 and used[0] in self.marks and text.count(used[0]) == 1:
            self.marks = used[0]
            return text.replace(",", ".")
        if used:
            self.error(
                "EDI_DECIMAL_MARK",
                Words(
                    'The decimal mark of this message is "%(mark)s", and groups are not set.',
                    mark=self.marks[0],
                ),
                segment,
                text,
            )
        return text

    def day(self, segment: Segment, text: str, name: str, form: str = "102") -> dt.date | None:
        """Read a date by its format code; a time of day behind it is left out."""
        digits = _day_digits(text, form)
        day = plausible_date(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}") if digits else None
        if day is None:
            self.unread.add(name)
            self.error(
                "DATE",
                Words("This is no date of format %(form)s in our time.", form=form),
                segment,
                text,
            )
        return day

    # -- the document

    def line_begins(self, segment: Segment, line_id: str) -> dict[str, Any]:
        """Begin a position; without a number of its own it is known by its place in the list."""
        line = {"line_id": line_id or str(len(self.lines) + 1)}
        self.lines.append(line)
        if len(self.lines) > MAX_LINES:
            self.error(
                "LINES_TOO_MANY",
                Words("More than %(limit)s lines are not read.", limit=MAX_LINES),
                segment,
            )
            self.lines.pop()
        else:
            self.line_places[str(len(self.lines))] = self.place(segment)
        return line

    def item_number(self, line: dict[str, Any], scheme: str, number: str) -> None:
        """Add a number of the item to a line, in the order in which every format gives them."""
        known = {*line.get("item_ids", ()), Identifier(scheme, number)}
        line["item_ids"] = tuple(
            sorted(known, key=lambda one: (_ITEM_NUMBERS.index(one.scheme), one.value))
        )

    def document(self, kind: Kind, parts: Sequence[TaxSubtotal] = ()) -> CanonicalDocument:
        """Put the document together; what follows from its amounts is filled in."""
        fields = self.fields
        notes = tuple(note[:MAX_NOTE] for note in self.notes[:MAX_NOTES])
        lines = tuple(Line(**line) for line in self.lines)
        fields |= {"kind": kind, "source": self.source, "lines": lines, "notes": notes}
        fields.setdefault("billing_references", ())
        if kind in _AMOUNTS:
            self._tax(parts)
            derive_totals(fields)
        if kind is not Kind.REMITTANCE:
            refer_by_lines(fields)
        return CanonicalDocument(**fields)

    def _tax(self, parts: Sequence[TaxSubtotal]) -> None:
        fields = self.fields
        fields["tax_subtotals"] = tuple(parts)
        compare_tax(self, parts, fields.get("tax_minor"))
        taxes = [part.tax_minor for part in parts if part.tax_minor is not None]
        if fields.get("tax_minor") is None and taxes and len(taxes) == len(parts):
            fields["tax_minor"] = sum(taxes)


def _day_digits(text: str, form: str) -> str:
    """Give CCYYMMDD of a date in a format of UNTDID 2379, or an empty text."""
    if not (text.isascii() and text.isdigit()):
        # 718 is a period, CCYYMMDD-CCYYMMDD: its first day.
        first, dash, last = text.partition("-")
        if form == "718" and dash and first.isdigit() and len(first) == len(last) == _CCYYMMDD:
            return first if first.isascii() else ""
        return ""
    if form in {"101", "201", "2"}:
        if len(text) < _YYMMDD:
            return ""
        if form == "2":  # DDMMYY
            text = text[4:6] + text[2:4] + text[:2]
        return ("19" if int(text[:2]) >= _CENTURY_TURN else "20") + text[:_YYMMDD]
    # 102 is the day alone; senders write times of 203, 204 and 303 under 102 as well.
    if form == "4" and len(text) == _CCYYMMDD:  # DDMMCCYY
        return text[4:] + text[2:4] + text[:2]
    return text[:_CCYYMMDD] if form in _LONG_FORMS and len(text) in {8, 12, 14, 16} else ""


_LONG_FORMS: Final = frozenset({"102", "203", "204", "205", "303", "304", "718"})


class PartyDraft:
    """One party as its segments say it, piece by piece."""

    def __init__(self, names: Iterable[str], country: str = "") -> None:
        self.names = [name for name in names if name]
        self.country = country
        self.numbers: list[tuple[str, str, str]] = []
        self.accounts: list[Account] = []

    def party(self) -> Party:
        """Give the party; a second line of the name is its trading name, or its continuation."""
        name = self.names[0] if self.names else ""
        rest = self.names[1:]
        if len(name) == _FULL_NAME and rest:
            name = f"{name} {rest.pop(0)}"
        country = self.country.upper()
        if len(country) != 2 or not country.isalpha() or not country.isascii():  # noqa: PLR2004
            country = ""
        # In the order in which every format gives them, whatever the order of the segments.
        numbers = sorted(self.numbers, key=lambda number: _PURPOSES.index(number[0]))
        found: tuple[Identifier, ...] = identifiers(numbers, country)
        trading = rest[0] if rest else ""
        return Party(name, country, found, trading if trading != name else "")


def pick(parties: dict[str, PartyDraft], roles: Iterable[str]) -> PartyDraft | None:
    """Give the party of the first role that is there and says anything."""
    for role in roles:
        draft = parties.get(role)
        if draft is not None and (draft.names or draft.numbers):
            return draft
    return None


def product(quantity: str, price: str, currency: str, base: str = "") -> int | None:
    """Multiply quantity and price into minor units, rounded once, half up."""
    digits = EXPONENTS.get(currency)
    if digits is None or not quantity or not price:
        return None
    exact = Fraction(*scaled(quantity)) * Fraction(*scaled(price)) * 10**digits
    if base:
        divisor = Fraction(*scaled(base))
        if not divisor:
            return None
        exact /= divisor
    whole = (abs(exact) * 2 + 1) // 2
    return int(-whole if exact < 0 else whole)
