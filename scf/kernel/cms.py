"""Take the content out of a signed file (CMS SignedData, .p7m), without judging its signature.

Only the way to the content is walked; certificates and signatures behind it are never looked at,
so nothing here says who signed or whether anybody did. Signers write the content in one piece or
in thousands (BER), bare or in Base64.

Source: RFC 5652 (Cryptographic Message Syntax), ITU-T X.690 (BER).
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from scf.kernel.errors import InvalidInput, TooLarge

MAX_SIGNED: Final = 15_000_000
MAX_PIECES: Final = 50_000
MAX_LAYERS: Final = 3
_MAX_DEPTH: Final = 16
_HEAD: Final = 64

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_INTEGER: Final = 0x02
_OID: Final = 0x06
_OCTETS: Final = 0x04
_OCTETS_IN_PIECES: Final = 0x24
_EXPLICIT: Final = 0xA0
_CONSTRUCTED: Final = 0x20
_LONG_TAG: Final = 0x1F
_INDEFINITE: Final = 0x80
_LENGTH_BYTES: Final = 4

_SIGNED_DATA: Final = bytes.fromhex("06092a864886f70d010702")
_START_TEXT: Final = re.compile(rb"\s*(?:-----BEGIN (?:PKCS7|CMS|PKCS #7 SIGNED DATA)-----\s*)?")
_END_TEXT: Final = re.compile(rb"-----END [A-Z0-9# ]{1,40}-----\s*$")
_PACKED: Final = re.compile(rb"[A-Za-z0-9+/=\s]{16,}")


class _Part(NamedTuple):
    """One value: its tag, where its content starts, and its end where that is stated."""

    tag: int
    start: int
    end: int | None


def is_signed(head: bytes) -> bool:
    """Tell a signed file by its first bytes, bare or in Base64."""
    if _SIGNED_DATA in head[:24]:
        return head[0] == _SEQUENCE
    text = head[_START_TEXT.match(head).end() :][: 2 * _HEAD]  # type: ignore[union-attr]  # matches nothing too
    found = _PACKED.match(text) if text.startswith(b"MI") else None
    if found is None:
        return False
    packed = b"".join(found[0].split())[:_HEAD]
    try:
        return _SIGNED_DATA in base64.b64decode(packed[: len(packed) // 4 * 4])[:24]
    except binascii.Error:
        return False


def signed_content(data: bytes) -> bytes:
    """Give what was signed, through several signatures around each other.

    Raises
    ------
    InvalidInput
        SIGNED_BROKEN, SIGNED_EMPTY (the signature came without the file).
    TooLarge
        SIGNED_TOO_LARGE.
    """
    for _ in range(MAX_LAYERS):
        if len(data) > MAX_SIGNED:
            raise TooLarge(
                "SIGNED_TOO_LARGE",
                "The signed file has more than %(limit)s bytes.",
                limit=MAX_SIGNED,
            )
        data = _content(data if data.startswith(b"\x30") else _unpacked(data))
        if not is_signed(data[: 4 * _HEAD]):
            return data
    raise _broken()


def _unpacked(data: bytes) -> bytes:
    text = _END_TEXT.sub(b"", data[_START_TEXT.match(data).end() :])  # type: ignore[union-attr]
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise _broken() from None


def _content(data: bytes) -> bytes:
    """Walk to the content: message, signed data, what is signed, its octets."""
    at = _inside(data, 0, _SEQUENCE)
    if not data.startswith(_SIGNED_DATA, at):
        raise _broken()
    at = _inside(data, at + len(_SIGNED_DATA), _EXPLICIT)
    at = _inside(data, at, _SEQUENCE)
    at = _behind(data, at, _INTEGER)
    at = _behind(data, at, _SET)
    around = _part(data, at)
    if around.tag != _SEQUENCE:
        raise _broken()
    at = _behind(data, around.start, _OID)
    ended = at == around.end if around.end is not None else data[at : at + 2] == b"\0\0"
    if ended:
        raise InvalidInput(
            "SIGNED_EMPTY",
            "This is a signature without the file that was signed; send both in one.",
        )
    at = _inside(data, at, _EXPLICIT)
    return b"".join(_pieces(data, at))


def _part(data: bytes, at: int) -> _Part:
    """Read tag and length."""
    if at + 2 > len(data) or data[at] & _LONG_TAG == _LONG_TAG:
        raise _broken()
    tag, length = data[at], data[at + 1]
    start = at + 2
    if length == _INDEFINITE:
        if not tag & _CONSTRUCTED:
            raise _broken()
        return _Part(tag, start, None)
    if length > _INDEFINITE:
        count = length - _INDEFINITE
        if count > _LENGTH_BYTES or start + count > len(data):
            raise _broken()
        length = int.from_bytes(data[start : start + count])
        start += count
    if start + length > len(data):
        raise _broken()
    return _Part(tag, start, start + length)


def _inside(data: bytes, at: int, tag: int) -> int:
    part = _part(data, at)
    if part.tag != tag:
        raise _broken()
    return part.start


def _behind(data: bytes, at: int, tag: int) -> int:
    part = _part(data, at)
    if part.tag != tag:
        raise _broken()
    return part.end if part.end is not None else _end(data, part.start)


def _end(data: bytes, at: int) -> int:
    """Find where a value without a stated length ends: behind the last mark of its own."""
    depth = 1
    for _ in range(MAX_PIECES):
        if data[at : at + 2] == b"\0\0":
            at += 2
            depth -= 1
            if not depth:
                return at
            continue
        part = _part(data, at)
        if part.end is None:
            depth += 1
            at = part.start
        else:
            at = part.end
        if depth > _MAX_DEPTH:
            break
    raise _broken()


def _pieces(data: bytes, at: int) -> Iterator[bytes]:
    """Give the octets, whole or piece by piece."""
    ends: list[int | None] = []
    for _ in range(MAX_PIECES):
        while ends and at == ends[-1]:
            ends.pop()
            if not ends:
                return
        if ends and ends[-1] is None and data[at : at + 2] == b"\0\0":
            at += 2
            ends.pop()
            if not ends:
                return
            continue
        part = _part(data, at)
        if part.tag == _OCTETS and part.end is not None:
            yield data[part.start : part.end]
            at = part.end
            if not ends:
                return
        elif part.tag == _OCTETS_IN_PIECES and len(ends) < _MAX_DEPTH:
            ends.append(part.end)
            at = part.start
        else:
            raise _broken()
        if ends and ends[-1] is not None and at > ends[-1]:
            raise _broken()
    raise _broken()


def _broken() -> InvalidInput:
    return InvalidInput("SIGNED_BROKEN", "The signed file is damaged.")
