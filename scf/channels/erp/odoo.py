"""Odoo's external JSON-2 API: one POST per call of a method of a model, with an API key.

Source: Odoo 19, developer documentation "External JSON-2 API": ``POST /json/2/<model>/<method>``
with ``Authorization: bearer <key>``, ``X-Odoo-Database``, and named arguments with ``ids`` and
``context``. An error is an object with ``name`` (the exception's class) and ``message``. Every call
is one transaction there. An empty value is ``false``, a link ``[id, name]``.
"""

from collections.abc import Sequence
from typing import Any, Final

from scf.channels.erp.rest import Failed, Rest
from scf.channels.erp.wire import Refused
from scf.notices.webhooks.targets import Targets

AT_ONCE: Final = 1000  # records in one answer
_NOT_FOUND: Final = 404
# The last word of the exception's class.
_OF_CLASS: Final = {
    "UserError": "ERP_REFUSED",
    "ValidationError": "ERP_REFUSED",
    "RedirectWarning": "ERP_REFUSED",
    "AccessError": "ERP_RIGHTS",
    "AccessDenied": "ERP_SIGN_IN",
    "Unauthorized": "ERP_SIGN_IN",
    "MissingError": "ERP_GONE",
    "LockError": "ERP_RACE",
    "ConcurrencyError": "ERP_RACE",
    "SerializationFailure": "ERP_RACE",
}


class Odoo:
    """One user's key to one company in one Odoo database."""

    def __init__(self, targets: Targets, url: str, database: str, user: str, key: str) -> None:
        headers = {"Authorization": f"bearer {key}", "X-Odoo-Database": database}
        self._rest = Rest(targets, url, headers)
        self._user = user
        self.context: dict[str, Any] = {"lang": "en_US"}
        self.company = 0
        self.company_name = ""
        self.currency = ""

    def sign_in(self) -> None:
        """Learn whose key it is, and take over that user's company.

        Raises
        ------
        NotReached
            When nobody answers there.
        Refused
            ERP_SIGN_IN (also for the key of somebody else), ERP_DATABASE, ERP_COMPANY.
        """
        said = self.call("res.users", "context_get")
        user = said.get("uid") if isinstance(said, dict) else None
        if not isinstance(user, int) or isinstance(user, bool):
            raise Refused("ERP_ANSWER", "no user")
        (row,) = self.read("res.users", [user], ["login", "company_id"])
        if row["login"] != self._user:
            raise Refused("ERP_SIGN_IN", f"{row['login']}, {self._user}")
        if not row["company_id"]:
            raise Refused("ERP_COMPANY")
        self.company, self.company_name = linked(row["company_id"])
        self.context = {"lang": "en_US", "allowed_company_ids": [self.company]}
        (company,) = self.read("res.company", [self.company], ["currency_id"])
        self.currency = linked(company["currency_id"])[1]

    def call(self, model: str, method: str, ids: Sequence[int] | None = None, **named: Any) -> Any:  # noqa: ANN401 - JSON
        """Call a method of a model, on the records of some ids or on none.

        Raises
        ------
        NotReached
            When no answer came; whether it was done there, nobody knows.
        Refused
            With Odoo's words.
        """
        body: dict[str, Any] = {"context": self.context, **named}
        if ids is not None:
            body["ids"] = list(ids)
        said = self._rest.ask("POST", f"/json/2/{model}/{method}", body)
        if isinstance(said, Failed):
            raise _refusal(said, model)
        return said

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str]) -> list[dict[str, Any]]:
        """Read records by their ids."""
        rows: list[dict[str, Any]] = []
        wanted = sorted(set(ids))
        for start in range(0, len(wanted), AT_ONCE):
            part = wanted[start : start + AT_ONCE]
            rows += _rows(self.call(model, "read", part, fields=list(fields)), model)
        return rows

    def page(
        self, model: str, domain: Sequence[Any], fields: Sequence[str], limit: int
    ) -> list[dict[str, Any]]:
        """Give the first records of a search, by id."""
        said = self.call(
            model, "search_read", domain=list(domain), fields=list(fields), limit=limit,
            order="id asc",
        )  # fmt: skip
        return _rows(said, model)

    def find(
        self, model: str, domain: Sequence[Any], fields: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Give every record of a search, by id, however many there are."""
        rows: list[dict[str, Any]] = []
        after = 0
        while True:
            part = self.page(model, [*domain, ["id", ">", after]], fields, AT_ONCE)
            rows += part
            if len(part) < AT_ONCE:
                return rows
            if part[-1]["id"] <= after:
                raise Refused("ERP_ANSWER", f"search of {model}")
            after = part[-1]["id"]


def linked(value: Any) -> tuple[int, str]:  # noqa: ANN401 - JSON
    """Read a link to another record: its id and its name."""
    if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004 - id and name
        raise Refused("ERP_ANSWER", "a link that cannot be read")
    return int(value[0]), str(value[1] or "")


def text_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """Read a text, which is ``false`` where there is none."""
    return "" if value is None or value is False else " ".join(str(value).split())


def _rows(said: Any, model: str) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise Refused("ERP_ANSWER", f"search of {model}")
    if not all(type(one.get("id")) is int and one["id"] > 0 for one in said):
        raise Refused("ERP_ANSWER", f"search of {model}")
    return said


def _refusal(failed: Failed, model: str) -> Refused:
    """Tell a refusal by the exception's class, else by the status."""
    body = failed.body if isinstance(failed.body, dict) else {}
    kind = str(body.get("name") or "").rpartition(".")[2]
    words = text_of(body.get("message"))
    if kind in _OF_CLASS:
        return Refused(_OF_CLASS[kind], words)
    if failed.status == _NOT_FOUND and model in words:
        return Refused("ERP_MODULE", words)
    refusal = failed.refusal()
    return Refused(refusal.code, f"{refusal.said} {words}".strip())
