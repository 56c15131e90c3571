"""Read the rows of one table into documents, by its mapping.

Everything that is the same for all rows (columns, constants, places) is worked out once; sellers
and buyers, which come again and again, are made once each.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from scf.documents.canonical import (
    CanonicalDocument,
    Identifier,
    Kind,
    Line,
    Party,
    Reference,
    Source,
    blocks,
)
from scf.documents.checks import check
from scf.documents.readers.again import Mark, Named, named_by
from scf.documents.readers.cells import currency_named, number_lost, type_of
from scf.documents.readers.crediting import as_credit_note
from scf.documents.readers.joining import derive, same_document
from scf.documents.readers.layout import left_out
from scf.documents.readers.mapping import LINE_FIELDS, TAX_FIELDS, ColumnMapping
from scf.documents.readers.table import MAX_FIELD, RawRow
from scf.documents.readers.text import either, plain_decimal, squeeze
from scf.documents.readers.ubl_parts import identifiers, make_account
from scf.documents.readers.values import is_of_form, is_time, plain_amount, read_date
from scf.documents.readers.vocabulary import starts_a_sum
from scf.documents.taxcheck.schemes import stated
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS, parse_minor

_PARTY_CACHE: Final = 50_000


class TableRow(NamedTuple):
    """The result of one document: the line where it starts, and the document or the reasons.

    ``named`` is what a refused document says it is, ``again`` the earlier row that it brings again.
    """

    row: int
    document: CanonicalDocument | None
    findings: tuple[Finding, ...]
    row_count: int = 1
    named: Named | None = None
    again: Mark | None = None


_PAYMENT_NAMES: Final = {"amount": "payable", "paid_on": "issue_on", "reference": "number"}
_PAYMENT_ROLES: Final = {"payer": "buyer", "payee": "seller"}
_AMOUNTS: Final[tuple[str, ...]] = ("payable", "gross", "net", "tax", "prepaid", "rounding")
_SUMMED: Final = (*_AMOUNTS, "line_net", "quantity")
_REFERENCES: Final = (
    "billing_reference", "despatch_reference", "receipt_reference", "note", "iban",
)  # fmt: skip
_DATES: Final[tuple[str, ...]] = ("issue_on", "due_on", "delivered_on")
_TEXTS: Final[tuple[str, ...]] = (
    "number", "type_code", "order_reference", "contract_reference", "payment_reference",
    "payment_terms",
)  # fmt: skip
_Cells = list[str]


class RowReader:
    """Reads the rows of one table; everything that is the same for all rows is worked out once."""

    def __init__(self, mapping: ColumnMapping, header: list[str], today: dt.date | None) -> None:
        self.mapping = mapping
        self.kind = mapping.kind
        self.today = today
        self.header = header
        self.width = len(header)
        # A column that the table does not have is missed once, in its header, not in every row.
        self.silent = frozenset({"due_on"} - mapping.columns.keys() - mapping.constants.keys())
        self.comma = mapping.decimal == "comma"
        self.forms = tuple(mapping.date_formats)
        self.columns: dict[str, int] = {}
        self.constants: dict[str, str] = {}
        self.names: dict[str, str] = {}
        for field, column in mapping.columns.items():
            name = self._canonical_name(field)
            self.columns[name] = header.index(squeeze(column))
            self.names[name] = column
        for field, value in mapping.constants.items():
            self.constants[self._canonical_name(field)] = squeeze(value)
        self.used = sorted(set(self.columns.values()))
        self.sums = frozenset(self.columns[name] for name in _SUMMED if name in self.columns)
        places = {**self.names, **{role: self._party_column(role) for role in ("seller", "buyer")}}
        self.places = MappingProxyType(places)
        self.amounts = [(name, self.columns[name]) for name in _AMOUNTS if name in self.columns]
        self.dates = [
            (name, self.columns.get(name, -1), self.constants.get(name, ""))
            for name in _DATES
            if name in self.columns or name in self.constants
        ]
        self.texts = [(name, self.columns[name]) for name in _TEXTS if name in self.columns]
        self.fixed = {name: value for name, value in self.constants.items() if name in _TEXTS}
        roles = [(role, self._party_cells(role)) for role in ("seller", "buyer", "payee")]
        self.parties = [(role, parts) for role, parts in roles if parts]
        self.known: dict[tuple[str, ...], Party] = {}
        self.tax = [(self.columns.get(one, -1), self.constants.get(one, "")) for one in TAX_FIELDS]
        self.has_tax = any(at >= 0 for at, _ in self.tax)
        self.has_references = any(name in self.columns for name in _REFERENCES)
        self.has_lines = any(name in self.columns for name in LINE_FIELDS)
        self.line_places = MappingProxyType(
            {
                name: self.names.get(column, column)
                for name, column in (
                    ("net", "line_net"),
                    ("quantity", "quantity"),
                    ("item_name", "item_name"),
                    ("price", "price"),
                    ("line_id", "line_id"),
                )
            }
        )

    def _canonical_name(self, field: str) -> str:
        if self.kind is not Kind.PAYMENT:
            return field
        role, _, part = field.partition("_")
        if role in _PAYMENT_ROLES:
            return f"{_PAYMENT_ROLES[role]}_{part}"
        return _PAYMENT_NAMES.get(field, field)

    def _party_column(self, role: str) -> str:
        return self.names.get(f"{role}_name") or next(
            (column for name, column in self.names.items() if name.startswith(f"{role}_")), role
        )

    def _party_cells(self, role: str) -> list[tuple[str, int, str]]:
        """List what is known of a party: part, column (or −1), constant."""
        prefix = f"{role}_"
        cells = [
            (name.removeprefix(prefix), position, "")
            for name, position in self.columns.items()
            if name.startswith(prefix)
        ]
        return cells + [
            (name.removeprefix(prefix), -1, value)
            for name, value in self.constants.items()
            if name.startswith(prefix)
        ]

    # -- documents

    def documents(self, raw: Iterator[RawRow]) -> Iterator[TableRow]:
        """Read rows into documents, joining the rows of one document where there are lines."""
        if not self.has_lines:
            for row in raw:
                result = self._single(row)
                if result is not None:
                    yield result
            return
        yield from self._joined(raw)

    def _single(self, row: RawRow) -> TableRow | None:
        if row.finding is not None:
            return TableRow(row.line, None, (row.finding,))
        cells = self._cells(row)
        if cells is None:
            return None
        if isinstance(cells, Finding):
            return self._left_out(row) or TableRow(row.line, None, (cells,))
        found: list[Finding] = []
        document, unread = self._document(row.line, cells, found)
        result = self._judged(document, unread, found, row.line, 1)
        if result.document is None or starts_a_sum(result.document.number):
            return self._left_out(row) or result
        return result

    def _left_out(self, row: RawRow) -> TableRow | None:
        """Pass over what is no document and no mistake either; asked only where reading failed."""
        found = left_out(row, self.header, self.sums)
        return None if found is None else TableRow(row.line, None, (found,), 0)

    def _judged(
        self,
        document: CanonicalDocument,
        unread: set[str],
        found: list[Finding],
        line: int,
        count: int,
    ) -> TableRow:
        if self.mapping.credit_by:
            document = as_credit_note(document, self.mapping.credit_by, found)
        found += number_lost(document)
        found += check(document, unread=unread | self.silent, today=self.today)
        if not found:
            return TableRow(line, document, (), count)
        told = tuple(found)
        if blocks(told):
            return TableRow(line, None, told, count, named_by(document))
        return TableRow(line, document.with_findings(told), told, count)

    def _cells(self, row: RawRow) -> _Cells | Finding | None:
        cells = row.cells
        if len(cells) != self.width:
            rest = cells[self.width :]
            if len(cells) > self.width and not any(cell.strip() for cell in rest):
                cells = cells[: self.width]
            elif not any(cell.strip() for cell in cells):
                return None
            else:
                return Finding(
                    Severity.ERROR,
                    "COLUMN_COUNT",
                    Words(
                        "The row has %(count)s fields, the header has %(expected)s.",
                        count=len(row.cells),
                        expected=self.width,
                    ),
                    f"row {row.line}",
                )
        if not any(map(str.strip, cells)):
            return None
        if not any(cells[position].strip() for position in self.used):
            return Finding(
                Severity.ERROR,
                "ROW_BLANK",
                "None of the mapped columns has a value.",
                f"row {row.line}",
                " ".join(cell for cell in cells if cell.strip()),
            )
        if max(map(len, cells)) > MAX_FIELD:
            position, cell = next(one for one in enumerate(cells) if len(one[1]) > MAX_FIELD)
            return Finding(
                Severity.ERROR,
                "TEXT_TOO_LONG",
                Words(
                    "The field has %(count)s characters; %(limit)s are allowed.",
                    count=len(cell),
                    limit=MAX_FIELD,
                ),
                f"row {row.line}, column {self.header[position]}",
                cell[:50],
            )
        return cells

    # -- header fields

    def _document(
        self, line: int, cells: _Cells, found: list[Finding]
    ) -> tuple[CanonicalDocument, set[str]]:
        unread: set[str] = set()
        currency = self._currency(cells)
        values: dict[str, Any] = {
            "kind": self.kind,
            "currency": currency,
            "source": Source("csv", line, "", self.places, self.line_places),
            **self.fixed,
        }
        for name, position in self.texts:
            text = squeeze(cells[position])
            if text:
                values[name] = type_of(text) if name == "type_code" else text
        for name, position, constant in self.dates:
            text = constant or cells[position].strip()
            if text:
                values[name] = self._date(name, text, line, found, unread)
        if currency in EXPONENTS:
            for name, position in self.amounts:
                text = cells[position].strip()
                if text:
                    values[f"{name}_minor"] = self._amount(
                        name, text, currency, line, found, unread
                    )
        if self.has_references:
            self._references(cells, values)
        self._read_parties(cells, values)
        if self.has_tax:
            said = (
                constant or (squeeze(cells[at]) if at >= 0 else "") for at, constant in self.tax
            )
            country = values["seller"].country if "seller" in values else ""
            values["tax_identity"] = stated(said, values.get("number", ""), country)
        derive(values)
        return CanonicalDocument(**values), unread

    def _read_parties(self, cells: _Cells, values: dict[str, Any]) -> None:
        for role, parts in self.parties:
            party = self._party(parts, cells)
            if role != "payee" or not party.is_blank:
                values[role] = party

    def _currency(self, cells: _Cells) -> str:
        position = self.columns.get("currency")
        text = currency_named(cells[position].strip()) if position is not None else ""
        return text or self.constants.get("currency", "") or self.mapping.default_currency

    def _place(self, line: int, name: str) -> str:
        return f"row {line}, column {self.names.get(name, name)}"

    def _date(
        self, name: str, text: str, line: int, found: list[Finding], unread: set[str]
    ) -> dt.date | None:
        day = read_date(text, self.forms)
        if day is None:
            unread.add(name)
            message = Words("This is no date of the form %(forms)s.", forms=either(self.forms))
            if is_of_form(text, self.forms):
                message = Words("There is no such day, or none of our time.")
            elif is_time(text):
                message = Words("This is a time of day, and the date is missing.")
            found.append(Finding(Severity.ERROR, "DATE", message, self._place(line, name), text))
        return day

    def _amount(
        self,
        name: str,
        text: str,
        currency: str,
        line: int,
        found: list[Finding],
        unread: set[str],
    ) -> int | None:
        plain = plain_amount(text, comma=self.comma, currency=currency)
        try:
            # Text in no known form goes on as it is, so that the one judge of amounts names it.
            return parse_minor(
                text if plain is None else plain,
                currency,
                signed=True,
                decimal_comma=self.comma and plain is None,
            )
        except InvalidInput as refusal:
            unread.add(name)
            message: str = refusal.words
            if plain is None and text:
                message = "This is no amount written like 1,234.50."
                if self.comma:
                    message = "This is no amount written like 1.234,50."
            found.append(
                Finding(Severity.ERROR, refusal.code, message, self._place(line, name), text)
            )
            return None

    def _references(self, cells: _Cells, values: dict[str, Any]) -> None:
        columns = self.columns
        for name, target in (
            ("billing_reference", "billing_references"),
            ("despatch_reference", "despatch_references"),
            ("receipt_reference", "receipt_references"),
            ("note", "notes"),
        ):
            if name in columns:
                text = squeeze(cells[columns[name]])
                if text and name == "billing_reference":
                    named = (squeeze(number) for number in text.split(";"))
                    values[target] = tuple(Reference(number) for number in named if number)
                elif text:
                    values[target] = (text,)
        if "iban" in columns:
            bic = cells[columns["bic"]] if "bic" in columns else ""
            number = squeeze(cells[columns["iban"]])
            if number:
                values["accounts"] = (make_account(number, bic),)

    def _party(self, parts: list[tuple[str, int, str]], cells: _Cells) -> Party:
        key = tuple(constant if at < 0 else cells[at] for _, at, constant in parts)
        cached = self.known.get(key)
        if cached is not None:
            return cached
        texts = {part: squeeze(text) for (part, _, _), text in zip(parts, key, strict=True)}
        country = texts.get("country", "").upper()
        numbers = [
            (
                "tax" if scheme == "vat" else "reg" if scheme == "reg" else "id",
                "" if scheme in ("reg", "id") else scheme,
                value,
            )
            for scheme, value in texts.items()
            if scheme not in ("name", "country") and value
        ]
        party = Party(texts.get("name", ""), country, identifiers(numbers, country))
        if len(self.known) >= _PARTY_CACHE:
            self.known.clear()
        self.known[key] = party
        return party

    # -- lines

    def _joined(self, raw: Iterator[RawRow]) -> Iterator[TableRow]:
        """Join consecutive rows of one document; one bad row keeps its document out."""
        current: list[CanonicalDocument] = []
        lines: list[Line] = []
        found: list[Finding] = []
        unread: set[str] = set()
        for row in raw:
            cells = self._cells(row) if row.finding is None else row.finding
            if cells is None:
                continue
            if self._sums_up(row, cells) and (passed := self._left_out(row)):
                yield passed
                continue
            if isinstance(cells, Finding):
                # Whose line this was cannot be known; the document before it may lack it.
                if current:
                    yield self._finish(current, lines, found, unread)
                    current, lines, found, unread = [], [], [], set()
                yield TableRow(row.line, None, (cells,))
                continue
            own: list[Finding] = []
            document, missed = self._document(row.line, cells, own)
            if current and not same_document(current[0], document):
                yield self._finish(current, lines, found, unread)
                current, lines, found, unread = [], [], [], set()
            found += own
            unread |= missed
            current.append(document)
            lines.append(self._line(cells, document.currency, row.line, found))
        if current:
            yield self._finish(current, lines, found, unread)

    def _sums_up(self, row: RawRow, cells: _Cells | Finding) -> bool:
        """Tell whether a row among the lines of documents may be none of them."""
        if row.finding is not None:
            return False
        place = self.columns.get("number", -1)
        number = "" if isinstance(cells, Finding) or place < 0 else cells[place].strip()
        return not number or starts_a_sum(number) or number == self.header[place]

    def _finish(
        self,
        rows_of_one: list[CanonicalDocument],
        lines: list[Line],
        found: list[Finding],
        unread: set[str],
    ) -> TableRow:
        first = rows_of_one[0]
        for other in rows_of_one[1:]:
            for name in ("issue_on", "due_on", "currency", "payable_minor", "type_code"):
                one, two = getattr(first, name), getattr(other, name)
                if one != two:
                    column = name.removesuffix("_minor")
                    found.append(
                        Finding(
                            Severity.ERROR,
                            "HEADER_CONTRADICTS",
                            Words(
                                "Rows of one document differ: %(one)s in row %(row)s, "
                                "%(two)s here.",
                                one=one,
                                row=first.source.row,
                                two=two,
                            ),
                            other.place(column),
                            str(two),
                        )
                    )
        nets = [line.net_minor for line in lines]
        total = sum(net for net in nets if net is not None) if None not in nets else None
        document = first._replace(
            lines=tuple(lines),
            lines_minor=total,
            net_minor=first.net_minor if first.net_minor is not None else total,
        )
        return self._judged(document, unread, found, first.source.row, len(rows_of_one))

    def _line(self, cells: _Cells, currency: str, line: int, found: list[Finding]) -> Line:
        columns = self.columns
        values: dict[str, Any] = {
            name: squeeze(cells[columns[name]])
            for name in ("line_id", "item_name", "unit", "order_line")
            if name in columns
        }
        for name in ("quantity", "price"):
            if name in columns and cells[columns[name]].strip():
                text = cells[columns[name]].strip()
                plain = plain_amount(text, comma=self.comma, currency=currency)
                decimal = plain_decimal(plain) if plain is not None else None
                if decimal is None:
                    found.append(
                        Finding(
                            Severity.ERROR,
                            "NUMBER",
                            "This is no plain decimal.",
                            self._place(line, name),
                            text,
                        )
                    )
                values[name] = decimal or ""
        if "item_id" in columns and cells[columns["item_id"]].strip():
            values["item_ids"] = (Identifier("seller", squeeze(cells[columns["item_id"]])),)
        if "line_net" in columns and cells[columns["line_net"]].strip() and currency in EXPONENTS:
            values["net_minor"] = self._amount(
                "line_net", cells[columns["line_net"]].strip(), currency, line, found, set()
            )
        return Line(**values)
