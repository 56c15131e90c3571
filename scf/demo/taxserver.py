"""The tax office as a program of its own, over HTTP on this machine.

``POST /verify`` is what the platform asks. ``POST /office`` is its back door, for whoever plays
the office: ``{"act": "void", "number": …}``, ``credit`` with ``amount_minor``, ``restore``,
``register`` with ``invoices``, and ``behave`` with a ``mood`` (down, slow, garbage, well).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from scf.demo.taxoffice import TaxOffice
from scf.kernel.clock import Clock
from scf.kernel.errors import NotFound

MAX_BODY: Final = 4 * 1024 * 1024
SLOW_SECONDS: Final = 30.0
_GARBAGE: Final = b'{"answers": [{"state": "PROBABLY"'


class TaxServer(ThreadingHTTPServer):
    """One office behind one port; port 0 takes a free one."""

    daemon_threads = True

    def __init__(self, file: Path, clock: Clock, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.office = TaxOffice(file, clock)
        self.ending = threading.Event()  # who is slow on purpose wakes up for it
        self.lock = threading.Lock()
        self.asked = 0

    @property
    def address(self) -> str:
        """Where it is asked."""
        return f"http://127.0.0.1:{self.server_port}"

    def close(self) -> None:
        """Stop answering, at once."""
        self.ending.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: TaxServer

    def do_POST(self) -> None:
        """Answer the platform, or whoever plays the office."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MAX_BODY:
            self._send(413, b"{}")
            return
        try:
            said = json.loads(self.rfile.read(length))
            if self.path == "/verify":
                self._verify(said)
            elif self.path == "/office":
                self._act(said)
                self._send(200, b"{}")
            else:
                self._send(404, b"{}")
        except (ValueError, KeyError, TypeError, NotFound):
            self._send(400, b"{}")

    def _verify(self, said: Any) -> None:  # noqa: ANN401 - any JSON
        office = self.server.office
        with self.server.lock:
            self.server.asked += 1
        mood = office.mood
        if mood == "down":
            self._send(503, b"{}")
            return
        if mood == "slow":
            self.server.ending.wait(SLOW_SECONDS)
        if mood == "garbage":
            self._send(200, _GARBAGE)
            return
        answers = [office.answer(one) for one in said["documents"]]
        self._send(200, json.dumps({"answers": answers}).encode())

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

    def _send(self, status: int, content: bytes) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            pass  # who asked has gone

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing of each call."""
