"""A stub of Odoo 19's external JSON-2 API, as its developer documentation describes it.

``python -m tests.channels.erp.stubs.odoo PORT FILE``. Not Odoo: the few models, fields and methods
that a connector needs, with the refusals that Odoo gives for them. Amounts are floating point
numbers and empty values ``false``, as there.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

from tests.channels.erp.stubs.serving import Refusal, State, serve

Row = dict[str, Any]
_MONEY: Final = {"partner_id", "currency_id", "amount_untaxed", "amount_tax", "amount_total"}
_LINE: Final = {"sequence", "display_type", "name", "product_id", "price_unit", "price_subtotal"}
# Fields by model; nothing else may be asked for, searched or set.
FIELDS: Final = {
    "res.users": {"login", "company_id"},
    "res.company": {"name", "currency_id"},
    "res.currency": {"name"},
    "res.country": {"name", "code"},
    "res.partner": {
        "name", "ref", "vat", "company_registry", "street", "zip", "city", "country_id",
        "parent_id", "commercial_partner_id", "company_id",
    },
    "account.account": {"code", "name", "account_type", "company_ids"},
    "account.journal": {"code", "name", "type", "company_id"},
    "product.product": {"name", "default_code"},
    "uom.uom": {"name"},
    "purchase.order": {"name", "state", "date_order", "company_id", *_MONEY},
    "purchase.order.line": {"order_id", "product_qty", "product_uom_id", *_LINE},
    "sale.order": {"name", "state", "client_order_ref", "date_order", "company_id", *_MONEY},
    "sale.order.line": {"order_id", "product_uom_qty", "product_uom_id", *_LINE},
    "account.move": {
        "name", "ref", "state", "move_type", "date", "invoice_date", "invoice_date_due",
        "invoice_origin", "company_id", "journal_id", *_MONEY,
    },
    "account.move.line": {
        "move_id", "quantity", "product_uom_id", "account_id", "account_type", "partner_id",
        "debit", "credit", "amount_residual", "reconciled", "date_maturity", *_LINE,
    },
    "mail.message": {"model", "res_id", "body"},
}  # fmt: skip
_LINKS: Final = {
    "partner_id": "res.partner", "currency_id": "res.currency", "company_id": "res.company",
    "country_id": "res.country", "commercial_partner_id": "res.partner", "order_id": "",
    "move_id": "account.move", "product_id": "product.product", "product_uom_id": "uom.uom",
    "parent_id": "res.partner",
    "account_id": "account.account", "journal_id": "account.journal",
}  # fmt: skip
_USER_ERROR: Final = "odoo.exceptions.UserError"
_INVALID: Final = "odoo.exceptions.ValidationError"


def _bad(words: str, kind: str = _USER_ERROR) -> Refusal:
    return Refusal(422, kind, words)


def rows(state: State, model: str) -> dict[str, Row]:
    """Give the records of a model by id."""
    kept: dict[str, Row] = state["records"].setdefault(model, {})
    return kept


def add(state: State, model: str, /, **values: Any) -> int:  # noqa: ANN401 - JSON
    """Keep a record; gives its id."""
    state["last"] = state.get("last", 0) + 1
    rows(state, model)[str(state["last"])] = values
    touch(rows(state, model)[str(state["last"])])
    return int(state["last"])


def touch(row: Row) -> None:
    """Let a record have changed now."""
    row["write_date"] = dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _name(state: State, model: str, one: int) -> str:
    row = rows(state, model).get(str(one), {})
    return str(row.get("name") or row.get("code") or one)


def _shown(state: State, model: str, one: str, fields: list[str]) -> Row:
    row = rows(state, model)[one]
    told: Row = {"id": int(one)}
    for field in fields:
        value = row.get(field)
        if field == "write_date":
            value = str(value)[:19]  # the API tells seconds; the database keeps more
        elif field in _LINKS and value:
            head = _LINKS[field] or model.removesuffix(".line")
            value = [value, _name(state, head, value)]
        told[field] = False if value is None else value
    return told


def _fields(model: str, fields: list[str]) -> None:
    wrong = set(fields) - FIELDS[model] - {"id", "write_date", "create_date"}
    if wrong:
        raise _bad(f"Invalid field {min(wrong)!r} on {model!r}", "builtins.ValueError")


def _fits(row: Row, one: int, term: list[Any]) -> bool:
    field, operator, wanted = term
    value = one if field == "id" else row.get(field)
    value = False if value is None else value
    if operator in {"=", "!="}:
        return bool(value == wanted) is (operator == "=")
    if operator == "in":
        held = value if isinstance(value, list) else [value]
        return any(one in wanted for one in held)
    if operator == "like":
        return isinstance(value, str) and wanted in value
    if value is False:
        return False
    return bool({">": value > wanted, ">=": value >= wanted}[operator])


def search_read(state: State, model: str, _ids: list[int], **how: Any) -> list[Row]:  # noqa: ANN401
    """Give records of a search by id, at most ``limit``."""
    domain, fields = how["domain"], how["fields"]
    assert how.get("order", "id asc") == "id asc"
    _fields(model, [*fields, *(term[0] for term in domain)])
    found = [
        one
        for one, row in sorted(rows(state, model).items(), key=lambda pair: int(pair[0]))
        if all(_fits(row, int(one), term) for term in domain)
    ]
    start = how.get("offset", 0)
    limit = how.get("limit") or len(found)
    return [_shown(state, model, one, fields) for one in found[start : start + limit]]


def read(state: State, model: str, ids: list[int], fields: list[str]) -> list[Row]:
    """Give records by id."""
    _fields(model, fields)
    gone = [one for one in ids if str(one) not in rows(state, model)]
    if gone:
        raise Refusal(404, "odoo.exceptions.MissingError", "Record does not exist or was deleted.")
    return [_shown(state, model, str(one), fields) for one in ids]


def create(state: State, model: str, _ids: list[int], vals_list: list[Row]) -> list[int]:
    """Make drafts of entries and bills, all of them or none."""
    if model != "account.move":
        raise Refusal(403, "odoo.exceptions.AccessError", f"You may not create {model}.")
    return [_move(state, dict(values)) for values in vals_list]


def _move(state: State, values: Row) -> int:
    lines = [one[2] for one in values.pop("line_ids", [])]
    goods = [one[2] for one in values.pop("invoice_line_ids", [])]
    _fields("account.move", list(values))
    values.setdefault("date", dt.datetime.now(dt.UTC).date().isoformat())
    if str(values["journal_id"]) not in rows(state, "account.journal"):
        raise Refusal(404, "odoo.exceptions.MissingError", "Record does not exist or was deleted.")
    if round(sum(one["debit"] - one["credit"] for one in lines), 6):
        raise _bad("The entry is not balanced.")
    move = add(state, "account.move", state="draft", name=False, **values)
    for one in lines:
        _fields("account.move.line", list(one))
        account = rows(state, "account.account").get(str(one["account_id"]))
        if account is None:
            raise Refusal(404, "odoo.exceptions.MissingError", "Record does not exist.")
        add(
            state, "account.move.line", move_id=move, account_type=account["account_type"],
            amount_residual=round(one["debit"] - one["credit"], 6), reconciled=False, **one,
        )  # fmt: skip
    for place, one in enumerate(goods):
        _fields("account.move.line", list(one))
        net = round(one["quantity"] * one["price_unit"], 2)
        extra = {"price_subtotal": net, "display_type": "product", "sequence": place}
        add(state, "account.move.line", move_id=move, **extra, **one)
    if goods:
        nets = [round(one["quantity"] * one["price_unit"], 2) for one in goods]
        total = round(sum(nets), 2)
        rows(state, "account.move")[str(move)] |= {
            "amount_untaxed": total, "amount_tax": 0.0, "amount_total": total,
        }  # fmt: skip
    return move


def action_post(state: State, _model: str, ids: list[int]) -> bool:
    """Post drafts: they get a number, bills a line that is owed."""
    moves = rows(state, "account.move")
    for one in ids:
        move = moves[str(one)]
        if move["state"] != "draft":
            raise _bad(f"The entry {move['name']} (id {one}) must be in draft.")
        if move["date"] <= state.get("locked", ""):
            raise _bad(f"You cannot add or modify entries prior to and inclusive of {move['date']}")
        mine = [other for other in moves.values() if other["state"] == "posted"]
        if move["move_type"] == "in_invoice":
            same = ("partner_id", "ref", "move_type")
            if any(all(other.get(name) == move[name] for name in same) for other in mine):
                raise _bad("Duplicated vendor reference detected.", _INVALID)
            payable = next(
                int(one)
                for one, row in rows(state, "account.account").items()
                if row["account_type"] == "liability_payable"
            )
            add(
                state, "account.move.line", move_id=one, account_id=payable,
                account_type="liability_payable", partner_id=move["partner_id"], debit=0.0,
                credit=move["amount_total"], amount_residual=-move["amount_total"],
                reconciled=False, date_maturity=move["invoice_date_due"],
                display_type="payment_term",
            )  # fmt: skip
        journal = _name(state, "account.journal", move["journal_id"])
        count = sum(other["journal_id"] == move["journal_id"] for other in mine) + 1
        move |= {"state": "posted", "name": f"{journal}/{move['date'][:4]}/{count:05}"}
        touch(move)
    return False


def unlink(state: State, model: str, ids: list[int]) -> bool:
    """Delete drafts."""
    for one in ids:
        if rows(state, model)[str(one)]["state"] == "posted":
            raise _bad("You cannot delete an entry which has been posted once.")
        del rows(state, model)[str(one)]
        lines = rows(state, "account.move.line")
        for line in [key for key, row in lines.items() if row["move_id"] == one]:
            del lines[line]
    return True


def js_assign_outstanding_line(
    state: State, _model: str, ids: list[int], line_id: int
) -> dict[str, Any]:
    """Let a line settle what is open on a bill, on the same account."""
    (bill,) = ids
    lines = rows(state, "account.move.line")
    paying = lines[str(line_id)]
    for row in lines.values():
        if row["move_id"] == bill and row.get("account_id") == paying["account_id"]:
            if row["reconciled"] or paying["reconciled"]:
                raise _bad("You are trying to reconcile some entries that are already reconciled.")
            part = min(-row["amount_residual"], paying["amount_residual"])
            row["amount_residual"] = round(row["amount_residual"] + part, 6)
            paying["amount_residual"] = round(paying["amount_residual"] - part, 6)
            row["reconciled"] = not row["amount_residual"]
            paying["reconciled"] = not paying["amount_residual"]
    touch(rows(state, "account.move")[str(bill)])
    return {"partials": [], "full_reconcile": []}


def message_post(state: State, model: str, ids: list[int], body: str) -> int:
    """Leave a note in a record's history."""
    (one,) = ids
    return add(state, "mail.message", model=model, res_id=one, body=f"<p>{body}</p>")


_METHODS: Final[dict[str, Callable[..., Any]]] = {
    "search_read": search_read, "read": read, "create": create, "action_post": action_post,
    "unlink": unlink, "message_post": message_post,
    "js_assign_outstanding_line": js_assign_outstanding_line,
}  # fmt: skip


def answer(
    state: State,
    method: str,
    path: str,
    heads: dict[str, str],
    body: Any,  # noqa: ANN401 - JSON
) -> tuple[int, Any]:
    """Answer one call."""
    if heads.get("x-odoo-database") != state["database"]:
        return 404, "<!doctype html><title>404 Not Found</title>"
    user = state["keys"].get(heads.get("authorization", "").removeprefix("bearer "))
    if user is None:
        raise Refusal(401, "werkzeug.exceptions.Unauthorized", "Invalid apikey")
    parts = path.split("/")
    if method != "POST" or parts[1:3] != ["json", "2"] or len(parts) != 5:
        words = "Did you mean POST /json/2/<model>/<method>?"
        raise Refusal(404, "werkzeug.exceptions.NotFound", words)
    model, name = parts[3:]
    if model not in FIELDS or model in state.get("without", []):
        words = f"the model {model!r} does not exist"
        raise Refusal(404, "werkzeug.exceptions.NotFound", words)
    named = {key: value for key, value in body.items() if key not in {"ids", "context"}}
    if (model, name) == ("res.users", "context_get"):
        return 200, {"lang": "en_US", "tz": False, "uid": user}
    if name not in _METHODS:
        words = f"The method '{model}.{name}' does not exist"
        raise Refusal(404, "werkzeug.exceptions.NotFound", words)
    return 200, _METHODS[name](state, model, body.get("ids", []), **named)


def refused(no: Refusal) -> Row:
    """Give an error as the API's documentation shows it."""
    return {
        "name": no.kind, "message": no.words, "arguments": [no.words], "context": {},
        "debug": "Traceback (most recent call last):\n",
    }  # fmt: skip


if __name__ == "__main__":
    serve(answer, refused)
