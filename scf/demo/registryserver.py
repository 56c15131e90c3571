"""A duplicate registry as a program of its own: what two separate installations share.

It keeps its book in a database of its own and knows each member by a token. ``mood`` plays what
may go wrong with it: down, slow, garbage.
"""

import json
from collections.abc import Mapping
from typing import Final

from scf.db.platform import Platform
from scf.demo.localserver import JsonHandler, LocalServer
from scf.programmes.registry.local import LocalRegistry
from scf.programmes.registry.port import Claim, Print

MAX_BODY: Final = 1024 * 1024


class RegistryServer(LocalServer):
    """One book, asked by its members."""

    def __init__(
        self, platform: Platform, consortium: str, members: Mapping[str, str], port: int = 0
    ) -> None:
        super().__init__(_Handler, port)
        self.book = LocalRegistry(platform, consortium)
        self.members = members  # by token
        self.mood = "well"


class _Handler(JsonHandler):
    server: RegistryServer

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        """Answer a member."""
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        member = self.server.members.get(token)
        length = int(self.headers.get("Content-Length") or 0)
        if member is None:
            self.send(401, {})
        elif self.path != "/enter" or not 0 < length <= MAX_BODY:
            self.send(404, {})
        else:
            self._answer(member, self.rfile.read(length))

    def _answer(self, member: str, content: bytes) -> None:
        if self.server.mood == "slow":
            self.server.dawdle()
        if self.server.mood == "down":
            self.send(503, {})
            return
        try:
            said = json.loads(content)
            claims = [
                Claim(one["ref"], tuple(Print(**each) for each in one["prints"]))
                for one in said["claims"]
            ]
            answers = self.server.book.ask(said["act"], member, claims)
        except (ValueError, KeyError, TypeError):
            self.send(400, {})
            return
        garbage = self.server.mood == "garbage"
        told = [
            {"state": one.state, "reference": one.reference, "version": one.version}
            for one in answers
        ]
        self.send(200, {"answers": told[:-1] if garbage else told})
