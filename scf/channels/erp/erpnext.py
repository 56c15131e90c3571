"""ERPNext over Frappe's REST API: lists and documents of a DocType, with a token of two parts.

Source: Frappe Framework 15, documentation "REST API": ``/api/resource/<DocType>`` with ``filters``,
``fields``, ``order_by``, ``limit_start`` and ``limit_page_length``; rows of child tables through
``/api/method/frappe.client.get_list`` with ``parent``; ``Authorization: token <key>:<secret>``. An
error names its exception in ``exc_type`` and says its words in ``_server_messages``. Documents are
known by name, never by number.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from scf.channels.erp.rest import Failed, Rest
from scf.channels.erp.wire import Refused
from scf.kernel.strict_json import loads
from scf.notices.webhooks.targets import MAX_URL, Targets

AT_ONCE: Final = 500  # rows in one answer
NAMES_AT_ONCE: Final = 100
_OF_CLASS: Final = {
    "AuthenticationError": "ERP_SIGN_IN",
    "PermissionError": "ERP_RIGHTS",
    "DoesNotExistError": "ERP_GONE",
    "DuplicateEntryError": "ERP_REFUSED",
    "TimestampMismatchError": "ERP_RACE",
    "DocumentLockedError": "ERP_RACE",
    "QueryDeadlockError": "ERP_RACE",
    "QueryTimeoutError": "ERP_RACE",
    "FiscalYearError": "ERP_PERIOD",
    "ClosedAccountingPeriod": "ERP_PERIOD",
    "RateLimitExceededError": "ERP_TOO_OFTEN",
    "TooManyRequestsError": "ERP_TOO_OFTEN",
    "SessionStopped": "ERP_DOWN",
}
_INVALID: Final = 417
_NOT_FOUND: Final = 404
_TAG: Final = re.compile(r"<[^<>]{0,200}>")


class ErpNext:
    """One user's token to one company of one ERPNext site."""

    def __init__(self, targets: Targets, url: str, company: str, key: str, secret: str) -> None:
        self._rest = Rest(targets, url, {"Authorization": f"token {key}:{secret}"})
        self.company = company
        self.currency = ""
        self.cost_center = ""

    def sign_in(self) -> None:
        """See that the token is good and the company there.

        Raises
        ------
        NotReached
            When nobody answers there.
        Refused
            ERP_SIGN_IN, ERP_RIGHTS, ERP_COMPANY.
        """
        said = self._ask("GET", "/api/method/frappe.auth.get_logged_user", None, "message")
        if not said or said == "Guest":
            raise Refused("ERP_SIGN_IN")
        try:
            row = self.document("Company", self.company)
        except Refused as refusal:
            if refusal.code != "ERP_GONE":
                raise
            raise Refused("ERP_COMPANY", self.company) from None
        self.currency = str(row["default_currency"])
        self.cost_center = str(row.get("cost_center") or "")

    def document(self, doctype: str, name: str) -> dict[str, Any]:
        """Give one document with its child tables."""
        return _document(self._ask("GET", _path(doctype, name), None, "data"))

    def insert(self, doctype: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Make a document, a draft where the DocType has drafts."""
        return _document(self._ask("POST", _path(doctype), values, "data"))

    def change(self, doctype: str, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """Change a document; ``docstatus`` 1 submits it."""
        return _document(self._ask("PUT", _path(doctype, name), values, "data"))

    def delete(self, doctype: str, name: str) -> None:
        """Delete a draft."""
        self._ask("DELETE", _path(doctype, name), None, None)

    def page(
        self,
        doctype: str,
        filters: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int = AT_ONCE,
        start: int = 0,
        parent: str = "",
    ) -> list[dict[str, Any]]:
        """Give one page of a list by name; ``parent`` is the DocType whose child table is meant."""
        asked = {
            "fields": json.dumps(list(fields)),
            "filters": json.dumps(list(filters)),
            "order_by": "name asc",
            "limit_start": start,
            "limit_page_length": limit,
        }
        path = f"{_path(doctype)}?{urlencode(asked)}"
        if not parent and len(self._rest.url) + len(path) <= MAX_URL:
            said = self._ask("GET", path, None, "data")
        else:
            # What no address holds goes in a body, to the method that the list is made of.
            body = {**asked, "doctype": doctype, **({"parent": parent} if parent else {})}
            said = self._ask("POST", "/api/method/frappe.client.get_list", body, "message")
        if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
            raise Refused("ERP_ANSWER", f"list of {doctype}")
        return said

    def find(
        self, doctype: str, filters: Sequence[Any], fields: Sequence[str], parent: str = ""
    ) -> list[dict[str, Any]]:
        """Give every row of a list, however many there are."""
        rows: list[dict[str, Any]] = []
        while True:
            part = self.page(doctype, filters, fields, start=len(rows), parent=parent)
            rows += part
            if len(part) < AT_ONCE:
                return rows

    def among(
        self,
        doctype: str,
        field: str,
        names: Sequence[str],
        fields: Sequence[str],
        more: Sequence[Any] = (),
        parent: str = "",
    ) -> list[dict[str, Any]]:
        """Give the rows a field of which is one of some names."""
        rows: list[dict[str, Any]] = []
        wanted = sorted({one for one in names if one})
        for start in range(0, len(wanted), NAMES_AT_ONCE):
            part = wanted[start : start + NAMES_AT_ONCE]
            rows += self.find(doctype, [[field, "in", part], *more], fields, parent)
        return rows

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, key: str | None) -> Any:  # noqa: ANN401 - JSON
        said = self._rest.ask(method, path, body)
        if isinstance(said, Failed):
            raise _refusal(said)
        if key is None:
            return None
        if not isinstance(said, dict) or key not in said:
            raise Refused("ERP_ANSWER", f"no {key}")
        return said[key]


def text_of(value: Any) -> str:  # noqa: ANN401 - JSON
    """Read a text on one line; empty for none."""
    return "" if value is None else " ".join(str(value).split())


def _path(doctype: str, name: str | None = None) -> str:
    path = f"/api/resource/{quote(doctype, safe='')}"
    return path if name is None else f"{path}/{quote(name, safe='')}"


def _document(said: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    if not isinstance(said, dict) or not isinstance(said.get("name"), str):
        raise Refused("ERP_ANSWER", "no document")
    return said


def _refusal(failed: Failed) -> Refused:
    """Tell a refusal by the exception's class, else by the status."""
    body = failed.body if isinstance(failed.body, dict) else {}
    kind = str(body.get("exc_type") or "")
    words = _words(body)
    if kind in _OF_CLASS:
        return Refused(_OF_CLASS[kind], words)
    if failed.status == _INVALID:
        return Refused("ERP_REFUSED", words or kind)
    if failed.status == _NOT_FOUND and kind:
        return Refused("ERP_MODULE", words or kind)
    refusal = failed.refusal()
    return Refused(refusal.code, f"{refusal.said} {words}".strip())


def _words(body: Mapping[str, Any]) -> str:
    """Give what Frappe would show: a JSON text of a list of JSON texts, with tags of HTML."""
    found = []
    try:
        for one in loads(str(body.get("_server_messages") or "[]")):
            said = loads(one) if isinstance(one, str) else one
            found.append(str(said["message"] if isinstance(said, dict) else said))
    except (ValueError, KeyError, TypeError, RecursionError):
        found = []
    text = " ".join(found) or str(body.get("exception") or "")
    return text_of(_TAG.sub(" ", text))
