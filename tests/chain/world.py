"""A chain to look at: firms, what they trade, and the snapshot of it on the next day."""

import dataclasses
import datetime as dt
from typing import Any

from sqlalchemy import Row, select

from scf.chain.models import GraphEdge, GraphNode, GraphSnapshot
from scf.db.engine import Database
from scf.documents.models import Order, TradePayment
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.ids import new_id
from scf.kernel.money import parse_minor
from tests.support.deals import ANCHOR, BANK, DAY, EUR, Deals, eur

NEXT = DAY + dt.timedelta(days=1)


class Trade(Deals):
    """The world of the deals with more firms; amounts are texts in euro."""

    def __init__(self, db: Database, *firms: str) -> None:
        super().__init__(db)
        with db.writer.begin() as conn:
            for firm in firms:
                self.add_firm(conn, firm)

    def sale(
        self, seller: str, buyer: str, amount: str, *, ago: int = 10, accepted: bool = True,
        **columns: object,
    ) -> str:  # fmt: skip
        """Let the buyer accept an invoice that was issued some days ago."""
        on = DAY - dt.timedelta(days=ago)
        columns = {"due_on": DAY + dt.timedelta(days=60), "issue_on": on, **columns}
        invoice_id = self.invoice(
            amount, accepted=False, seller_id=seller, buyer_id=buyer, org_id=seller, **columns
        )
        if accepted:
            self.word(buyer, invoice_id)
        return invoice_id

    def word(self, buyer: str, invoice_id: str, **word: object) -> None:
        approver = Actor(f"u-{buyer}", buyer, frozenset({Role.ANCHOR_APPROVER}))
        self.run("invoice.accept", approver, items=[{"invoice_id": invoice_id, **word}])

    def reject(self, buyer: str, invoice_id: str) -> None:
        clerk = Actor(f"u-{buyer}", buyer, frozenset({Role.ANCHOR_CLERK}))
        self.run("invoice.reject", clerk, invoice_ids=[invoice_id], reason="never ordered")

    def dispute(self, buyer: str, invoice_id: str, amount: str) -> None:
        clerk = Actor(f"u-{buyer}", buyer, frozenset({Role.ANCHOR_CLERK}))
        self.run(
            "invoice.dispute", clerk, invoice_id=invoice_id, amount_minor=eur(amount),
            reason="goods are missing",
        )  # fmt: skip

    def order(self, seller: str, buyer: str, amount: str, *, by: str = "", ago: int = 10) -> None:
        on = DAY - dt.timedelta(days=ago)
        self._put(
            Order(
                id=new_id(), number=new_id(), seller_id=seller, buyer_id=buyer, issue_on=on,
                currency=EUR, canonical_number=new_id(), duplicate_key=new_id(),
                document_state="VALIDATED", total_minor=eur(amount), parties={},
                org_id=by or buyer, upload_id="u", original_id="o", created_at=self.clock.now(),
            )
        )  # fmt: skip

    def payment(
        self, payer: str, payee: str, amount: str, *, by: str = "", ago: int = 10,
        currency: str = EUR,
    ) -> None:  # fmt: skip
        minor = parse_minor(amount.replace(",", ""), currency, signed=True)
        self._put(
            TradePayment(
                id=new_id(), payer_id=payer, payee_id=payee, payer_name=payer, payee_name=payee,
                amount_minor=minor, currency=currency, paid_on=DAY - dt.timedelta(days=ago),
                reference="r", invoice_id=None, document_state="VALIDATED",
                duplicate_key=new_id(), parties={},
                org_id=by or payer, upload_id="u", row_number=1, created_at=self.clock.now(),
            )
        )  # fmt: skip

    def _put(self, row: Any) -> None:  # noqa: ANN401 - a row of some table
        with self.db.writer.begin() as conn:
            self._insert(conn, row)

    def snapshot(self, on: dt.date | None = NEXT, bank: str = BANK) -> dict[str, Any]:
        """Let the next day begin, unless it is today, and build its snapshot."""
        if on is not None:
            self.set_date(on, bank)
        actor = dataclasses.replace(OPERATOR, org_id=bank)
        return self.platform.run("graph.build", {}, actor, key=self.key()).result

    def edges(self, snapshot_id: str = "") -> dict[tuple[str, str], Row[Any]]:
        rows = self.all_of(GraphEdge, snapshot_id)
        return {(row.seller_id, row.buyer_id): row for row in rows}

    def nodes(self, snapshot_id: str = "") -> dict[str, Row[Any]]:
        return {row.firm_id: row for row in self.all_of(GraphNode, snapshot_id)}

    def all_of(self, model: Any, snapshot_id: str = "") -> list[Row[Any]]:  # noqa: ANN401
        """Rows of one snapshot, the newest if none is named."""
        rows, snapshots = model.__table__, GraphSnapshot.__table__  # type: ignore[attr-defined]
        with self.db.snapshot() as conn:
            newest = select(snapshots.c.id).order_by(snapshots.c.as_of_on.desc()).limit(1)
            wanted = snapshot_id or conn.execute(newest).scalar_one()
            return list(conn.execute(select(rows).where(rows.c.snapshot_id == wanted)))


__all__ = ["ANCHOR", "BANK", "DAY", "NEXT", "Trade", "eur"]
