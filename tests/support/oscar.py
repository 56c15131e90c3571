"""A real web shop beside the platform: a server process over a copy of one prepared database."""

import contextlib
import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.guarded import ROOT, Guarded, prepared
from tests.support.postgres import free_port

LOCK = ROOT / "config" / "requirements" / "shop.lock"
PROGRAM = Path(__file__).with_name("oscar_shop.py")
FORK = Path(__file__).with_name("oscar_fork") / "order" / "models.py"
FILE = "shop.sqlite"
CLERK = "scf"
PASSWORD = "quarry-lantern-58"
Lines = list[tuple[str, int, str, str]]


def _make(folder: Path) -> None:
    command = [sys.executable, "-P", str(PROGRAM), "prepare", str(folder / FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


class OscarServer(Guarded):
    """One shop over a database of its own; its counter is where a test acts as its merchant."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, free_port())
        self.url += "api/"
        shutil.copy(prepared("oscar", FILE, (LOCK, PROGRAM, FORK), _make), folder / FILE)

    def start(self) -> None:
        """Start the shop and wait until it answers."""
        self.begin(
            [sys.executable, "-P", str(PROGRAM), "serve", str(self.folder / FILE), str(self.port)]
        )

    def act(self, act: str, **how: Any) -> Any:  # noqa: ANN401 - JSON
        """Do something at the counter."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/counter/", json.dumps({"act": act, **how}).encode()
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)

    def place(self, number: str, buyer: str, lines: Lines, on: str, **more: Any) -> None:  # noqa: ANN401
        """Place an order; a line is a product, a quantity, and its price without and with tax."""
        self.act("place", number=number, buyer=buyer, lines=lines, on=on, **more)

    def status(self, number: str, status: str) -> None:
        """Let an order go on to another status."""
        self.act("status", number=number, status=status)

    def amend(self, number: str, quantity: int, net: str, gross: str) -> None:
        """Change the first line of an order."""
        self.act("amend", number=number, quantity=quantity, net=net, gross=gross)

    def mood(self, mood: str) -> None:
        """Let orders be answered well, slowly, broken or not at all from now on."""
        self.act("mood", mood=mood)


@contextlib.contextmanager
def oscar(folder: Path) -> Iterator[OscarServer]:
    """Run a shop for as long as it is needed."""
    server = OscarServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()
