"""ERPNext's orders and invoices as documents in the platform's own JSON.

Read by the DocTypes of ERPNext 15: what counts is what was submitted. A return is an invoice below
zero. Suppliers and customers are two DocTypes and one stream here, one after the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp.erpnext import ErpNext, text_of
from scf.channels.erp.port import Record
from scf.channels.erp.rest import amount_of, instant_of, line_of
from scf.channels.erp.wire import decimal_text
from scf.kernel.errors import InvalidInput

DOCTYPES: Final[Mapping[str, str]] = {
    "PURCHASES": "Purchase Order",
    "SALES": "Sales Order",
    "SUPPLIER_INVOICES": "Purchase Invoice",
    "CUSTOMER_INVOICES": "Sales Invoice",
}
PARTIES: Final = ("Customer", "Supplier")
_AMOUNTS: Final = (
    "currency", "net_total", "total_taxes_and_charges", "grand_total", "rounded_total",
    "rounding_adjustment", "disable_rounded_total",
)  # fmt: skip
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "PURCHASES": ("supplier", "supplier_address", "transaction_date"),
    "SALES": ("customer", "customer_address", "transaction_date", "po_no"),
    "SUPPLIER_INVOICES": (
        "supplier", "supplier_address", "posting_date", "bill_no", "bill_date", "due_date",
        "is_return",
    ),
    "CUSTOMER_INVOICES": (
        "customer", "customer_address", "posting_date", "po_no", "due_date", "is_return",
    ),
}  # fmt: skip


class Reading:
    """Reads one page of documents, and all that hangs on them, in a few calls."""

    def __init__(self, erpnext: ErpNext, own: Mapping[str, Any]) -> None:
        self.erpnext = erpnext
        self.own = own

    def page(self, stream: str, since: str | None, after: str, limit: int) -> list[Record]:
        """Give the next records of a stream, behind a name."""
        if stream == "PARTIES":
            return self._parties(since, after, limit)
        doctype = DOCTYPES[stream]
        filters = [["company", "=", self.erpnext.company], ["docstatus", "=", 1]]
        fields = ["name", "modified", *_FIELDS[stream], *_AMOUNTS]
        rows = self.erpnext.page(doctype, [*filters, *_window(since, after)], fields, limit=limit)
        if not rows:
            return []
        bought = stream in {"PURCHASES", "SUPPLIER_INVOICES"}
        lines = self._lines(doctype, [row["name"] for row in rows])
        named = self._named("Supplier" if bought else "Customer", rows)
        make = _order if stream in {"PURCHASES", "SALES"} else _invoice
        made = []
        for row in rows:
            items = lines.get(row["name"], [])
            document = make(row, items)
            other = named[row["name"]]
            document["buyer"] = self.own if bought else other
            document["seller"] = other if bought else self.own
            made.append(_record(row, document, items))
        return made

    def _parties(self, since: str | None, after: str, limit: int) -> list[Record]:
        """Give customers, then suppliers; their ids here begin with what they are."""
        begun, _, name = after.partition("/")
        made: list[Record] = []
        for doctype in PARTIES[PARTIES.index(begun) if begun else 0 :]:
            label = f"{doctype.lower()}_name"
            rows = self.erpnext.page(
                doctype, _window(since, name), ["name", label, "tax_id", "modified"],
                limit=limit - len(made),
            )  # fmt: skip
            made += [
                Record(
                    f"{doctype}/{row['name']}", _changed(row),
                    text_of(row[label]) or text_of(row["name"]), identifiers=_numbers(row),
                )
                for row in rows
            ]  # fmt: skip
            name = ""
            if len(made) >= limit:
                break
        return made

    def _named(self, doctype: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
        """Give the other party of each document as documents name it."""
        link, label = doctype.lower(), f"{doctype.lower()}_name"
        found = self.erpnext.among(
            doctype, "name", [text_of(row[link]) for row in rows], ["name", label, "tax_id"]
        )
        parties = {row["name"]: row for row in found}
        places = {
            row["name"]: row
            for row in self.erpnext.among(
                "Address", "name", [text_of(row[f"{link}_address"]) for row in rows],
                ["name", "address_line1", "pincode", "city", "country"],
            )
        }  # fmt: skip
        lands = {
            row["name"]: text_of(row["code"]).upper()
            for row in self.erpnext.among(
                "Country", "name", [text_of(one["country"]) for one in places.values()],
                ["name", "code"],
            )
        }  # fmt: skip
        named = {}
        for row in rows:
            party = parties.get(row[link], {"name": row[link]})
            place = places.get(text_of(row[f"{link}_address"]), {})
            said = (text_of(place.get(one)) for one in ("address_line1", "pincode", "city"))
            named[row["name"]] = {
                "name": text_of(party.get(label)) or text_of(party["name"]),
                "country": lands.get(text_of(place.get("country")), ""),
                "address": " ".join(one for one in said if one),
                "identifiers": [
                    {"scheme": scheme, "value": value} for scheme, value in _numbers(party)
                ],
            }
        return named

    def _lines(self, doctype: str, names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """Give the items per document, in their order."""
        fields = ["parent", "idx", "item_code", "item_name", "qty", "uom", "rate", "net_amount"]
        origin = {"Purchase Invoice": "purchase_order", "Sales Invoice": "sales_order"}.get(doctype)
        rows = self.erpnext.among(
            f"{doctype} Item", "parent", names, [*fields, *([origin] if origin else [])],
            [["parenttype", "=", doctype]], parent=doctype,
        )  # fmt: skip
        lines: dict[str, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda row: (row["parent"], row["idx"])):
            lines.setdefault(row["parent"], []).append(
                {
                    "item_name": text_of(row["item_name"]),
                    "code": text_of(row["item_code"]),
                    "quantity": decimal_text(row["qty"]),
                    "unit": text_of(row["uom"]),
                    "price": decimal_text(row["rate"]),
                    "net": row["net_amount"],
                    "order": text_of(row[origin]) if origin else "",
                }
            )
        return lines


def _window(since: str | None, after: str) -> list[list[Any]]:
    """Give the filters of what changed since an instant, behind a name."""
    filters: list[list[Any]] = []
    if since is not None:
        filters.append(["modified", ">=", since])
    if after:
        filters.append(["name", ">", after])
    return filters


def _numbers(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    number = text_of(row.get("tax_id"))
    return (("vat", number),) if number else ()


def _order(row: Mapping[str, Any], _items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # The number of an order is the buyer's; ours beside it when we sell.
    name, sold = str(row["name"]), "customer" in row
    return {
        "kind": "order",
        "number": (text_of(row["po_no"]) or name) if sold else name,
        "issue_on": text_of(row["transaction_date"]),
        "sales_order_reference": name if sold else "",
    }


def _invoice(row: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # The number of an invoice is the seller's, that of its order the buyer's.
    name, sold = str(row["name"]), "customer" in row
    credited = bool(row["is_return"])
    orders = {one["order"] for one in items if one["order"]}
    order = orders.pop() if len(orders) == 1 else ""
    if sold:
        order = text_of(row["po_no"]) or order
    day = text_of(row["posting_date"])
    return {
        "kind": "credit_note" if credited else "invoice",
        "number": name if sold else text_of(row["bill_no"]) or name,
        "issue_on": day if sold else text_of(row["bill_date"]) or day,
        "due_on": "" if credited else text_of(row["due_date"]),
        "order_reference": order,
    }


def _record(
    row: Mapping[str, Any], document: Mapping[str, Any], items: Sequence[Mapping[str, Any]]
) -> Record:
    label = document["number"]
    currency = text_of(row["currency"])
    sign = -1 if document["kind"] == "credit_note" else 1
    rounded = not row["disable_rounded_total"] and bool(row["rounded_total"])
    try:
        amounts = {
            "net_minor": sign * amount_of(row["net_total"], currency),
            "tax_minor": sign * amount_of(row["total_taxes_and_charges"], currency),
            "gross_minor": sign * amount_of(row["grand_total"], currency),
            "payable_minor": sign
            * amount_of(row["rounded_total" if rounded else "grand_total"], currency),
        }
        told = [line_of(place, one, currency, sign) for place, one in enumerate(items, start=1)]
    except InvalidInput as refusal:
        problem, said = refusal.code, refusal.message
        return Record(str(row["name"]), _changed(row), label, problem=problem, said=said)
    if amounts["payable_minor"] != amounts["gross_minor"]:
        amounts["rounding_minor"] = amounts["payable_minor"] - amounts["gross_minor"]
    whole = {name: value for name, value in document.items() if value}
    return Record(
        str(row["name"]), _changed(row), label,
        document=whole | amounts | {"currency": currency, "lines": told},
    )  # fmt: skip


def _changed(row: Mapping[str, Any]) -> str:
    return instant_of(row["modified"]).isoformat(sep=" ", timespec="microseconds")
