"""A case of the demo world that rests on a chain: a plain receivable on a supplier of an anchor."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import insert, select

from scf.documents.models import Invoice
from scf.kernel.actor import Actor
from scf.kernel.ids import new_id
from scf.risk.models import RiskAssessment
from tests.support.deals import programme_file, table
from tests.support.demo_world import TODAY, DemoCopy


@dataclasses.dataclass(frozen=True)
class PlainCase:
    """A request that waits for officers, and the quote that it took."""

    request_id: str
    quote: dict[str, Any]
    seller_id: str
    obligor_id: str


def plain_case(demo: DemoCopy, amount_minor: int = 20_000_00, **terms: str) -> PlainCase:
    """Let a firm ask for money on the debtor whom most risk reaches along the chain."""
    acting = _Acting(demo)
    obligor_id, seller_id = _pair(demo)
    made = acting.run(
        "omar",
        "programme.load",
        content=programme_file("plain", "receivables-discounting-by-risk", **terms),
        seller_id=seller_id,
        effective_on=TODAY,
    )
    acting.run("chen", "programme.activate", programme_id=made["id"])
    for kind, subject in (
        ("programme", made["id"]),
        ("obligor", obligor_id),
        ("seller", seller_id),
    ):
        acting.limit(kind, subject)
    invoice_id = acting.invoice(seller_id, obligor_id, amount_minor)
    treasurer = acting.treasurer_of(seller_id)
    ask = {"invoice_ids": [invoice_id], "programme_id": made["id"]}
    quote = acting.as_actor(treasurer, "quote.make", **ask)
    request = acting.as_actor(treasurer, "request.submit", quote_id=quote["id"])
    return PlainCase(request["id"], quote, seller_id, obligor_id)


def _pair(demo: DemoCopy) -> tuple[str, str]:
    """Give an unrated firm with much risk from its chain, and one that sells to it."""
    assessed, invoice = table(RiskAssessment), table(Invoice)
    with demo.platform.db.snapshot() as conn:
        rows = conn.execute(
            select(assessed.c.firm_id, assessed.c.splits, assessed.c.grade)
            .where(assessed.c.splits.is_not(None))
            .order_by(assessed.c.as_of_on.desc(), assessed.c.firm_id)
        ).all()
        sellers = {
            row.buyer_id: row.seller_id
            for row in conn.execute(
                select(invoice.c.buyer_id, invoice.c.seller_id)
                .where(invoice.c.seller_id.is_not(None))
                .order_by(invoice.c.seller_id)
            )
        }
    newest = {row.firm_id: row for row in reversed(rows)}
    able = [
        row
        for row in newest.values()
        if row.firm_id in sellers and row.grade not in {"E", "X"} and row.splits
    ]
    best = max(able, key=lambda row: sum(hop["part"] for hop in row.splits["by_first_hop"]))
    return best.firm_id, sellers[best.firm_id]


class _Acting:
    def __init__(self, demo: DemoCopy) -> None:
        self.demo = demo

    def as_actor(self, actor: Actor, name: str, **payload: object) -> dict[str, Any]:
        return self.demo.platform.run(name, payload, actor, key=new_id()).result

    def run(self, who: str, name: str, **payload: object) -> dict[str, Any]:
        return self.as_actor(self.demo.served.world.people[who], name, **payload)

    def limit(self, kind: str, subject: str) -> None:
        node = {"kind": kind, "subject_id": subject, "currency": "EUR"}
        made = self.run("omar", "limit.set", **node, limit_minor=500_000_000)
        if made["waits_for_second"]:
            item = {"limit_id": made["id"], "limit_minor": made["proposed_minor"]}
            self.run("chen", "limit.confirm", items=[item])

    def treasurer_of(self, firm_id: str) -> Actor:
        return next(one for one in self.demo.served.world.people.values() if one.org_id == firm_id)

    def invoice(self, seller_id: str, buyer_id: str, minor: int) -> str:
        """Store an invoice of which the buyer has said nothing yet, due in 75 days."""
        invoice_id = new_id()
        row = Invoice(
            id=invoice_id, number="P-2026-75", seller_id=seller_id, buyer_id=buyer_id,
            issue_on=TODAY, currency="EUR", type_code="380", canonical_number="P202675",
            duplicate_key=invoice_id, due_on=TODAY + dt.timedelta(days=75), net_minor=minor,
            tax_minor=0, gross_minor=minor, payable_minor=minor, document_state="VALIDATED",
            base_minor=minor, parties={}, org_id=seller_id, upload_id="u", original_id="o",
            created_at=self.demo.clock.now(), order_number=None, order_canonical=None,
            order_id=None, match_code=None, accepted_minor=0,
        )  # fmt: skip
        with self.demo.platform.db.writer.begin() as conn:
            conn.execute(insert(table(Invoice)), row.model_dump())
        return invoice_id
