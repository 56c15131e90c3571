"""Archives for tests: made in memory, honest ones and others."""

import io
import zipfile
from collections.abc import Mapping
from typing import Final

# A fixed moment, so that the same files give the same archive.
_AT: Final = (2026, 2, 1, 12, 0, 0)


def packed(files: Mapping[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    """Write a ZIP of files."""
    out = io.BytesIO()
    listed = list(files.items()) if isinstance(files, Mapping) else files
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in listed:
            archive.writestr(zipfile.ZipInfo(name, _AT), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def locked(archive: bytes, name: str) -> bytes:
    """Say of one file that it is encrypted, in both places where a ZIP says so."""
    made = bytearray(archive)
    for mark, flags, at_name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        start = made.find(mark)
        while start >= 0:
            if made[start + at_name :].startswith(name.encode()):
                made[start + flags] |= 1
            start = made.find(mark, start + 4)
    return bytes(made)
