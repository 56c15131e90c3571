"""A bank's book in euro with balances in other currencies, and the rates it goes by."""

import datetime as dt

from scf.accounting import check
from scf.db.engine import Database
from scf.ledger.currency import proof
from scf.ledger.service import Journal, LedgerEvent, balances, credit, debit, post
from tests.support.deals import BANK, CHECKER, MAKER, Deals


class Book:
    """The bank's book in euro, with dollars and yen in it."""

    def __init__(self, db: Database) -> None:
        self.deals = Deals(db, limits=None)
        self.count = 0

    def rate(self, on: dt.date, **rates: str) -> None:
        """Let two people bring what one euro was on a day."""
        made = self.deals.run(
            "rates.add", MAKER, source="ECB",
            rates=[
                {"base": "EUR", "quote": code, "fixed_on": on, "rate": text}
                for code, text in rates.items()
            ],
        )  # fmt: skip
        self.deals.run("rates.confirm", CHECKER, publication_id=made["id"], seen=made["seen"])

    def book(self, on: dt.date, currency: str, minor: int, other: str = "discount_income") -> None:
        """Book an amount to cash against another account."""
        self.count += 1
        with self.deals.db.writer.begin() as conn:
            journal = Journal(BANK, [debit("cash", minor), credit(other, minor)])
            event = LedgerEvent(
                f"e{self.count}", "tried", "life", currency, on, on, "a try", [journal]
            )
            post(self.deals.context(conn), [event])

    def revalue(self, on: dt.date) -> dict[str, object]:
        return self.deals.run("ledger.revalue", MAKER, on=on)

    def holds(self) -> dict[str, int]:
        with self.deals.db.snapshot() as conn:
            found = balances(conn, BANK)
            assert check.ledger(conn) == []
            assert list(proof.breaches(conn)) == []
        return {
            code: amount
            for (code, currency), amount in found.items()
            if currency == "EUR" and amount and code.startswith("currency_")
        }
