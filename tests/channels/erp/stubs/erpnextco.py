"""A company in the ERPNext stub: what stands there before the first call, what its people do."""

from collections import Counter
from pathlib import Path
from typing import Any

from scf.channels.erp.erpnext import ErpNext
from scf.notices.webhooks.targets import Targets
from tests.channels.erp.office import PARTY, mapping
from tests.channels.erp.stubs import erpnext
from tests.channels.erp.stubs.process import StubServer

COMPANY, KEY, SECRET = "Halden Appliances", "9f3c1e", "b7d20a"
_SUMS = {"total_taxes_and_charges": 0.0, "rounded_total": 0.0, "rounding_adjustment": 0.0,
         "disable_rounded_total": 1, "currency": "EUR", "company": COMPANY}  # fmt: skip


def state() -> dict[str, Any]:
    """Give the state of a company with a chart of accounts and firms to trade with."""
    told: dict[str, Any] = {"token": f"{KEY}:{SECRET}", "documents": {}}
    center = "Main - HA"
    erpnext.add(told, "Company", COMPANY, default_currency="EUR", cost_center=center)
    for name, code in (("Germany", "de"), ("Netherlands", "nl")):
        erpnext.add(told, "Country", name, code=code)
    where = {"address_line1": "Sluis 3", "pincode": "1011 AB", "city": "Town"}
    erpnext.add(told, "Address", "Brook-Billing", country="Netherlands", **where)
    erpnext.add(told, "Supplier", "BROOK", supplier_name="Brook Valves", tax_id="NL004495445B01")
    erpnext.add(told, "Supplier", PARTY, supplier_name="Meridian Trade Bank", tax_id=None)
    erpnext.add(told, "Customer", PARTY, customer_name="Meridian Trade Bank", tax_id=None)
    kinds = {"trade_payables": "Payable", "trade_receivables": "Receivable"}
    for ours, code in mapping().items():
        erpnext.add(
            told, "Account", f"{code} - {ours} - HA", account_number=code, company=COMPANY,
            account_type=kinds.get(ours, ""), account_currency="EUR", is_group=0, disabled=0,
        )  # fmt: skip
    item = {"item_code": "PH-7", "item_name": "Pump housing", "uom": "Nos", "rate": 12.5}
    erpnext.add(
        told, "Purchase Order", "PUR-ORD-2026-00012", supplier="BROOK", net_total=125.0,
        supplier_address="Brook-Billing", transaction_date="2026-03-05", grand_total=125.0,
        items=[item | {"qty": 10.0, "net_amount": 125.0}], **_SUMS,
    )["docstatus"] = 1  # fmt: skip
    return told


class ErpNextCompany:
    """One stub and what is entered in it or read from it."""

    def __init__(self, folder: Path) -> None:
        self.server = StubServer("tests.channels.erp.stubs.erpnext", folder, state())
        self.wanted = {
            "kind": "ERPNEXT", "database": COMPANY, "username": KEY,
        }  # fmt: skip
        self.password = SECRET

    def client(self) -> ErpNext:
        """Sign in as a program of the test's own."""
        client = ErpNext(Targets(loopback=True), self.server.url, COMPANY, KEY, SECRET)
        client.sign_in()
        return client

    def bills(self, party: str, numbers: dict[str, int], on: str, due: str) -> None:
        """Enter and submit a supplier's bills over amounts in cents."""
        client = self.client()
        payable = next(
            name
            for name, row in erpnext.rows(self.server.read(), "Account").items()
            if row["account_type"] == "Payable"
        )
        for number, cents in numbers.items():
            amount = cents / 100
            made = client.insert("Purchase Invoice", _SUMS | {
                "supplier": party, "supplier_address": "Brook-Billing", "bill_no": number,
                "bill_date": on, "posting_date": on, "due_date": due, "is_return": 0,
                "credit_to": payable, "net_total": amount, "grand_total": amount,
            })  # fmt: skip
            client.change("Purchase Invoice", made["name"], {"docstatus": 1})
        told = self.server.read()
        for row in erpnext.rows(told, "Purchase Invoice").values():
            # Frappe takes child rows with their parent; the stub has no form for them.
            row["items"] = [{
                "item_code": "PH-7", "item_name": f"Delivery {row['bill_no']}", "qty": 1.0,
                "uom": "Nos", "rate": row["net_total"], "net_amount": row["net_total"],
                "purchase_order": "PUR-ORD-2026-00012",
            }]  # fmt: skip
        self.server.write(told)

    def entries(self) -> list[dict[str, Any]]:
        """Give the entries that ours became: reference, state and balances by account."""
        told = self.server.read()
        numbers = {one: row["account_number"] for one, row in erpnext.rows(told, "Account").items()}
        found = []
        for row in erpnext.rows(told, "Journal Entry").values():
            total: Counter[str] = Counter()
            for line in row["accounts"]:
                debit, credit = "debit_in_account_currency", "credit_in_account_currency"
                total[numbers[line["account"]]] += round((line[debit] - line[credit]) * 100)
            found.append({"ref": row["cheque_no"], "posted": row["docstatus"] == 1, "by": total})
        return found

    def notes(self) -> list[str]:
        """Give every comment on an invoice."""
        return [row["content"] for row in erpnext.rows(self.server.read(), "Comment").values()]

    def owed(self) -> dict[str, str]:
        """Give by a bill's number to whom what is open of it is owed."""
        told = self.server.read()
        open_ = {
            row["bill_no"]: row["supplier"]
            for row in erpnext.rows(told, "Purchase Invoice").values()
            if row["outstanding_amount"]
        }
        for row in erpnext.rows(told, "Journal Entry").values():
            if row["cheque_no"].startswith("payee ") and row["docstatus"] == 1:
                open_[row["user_remark"].partition(":")[0]] = row["accounts"][1]["party"]
        return open_
