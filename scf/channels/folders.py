"""The folders of a channel on this machine, in the hands of somebody who may be hostile.

Every step goes from an open folder to a plain name in it and follows no link, so that nothing that
a sender puts there (a link, a pipe, a name with dots) leads anywhere else. A file is taken by
renaming it out of the sender's reach before a byte of it is read, and written whole or not at all.
"""

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, Protocol

FOLDERS: Final = ("in", "out", "error", "ack", "archive", ".work")
MAX_NAMES: Final = 10_000  # of one look
_SHARED: Final = 0o770
_OWN: Final = 0o700


class Entry(NamedTuple):
    """A name in a folder: how large, when changed, and whether it is a file at all."""

    name: str
    size: int
    changed: str
    is_file: bool


class Folders(Protocol):
    """What a visit does with a channel's folders, wherever they are."""

    def listing(self) -> list[Entry]:
        """Give what lies in in/."""

    def take(self, name: str, as_name: str) -> bool:
        """Take a file out of in/; False when it is not there any more."""

    def held(self, as_name: str) -> Entry | None:
        """Look at a file that was taken."""

    def read(self, as_name: str, limit: int) -> bytes:
        """Read a file that was taken, at most one byte more than the limit."""

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a file whole, in place of one of the same name."""

    def finish(self, as_name: str, folder: str, name: str) -> None:
        """Lay a taken file down for good."""

    def drop(self, name: str) -> None:
        """Remove a marker from in/."""

    def close(self) -> None:
        """Let everything go."""


class LocalFolders:
    """A channel's folders below the platform's own root."""

    def __init__(self, root: Path, channel_id: str) -> None:
        base = root / channel_id
        base.mkdir(parents=True, exist_ok=True)
        self._open: dict[str, int] = {}
        try:
            self._base = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            self._open[""] = self._base
            for name in FOLDERS:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, _OWN if name == ".work" else _SHARED, dir_fd=self._base)
                self._open[name] = os.open(
                    name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=self._base
                )
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Close the folders."""
        for handle in self._open.values():
            os.close(handle)
        self._open = {}

    def listing(self) -> list[Entry]:
        """Give what lies in in/, without following anything."""
        return list(self._scan())

    def _scan(self) -> Iterator[Entry]:
        with os.scandir(self._open["in"]) as found:
            for number, one in enumerate(found):
                if number >= MAX_NAMES:
                    return
                with contextlib.suppress(OSError):  # gone since
                    yield _entry(one.name, one.stat(follow_symlinks=False))

    def take(self, name: str, as_name: str) -> bool:
        """Rename a file out of in/."""
        try:
            os.rename(name, as_name, src_dir_fd=self._open["in"], dst_dir_fd=self._open[".work"])
        except FileNotFoundError:
            return False
        return True

    def held(self, as_name: str) -> Entry | None:
        """Look at a file in .work/."""
        try:
            status = os.stat(as_name, dir_fd=self._open[".work"], follow_symlinks=False)
        except FileNotFoundError:
            return None
        return _entry(as_name, status)

    def read(self, as_name: str, limit: int) -> bytes:
        """Read a file in .work/; what is no plain file is not opened to be waited for."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(as_name, flags, dir_fd=self._open[".work"])
        with open(handle, "rb") as file:  # noqa: PTH123 - from a handle
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("no plain file")
            return file.read(limit + 1)

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write into .work/ first, then rename: nobody ever sees half of it."""
        draft = f"{folder}-{name}"[:200] + ".draft"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        handle = os.open(draft, flags, 0o660, dir_fd=self._open[".work"])
        with open(handle, "wb") as file:  # noqa: PTH123 - from a handle
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=self._open[".work"], dst_dir_fd=self._open[folder])

    def finish(self, as_name: str, folder: str, name: str) -> None:
        """Rename a file from .work/ to where it stays."""
        with contextlib.suppress(FileNotFoundError):  # a worker before us came so far
            os.rename(as_name, name, src_dir_fd=self._open[".work"], dst_dir_fd=self._open[folder])

    def drop(self, name: str) -> None:
        """Remove a marker."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._open["in"])


def _entry(name: str, status: os.stat_result) -> Entry:
    is_file = stat.S_ISREG(status.st_mode)
    return Entry(name, status.st_size, str(status.st_mtime_ns), is_file)
