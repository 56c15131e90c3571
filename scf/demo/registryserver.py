"""A duplicate registry as a program of its own: what two separate installations share.

It keeps its book in a database of its own and knows each member by a token. ``mood`` plays what
may go wrong with it: down, slow, garbage.
"""

import json
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from scf.db.platform import Platform
from scf.programmes.registry.local import LocalRegistry
from scf.programmes.registry.port import Claim, Print

MAX_BODY: Final = 1024 * 1024
SLOW_SECONDS: Final = 30.0


class RegistryServer(ThreadingHTTPServer):
    """One book behind one port; port 0 takes a free one."""

    daemon_threads = True

    def __init__(
        self, platform: Platform, consortium: str, members: Mapping[str, str], port: int = 0
    ) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.book = LocalRegistry(platform, consortium)
        self.members = members  # by token
        self.mood = "well"
        self.ending = threading.Event()

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
    server: RegistryServer

    def do_POST(self) -> None:
        """Answer a member."""
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        member = self.server.members.get(token)
        length = int(self.headers.get("Content-Length") or 0)
        if member is None:
            self._send(401, {})
        elif self.path != "/enter" or not 0 < length <= MAX_BODY:
            self._send(404, {})
        else:
            self._answer(member, self.rfile.read(length))

    def _answer(self, member: str, content: bytes) -> None:
        if self.server.mood == "slow":
            self.server.ending.wait(SLOW_SECONDS)
        if self.server.mood == "down":
            self._send(503, {})
            return
        try:
            said = json.loads(content)
            claims = [
                Claim(one["ref"], tuple(Print(**each) for each in one["prints"]))
                for one in said["claims"]
            ]
            answers = self.server.book.ask(said["act"], member, claims)
        except (ValueError, KeyError, TypeError):
            self._send(400, {})
            return
        garbage = self.server.mood == "garbage"
        told = [
            {"state": one.state, "reference": one.reference, "version": one.version}
            for one in answers
        ]
        self._send(200, {"answers": told[:-1] if garbage else told})

    def _send(self, status: int, said: dict[str, Any]) -> None:
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_args: object) -> None:
        """Say nothing on the console."""
