"""A register of a tax authority over HTTP: bounded in time and size, believed in nothing.

``POST {address}/verify`` with ``{"documents": [...]}``; the answer is ``{"answers": [...]}``, one a
document, in order. A national register with a protocol of its own stands behind a gateway that
speaks this one. No redirect is followed and no proxy of the environment used.
"""

import datetime as dt
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException, HTTPMessage
from typing import IO, Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from scf.db.types import Minor
from scf.documents.taxcheck.port import Answer, State
from scf.documents.taxcheck.schemes import Ask
from scf.kernel.clock import Clock
from scf.kernel.strict_json import loads

TIMEOUT_SECONDS: Final = 4.0
TRIES: Final = 2
MAX_ANSWER: Final = 1024 * 1024
# After so many failed calls in a row nobody waits for the register for a while.
MOST_FAILURES: Final = 3
REST: Final = dt.timedelta(seconds=60)
_TOO_BUSY: Final = 500

_Short = Annotated[str, Field(max_length=200)]


class _Said(BaseModel):
    """One answer as it comes over the wire."""

    model_config = ConfigDict(extra="ignore")
    state: State
    credited_minor: Minor = 0
    field: _Short = ""
    theirs: _Short = ""
    reference: _Short = ""
    version: _Short = ""
    at: AwareDatetime | None = None


class _Answers(BaseModel):
    answers: list[_Said]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A register that sends us elsewhere has not answered."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002 - the signature of the library
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: HTTPMessage,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        """Follow nothing."""
        return


class HttpRegister:
    """One register at one address, with a breaker: who does not answer is left alone for a while.

    Parameters
    ----------
    token
        Sent as a bearer token, where the register asks for one.
    """

    def __init__(
        self, address: str, clock: Clock, token: str = "", timeout: float = TIMEOUT_SECONDS
    ) -> None:
        self._address = f"{address.rstrip('/')}/verify"
        self._clock = clock
        self._timeout = timeout
        self._head = {"Content-Type": "application/json"}
        if token:
            self._head["Authorization"] = f"Bearer {token}"
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect).open
        self._lock = threading.Lock()
        self._failures = 0
        self._rests_until: dt.datetime | None = None

    def verify(self, asks: Sequence[Ask]) -> list[Answer]:
        """Ask the register; what it does not answer well is UNAVAILABLE, with why."""
        if self._resting():
            return _away(asks, "RESTING")
        reason = ""
        for _ in range(TRIES):
            try:
                answers = self._ask(asks)
            except _Failed as failed:
                reason = failed.reason
                if not failed.again:
                    break
            else:
                self._worked()
                return answers
        self._failed()
        return _away(asks, reason)

    # --- The breaker

    def _resting(self) -> bool:
        with self._lock:
            until = self._rests_until
            if until is None or self._clock.now() >= until:
                # One caller tries; the others are told to wait until it has come back.
                self._rests_until = self._clock.now() + REST if until is not None else None
                return False
            return True

    def _worked(self) -> None:
        with self._lock:
            self._failures, self._rests_until = 0, None

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= MOST_FAILURES:
                self._rests_until = self._clock.now() + REST

    # --- The call

    def _ask(self, asks: Sequence[Ask]) -> list[Answer]:
        body = json.dumps({"documents": [_sent(ask) for ask in asks]}).encode()
        request = urllib.request.Request(self._address, body, self._head, method="POST")  # noqa: S310 - the operator's own setting, http or https
        try:
            with self._open(request, timeout=self._timeout) as answered:
                content = answered.read(MAX_ANSWER + 1)
        except urllib.error.HTTPError as refused:
            with refused:
                raise _Failed(f"HTTP_{refused.code}", again=refused.code >= _TOO_BUSY) from None
        except TimeoutError:
            # It may be working on it: asked again, it would only have more to do.
            raise _Failed("SILENT", again=False) from None
        except (OSError, HTTPException) as away:
            reason = getattr(away, "reason", None)
            silent = isinstance(reason, TimeoutError)
            raise _Failed("SILENT" if silent else "NO_CONNECTION", again=not silent) from None
        if len(content) > MAX_ANSWER:
            raise _Failed("GARBAGE", again=False)
        return _understood(asks, content)


class _Failed(Exception):
    def __init__(self, reason: str, *, again: bool) -> None:
        super().__init__(reason)
        self.reason, self.again = reason, again


def _away(asks: Sequence[Ask], reason: str) -> list[Answer]:
    return [Answer("UNAVAILABLE", reason=reason) for _ in asks]


def _sent(ask: Ask) -> dict[str, Any]:
    """Give what leaves the house: what the authority has itself, none of our own ids."""
    said = ask._asdict() | {"issue_on": ask.issue_on.isoformat()}
    del said["invoice_id"]
    return said


def _understood(asks: Sequence[Ask], content: bytes) -> list[Answer]:
    try:
        said = _Answers.model_validate(loads(content)).answers
    except (ValidationError, ValueError, RecursionError):
        raise _Failed("GARBAGE", again=False) from None
    if len(said) != len(asks):
        raise _Failed("GARBAGE", again=False)
    return [_answer(ask, one) for ask, one in zip(asks, said, strict=True)]


def _answer(ask: Ask, said: _Said) -> Answer:
    ours = str(getattr(ask, said.field, "")) if said.field in Ask._fields else ""
    return Answer(
        said.state,
        said.credited_minor,
        said.field,
        said.theirs,
        ours if said.state == "MISMATCH" else "",
        said.reference,
        said.version,
        said.at,
        "REGISTER" if said.state == "UNAVAILABLE" else "",
    )
