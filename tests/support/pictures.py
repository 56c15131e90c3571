"""Looking at screenshots: which colours a PNG holds, without a library for pictures."""

import struct
import zlib

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def colours(png: bytes) -> set[bytes]:
    """Return the different colours of an 8-bit RGB or RGBA picture."""
    width, height, channels, packed = _parts(png)
    raw, stride = zlib.decompress(packed), width * channels
    before = bytearray(stride)
    found: set[bytes] = set()
    for row in range(height):
        start = row * (stride + 1)
        line = _unfiltered(raw[start], raw[start + 1 : start + 1 + stride], before, channels)
        found.update(bytes(line[at : at + 3]) for at in range(0, stride, channels))
        before = line
    return found


def _parts(png: bytes) -> tuple[int, int, int, bytes]:
    assert png.startswith(_SIGNATURE)
    at, packed, header = len(_SIGNATURE), b"", b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            packed += body
        at += length + 12
    width, height, depth, colour = struct.unpack(">IIBB", header[:10])
    assert (depth, colour) in {(8, 2), (8, 6)}
    return width, height, 3 if colour == 2 else 4, packed


def _unfiltered(kind: int, line: bytes, before: bytearray, channels: int) -> bytearray:
    """Undo one row's filter (PNG specification, section 9)."""
    out = bytearray(line)
    for at in range(len(out)):
        left = out[at - channels] if at >= channels else 0
        up = before[at]
        corner = before[at - channels] if at >= channels else 0
        guess = (0, left, up, (left + up) // 2, _paeth(left, up, corner))[kind]
        out[at] = (out[at] + guess) & 0xFF
    return out


def _paeth(left: int, up: int, corner: int) -> int:
    near = left + up - corner
    by_left, by_up, by_corner = abs(near - left), abs(near - up), abs(near - corner)
    if by_left <= by_up and by_left <= by_corner:
        return left
    return up if by_up <= by_corner else corner
