"""Turn the bytes of a CSV file into rows, one damaged row at a time.

The standard reader stops at the first stray quote or swallows the rest of the file into one
field. Here a record that cannot be read is reported with its line, and reading goes on at the next
line, so that one bad line costs one line.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from scf.documents.readers.cells import unwrapped
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity

MAX_LINE_BYTES: Final = 262_144
MAX_FIELD: Final = 10_000
MAX_RECORD_LINES: Final = 50
DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE_BYTES: Final = 262_144
SAMPLE_LINES: Final = 60


class RawRow(NamedTuple):
    """A record with the line on which it starts, or the finding why there is none."""

    line: int
    cells: list[str]
    finding: Finding | None = None


class Dialect(NamedTuple):
    """How a table file is written."""

    delimiter: str
    encoding: str
    newline: bytes = b"\n"


def detect_delimiter(lines: list[str]) -> str:
    """Choose the delimiter that splits most lines into the same number of fields, the most."""
    best, best_score = ",", (0, 0)
    for delimiter in DELIMITERS:
        widths = Counter(len(_split_leniently(line, delimiter)) for line in lines if line.strip())
        widths.pop(1, None)
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda pair: (pair[1], pair[0]))
        if (count, width) > best_score:
            best, best_score = delimiter, (count, width)
    return best


def _split_leniently(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


class Lines:
    """The physical lines of a file, decoded one by one; remembers how much was read."""

    def __init__(self, stream: BinaryIO, encoding: str, max_bytes: int) -> None:
        self._stream = stream
        self.encoding = encoding
        self._max_bytes = max_bytes
        self.read_bytes = 0
        self.number = 0
        self.broken: Finding | None = None  # why reading ended before the file did

    def __iter__(self) -> Iterator[tuple[int, str | None]]:
        """Give line number and text; None for a line that cannot be decoded or is too long."""
        encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        if encoding.startswith("utf-16"):
            yield from self._wide_lines(encoding)
            return
        first = True
        while raw := self._next():
            self.number += 1
            if first:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
                first = False
            if len(raw) > MAX_LINE_BYTES:
                self._skip_rest(raw)
                yield self.number, None
                continue
            try:
                yield self.number, raw.decode(encoding)
            except UnicodeDecodeError:
                yield self.number, None

    def _next(self) -> bytes:
        try:
            raw = self._stream.readline(MAX_LINE_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            self.broken = Finding(
                Severity.ERROR,
                "FILE_BROKEN",
                Words("The file is cut or damaged: %(reason)s.", reason=error),
                f"row {self.number + 1}",
            )
            return b""
        self.read_bytes += len(raw)
        if self.read_bytes > self._max_bytes:
            self.broken = Finding(
                Severity.ERROR,
                "FILE_TOO_LARGE",
                Words(
                    "The file has more than %(limit)s bytes; send it in parts.",
                    limit=self._max_bytes,
                ),
                f"row {self.number + 1}",
            )
            return b""
        return raw

    def _skip_rest(self, raw: bytes) -> None:
        while raw and not raw.endswith(b"\n"):
            raw = self._next()

    def _wide_lines(self, encoding: str) -> Iterator[tuple[int, str | None]]:
        text = io.TextIOWrapper(self._stream, encoding=encoding, newline="\n")
        while True:
            self.number += 1
            try:
                line = text.readline(MAX_LINE_BYTES)
            except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
                self.broken = Finding(
                    Severity.ERROR,
                    "ENCODING",
                    Words("The file cannot be decoded further: %(reason)s.", reason=error),
                    f"row {self.number}",
                )
                return
            if not line:
                return
            self.read_bytes += 2 * len(line)
            if self.read_bytes > self._max_bytes:
                self.broken = Finding(
                    Severity.ERROR,
                    "FILE_TOO_LARGE",
                    "The file is too large; send it in parts.",
                    f"row {self.number}",
                )
                return
            yield self.number, line.removeprefix("\ufeff")


def rows(lines: Lines, delimiter: str) -> Iterator[RawRow]:
    """Split lines into records; a quoted field may run over several lines."""
    pending: list[tuple[int, str | None]] = []
    source = iter(lines)
    while True:
        if pending:
            number, line = pending.pop(0)
        else:
            step = next(source, None)
            if step is None:
                return
            number, line = step
        if line is None:
            yield RawRow(
                number,
                [],
                _finding(
                    "ROW_UNREADABLE",
                    Words(
                        "The line has over %(limit)s bytes or is not %(encoding)s.",
                        limit=MAX_LINE_BYTES,
                        encoding=lines.encoding,
                    ),
                    number,
                ),
            )
        elif "\0" in line:
            yield RawRow(number, [], _finding("NUL", "The line holds a NUL character.", number))
        elif '"' not in line:
            # Without a quote a record is its line: the common case, at the speed of split.
            yield RawRow(number, line.rstrip("\r\n").split(delimiter))
        else:
            yield _quoted(number, line, delimiter, pending, source)


def _quoted(
    number: int,
    line: str,
    delimiter: str,
    pending: list[tuple[int, str | None]],
    source: Iterator[tuple[int, str | None]],
) -> RawRow:
    """Read a record with quotes; on failure give back the lines that were looked at in vain."""
    taken: list[tuple[int, str | None]] = []
    record = line
    while True:
        try:
            cells = next(csv.reader([record], delimiter=delimiter, strict=True), [])
            return RawRow(number, unwrapped(cells) if '="' in record else cells)
        except csv.Error as error:
            reason = str(error)
        more = _up_to_a_quote(taken, pending, source) if "end of data" in reason else None
        if more is None or len(record) > MAX_LINE_BYTES:
            pending[:0] = taken
            message = Words("The quotes of the line do not balance: %(reason)s.", reason=reason)
            return RawRow(number, [], _finding("QUOTES", message, number, line))
        record += more


def _up_to_a_quote(
    taken: list[tuple[int, str | None]],
    pending: list[tuple[int, str | None]],
    source: Iterator[tuple[int, str | None]],
) -> str | None:
    """Take the lines up to the next quote, the first place where an open field can close.

    None where there is none within reach, or a line that cannot be read stands before it.
    """
    text = ""
    while len(taken) < MAX_RECORD_LINES:
        more = pending.pop(0) if pending else next(source, None)
        if more is None:
            return None
        taken.append(more)
        if more[1] is None or "\0" in more[1]:
            return None
        text += more[1]
        if '"' in more[1]:
            return text
    return None


def _finding(code: str, message: str, number: int, value: str = "") -> Finding:
    return Finding(Severity.ERROR, code, message, f"row {number}", value)
