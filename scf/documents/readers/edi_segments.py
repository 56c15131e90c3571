"""Cut an interchange into segments, each with its place: what EDIFACT and X12 have in common.

Both write a tag, elements behind one mark, components behind another and an end mark; they differ
in who says which marks. Nothing is built for the whole file: segments come one by one, so that a
file of five megabytes of end marks costs no memory.

Source: ISO 9735 (syntax 1 to 4), ASC X12.5 and X12.6.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from scf.documents.readers.text import squeeze
from scf.kernel.errors import Words

MAX_SEGMENT: Final = 20_000
PACKAGE: Final = "UNO"  # what follows it is an object of any kind, up to UNP
# The blanks that senders put between segments so that people can read the file.
LAYOUT: Final = " \t\r\n"
# A file cut into records has at least so many of them, all but the last of one width.
_MIN_RECORDS: Final = 3
_MIN_WIDTH: Final = 8
_MAX_WIDTH: Final = 2_000
# Stand-ins for marks that the release character made plain text. They are surrogates, which no
# decoded text can hold, so that nothing a sender writes is taken for one.
_RELEASED: Final = 0xD800
_FILLER: Final = 0xDFFF


class Broken(Exception):
    """The interchange cannot be read any further; nothing after this place is known."""

    def __init__(self, code: str, message: str, place: str = "", value: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.place = place
        self.value = value


class Marks(NamedTuple):
    """The characters that cut an interchange; an empty one is not in use."""

    component: str
    element: str
    release: str
    repetition: str
    end: str
    decimal: str = "."


class Segment:
    """One segment: its tag, its elements, and where it stands.

    ``number`` counts within the message, as the message's own count does.
    """

    __slots__ = ("_text", "broken", "column", "elements", "line", "number", "tag", "whole")

    def __init__(self, text: Text, raw: str, line: int, column: int, *, whole: bool) -> None:
        elements = raw.split(text.marks.element)
        self._text = text
        self.elements = elements
        # The tag may carry a repetition or nesting of its own ("LIN:1"): nobody uses it.
        self.tag = elements[0].strip()
        self.line = line
        self.column = column
        self.number = 0
        self.whole = whole
        # A line break inside: the end mark may be missing.
        self.broken = "\n" in raw and "\n" in raw.rstrip(LAYOUT)

    def get(self, element: int, component: int = 0) -> str:
        """Give a component as the sender meant it, or an empty text; layout is taken out."""
        if element >= len(self.elements):
            return ""
        raw = self.elements[element]
        marks = self._text.marks
        if marks.repetition and marks.repetition in raw:
            raw = raw[: raw.index(marks.repetition)]
        if marks.component in raw:
            parts = raw.split(marks.component)
            if component >= len(parts):
                return ""
            raw = parts[component]
        elif component:
            return ""
        return self._text.plain(raw)

    def parts(self, element: int) -> list[str]:
        """Give all components of an element."""
        if element >= len(self.elements):
            return []
        return [self._text.plain(part) for part in self._first(element)]

    def _first(self, element: int) -> list[str]:
        raw, marks = self.elements[element], self._text.marks
        if marks.repetition:
            raw = raw.split(marks.repetition, 1)[0]
        return raw.split(marks.component)

    def repeats(self, element: int) -> list[list[str]]:
        """Give every repetition of an element, each as its components."""
        if element >= len(self.elements):
            return []
        raw, marks = self.elements[element], self._text.marks
        found = raw.split(marks.repetition) if marks.repetition else [raw]
        return [[self._text.plain(part) for part in one.split(marks.component)] for one in found]

    @property
    def decimal_marks(self) -> str:
        """Give the marks that may stand before decimals in this interchange."""
        return self._text.marks.decimal

    @property
    def place(self) -> str:
        """Say where the segment stands in file and message."""
        count = f"segment {self.number} ({self.tag[:8]}), " if self.number else f"{self.tag[:8]}, "
        return f"{count}line {self.line}, column {self.column}"


class Text:
    """The text of an interchange and its marks."""

    __slots__ = ("_escapes", "marks", "text", "width")

    def __init__(self, text: str, marks: Marks, width: int) -> None:
        self.marks = marks
        self.width = width
        self._escapes: dict[int, str | None] = {}
        release = marks.release
        if release and release in text:
            used = (*(mark for mark in marks[:5] if mark), "\r", "\n", "\t", " ")
            stands = {mark: chr(_RELEASED + at) for at, mark in enumerate(used)}
            self._escapes = {ord(stand): mark for mark, stand in stands.items()}
            self._escapes[_FILLER] = None
            filler = chr(_FILLER)
            # One character for one, so that every place stays where the sender sees it.
            text = re.sub(
                re.escape(release) + "(.)",
                lambda found: filler + stands.get(found[1], found[1]),
                text,
                flags=re.DOTALL,
            )
        self.text = text

    def plain(self, raw: str) -> str:
        """Give a value without its release characters and its layout."""
        if self._escapes and not raw.isascii():
            raw = raw.translate(self._escapes)
        return squeeze(raw)

    def segments(self, start: int) -> Iterator[Segment]:
        """Give the segments from an offset on; the last one is not ``whole`` if the file is cut.

        Raises
        ------
        Broken
            EDI_SEGMENT_TOO_LONG for a segment that no message has.
        """
        text, end = self.text, self.marks.end
        if "\x00" in text:
            raise Broken(
                "EDI_NUL",
                "The file holds a NUL, which is no character of any text.",
                f"character {text.index(chr(0)) + 1}",
            )
        size, line, line_start, counted = len(text), 1, 0, 0
        at = start
        while True:
            while at < size and text[at] in LAYOUT and text[at] != end:
                at += 1
            if at >= size:
                return
            if not self.width:
                line += text.count("\n", counted, at)
                line_start = text.rfind("\n", counted, at) + 1 or line_start
                counted = at
            else:
                line, line_start = at // self.width + 1, at - at % self.width
            stop = text.find(end, at)
            raw = text[at:stop] if stop >= 0 else text[at:]
            segment = Segment(self, raw, line, at - line_start + 1, whole=stop >= 0)
            if len(raw) > MAX_SEGMENT:
                raise Broken(
                    "EDI_SEGMENT_TOO_LONG",
                    Words(
                        "A segment has more than %(limit)s characters; is its end mark missing?",
                        limit=MAX_SEGMENT,
                    ),
                    segment.place,
                    raw[:40],
                )
            yield segment
            if stop < 0:
                return
            at = stop + len(end)
            if segment.tag == PACKAGE:
                at = self._behind_package(segment, at)

    def _behind_package(self, segment: Segment, start: int) -> int:
        """Pass over an object that is no EDI (a picture, a PDF), to the segment that ends it."""
        length, ends = segment.get(4), f"UNP{self.marks.element}"
        if length.isascii() and length.isdigit() and len(length) < 9:  # noqa: PLR2004 - no such file
            behind = start + int(length)
            if self.text.startswith(ends, behind):
                return behind
        at = self.text.find(ends, start)
        if at < 0:
            raise Broken(
                "EDI_CUT", "The file ends inside an object that it carries.", segment.place
            )
        return at


def unwrap(text: str) -> tuple[str, int]:
    """Join a file that was cut into records of one width; gives the width, 0 for no such file.

    A line break anywhere else stays where it is, to be refused inside a value.
    """
    lines = text.rstrip(LAYOUT).replace("\r\n", "\n").split("\n", _MAX_WIDTH * 1000)
    width = len(lines[0])
    if len(lines) < _MIN_RECORDS or not _MIN_WIDTH <= width <= _MAX_WIDTH:
        return text, 0
    if any(len(line) != width for line in lines[:-1]) or len(lines[-1]) > width:
        return text, 0
    return "".join(lines), width
