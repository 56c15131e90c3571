"""Cut a file of MT940 or MT942 messages into messages and fields, each with its line.

Banks wrap their messages differently: SWIFT blocks, a line of their own name, nothing. A message
begins at field 20 and ends at a line with a hyphen, or where the next one begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from scf.kernel.errors import InvalidInput, Words
from scf.settlement.readers.notes import Notes

MAX_BYTES: Final = 10_000_000
MAX_LINES: Final = 60_000  # some 20,000 entries
MAX_LINE: Final = 2_000

_LINES: Final = re.compile(r"\r\n|\n|\r")
_TAG: Final = re.compile(r":([0-9]{2}[A-Z]?|NS):")
_KNOWN: Final = frozenset(
    {
        *("20", "21", "25", "25P", "28", "28C", "13", "13D", "34F", "60", "60F", "60M", "61", "86"),
        *("62", "62F", "62M", "64", "65", "90C", "90D", "NS"),
    }
)
# What may not follow an entry before the closing balance: it is the head of a message.
_HEAD: Final = frozenset({"21", "25", "25P", "28", "28C", "60", "60F", "60M"})
_CLOSING: Final = frozenset({"62", "62F", "62M"})
_TEXT: Final = frozenset({"86", "NS"})
_END: Final = re.compile(r"-[\x00-\x1f]*|-\}.*")
_BLOCKS: Final = re.compile(r"\{[1-5]:")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


@dataclass(slots=True)
class MtField:
    """One field of a message: its tag, where it stands, and its lines of text."""

    tag: str
    number: int
    lines: list[str]

    @property
    def place(self) -> str:
        """Say where the field stands."""
        return f"line {self.number}, field {self.tag}"

    def line(self, number: int) -> str:
        """Give one line of the field, or an empty text."""
        return self.lines[number].strip() if number < len(self.lines) else ""


@dataclass(slots=True)
class Message:
    """One message: a page of a statement."""

    start: int
    last: int
    fields: list[MtField] = field(default_factory=list)
    entered: bool = False  # an entry was read: known without looking through all of them again
    closed: bool = False  # the closing balance was

    @property
    def place(self) -> str:
        """Say where the message begins."""
        return f"line {self.start}"

    @property
    def end(self) -> str:
        """Say where the message ends."""
        return f"line {self.last}"

    def many(self, *tags: str) -> list[MtField]:
        """Give the fields of these tags in their order."""
        return [one for one in self.fields if one.tag in tags]

    def first(self, *tags: str) -> MtField | None:
        """Give the first field of these tags, if there is one."""
        return next((one for one in self.fields if one.tag in tags), None)

    def text(self, tag: str) -> str:
        """Give the first line of a field, or an empty text."""
        found = self.first(tag)
        return found.line(0) if found else ""


def messages_of(data: bytes, notes: Notes) -> list[Message]:
    """Cut a file; what stands between messages is envelope and is passed over.

    Raises
    ------
    InvalidInput
        MT_TOO_LARGE, with what was measured; MT_ENCODING for bytes that are no text.
    """
    lines = _lines(data)
    messages: list[Message] = []
    message: Message | None = None
    for number, raw in enumerate(lines, start=1):
        line = _CONTROL.sub("", raw)
        if len(line) > MAX_LINE:
            notes.error("MT_LINE", "This line is longer than any bank writes.", f"line {number}")
            line = line[:MAX_LINE]
        if _END.fullmatch(line):
            message = None
            continue
        shape = _TAG.match(line)
        tag = shape.group(1) if shape else ""
        if shape is None or tag not in _KNOWN:
            _goes_on(notes, message, number, line, tag)
            continue
        if tag == "20" or message is None:
            message = _begin(notes, number, tag)
            messages.append(message)
        _out_of_order(notes, message, number, tag)
        message.last = number
        message.fields.append(MtField(tag, number, [line[shape.end() :]]))
    return messages


def _begin(notes: Notes, number: int, tag: str) -> Message:
    if tag != "20":
        notes.error(
            "MT_HEAD",
            Words("A message begins with field 20; here it begins with %(tag)s.", tag=tag),
            f"line {number}, field {tag}",
        )
    return Message(number, number)


def _out_of_order(notes: Notes, message: Message, number: int, tag: str) -> None:
    """The head of a message behind its first entry: two messages run into one another."""
    if tag in _HEAD and message.entered:
        notes.error(
            "MT_ORDER",
            Words("Field %(tag)s may not stand behind an entry.", tag=tag),
            f"line {number}, field {tag}",
        )
    if tag == "61" and message.closed:
        notes.error(
            "MT_ORDER",
            "An entry stands behind the closing balance.",
            f"line {number}, field {tag}",
        )
    message.entered = message.entered or tag == "61"
    message.closed = message.closed or tag in _CLOSING


def _goes_on(notes: Notes, message: Message | None, number: int, line: str, tag: str) -> None:
    """A line that opens no field: more text of the last one, or the envelope."""
    if message is None or not message.fields:
        return
    last = message.fields[-1]
    if tag and last.tag not in _TEXT:
        notes.error(
            "MT_TAG",
            Words("Field %(tag)s is none of a statement.", tag=tag),
            f"line {number}, field {tag}",
        )
        return
    if _BLOCKS.match(line):
        return
    if line.strip():
        message.last = number
        last.lines.append(line)


def _lines(data: bytes) -> list[str]:
    if len(data) > MAX_BYTES:
        raise InvalidInput(
            "MT_TOO_LARGE",
            "The file has %(measured)s bytes; %(limit)s are allowed.",
            measured=len(data),
            limit=MAX_BYTES,
        )
    lines = _LINES.split(decoded(data))
    if len(lines) > MAX_LINES:
        raise InvalidInput(
            "MT_TOO_LARGE",
            "The file has %(measured)s lines; %(limit)s are allowed.",
            measured=len(lines),
            limit=MAX_LINES,
        )
    return lines


def decoded(data: bytes) -> str:
    """Read the bytes as the text they are: UTF-8 or UTF-16 by their mark, else Windows-1252.

    Raises
    ------
    InvalidInput
        MT_ENCODING, for bytes that are no text.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    if "\x00" in text:
        raise InvalidInput("MT_ENCODING", "The file holds bytes that are no text.")
    return text
