"""A registry at another house, over HTTP: bounded in time and size, believed in nothing.

``POST {address}/enter`` with ``{"act": …, "claims": [...]}`` and the member's token; the answer is
``{"answers": [...]}``, one a claim, in order. What is late, garbled or refused is UNAVAILABLE, and
what is UNAVAILABLE is not paid. No redirect is followed and no proxy of the environment used.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from scf.documents.taxcheck.http import NoRedirect
from scf.kernel.strict_json import loads
from scf.programmes.registry.local import sent
from scf.programmes.registry.port import Act, Answer, Claim, State, away

TIMEOUT_SECONDS: Final = 4.0
MAX_ANSWER: Final = 256 * 1024


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore")
    state: State
    reference: Annotated[str, Field(max_length=64)] = ""
    version: Annotated[int, Field(ge=0, le=1_000_000)] = 0


class _Answers(BaseModel):
    answers: list[_Said]


class HttpRegistry:
    """One registry at one address; it tells its members apart by their tokens."""

    def __init__(self, address: str, token: str, timeout: float = TIMEOUT_SECONDS) -> None:
        self._address = f"{address.rstrip('/')}/enter"
        self._timeout = timeout
        self._head = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect).open

    def ask(self, act: Act, _member: str, claims: Sequence[Claim]) -> list[Answer]:
        """Ask once; a second try is the caller's next attempt to pay."""
        body = json.dumps({"act": act, "claims": [sent(one) for one in claims]}).encode()
        request = urllib.request.Request(self._address, body, self._head, method="POST")  # noqa: S310 - the operator's own setting
        try:
            with self._open(request, timeout=self._timeout) as answered:
                content = answered.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as refused:
            with refused:
                return away(claims, f"HTTP_{refused.code}")
        except (OSError, HTTPException):
            return away(claims, "NO_CONNECTION")
        try:
            said = _Answers.model_validate(loads(content)).answers
        except (ValidationError, ValueError, RecursionError):
            return away(claims, "GARBAGE")
        if len(content) > MAX_ANSWER or len(said) != len(claims):
            return away(claims, "GARBAGE")
        return [Answer(one.state, one.reference, one.version) for one in said]
