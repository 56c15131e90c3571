"""Open a ZIP of documents: what is in it, and which of its files may be read.

A name is only shown and never opened on any disk; one that leads out of its archive is refused all
the same, since nobody gives an honest file such a name. What is wrong with one file costs that
file; what makes the archive itself doubtful (a bomb, two files of one name) costs the whole.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from scf.documents.commands import MAX_UPLOAD
from scf.documents.readers import READABLE, Format, format_of, sniff
from scf.documents.slices import SentFile
from scf.kernel.archive import Archive, Caps, open_archive
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity, shown

MANY_FILES: Final = Caps(
    entries=10_000, unpacked=512 * 1024 * 1024, directory=4_000_000, locked=True
)
MAX_NAME: Final = 400
# What file managers leave in an archive, and no person ever put there.
_LEFT: Final = re.compile(
    r"(?:.*/)?(?:__MACOSX/.*|\._[^/]*|\.DS_Store|Thumbs\.db|desktop\.ini)", re.IGNORECASE
)
_LEADS_OUT: Final = re.compile(r"[/\\]|[A-Za-z]:|(?:.*[/\\])?\.\.(?:[/\\]|$)")


class Packed(NamedTuple):
    """A file of an archive, by its place and its name there."""

    place: int
    name: str
    size: int


class OpenedZip:
    """A measured archive of documents."""

    def __init__(self, data: bytes) -> None:
        """Measure it.

        Raises
        ------
        InvalidInput
            ZIP_BROKEN or ZIP_NAME_TWICE.
        TooLarge
            ZIP_ENTRIES, ZIP_TOO_LARGE or ZIP_RATIO.
        """
        self._archive: Archive = open_archive(data, MANY_FILES)
        names = [name for name in self._archive.entries if not name.endswith("/")]
        self._names = [name for name in names if not _LEFT.fullmatch(name)]
        self.left_out = len(names) - len(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def files(
        self, after: frozenset[int] = frozenset()
    ) -> Iterator[tuple[Packed, SentFile | Finding]]:
        """Give every file, or why it is not read, one by one; without the places ``after``."""
        for place, name in enumerate(self._names, start=1):
            if place not in after:
                entry = self._archive.entries[name]
                packed = Packed(place, shown(name, MAX_NAME), entry.size)
                yield packed, self._one(packed, name)

    def _one(self, packed: Packed, name: str) -> SentFile | Finding:
        closed = self._closed(packed, name)
        if closed is not None:
            return closed
        content = self._archive.read(name)
        if not content:
            return _refused(packed, "FILE_EMPTY", Words("The file is empty."))
        found = format_of(content)
        if found in READABLE:
            return SentFile(packed.name, content, hashlib.sha256(content).hexdigest())
        if found is Format.ZIP:
            told = Words("An archive inside an archive is not opened; send its files themselves.")
            return _refused(packed, "ZIP_NESTED", told)
        message = Words(
            "This looks like %(found)s, which is not read as a document here.", found=found
        )
        return _refused(packed, "FORMAT_UNKNOWN", message, str(found))

    def _closed(self, packed: Packed, name: str) -> Finding | None:
        """Say why a file is not even unpacked."""
        if _LEADS_OUT.match(name):
            told = Words("The name of this file leads out of the archive.")
            return _refused(packed, "ZIP_NAME", told)
        if self._archive.entries[name].locked:
            told = Words("The file is encrypted; save it without.")
            return _refused(packed, "FILE_ENCRYPTED", told)
        if packed.size > MAX_UPLOAD:
            told = Words("A file of more than %(limit)s bytes is not read.", limit=MAX_UPLOAD)
            return _refused(packed, "FILE_TOO_LARGE", told)
        return None


def _refused(packed: Packed, code: str, message: str, value: str = "") -> Finding:
    return Finding(Severity.ERROR, code, message, packed.name, value)


def is_archive(content: bytes) -> bool:
    """Tell an archive of files from a file; a workbook is a file."""
    return sniff(content) is Format.ZIP
