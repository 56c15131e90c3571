"""A server that a test starts, and that ends with the test run however that ends.

A guard process holds a pipe from the test run and kills the server when the pipe closes.
"""

import contextlib
import fcntl
import hashlib
import shutil
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
# "$@" is the server; `read` returns when the pipe from the test run closes.
_GUARD = """
"$@" </dev/null >>server.log 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1
read -r how
kill -KILL "$server"
wait "$server"
"""


class Guarded(ABC):
    """One server program in a folder of its own; may be killed and started again."""

    def __init__(self, folder: Path, port: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"
        self.pid = 0
        self._guard: subprocess.Popen[str] | None = None

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it answers."""

    def begin(self, command: Sequence[str]) -> None:
        """Start the server and wait until its port answers."""
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self.folder,
            text=True,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        self.pid = int(self._guard.stdout.readline())
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "server.log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End the server without warning, as a power cut does."""
        if self._guard is not None:
            self._guard.communicate()
            self._guard = None


def prepared(kind: str, name: str, made_of: Sequence[Path], make: Callable[[Path], None]) -> Path:
    """Give a file that takes long to make: made once per content of what it is made of.

    ``make`` is called with an empty folder and leaves the file there under its name.
    """
    mark = hashlib.sha256(b"".join(one.read_bytes() for one in made_of)).hexdigest()[:16]
    folder = ROOT / "var" / kind / mark
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    with (folder / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            work = folder / "work"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            make(work)
            (work / name).replace(file)
            shutil.rmtree(work)
    return file
