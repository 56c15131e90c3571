"""Read orders, invoices, credit notes and payments from a table, row by row, in little memory.

``open_table`` finds out how the file is written, checks the header against the mapping and says
both in findings; ``Table.rows`` then gives one result per document: the document, or why there is
none. A damaged row costs that row and no other.

Where the mapping names line fields (item, quantity, line amount …), consecutive rows of one
document are its lines and must agree on its header.
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
from collections.abc import Callable, Iterator
from itertools import islice
from types import MappingProxyType
from typing import Any, BinaryIO, Final, NamedTuple, cast

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
from scf.documents.readers.mapping import LINE_FIELDS, ColumnMapping, propose_mapping
from scf.documents.readers.sniff import MAX_RATIO
from scf.documents.readers.table import (
    MAX_FIELD,
    SAMPLE_BYTES,
    SAMPLE_LINES,
    Dialect,
    Lines,
    RawRow,
    detect_delimiter,
    detect_encoding,
    rows,
)
from scf.documents.readers.text import plain_decimal, squeeze
from scf.documents.readers.ubl_parts import identifiers, make_account
from scf.documents.readers.values import plain_amount, read_date
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import Finding, Severity
from scf.kernel.money import EXPONENTS, parse_minor

MAX_TABLE_BYTES: Final = 200_000_000
MAX_COLUMNS: Final = 500
_PARTY_CACHE: Final = 50_000
_GZIP: Final = b"\x1f\x8b"


class TableRow(NamedTuple):
    """The result of one document: the line where it starts, and the document or the reasons."""

    row: int
    document: CanonicalDocument | None
    findings: tuple[Finding, ...]
    row_count: int = 1


class Table:
    """An opened table: how it is written, what its header says, and its rows."""

    def __init__(
        self, mapping: ColumnMapping | None, header: list[str], findings: list[Finding],
        raw: Iterator[RawRow], lines: Lines, today: dt.date | None,
    ) -> None:
        self.mapping = mapping
        self.header = header
        self.findings = findings
        self._raw = raw
        self._lines = lines
        self._today = today

    @property
    def readable(self) -> bool:
        """Tell whether rows can be read: there is a mapping and the header has its columns."""
        return self.mapping is not None and not blocks(self.findings)

    def rows(self) -> Iterator[TableRow]:
        """Read the documents one by one; blank rows are passed over.

        When the file breaks off (damaged, too large) the last result says so.
        """
        if self.mapping is None or not self.readable:
            return
        reader = _RowReader(self.mapping, self.header, self._today)
        yield from reader.documents(self._raw)
        if self._lines.broken is not None:
            yield TableRow(self._lines.number, None, (self._lines.broken,), 0)

    def slices(self, size: int = 1000) -> Iterator[list[TableRow]]:
        """Read the documents in slices, each the work of one command."""
        results = self.rows()
        while part := list(islice(results, size)):
            yield part


def open_table(
    stream: BinaryIO | bytes,
    mapping: ColumnMapping | None = None,
    *,
    kind: Kind | None = None,
    today: dt.date | None = None,
    max_bytes: int = MAX_TABLE_BYTES,
) -> Table:
    """Open a CSV file, packed or plain. Without a mapping one is proposed from its first rows."""
    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    sample, source, max_bytes = _peek(source, max_bytes)
    findings: list[Finding] = []
    dialect = _dialect_of(sample, mapping, findings)
    lines = Lines(source, dialect.encoding, max_bytes)
    raw = rows(lines, dialect.delimiter)
    header = _header(raw, mapping.header_row if mapping else 1)
    if header is None:
        findings.append(
            lines.broken
            or Finding(Severity.ERROR, "HEADER_MISSING", "The file has no readable header row.")
        )
        return Table(mapping, [], findings, raw, lines, today)
    if mapping is None:
        first = list(islice(raw, SAMPLE_LINES))
        mapping, proposed = propose_mapping(header, [row.cells for row in first], kind)
        findings += proposed
        raw = _chain(first, raw)
    if mapping is not None:
        findings += _header_findings(header, mapping)
    return Table(mapping, header, findings, raw, lines, today)


def _chain(first: list[RawRow], rest: Iterator[RawRow]) -> Iterator[RawRow]:
    yield from first
    yield from rest


def _peek(source: BinaryIO, max_bytes: int) -> tuple[bytes, BinaryIO, int]:
    """Give the first bytes, the stream from its start, and the cap, looking through gzip."""
    buffered = io.BufferedReader(cast("io.RawIOBase", source), SAMPLE_BYTES)
    if buffered.peek(2)[:2] == _GZIP:
        # A ratio can only be watched against the packed size; a stream that hides it gets the cap.
        size = _size_of(source)
        cap = min(max_bytes, max(1_000_000, size * MAX_RATIO)) if size else max_bytes
        packed = gzip.GzipFile(fileobj=buffered)
        buffered = io.BufferedReader(cast("io.RawIOBase", packed), SAMPLE_BYTES)
        max_bytes = cap
    try:
        sample = buffered.peek(SAMPLE_BYTES)[:SAMPLE_BYTES]
    except (OSError, EOFError, ValueError):
        sample = b""  # the rows will say what is wrong with the file
    return sample, cast("BinaryIO", buffered), max_bytes


def _size_of(source: BinaryIO) -> int:
    try:
        here = source.tell()
        size = source.seek(0, io.SEEK_END)
        source.seek(here)
    except (OSError, ValueError, AttributeError):
        return 0
    return size


def _dialect_of(
    sample: bytes, mapping: ColumnMapping | None, findings: list[Finding]
) -> Dialect:
    encoding = (mapping.encoding if mapping else "") or ""
    if encoding:
        try:
            "".encode(encoding)
        except LookupError:
            message = "The mapping names an encoding that does not exist; UTF-8 is taken."
            findings.append(Finding(Severity.WARNING, "ENCODING", message, "", encoding))
            encoding = "utf-8"
    else:
        encoding = detect_encoding(sample)
        findings.append(
            Finding(Severity.INFO, "ENCODING", f"The file is read as {encoding}.", "", encoding)
        )
    delimiter = mapping.delimiter if mapping else ""
    if not delimiter:
        text = sample.decode(encoding, errors="replace")
        start = (mapping.header_row if mapping else 1) - 1
        delimiter = detect_delimiter(text.splitlines()[start : start + SAMPLE_LINES])
        shown = {"\t": "tab"}.get(delimiter, delimiter)
        findings.append(
            Finding(Severity.INFO, "DELIMITER", f"Fields are divided by {shown!r}.", "", shown)
        )
    return Dialect(delimiter, encoding)


def _header(raw: Iterator[RawRow], header_row: int) -> list[str] | None:
    for row in raw:
        if row.line >= header_row:
            names = [squeeze(cell) for cell in row.cells[:MAX_COLUMNS]]
            return names if any(names) else None
    return None


def _header_findings(header: list[str], mapping: ColumnMapping) -> list[Finding]:
    found: list[Finding] = []
    for field, column in mapping.columns.items():
        count = header.count(squeeze(column))
        if count == 0:
            message = f"The header has no column {column!r} for {field}."
            found.append(Finding(Severity.ERROR, "COLUMN_MISSING", message, "header", column))
        elif count > 1:
            message = f"The header has {count} columns {column!r}; which is {field}?"
            found.append(Finding(Severity.ERROR, "COLUMN_TWICE", message, "header", column))
    return found


# --- One row -----------------------------------------------------------------------------------

_PAYMENT_NAMES: Final = {"amount": "payable", "paid_on": "issue_on", "reference": "number"}
_PAYMENT_ROLES: Final = {"payer": "buyer", "payee": "seller"}
_AMOUNTS: Final = ("payable", "gross", "net", "tax", "prepaid", "rounding")
_DATES: Final = ("issue_on", "due_on", "delivered_on")
_TEXTS: Final = (
    "number", "type_code", "order_reference", "contract_reference", "payment_reference",
    "payment_terms",
)
_MUST_DATE: Final = "A date is needed in the form {forms}."
_Cells = list[str]


class _RowReader:
    """Reads the rows of one table; everything that is the same for all rows is worked out once."""

    def __init__(self, mapping: ColumnMapping, header: list[str], today: dt.date | None) -> None:
        self.mapping = mapping
        self.kind = mapping.kind
        self.today = today
        self.width = len(header)
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
        places = {**self.names, **{role: self._party_column(role) for role in ("seller", "buyer")}}
        self.places = MappingProxyType(places)
        self.amounts = [(name, self.columns[name]) for name in _AMOUNTS if name in self.columns]
        self.dates = [(name, self.columns[name]) for name in _DATES if name in self.columns]
        self.texts = [(name, self.columns[name]) for name in _TEXTS if name in self.columns]
        self.fixed = {
            name: value for name, value in self.constants.items() if name in _TEXTS
        }
        self.parties = {role: self._party_cells(role) for role in ("seller", "buyer", "payee")}
        self.known: dict[tuple[str, ...], Party] = {}
        self.has_lines = any(name in self.columns for name in LINE_FIELDS)
        self.line_places = MappingProxyType(
            {name: self.names.get(column, column) for name, column in
             (("net", "line_net"), ("quantity", "quantity"), ("item_name", "item_name"),
              ("price", "price"), ("line_id", "line_id"))}
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
        read: Callable[[RawRow], TableRow | None] = self._single
        if not self.has_lines:
            for row in raw:
                result = read(row)
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
            return TableRow(row.line, None, (cells,))
        found: list[Finding] = []
        document, unread = self._document(row.line, cells, found)
        return self._judged(document, unread, found, row.line, 1)

    def _judged(
        self, document: CanonicalDocument, unread: set[str], found: list[Finding], line: int,
        count: int,
    ) -> TableRow:
        found += check(document, unread=unread, today=self.today)
        told = tuple(found)
        if blocks(told):
            return TableRow(line, None, told, count)
        return TableRow(line, document.with_findings(told) if told else document, told, count)

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
                    Severity.ERROR, "COLUMN_COUNT",
                    f"The row has {len(row.cells)} fields, the header has {self.width}.",
                    f"row {row.line}",
                )
        if not any(cells) or not any(cell.strip() for cell in cells):
            return None
        if not any(cells[position].strip() for position in self.used):
            return Finding(
                Severity.ERROR, "ROW_BLANK", "None of the mapped columns has a value.",
                f"row {row.line}", " ".join(cell for cell in cells if cell.strip()),
            )
        for position, cell in enumerate(cells):
            if len(cell) > MAX_FIELD:
                return Finding(
                    Severity.ERROR, "TEXT_TOO_LONG",
                    f"The field has {len(cell)} characters; {MAX_FIELD} are allowed.",
                    f"row {row.line}, column {position + 1}", cell[:50],
                )
        return cells

    # -- header fields

    def _document(
        self, line: int, cells: _Cells, found: list[Finding]
    ) -> tuple[CanonicalDocument, set[str]]:
        unread: set[str] = set()
        currency = self._currency(cells)
        values: dict[str, Any] = {
            "kind": self.kind, "currency": currency,
            "source": Source("csv", line, "", self.places, self.line_places),
        }
        values.update(self.fixed)
        for name, position in self.texts:
            text = squeeze(cells[position])
            if text:
                values[name] = text
        for name, position in self.dates:
            text = cells[position].strip()
            if text:
                values[name] = self._date(name, text, line, found, unread)
        for name in _DATES:
            if name in self.constants:
                values[name] = self._date(name, self.constants[name], line, found, unread)
        if currency in EXPONENTS:
            for name, position in self.amounts:
                text = cells[position].strip()
                if text:
                    values[f"{name}_minor"] = self._amount(
                        name, text, currency, line, found, unread
                    )
        self._references(cells, values)
        for role, parts in self.parties.items():
            if parts:
                party = self._party(parts, cells)
                if role != "payee" or not party.is_blank:
                    values[role] = party
        _derive(values)
        return CanonicalDocument(**values), unread

    def _currency(self, cells: _Cells) -> str:
        position = self.columns.get("currency")
        text = cells[position].strip().upper() if position is not None else ""
        return text or self.constants.get("currency", "") or self.mapping.default_currency

    def _place(self, line: int, name: str) -> str:
        return f"row {line}, column {self.names.get(name, name)}"

    def _date(
        self, name: str, text: str, line: int, found: list[Finding], unread: set[str]
    ) -> dt.date | None:
        day = read_date(text, self.forms)
        if day is None:
            unread.add(name)
            message = f"This is no date of the form {' or '.join(self.forms)}."
            found.append(
                Finding(Severity.ERROR, "DATE", message, self._place(line, name), text)
            )
        return day

    def _amount(
        self, name: str, text: str, currency: str, line: int, found: list[Finding],
        unread: set[str],
    ) -> int | None:
        plain = plain_amount(text, comma=self.comma, currency=currency)
        try:
            # Text in no known form goes on as it is, so that the one judge of amounts names it.
            return parse_minor(
                text if plain is None else plain, currency, signed=True,
                decimal_comma=self.comma and plain is None,
            )
        except InvalidInput as refusal:
            unread.add(name)
            found.append(
                Finding(
                    Severity.ERROR, refusal.code, refusal.message, self._place(line, name), text
                )
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
                if text:
                    values[target] = (
                        (Reference(text),) if name == "billing_reference" else (text,)
                    )
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
        texts = {
            part: squeeze(text) for (part, _, _), text in zip(parts, key, strict=True)
        }
        country = texts.get("country", "").upper()
        numbers = [
            ("tax" if scheme == "vat" else "reg" if scheme == "reg" else "id",
             "" if scheme in ("reg", "id") else scheme, value)
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
            if isinstance(cells, Finding):
                # Whose line this was cannot be known; the document before it may lack it.
                if current:
                    yield self._finish(current, lines, found, unread)
                    current, lines, found, unread = [], [], [], set()
                yield TableRow(row.line, None, (cells,))
                continue
            own: list[Finding] = []
            document, missed = self._document(row.line, cells, own)
            if current and not _same_document(current[0], document):
                yield self._finish(current, lines, found, unread)
                current, lines, found, unread = [], [], [], set()
            found += own
            unread |= missed
            current.append(document)
            lines.append(self._line(cells, document.currency, row.line, found))
        if current:
            yield self._finish(current, lines, found, unread)

    def _finish(
        self, rows_of_one: list[CanonicalDocument], lines: list[Line], found: list[Finding],
        unread: set[str],
    ) -> TableRow:
        first = rows_of_one[0]
        for other in rows_of_one[1:]:
            for name in ("issue_on", "due_on", "currency", "payable_minor"):
                one, two = getattr(first, name), getattr(other, name)
                if one != two:
                    column = name.removesuffix("_minor")
                    found.append(
                        Finding(
                            Severity.ERROR, "HEADER_CONTRADICTS",
                            f"Rows of one document differ: {one} in row {first.source.row}, "
                            f"{two} here.",
                            other.place(column), str(two),
                        )
                    )
        nets = [line.net_minor for line in lines]
        total = sum(net for net in nets if net is not None) if None not in nets else None
        document = CanonicalDocument(
            **{
                **{name: getattr(first, name) for name in first.__slots__},
                "lines": tuple(lines),
                "lines_minor": total,
                "net_minor": first.net_minor if first.net_minor is not None else total,
            }
        )
        return self._judged(document, unread, found, first.source.row, len(rows_of_one))

    def _line(
        self, cells: _Cells, currency: str, line: int, found: list[Finding]
    ) -> Line:
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
                            Severity.ERROR, "NUMBER", "This is no plain decimal.",
                            self._place(line, name), text,
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


def _same_document(one: CanonicalDocument, other: CanonicalDocument) -> bool:
    return (
        bool(one.number)
        and one.number == other.number
        and one.seller == other.seller
        and one.buyer == other.buyer
    )


def _derive(values: dict[str, Any]) -> None:
    """Fill the totals that follow from stated ones."""
    if values["kind"] is Kind.PAYMENT:
        return
    payable, gross = values.get("payable_minor"), values.get("gross_minor")
    net, tax = values.get("net_minor"), values.get("tax_minor")
    if gross is None and payable is not None and values["kind"] is not Kind.ORDER:
        gross = payable + (values.get("prepaid_minor") or 0) - (values.get("rounding_minor") or 0)
    if net is None and gross is not None and tax is not None:
        net = gross - tax
    if tax is None and gross is not None and net is not None:
        tax = gross - net
    values["gross_minor"], values["net_minor"], values["tax_minor"] = gross, net, tax
