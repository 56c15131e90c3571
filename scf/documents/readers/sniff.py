"""Tell by its content what a file is, and unpack it if it is packed.

The file name is never asked: a name is what the sender hopes, the first bytes are what is there.
"""

from __future__ import annotations

import codecs
import re
import zlib
from enum import StrEnum
from typing import Final

from scf.kernel.cms import is_signed
from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.workbook import is_workbook

MAX_RATIO: Final = 200
# Below this size the ratio proves nothing: a short file of blanks packs a thousandfold.
RATIO_FREE_BYTES: Final = 1_000_000
# A packed log may be a few members in a row; a hundred thousand empty ones are an attack.
MAX_MEMBERS: Final = 64
_CHUNK: Final = 65_536
_PEEK: Final = 4096
_LEAST_WIDE: Final = 16
_MOST_EMPTY: Final = 0.05
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")  # the second: one without a file


class Format(StrEnum):
    """What a file is made of; which document an XML file holds is said by its root element."""

    XML = "xml"
    CSV = "csv"
    XLSX = "xlsx"  # any workbook: XLSX, XLSB, XLS or ODS
    EDIFACT = "edifact"
    X12 = "x12"
    TRADACOMS = "tradacoms"
    JSON = "json"
    PDF = "pdf"
    SIGNED = "signed"  # a document inside a signature (CMS, .p7m)
    ZIP = "zip"
    GZIP = "gzip"
    EMPTY = "empty"
    BINARY = "binary"


# A service string is six marks; an interchange without one has the usual separators, or those of
# ISO 646 that are no letters of any text.
_EDIFACT: Final = re.compile(r"UNA[^A-Za-z0-9]{6}|UN[BGH][\r\n]*[+\x1d]")
_STARTS: Final = (
    ("<", Format.XML),
    ("STX=", Format.TRADACOMS),
    ("{", Format.JSON),
    ("[", Format.JSON),
)


def sniff(data: bytes) -> Format:
    """Name the format of a file from its first bytes."""
    head = data[:4096]
    if head.startswith(_GZIP):
        return Format.GZIP
    if is_workbook(head):
        return Format.XLSX
    if head.startswith(_ZIP):
        return Format.ZIP
    if b"%PDF-" in head[:1024] and not head.lstrip().startswith(b"<"):
        return Format.PDF
    if is_signed(head):
        return Format.SIGNED
    wide = wide_encoding(head)
    if wide:
        # A cut inside a pair at the end of the head says nothing about the file.
        text = head[: len(head) // 2 * 2].decode(wide, errors="replace")
    else:
        text = head.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    return _sniff_text(
        text.lstrip(" \t\r\n\ufeff"), 0 if wide else head.count(0) / len(head or b" ")
    )


def wide_encoding(head: bytes) -> str:
    """Name the encoding of text with two bytes a letter, by its mark or by its NULs; or ""."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    half = len(head) // 2
    even, odd = head[: 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if half < _LEAST_WIDE or max(even, odd) < 0.8 * half or min(even, odd) * 50 > half:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _sniff_text(text: str, empty: float) -> Format:
    if not text:
        return Format.EMPTY
    if text.startswith("ISA") and not text[3:4].isalnum():
        return Format.X12
    if _EDIFACT.match(text):
        return Format.EDIFACT
    for start, found in _STARTS:
        if text.startswith(start):
            return found
    # Text has hardly a NUL; what is full of them is no table.
    return Format.BINARY if empty > _MOST_EMPTY else Format.CSV


def format_of(content: bytes) -> Format:
    """Tell what a file is, looking through gzip."""
    found = sniff(content)
    if found is not Format.GZIP:
        return found
    try:
        return sniff(zlib.decompressobj(wbits=31).decompress(content, _PEEK))
    except zlib.error:
        return found


def unpack(data: bytes, max_bytes: int) -> bytes:
    """Unpack a gzip file, watching size and ratio while it grows and not afterwards.

    Raises
    ------
    TooLarge
        UNPACKED_TOO_LARGE or UNPACKED_RATIO, before the content would fill the memory.
    InvalidInput
        GZIP_BROKEN when the file is cut or damaged.
    """
    parts: list[bytes] = []
    size = 0
    rest = data
    members = 0
    while rest:
        members += 1
        if members > MAX_MEMBERS:
            raise InvalidInput(
                "GZIP_BROKEN", "More than %(limit)s gzip members in one file.", limit=MAX_MEMBERS
            )
        member = zlib.decompressobj(wbits=31)
        while not member.eof:
            try:
                part = member.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise InvalidInput(
                    "GZIP_BROKEN", "The gzip file is damaged.", reason=str(error)
                ) from None
            if not part and not member.unconsumed_tail and not _ended(member):
                raise InvalidInput("GZIP_BROKEN", "The gzip file is cut short.")
            rest = member.unconsumed_tail
            size += len(part)
            _watch(size, len(data), max_bytes)
            parts.append(part)
        # Zero bytes behind a member are padding of tape and mail systems.
        rest = member.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def _ended(member: zlib._Decompress) -> bool:
    return member.eof


def _watch(size: int, packed: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise TooLarge(
            "UNPACKED_TOO_LARGE",
            "The file unpacks to more than %(limit)s bytes.",
            limit=max_bytes,
        )
    if size > RATIO_FREE_BYTES and size > packed * MAX_RATIO:
        raise TooLarge(
            "UNPACKED_RATIO",
            "The file unpacks to more than %(limit)s times its size.",
            limit=MAX_RATIO,
        )
