"""Read EDIFACT interchanges: ORDERS, ORDRSP, DESADV, INVOIC and REMADV of any directory.

The service string and the character set are those that the interchange declares. Nothing is
guessed that it declares wrongly: a mark that stands for two things, a segment that runs over a
line break and a file that ends early are refused with their place.

Source: ISO 9735-1 and -2 (syntax 1 to 4), UN/EDIFACT directories D.93A to D.16B.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import Final

from scf.documents.readers.edi_envelope import Envelopes, Level, Syntax, refusal
from scf.documents.readers.edi_scope import Message, Reading
from scf.documents.readers.edi_segments import (
    LAYOUT,
    Broken,
    Marks,
    Segment,
    Text,
    unwrap,
)
from scf.documents.readers.edifact_messages import FREE_TEXT, MESSAGES
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity

SYNTAX: Final = Syntax(
    Level("UNB", 5, "UNZ"),
    Level("UNG", 5, "UNE"),
    Level("UNH", 1, "UNT"),
    groups_only=False,
    between=frozenset({"UNP"}),
)
# Syntax identifier: its character set. UNOA and UNOB are parts of ASCII.
_CHARSETS: Final = {
    "UNOA": "ascii",
    "UNOB": "ascii",
    "UNOC": "iso8859-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
    "UNOL": "iso8859-15",
    "UNOW": "utf-8",
    "UNOX": "ascii",  # ISO 2022 shifts sets by escapes; the part without them is ASCII
    "UNOY": "utf-8",
}
_DEFAULT: Final = Marks(":", "+", "?", "", "'", ".,")
# Level B may be written with the separators of ISO 646 instead of printable ones.
_CONTROLS: Final = Marks("\x1f", "\x1d", "", "", "\x1c", ".,")
_REPEATING: Final = 4  # the first version of the syntax in which elements repeat
_UNA: Final = 9
_DECLARED = re.compile(rb"UNB[^A-Za-z0-9]\s*([A-Z]{4})")
_TAIL: Final = "\x00\x1a"  # what tapes and old systems put behind a file
_TEST: Final = "1"


def read_edifact(data: bytes) -> Iterator[Reading]:
    """Read a file of one or several interchanges, message by message."""
    try:
        text, start, notes = open_edifact(data)
    except Broken as broken:
        yield refusal(broken)
        return
    reader = _Messages(notes)
    yield from Envelopes(SYNTAX, reader.read).readings(text, start)


def open_edifact(data: bytes) -> tuple[Text, int, list[Finding]]:
    """Decode a file and learn its marks; gives its text, where it begins, and what to say of it.

    Raises
    ------
    Broken
        When that is not possible.
    """
    decoded, notes = _decode(data)
    text, start = _open(decoded)
    return text, start, notes


def _decode(data: bytes) -> tuple[str, list[Finding]]:
    """Decode a file as its interchange declares, and say where that cannot be true."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(data, "utf-16"), []
    if data.startswith(codecs.BOM_UTF8):
        return _strictly(data[len(codecs.BOM_UTF8) :], "utf-8"), []
    found = _DECLARED.search(data[:200].replace(b"\r", b"").replace(b"\n", b""))
    declared = found[1].decode("ascii") if found else ""
    charset = _CHARSETS.get(declared, "ascii")
    if data.isascii():
        return data.decode("ascii"), []
    if charset == "utf-8":
        return _strictly(data, charset), []
    try:
        as_utf8: str | None = data.decode("utf-8")
    except UnicodeDecodeError:
        as_utf8 = None
    if charset != "ascii":
        notes = []
        if as_utf8 is not None:
            notes = [
                _charset(
                    Words(
                        "The interchange declares %(declared)s, but looks like UTF-8.",
                        declared=declared,
                    )
                )
            ]
        return _strictly(data, charset), notes
    used = "UTF-8" if as_utf8 is not None else "ISO 8859-1"
    note = Words(
        "The character set %(declared)s has no such letters; they are read as %(used)s.",
        declared=declared,
        used=used,
    )
    return as_utf8 if as_utf8 is not None else data.decode("latin-1"), [_charset(note)]


def _charset(message: str) -> Finding:
    return Finding(Severity.WARNING, "EDI_CHARSET", message, "UNB")


def _strictly(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except UnicodeDecodeError as error:
        raise Broken(
            "EDI_CHARSET",
            Words(
                "The file is not in the character set %(charset)s that it declares.",
                charset=charset,
            ),
            f"byte {error.start + 1}",
        ) from None


def _open(decoded: str) -> tuple[Text, int]:
    """Read the service string and make the text ready; gives it with where UNB begins."""
    decoded = decoded.lstrip(LAYOUT).rstrip(LAYOUT + _TAIL)
    # A file in records may have cut the service string itself.
    joined, width = unwrap(decoded)
    if not joined.startswith("UNA"):
        controls = joined[3:4] == _CONTROLS.element
        return Text(joined, _CONTROLS if controls else _with_repetition(joined), width), 0
    una = joined[3:_UNA]
    if len(una) < _UNA - 3:
        raise Broken("EDI_CUT", "The file ends in its service string.", "UNA, line 1, column 1")
    component, element, decimal, release, repetition, end = tuple(una)
    used = [mark for mark in una if mark != " "]
    marks = Marks(component, element, release.strip(), repetition.strip(), end, decimal)
    if (
        len(set(used)) < len(used)
        or any(mark.isalnum() or mark in "-\n\r" for mark in used)
        or " " in (component, element, end)
        or decimal not in ".,"
    ):
        raise Broken(
            "EDI_SERVICE_STRING",
            "The service string gives one mark two meanings, or makes a mark of a letter.",
            "UNA, line 1, column 1",
            una,
        )
    if _version(joined[_UNA : _UNA + 60], element, component) >= _REPEATING:
        # From syntax 4 on the decimal mark is either one, whatever stands here.
        marks = marks._replace(decimal=".,")
    return Text(joined, marks, width), _UNA


def _with_repetition(text: str) -> Marks:
    if _version(text[:60], "+", ":") >= _REPEATING:
        return _DEFAULT._replace(repetition="*")
    return _DEFAULT


def _version(head: str, element: str, component: str) -> int:
    parts = head.strip(LAYOUT).split(element, 2)
    stated = parts[1].split(component)[1:2] if len(parts) > 1 else []
    return int(stated[0]) if stated and stated[0] in {"1", "2", "3", "4"} else 0


class _Messages:
    """Reads the messages of a file; what is wrong with the file as a whole is told once."""

    def __init__(self, notes: list[Finding]) -> None:
        self._notes = notes

    def read(
        self, segments: Sequence[Segment], interchange: Segment, where: str, wrong: list[Finding]
    ) -> Reading:
        """Read one message by the name that it gives itself."""
        begin = segments[0]
        message = Message("edifact", where, segments[0].decimal_marks, begin)
        message.findings += self._notes + wrong
        self._notes = []
        name = begin.get(2)
        if interchange.get(11) == _TEST:
            message.test(name)
        read = MESSAGES.get(name)
        if read is None:
            message.error(
                "MESSAGE_UNKNOWN",
                "Of EDIFACT, ORDERS, ORDRSP, DESADV, INVOIC and REMADV are read.",
                begin,
                name,
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
