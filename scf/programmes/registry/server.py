"""The book of a registry for members elsewhere: asked over HTTP on this machine.

It knows each member by a token, keeps the book in the database of its platform, and listens on
loopback: a proxy that speaks TLS stands before it.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from scf.db.platform import Platform
from scf.kernel.localserver import JsonHandler, LocalServer
from scf.kernel.strict_json import loads
from scf.programmes.registry.commands import ClaimIn
from scf.programmes.registry.local import LocalRegistry
from scf.programmes.registry.port import MOST_AT_ONCE, Act, Answer, Claim, Print

MAX_BODY: Final = 4 * 1024 * 1024
SECONDS: Final = 10.0  # in which a call has to arrive
_ACTS: Final[tuple[Act, ...]] = ("search", "register", "release", "void")


class RegistryServer(LocalServer):
    """One book, asked by its members; ``members`` gives the name of each by its token."""

    def __init__(
        self, platform: Platform, consortium: str, members: Mapping[str, str], port: int = 0
    ) -> None:
        super().__init__(_Handler, port)
        self.book = LocalRegistry(platform, consortium)
        self._members = {token.encode(): name for token, name in members.items()}

    def member_of(self, token: bytes) -> str | None:
        """Give who asks, by a comparison that tells nothing by its time."""
        found = None
        for known, name in self._members.items():
            if hmac.compare_digest(known, token):
                found = name
        return found

    def told(self, answers: list[Answer]) -> tuple[int, list[dict[str, Any]]]:
        """Give the status and the answers as they are sent."""
        return 200, [
            {"state": one.state, "reference": one.reference, "version": one.version}
            for one in answers
        ]


class _Handler(JsonHandler):
    server: RegistryServer
    timeout = SECONDS

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        """Answer a member."""
        said = self.headers.get("Authorization") or ""
        member = self.server.member_of(said.removeprefix("Bearer ").encode())
        length = self.headers.get("Content-Length") or ""
        if member is None:
            self.send(401, {})
        elif self.path != "/enter":
            self.send(404, {})
        elif not length.isdecimal() or not 0 < int(length) <= MAX_BODY:
            self.send(413, {})
        else:
            self._answer(member, self.rfile.read(int(length)))

    def _answer(self, member: str, content: bytes) -> None:
        try:
            act, claims = _asked(content)
        except (ValidationError, ValueError, KeyError, TypeError, RecursionError):
            self.send(400, {})
            return
        status, answers = self.server.told(self.server.book.ask(act, member, claims))
        self.send(status, {"answers": answers})


def _asked(content: bytes) -> tuple[Act, list[Claim]]:
    said = loads(content)
    act = next((one for one in _ACTS if one == said["act"]), None)
    if act is None or not 0 < len(said["claims"]) <= MOST_AT_ONCE:
        raise ValueError("act or claims")
    read = [ClaimIn.model_validate(one) for one in said["claims"]]
    return act, [
        Claim(one.ref, tuple(Print(each.kind, each.key_version, each.value) for each in one.prints))
        for one in read
    ]
