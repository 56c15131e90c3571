"""Tryton's purchases, sales and invoices as documents in the platform's own JSON.

Read from the models of trytond 8.2: a purchase or sale counts once it is confirmed, an invoice
once it is posted. A credit note is an invoice below zero.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from scf.channels.erp.port import Record
from scf.channels.erp.tryton import Tryton
from scf.channels.erp.wire import Refused, decimal_text, minor_of
from scf.kernel.errors import InvalidInput

MODELS: Final[Mapping[str, tuple[str, tuple[Any, ...]]]] = {
    "PARTIES": ("party.party", ()),
    "PURCHASES": (
        "purchase.purchase",
        (["state", "in", ["confirmed", "processing", "done"]],),
    ),
    "SALES": ("sale.sale", (["state", "in", ["confirmed", "processing", "done"]],)),
    "SUPPLIER_INVOICES": (
        "account.invoice",
        (["type", "=", "in"], ["state", "in", ["posted", "paid"]]),
    ),
    "CUSTOMER_INVOICES": (
        "account.invoice",
        (["type", "=", "out"], ["state", "in", ["posted", "paid"]]),
    ),
}
_INVOICE: Final = (
    "number", "reference", "invoice_date", "party", "currency", "untaxed_amount", "tax_amount",
    "total_amount", "lines_to_pay",
)  # fmt: skip
_ORDER: Final = (
    "number", "reference", "party", "currency", "untaxed_amount", "tax_amount", "total_amount",
)  # fmt: skip
_SCHEMES: Final = {"eu_vat": "vat", "ch_vat": "vat", "gb_vat": "vat", "no_mva": "vat"}
_MAX_MINUTES: Final = 60


class Reading:
    """Reads one page of records, and all that hangs on them, in a few calls."""

    def __init__(self, tryton: Tryton, own: Mapping[str, Any]) -> None:
        self.tryton = tryton
        self.own = own
        self._currencies: dict[int, str] = {}

    def page(self, stream: str, since: dt.datetime | None, after: int, limit: int) -> list[Record]:
        """Give the next records of a stream."""
        model, domain = MODELS[stream]
        wanted: list[Any] = [*domain, ["company", "=", self.tryton.company]]
        if stream == "PARTIES":
            wanted = []
        wanted.append(["id", ">", after])
        if since is not None:
            # A record that was never changed has no day of change.
            unchanged = [["write_date", "=", None], ["create_date", ">=", since]]
            wanted.append(["OR", [["write_date", ">=", since]], unchanged])
        fields = ["write_date", "create_date", *_fields(stream)]
        rows = self.tryton.find(model, wanted, fields, limit=limit)
        if not rows:
            return []
        if stream == "PARTIES":
            return self._parties(rows)
        if stream in {"PURCHASES", "SALES"}:
            return self._orders("purchase" if stream == "PURCHASES" else "sale", rows)
        return self._invoices(rows, sold=stream == "CUSTOMER_INVOICES")

    # --- Parties

    def _parties(self, rows: Sequence[dict[str, Any]]) -> list[Record]:
        known = self._identifiers([row["id"] for row in rows])
        return [
            Record(
                str(row["id"]), _changed(row), str(row["name"] or row["code"] or row["id"]),
                identifiers=known[row["id"]],
            )
            for row in rows
        ]  # fmt: skip

    def _identifiers(self, ids: Sequence[int]) -> dict[int, tuple[tuple[str, str], ...]]:
        found = self.tryton.of("party.identifier", "party", ids, ["type", "code"])
        return {
            party: tuple(
                (_SCHEMES.get(str(one["type"]), "id"), str(one["code"]))
                for one in rows
                if one["code"]
            )
            for party, rows in found.items()
        }

    def _named(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Give parties as documents name them."""
        rows = self.tryton.by_id("party.party", ids, ["name", "code"])
        numbers = self._identifiers(list(rows))
        places = self.tryton.of(
            "party.address", "party", list(rows), ["country", "street", "postal_code", "city"]
        )
        countries = {one["country"] for found in places.values() for one in found if one["country"]}
        codes = self.tryton.by_id("country.country", list(countries), ["code"])
        named = {}
        for party, row in rows.items():
            first = next(iter(places[party]), None) or {}
            country = codes.get(first.get("country") or 0, {}).get("code") or ""
            said = (first.get("street"), first.get("postal_code"), first.get("city"))
            named[party] = {
                "name": str(row["name"] or row["code"] or ""),
                "country": country,
                "address": " ".join(" ".join(str(one or "").split()) for one in said).strip(),
                "identifiers": [
                    {"scheme": scheme, "value": value} for scheme, value in numbers[party]
                ],
            }
        return named

    def _currency(self, ids: set[int]) -> None:
        missing = ids - self._currencies.keys()
        if missing:
            rows = self.tryton.by_id("currency.currency", sorted(missing), ["code"])
            self._currencies |= {one: str(row["code"]) for one, row in rows.items()}

    # --- Orders

    def _orders(self, kind: str, rows: Sequence[dict[str, Any]]) -> list[Record]:
        lines = self._lines(f"{kind}.line", kind, rows)
        named = self._named([row["party"] for row in rows])
        self._currency({row["currency"] for row in rows})
        made = []
        for row in rows:
            # The number of an order is the buyer's; ours beside it when we sell.
            number = str(row["reference"] or row["number"] or "")
            if kind == "purchase":
                number = str(row["number"] or "")
            document = {
                "kind": "order",
                "number": number,
                "issue_on": row[f"{kind}_date"],
                "buyer": self.own if kind == "purchase" else named[row["party"]],
                "seller": named[row["party"]] if kind == "purchase" else self.own,
                "sales_order_reference": str(row["number"] or "") if kind == "sale" else "",
            }
            made.append(self._record(row, document, lines[row["id"]], sign=1))
        return made

    # --- Invoices

    def _invoices(self, rows: Sequence[dict[str, Any]], *, sold: bool) -> list[Record]:
        lines = self._lines("account.invoice.line", "invoice", rows)
        named = self._named([row["party"] for row in rows])
        self._currency({row["currency"] for row in rows})
        due = self._due(rows)
        orders = self._order_numbers([line for found in lines.values() for line in found])
        made = []
        for row in rows:
            credited = isinstance(row["total_amount"], Decimal) and row["total_amount"] < 0
            # The number of an invoice is the seller's.
            number = row["number"] if sold else row["reference"] or row["number"]
            of_order = {
                orders[one["origin"]] for one in lines[row["id"]] if one["origin"] in orders
            }
            document = {
                "kind": "credit_note" if credited else "invoice",
                "number": str(number or ""),
                "issue_on": row["invoice_date"],
                "due_on": None if credited else due.get(row["id"]),
                "seller": self.own if sold else named[row["party"]],
                "buyer": named[row["party"]] if sold else self.own,
                "order_reference": of_order.pop() if len(of_order) == 1 else "",
            }
            sign = -1 if credited else 1
            made.append(self._record(row, document, lines[row["id"]], sign=sign))
        return made

    def _due(self, rows: Sequence[dict[str, Any]]) -> dict[int, dt.date]:
        """Give the last day on which something of an invoice falls due."""
        invoice_of = {line: row["id"] for row in rows for line in row["lines_to_pay"] or ()}
        found = self.tryton.by_id("account.move.line", list(invoice_of), ["maturity_date"])
        due: dict[int, dt.date] = {}
        for line, row in found.items():
            if row["maturity_date"] is not None:
                invoice = invoice_of[line]
                due[invoice] = max(due.get(invoice, row["maturity_date"]), row["maturity_date"])
        return due

    def _order_numbers(self, lines: Sequence[dict[str, Any]]) -> dict[str, str]:
        """Give the order's number by the line of it that an invoice line came from."""
        numbers: dict[str, str] = {}
        for kind, field in (("purchase", "number"), ("sale", "reference")):
            start = f"{kind}.line,"
            origins = {str(one["origin"]) for one in lines if str(one["origin"]).startswith(start)}
            ids = [int(one.removeprefix(start)) for one in origins]
            found = self.tryton.by_id(f"{kind}.line", ids, [kind])
            heads = self.tryton.by_id(
                f"{kind}.{kind}", [row[kind] for row in found.values()], ["number", field]
            )
            for line, row in found.items():
                head = heads[row[kind]]
                numbers[f"{start}{line}"] = str(head[field] or head["number"] or "")
        return numbers

    def _lines(
        self, model: str, field: str, rows: Sequence[dict[str, Any]]
    ) -> dict[int, list[dict[str, Any]]]:
        ids = [row["id"] for row in rows]
        fields = ["type", "description", "quantity", "unit", "unit_price", "amount", "origin"]
        if model != "account.invoice.line":
            fields.remove("origin")
        found = self.tryton.of(model, field, ids, [*fields, "product"])
        every = [one for lines in found.values() for one in lines]
        units = self.tryton.by_id(
            "product.uom", [one["unit"] for one in every if one["unit"]], ["symbol"]
        )
        products = self.tryton.by_id(
            "product.product", [one["product"] for one in every if one["product"]],
            ["name", "code"],
        )  # fmt: skip
        for one in every:
            one["unit"] = str(units.get(one["unit"], {}).get("symbol") or "")
            one["product"] = products.get(one["product"], {})
        return {
            head: [one for one in lines if one["type"] == "line"] for head, lines in found.items()
        }

    # --- Both

    def _record(
        self,
        row: dict[str, Any],
        document: dict[str, Any],
        lines: Sequence[dict[str, Any]],
        *,
        sign: int,
    ) -> Record:
        label = document["number"] or f"#{row['id']}"
        currency = self._currencies[row["currency"]]
        try:
            amounts = {
                "net_minor": sign * minor_of(row["untaxed_amount"], currency),
                "tax_minor": sign * minor_of(row["tax_amount"], currency),
                "gross_minor": sign * minor_of(row["total_amount"], currency),
                "payable_minor": sign * minor_of(row["total_amount"], currency),
            }
            told = [_line(place, one, currency, sign) for place, one in enumerate(lines, start=1)]
        except InvalidInput as refusal:
            return Record(
                str(row["id"]), _changed(row), label, problem=refusal.code, said=refusal.message
            )
        days = {name: document[name] for name in ("issue_on", "due_on") if document.get(name)}
        whole = {name: value for name, value in document.items() if value and name not in days}
        whole |= {name: day.isoformat() for name, day in days.items()}
        return Record(
            str(row["id"]), _changed(row), label,
            document=whole | amounts | {"currency": currency, "lines": told},
        )  # fmt: skip


def _line(place: int, one: dict[str, Any], currency: str, sign: int) -> dict[str, Any]:
    product = one["product"]
    name = str(product.get("name") or one["description"] or "")
    quantity = decimal_text(one["quantity"])
    told = {
        "line_id": str(place),
        "item_name": " ".join(name.split())[:400],
        "quantity": quantity.removeprefix("-") if sign < 0 else quantity,
        "unit": one["unit"],
        "price": decimal_text(one["unit_price"]),
        "net_minor": sign * minor_of(one["amount"], currency),
    }
    if product.get("code"):
        told["item_ids"] = [{"scheme": "id", "value": str(product["code"])}]
    return {key: value for key, value in told.items() if value != "" and value is not None}


def _fields(stream: str) -> tuple[str, ...]:
    if stream == "PARTIES":
        return ("name", "code")
    if stream in {"PURCHASES", "SALES"}:
        return (*_ORDER, "purchase_date" if stream == "PURCHASES" else "sale_date")
    return _INVOICE


def _changed(row: Mapping[str, Any]) -> str:
    at = row["write_date"] or row["create_date"]
    if not isinstance(at, dt.datetime):
        raise Refused("ERP_ANSWER", "a record without an instant")
    return at.isoformat(timespec="microseconds")


def before(high: str) -> str:
    """Give an instant so much earlier that no transaction is still open from before it."""
    at = dt.datetime.fromisoformat(high) - dt.timedelta(minutes=_MAX_MINUTES)
    return at.isoformat(timespec="microseconds")
