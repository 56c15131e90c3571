"""The sheets of a workbook as rows of text, read by a process of its own with limits.

Numbers come in the plain spelling that the sheet shows in full and dates in ISO 8601, whatever
their cell's format; a text stays the text it is. What a person at the screen does not see (hidden
rows and sheets, values taken over from other files) is read and told.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator, Sequence
from typing import IO, Any, Final

from scf.documents.readers.layout import Layout, find_header
from scf.documents.readers.table import SAMPLE_LINES, RawRow
from scf.documents.readers.text import squeeze
from scf.kernel import confined
from scf.kernel.errors import InvalidInput, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.workbook import index_of

MAX_COLUMNS: Final = 500
_BLOCK: Final = 262_144


class Workbook:
    """An unpacked workbook; its sheets can be read any number of times."""

    def __init__(self, data: bytes) -> None:
        """Unpack it.

        Raises
        ------
        InvalidInput
            What ``scf.kernel.workbook`` refuses, and SHEETS_NONE.
        TooLarge
            What asks for more time or memory than a file may.
        """
        answer = confined.run("scf.kernel.workbook:unpack", data)
        weakref.finalize(self, answer.close)
        self._answer = answer
        index = index_of(answer)
        self.links: bool = index["links"]
        self._sheets: dict[str, dict[str, Any]] = {}
        start = 0
        for one in index["sheets"]:
            self._sheets[one["name"]] = {**one, "start": start}
            start = one["end"]
        if not self._sheets:
            raise InvalidInput("SHEETS_NONE", "The workbook holds no sheet with cells.")

    @property
    def names(self) -> list[str]:
        """The names of the sheets, in their order."""
        return list(self._sheets)

    def choose(self, wanted: str = "") -> str:
        """Give the wanted sheet, or the one that looks most like a table; shown before hidden."""
        if wanted in self._sheets:
            return wanted
        scores = {name: self._score(name) for name in self._sheets}
        return max(scores, key=lambda name: scores[name], default="")

    def _score(self, name: str) -> tuple[bool, float, int]:
        sheet = self._sheets[name]
        found = self.layout(name)
        return not sheet["hidden"], found.score, min(sheet["height"], SAMPLE_LINES)

    def layout(self, name: str) -> Layout:
        """Find the header of a sheet."""
        first = []
        for row in self.rows(name):
            first.append(row)
            if len(first) == SAMPLE_LINES:
                break
        return find_header(first)

    def _alike(self, name: str) -> list[str]:
        names = self._header(name)
        others = (one for one in self._sheets if one != name)
        return [one for one in others if any(names) and self._header(one) == names]

    def _header(self, name: str) -> list[str]:
        line = self.layout(name).header_row
        found = next((row.cells for row in self.rows(name) if row.line == line), [])
        return [squeeze(cell) for cell in found if cell.strip()]

    def rows(self, name: str, *, comma: bool = False) -> SheetRows:
        """Give the rows of a sheet, numbers written with a point or with a comma."""
        return SheetRows(self, self._answer, self._sheets[name], comma=comma)

    def told(self, name: str, wanted: str = "") -> list[Finding]:
        """Say which sheet is read, and what of it a person would not see."""
        found: list[Finding] = []

        def tell(severity: Severity, code: str, message: str, value: object = "") -> None:
            found.append(Finding(severity, code, message, "", str(value)))

        sheet = self._sheets[name]
        message: str
        if wanted and wanted != name:
            message = Words("There is no sheet %(sheet)s; another one is read.", sheet=wanted)
            tell(Severity.WARNING, "SHEET_MISSING", message, wanted)
        tell(Severity.INFO, "SHEET", Words("The sheet %(sheet)s is read.", sheet=name), name)
        if len(self._sheets) > 1:
            others = ", ".join(other for other in self._sheets if other != name)
            message = Words("Other sheets are not read: %(sheets)s.", sheets=others)
            tell(Severity.INFO, "SHEETS_UNREAD", message, others)
            alike = ", ".join(self._alike(name))
            if alike:
                message = Words(
                    "The sheets %(sheets)s have the same columns and are not read: hand each of"
                    " them in by itself, or put all rows on one sheet.",
                    sheets=alike,
                )
                tell(Severity.WARNING, "SHEETS_ALIKE", message, alike)
        if sheet["hidden"]:
            tell(Severity.WARNING, "SHEET_HIDDEN", "The sheet that is read is hidden.", name)
        hidden = sheet["hidden_rows"]
        if hidden:
            message = Words("Hidden rows are read as well: %(count)s.", count=hidden)
            tell(Severity.WARNING, "ROWS_HIDDEN", message, hidden)
        if sheet["hidden_columns"]:
            tell(Severity.INFO, "COLUMNS_HIDDEN", "Hidden columns are read as well.")
        if sheet["merged"]:
            message = "Merged cells are read as their first cell; the others are empty."
            tell(Severity.INFO, "CELLS_MERGED", message, sheet["merged"])
        if self.links:
            message = "The workbook takes values from other workbooks; they are read as last saved."
            tell(Severity.WARNING, "LINKS_EXTERNAL", message)
        return found


class SheetRows:
    """The rows of one sheet, with its own place in the file; ``number`` is the row last given."""

    broken: Finding | None = None

    def __init__(
        self, book: Workbook, answer: IO[bytes], sheet: dict[str, Any], *, comma: bool
    ) -> None:
        self._book = book  # whose file is closed when nobody reads of it any more
        self._answer = answer
        self._start: int = sheet["start"]
        self._end: int = sheet["end"]
        self.height: int = sheet["height"]
        self._width = min(sheet["width"], MAX_COLUMNS)
        self._comma = comma
        self._column: int = sheet["column"]
        self._wrong: Sequence[tuple[int, int, str]] = sheet["wrong"]
        self.number = 0
        self.numbers: set[str] = set()  # what stood in number cells, as far as it is looked at

    def __iter__(self) -> Iterator[RawRow]:
        for line in self._lines():
            self.number += 1
            cells = [self._text(cell) for cell in json.loads(line)[: self._width]]
            # A blank at the end of a row of a sheet is a blank and no missing field.
            yield RawRow(self.number, cells + [""] * (self._width - len(cells)))

    def _text(self, cell: str) -> str:
        if not cell:
            return ""
        if cell[0] == "n":
            text = cell[1:]
            if "." in text:
                if len(self.numbers) < SAMPLE_LINES * SAMPLE_LINES:
                    self.numbers.add(text)
                if self._comma:
                    return text.replace(".", ",")
            return text
        return cell[1:]

    def _lines(self) -> Iterator[bytes]:
        # At its own place: two readings of one file do not move each other.
        at, rest = self._start, b""
        while at < self._end:
            block = os.pread(self._answer.fileno(), min(_BLOCK, self._end - at), at)
            at += len(block)
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            yield from lines

    def errors(self) -> dict[int, dict[int, str]]:
        """Give by row and column the cells that hold an error, or a formula never worked out."""
        found: dict[int, dict[int, str]] = {}
        for row, column, text in self._wrong:
            found.setdefault(row, {})[column - self._column] = text
        return found


def refused_cells(
    rows: Iterator[RawRow], errors: dict[int, dict[int, str]], used: set[int], header: Sequence[str]
) -> Iterator[RawRow]:
    """Keep out the rows in which a cell that would be read holds an error instead of a value."""
    for row in rows:
        hit = sorted(used & errors[row.line].keys()) if row.line in errors else []
        if not hit:
            yield row
            continue
        text = errors[row.line][hit[0]]
        message = (
            Words("The cell holds the error %(error)s instead of a value.", error=text)
            if text
            else "The cell holds a formula whose value was never saved."
        )
        place = f"row {row.line}, column {header[hit[0]]}"
        yield row._replace(finding=Finding(Severity.ERROR, "CELL_ERROR", message, place, text))
