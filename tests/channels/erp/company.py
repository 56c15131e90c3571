"""Documents and books of the Tryton company that tests start, made and read over its protocol."""

import datetime as dt
from collections import Counter
from decimal import Decimal
from typing import Any

from scf.channels.erp.tryton import Tryton
from scf.channels.erp.wire import Refused
from scf.kernel.money import format_minor
from tests.support.tryton import USER

Row = dict[str, Any]
Turnovers = dict[str, tuple[int, int]]  # debit and credit of each account, in cents
OURS = "% · %"  # how descriptions of moves look that our entries became


class Company:
    """What people do in that ERP: buy, sell, enter invoices, look into the books."""

    def __init__(self, tryton: Tryton) -> None:
        self.tryton = tryton

    def one(self, model: str, *domain: list[Any]) -> int:
        """Give the id of the one record that there is."""
        (found,) = self.tryton.find(model, list(domain), ["id"])
        return int(found["id"])

    def term(self, days: int) -> int:
        """Give the payment term of so many days, made when it is needed first."""
        name = f"{days} days"
        found = self.tryton.find("account.invoice.payment_term", [["name", "=", name]], ["id"])
        if not found:
            deltas = [["create", [{"days": days}]]]
            lines = [["create", [{"type": "remainder", "relativedeltas": deltas}]]]
            self.tryton.call(
                "account.invoice.payment_term", "create", [{"name": name, "lines": lines}]
            )
        return self.one("account.invoice.payment_term", ["name", "=", name])

    def _head(self, party: str, days: int = 90) -> Row:
        party_id = self.one("party.party", ["code", "=", party])
        return {
            "company": self.tryton.company,
            "party": party_id,
            "currency": self.one("currency.currency", ["code", "=", "EUR"]),
            "payment_term": self.term(days),
            "invoice_address": self.one("party.address", ["party", "=", party_id]),
        }

    def invoices(
        self,
        kind: str,
        party: str,
        numbers: dict[str, int],
        on: dt.date,
        *,
        days: int = 90,
        post: bool = True,
    ) -> list[int]:
        """Enter invoices over amounts in minor units; ``in`` came from a supplier."""
        payable = "2.1.1" if kind == "in" else "1.2.1"
        counter = "5.1.1" if kind == "in" else "4.1.1"
        head = self._head(party, days) | {
            "type": kind,
            "invoice_date": on,
            "journal": self.one("account.journal", ["code", "=", "EXP" if kind == "in" else "REV"]),
            "account": self.one("account.account", ["code", "=", payable]),
        }
        account = self.one("account.account", ["code", "=", counter])
        made = self.tryton.call("account.invoice", "create", [
            head | {
                "reference": number,
                "lines": [["create", [{
                    "type": "line", "company": self.tryton.company, "currency": head["currency"],
                    "invoice_type": kind, "party": head["party"],
                    "account": account, "description": f"Delivery {number}", "quantity": 1.0,
                    "unit_price": Decimal(format_minor(amount, "EUR")),
                }]]],
            }
            for number, amount in numbers.items()
        ])  # fmt: skip
        if post:
            self.post(made)
        return list(made)

    def post(self, invoices: list[int]) -> None:
        """Post invoices, which gives them their place in the books; due days may be long past."""
        try:
            self.tryton.call("account.invoice", "post", invoices)
        except Refused as warning:  # as a person presses Yes
            seen = {"user": self.one("res.user", ["login", "=", USER]), "always": False}
            name = warning.said.split()[0]
            self.tryton.call("res.user.warning", "create", [seen | {"name": name}])
            self.tryton.call("account.invoice", "post", invoices)

    def purchase(self, party: str, quantity: float, price: str, on: dt.date) -> int:
        """Order pump housings and confirm the order; gives the purchase."""
        head = self._head(party)
        product = self.one("product.product", ["code", "=", "PH-7"])
        unit = self.one("product.uom", ["name", "=", "Unit"])
        (made,) = self.tryton.call("purchase.purchase", "create", [
            head | {
                "purchase_date": on,
                "invoice_method": "manual",
                "lines": [["create", [{
                    "type": "line", "product": product, "quantity": quantity, "unit": unit,
                    "unit_price": Decimal(price),
                }]]],
            }
        ])  # fmt: skip
        for step in ("quote", "confirm"):
            self.tryton.call("purchase.purchase", step, [made])
        return int(made)

    def sell(
        self, party: str, order: str, quantity: float, price: str, on: dt.date, *, days: int
    ) -> str:
        """Sell pump housings under a customer's order number and invoice them; gives the number."""
        head = self._head(party, days)
        product = self.one("product.product", ["code", "=", "PH-7"])
        (sale,) = self.tryton.call("sale.sale", "create", [
            head | {
                "sale_date": on,
                "reference": order,
                "shipment_address": head["invoice_address"],
                "invoice_method": "order",
                "shipment_method": "manual",
                "lines": [["create", [{
                    "type": "line", "product": product, "quantity": quantity,
                    "unit": self.one("product.uom", ["name", "=", "Unit"]),
                    "unit_price": Decimal(price),
                }]]],
            }
        ])  # fmt: skip
        for step in ("quote", "confirm", "process"):
            self.tryton.call("sale.sale", step, [sale])
        series = self.tryton.find("ir.sequence.strict", [], ["id"])
        named = {"prefix": "BV-2026-", "padding": 4}
        self.tryton.call("ir.sequence.strict", "write", [row["id"] for row in series], named)
        (made,) = self.tryton.by_id("sale.sale", [sale], ["invoices"])[sale]["invoices"]
        self.tryton.call("account.invoice", "write", [made], {"invoice_date": on})
        self.post([made])
        return str(self.tryton.by_id("account.invoice", [made], ["number"])[made]["number"])

    def moves(self) -> list[Row]:
        """Give the moves that our entries became: their descriptions end with the entry."""
        return self.tryton.find(
            "account.move", [["description", "like", OURS]], ["description", "state", "number"]
        )

    def trial_balance(self) -> Turnovers:
        """Give Tryton's own trial balances added up: debit and credit of each account in cents."""
        total: Turnovers = {}
        for year in self.tryton.find("account.fiscalyear", [], ["name"]):
            asked = {"fiscalyear": year["id"], "posted": True, "company": self.tryton.company}
            rows = self.tryton.call(
                "account.general_ledger.account", "search_read", [], 0, None, [],
                ["account", "debit", "credit"], **asked,
            )  # fmt: skip
            accounts = [row["account"] for row in rows]
            codes = self.tryton.by_id("account.account", accounts, ["code"])
            for row in rows:
                code = codes[row["account"]]["code"]
                debit, credit = total.get(code, (0, 0))
                total[code] = (debit + int(row["debit"] * 100), credit + int(row["credit"] * 100))
        return {code: sums for code, sums in total.items() if sums != (0, 0)}

    def balances(self) -> Counter[str]:
        """Give the balance of each account in minor units of our moves alone, debit positive."""
        fields = ["account", "debit", "credit"]
        rows = self.tryton.find("account.move.line", [["move.description", "like", OURS]], fields)
        codes = self.tryton.by_id("account.account", [row["account"] for row in rows], ["code"])
        total: Counter[str] = Counter()
        for row in rows:
            total[codes[row["account"]]["code"]] += int((row["debit"] - row["credit"]) * 100)
        return total
