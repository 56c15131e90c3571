"""The rows of a large text table, unpacked, decoded and cut by a process of its own.

What bytes can do to a reader (a packed bomb, a wrong encoding, quotes that never close) they do
there; here come cells as plain text, while the rest of the file is still being cut. What the cells
mean is found out by the caller, row by row, as with the cells of a workbook; of a very large table
another process finds it out while the caller stores what came before.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Generator, Iterator
from itertools import dropwhile, islice
from typing import IO, TYPE_CHECKING, Any, BinaryIO, Final, cast

from scf.documents.readers.apart import finding_from_plain, finding_plain
from scf.documents.readers.handedover import handed_over, taken_over
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.table import Lines, RawRow, rows
from scf.documents.readers.tablerows import RowReader, TableRow
from scf.kernel import confined
from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.findings import Finding, Severity

if TYPE_CHECKING:
    from scf.documents.readers.table import Dialect

# From here on a table is worth the start of a process; below, it costs milliseconds.
LARGE: Final = 250_000
_AT_ONCE: Final = 250
# From here on its documents are read by another process too: two of them work at a time.
VERY_LARGE: Final = 4_000_000
_MAX_TOLD: Final = 50_000  # of names of columns: all of it goes with the call
# 200 MB, unpacked, take about a minute of a slow processor to cut, and five to read.
_LIMITS: Final = confined.Limits(cpu_seconds=180)
_READING: Final = confined.Limits(cpu_seconds=900)


class ApartRows:
    """The rows of a text table as another process cuts them; ``number`` is the line last given."""

    def __init__(self, content: bytes, dialect: Dialect, max_bytes: int) -> None:
        self._content = content
        self._how = {
            "encoding": dialect.encoding,
            "delimiter": dialect.delimiter,
            "max_bytes": max_bytes,
        }
        self.number = 0
        self.broken: Finding | None = None  # why reading ended before the file did
        self._cut: Generator[bytes, None, None] | None = None

    def beside(self, reader: RowReader, after: int) -> dict[str, Any] | None:
        """Say how another process reads the documents below a line; None where it should not."""
        below = {
            "mapping": reader.mapping.model_dump(mode="json"),
            "header": reader.header,
            "day": reader.today.isoformat() if reader.today else "",
            "after": after,
        }
        large = len(self._content) > VERY_LARGE
        return below if large and len(json.dumps(below)) < _MAX_TOLD else None

    def documents(self, reader: RowReader, below: dict[str, Any]) -> Iterator[TableRow]:
        """Read the documents in a process of its own, instead of cutting on here."""
        if self._cut is not None:
            self._cut.close()
        how = {**self._how, "below": below}
        self.number = below["after"]
        task = "scf.documents.readers.textrows:read"
        try:
            for line in confined.stream(task, self._content, how, _READING):
                told = json.loads(line)
                if isinstance(told, list):
                    self._broken_off(told)
                    return
                for result in taken_over(told, reader):
                    self.number = result.row
                    yield result
        except (InvalidInput, TooLarge) as refusal:
            self._ended(refusal)

    def _broken_off(self, told: list[Any]) -> None:
        self.number, plain = told
        self.broken = finding_from_plain(plain)

    def _ended(self, refusal: InvalidInput | TooLarge) -> None:
        place = f"row {self.number + 1}"
        self.broken = Finding(Severity.ERROR, refusal.code, refusal.words, place)

    def __iter__(self) -> Iterator[RawRow]:
        task = "scf.documents.readers.textrows:work"
        try:
            self._cut = confined.stream(task, self._content, self._how, _LIMITS)
            for line in self._cut:
                for number, cells, told in json.loads(line):
                    self.number = number
                    finding = finding_from_plain(told) if told else None
                    if cells is None:
                        self.broken = finding
                    else:
                        yield RawRow(number, cells, finding)
        except (InvalidInput, TooLarge) as refusal:
            self._ended(refusal)


def read(
    source: IO[bytes],
    answer: IO[bytes],
    *,
    encoding: str,
    delimiter: str,
    max_bytes: int,
    below: dict[str, Any],
) -> None:
    """Read the documents below the header of the file and write them, some at a time."""
    lines = _lines(source, encoding, max_bytes)
    mapping = ColumnMapping.model_validate(below["mapping"], strict=False)
    today = dt.date.fromisoformat(below["day"]) if below["day"] else None
    reader = RowReader(mapping, below["header"], today)
    cut = dropwhile(lambda row: row.line <= below["after"], rows(lines, delimiter))
    for told in handed_over(reader.documents(cut)):
        answer.write(json.dumps(told).encode("ascii") + b"\n")
    if lines.broken is not None:
        answer.write(json.dumps([lines.number, finding_plain(lines.broken)]).encode() + b"\n")


def _lines(source: IO[bytes], encoding: str, max_bytes: int) -> Lines:
    from scf.documents.readers.csvfile import peeked

    _sample, stream, most = peeked(cast("BinaryIO", source), max_bytes)
    return Lines(stream, encoding, most)


def work(
    source: IO[bytes], answer: IO[bytes], *, encoding: str, delimiter: str, max_bytes: int
) -> None:
    """Cut the file and write its rows, some at a time."""
    lines = _lines(source, encoding, max_bytes)
    cut = rows(lines, delimiter)
    while some := list(islice(cut, _AT_ONCE)):
        _write(answer, some)
    if lines.broken is not None:
        told = json.dumps([[lines.number, None, finding_plain(lines.broken)]])
        answer.write(told.encode() + b"\n")


def _write(answer: IO[bytes], some: list[RawRow]) -> None:
    plain = [
        (row.line, row.cells, finding_plain(row.finding) if row.finding else None) for row in some
    ]
    # With its escapes it is ASCII: no letter of the file can end a line.
    answer.write(json.dumps(plain).encode("ascii") + b"\n")
