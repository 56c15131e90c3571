"""Walk through the segments of an EDIFACT message and sort what they say.

The five messages share their segments; they differ in which of them count. A walk gives every
fact its owner (the document, a party, a line, an allowance, a tax) by the group it stands in, and
``edifact_messages`` makes a document of the facts.

Source: UNTDID 1001, 1153, 2005, 3035, 5025, 5125, 6063, 7143.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from scf.documents.canonical import Account, Reference, TaxSubtotal
from scf.documents.readers import edifact_codes as codes
from scf.documents.readers.derived import per_quantity
from scf.documents.readers.edi_scope import Message, PartyDraft
from scf.documents.readers.edi_segments import Segment
from scf.documents.readers.ubl_parts import make_account
from scf.kernel.errors import Words
from scf.kernel.findings import Severity


class Allowance:
    """An allowance or charge, of the document or of a line, with the amount once it is said."""

    __slots__ = ("amount", "is_charge", "is_line", "is_summary")

    def __init__(self, *, is_charge: bool, is_line: bool, is_summary: bool) -> None:
        self.is_charge = is_charge
        self.is_line = is_line
        self.is_summary = is_summary
        self.amount: int | None = None


class Body:
    """The facts of one message, sorted by whom they are about."""

    def __init__(self, message: Message, quantities: Sequence[str]) -> None:
        self.message = message
        self.quantities = quantities  # in the order in which they are wanted
        self.section = "header"
        self.group = ""
        self.parties: dict[str, PartyDraft] = {}
        self.party: PartyDraft | None = None
        self.accounts: dict[str, Account] = {}
        self.dates: dict[str, dt.date] = {}
        self.references: dict[str, dict[str, Reference]] = {}
        self.amounts: dict[str, tuple[int, Segment]] = {}
        self.allowances: list[Allowance] = []
        self.taxes: list[dict[str, Any]] = []
        self.dues: dict[dt.date, Segment] = {}
        self.terms: list[str] = []
        self.terms_days: set[int] = set()
        self.discount_terms = False
        self.count: tuple[int, Segment] | None = None
        self.function = ""
        self.response = ""
        self.line: dict[str, Any] | None = None
        self.documents: list[dict[str, Any]] = []
        self._reference: tuple[str, str] = ("", "")
        self._ranks: dict[str, int] = {}
        self._sub_line = False
        self.sub_lines = 0

    def walk(self, segments: Sequence[Segment]) -> None:
        """Take in the segments of the message in their order."""
        self._find_currency(segments)
        for segment in segments:
            tag = segment.tag
            if self._sub_line and tag not in {"LIN", "UNS", "CPS"}:
                continue
            read = _SEGMENTS.get(tag)
            if read is not None:
                read(self, segment)

    def _find_currency(self, segments: Sequence[Segment]) -> None:
        """The currency is needed before the first amount, and may stand behind it."""
        by_use: dict[str, tuple[str, Segment]] = {}
        for segment in segments:
            if segment.tag == "CUX":
                for element in (1, 2):
                    use, code = segment.get(element), segment.get(element, 1)
                    if code:
                        by_use.setdefault(use, (code, segment))
            elif segment.tag == "MOA" and segment.get(1, 2) and segment.get(1) != "2":
                by_use.setdefault("amount", (segment.get(1, 2), segment))
        for use in ("2", "1", "4", "amount"):
            if use in by_use:
                self.message.currency_is(*by_use[use])
                return

    # -- one segment each

    def section_begins(self, segment: Segment) -> None:
        """UNS: the details begin, or the summary."""
        self.group, self.party = "UNS", None
        if segment.get(1) == "S":
            self.section, self.line, self._sub_line = "summary", None, False

    def begin(self, segment: Segment) -> None:
        """BGM: what the document is, and its number."""
        fields = self.message
        fields.put("type_code", segment.get(1), segment)
        fields.put("number", segment.get(2) or segment.get(1, 4), segment)
        fields.places.setdefault("number", fields.place(segment))
        fields.places.setdefault("type_code", fields.place(segment))
        self.function, self.response = segment.get(3), segment.get(4)

    def date(self, segment: Segment) -> None:
        """DTM: a date, by what it is the date of."""
        kind, text, form = segment.get(1), segment.get(1, 1), segment.get(1, 2) or "102"
        if not text or self.section == "documents":
            return
        if self.group == "RFF" and kind == "171":
            day = self.message.day(segment, text, "billing_references", form)
            name, number = self._reference
            if number:
                self.references.setdefault(name, {})[number] = Reference(number, day)
        elif self.line is not None:
            if kind == "35":
                self.line["delivered_on"] = self.message.day(segment, text, "delivered_on", form)
        elif kind in codes.DUE_DATES:
            self._due_date(segment, text, form)
        elif kind in codes.DATES:
            self._document_date(segment, kind, text, form)

    def _due_date(self, segment: Segment, text: str, form: str) -> None:
        if not self.discount_terms:
            day = self.message.day(segment, text, "due_on", form)
            if day is not None:
                self.dues.setdefault(day, segment)

    def _document_date(self, segment: Segment, kind: str, text: str, form: str) -> None:
        day = self.message.day(segment, text, codes.DATES[kind], form)
        if day is not None:
            if self.dates.setdefault(kind, day) != day:
                self.message.error("DATE_TWICE", "Two days are stated.", segment, text)
            self.message.places.setdefault(codes.DATES[kind], self.message.place(segment))

    def reference(self, segment: Segment) -> None:
        """RFF: another document, or a number of the party it stands under."""
        name, number, line = segment.get(1), segment.get(1, 1), segment.get(1, 2)
        if self.section == "documents":
            return
        if self.group == "NAD" and self.party is not None and self.line is None:
            if name in codes.TAX_NUMBERS:
                self.party.numbers.append(("tax", codes.TAX_NUMBERS[name], number))
            elif name in codes.REGISTERS:
                self.party.numbers.append(("reg", "", number))
            return
        if self.line is not None:
            self._line_reference(name, number, line)
            return
        self.group, self._reference = "RFF", (name, number)
        if number:
            self.references.setdefault(name, {}).setdefault(number, Reference(number))
            self.message.places.setdefault(
                codes.REFERENCES.get(name, name), self.message.place(segment)
            )

    def _line_reference(self, name: str, number: str, position: str) -> None:
        line = self.line
        if line is None:
            return
        if name == "ON":
            if number:
                line["order_reference"] = number
            if position:
                line["order_line"] = position
        elif name in {"IV", "OI"} and number:
            line["invoice_reference"] = number
        elif name in {"ALO", "AAK", "DQ"} and number:
            self.references.setdefault(name, {}).setdefault(number, Reference(number))
            if name == "ALO" and position:
                line["receipt_line"] = position

    def name_and_address(self, segment: Segment) -> None:
        """NAD: a party, its number in somebody's list, its name and country."""
        self.group = "NAD"
        role = segment.get(1)
        if self.line is not None:
            self.party = None  # where a line is delivered is no party of the document
            return
        names = [name for name in segment.parts(4) if name] or segment.parts(3)[:1]
        draft = PartyDraft(names, segment.get(9))
        number, register, agency = (segment.get(2, part) for part in range(3))
        scheme = register if len(register) == 4 and register.isdigit() else ""  # noqa: PLR2004
        draft.numbers.append(("id", scheme or codes.AGENCIES.get(agency, ""), number))
        if role in self.parties and self.parties[role].party() != draft.party():
            self.message.error("PARTY_TWICE", "The party stands there twice.", segment, role)
        self.party = self.parties[role] = draft
        self.message.places[f"NAD+{role}"] = self.message.place(segment)

    def bank(self, segment: Segment) -> None:
        """FII: the account to pay to."""
        number = segment.get(2)
        if segment.get(1) not in codes.PAYEES_BANKS or not number:
            return
        account = make_account(number, segment.get(3), segment.get(2, 1))
        key = account.iban or account.number
        known = self.accounts.get(key)
        if known is None or not known.bic:
            self.accounts[key] = account
        self.message.places.setdefault("accounts", self.message.place(segment))

    def terms_of_payment(self, segment: Segment) -> None:
        """PAT and PYT: when it is to be paid; terms of a discount state no due date."""
        self.group = segment.tag
        self.discount_terms = segment.get(1) in codes.DISCOUNT_TERMS
        days = segment.get(3, 3)
        if (
            not self.discount_terms
            and segment.get(3) in codes.INVOICE_DATES
            and segment.get(3, 2) in codes.DAYS
            and days.isascii()
            and days.isdigit()
            and len(days) < 4  # noqa: PLR2004 - terms of more than 999 days are none
        ):
            self.terms_days.add(int(days))

    def allowance(self, segment: Segment) -> None:
        """ALC: an allowance or a charge begins; its amount follows."""
        self.group = "ALC"
        self.allowances.append(
            Allowance(
                is_charge=segment.get(1) == "C",
                is_line=self.line is not None,
                is_summary=self.section == "summary",
            )
        )
        if segment.get(1) not in {"A", "C"}:
            self.message.error(
                "ALLOWANCE", "An allowance is A, a charge is C.", segment, segment.get(1)
            )

    def tax(self, segment: Segment) -> None:
        """TAX: category and rate, of a line or of a part of the total."""
        under = self.group
        self.group = "TAX"
        if segment.get(1) not in {"7", ""}:
            self.group = codes.OTHER_TAX
            return
        text = segment.get(5, 3)
        percent = self.message.decimal(segment, text) if text else ""
        category = segment.get(6)
        if under == "ALC":
            self.group = "ALC"  # the tax of an allowance; more amounts of it may follow
        elif self.line is not None:
            self.line["tax_category"] = self.line.get("tax_category") or category
            self.line["tax_percent"] = self.line.get("tax_percent") or percent
        elif self.section == "summary":
            self.taxes.append({"category": category, "percent": percent})
            self.message.places.setdefault("tax_subtotals", self.message.place(segment))

    def money(self, segment: Segment) -> None:
        """MOA: an amount, by what it is the amount of."""
        code, text = segment.get(1), segment.get(1, 1)
        owner = self._owner_of(code)
        if not owner or not text:
            return
        stated, message = segment.get(1, 2), self.message
        if stated and message.currency and stated != message.currency:
            message.unread.add(codes.TOTALS.get(code, ""))
            message.error(
                "CURRENCY_MIXED",
                Words(
                    "The document is in %(currency)s, this amount in another currency.",
                    currency=message.currency,
                ),
                segment,
                stated,
            )
            return
        amount = message.amount(segment, text, codes.TOTALS.get(code, ""))
        if amount is None:
            return
        if owner == "allowance":
            self._allowance_amount(amount, segment)
        elif owner == "tax":
            self._tax_amount("taxable" if code in codes.TAXABLE_AMOUNTS else "tax", amount, segment)
        elif owner == "line" and self.line is not None:
            self._line_amount(code, amount)
        elif owner == "document" and self.documents:
            self.documents[-1].setdefault(code, amount)
        elif owner == "total":
            known = self.amounts.setdefault(code, (amount, segment))
            if known[0] != amount:
                message.error("AMOUNT_TWICE", "Two amounts are stated.", segment, text)

    def _owner_of(self, code: str) -> str:
        """Say whom an amount belongs to, by its code and the group it stands in."""
        group = "DOC" if self.section == "documents" else self.group
        owner, read = codes.OWNERS.get(group, ("", frozenset()))
        if code in codes.LINE_AMOUNTS and self.group != codes.OTHER_TAX:
            owner = "line"
        elif owner == "tax" and (self.line is not None or not self.taxes):
            owner = ""
        elif not owner and self.line is None and self.section != "detail":
            owner, read = "total", codes.TOTALS.keys()
        return owner if owner == "line" or code in read else ""

    def _allowance_amount(self, amount: int, segment: Segment) -> None:
        allowance = self.allowances[-1]
        if allowance.amount is not None and allowance.amount != amount:
            self.message.error("AMOUNT_TWICE", "Two amounts are stated.", segment)
        allowance.amount = amount
        if allowance.is_line and self.line is not None:
            name = "charge_minor" if allowance.is_charge else "allowance_minor"
            self.line[name] = self.line.get(name, 0) + amount

    def _tax_amount(self, name: str, amount: int, segment: Segment) -> None:
        part = self.taxes[-1]
        if part.setdefault(name, amount) != amount:
            self.message.error("AMOUNT_TWICE", "Two amounts are stated.", segment)

    def _line_amount(self, code: str, amount: int) -> None:
        rank = codes.LINE_AMOUNTS.index(code)
        if rank < self._ranks.get("net", len(codes.LINE_AMOUNTS)) and self.line is not None:
            self._ranks["net"] = rank
            self.line["net_minor"] = amount

    def text(self, segment: Segment) -> None:
        """FTX: terms of payment, the profile of the message, or a note."""
        words = " ".join(part for part in segment.parts(4) if part)
        subject = segment.get(1)
        if not words or subject in codes.NO_NOTES:
            return
        if self.line is not None:
            self.line.setdefault("note", words[:1000])
        elif subject == "DOC":
            self.message.fields.setdefault("profile", words)
        elif subject in codes.TERMS_TEXTS:
            self.terms.append(words)
        else:
            self.message.notes.append(words)

    def position(self, segment: Segment) -> None:
        """LIN: a position begins. What belongs to a position inside it is part of its sums."""
        self.section, self.group, self.party = "detail", "LIN", None
        self._sub_line = segment.get(4) == codes.SUB_LINE
        if self._sub_line:
            self.sub_lines += 1
            message = "A sub-line is part of the line above it and is not counted again."
            self.message.note(Severity.INFO, "SUB_LINE", message, segment, segment.get(4, 1))
            return
        self._ranks = {}
        self.line = self.message.line_begins(segment, segment.get(1))
        self.line["word"] = segment.get(2)
        self._item_number(segment.get(3, 1), segment.get(3))

    def item_numbers(self, segment: Segment) -> None:
        """PIA: more numbers of the item."""
        for element in range(2, min(len(segment.elements), 7)):
            self._item_number(segment.get(element, 1), segment.get(element))

    def _item_number(self, kind: str, number: str) -> None:
        scheme = codes.ITEM_NUMBERS.get(kind)
        if scheme is None or not number or self.line is None:
            return
        self.message.item_number(self.line, scheme, number)

    def item_text(self, segment: Segment) -> None:
        """IMD: what the item is called; its name goes before a longer description."""
        words = " ".join(part for part in segment.parts(3)[3:] if part)
        if self.line is None or not words:
            return
        rank = {"F": 0, "": 1, "E": 1}.get(segment.get(1), 2)
        if rank < self._ranks.get("name", 3):
            self._ranks["name"] = rank
            self.line["item_name"] = words[:500]

    def quantity(self, segment: Segment) -> None:
        """QTY: the quantity that this message is about; others are packing."""
        kind, text = segment.get(1), segment.get(1, 1)
        if self.line is None or kind not in self.quantities or not text:
            return
        number = self.message.decimal(segment, text)
        rank = self.quantities.index(kind)
        best = self._ranks.get("quantity", len(self.quantities))
        if rank < best:
            self._ranks["quantity"] = rank
            self.line["quantity"], self.line["unit"] = number, segment.get(1, 2)
        elif rank == best:
            # Delivered in parts on several days: the line is their sum.
            self.message.error("QUANTITY_TWICE", "Two quantities are stated.", segment, text)

    def price(self, segment: Segment) -> None:
        """PRI: the price, net where both are stated."""
        kind, text = segment.get(1), segment.get(1, 1)
        if self.line is None or kind not in codes.PRICES or not text:
            return
        rank = codes.PRICES.index(kind)
        if rank < self._ranks.get("price", len(codes.PRICES)):
            self._ranks["price"] = rank
            self.group = "PRI"
            self.line["price"] = self.message.decimal(segment, text)
            base = segment.get(1, 4)
            self.line["price_quantity"] = per_quantity(
                self.message.decimal(segment, base) if base else ""
            )

    def paid_document(self, segment: Segment) -> None:
        """DOC: a document that a remittance pays; its amounts follow."""
        self.section, self.group, self.line = "documents", "DOC", None
        self.documents.append(
            {"code": segment.get(1), "number": segment.get(2), "segment": segment}
        )

    def control(self, segment: Segment) -> None:
        """CNT: how many lines there must be."""
        if segment.get(1) == "2":
            text = segment.get(1, 1)
            plain = text if text.isascii() and text.isdigit() and len(text) < 10 else "-1"  # noqa: PLR2004
            self.count = (int(plain), segment)

    def other_group(self, segment: Segment) -> None:
        """A group that says nothing of ours ends the one before it."""
        self.group = segment.tag
        if segment.tag == "CPS":
            self.section, self.line, self._sub_line = "detail", None, False

    def subtotals(self) -> list[TaxSubtotal]:
        """Give the parts of the tax that state an amount."""
        return [
            TaxSubtotal(one["category"], one["percent"], one.get("taxable"), one.get("tax"))
            for one in self.taxes
            if "taxable" in one or "tax" in one
        ]


_Read: TypeAlias = Callable[[Body, Segment], None]
_SEGMENTS: Final[Mapping[str, _Read]] = {
    "BGM": Body.begin,
    "DTM": Body.date,
    "RFF": Body.reference,
    "NAD": Body.name_and_address,
    "FII": Body.bank,
    "PAT": Body.terms_of_payment,
    "PYT": Body.terms_of_payment,
    "ALC": Body.allowance,
    "TAX": Body.tax,
    "MOA": Body.money,
    "FTX": Body.text,
    "LIN": Body.position,
    "PIA": Body.item_numbers,
    "IMD": Body.item_text,
    "QTY": Body.quantity,
    "PRI": Body.price,
    "DOC": Body.paid_document,
    "UNS": Body.section_begins,
    "CNT": Body.control,
    "CPS": Body.other_group,
    "TDT": Body.other_group,
    "CUX": Body.other_group,
}
