"""Tryton's own protocol: sign in, then one JSON-RPC call after another.

Source: trytond 8.2, ``protocols/jsonrpc.py`` and ``protocols/dispatcher.py``: posts to
``/DATABASE/rpc/`` with the session in the Authorization header; an error of theirs comes as
``[class, [message, description, …]]``.
"""

import base64
import dataclasses
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from scf.channels.erp.wire import Refused, from_json, to_json
from scf.kernel.strict_json import loads
from scf.notices.webhooks.targets import Targets

MAX_ANSWER: Final = 32 * 1024 * 1024
SECONDS: Final = 120.0  # a batch of moves is posted in one call
IDS_AT_ONCE: Final = 500
_OF_STATUS: Final = {
    401: "ERP_SIGN_IN",
    403: "ERP_RIGHTS",
    404: "ERP_DATABASE",
    429: "ERP_TOO_OFTEN",
}
_OK: Final = 200


class Tryton:
    """One signed-in user of one Tryton database."""

    def __init__(self, targets: Targets, url: str, database: str, user: str, password: str) -> None:
        self._targets = dataclasses.replace(targets, seconds=SECONDS)
        self._url = f"{url.rstrip('/')}/{quote(database, safe='')}/rpc/"
        self._user, self._password = user, password
        self._session = ""
        self._calls = 0
        self.context: dict[str, Any] = {}
        self.company = 0

    def sign_in(self) -> None:
        """Open a session and take over the user's company.

        Raises
        ------
        NotReached
            When nobody answers there.
        Refused
            ERP_SIGN_IN, ERP_DATABASE, ERP_TOO_OFTEN, ERP_COMPANY for a user without a company.
        """
        self._session = ""
        said = self._post("common.db.login", [self._user, {"password": self._password}, "en"])
        if not isinstance(said, list) or len(said) < 2:  # noqa: PLR2004 - user and token
            raise Refused("ERP_SIGN_IN")
        session = f"{self._user}:{said[0]}:{said[1]}".encode()
        self._session = "Session " + base64.b64encode(session).decode("ascii")
        self.context = dict(self.call("res.user", "get_preferences", True))  # noqa: FBT003 - theirs
        company = self.context.get("company")
        if not isinstance(company, int):
            raise Refused("ERP_COMPANY")
        self.company = company

    def call(self, model: str, method: str, *arguments: Any, **context: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a method of a model; ``context`` is added to the user's own.

        Raises
        ------
        NotReached
            When no answer came; whether it was done there, nobody knows.
        Refused
            With Tryton's words: ERP_REFUSED, ERP_RIGHTS, ERP_RACE (somebody else has just
            changed the record), ERP_SIGN_IN, ERP_ANSWER.
        """
        parameters = [*arguments, self.context | context]
        return self._post(f"model.{model}.{method}", parameters)

    def wizard(self, name: str, method: str, *arguments: Any, **context: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a step of a wizard."""
        return self._post(f"wizard.{name}.{method}", [*arguments, self.context | context])

    def find(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: Sequence[Sequence[str]] = (("id", "ASC"),),
    ) -> list[dict[str, Any]]:
        """Search and read records."""
        found = self.call(model, "search_read", list(domain), 0, limit, list(order), list(fields))
        if not isinstance(found, list):
            raise Refused("ERP_ANSWER", f"search of {model}")
        return found

    def by_id(
        self, model: str, ids: Sequence[int], fields: Sequence[str]
    ) -> dict[int, dict[str, Any]]:
        """Read records by their ids."""
        found: dict[int, dict[str, Any]] = {}
        for part in _parts(sorted(set(ids))):
            found |= {row["id"]: row for row in self.call(model, "read", part, list(fields))}
        return found

    def of(
        self, model: str, field: str, ids: Sequence[int], fields: Sequence[str]
    ) -> dict[int, list[dict[str, Any]]]:
        """Read the records that hang on others by a field, per other."""
        found: dict[int, list[dict[str, Any]]] = {one: [] for one in ids}
        for part in _parts(sorted(set(ids))):
            for row in self.find(model, [[field, "in", part]], [field, *fields]):
                found[row[field]].append(row)
        return found

    def _post(self, method: str, parameters: list[Any]) -> Any:  # noqa: ANN401 - JSON
        self._calls += 1
        body = {"id": self._calls, "method": method, "params": to_json(parameters)}
        headers = {"Content-Type": "application/json"}
        if self._session:
            headers["Authorization"] = self._session
        content = json.dumps(body).encode()
        answer, text = self._targets.exchange(self._url, content, headers, MAX_ANSWER)
        if answer.status != _OK:
            code = _OF_STATUS.get(answer.status, "ERP_ANSWER")
            raise Refused(code, f"HTTP {answer.status}")
        try:
            said = loads(text.decode())
        except (ValueError, RecursionError):
            raise Refused("ERP_ANSWER", "no JSON") from None
        if isinstance(said, dict) and said.get("error"):
            raise _refusal(said["error"])
        if isinstance(said, dict) and "result" in said:
            said = said["result"]
        return from_json(said)


def _refusal(error: Any) -> Refused:  # noqa: ANN401 - JSON
    """Tell a refusal by Tryton's own class and words."""
    words = error if isinstance(error, list) else [error]
    kind = str(words[0]) if words else ""
    rest = words[1] if len(words) > 1 else ""
    parts = rest if isinstance(rest, list) else [rest]
    if kind in {"UserError", "UserWarning"}:
        said = " ".join(str(part) for part in parts[:2] if part and not isinstance(part, list))
        return Refused("ERP_REFUSED", said)
    if kind == "ConcurrencyException":
        return Refused("ERP_RACE", str(parts[0]))
    if kind.startswith("403"):
        return Refused("ERP_RIGHTS", kind)
    if kind.startswith("401"):
        return Refused("ERP_SIGN_IN", kind)
    return Refused("ERP_ANSWER", kind)


def _parts(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), IDS_AT_ONCE):
        yield list(ids[start : start + IDS_AT_ONCE])
