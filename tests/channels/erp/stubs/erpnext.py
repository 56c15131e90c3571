"""A stub of ERPNext over Frappe's REST API, as the framework's documentation describes it.

``python -m tests.channels.erp.stubs.erpnext PORT FILE``. Not ERPNext: the few DocTypes and fields
that a connector needs, with the refusals that Frappe and ERPNext give for them. Amounts are
floating point numbers, as there.
"""

import datetime as dt
import json
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.channels.erp.stubs.serving import Refusal, State, serve

Row = dict[str, Any]
_SUMS: Final = {
    "company", "currency", "net_total", "total_taxes_and_charges", "grand_total",
    "rounded_total", "rounding_adjustment", "disable_rounded_total",
}  # fmt: skip
_ITEM: Final = {"item_code", "item_name", "qty", "uom", "rate", "net_amount"}
_BOUGHT: Final = {"supplier", "supplier_address"}
_SOLD: Final = {"customer", "customer_address", "po_no"}
_INVOICE: Final = {"posting_date", "due_date", "is_return", "outstanding_amount", *_SUMS}
# Fields by DocType; nothing else may be asked for, searched or set.
FIELDS: Final = {
    "Company": {"default_currency", "cost_center"},
    "Country": {"code"},
    "Address": {"address_line1", "pincode", "city", "country"},
    "Supplier": {"supplier_name", "tax_id"},
    "Customer": {"customer_name", "tax_id"},
    "Account": {
        "account_number", "account_type", "account_currency", "company", "is_group", "disabled",
    },
    "Purchase Order": {"transaction_date", *_BOUGHT, *_SUMS},
    "Purchase Order Item": {*_ITEM},
    "Sales Order": {"transaction_date", *_SOLD, *_SUMS},
    "Sales Order Item": {*_ITEM},
    "Purchase Invoice": {"bill_no", "bill_date", "credit_to", *_BOUGHT, *_INVOICE},
    "Purchase Invoice Item": {"purchase_order", *_ITEM},
    "Sales Invoice": {"debit_to", *_SOLD, *_INVOICE},
    "Sales Invoice Item": {"sales_order", *_ITEM},
    "Journal Entry": {
        "voucher_type", "company", "posting_date", "cheque_no", "cheque_date", "user_remark",
        "accounts",
    },
    "Journal Entry Account": {
        "account", "debit_in_account_currency", "credit_in_account_currency", "party_type",
        "party", "cost_center", "reference_type", "reference_name",
    },
    "Comment": {"comment_type", "reference_doctype", "reference_name", "content"},
}  # fmt: skip
_EVERY: Final = {
    "name", "modified", "creation", "docstatus", "owner", "parent", "parenttype", "idx",
}  # fmt: skip
_SERIES: Final = {"Journal Entry": "ACC-JV", "Purchase Invoice": "ACC-PINV", "Comment": "cmt"}
_TABLES: Final = {"Journal Entry": "accounts"}


def _bad(words: str, kind: str = "ValidationError") -> Refusal:
    return Refusal(417, kind, words)


def rows(state: State, doctype: str) -> dict[str, Row]:
    """Give the documents of a DocType by name."""
    kept: dict[str, Row] = state["documents"].setdefault(doctype, {})
    return kept


def add(state: State, doctype: str, name: str, /, **values: Any) -> Row:  # noqa: ANN401 - JSON
    """Keep a document."""
    if name in rows(state, doctype):
        raise Refusal(409, "DuplicateEntryError", f"{doctype} {name} already exists")
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    row = {"name": name, "docstatus": 0, "creation": now, "modified": now, **values}
    rows(state, doctype)[name] = row
    return row


def _known(doctype: str, fields: list[str]) -> None:
    if doctype not in FIELDS:
        raise Refusal(404, "DoesNotExistError", f"DocType {doctype} not found")
    wrong = set(fields) - FIELDS[doctype] - _EVERY
    if wrong:
        raise _bad(f"Field not permitted in query: {min(wrong)}", "DataError")


def _children(state: State, doctype: str, parent: str) -> list[Row]:
    if not parent or doctype != f"{parent} Item":
        raise Refusal(403, "PermissionError", f"No permission for {doctype}")
    found = []
    for name, row in rows(state, parent).items():
        for place, item in enumerate(row.get("items", []), start=1):
            told = {"name": f"{name}-{place}", "parent": name, "parenttype": parent, "idx": place}
            found.append({**item, **told})
    return found


def _fits(row: Row, term: list[Any]) -> bool:
    field, operator, wanted = term
    value = row.get(field)
    if operator == "=":
        return bool(value == wanted)
    if operator == "in":
        return value in wanted
    if operator == "like":
        return isinstance(value, str) and wanted.strip("%") in value
    if value is None:
        return False
    return bool({">": value > wanted, ">=": value >= wanted, "<": value < wanted}[operator])


def get_list(state: State, doctype: str, how: Row) -> list[Row]:
    """Give a page of a list; 20 rows where nobody says how many."""
    fields = json.loads(how.get("fields") or '["name"]')
    filters = json.loads(how.get("filters") or "[]")
    _known(doctype, [*fields, *(term[0] for term in filters)])
    every = list(rows(state, doctype).values())
    if doctype.endswith(" Item"):
        every = _children(state, doctype, how.get("parent", ""))
    found = [row for row in every if all(_fits(row, term) for term in filters)]
    field, _, way = how.get("order_by", "modified desc").partition(" ")
    found.sort(key=lambda row: row[field], reverse=way == "desc")
    start, most = int(how.get("limit_start") or 0), int(how.get("limit_page_length") or 20)
    return [{name: row.get(name) for name in fields} for row in found[start : start + most]]


def insert(state: State, doctype: str, values: Row) -> Row:
    """Make a document, a draft."""
    _known(doctype, list(values))
    if doctype not in _SERIES:
        raise Refusal(403, "PermissionError", f"No permission for {doctype}")
    if doctype == "Journal Entry":
        _entry(state, values)
    state["last"] = state.get("last", 0) + 1
    name = values.pop("name", None) or f"{_SERIES[doctype]}-2026-{state['last']:05}"
    return add(state, doctype, name, **values)


def _entry(state: State, values: Row) -> None:
    """Refuse what ERPNext's own validation refuses."""
    values.setdefault("posting_date", dt.datetime.now(dt.UTC).date().isoformat())
    if values["company"] not in rows(state, "Company"):
        raise _bad(f"Could not find Company: {values['company']}", "LinkValidationError")
    if values.get("cheque_date") and not values.get("cheque_no"):
        raise _bad("Reference No is mandatory if you entered Reference Date")
    for place, one in enumerate(values["accounts"], start=1):
        _known("Journal Entry Account", list(one))
        account = rows(state, "Account").get(one["account"])
        if account is None:
            words = f"Could not find Row #{place}: Account: {one['account']}"
            raise _bad(words, "LinkValidationError")
        if account["account_type"] in {"Payable", "Receivable"} and not one.get("party"):
            kind = account["account_type"]
            raise _bad(
                f"Row {place}: Party Type and Party is required for Receivable / Payable account"
                f" <b>{kind}</b>"
            )
        if one.get("party") and one["party"] not in rows(state, one["party_type"]):
            raise _bad(f"Could not find Row #{place}: Party: {one['party']}", "LinkValidationError")
    off = sum(
        one["debit_in_account_currency"] - one["credit_in_account_currency"]
        for one in values["accounts"]
    )
    if round(off, 6):
        raise _bad(f"Total Debit must be equal to Total Credit. The difference is {off}")


def update(state: State, doctype: str, name: str, values: Row) -> Row:
    """Change a draft, or submit it."""
    row = rows(state, doctype)[name]
    _known(doctype, list(values))
    if row["docstatus"] == 1 and set(values) - {"docstatus"}:
        raise _bad("Not allowed to change after submission", "UpdateAfterSubmitError")
    if values.get("docstatus") == 1 and row["docstatus"] == 0:
        if doctype == "Journal Entry":
            _submit(state, row)
        if doctype == "Purchase Invoice":
            row["outstanding_amount"] = row["grand_total"]
    row |= values
    row["modified"] = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return row


def _submit(state: State, row: Row) -> None:
    if row["posting_date"] <= state.get("closed", ""):
        words = "You cannot create or cancel any accounting entries with in the closed period"
        raise _bad(words, "ClosedAccountingPeriod")
    for one in row["accounts"]:
        if one.get("reference_type") == "Purchase Invoice":
            bill = rows(state, "Purchase Invoice")[one["reference_name"]]
            left = round(bill["outstanding_amount"] - one["debit_in_account_currency"], 6)
            if bill["supplier"] != one["party"] or left < 0:
                raise _bad("Payment against an invoice cannot be greater than what is outstanding")
            bill["outstanding_amount"] = left


def answer(
    state: State,
    method: str,
    path: str,
    heads: dict[str, str],
    body: Any,  # noqa: ANN401 - JSON
) -> tuple[int, Any]:
    """Answer one call."""
    if heads.get("authorization") != f"token {state['token']}":
        raise Refusal(401, "AuthenticationError", "")
    parts = urlsplit(path)
    way = [unquote(one) for one in parts.path.split("/")[1:]]
    if way[:2] == ["api", "method"]:
        if way[2] == "frappe.auth.get_logged_user":
            return 200, {"message": "api@erpnext.example"}
        return 200, {"message": get_list(state, body["doctype"], body)}
    if way[:2] != ["api", "resource"]:
        return 404, "<!DOCTYPE html><title>Not Found</title>"
    doctype, name = way[2], "/".join(way[3:])
    if name:
        return 200, {"data": _one(state, method, doctype, name, body)}
    if method == "POST":
        return 200, {"data": insert(state, doctype, dict(body))}
    return 200, {"data": get_list(state, doctype, dict(parse_qsl(parts.query)))}


def _one(state: State, method: str, doctype: str, name: str, body: Any) -> Any:  # noqa: ANN401
    _known(doctype, [])
    if name not in rows(state, doctype):
        raise Refusal(404, "DoesNotExistError", f"{doctype} {name} not found")
    if method == "PUT":
        return update(state, doctype, name, dict(body))
    if method == "DELETE":
        if rows(state, doctype)[name]["docstatus"] == 1:
            raise _bad(f"{doctype} {name}: Submitted Record cannot be deleted.")
        del rows(state, doctype)[name]
        return "ok"
    return rows(state, doctype)[name]


def refused(no: Refusal) -> Row:
    """Give an error as Frappe reports it: messages are JSON texts within a JSON text."""
    told: Row = {"exception": f"frappe.exceptions.{no.kind}: {no.words}", "exc_type": no.kind}
    if no.words:
        message = {"message": no.words, "title": "Message", "indicator": "red"}
        told["_server_messages"] = json.dumps([json.dumps(message)])
    return told


if __name__ == "__main__":
    serve(answer, refused)
