"""Read X12 interchanges: 850, 855, 856, 810 and 820 of versions 003 to 008.

The interchange header says its own separators: the fourth character cuts elements, the last two
cut components and segments. Headers whose elements lost their padding are read all the same,
since only the marks are taken by place.

Source: ASC X12.5 (interchange control), X12.6 (syntax), X12.22 (segments).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from typing import Final

from scf.documents.readers.edi_envelope import Envelopes, Level, Syntax, refusal
from scf.documents.readers.edi_scope import Message, Reading
from scf.documents.readers.edi_segments import LAYOUT, Broken, Marks, Segment, Text, unwrap
from scf.documents.readers.x12_messages import FREE_TEXT, MESSAGES
from scf.kernel.findings import Finding, Severity

SYNTAX: Final = Syntax(
    Level("ISA", 13, "IEA"),
    Level("GS", 6, "GE"),
    Level("ST", 2, "SE"),
    groups_only=True,
    between=frozenset({"ISB", "ISE", "TA1", "TA3"}),
)
_HEADER_ELEMENTS: Final = 16
_MAX_HEADER: Final = 200
_HEADER: Final = 106  # as the standard pads it
_REPEATING: Final = "00402"  # the first version whose header names a repetition separator
_TAIL: Final = "\x00\x1a"
_PRODUCTION: Final = "P"


def read_x12(data: bytes) -> Iterator[Reading]:
    """Read a file of one or several interchanges, message by message."""
    try:
        text, notes = open_x12(data)
    except Broken as broken:
        yield refusal(broken)
        return
    yield from Envelopes(SYNTAX, _Messages(notes).read).readings(text, 0)


def open_x12(data: bytes) -> tuple[Text, list[Finding]]:
    """Decode a file and learn its marks; gives its text and what to say of it.

    Raises
    ------
    Broken
        When that is not possible.
    """
    decoded, notes = _decode(data)
    decoded = decoded.lstrip(LAYOUT + "\ufeff").rstrip(" \t" + _TAIL)
    joined, width = unwrap(decoded)
    return Text(joined, _marks(joined), width), notes


def _decode(data: bytes) -> tuple[str, list[Finding]]:
    """X12 declares no character set: ASCII is what it knows, UTF-8 and ISO 8859-1 occur."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16"), []
        except UnicodeDecodeError as error:
            place = f"byte {error.start + 1}"
            raise Broken("EDI_CHARSET", "The file is not in UTF-16.", place) from None
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        message = "X12 names no character set; letters beyond ASCII are read as ISO 8859-1."
        return data.decode("latin-1"), [Finding(Severity.WARNING, "EDI_CHARSET", message, "ISA")]


def _marks(text: str) -> Marks:
    """Take the separators from the interchange header."""
    element = text[3:4]
    head = text[:_MAX_HEADER].split(element)
    if len(head) <= _HEADER_ELEMENTS or len(head[_HEADER_ELEMENTS]) < 2:  # noqa: PLR2004 - two marks
        raise Broken(
            "EDI_HEADER",
            "The interchange header must have sixteen elements and two separators at its end.",
            "ISA, line 1, column 1",
            text[:_HEADER],
        )
    component, end = head[_HEADER_ELEMENTS][0], head[_HEADER_ELEMENTS][1]
    repetition = head[11] if head[12] >= _REPEATING and len(head[11]) == 1 else ""
    if repetition.isalnum():
        repetition = ""
    if end == "\r" and head[_HEADER_ELEMENTS][2:3] == "\n":
        end = "\n"
    used = [mark for mark in (element, component, repetition, end) if mark]
    if len(set(used)) < len(used) or any(mark.isalnum() or mark in " -." for mark in used):
        raise Broken(
            "EDI_HEADER",
            "The interchange header gives one separator two meanings, or makes one of a letter.",
            "ISA, line 1, column 1",
            " ".join(used),
        )
    return Marks(component, element, "", repetition, end, ".")


class _Messages:
    """Reads the transaction sets of a file; what is wrong with the file is told once."""

    def __init__(self, notes: list[Finding]) -> None:
        self._notes = notes

    def read(
        self, segments: Sequence[Segment], interchange: Segment, where: str, wrong: list[Finding]
    ) -> Reading:
        """Read one transaction set by its number."""
        begin = segments[0]
        message = Message("x12", where, begin.decimal_marks, begin)
        message.findings += self._notes + wrong
        self._notes = []
        name = begin.get(1)
        if interchange.get(15) != _PRODUCTION:
            message.test(name)
        read = MESSAGES.get(name)
        if read is None:
            message.error(
                "MESSAGE_UNKNOWN", "Of X12, 850, 855, 856, 810 and 820 are read.", begin, name
            )
            return None, message.findings, ()
        for segment in segments:
            if segment.broken and segment.tag not in FREE_TEXT:
                message.error(
                    "EDI_LINE_BREAK",
                    "A line break stands inside the segment; is its end mark missing?",
                    segment,
                )
        return read(message, segments[1:-1]), message.findings, message.unread
