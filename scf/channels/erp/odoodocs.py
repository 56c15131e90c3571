"""Odoo's orders and invoices as documents in the platform's own JSON.

Read by the models of Odoo 19: an order counts once it is confirmed, an invoice once it is posted. A
refund is a credit note; its amounts are above zero there as here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from scf.channels.erp.odoo import Odoo, linked, text_of
from scf.channels.erp.port import Record
from scf.channels.erp.rest import amount_of, instant_of, line_of
from scf.channels.erp.wire import decimal_text
from scf.kernel.errors import InvalidInput

MODELS: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "PARTIES": ("res.partner", (["parent_id", "=", False],)),
    "PURCHASES": ("purchase.order", (["state", "in", ["purchase", "done"]],)),
    "SALES": ("sale.order", (["state", "in", ["sale", "done"]],)),
    "SUPPLIER_INVOICES": (
        "account.move",
        (["move_type", "in", ["in_invoice", "in_refund"]], ["state", "=", "posted"]),
    ),
    "CUSTOMER_INVOICES": (
        "account.move",
        (["move_type", "in", ["out_invoice", "out_refund"]], ["state", "=", "posted"]),
    ),
}
_AMOUNTS: Final = ("partner_id", "currency_id", "amount_untaxed", "amount_tax", "amount_total")
_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "PARTIES": ("name", "vat", "company_registry"),
    "PURCHASES": ("name", "date_order", *_AMOUNTS),
    "SALES": ("name", "client_order_ref", "date_order", *_AMOUNTS),
    "SUPPLIER_INVOICES": (
        "name", "ref", "move_type", "invoice_date", "invoice_date_due", "invoice_origin", *_AMOUNTS,
    ),
    "CUSTOMER_INVOICES": (
        "name", "ref", "move_type", "invoice_date", "invoice_date_due", "invoice_origin", *_AMOUNTS,
    ),
}  # fmt: skip
# Of what is on a page: the model of its lines, the field of the head, quantity and unit.
_LINES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "PURCHASES": ("purchase.order.line", "order_id", "product_qty", "product_uom_id"),
    "SALES": ("sale.order.line", "order_id", "product_uom_qty", "product_uom_id"),
    "SUPPLIER_INVOICES": ("account.move.line", "move_id", "quantity", "product_uom_id"),
    "CUSTOMER_INVOICES": ("account.move.line", "move_id", "quantity", "product_uom_id"),
}


class Reading:
    """Reads one page of records, and all that hangs on them, in a few calls."""

    def __init__(self, odoo: Odoo, own: Mapping[str, Any]) -> None:
        self.odoo = odoo
        self.own = own

    def page(self, stream: str, since: str | None, after: int, limit: int) -> list[Record]:
        """Give the next records of a stream."""
        model, domain = MODELS[stream]
        company = ["company_id", "in", [self.odoo.company]]
        if stream == "PARTIES":
            company = ["company_id", "in", [self.odoo.company, False]]
        wanted: list[Any] = [*domain, company, ["id", ">", after]]
        if since is not None:
            wanted.append(["write_date", ">=", since])
        rows = self.odoo.page(model, wanted, ["write_date", *_FIELDS[stream]], limit)
        if not rows:
            return []
        if stream == "PARTIES":
            return [self._party(row) for row in rows]
        lines = self._lines(stream, [row["id"] for row in rows])
        named = self._named([linked(row["partner_id"])[0] for row in rows])
        made = []
        for row in rows:
            other = named[linked(row["partner_id"])[0]]
            head = _order if stream in {"PURCHASES", "SALES"} else _invoice
            document = head(row, other, self.own, sold=stream in {"SALES", "CUSTOMER_INVOICES"})
            made.append(_record(row, document, lines.get(row["id"], [])))
        return made

    def _party(self, row: Mapping[str, Any]) -> Record:
        label = text_of(row["name"]) or f"#{row['id']}"
        return Record(str(row["id"]), _changed(row), label, identifiers=_numbers(row))

    def _named(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Give parties as documents name them; a contact stands for its company."""
        fields = ["name", "vat", "company_registry", "street", "zip", "city", "country_id",
                  "commercial_partner_id"]  # fmt: skip
        rows = {row["id"]: row for row in self.odoo.read("res.partner", ids, fields)}
        heads = {one: linked(row["commercial_partner_id"])[0] for one, row in rows.items()}
        missing = sorted(set(heads.values()) - rows.keys())
        if missing:
            rows |= {row["id"]: row for row in self.odoo.read("res.partner", missing, fields)}
        lands = {linked(row["country_id"])[0] for row in rows.values() if row["country_id"]}
        found = self.odoo.read("res.country", sorted(lands), ["code"]) if lands else []
        codes = {row["id"]: text_of(row["code"]) for row in found}
        named = {}
        for one, head in heads.items():
            row = rows[head]
            land = codes.get(linked(row["country_id"])[0], "") if row["country_id"] else ""
            place = " ".join(text_of(row[name]) for name in ("street", "zip", "city"))
            named[one] = {
                "name": text_of(row["name"]),
                "country": land,
                "address": " ".join(place.split()),
                "identifiers": [
                    {"scheme": scheme, "value": value} for scheme, value in _numbers(row)
                ],
            }
        return named

    def _lines(self, stream: str, heads: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """Give the lines of goods and services per head, in their order."""
        model, head, quantity, unit = _LINES[stream]
        kind = "product" if model == "account.move.line" else False
        fields = ["sequence", "name", "product_id", "price_unit", "price_subtotal"]
        rows = self.odoo.find(
            model, [[head, "in", list(heads)], ["display_type", "=", kind]],
            [*fields, head, quantity, unit],
        )  # fmt: skip
        products = {linked(row["product_id"])[0] for row in rows if row["product_id"]}
        known = {}
        if products:
            found = self.odoo.read("product.product", sorted(products), ["name", "default_code"])
            known = {row["id"]: row for row in found}
        lines: dict[int, list[dict[str, Any]]] = {}
        for row in sorted(rows, key=lambda row: (row["sequence"], row["id"])):
            product = known.get(linked(row["product_id"])[0], {}) if row["product_id"] else {}
            lines.setdefault(linked(row[head])[0], []).append(
                {
                    "item_name": text_of(product.get("name")) or text_of(row["name"]),
                    "code": text_of(product.get("default_code")),
                    "quantity": decimal_text(row[quantity]),
                    "unit": linked(row[unit])[1] if row[unit] else "",
                    "price": decimal_text(row["price_unit"]),
                    "net": row["price_subtotal"],
                }
            )
        return lines


def _numbers(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    told = (("vat", text_of(row["vat"])), ("id", text_of(row["company_registry"])))
    return tuple((scheme, value) for scheme, value in told if value and value != "/")


def _order(
    row: Mapping[str, Any], other: Mapping[str, Any], own: Mapping[str, Any], *, sold: bool
) -> dict[str, Any]:
    # The number of an order is the buyer's; ours beside it when we sell.
    name = text_of(row["name"])
    return {
        "kind": "order",
        "number": (text_of(row["client_order_ref"]) or name) if sold else name,
        "issue_on": text_of(row["date_order"])[:10],
        "buyer": other if sold else own,
        "seller": own if sold else other,
        "sales_order_reference": name if sold else "",
    }


def _invoice(
    row: Mapping[str, Any], other: Mapping[str, Any], own: Mapping[str, Any], *, sold: bool
) -> dict[str, Any]:
    credited = str(row["move_type"]).endswith("_refund")
    # The number of an invoice is the seller's, that of its order the buyer's.
    name, said = text_of(row["name"]), text_of(row["ref"])
    order = (said if sold else "") or text_of(row["invoice_origin"])
    return {
        "kind": "credit_note" if credited else "invoice",
        "number": name if sold else said or name,
        "issue_on": text_of(row["invoice_date"]),
        "due_on": "" if credited else text_of(row["invoice_date_due"]),
        "seller": own if sold else other,
        "buyer": other if sold else own,
        "order_reference": "" if "," in order else order,
    }


def _record(
    row: Mapping[str, Any], document: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> Record:
    label = document["number"] or f"#{row['id']}"
    currency = linked(row["currency_id"])[1]
    try:
        amounts = {
            "net_minor": amount_of(row["amount_untaxed"], currency),
            "tax_minor": amount_of(row["amount_tax"], currency),
            "gross_minor": amount_of(row["amount_total"], currency),
            "payable_minor": amount_of(row["amount_total"], currency),
        }
        told = [line_of(place, one, currency) for place, one in enumerate(lines, start=1)]
    except InvalidInput as refusal:
        problem, said = refusal.code, refusal.message
        return Record(str(row["id"]), _changed(row), label, problem=problem, said=said)
    whole = {name: value for name, value in document.items() if value}
    return Record(
        str(row["id"]), _changed(row), label,
        document=whole | amounts | {"currency": currency, "lines": told},
    )  # fmt: skip


def _changed(row: Mapping[str, Any]) -> str:
    return instant_of(row["write_date"]).isoformat(sep=" ", timespec="seconds")
