"""What becomes a relation, from which day on, and what never does."""

import datetime as dt
from functools import partial

import pytest

from scf.chain import nightly, service
from scf.chain.models import GraphSnapshot
from scf.db.engine import Database
from scf.kernel.errors import InvalidInput, NotAllowed, RuleViolation
from scf.parties.models import BusinessDate
from tests.chain.world import ANCHOR, BANK, DAY, NEXT, Trade, eur
from tests.support.deals import OTHER_BANK, OTHER_MAKER, TREASURER, table

SELLER = "seller"


# --- What is known from when ----------------------------------------------------------------------


def test_an_invoice_enters_the_day_after_its_acceptance_and_not_before(db: Database) -> None:
    trade = Trade(db)
    invoice = trade.sale(SELLER, ANCHOR, "1,000.00", accepted=False)
    assert trade.snapshot()["relations"] == 0
    trade.clock.advance(days=1)
    trade.word(ANCHOR, invoice)  # on the next day: known only on the day after it
    assert trade.snapshot()["built"] is False
    assert trade.snapshot(NEXT + dt.timedelta(days=1))["relations"] == 1
    edge = trade.edges()[SELLER, ANCHOR]
    assert (edge.invoices_52w_minor, edge.open_minor) == (eur("1,000.00"), eur("1,000.00"))


def test_what_is_stored_after_the_books_moved_on_is_not_known_that_day(db: Database) -> None:
    """A close in the afternoon: the calendar still says the old day, the books the new one."""
    trade = Trade(db)
    trade.sale(SELLER, ANCHOR, "1,000.00")
    trade.clock.advance(days=400)  # the clock is far ahead of the books
    opened_at = trade.clock.now()
    with db.writer.begin() as conn:
        dates = table(BusinessDate)
        conn.execute(dates.update().values(current_on=NEXT, opened_at=opened_at))
    trade.clock.advance(seconds=1)
    trade.sale(SELLER, ANCHOR, "500.00")
    trade.snapshot(on=None)
    assert trade.edges()[SELLER, ANCHOR].invoices_52w_minor == eur("1,000.00")


def test_truncating_the_future_changes_no_bit_of_a_snapshot(db: Database) -> None:
    """One later event of each kind is planted before the snapshot is built."""
    trade = Trade(db, "x")
    early = trade.sale(SELLER, ANCHOR, "1,000.00")
    trade.sale(SELLER, "x", "300.00", ago=200)
    trade.set_date(NEXT, OTHER_BANK)
    trade.set_date(NEXT)
    trade.programme("other", OTHER_BANK)
    clean = trade.snapshot(on=None)
    trade.clock.advance(days=1)  # everything from here is stored on the day itself
    trade.word(ANCHOR, trade.sale(SELLER, ANCHOR, "77.00", accepted=False))
    trade.order(SELLER, ANCHOR, "88.00")
    trade.payment(ANCHOR, SELLER, "99.00")
    trade.dispute(ANCHOR, early, "50.00")
    planted = trade.snapshot(on=None, bank=OTHER_BANK)
    assert planted["built"] is True
    assert planted["digest"] == clean["digest"]


def test_looking_back_finds_what_the_night_would_have_built(db: Database) -> None:
    trade = Trade(db, "x")
    early = trade.sale(SELLER, ANCHOR, "1,000.00")
    trade.programme("other", OTHER_BANK)
    trade.set_date(NEXT, OTHER_BANK)
    night = trade.snapshot()
    later = NEXT + dt.timedelta(days=9)
    trade.clock.advance(days=5)
    trade.sale(SELLER, "x", "300.00")
    trade.dispute(ANCHOR, early, "50.00")
    trade.payment(ANCHOR, SELLER, "99.00")
    trade.clock.advance(days=5)
    trade.set_date(later, OTHER_BANK)
    look_back = partial(trade.run, "graph.look_back", OTHER_MAKER)
    with pytest.raises(RuleViolation) as refused:
        look_back(as_of_on=NEXT)
    assert refused.value.code == "GRAPH_MISSING"  # nothing to look back from
    newest = trade.snapshot(on=None, bank=OTHER_BANK)
    assert newest["digest"] != night["digest"]
    past = look_back(as_of_on=NEXT)
    assert (past["digest"], past["built"]) == (night["digest"], True)
    assert look_back(as_of_on=NEXT)["built"] is False
    for day in (later, later + dt.timedelta(days=1)):
        with pytest.raises(RuleViolation) as refused:
            look_back(as_of_on=day)
        assert refused.value.code == "CHAIN_NOT_PAST"
    with pytest.raises(InvalidInput):
        look_back(as_of_on=dt.date(1, 1, 1))
    with db.snapshot() as conn:
        in_force = partial(service.latest_snapshot, conn, OTHER_BANK)
        assert in_force().id == in_force(on=later).id == newest["snapshot_id"]
        assert in_force(on=later - dt.timedelta(days=1)).id == past["snapshot_id"]
        with pytest.raises(RuleViolation):
            in_force(on=NEXT - dt.timedelta(days=1))


def test_orders_and_payments_count_only_from_who_owes(db: Database) -> None:
    trade = Trade(db, "x")
    trade.order(SELLER, ANCHOR, "100.00")
    trade.order(SELLER, ANCHOR, "7.00", by=SELLER)
    trade.payment(ANCHOR, SELLER, "40.00")
    trade.payment(ANCHOR, SELLER, "-10.00")
    trade.payment(ANCHOR, SELLER, "9.00", by=SELLER)
    trade.payment("x", SELLER, "9.00", by=SELLER)
    trade.snapshot()
    edge = trade.edges()[SELLER, ANCHOR]
    assert set(trade.edges()) == {(SELLER, ANCHOR)}
    assert (edge.orders_52w_minor, edge.orders_count) == (eur("100.00"), 1)
    assert (edge.payments_52w_minor, edge.payments_count) == (eur("30.00"), 2)
    # an order alone is no sale; where no invoice is known, what was paid is one
    assert edge.sales_52w_minor == eur("30.00")


def test_accepted_invoices_are_the_sales_and_payments_are_not_added(db: Database) -> None:
    trade = Trade(db)
    trade.sale(SELLER, ANCHOR, "100.00")
    trade.sale(SELLER, ANCHOR, "50.00", ago=120)
    trade.sale(SELLER, ANCHOR, "30.00", ago=400)
    trade.payment(ANCHOR, SELLER, "70.00")
    trade.snapshot()
    edge = trade.edges()[SELLER, ANCHOR]
    assert edge.sales_52w_minor == edge.invoices_52w_minor == eur("150.00")
    assert edge.sales_13w_minor == eur("100.00")
    assert edge.open_minor == edge.kept_minor == eur("180.00")
    assert edge.invoices_count == 2


def test_the_open_part_leaves_out_what_is_disputed_and_tells_what_is_late(db: Database) -> None:
    trade = Trade(db, "x")
    late = trade.sale(SELLER, "x", "100.00", ago=90, due_on=DAY - dt.timedelta(days=40))
    trade.sale(SELLER, "x", "25.00")
    trade.sale(SELLER, ANCHOR, "10.00")
    trade.dispute("x", late, "30.00")
    undertaken = trade.sale(SELLER, ANCHOR, "50.00")
    trade.dispute(ANCHOR, undertaken, "20.00")  # between the parties: the anchor pays all the same
    trade.snapshot()
    edge = trade.edges()[SELLER, "x"]
    assert (edge.open_minor, edge.overdue_minor) == (eur("95.00"), eur("70.00"))
    assert edge.overdue_since_on == DAY - dt.timedelta(days=40)
    assert trade.edges()[SELLER, ANCHOR].open_minor == eur("60.00")


def test_a_rejected_or_unanswered_invoice_is_no_relation(db: Database) -> None:
    trade = Trade(db, "x")
    trade.reject("x", trade.sale(SELLER, "x", "9.00"))
    trade.sale(SELLER, "x", "9.00", accepted=False)
    trade.sale("x", ANCHOR, "5.00")
    trade.snapshot()
    assert set(trade.edges()) == {("x", ANCHOR)}


# --- The chain ------------------------------------------------------------------------------------


def test_tiers_circles_and_places_are_kept_with_the_snapshot(db: Database) -> None:
    trade = Trade(db, "t1", "t2", "x", "dealer", "alone", "elsewhere")
    for seller, buyer in (
        ("t1", ANCHOR), ("t2", "t1"), ("t1", "t2"), ("t1", "x"), (ANCHOR, "dealer"),
        ("alone", "elsewhere"),
    ):  # fmt: skip
        trade.sale(seller, buyer, "10.00")
    told = trade.snapshot()
    nodes = trade.nodes()
    assert set(nodes) == {"t1", "t2", "x", "dealer", ANCHOR}  # the others are no chain of ours
    assert told["firms"] == 5
    assert told["relations"] == len(trade.edges()) == 5
    assert {firm: (row.tier_up, row.tier_down, row.x) for firm, row in nodes.items()} == {
        ANCHOR: (0, 0, 0),
        "t1": (1, None, 1),
        "t2": (2, None, 2),
        "x": (None, None, 0),
        "dealer": (None, 1, -1),
    }
    assert {firm for firm, row in nodes.items() if row.circle_id} == {"t1", "t2"}
    assert all(row.y_ppm is not None for row in nodes.values())


def test_concentration_is_told_per_currency(db: Database) -> None:
    trade = Trade(db, "b", "c")
    trade.payment(ANCHOR, SELLER, "75.00")
    trade.payment("b", SELLER, "25.00")
    trade.payment("c", SELLER, "10.00", currency="USD")
    told = trade.snapshot()
    assert told["currencies"] == ["EUR", "USD"]
    sales = {currency: part["sales"] for currency, part in trade.nodes()[SELLER].indicators.items()}
    assert sales["EUR"] == {
        "minor": eur("100.00"),
        "customers": 2,
        "hhi_ppm": 625_000,
        "top_id": ANCHOR,
        "top_ppm": 750_000,
    }
    assert (sales["USD"]["top_id"], sales["USD"]["hhi_ppm"]) == ("c", 1_000_000)


def test_one_snapshot_a_day_whoever_builds_it(db: Database) -> None:
    trade = Trade(db)
    trade.sale(SELLER, ANCHOR, "10.00")
    first = trade.snapshot()
    again = trade.snapshot()
    assert (first["built"], again["built"]) == (True, False)
    assert again["snapshot_id"] == first["snapshot_id"]
    assert again["digest"] == first["digest"]
    told = {one["financier_id"]: one for one in nightly.build_all(trade.platform)}
    assert told[BANK]["snapshot_id"] == first["snapshot_id"]
    assert told[OTHER_BANK]["firms"] == 0  # it has no programme, so no chain
    assert len(trade.all(GraphSnapshot)) == 2


def test_only_a_financier_has_a_chain(db: Database) -> None:
    trade = Trade(db)
    with pytest.raises(NotAllowed):
        trade.run("graph.build", TREASURER)
