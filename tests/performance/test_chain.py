"""A snapshot of a large chain, and the picture of three hundred firms of it."""

import datetime as dt
import random
import statistics
from typing import Any

import pytest
from sqlalchemy import insert, text

from scf import schema
from scf.chain import nightly, picture, service
from scf.chain.models import GraphEdge
from scf.chain.relations import bound, store_edges
from scf.db.engine import Database
from scf.db.platform import Platform
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from scf.parties.models import BusinessDate, Firm
from scf.programmes.models import Programme
from tests.chain.rows import put_sales
from tests.performance.conftest import Store
from tests.performance.measure import ROUNDS, Report, Turns, seconds
from tests.performance.trade import NOON
from tests.support.deals import table
from tests.support.people import World, platform_on
from tests.support.served import application
from web.chain_svg import chain_svg
from web.context import set_actor

FIRMS = 10_000
RELATIONS = 100_000
GOAL_SNAPSHOT = 1.0  # seconds
GOAL_PICTURE = 0.2
BANK = "f-bank"
TIERS = (20, 1_480, 8_500)


def relations() -> list[tuple[str, str]]:
    """Draw who sells to whom: each tier to the one above, a few across, no pair twice."""
    rng = random.Random(2026)
    firms = [f"firm-{number:05d}" for number in range(FIRMS)]
    anchors, first = firms[: TIERS[0]], firms[TIERS[0] : TIERS[0] + TIERS[1]]
    deeper = firms[TIERS[0] + TIERS[1] :]
    pairs: dict[tuple[str, str], None] = {}
    for firm in first:
        pairs[firm, rng.choice(anchors)] = None
    for firm in deeper:
        pairs[firm, rng.choice(first)] = None
    while len(pairs) < RELATIONS:
        seller = rng.choice(deeper if rng.random() < 0.85 else first)
        buyer = rng.choice(first if rng.random() < 0.6 else firms)
        if seller != buyer:
            pairs[seller, buyer] = None
    return list(pairs)


def chain_on(url: str) -> World:
    """Store the firms and one accepted invoice per relation."""
    clock = FixedClock(NOON)
    platform = platform_on(Database(url), clock)
    rng = random.Random(7)
    today = NOON.date()
    sales = [
        (
            seller,
            buyer,
            rng.randint(1_000, 10_000_000),
            today - dt.timedelta(days=rng.randint(2, 360)),
            today,
        )
        for seller, buyer in relations()
    ]
    firms = [
        {
            "id": name,
            "kind": kind,
            "state": "ACTIVE",
            "name": name.title(),
            "country": "DE",
            "created_at": NOON,
        }
        for name, kind in [
            (BANK, "financier"),
            *((f"firm-{n:05d}", "trader") for n in range(FIRMS)),
        ]
    ]
    with platform.db.writer.begin() as conn:
        conn.execute(insert(table(Firm)), firms)
        conn.execute(
            insert(table(BusinessDate)), {"financier_id": BANK, "current_on": today, "zone": "UTC"}
        )
        conn.execute(
            insert(table(Programme)),
            [
                {
                    "id": f"p-{n}", "code": f"p-{n}", "name": "p", "financier_id": BANK,
                    "anchor_id": f"firm-{n:05d}", "technique": "payables_finance",
                    "state": "ACTIVE", "version": 1, "created_by": "u", "created_at": NOON,
                }
                for n in range(TIERS[0])
            ],
        )  # fmt: skip
        put_sales(conn, sales, NOON - dt.timedelta(days=5))
        if platform.db.dialect == "postgresql":
            conn.execute(text("ANALYZE"))
    return World(platform, clock)


@pytest.mark.bench
def test_a_snapshot_of_ten_thousand_firms_and_its_picture(store: Store, report: Report) -> None:
    world = chain_on(store.fresh())
    platform = world.platform
    ours, peer = [], []
    nightly.build(platform, BANK)  # loads the libraries
    for _ in range(ROUNDS):
        _forget(platform)
        ours.append(seconds(lambda: nightly.build(platform, BANK)))
        peer.append(seconds(lambda: _only_the_statement(platform)))
    told = nightly.build(platform, BANK)
    assert (told["firms"], told["relations"]) == (FIRMS, RELATIONS)
    turns = Turns(ours, peer)
    took = statistics.median(ours)
    report.add(
        f"chain_snapshot_{store.engine}",
        took,
        "s",
        peer={
            "name": "the one INSERT … SELECT of it",
            "value": sorted(peer)[len(peer) // 2],
            "unit": "s",
        },
        ratio=turns.faster(),
        goal=f"value <= {GOAL_SNAPSHOT:g} s",
        met=took <= GOAL_SNAPSHOT,
        firms=FIRMS,
        relations=RELATIONS,
    )
    _picture(world, store, report)
    platform.db.close()


def _forget(platform: Platform) -> None:
    with platform.db.writer.begin() as conn:
        for name in ("graph_edge", "graph_node", "graph_snapshot"):
            conn.execute(table_named(name).delete())
        conn.execute(table_named("idempotency").delete())


def table_named(name: str) -> Any:  # noqa: ANN401 - a table
    return schema.metadata.tables[name]


def _only_the_statement(platform: Platform) -> None:
    """What the database alone needs to add the documents up and store the relations."""
    with platform.db.writer.connect() as conn, conn.begin() as transaction:
        row = service.latest_snapshot(conn, BANK)
        conn.execute(table(GraphEdge).delete())
        conn.execute(store_edges(), bound(row.id, row.as_of_on, row.known_before))
        transaction.rollback()


def _picture(world: World, store: Store, report: Report) -> None:
    platform = world.platform
    app = application(world)
    drawn: list[float] = []
    read: list[float] = []

    def draw() -> None:
        with platform.db.snapshot() as conn:
            made = picture.whole(conn, service.latest_snapshot(conn, BANK))
        assert len(made.firms) == 300
        with app.test_request_context("/officer/chain"):
            set_actor(Actor("u", BANK, frozenset({Role.OFFICER_MAKER})))
            assert len(chain_svg(made)) > 50_000

    def only_read() -> None:
        with platform.db.snapshot() as conn:
            row = service.latest_snapshot(conn, BANK)
            service.edges_among(conn, row.id, service.drawn_nodes(conn, row.id))

    draw()
    for _ in range(ROUNDS):
        drawn.append(seconds(draw))
        read.append(seconds(only_read))
    took = statistics.median(drawn)
    report.add(
        f"chain_picture_{store.engine}",
        took * 1_000,
        "ms",
        peer={
            "name": "reading its firms and relations",
            "value": sorted(read)[len(read) // 2] * 1_000,
            "unit": "ms",
        },
        ratio=Turns(drawn, read).faster(),
        goal=f"value <= {GOAL_PICTURE * 1_000:g} ms",
        met=took <= GOAL_PICTURE,
    )
