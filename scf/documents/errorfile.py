"""The file that a sender corrects: only what was not taken, with the reason beside it.

Of a table these are the bad rows themselves, under their own header, with one more column that
says what is wrong: corrected, the file is handed in again with the same mapping. Those of a
workbook are written as CSV. Of any other file
it is the list of findings.
"""

import csv
import io
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Protocol

from scf.documents.canonical import Kind
from scf.documents.readers.again import AGAIN, OURS, REASON, mark
from scf.documents.readers.csvfile import Table, open_table, prepared
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.sheetfile import Workbook
from scf.documents.readers.table import DELIMITERS

MAX_LINES: Final = 20_000  # of one document, when nothing below it starts another
COLUMNS: Final = ("severity", "code", "place", "message", "value")
_ROW: Final = re.compile(r"row (\d{1,15})\b")
_FORMULA: Final = re.compile(r"[=+\-@\t\r＝＋－＠]")  # noqa: RUF001 - the wide twins count as well
_NUMBER: Final = re.compile(r"[+\-][\d.,\s]+")


class Found(Protocol):
    """A stored finding."""

    @property
    def severity(self) -> str: ...  # noqa: D102 - a column, see the table
    @property
    def code(self) -> str: ...  # noqa: D102
    @property
    def place(self) -> str: ...  # noqa: D102
    @property
    def message(self) -> str: ...  # noqa: D102
    @property
    def value(self) -> str: ...  # noqa: D102


def bad_rows(
    content: bytes,
    findings: Sequence[Found],
    mapping: Mapping[str, Any] | None,
    document_type: str | None,
    upload_id: str = "",
) -> bytes:
    """Write the rows of a table that the findings are about, as they stand in it.

    With the id of its upload each row carries which one it is: handed in corrected, it is known.

    Where a document has several rows all of them are given, since it is handed in as a whole.
    Findings that belong to no row (a missing column, a broken end) stand below without cells.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    loose: list[str] = []
    for one in findings:
        told = f"{one.code}: {one.message}"
        row = row_of(one.place)
        if row is None:
            loose.append(told)
        else:
            reasons[row].append(told)
    source = prepared(content)
    table = _open(source, mapping, document_type)
    of_line = _documents(_open(source, mapping, document_type), reasons)
    of_document: dict[int, list[str]] = defaultdict(list)
    for row, told_of_row in sorted(reasons.items()):
        of_document[of_line.get(row, row)] += told_of_row
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=_delimiter(table), lineterminator="\r\n")
    # What stands in columns of ours was of an earlier file: these rows are of this one.
    kept = [place for place, name in enumerate(table.header) if name not in OURS]
    ours = [REASON, AGAIN] if upload_id else [REASON]
    writer.writerow([*(cell(table.header[place]) for place in kept), *ours])
    width = len(table.header)
    for raw in table.raw_rows():
        if raw.line in of_line:
            cells = [*raw.cells, *[""] * (width - len(raw.cells))]
            told = " | ".join(of_document[of_line[raw.line]])
            which = [mark(upload_id, of_line[raw.line])] if upload_id else []
            writer.writerow([*(cell(cells[place]) for place in kept), cell(told), *which])
    for told in loose:
        writer.writerow([*[""] * len(kept), cell(told), *[""] * (len(ours) - 1)])
    return out.getvalue().encode("utf-8")


@dataclass(frozen=True)
class BadRow:
    """A row of a table to correct: where it stands, where its document starts, and its cells."""

    line: int
    starts: int
    cells: list[str]


def rows_to_fix(
    content: bytes,
    wanted: Collection[int],
    mapping: Mapping[str, Any] | None,
    document_type: str | None,
) -> tuple[list[str], list[BadRow]]:
    """Give the header of a table and the rows of the documents that start at some lines."""
    source = prepared(content)
    table = _open(source, mapping, document_type)
    of_line = _documents(_open(source, mapping, document_type), wanted)
    width = len(table.header)
    found = []
    last = max(of_line, default=0)
    for raw in table.raw_rows():
        if raw.line > last:
            break
        if raw.line in of_line:
            cells = [*raw.cells, *[""] * (width - len(raw.cells))][:width]
            found.append(BadRow(raw.line, of_line[raw.line], cells))
    return table.header, found


def corrected(
    header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], upload_id: str
) -> bytes:
    """Write corrected rows as a table of their own, for :data:`CORRECTED` to be read by.

    Each comes with the line at which its document starts in the upload.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    kept = [place for place, name in enumerate(header) if name not in OURS]
    writer.writerow([*(header[place] for place in kept), AGAIN])
    for starts, cells in rows:
        writer.writerow([*(cells[place] for place in kept), mark(upload_id, starts)])
    return out.getvalue().encode("utf-8")


# How a table that ``corrected`` wrote is to be read, whatever its original was like.
CORRECTED: Final = {
    "delimiter": ",",
    "encoding": "utf-8",
    "header_row": 1,
    "header_lines": 1,
    "sheet": "",
}


def start_of(starts: Sequence[int], row: int) -> int:
    """Give where the document of a row starts; ``starts`` are in order."""
    place = bisect_right(starts, row)
    return starts[place - 1] if place else row


def row_of(place: str) -> int | None:
    """Give the line of a table that a finding's place names."""
    row = _ROW.match(place)
    return int(row[1]) if row else None


def list_of(findings: Iterable[Found]) -> bytes:
    """Write findings as a table, one a row."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in findings:
        writer.writerow([cell(getattr(one, name)) for name in COLUMNS])
    return out.getvalue().encode("utf-8")


def cell(text: str) -> str:
    """Keep a spreadsheet from running a text; a number with a sign stays one."""
    harmless = not _FORMULA.match(text) or _NUMBER.fullmatch(text)
    return text if harmless else f"'{text}"


def _open(
    content: bytes | Workbook, mapping: Mapping[str, Any] | None, document_type: str | None
) -> Table:
    columns = ColumnMapping.model_validate(mapping, strict=False) if mapping else None
    return open_table(content, columns, kind=Kind(document_type) if document_type else None)


def _delimiter(table: Table) -> str:
    told = next((one.value for one in table.findings if one.code == "DELIMITER"), "")
    chosen = {"tab": "\t"}.get(told, told) or (table.mapping.delimiter if table.mapping else "")
    return chosen if chosen in DELIMITERS else ","


def _documents(table: Table, reasons: Iterable[int]) -> dict[int, int]:
    """Give the lines of every document that a row is of, each with the line at which it starts."""
    if not table.readable or not table.has_lines:
        return {line: line for line in reasons}
    starts = [row.row for row in table.rows()]
    bounds = dict(pairwise([*starts, 10**15]))
    return {
        line: start
        for start in {start_of(starts, row) for row in reasons}
        for line in range(start, min(bounds.get(start, start + 1), start + MAX_LINES))
    }
