"""A seller, a buyer and their papers, handed in as real files through the real import."""

import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, SkipValidation
from sqlalchemy import Row, select

from scf.db.engine import Database
from scf.db.runner import COMMANDS, Context, command
from scf.documents import intake
from scf.documents.canonical import Kind
from scf.documents.duplicates.rules import place_key
from scf.documents.models import DocumentFinding, Invoice
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.storing import TABLES
from scf.kernel.actor import OPERATOR, Actor, Role
from scf.kernel.clock import FixedClock
from scf.parties.access import MAY
from tests.support.people import World, world_on

Given = TypeVar("Given")
SELLER, BUYER = "100000001", "200000002"  # D-U-N-S numbers
DAY, DUE = dt.date(2026, 2, 1), dt.date(2026, 6, 30)
_PARTIES = {"seller_duns": "seller", "buyer_duns": "buyer"}
INVOICES = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "invoice",
            "columns": {
                **_PARTIES,
                "number": "number",
                "issue_on": "date",
                "due_on": "due",
                "payable": "amount",
                "order_reference": "order",
                "type_code": "type",
            },
            "default_currency": "EUR",
        }
    )
)
CREDIT_NOTES = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "credit_note",
            "columns": {
                **_PARTIES,
                "number": "number",
                "issue_on": "date",
                "payable": "amount",
                "billing_reference": "invoice",
            },
            "default_currency": "EUR",
        }
    )
)
LINES = {
    **_PARTIES,
    "number": "number",
    "issue_on": "date",
    "payable": "amount",
    "line_id": "line",
    "quantity": "quantity",
    "unit": "unit",
    "line_net": "net",
}
ORDERS = ColumnMapping.from_json(
    json.dumps({"kind": "order", "columns": LINES, "default_currency": "EUR"})
)
LINE_INVOICES = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "invoice",
            "columns": {
                **LINES,
                "due_on": "due",
                "order_reference": "order",
                "order_line": "order_line",
            },
            "default_currency": "EUR",
        }
    )
)
PAYMENTS = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "payment",
            "columns": {
                "payer_duns": "payer",
                "payee_duns": "payee",
                "payee_name": "name",
                "amount": "amount",
                "paid_on": "date",
                "reference": "reference",
            },
            "default_currency": "EUR",
        }
    )
)


def table(columns: str, rows: Sequence[Sequence[object]]) -> bytes:
    """Write a CSV file."""
    lines = [columns, *(",".join(str(cell) for cell in row) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def invoice_table(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write invoices of the pair; a row states what differs."""
    columns = ("number", "date", "due", "amount", "order", "type", "seller", "buyer")
    usual = {"date": DAY, "due": DUE, "order": "", "type": "", "seller": SELLER, "buyer": BUYER}
    return table(",".join(columns), [[(usual | row)[name] for name in columns] for row in rows])


def credit_table(rows: Sequence[dict[str, Any]]) -> bytes:
    columns = ("number", "date", "amount", "invoice", "seller", "buyer")
    usual = {"date": DAY, "invoice": "", "seller": SELLER, "buyer": BUYER}
    return table(",".join(columns), [[(usual | row)[name] for name in columns] for row in rows])


def line_table(rows: Sequence[dict[str, Any]]) -> bytes:
    """Write orders or invoices with lines; rows of one number are one document."""
    columns = (
        "number", "date", "due", "amount", "order", "seller", "buyer",
        "line", "quantity", "unit", "net", "order_line",
    )  # fmt: skip
    usual = {
        "date": DAY,
        "due": DUE,
        "order": "",
        "seller": SELLER,
        "buyer": BUYER,
        "unit": "EA",
        "line": "1",
        "order_line": "",
    }
    return table(",".join(columns), [[(usual | row)[name] for name in columns] for row in rows])


@dataclass
class Trade:
    """The world of one seller and one buyer."""

    world: World
    buyer: Actor
    seller: Actor
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def db(self) -> Database:
        return self.world.platform.db

    def receive(
        self,
        content: bytes,
        mapping: ColumnMapping | None = None,
        *,
        actor: Actor | None = None,
        **more: object,
    ) -> str:
        received = self.world.run(
            "upload.receive",
            actor or self.buyer,
            name=str(more.pop("name", "papers")),
            content=content,
            mapping=mapping,
            **more,
        )
        return str(received["upload_id"])

    def hand_in(
        self, content: bytes, mapping: ColumnMapping | None = None, **more: object
    ) -> dict[str, Any]:
        """Hand a file in and import it; the buyer does unless said otherwise."""
        return self.finished(self.receive(content, mapping, **more))  # type: ignore[arg-type]

    def finished(self, upload_id: str) -> dict[str, Any]:
        """Import a file that was handed in."""
        return intake.run_upload(self.world.platform, upload_id)

    def invoices(self, *rows: dict[str, Any], **more: object) -> dict[str, Any]:
        return self.hand_in(invoice_table(rows), INVOICES, **more)

    def rows(self, kind: Kind = Kind.INVOICE) -> list[Row[Any]]:
        """Give all documents of a kind, in the order of their numbers."""
        table_of_kind = TABLES[kind]
        with self.db.snapshot() as conn:
            order = table_of_kind.c.reference if kind is Kind.PAYMENT else table_of_kind.c.number
            rows = list(conn.execute(select(table_of_kind).order_by(order)).all())
        for row in rows if kind is Kind.INVOICE else ():
            assert row.place_key == place_key(row.seller_id, row.buyer_id, row.payable_minor)
        return rows

    def invoice(self, number: str) -> Row[Any]:
        return next(row for row in self.rows() if row.number == number)

    def findings(self, upload_id: str | None = None) -> list[Row[Any]]:
        finding = DocumentFinding.__table__  # type: ignore[attr-defined]
        query = select(finding).order_by(finding.c.id)
        if upload_id is not None:
            query = query.where(finding.c.upload_id == upload_id)
        with self.db.snapshot() as conn:
            return list(conn.execute(query).all())

    def codes(self, upload_id: str | None = None) -> list[str]:
        return [row.code for row in self.findings(upload_id)]

    def act(self, work: Callable[[Context], Given]) -> Given:
        """Run inner functions in a command of their own, as a later slice would."""
        given: list[Given] = []
        asked = Act(work=lambda ctx: given.append(work(ctx)))
        self.world.platform.run("test.act", asked, OPERATOR, key=self.world.key())
        return given[-1]

    def on(self, number: str, work: Callable[[Context, Row[Any]], Given]) -> Given:
        """Run an inner function on one invoice, locked."""
        invoice_id = self.invoice(number).id
        return self.act(lambda ctx: work(ctx, ctx.lock(Invoice, [invoice_id])[invoice_id]))


class Act(BaseModel):
    """The input of the tests' own command: what to do, kept out of key and audit trail."""

    work: Annotated[Any, SkipValidation] = Field(exclude=True)


def _act(ctx: Context, data: Act) -> dict[str, Any]:
    data.work(ctx)
    return {}


def trade_on(db: Database, clock: FixedClock | None = None) -> Trade:
    """Make a seller and a buyer, both ACTIVE and known by their D-U-N-S numbers."""
    world = world_on(db, clock)
    for short, number in (("seller", SELLER), ("buyer", BUYER)):
        world.firm(short, identifiers=[{"scheme": "duns", "value": number}], country="DE")
    return Trade(
        world,
        world.person("clerk", "buyer", Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER),
        world.person("treasurer", "seller", Role.TREASURER),
    )


if "test.act" not in COMMANDS:
    command("test.act", Act)(_act)
    MAY["test.act"] = frozenset({Role.OPERATOR})
