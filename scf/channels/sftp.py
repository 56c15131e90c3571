"""The folders of a channel on the partner's own SFTP server.

The server is the one whose key was pinned, or it is not spoken to. We show a key from a file of
ours and never a password. What the server answers is a stranger's word: names that are more than
names are passed over, and every step has an end.
"""

import asyncio
import posixpath
import stat
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from scf.channels.folders import FOLDERS, MAX_NAMES, Entry
from scf.notices.webhooks.targets import NotReached

T = TypeVar("T")
SECONDS: Final = 30.0  # for one step; a large file has its own
SECONDS_A_FILE: Final = 300.0
_CONNECT_SECONDS: Final = 10.0


class RemoteFolders:
    """A channel's folders over SFTP; one connection for one visit."""

    def __init__(self, channel: Any, address: str, keys: Path) -> None:  # noqa: ANN401 - a row
        self._base = channel.folder
        self._loop = asyncio.new_event_loop()
        self._connection: Any = None
        try:
            self._do(self._connect(channel, address, keys / channel.key_name))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.abort()
            self._loop.run_until_complete(self._connection.wait_closed())
        self._loop.close()

    def _do(self, step: Coroutine[Any, Any, T], seconds: float = SECONDS) -> T:
        import asyncssh

        try:
            return self._loop.run_until_complete(asyncio.wait_for(step, seconds))
        except asyncssh.HostKeyNotVerifiable:
            raise NotReached("HOST_KEY") from None
        except asyncssh.PermissionDenied:
            raise NotReached("KEY_REFUSED") from None
        except TimeoutError:
            raise NotReached("TIMEOUT") from None
        except asyncssh.SFTPNoSuchFile:
            raise FileNotFoundError from None
        except (asyncssh.Error, asyncssh.KeyImportError, OSError):
            raise NotReached("CONNECTION") from None

    async def _connect(self, channel: Any, address: str, key: Path) -> None:  # noqa: ANN401
        import asyncssh

        pinned = asyncssh.import_public_key(channel.host_key)
        self._connection = await asyncssh.connect(
            address,
            channel.port,
            username=channel.username,
            client_keys=[str(key)],
            known_hosts=([pinned], [], []),
            agent_path=None,
            config=None,
            preferred_auth="publickey",
            connect_timeout=_CONNECT_SECONDS,
            login_timeout=_CONNECT_SECONDS,
        )
        self._sftp = await self._connection.start_sftp_client(path_errors="surrogateescape")
        for name in FOLDERS:
            if not await self._sftp.isdir(self._path(name)):
                await self._sftp.mkdir(self._path(name))

    def _path(self, folder: str, name: str = "") -> str:
        return posixpath.join(self._base, folder, name) if name else f"{self._base}/{folder}"

    def listing(self) -> list[Entry]:
        """Give what lies in in/."""
        return self._do(self._listing())

    async def _listing(self) -> list[Entry]:
        found: list[Entry] = []
        async for one in self._sftp.scandir(self._path("in")):
            name = str(one.filename)
            if len(found) >= MAX_NAMES:
                break
            if name not in {"", ".", ".."} and "/" not in name and "\0" not in name:
                found.append(_entry(name, one.attrs))
        return found

    def take(self, name: str, as_name: str) -> bool:
        """Rename a file out of in/."""
        try:
            self._do(self._sftp.rename(self._path("in", name), self._path(".work", as_name)))
        except FileNotFoundError:
            return False
        return True

    def held(self, as_name: str) -> Entry | None:
        """Look at a file in .work/."""
        try:
            return _entry(as_name, self._do(self._sftp.lstat(self._path(".work", as_name))))
        except FileNotFoundError:
            return None

    def read(self, as_name: str, limit: int) -> bytes:
        """Read a file in .work/."""
        return self._do(self._read(self._path(".work", as_name), limit), SECONDS_A_FILE)

    async def _read(self, path: str, limit: int) -> bytes:
        async with self._sftp.open(path, "rb") as file:
            content = await file.read(limit + 1)
            return content if isinstance(content, bytes) else content.encode()

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write into .work/ first, then rename."""
        draft = self._path(".work", f"{folder}-{name}.draft")
        self._do(self._put(draft, self._path(folder, name), content), SECONDS_A_FILE)

    async def _put(self, draft: str, path: str, content: bytes) -> None:
        async with self._sftp.open(draft, "wb") as file:
            await file.write(content)
        await self._move(draft, path)

    def finish(self, as_name: str, folder: str, name: str) -> None:
        """Rename a file from .work/ to where it stays."""
        if self.held(as_name) is not None:
            self._do(self._move(self._path(".work", as_name), self._path(folder, name)))

    async def _move(self, old: str, new: str) -> None:
        """Rename over what may be there; not every server knows how to do that in one step."""
        import asyncssh

        try:
            await self._sftp.posix_rename(old, new)
        except asyncssh.SFTPOpUnsupported:
            if await self._sftp.exists(new):
                await self._sftp.remove(new)
            await self._sftp.rename(old, new)

    def drop(self, name: str) -> None:
        """Remove a marker."""
        try:
            self._do(self._sftp.remove(self._path("in", name)))
        except FileNotFoundError:
            return


def _entry(name: str, attrs: Any) -> Entry:  # noqa: ANN401 - of a library without types
    is_file = stat.S_ISREG(attrs.permissions or 0)
    return Entry(name, attrs.size or 0, str(attrs.mtime or 0), is_file)
