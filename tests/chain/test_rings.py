"""Rings of invoices read from the database are those of the whole graph; no read goes too far."""

import datetime as dt
import random

import pytest
from sqlalchemy import select, update

from graph.live import LiveGraph
from graph.rings import rings_among
from graph.trades import numbered, trades_of
from scf.chain import rings
from scf.chain.rings import rings_through
from scf.db.engine import Database
from scf.documents.models import Invoice
from tests.chain.rows import put_sales
from tests.support.deals import DAY, table

INVOICE = table(Invoice)
FIRMS = "abcdefgh"
Sale = tuple[str, str, int, int]  # seller, buyer, minor units, days before DAY


def put(db: Database, *sales: Sale, currency: str = "EUR") -> None:
    rows = []
    for seller, buyer, minor, ago in sales:
        on = DAY - dt.timedelta(days=ago)
        rows.append((seller, buyer, minor, on, on + dt.timedelta(days=30)))
    with db.writer.begin() as conn:
        put_sales(conn, rows, dt.datetime(2026, 3, 1, tzinfo=dt.UTC), currency)


def found(db: Database, **where: str) -> rings.Found:
    query = select(INVOICE)
    for name, value in where.items():
        query = query.where(INVOICE.c[name] == value)
    with db.snapshot() as conn:
        return rings_through(conn, conn.execute(query).all())


TRIANGLE: tuple[Sale, ...] = (("a", "b", 1_000, 20), ("b", "c", 1_100, 12), ("c", "a", 1_050, 3))


def test_each_invoice_of_a_ring_closes_it_whichever_came_last(db: Database) -> None:
    put(db, *TRIANGLE)
    for seller in "abc":
        one = found(db, seller_id=seller)
        assert one.finished
        assert [ring.firm_ids for ring in one.rings] == [("a", "b", "c")]
        assert len(one.rings[0].invoice_ids) == 3
    assert len(found(db).rings) == 1


@pytest.mark.parametrize("case", ["void", "currency", "window", "size", "there_and_back"])
def test_what_is_no_ring_is_none(db: Database, case: str) -> None:
    if case == "window":
        put(db, ("a", "b", 1_000, 64), *TRIANGLE[1:])
    elif case == "size":
        put(db, ("a", "b", 800, 20), *TRIANGLE[1:])
    elif case == "there_and_back":
        put(db, ("a", "b", 1_000, 20), ("b", "a", 1_000, 3))
    else:
        put(db, *TRIANGLE[:2])
        put(db, TRIANGLE[2], currency="USD" if case == "currency" else "EUR")
    if case == "void":
        with db.writer.begin() as conn:
            gone = update(INVOICE).where(INVOICE.c.seller_id == "b")
            conn.execute(gone.values(document_state="VOID"))
    assert found(db, seller_id="a") == rings.Found((), finished=True)


@pytest.mark.parametrize("seed", range(4))
def test_they_are_those_of_the_whole_graph(db: Database, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(60):
        seller, buyer = draw.sample(FIRMS, 2)
        put(db, (seller, buyer, draw.randrange(900, 1_300), draw.randrange(90)))
    with db.snapshot() as conn:
        rows = sorted(conn.execute(select(INVOICE)).all(), key=lambda row: row.id)
        firms, (sellers, buyers) = numbered(
            [row.seller_id for row in rows], [row.buyer_id for row in rows]
        )
        days = [row.issue_on.toordinal() for row in rows]
        amounts = [row.payable_minor for row in rows]
        graph = LiveGraph(trades_of(firms, sellers, buyers, amounts, days))
        some = 0
        for at, row in enumerate(rows):
            whole, _cut = rings_among(graph, [at])
            read = rings_through(conn, [row])
            assert {ring.invoice_ids for ring in read.rings} == {
                tuple(rows[number].id for number in ring.documents) for ring in whole
            }
            some += len(whole)
    assert some > 10


def test_more_invoices_than_a_look_may_read_are_told_as_not_finished(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(db, *TRIANGLE, *(("b", "d", 1_000, 10),) * 4)
    monkeypatch.setattr(rings, "MOST_READ", 4)
    assert not found(db, seller_id="a").finished
    monkeypatch.setattr(rings, "MOST_READ", 5)
    assert found(db, seller_id="a").finished
