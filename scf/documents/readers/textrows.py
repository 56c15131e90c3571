"""The rows of a large text table, unpacked, decoded and cut by a process of its own.

What bytes can do to a reader (a packed bomb, a wrong encoding, quotes that never close) they do
there; here come cells as plain text, while the rest of the file is still being cut. What the cells
mean is found out by the caller, row by row, as with the cells of a workbook.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from scf.documents.readers.apart import finding_from_plain, finding_plain
from scf.documents.readers.table import Lines, RawRow, rows
from scf.kernel import confined
from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.findings import Finding, Severity

if TYPE_CHECKING:
    from scf.documents.readers.table import Dialect

# From here on a table is worth the start of a process; below, it costs milliseconds.
LARGE: Final = 250_000
_AT_ONCE: Final = 250
# 200 MB, unpacked, take about a minute of a slow processor.
_LIMITS: Final = confined.Limits(cpu_seconds=180)


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

    def __iter__(self) -> Iterator[RawRow]:
        task = "scf.documents.readers.textrows:work"
        try:
            for line in confined.stream(task, self._content, self._how, _LIMITS):
                for number, cells, told in json.loads(line):
                    self.number = number
                    finding = finding_from_plain(told) if told else None
                    if cells is None:
                        self.broken = finding
                    else:
                        yield RawRow(number, cells, finding)
        except (InvalidInput, TooLarge) as refusal:
            place = f"row {self.number + 1}"
            self.broken = Finding(Severity.ERROR, refusal.code, refusal.words, place)


def work(
    source: IO[bytes], answer: IO[bytes], *, encoding: str, delimiter: str, max_bytes: int
) -> None:
    """Cut the file and write its rows, some at a time."""
    from scf.documents.readers.csvfile import peeked

    _sample, stream, most = peeked(cast("BinaryIO", source), max_bytes)
    lines = Lines(stream, encoding, most)
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
