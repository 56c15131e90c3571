"""Open a ZIP archive that a stranger sent, measured before anything of it is used.

Number of entries, sizes and ratio are read from the directory first, which costs nothing, and then
from the packed streams themselves, since a directory may lie. What overlaps, hides behind another
name, is encrypted or packed in a rare way is refused.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from scf.kernel.errors import InvalidInput, TooLarge
from scf.kernel.findings import shown

MAX_RATIO: Final = 100
# Below this size the ratio proves nothing: a short file of blanks packs a thousandfold.
RATIO_FREE_BYTES: Final = 1_000_000
_CHUNK: Final = 262_144
_END: Final = struct.Struct("<4s4H2LH")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_MAX_COMMENT: Final = 65_535
_ENCRYPTED: Final = 1


class Caps(NamedTuple):
    """How much an archive may hold; ``locked`` allows encrypted entries, which are never read."""

    entries: int
    unpacked: int
    directory: int
    locked: bool = False


# One file that is an archive inside, as a workbook is.
ONE_FILE: Final = Caps(entries=2_000, unpacked=50_000_000, directory=1_000_000)


class Entry(NamedTuple):
    """Where the packed bytes of one entry lie, and how many they become."""

    start: int
    packed: int
    stored: bool
    size: int = 0
    locked: bool = False


class Archive:
    """A measured archive; every entry can be unpacked within the limits."""

    def __init__(self, data: bytes, entries: dict[str, Entry]) -> None:
        self._data = data
        self.entries = entries

    def read(self, name: str) -> bytes:
        """Unpack one entry, or give nothing for one that is not there."""
        entry = self.entries.get(name)
        return b"" if entry is None else b"".join(_unpacked(self._data, entry))


def open_archive(data: bytes, caps: Caps = ONE_FILE) -> Archive:
    """Measure an archive and give its entries.

    Raises
    ------
    TooLarge
        ZIP_ENTRIES, ZIP_TOO_LARGE or ZIP_RATIO.
    InvalidInput
        ZIP_BROKEN, ZIP_NAME_TWICE or FILE_ENCRYPTED.
    """
    _look_at_the_end(data, caps)
    entries = _listed(data, caps)
    total = 0
    for name, entry in entries.items():
        if entry.locked:
            continue
        own = 0
        for part in _unpacked(data, entry):
            own += len(part)
            total += len(part)
            _watch(own, entry.packed, caps)
            _watch(total, len(data), caps)
        entries[name] = entry._replace(size=own)  # what the directory says of it may be a lie
    return Archive(data, entries)


def _look_at_the_end(data: bytes, caps: Caps) -> None:
    """Refuse a directory that is too long before it is read into memory."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - _MAX_COMMENT - _END.size))
    if at < 0 or at + _END.size > len(data):
        raise _broken()
    _mark, _disk, _first, _here, count, size, _start, _comment = _END.unpack_from(data, at)
    if count > caps.entries or size > caps.directory:
        raise _too_many(caps)


def _listed(data: bytes, caps: Caps) -> dict[str, Entry]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as listed:
            found = listed.infolist()
    # zipfile raises a kind of RuntimeError for a version of the format that it does not read.
    except (zipfile.BadZipFile, ValueError, RuntimeError, struct.error, OSError):
        raise _broken() from None
    if len(found) > caps.entries:
        raise _too_many(caps)
    _watch(sum(one.file_size for one in found), len(data), caps)
    if sum(one.compress_size for one in found) > len(data):
        raise _broken()  # entries that share their bytes
    entries: dict[str, Entry] = {}
    for one in found:
        locked = bool(one.flag_bits & _ENCRYPTED)
        if locked and not caps.locked:
            raise InvalidInput("FILE_ENCRYPTED", "The file is encrypted; save it without.")
        if one.filename in entries:
            raise InvalidInput(
                "ZIP_NAME_TWICE",
                "The packed file holds two files of one name: %(name)s.",
                name=shown(one.filename),
            )
        if not locked:
            if one.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _broken()
            _watch(one.file_size, one.compress_size, caps)
        entries[one.filename] = _entry(data, one)._replace(locked=locked)
    return entries


def _entry(data: bytes, one: zipfile.ZipInfo) -> Entry:
    at = one.header_offset
    if at < 0 or at + _LOCAL.size > len(data) or data[at : at + 4] != b"PK\x03\x04":
        raise _broken()
    *_rest, name_length, extra_length = _LOCAL.unpack_from(data, at)
    start = at + _LOCAL.size + name_length + extra_length
    if start + one.compress_size > len(data):
        raise _broken()
    return Entry(start, one.compress_size, one.compress_type == zipfile.ZIP_STORED)


def _unpacked(data: bytes, entry: Entry) -> Iterator[bytes]:
    rest = memoryview(data)[entry.start : entry.start + entry.packed]
    if entry.stored:
        yield bytes(rest)
        return
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(0, len(rest), _CHUNK):
        pending: bytes | memoryview = rest[at : at + _CHUNK]
        while pending and not stream.eof:
            try:
                part = stream.decompress(pending, _CHUNK)
            except zlib.error:
                raise _broken() from None
            pending = stream.unconsumed_tail
            yield part
    if not stream.eof:
        yield stream.flush()
    if not stream.eof:
        raise _broken()


def _watch(size: int, packed: int, caps: Caps) -> None:
    if size > caps.unpacked:
        raise TooLarge(
            "ZIP_TOO_LARGE", "The file unpacks to more than %(limit)s bytes.", limit=caps.unpacked
        )
    if size > RATIO_FREE_BYTES and size > packed * MAX_RATIO:
        raise TooLarge(
            "ZIP_RATIO", "The file unpacks to more than %(limit)s times its size.", limit=MAX_RATIO
        )


def _too_many(caps: Caps) -> TooLarge:
    return TooLarge("ZIP_ENTRIES", "The file holds more than %(limit)s parts.", limit=caps.entries)


def _broken() -> InvalidInput:
    return InvalidInput("ZIP_BROKEN", "The packed file is damaged.")
