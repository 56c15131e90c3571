"""Rings of invoices read from the database are those of the whole graph; no read goes too far."""

import datetime as dt
import random

import pytest
from sqlalchemy import select, update

from graph.live import LiveGraph, parties
from graph.rings import rings_among
from graph.trades import numbered, trades_of
from scf.chain import rings
from scf.chain.rings import rings_through
from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.risk.groups import together
from tests.chain.rows import put_sales
from tests.graph.test_rings import brute
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


OWNERS = [{}, {"b": "a", "d": "c"}, {"a": "h", "c": "h", "e": "f"}]  # who owns whom


@pytest.mark.parametrize("owner_of", OWNERS, ids=["none", "pairs", "three"])
@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_of_every_order_of_every_choice(
    db: Database, seed: int, owner_of: dict[str, str]
) -> None:
    """The whole graph and brute force name the same rings as the few invoices that are read."""
    draw = random.Random(seed)
    for _ in range(40):
        seller, buyer = draw.sample(FIRMS, 2)
        put(db, (seller, buyer, draw.randrange(900, 1_300), draw.randrange(90)))
    groups = together(owner_of)
    with db.snapshot() as conn:
        rows = sorted(conn.execute(select(INVOICE)).all(), key=lambda row: row.id)
        firms, (sellers, buyers) = numbered(
            [row.seller_id for row in rows], [row.buyer_id for row in rows]
        )
        days = [row.issue_on.toordinal() for row in rows]
        book = trades_of(firms, sellers, buyers, [row.payable_minor for row in rows], days)
        where = {name: at for at, name in enumerate(firms)}
        ties = [(where[owner], where[firm]) for firm, owner in owner_of.items()]
        party = parties(len(firms), [one for one, _ in ties], [two for _, two in ties])
        graph = LiveGraph(book, party)
        rings_of = {one for one, size in brute(book, party.tolist()).items() if size > 2}
        some = 0
        for at, row in enumerate(rows):
            whole, _cut = rings_among(graph, [at])
            read = rings_through(conn, [row], groups)
            named = {ring.invoice_ids for ring in read.rings}
            assert named == {tuple(rows[number].id for number in ring.documents) for ring in whole}
            tried = {one for one in rings_of if at in one}
            assert {frozenset(one) for one in named} == {
                frozenset(rows[number].id for number in one) for one in tried
            }
            some += len(named)
    assert some > 10


def test_goods_that_one_of_a_group_buys_another_may_sell_on(db: Database) -> None:
    put(db, ("a", "b", 1_000, 20), ("h", "c", 1_100, 12), ("c", "g", 1_050, 3))
    tied = together({"b": "h", "a": "g"})
    for seller in "ahc":
        assert not found(db, seller_id=seller).rings
        with db.snapshot() as conn:
            own = conn.execute(select(INVOICE).where(INVOICE.c.seller_id == seller)).all()
            (ring,) = rings_through(conn, own, tied).rings
        assert (ring.firm_ids, ring.buyer_ids) == (("a", "h", "c"), ("b", "c", "g"))


def test_a_sale_within_a_group_closes_nothing(db: Database) -> None:
    put(db, *TRIANGLE)
    with db.snapshot() as conn:
        rows = conn.execute(select(INVOICE)).all()
        assert not rings_through(conn, rows, together({"a": "b"})).rings
        assert len(rings_through(conn, rows, together({"a": "h"})).rings) == 1


def test_more_invoices_than_a_look_may_read_are_told_as_not_finished(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(db, *TRIANGLE, *(("b", "d", 1_000, 10),) * 4)
    monkeypatch.setattr(rings, "MOST_READ", 4)
    assert not found(db, seller_id="a").finished
    monkeypatch.setattr(rings, "MOST_READ", 5)
    assert found(db, seller_id="a").finished
