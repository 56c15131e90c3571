"""A real Tryton beside the platform: a server process of its own over a copy of a prepared company.

The company is prepared once per lock of packages (some 25 seconds) and kept as a file under
``var/``; each server works on a copy. A guard process holds a pipe from the test run and kills the
server when the pipe closes, however the run ends.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from scf.channels.erp.tryton import Tryton
from scf.notices.webhooks.targets import Targets
from tests.support.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "config" / "requirements" / "erp.lock"
FILL = Path(__file__).with_name("tryton_books.py")
MODULES = ("account_invoice", "purchase", "sale")
DATABASE = "company"
USER = "admin"
PASSWORD = "quarry-lantern-58"
START_SECONDS = 60
# $1 is the server's program; `read` returns when the pipe from the test run closes.
_GUARD = """
"$@" </dev/null >>server.log 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1
read -r how
kill -KILL "$server"
wait "$server"
"""


def _config(folder: Path, port: int) -> Path:
    file = folder / "trytond.conf"
    file.write_text(
        "[database]\n"
        f"uri = sqlite://\npath = {folder}\n"
        f"[web]\nlisten = 127.0.0.1:{port}\n"
        "[session]\nmax_attempt = 1000\nmax_attempt_ip_network = 1000\n",
        encoding="ascii",
    )
    return file


def prepared() -> Path:
    """Give the file of the prepared company, made now if nobody has made it yet."""
    made_of = hashlib.sha256(LOCK.read_bytes() + FILL.read_bytes()).hexdigest()[:16]
    folder = ROOT / "var" / "tryton" / made_of
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{DATABASE}.sqlite"
    with (folder / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            work = folder / "work"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir()
            _prepare(work)
            (work / f"{DATABASE}.sqlite").replace(file)
            shutil.rmtree(work)
    return file


def _prepare(folder: Path) -> None:
    config = _config(folder, 0)
    (folder / f"{DATABASE}.sqlite").touch()  # trytond connects to a database that is there
    (folder / "password").write_text(f"{PASSWORD}\n", encoding="ascii")
    environment = os.environ | {"TRYTONPASSFILE": str(folder / "password")}
    admin = str(Path(sys.executable).with_name("trytond-admin"))
    for command in (
        [admin, "-c", str(config), "-d", DATABASE, "--all", "--email", "a@tryton.example",
         "-u", *MODULES, "--activate-dependencies"],
        [sys.executable, str(FILL), str(config), DATABASE],
    ):  # fmt: skip
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


class TrytonServer:
    """One server over a database of its own; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.pid = 0
        shutil.copy(prepared(), folder / f"{DATABASE}.sqlite")
        self._guard: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the server and wait until it answers."""
        config = _config(self.folder, self.port)
        program = str(Path(sys.executable).with_name("trytond"))
        guarded = [
            "/bin/sh",
            "-c",
            _GUARD,
            "guard",
            sys.executable,
            program,
            "-c",
            str(config),
            "-d",
            DATABASE,
        ]
        self._guard = subprocess.Popen(
            guarded,
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

    def backup(self) -> Path:
        """Take a copy of the database as it is now."""
        copy = self.folder / "backup.sqlite"
        source = sqlite3.connect(self.folder / f"{DATABASE}.sqlite")
        with contextlib.closing(source), contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy

    def restore(self, backup: Path) -> None:
        """Let the server, which does not run now, begin with a copy that was taken."""
        for file in self.folder.glob(f"{DATABASE}.sqlite*"):
            file.unlink()
        shutil.copy(backup, self.folder / f"{DATABASE}.sqlite")

    def client(self) -> Tryton:
        """Sign in as a program of the test's own."""
        client = Tryton(Targets(loopback=True), self.url, DATABASE, USER, PASSWORD)
        client.sign_in()
        return client


@contextlib.contextmanager
def tryton(folder: Path) -> Iterator[TrytonServer]:
    """Run a server for as long as it is needed."""
    server = TrytonServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
