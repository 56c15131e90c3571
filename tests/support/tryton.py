"""A real Tryton beside the platform: a server process of its own over a copy of a prepared company.

The company is prepared once per lock of packages (some 25 seconds) and kept as a file under
``var/``; each server works on a copy. A guard process holds a pipe from the test run and kills the
server when the pipe closes, however the run ends.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from scf.channels.erp.tryton import Tryton
from scf.notices.webhooks.targets import Targets
from tests.support.guarded import ROOT, Guarded, prepared
from tests.support.postgres import free_port

LOCK = ROOT / "config" / "requirements" / "erp.lock"
FILL = Path(__file__).with_name("tryton_books.py")
MODULES = ("account_invoice", "purchase", "sale")
DATABASE = "company"
USER = "admin"
PASSWORD = "quarry-lantern-58"


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


def _make(folder: Path) -> None:
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


class TrytonServer(Guarded):
    """One server over a database of its own; may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_port())
        file = f"{DATABASE}.sqlite"
        shutil.copy(prepared("tryton", file, (LOCK, FILL), _make), folder / file)

    def start(self) -> None:
        """Start the server and wait until it answers."""
        config = _config(self.folder, self.port)
        program = str(Path(sys.executable).with_name("trytond"))
        self.begin([sys.executable, program, "-c", str(config), "-d", DATABASE])

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
