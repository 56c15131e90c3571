"""The tax office as a program of its own, over HTTP on this machine.

``POST /verify`` is what the platform asks. ``POST /office`` is its back door, for whoever plays
the office: ``{"act": "void", "number": …}``, ``credit`` with ``amount_minor``, ``restore``,
``register`` with ``invoices``, and ``behave`` with a ``mood`` (down, slow, garbage, well).
"""

import json
import threading
from pathlib import Path
from typing import Any, Final

from scf.demo.taxoffice import TaxOffice
from scf.kernel.clock import Clock
from scf.kernel.errors import NotFound
from scf.kernel.localserver import JsonHandler, LocalServer

MAX_BODY: Final = 4 * 1024 * 1024
_GARBAGE: Final = b'{"answers": [{"state": "PROBABLY"'


class TaxServer(LocalServer):
    """One office, asked by the platform and played by whoever tries it."""

    def __init__(self, file: Path, clock: Clock, port: int = 0) -> None:
        super().__init__(_Handler, port)
        self.office = TaxOffice(file, clock)
        self.lock = threading.Lock()
        self.asked = 0


class _Handler(JsonHandler):
    server: TaxServer

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        """Answer the platform, or whoever plays the office."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY:
            self.send(413, {})
            return
        try:
            said = json.loads(self.rfile.read(length))
            if self.path == "/verify":
                self._verify(said)
            elif self.path == "/office":
                self._act(said)
                self.send(200, {})
            else:
                self.send(404, {})
        except (ValueError, KeyError, TypeError, NotFound):
            self.send(400, {})

    def _verify(self, said: Any) -> None:  # noqa: ANN401 - any JSON
        office = self.server.office
        with self.server.lock:
            self.server.asked += 1
        mood = office.mood
        if mood == "down":
            self.send(503, {})
            return
        if mood == "slow":
            self.server.dawdle()
        if mood == "garbage":
            self.send(200, _GARBAGE)
            return
        answers = [office.answer(one) for one in said["documents"]]
        self.send(200, {"answers": answers})

    def _act(self, said: Any) -> None:  # noqa: ANN401 - any JSON
        office = self.server.office
        with self.server.lock:
            match said["act"]:
                case "void":
                    office.void(said["number"])
                case "credit":
                    office.credit(said["number"], int(said["amount_minor"]))
                case "restore":
                    office.restore(said["number"])
                case "register":
                    office.register(said["invoices"])
                case "behave":
                    office.behave(said["mood"])
                case _:
                    raise KeyError(said["act"])
