"""A relation of a snapshot is the sum of the invoices behind it, and what is not is named."""

import datetime as dt

import pytest
from sqlalchemy import delete, insert, update

from scf.chain.models import GraphEdge
from scf.chain.proof import Breach, breaches
from scf.db.engine import Database
from tests.chain.world import NEXT, Trade
from tests.flows.test_tamper import as_owner
from tests.support.deals import ANCHOR, DAY, SELLER, table

EDGE = table(GraphEdge)


@pytest.fixture
def world(db: Database) -> Trade:
    made = Trade(db, "t2", "other")
    first = made.sale(SELLER, ANCHOR, "1,000.00", ago=20)
    made.sale(SELLER, ANCHOR, "500.00", due_on=DAY - dt.timedelta(days=3))
    made.sale("t2", SELLER, "200.00")
    made.sale("t2", "other", "70.00", ago=100)
    made.order(SELLER, ANCHOR, "900.00")
    made.dispute(ANCHOR, first, "100.00")
    made.clock.advance(dt.timedelta(hours=1))
    made.snapshot(NEXT)
    assert found(made) == []
    return made


def found(world: Trade) -> list[Breach]:
    with world.db.snapshot() as conn:
        return list(breaches(conn))


@pytest.mark.parametrize("column", ["invoices_52w_minor", "invoices_count", "open_minor"])
def test_a_relation_that_says_more_than_its_invoices_is_named(world: Trade, column: str) -> None:
    its = (EDGE.c.seller_id == "t2") & (EDGE.c.buyer_id == SELLER)
    as_owner(world.db, update(EDGE).where(its).values({column: EDGE.c[column] + 1}))
    (one,) = found(world)
    assert f"t2 to {SELLER}" in one.where
    assert one.message.startswith(f"{column} is ")


def test_a_relation_that_is_missing_or_made_up_is_named(world: Trade) -> None:
    its = (EDGE.c.seller_id == "t2") & (EDGE.c.buyer_id == SELLER)
    with world.db.snapshot() as conn:
        row = conn.execute(EDGE.select().where(its)).one()._asdict()
    as_owner(world.db, delete(EDGE).where(its))
    (missing,) = found(world)
    assert missing.message.endswith("is 0 EUR; the invoices make 20000.")
    made_up = row | {"seller_id": "other", "buyer_id": "t2"}
    with world.db.writer.begin() as conn:
        conn.execute(insert(EDGE), [row, made_up])
    (one,) = found(world)
    assert "other to t2" in one.where


def test_what_became_known_after_the_snapshot_was_built_breaks_nothing(world: Trade) -> None:
    world.clock.advance(dt.timedelta(hours=1))  # still before the morning that the books are on
    world.sale(SELLER, ANCHOR, "1,234.00", ago=1)
    assert found(world) == []
    world.snapshot(None)  # stands already
    assert found(world) == []


def test_what_was_being_written_while_it_was_built_is_no_breach(db: Database) -> None:
    made = Trade(db)
    made.sale(SELLER, ANCHOR, "1,000.00", ago=20)
    made.clock.advance(dt.timedelta(hours=1))
    made.snapshot(NEXT)
    made.sale(SELLER, ANCHOR, "77.00", ago=2)  # at the very instant
    assert found(made) == []
