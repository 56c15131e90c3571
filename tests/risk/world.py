"""A world that lives through its days: firms trade and pay, and are assessed each morning."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import Row, select

from scf.bootstrap import load_appetite
from scf.chain.models import GraphSnapshot
from scf.db.engine import Database
from scf.documents import axes
from scf.documents.models import Invoice
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.risk import nightly
from scf.risk.models import RiskAssessment
from tests.support.deals import (
    ANCHOR,
    BANK,
    CHECKER,
    DAY,
    MAKER,
    SELLER,
    Deals,
    eur,
    programme_file,
    table,
)

TODAY = dt.date(2026, 3, 11)  # the first day on which the trade of DAY is known


def risk_programme(code: str = "", **terms: str) -> str:
    """Give the shipped programme that prices by risk, with some terms changed (values as TOML)."""
    return programme_file(code, "payables-finance-by-risk", **terms)


class RiskWorld(Deals):
    """Deals priced by risk; firms beside anchor and seller by name."""

    file = staticmethod(risk_programme)

    def __init__(self, db: Database, *firms: str, **terms: str) -> None:
        load_appetite()
        super().__init__(db, **terms)
        with db.writer.begin() as conn:
            for firm in firms:
                self.add_firm(conn, firm)

    # --- Days

    def at(self, day: dt.date, hour: int = 9) -> None:
        """Move the clock to a day."""
        self.clock.advance(dt.datetime.combine(day, dt.time(hour), dt.UTC) - self.clock.now())

    def morning(self, on: dt.date = TODAY, bank: str = BANK) -> dict[str, Any]:
        """Let a day begin: its date, its chain, its assessments."""
        self.at(on, hour=7)
        self.set_date(on, bank)
        self.run_as_bank("graph.build", bank)
        return nightly.assess_day(self.platform, bank)

    def run_as_bank(self, name: str, bank: str = BANK) -> dict[str, Any]:
        """Run what the installation does for a financier."""
        actor = dataclasses.replace(OPERATOR, org_id=bank)
        return self.platform.run(name, {}, actor, key=self.key()).result

    def snapshot(self) -> Row[Any]:
        """Give the newest snapshot."""
        rows = table(GraphSnapshot)
        with self.db.snapshot() as conn:
            return conn.execute(select(rows).order_by(rows.c.as_of_on.desc()).limit(1)).one()

    # --- Trade

    def sale(
        self,
        amount: str,
        seller: str = SELLER,
        buyer: str = ANCHOR,
        *,
        issued: dt.date | None = None,
        due: dt.date | None = None,
        accepted: bool = True,
    ) -> str:
        """Let the buyer accept an invoice at the hour of the clock."""
        today = self.clock.now().date()
        invoice_id = self.invoice(
            amount,
            accepted=False,
            seller_id=seller,
            buyer_id=buyer,
            org_id=seller,
            issue_on=issued or today,
            due_on=due or (issued or today) + dt.timedelta(days=60),
        )
        if accepted:
            self.run("invoice.accept", self.as_buyer(buyer), items=[{"invoice_id": invoice_id}])
        return invoice_id

    def as_buyer(self, firm: str) -> Actor:
        """Act for a firm as buyer."""
        return Actor(f"u-{firm}", firm, frozenset({Role.ANCHOR_APPROVER, Role.ANCHOR_CLERK}))

    def all_invoices(self) -> list[str]:
        """Give the ids of all invoices, the oldest first."""
        return [row.id for row in self.all(Invoice)]

    def pay(self, invoice_id: str, amount: str, on: dt.date | None = None) -> None:
        """Let the debtor's money arrive, booked at the hour of the clock."""
        with self.db.writer.begin() as conn:
            value_on = on or self.clock.now().date()
            axes.pay_rest(self.context(conn), invoice_id, eur(amount), value_on=value_on)

    def history(self, buyer: str = ANCHOR, seller: str = SELLER, items: int = 6) -> None:
        """Let a buyer pay some invoices of a seller in time, one a month."""
        for month in range(items, 0, -1):
            day = DAY - dt.timedelta(days=30 * month + 60)
            self.at(day)
            invoice_id = self.sale("10,000.00", seller, buyer)
            self.at(day + dt.timedelta(days=60))
            self.pay(invoice_id, "10,000.00")
        self.at(DAY)

    def fact(self, firm: str, kind: str, who: Actor = MAKER, **said: object) -> dict[str, Any]:
        """Enter a fact of a firm and let another person confirm it where that is needed."""
        made = self.run(
            "firm.fact", who, firm_id=firm, kind=kind, evidence="seen in the file", **said
        )
        if made["waits_for_second"]:
            self.run("firm.fact.confirm", CHECKER, fact_id=made["id"])
        return made

    def rated(self, firm: str, pd_ppm: int = 1_500) -> None:
        """Give a firm an approved rating; 0.15 % a year."""
        self.fact(firm, "rating", pd_ppm=pd_ppm, valid_to=dt.date(2027, 12, 31))

    def assessment(self, firm: str) -> Row[Any]:
        """Give the newest assessment of a firm."""
        return self.all(RiskAssessment, firm_id=firm)[-1]
