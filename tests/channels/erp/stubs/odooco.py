"""A company in the Odoo stub: what stands there before the first call, and what its people do."""

from collections import Counter
from pathlib import Path
from typing import Any

from scf.channels.erp.odoo import Odoo
from scf.notices.webhooks.targets import Targets
from tests.channels.erp.office import PARTY, mapping
from tests.channels.erp.stubs import odoo
from tests.channels.erp.stubs.process import StubServer

DATABASE, USER, KEY = "halden", "scf@halden.example", "6578616d706c65"
_LAND = {"DE": "Germany", "NL": "Netherlands"}
# Reference, name, country, VAT number: those of the demo world's firms.
FIRMS = (
    ("BROOK", "Brook Valves", "NL", "NL004495445B01"),
    (PARTY, "Meridian Trade Bank", "DE", ""),
)


def state(currency: str = "EUR") -> dict[str, Any]:
    """Give the state of a company with a chart of accounts, a journal and firms to trade with."""
    told: dict[str, Any] = {"database": DATABASE, "records": {}}
    euro = odoo.add(told, "res.currency", name=currency)
    company = odoo.add(told, "res.company", name="Halden Appliances", currency_id=euro)
    user = odoo.add(told, "res.users", login=USER, company_id=company)
    told["keys"] = {KEY: user}
    lands = {
        code: odoo.add(told, "res.country", name=name, code=code) for code, name in _LAND.items()
    }
    for ref, name, land, vat in FIRMS:
        values = {"ref": ref, "name": name, "vat": vat or None, "country_id": lands[land]}
        one = odoo.add(told, "res.partner", city="Town", **values)
        odoo.rows(told, "res.partner")[str(one)]["commercial_partner_id"] = one
    for ours, code in mapping().items():
        kind = {"trade_payables": "liability_payable", "trade_receivables": "asset_receivable"}
        kept: dict[str, Any] = {"code": code, "name": ours, "company_ids": [company]}
        odoo.add(
            told, "account.account", account_type=kind.get(ours, "asset_current"), **kept
        )  # fmt: skip
    for code in ("MISC", "BILL"):
        odoo.add(told, "account.journal", code=code, name=code, type="general", company_id=company)
    unit = odoo.add(told, "uom.uom", name="Units")
    product = odoo.add(told, "product.product", name="Pump housing", default_code="PH-7")
    order = odoo.add(
        told, "purchase.order", name="P00012", state="purchase", date_order="2026-03-05 08:30:00",
        company_id=company, partner_id=_one(told, "res.partner", "ref", "BROOK"),
        currency_id=euro, amount_untaxed=125.0, amount_tax=0.0, amount_total=125.0,
    )  # fmt: skip
    odoo.add(
        told, "purchase.order.line", order_id=order, sequence=10, name="[PH-7] Pump housing",
        product_id=product, product_qty=10.0, product_uom_id=unit, price_unit=12.5,
        price_subtotal=125.0,
    )  # fmt: skip
    return told


def _one(told: dict[str, Any], model: str, field: str, value: str) -> int:
    return next(int(one) for one, row in odoo.rows(told, model).items() if row[field] == value)


class OdooCompany:
    """One stub and what is entered in it or read from it."""

    def __init__(self, folder: Path) -> None:
        self.server = StubServer("tests.channels.erp.stubs.odoo", folder, state())
        self.wanted = {
            "kind": "ODOO", "database": DATABASE, "username": USER,
        }  # fmt: skip
        self.password = KEY

    def client(self) -> Odoo:
        """Sign in as a program of the test's own."""
        client = Odoo(Targets(loopback=True), self.server.url, DATABASE, USER, KEY)
        client.sign_in()
        return client

    def bills(self, party: str, numbers: dict[str, int], on: str, due: str) -> None:
        """Enter and post a supplier's bills over amounts in cents."""
        client = self.client()
        told = self.server.read()
        journal = _one(told, "account.journal", "code", "BILL")
        vals = [
            {
                "move_type": "in_invoice", "partner_id": _one(told, "res.partner", "ref", party),
                "ref": number, "invoice_date": on, "date": on, "invoice_date_due": due,
                "invoice_origin": "P00012", "journal_id": journal, "company_id": client.company,
                "currency_id": _one(told, "res.currency", "name", "EUR"),
                "invoice_line_ids": [[0, 0, {
                    "name": f"Delivery {number}", "quantity": 1.0, "price_unit": amount / 100,
                }]],
            }
            for number, amount in numbers.items()
        ]  # fmt: skip
        client.call(
            "account.move", "action_post", client.call("account.move", "create", vals_list=vals)
        )

    def entries(self) -> list[dict[str, Any]]:
        """Give the entries that ours became: reference, state and balances by account."""
        told = self.server.read()
        codes = {one: row["code"] for one, row in odoo.rows(told, "account.account").items()}
        found = []
        for one, move in odoo.rows(told, "account.move").items():
            if move["move_type"] == "entry":
                total: Counter[str] = Counter()
                for line in odoo.rows(told, "account.move.line").values():
                    if line["move_id"] == int(one):
                        cents = round((line["debit"] - line["credit"]) * 100)
                        total[codes[str(line["account_id"])]] += cents
                found.append({"ref": move["ref"], "posted": move["state"] == "posted", "by": total})
        return found

    def notes(self) -> list[str]:
        """Give every note on an invoice."""
        return [row["body"] for row in odoo.rows(self.server.read(), "mail.message").values()]

    def owed(self) -> dict[str, str]:
        """Give by a bill's number to whom what is open of it is owed: bills of suppliers, and
        the financier's lines by what they say.
        """
        told = self.server.read()
        partners = {int(one): row["ref"] for one, row in odoo.rows(told, "res.partner").items()}
        moves = odoo.rows(told, "account.move")
        open_ = {}
        for line in odoo.rows(told, "account.move.line").values():
            if line.get("account_type") == "liability_payable" and line["amount_residual"] < 0:
                move = moves[str(line["move_id"])]
                if move["move_type"] == "in_invoice":
                    open_[move["ref"]] = partners[line["partner_id"]]
                elif move["ref"].rpartition(" · ")[2] and line["partner_id"]:
                    open_.setdefault(line["name"].partition(":")[0], partners[line["partner_id"]])
        return open_
