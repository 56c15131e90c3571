"""Walk through the segments of an X12 transaction set and sort what they say.

A segment belongs to the last loop that began: a party (N1), a line (PO1, IT1, LIN), a level of a
shipment (HL), a paid document (RMR), or else to the document. Amounts of type N2 carry two
implied decimals (TDS, SAC05); those of type R are written with a point.

Source: X12 data elements 98 (parties), 66 (identifiers), 128 (references), 235 (items), 374
(dates), 1300 (services, allowances and charges).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from scf.documents.canonical import Reference, TaxSubtotal
from scf.documents.readers.edi_scope import Message, PartyDraft, product
from scf.documents.readers.edi_segments import Segment
from scf.documents.taxcheck.schemes import identity_of
from scf.kernel.errors import Words
from scf.kernel.findings import Severity

_REGISTERS: Final = {"1": "DUNS", "9": "DUNS+4", "UL": "GLN", "LE": "LEI"}
_PARTY_TAX: Final = {"TJ": "FI", "FI": "FI", "GT": "GST", "VX": "VAT", "EI": "FI"}
_ITEM_NUMBERS: Final = {
    **dict.fromkeys(("EN", "UP", "UK", "UI", "UA", "EO"), "standard:0160"),
    **dict.fromkeys(("VN", "VP", "VA", "VC"), "seller"),
    **dict.fromkeys(("BP", "IN", "PI", "CB", "SK"), "buyer"),
    **dict.fromkeys(("MG", "MN", "MF"), "manufacturer"),
}
# Charges that are taxes: goods and services, sales, state sales, tax.
_TAX_CHARGES: Final = frozenset({"D360", "H740", "H750", "H770", "H850"})
# How a price is meant: per unit, or per so many.
_PRICE_BASES: Final = {"HP": "100", "HF": "100", "PN": "100", "TP": "1000", "TT": "10000"}
_PER_UNIT: Final = frozenset({"", "PE", "NT", "CP", "CA", "PP", "SR", "WE", "LE", "TE", "QE"})
_LINE_REFERENCES: Final = frozenset({"PO", "IV", "OI", "LI"})
_STATES: Final = frozenset(
    {
        *("AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "FL", "GA", "HI", "ID", "IL", "IN"),
        *("IA", "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV"),
        *("NH", "NJ", "NM", "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN"),
        *("TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY", "DC", "PR"),
    }
)
_HOME: Final = frozenset({"", "US", "USA"})
_FIRST_PAIR: Final = 6
_LAST_PAIR: Final = 26


class Body:
    """The facts of one transaction set, sorted by whom they are about."""

    def __init__(self, message: Message) -> None:
        self.message = message
        self.parties: dict[str, PartyDraft] = {}
        self.party: PartyDraft | None = None
        self.line: dict[str, Any] | None = None
        self.references: dict[str, dict[str, Reference]] = {}
        self.dates: dict[str, dt.date] = {}
        self.amounts: dict[str, int] = {}
        self.charges: list[int] = []
        self.allowances: list[int] = []
        self.taxes: list[int] = []
        self.charged_taxes: list[int] = []  # the same tax once more, as a charge
        self.line_taxes: list[int] = []
        self.subtotals: list[TaxSubtotal] = []
        self.dues: dict[dt.date, Segment] = {}
        self.due_days: dict[int, Segment] = {}
        self.terms: list[str] = []
        self.adjusted = 0
        self.levels: dict[str, str] = {}
        self._level_order = ""
        self._in_summary = False
        self.countries: list[tuple[str, str]] = []

    def walk(self, segments: Sequence[Segment]) -> None:
        """Take in the segments in their order; the currency is looked for first."""
        self._find_currency(segments)
        for segment in segments:
            read = _SEGMENTS.get(segment.tag)
            if read is not None:
                read(self, segment)

    def _find_currency(self, segments: Sequence[Segment]) -> None:
        at_home = bool(segments)
        states = 0
        for segment in segments:
            if segment.tag == "CUR":
                self.message.currency_is(segment.get(2), segment)
                if not segment.get(2):
                    return
            elif segment.tag == "N4":
                at_home = at_home and segment.get(4) in _HOME
                states += segment.get(2) in _STATES
        if "currency" in self.message.fields or not (at_home and states):
            return
        self.message.currency_is("USD", self.message.start)
        self.message.note(
            Severity.WARNING,
            "CURRENCY_ASSUMED",
            "No currency is stated; all addresses are in the United States, so it is US dollars.",
            self.message.start,
            "USD",
        )

    # -- parties

    def name(self, segment: Segment) -> None:
        """N1: a party begins. Under a line it is where the line goes, no party of the document."""
        role = segment.get(1)
        if self.line is not None and not self._in_summary:
            self.party = PartyDraft([])
            return
        draft = PartyDraft([segment.get(2)])
        register, number = segment.get(3), segment.get(4)
        if register == "9" and number.isdigit() and len(number) == 13:  # noqa: PLR2004 - DUNS and 4
            draft.numbers.append(("id", "DUNS", number[:9]))
        elif register in {"FI", "24"}:
            draft.numbers.append(("tax", "FI", number))
        else:
            draft.numbers.append(("id", _REGISTERS.get(register, ""), number))
        if role in self.parties and self.parties[role].party() != draft.party():
            self.message.error("PARTY_TWICE", "The party stands there twice.", segment, role)
        self.party = self.parties[role] = draft
        self.message.places[f"N1*{role}"] = self.message.place(segment)

    def more_name(self, segment: Segment) -> None:
        """N2: more of the name."""
        if self.party is not None and segment.get(1):
            self.party.names.append(segment.get(1))

    def address(self, segment: Segment) -> None:
        """N4: the country of a party; a state of the United States says as much."""
        if self.party is not None:
            country = segment.get(4)
            if country in _HOME and (country or segment.get(2) in _STATES):
                country = "US"
            self.party.country = country if len(country) == 2 else ""  # noqa: PLR2004 - ISO 3166

    # -- references and dates

    def reference(self, segment: Segment) -> None:
        """REF: another document, or a number of the party it stands under."""
        name, number = segment.get(1), segment.get(2)
        if not number:
            return
        if self.line is not None:
            self._line_reference(name, number)
        elif self.party is not None and name in _PARTY_TAX:
            self.party.numbers.append(("tax", _PARTY_TAX[name], number))
        elif name == "ZZ" and (identity := identity_of(segment.get(3), number)) is not None:
            # X12 has no code for it: what two sides agree on, with the register's name behind it.
            self.message.put("tax_identity", identity, segment)
        else:
            self.refer(name, number, segment)

    def refer(self, name: str, number: str, segment: Segment) -> None:
        """Keep a reference of the document."""
        if number:
            self.references.setdefault(name, {}).setdefault(number, Reference(number))
            self.message.places.setdefault(f"REF*{name}", self.message.place(segment))

    def _line_reference(self, name: str, number: str) -> None:
        line = self.line
        if line is None or name not in _LINE_REFERENCES:
            return
        known = {"PO": "order_reference", "LI": "order_line"}.get(name, "invoice_reference")
        line.setdefault(known, number)

    def date(self, segment: Segment) -> None:
        """DTM: a date, by what it is the date of."""
        kind, text = segment.get(1), segment.get(2)
        if not text or self.line is not None or kind not in {"011", "035", "050", "097", "003"}:
            return
        day = self.day(segment, text, "delivered_on")
        if day is not None:
            self.dates[kind] = day

    def day(self, segment: Segment, text: str, name: str) -> dt.date | None:
        """Read a date of eight digits, or of six in versions before the year 2000."""
        if not text:
            return None
        form = "101" if len(text) == 6 else "102"  # noqa: PLR2004 - YYMMDD
        return self.message.day(segment, text, name, form)

    # -- lines

    def position(self, segment: Segment) -> None:
        """PO1, IT1: a position with quantity, unit, price and item numbers."""
        message = self.message
        self.party = None
        self.line = line = message.line_begins(segment, segment.get(1))
        quantity, price, basis = segment.get(2), segment.get(4), segment.get(5)
        line["quantity"] = message.decimal(segment, quantity) if quantity else ""
        line["unit"] = segment.get(3)
        line["price"] = message.decimal(segment, price) if price else ""
        line["price_quantity"] = _PRICE_BASES.get(basis, "")
        self._pairs(segment, _FIRST_PAIR)
        if basis in _PER_UNIT or basis in _PRICE_BASES:
            # X12 states no amount of a line: it is quantity × price by definition.
            line["net_minor"] = product(
                line["quantity"], line["price"], message.currency, line["price_quantity"]
            )

    def shipped_item(self, segment: Segment) -> None:
        """LIN: the item of a level of a shipment."""
        if self.line is None:
            self.item_begins(segment)
        if self.line is not None:
            if segment.get(1):
                self.line["order_line"] = segment.get(1)
            self._pairs(segment, 2)

    def item_begins(self, segment: Segment) -> None:
        """HL of level I, or LIN without one: a position of a shipment."""
        self.party = None
        self.line = self.message.line_begins(segment, "")
        if self._level_order:
            self.line["order_reference"] = self._level_order

    def _pairs(self, segment: Segment, first: int) -> None:
        if self.line is None:
            return
        for element in range(first, min(len(segment.elements) - 1, _LAST_PAIR), 2):
            kind, number = segment.get(element), segment.get(element + 1)
            if kind in _ITEM_NUMBERS and number:
                self.message.item_number(self.line, _ITEM_NUMBERS[kind], number)
            elif number:
                self._line_reference(kind, number)

    def description(self, segment: Segment) -> None:
        """PID: what the item is called."""
        if self.line is not None and segment.get(5):
            self.line.setdefault("item_name", segment.get(5)[:500])

    def shipped(self, segment: Segment) -> None:
        """SN1: how much of the item was shipped."""
        if self.line is None:
            return
        if segment.get(1):
            self.line.setdefault("order_line", segment.get(1))
        if segment.get(2):
            self.line["quantity"] = self.message.decimal(segment, segment.get(2))
            self.line["unit"] = segment.get(3)

    def answer(self, segment: Segment) -> None:
        """ACK: what the seller says of the line; its quantity is the one promised."""
        if self.line is None:
            return
        word = _LINE_ANSWERS.get(segment.get(1), "noted")
        known = self.line.get("word")
        if known is None:
            self.line["word"] = word
            if segment.get(2):
                self.line["quantity"] = self.message.decimal(segment, segment.get(2))
                self.line["unit"] = segment.get(3) or self.line["unit"]
                self.line["net_minor"] = None  # that of the quantity ordered
        elif known != word:
            self.line["word"] = "changed"  # a part is accepted, another put off or refused

    def level(self, segment: Segment) -> None:
        """HL: shipment, order, package or item, each under one that stands before it."""
        name, above, kind = (segment.get(part) for part in (1, 2, 3))
        if not name or name in self.levels or (above and above not in self.levels):
            self.message.error(
                "EDI_LEVEL",
                "The level has no number, one of another level, or stands before the one above it.",
                segment,
                f"{name} | {above}",
            )
        self.levels[name] = kind
        self.party = None
        if kind == "I":
            self.item_begins(segment)
        else:
            self.line = None
            self._level_order = "" if kind in {"S", "O"} else self._level_order

    def ordered(self, segment: Segment) -> None:
        """PRF: the order that a level of a shipment fills."""
        number = segment.get(1)
        if self.line is not None:
            self.line["order_reference"] = number
        else:
            self._level_order = number
            self.refer("PO", number, segment)

    # -- money

    def charge(self, segment: Segment) -> None:
        """SAC: an allowance, a charge or a tax, in hundredths; of a line or of the document."""
        kind, code, text = segment.get(1), segment.get(2), segment.get(5)
        if kind not in {"A", "C"}:
            return
        if not text:
            message = "An allowance or charge states no amount."
            self.message.note(Severity.WARNING, "ALLOWANCE", message, segment, code)
            return
        amount = self.message.implied(segment, text, "allowance" if kind == "A" else "charge")
        if amount is None:
            return
        of_line = self.line is not None and not self._in_summary
        if kind == "C" and code in _TAX_CHARGES:
            (self.line_taxes if of_line else self.charged_taxes).append(amount)
        elif of_line and self.line is not None:
            name = "charge_minor" if kind == "C" else "allowance_minor"
            self.line[name] = self.line.get(name, 0) + amount
            if self.line.get("net_minor") is not None:
                self.line["net_minor"] += amount if kind == "C" else -amount
        else:
            (self.charges if kind == "C" else self.allowances).append(amount)

    def tax(self, segment: Segment) -> None:
        """TXI: a tax with its rate and what it is on."""
        amount = self.message.amount(segment, segment.get(2), "tax")
        if amount is None:
            return
        if self.line is not None and not self._in_summary:
            self.line_taxes.append(amount)
            return
        self.taxes.append(amount)
        rate, base = segment.get(3), segment.get(8)
        self.subtotals.append(
            TaxSubtotal(
                segment.get(1),
                self.message.decimal(segment, rate) if rate else "",
                self.message.amount(segment, base, "tax_subtotals"),
                amount,
            )
        )
        self.message.places.setdefault("tax_subtotals", self.message.place(segment))

    def total(self, segment: Segment) -> None:
        """TDS: the total of the invoice, in hundredths; allowances behind it are the document's."""
        self._in_summary, self.line, self.party = True, None, None
        amount = self.message.implied(segment, segment.get(1), "payable")
        if amount is not None:
            self.message.put("payable_minor", amount, segment)

    def amount(self, segment: Segment) -> None:
        """AMT: an amount by its code; under a line it is the line's."""
        if self.line is None or self._in_summary:
            amount = self.message.amount(segment, segment.get(2), "amount")
            if amount is not None:
                self.amounts.setdefault(segment.get(1), amount)
                self.message.places.setdefault(f"AMT*{segment.get(1)}", self.message.place(segment))

    def terms_of_payment(self, segment: Segment) -> None:
        """ITD: when the net amount is due, as a date or in days after the invoice date."""
        due, days = segment.get(6), segment.get(7)
        if due:
            day = self.day(segment, due, "due_on")
            if day is not None:
                self.dues.setdefault(day, segment)
        elif days.isascii() and days.isdigit() and len(days) < 4 and segment.get(2) == "3":  # noqa: PLR2004
            self.due_days.setdefault(int(days), segment)
        if segment.get(12):
            self.terms.append(segment.get(12))

    def note(self, segment: Segment) -> None:
        """NTE, MSG: words."""
        words = segment.get(2) if segment.tag == "NTE" else segment.get(1)
        if words and self.line is not None:
            self.line.setdefault("note", words[:1000])
        elif words:
            self.message.notes.append(words)

    def paid_document(self, segment: Segment) -> None:
        """RMR: a document that is paid, and how much of it."""
        line = self.message.line_begins(segment, "")
        self.line = self.party = None
        line["invoice_reference"] = segment.get(2)
        line["net_minor"] = self.message.amount(segment, segment.get(4), "net")
        if not segment.get(4):
            self.message.error(
                "AMOUNT_MISSING", "What is paid on the document is missing.", segment
            )

    def adjustment(self, segment: Segment) -> None:
        """ADX: what the payer takes off or adds; told with the line it stands behind."""
        amount = self.message.amount(segment, segment.get(1), "net")
        self.adjusted += amount or 0
        if self.message.lines and amount:
            reason = " ".join(part for part in (segment.get(1), segment.get(2)) if part)
            self.message.lines[-1].setdefault("note", reason)

    def count(self, segment: Segment) -> None:
        """CTT: how many lines, or levels, there must be."""
        self._in_summary, self.party = True, None
        held = len(self.levels) or len(self.message.lines)
        stated = segment.get(1)
        if stated and stated.lstrip("0") != str(held).lstrip("0"):
            message = Words("CTT must count the %(held)s lines that are there.", held=held)
            self.message.error("EDI_LINE_COUNT", message, segment, stated)
        self.line = None


_LINE_ANSWERS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("IA", "AC", "DR", "IF", "SP", "IW"), "accepted"),
    **dict.fromkeys(("IC", "IP", "IQ", "IS", "IB", "AR", "BP", "CC"), "changed"),
    **dict.fromkeys(("IR", "R1", "R2", "R3", "R4", "R5", "R6"), "refused"),
    "ID": "cancelled",
}
_Read: TypeAlias = Callable[[Body, Segment], None]
_SEGMENTS: Final[Mapping[str, _Read]] = {
    "N1": Body.name,
    "N2": Body.more_name,
    "N4": Body.address,
    "REF": Body.reference,
    "DTM": Body.date,
    "PO1": Body.position,
    "IT1": Body.position,
    "LIN": Body.shipped_item,
    "PID": Body.description,
    "SN1": Body.shipped,
    "ACK": Body.answer,
    "HL": Body.level,
    "PRF": Body.ordered,
    "SAC": Body.charge,
    "TXI": Body.tax,
    "TDS": Body.total,
    "AMT": Body.amount,
    "ITD": Body.terms_of_payment,
    "NTE": Body.note,
    "MSG": Body.note,
    "RMR": Body.paid_document,
    "ADX": Body.adjustment,
    "CTT": Body.count,
}
