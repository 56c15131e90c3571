"""Each conservation law broken in the database at a random place: verify names it, every time.

The tampering is done as the owner of the database, with triggers and checks out of the way, in a
transaction that verify looks into and that is rolled back. Source: fraud.md 2.1 (a), (b), (d), (e)
and (f); (c) waits for vouchers, (g) is of a calculation and is broken in ``tests/graph``.
"""

import contextlib
import datetime as dt
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Connection, Engine, Row, Table, create_engine, delete, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import SQLModel

from scf.chain.models import GraphEdge
from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.db.platform import Platform
from scf.documents.match.tolerance import Rules, Tolerance
from scf.documents.models import (
    CreditAllocation,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceFact,
    InvoiceLine,
    Order,
    OrderLine,
)
from scf.financing.models import Advance
from scf.ledger.models import Posting
from scf.programmes.models import LimitHold, LimitNode
from scf.reporting.verify import Breach, look
from scf.settlement.models import Allocation, BankEntry
from tests.chain.world import NEXT, Trade
from tests.documents.match.papers import agreeing
from tests.documents.match.test_any_order import TOLERANCE, run_streams
from tests.documents.trade import trade_on
from tests.settlement.test_reserve_life import TERMS, credit_note
from tests.settlement.world import DUE, SELLER, World
from tests.support import deals
from tests.support.deals import table

ANYTHING = 10**9  # of what is drawn to be added or taken away
SOME, MANY = 8, 100


class Spot(NamedTuple):
    """Where one law can be broken: an amount of some rows, or the rows themselves."""

    rows: Table
    column: str = ""  # empty: a row is taken out
    where: Callable[[Row[Any]], bool] = lambda _row: True
    also: Callable[[Row[Any], int], UpdateBase | None] = lambda _row, _by: None


class Law(NamedTuple):
    """A law of section 2.1, where it can be broken, and under which codes that is found."""

    spots: tuple[Spot, ...]
    codes: frozenset[str]
    world: Callable[[Database, Path], Platform]


def amounts(model: type[SQLModel], *columns: str, **more: Any) -> list[Spot]:  # noqa: ANN401
    return [Spot(table(model), column, **more) for column in columns]


# --- Worlds -----------------------------------------------------------------------------------


def with_orders(db: Database, _folder: Path) -> Platform:
    """Orders of all modes with receipts, invoices and credit notes in random order."""
    trade = trade_on(db)
    run_streams(trade, 5, 6)
    return trade.world.platform


def with_money(db: Database, folder: Path) -> Platform:
    """Advances in part repaid, credited, closed; money that nobody has placed."""
    world = World(db, folder / "bank", **TERMS)
    for number, face, whole in (("INV-1", "900.00", "1,500.00"), ("INV-2", "500.00", "500.00"),
                                ("INV-3", "700.00", "700.00")):  # fmt: skip
        world.financed(face, number, DUE, invoice=whole)
    credit_note(world, "80.00", "INV-3")
    credit_note(world, "30.00", "INV-1")
    world.set_date(DUE)
    world.receive("500.00", "INV-2")
    world.receive("412.34", "INV-1")
    world.receive("17.23", "nobody knows")
    world.receive("10.00", "INV-3", firm=SELLER)
    world.pay_out()
    return world.platform


def with_chain(db: Database, _folder: Path) -> Platform:
    """Relations by orders, invoices and payments, some open, late and disputed."""
    made = Trade(db, "t2", "t3", "other")
    first = made.sale(deals.SELLER, deals.ANCHOR, "1,000.00", ago=20)
    made.sale(deals.SELLER, deals.ANCHOR, "500.00", due_on=deals.DAY - dt.timedelta(days=3))
    made.sale("t2", deals.SELLER, "200.00")
    made.sale("t3", deals.SELLER, "310.00", ago=40)
    made.sale("t2", "other", "70.00", ago=100)
    made.order(deals.SELLER, deals.ANCHOR, "900.00")
    made.payment(deals.ANCHOR, deals.SELLER, "120.00")
    made.dispute(deals.ANCHOR, first, "100.00")
    made.clock.advance(dt.timedelta(hours=1))
    made.snapshot(NEXT)
    return made.platform


# --- Laws -------------------------------------------------------------------------------------

_fact = table(InvoiceFact)


def the_fact_too(row: Row[Any], by: int) -> UpdateBase:
    """A careful hand: the last dated fact of the invoice says the same."""
    last = select(_fact.c.sequence).where(_fact.c.invoice_id == row.id)
    newest = last.order_by(_fact.c.sequence.desc()).limit(1).scalar_subquery()
    return (
        update(_fact).where(_fact.c.sequence == newest).values(paid_minor=_fact.c.paid_minor + by)
    )


LAWS = {
    "order lines": Law(
        (
            *amounts(
                OrderLine, "quantity_micro", "matched_micro", "invoiced_micro", "invoiced_minor"
            ),
            # Of what came beyond the order, the agreement of its day says how much counts.
            *amounts(
                OrderLine, "received_micro",
                where=lambda row: row.received_micro < row.quantity_micro,
            ),
            *amounts(
                InvoiceLine, "counted_micro", "counted_minor",
                where=lambda row: row.order_line_id and row.counted_minor > 0,
            ),
            *amounts(Order, "invoiced_minor"),
        ),
        frozenset({"ORDER_LINE_EXCEEDED", "ORDER_LINE_COUNT", "ORDER_COUNT", "ORDER_MESSAGES"}),
        with_orders,
    ),
    "invoices": Law(
        (
            *amounts(
                Invoice, "base_minor", "credited_minor", "disputed_minor", "paid_minor",
                "repaid_minor", "held_minor", "outstanding_minor", "over_advance_minor",
            ),
            *amounts(Invoice, "paid_minor", also=the_fact_too),
            *amounts(CreditAllocation, "amount_minor"),
            *amounts(CreditNote, "allocated_minor"),
            *amounts(Dispute, "withheld_minor"),
            Spot(table(CreditAllocation)),
        ),
        frozenset({"INVOICE_AMOUNTS", "INVOICE_FACTS", "CREDIT_COUNT"}),
        with_money,
    ),
    "receipts": Law(
        (
            *amounts(
                BankEntry, "amount_minor", "unallocated_minor",
                where=lambda row: row.amount_minor > 0,
            ),
            *amounts(
                Allocation, "amount_minor", where=lambda row: row.kind not in {"rebate", "reserve"}
            ),
            Spot(table(Allocation), where=lambda row: row.kind not in {"rebate", "reserve"}),
        ),
        frozenset({"RECEIPT_PARTS"}),
        with_money,
    ),
    "limit tree": Law(
        (
            *amounts(LimitNode, "held_minor", "utilised_minor"),
            *amounts(LimitHold, "amount_minor", where=lambda row: row.amount_minor > 0),
            Spot(table(LimitHold), where=lambda row: row.amount_minor > 0),
        ),
        frozenset({"LIMIT_TREE"}),
        with_money,
    ),
    "relations": Law(
        (
            *amounts(
                GraphEdge,
                *(column.name for column in table(GraphEdge).c
                  if column.name.endswith(("_minor", "_count"))),
            ),
            Spot(table(GraphEdge)),
        ),
        frozenset({"CHAIN_EDGE"}),
        with_chain,
    ),
}  # fmt: skip


# --- Breaking ---------------------------------------------------------------------------------


@contextlib.contextmanager
def undone(engine: Engine, db: Database, touched: Table | None = None) -> Iterator[Connection]:
    """Open a transaction that is rolled back; with a table, nothing guards it any more."""
    with engine.connect() as conn:
        sqlite = db.dialect == "sqlite"
        if sqlite:
            unchecked = "ON" if touched is not None else "OFF"
            conn.exec_driver_sql(f"PRAGMA ignore_check_constraints = {unchecked}")
        conn.exec_driver_sql("BEGIN")
        try:
            if touched is not None and sqlite:
                triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for name in conn.execute(triggers).scalars().all():
                    conn.exec_driver_sql(f"DROP TRIGGER {name}")
            elif touched is None:  # what waits for the commit is asked at once
                conn.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
            else:
                conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
                checks = text(
                    "SELECT conname FROM pg_constraint WHERE contype = 'c'"
                    " AND conrelid = CAST(:name AS regclass)"
                )
                for name in conn.execute(checks, {"name": touched.name}).scalars().all():
                    conn.exec_driver_sql(f'ALTER TABLE {touched.name} DROP CONSTRAINT "{name}"')
            yield conn
        finally:
            conn.exec_driver_sql("ROLLBACK")


Acts = tuple[Spot, list[UpdateBase]]


def drawn(conn: Connection, spots: tuple[Spot, ...], dice: random.Random) -> Acts | None:
    """Draw one break: the acts, the rows' own one first; none where the spot has no row."""
    spot = dice.choice(spots)
    rows, keys = spot.rows, list(spot.rows.primary_key)
    found = [row for row in conn.execute(select(rows).order_by(*keys)) if spot.where(row)]
    if not found:
        return None
    row = dice.choice(found)
    its = [key == getattr(row, key.name) for key in keys]
    if not spot.column:
        return spot, [delete(rows).where(*its)]
    was = getattr(row, spot.column) or 0
    by = dice.choice([1, -1, dice.randint(2, ANYTHING), -dice.randint(2, max(2, was))])
    act = update(rows).where(*its).values({spot.column: was + by})
    more = spot.also(row, by)
    return spot, [act] if more is None else [act, more]


def broken(db: Database, platform: Platform, law: Law, times: int) -> None:
    """Break a law so often; every break is named under one of its codes."""
    dice = random.Random(7)
    engine = create_engine(db.url, isolation_level="AUTOCOMMIT")
    for _ in range(times):
        made = None
        while made is None:
            with platform.db.snapshot() as conn:
                made = drawn(conn, law.spots, dice)
        spot, acts = made
        with undone(engine, db, spot.rows) as conn:
            for act in acts:
                conn.execute(act)
            breaches: list[Breach] = look(conn, platform).breaches
        told = [f"{act} {act.compile().params}" for act in acts]
        assert {one.code for one in breaches} & law.codes, (told, breaches)
    engine.dispose()


@pytest.mark.parametrize("times", [SOME, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", LAWS)
def test_a_law_broken_anywhere_is_found(
    db: Database, tmp_path: Path, name: str, times: int
) -> None:
    law = LAWS[name]
    platform = law.world(db, tmp_path)
    with agreeing(Rules("order", Tolerance(quantity_over_ppm=TOLERANCE))):
        with platform.db.snapshot() as conn:
            assert look(conn, platform).breaches == []
        broken(db, platform, law, times)
        with platform.db.snapshot() as conn:
            assert look(conn, platform).breaches == []


GUARDED: list[tuple[type[SQLModel], str, object]] = [
    (Invoice, "outstanding_minor", -1), (LimitNode, "held_minor", -1),
    (Advance, "repaid_minor", ANYTHING), (Posting, "amount_minor", 1),
    (AuditLog, "command", "another"),
]  # fmt: skip


def test_a_break_that_the_database_refuses_leaves_no_trace(db: Database, tmp_path: Path) -> None:
    platform = with_money(db, tmp_path)
    engine = create_engine(db.url, isolation_level="AUTOCOMMIT")
    for model, column, value in GUARDED:
        rows = table(model)
        with pytest.raises(DBAPIError), undone(engine, db) as conn:
            conn.execute(update(rows).values({column: value}))
        with undone(engine, db, rows) as conn:  # without its guards it would have been done
            assert conn.execute(update(rows).values({column: value})).rowcount
            assert look(conn, platform).breaches, column
    engine.dispose()
    with platform.db.snapshot() as conn:
        assert look(conn, platform).breaches == []
