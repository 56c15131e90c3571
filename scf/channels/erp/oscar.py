"""The API of a django-oscar shop: sign in, then one address after another, within the shop alone.

Source: django-oscar-api 3.3, ``views/login.py`` and ``views/admin/order.py``: a session of Django
as a cookie; lists are plain or, where the shop pages them, ``{"count", "next", "previous",
"results"}``; whatever hangs on a record is named by its address.
"""

import dataclasses
import json
from collections.abc import Iterator
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import urlsplit

from scf.channels.erp.wire import Refused
from scf.kernel.strict_json import loads
from scf.notices.webhooks.targets import Targets

MAX_ANSWER: Final = 16 * 1024 * 1024
SECONDS: Final = 30.0
MAX_PAGES: Final = 10_000  # of one list: whoever names more goes in circles
_OK: Final = 200
_ITS_FAULT: Final = 500
_OF_STATUS: Final = {
    401: "ERP_SIGN_IN",
    403: "ERP_RIGHTS",
    404: "ERP_NO_API",
    429: "ERP_TOO_OFTEN",
}


class Oscar:
    """One signed-in user of one shop; ``url`` is the address of its API."""

    def __init__(self, targets: Targets, url: str, user: str, password: str) -> None:
        self._targets = dataclasses.replace(targets, seconds=SECONDS)
        parts = urlsplit(url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._netloc = parts.netloc
        self._root = f"{parts.path.rstrip('/')}/"
        self._user, self._password = user, password
        self._cookies = ""

    def sign_in(self) -> None:
        """Open a session.

        Raises
        ------
        NotReached
            When nobody answers there.
        Refused
            ERP_SIGN_IN, ERP_NO_API where there is no API, ERP_TOO_OFTEN, ERP_ANSWER.
        """
        self._cookies = ""
        body = json.dumps({"username": self._user, "password": self._password}).encode()
        heads, _said = self._call("POST", f"{self._root}login/", body)
        jar = SimpleCookie()
        for name, value in heads:
            if name.lower() == "set-cookie":
                try:
                    jar.load(value)
                except CookieError:
                    raise Refused("ERP_ANSWER", "a cookie that cannot be read") from None
        self._cookies = "; ".join(f"{one.key}={one.coded_value}" for one in jar.values())
        if not self._cookies:
            raise Refused("ERP_ANSWER", "no session")

    def one(self, address: str) -> dict[str, Any]:
        """Read one record; ``address`` is within the API, or as the shop itself names it."""
        _heads, said = self._call("GET", self._path(address))
        if not isinstance(said, dict):
            raise Refused("ERP_ANSWER", f"no record at {address}")
        return said

    def every(self, address: str) -> Iterator[dict[str, Any]]:
        """Read a list to its end, page by page where the shop pages it."""
        following: str | None = address
        for _page in range(MAX_PAGES):
            _heads, said = self._call("GET", self._path(following))
            rows = said.get("results") if isinstance(said, dict) else said
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise Refused("ERP_ANSWER", f"no list at {following}")
            yield from rows
            following = said.get("next") if isinstance(said, dict) else None
            if not following:
                return
        raise Refused("ERP_ANSWER", f"a list without end at {address}")

    def _path(self, address: Any) -> str:  # noqa: ANN401 - JSON
        """Give the path of an address, if it is one of the shop's own: the session stays there."""
        parts = urlsplit(str(address))
        if parts.netloc and parts.netloc != self._netloc:
            raise Refused("ERP_ANSWER", f"an address elsewhere: {address}")
        path = parts.path if parts.path.startswith("/") else f"{self._root}{parts.path}"
        return f"{path}?{parts.query}" if parts.query else path

    def _call(
        self, method: str, path: str, body: bytes = b""
    ) -> tuple[tuple[tuple[str, str], ...], Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._cookies:
            headers["Cookie"] = self._cookies
        answer, text = self._targets.exchange(
            f"{self._origin}{path}", body, headers, MAX_ANSWER, method
        )
        if answer.status != _OK:
            other = "ERP_DOWN" if answer.status >= _ITS_FAULT else "ERP_ANSWER"
            code = _OF_STATUS.get(answer.status, other)
            raise Refused(code, f"HTTP {answer.status} at {path}")
        if len(text) >= MAX_ANSWER:
            raise Refused("ERP_ANSWER", f"more than {MAX_ANSWER} bytes at {path}: let it be paged")
        try:
            return answer.headers, loads(text, exact=True)
        except (ValueError, RecursionError):
            raise Refused("ERP_ANSWER", f"no JSON at {path}") from None
