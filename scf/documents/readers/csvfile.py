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
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO, Final, cast

from scf.documents.canonical import Kind, blocks
from scf.documents.readers.mapping import LINE_FIELDS, ColumnMapping, propose_mapping
from scf.documents.readers.sniff import MAX_RATIO
from scf.documents.readers.table import (
    SAMPLE_BYTES,
    SAMPLE_LINES,
    Dialect,
    Lines,
    RawRow,
    detect_delimiter,
    detect_encoding,
    rows,
)
from scf.documents.readers.tablerows import RowReader, TableRow
from scf.documents.readers.text import squeeze
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity

MAX_TABLE_BYTES: Final = 200_000_000
MAX_COLUMNS: Final = 500
_GZIP: Final = b"\x1f\x8b"


class Table:
    """An opened table: how it is written, what its header says, and its rows."""

    def __init__(
        self,
        mapping: ColumnMapping | None,
        header: list[str],
        findings: list[Finding],
        raw: Iterator[RawRow],
        lines: Lines,
        today: dt.date | None,
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


def _header(raw: Iterator[RawRow], header_row: int) -> list[str] | None:
    for row in raw:
        if row.line >= header_row:
            names = [squeeze(cell) for cell in row.cells[:MAX_COLUMNS]]
            return names if any(names) else None
    return None


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
