"""Read orders, invoices, credit notes and payments from a table, row by row, in little memory.

A table is a CSV file or the sheet of a workbook.

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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final, NamedTuple, cast

from scf.documents.canonical import Kind, blocks
from scf.documents.readers.again import AGAIN, Mark, noting
from scf.documents.readers.cells import is_scaled, scale_refused
from scf.documents.readers.encoding import detect_encoding
from scf.documents.readers.layout import Layout, find_header, joined, left_out
from scf.documents.readers.mapping import AMOUNTS_READ, LINE_FIELDS, ColumnMapping
from scf.documents.readers.proposing import More, propose_mapping
from scf.documents.readers.sheetfile import SheetRows, Workbook, refused_cells
from scf.documents.readers.sniff import MAX_RATIO, Format, format_of, sniff, unpack
from scf.documents.readers.table import (
    SAMPLE_BYTES,
    SAMPLE_LINES,
    Dialect,
    Lines,
    RawRow,
    detect_delimiter,
    rows,
)
from scf.documents.readers.tablerows import RowReader, TableRow
from scf.documents.readers.text import squeeze
from scf.documents.readers.textrows import LARGE, ApartRows
from scf.kernel.errors import InvalidInput, TooLarge, Words
from scf.kernel.findings import Finding, Severity

MAX_TABLE_BYTES: Final = 200_000_000
MAX_COLUMNS: Final = 500
_GZIP: Final = b"\x1f\x8b"

# Gives the mapping that was confirmed for a header, if one was.
Recall = Callable[[Sequence[str]], "ColumnMapping | None"]
CONFIRMED: Final = Finding(
    Severity.INFO,
    "COLUMNS_CONFIRMED",
    Words("The columns are read as your firm confirmed them for its last table with this header."),
)


class Table:
    """An opened table: how it is written, what its header says, and its rows."""

    def __init__(
        self,
        mapping: ColumnMapping | None,
        header: list[str],
        findings: list[Finding],
        raw: Iterator[RawRow],
        source: Lines | SheetRows | ApartRows | None,
        today: dt.date | None,
        header_line: int = 0,
    ) -> None:
        self.mapping = mapping
        self.header = header
        self.findings = findings
        self._raw = raw
        self.source = source
        self._today = today
        self._header_line = header_line  # the last line of it

    @property
    def readable(self) -> bool:
        """Tell whether rows can be read: there is a mapping and the header has its columns."""
        return self.mapping is not None and not blocks(self.findings)

    @property
    def has_lines(self) -> bool:
        """Tell whether a document may have several rows, one a line of it."""
        return self.mapping is not None and any(
            name in self.mapping.columns for name in LINE_FIELDS
        )

    def raw_rows(self) -> Iterator[RawRow]:
        """Give the rows below the header as they stand in the file, instead of ``rows``."""
        return self._raw

    def rows(self) -> Iterator[TableRow]:
        """Read the documents one by one; blank rows are passed over.

        When the file breaks off (damaged, too large) the last result says so.
        """
        if self.mapping is None or not self.readable:
            return
        reader = RowReader(self.mapping, self.header, self._today)
        raw, source = self._raw, self.source
        if isinstance(source, SheetRows) and (errors := source.errors()):
            raw = refused_cells(raw, errors, set(reader.used), self.header)
        marks: dict[int, Mark] = {}
        marking = AGAIN in self.header
        if marking:
            raw = noting(raw, self.header.index(AGAIN), marks)
        below = None
        if isinstance(source, ApartRows) and not marking:
            below = source.beside(reader, self._header_line)
        if isinstance(source, ApartRows) and below is not None:
            yield from source.documents(reader, below)
        else:
            for row in reader.documents(raw):
                yield row._replace(again=marks.get(row.row)) if marking else row
        if source is not None and source.broken is not None:
            yield TableRow(source.number, None, (source.broken,), 0)

    def slices(self, size: int = 1000) -> Iterator[list[TableRow]]:
        """Read the documents in slices, each the work of one command."""
        results = self.rows()
        while part := list(islice(results, size)):
            yield part


def prepared(content: bytes) -> bytes | Workbook:
    """Unpack a workbook once, for several readings of it; anything else stays as it is.

    Raises
    ------
    InvalidInput
        A workbook that is damaged, encrypted, or acts by itself.
    TooLarge
        One that asks for more time or memory than a file may.
    """
    if content.startswith(_GZIP) and format_of(content) is Format.XLSX:
        content = unpack(content, MAX_TABLE_BYTES)
    return Workbook(content) if sniff(content) is Format.XLSX else content


def open_table(
    stream: BinaryIO | bytes | Workbook,
    mapping: ColumnMapping | None = None,
    *,
    kind: Kind | None = None,
    today: dt.date | None = None,
    max_bytes: int = MAX_TABLE_BYTES,
    apart: bool = False,
    recall: Recall | None = None,
) -> Table:
    """Open a CSV file, packed or plain, or a workbook.

    Without a mapping, ``recall`` is asked for one that was confirmed for the header that is found,
    wherever it stands in this file; else one is proposed from the first rows below it.
    With ``apart`` a large text is cut by a process of its own, which is stopped where the rows are
    no longer asked for.
    """
    findings: list[Finding] = []
    try:
        book = prepared(stream) if isinstance(stream, bytes) else stream
    except (InvalidInput, TooLarge) as refusal:
        findings.append(Finding(Severity.ERROR, refusal.code, refusal.words))
        return Table(mapping, [], findings, iter(()), None, today)
    source, raw = (
        _of_book(book, mapping, findings)
        if isinstance(book, Workbook)
        else _of_text(book, mapping, findings, max_bytes, apart=apart)
    )
    found = Layout()
    if mapping is None:
        first = list(islice(raw, SAMPLE_LINES))
        found = find_header(first)
        findings += found.findings
        raw = _chain(first, raw)
    else:
        found = Layout(mapping.header_row, mapping.header_lines)
    header, line = _header(raw, found)
    if not header:
        findings.append(
            source.broken
            or Finding(Severity.ERROR, "HEADER_MISSING", "The file has no readable header row.")
        )
        return Table(mapping, [], findings, raw, source, today)
    known = recall(header) if mapping is None and recall is not None else None
    if known is not None and isinstance(book, bytes | Workbook):
        # The sheet is the one on which this header stands, whatever its name was the last time.
        place = {"header_row": found.header_row, "header_lines": found.header_lines, "sheet": ""}
        known = known.model_copy(update=place)
        again = open_table(book, known, today=today, max_bytes=max_bytes, apart=apart)
        again.findings.insert(0, CONFIRMED)
        return again
    if mapping is None and not blocks(findings):
        first = list(islice(raw, SAMPLE_LINES))
        mapping, proposed = propose_mapping(
            header,
            documents_of(first, header),
            kind,
            more=_more(book, found, apart=apart),
            numbers=source.numbers if isinstance(source, SheetRows) else (),
        )
        findings += proposed
        raw = _chain(first, raw)
        if mapping is not None:
            mapping = mapping.model_copy(
                update={"header_row": found.header_row, "header_lines": found.header_lines}
            )
            if isinstance(book, Workbook) and mapping.decimal == "comma":
                # From its start once more, with the numbers written as the texts beside them are.
                again = open_table(book, mapping, today=today)
                source, raw = again.source or source, again.raw_rows()
    if mapping is not None:
        findings += _header_findings(header, mapping)
    return Table(mapping, header, findings, raw, source, today, line)


def _of_book(
    book: Workbook, mapping: ColumnMapping | None, findings: list[Finding]
) -> tuple[SheetRows, Iterator[RawRow]]:
    wanted = mapping.sheet if mapping else ""
    name = book.choose(wanted)
    findings += book.told(name, wanted)
    source = book.rows(name, comma=mapping is not None and mapping.decimal == "comma")
    return source, iter(source)


def _of_text(
    stream: BinaryIO | bytes,
    mapping: ColumnMapping | None,
    findings: list[Finding],
    max_bytes: int,
    *,
    apart: bool = False,
) -> tuple[Lines | ApartRows, Iterator[RawRow]]:
    if isinstance(stream, bytes) and b"\r" in stream[:SAMPLE_BYTES]:
        head = stream[:SAMPLE_BYTES]
        if b"\n" not in head and b"\0" not in head:  # the line ends of old Macintoshes
            stream = stream.replace(b"\r", b"\n")
    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    sample, source, most = peeked(source, max_bytes)
    dialect = _dialect_of(sample, mapping, findings)
    if apart and isinstance(stream, bytes) and len(stream) > LARGE:
        cut = ApartRows(stream, dialect, max_bytes)
        return cut, iter(cut)
    lines = Lines(source, dialect.encoding, most)
    return lines, rows(lines, dialect.delimiter)


def _chain(first: list[RawRow], rest: Iterator[RawRow]) -> Iterator[RawRow]:
    yield from first
    yield from rest


def peeked(source: BinaryIO, max_bytes: int) -> tuple[bytes, BinaryIO, int]:
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


def _dialect_of(sample: bytes, mapping: ColumnMapping | None, findings: list[Finding]) -> Dialect:
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
            Finding(
                Severity.INFO,
                "ENCODING",
                Words("The file is read as %(encoding)s.", encoding=encoding),
                "",
                encoding,
            )
        )
    delimiter: str = mapping.delimiter if mapping else ""
    if not delimiter:
        text = sample.decode(encoding, errors="replace")
        start = (mapping.header_row if mapping else 1) - 1
        delimiter = detect_delimiter(text.splitlines()[start : start + SAMPLE_LINES])
        shown = {"\t": "tab"}.get(delimiter, delimiter)
        findings.append(
            Finding(
                Severity.INFO,
                "DELIMITER",
                Words("Fields are divided by %(sign)s.", sign=repr(shown)),
                "",
                shown,
            )
        )
    return Dialect(delimiter, encoding)


class Look(NamedTuple):
    """A table as it is found before anybody has said what its columns mean."""

    layout: Layout
    header: list[str]
    rows: list[list[str]]  # the first below the header
    findings: list[Finding]
    numbers: frozenset[str] = frozenset()
    sheets: tuple[str, ...] = ()
    usual_sheet: str = ""  # the one that is read when none is named


def look_into(
    content: bytes | Workbook, *, encoding: str = "", sheet: str = "", header_row: int = 0
) -> Look:
    """Find sheet, encoding and header of a table, as far as they are not given."""
    how = unmapped(encoding=encoding, sheet=sheet)
    findings: list[Finding] = []
    source, raw = (
        _of_book(content, how, findings)
        if isinstance(content, Workbook)
        else _of_text(content, how, findings, MAX_TABLE_BYTES)
    )
    first = list(islice(raw, SAMPLE_LINES + header_row))
    layout = find_header(first)
    if header_row and header_row != layout.header_row:
        layout = Layout(header_row)
    findings += layout.findings
    rest = iter(first)
    header, _line = _header(rest, layout)
    look = Look(layout, header, documents_of(rest, header), findings)
    if isinstance(content, Workbook) and isinstance(source, SheetRows):
        return look._replace(
            numbers=frozenset(source.numbers),
            sheets=tuple(content.names),
            usual_sheet=content.choose(),
        )
    return look


def documents_of(rows: Iterable[RawRow], header: Sequence[str]) -> list[list[str]]:
    """Give the rows that can be documents, without sums and names that stand there again."""
    return [row.cells for row in rows if left_out(row, header, frozenset()) is None]


def unmapped(**how: Any) -> ColumnMapping:  # noqa: ANN401 - what a mapping says of the file
    """Give a mapping that reads no column, to look at the header and the rows of a table."""
    nothing = {"paid_on": "-", "amount": "-", "currency": "-"}
    return ColumnMapping(kind=Kind.PAYMENT, columns={}, constants=nothing, **how)


def values_of(
    stream: bytes | Workbook, columns: Collection[str], how: ColumnMapping, *, apart: bool = False
) -> frozenset[str]:
    """Give all values of some columns, each once."""
    table = open_table(stream, how, apart=apart)
    places = [table.header.index(name) for name in columns if name in table.header]
    return frozenset(
        text
        for row in table.raw_rows()
        for place in places
        if place < len(row.cells) and (text := row.cells[place].strip())
    )


def _more(book: BinaryIO | bytes | Workbook, found: Layout, *, apart: bool) -> More | None:
    if not isinstance(book, bytes | Workbook):
        return None  # a stream is read once
    how = unmapped(header_row=found.header_row, header_lines=found.header_lines)
    return lambda columns: values_of(book, columns, how, apart=apart)


def _header(raw: Iterator[RawRow], found: Layout) -> tuple[list[str], int]:
    """Give the names of the header, if there are any, and its last line."""
    for row in raw:
        if row.line < found.header_row:
            continue
        cells, line = row.cells[:MAX_COLUMNS], row.line
        if found.header_lines > 1:
            below = next(raw, None)
            cells = joined(cells, below.cells[:MAX_COLUMNS] if below else ())
            line = below.line if below else line
        names = [squeeze(cell) for cell in cells]
        return (names if any(names) else []), line
    return [], 0


def _header_findings(header: list[str], mapping: ColumnMapping) -> list[Finding]:
    found: list[Finding] = []
    message: str
    for field, column in mapping.columns.items():
        count = header.count(squeeze(column))
        if count == 0:
            message = Words(
                "The header has no column %(column)s for %(field)s.",
                column=repr(column),
                field=field,
            )
            found.append(Finding(Severity.ERROR, "COLUMN_MISSING", message, "header", column))
        elif field in AMOUNTS_READ and is_scaled(column):
            found.append(scale_refused(column))
        elif count > 1:
            message = Words(
                "The header has %(count)s columns %(column)s; which is %(field)s?",
                count=count,
                column=repr(column),
                field=field,
            )
            found.append(Finding(Severity.ERROR, "COLUMN_TWICE", message, "header", column))
    dated = mapping.columns.keys() | mapping.constants.keys()
    if mapping.kind is Kind.INVOICE and "due_on" not in dated:
        message = "No column gives the due date; the buyer must state it when accepting."
        found.append(Finding(Severity.WARNING, "DUE_DATE_MISSING", message, "header"))
    return found
