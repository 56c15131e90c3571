"""A seller's list of what it was paid takes the paid invoices out of finance."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.documents import axes, rules
from scf.documents.canonical import Kind
from tests.documents.trade import BUYER, PAYMENTS, SELLER, Trade, table, trade_on

COLUMNS = "payer,payee,name,amount,date,reference"


@pytest.fixture
def trade(db: Database) -> Trade:
    made = trade_on(db)
    made.invoices({"number": "A-1", "amount": "1000.00"}, {"number": "A-2", "amount": "500.00"})
    return made


def told(trade: Trade, *rows: tuple[object, ...], by: str = "seller", **more: object) -> None:
    content = table(COLUMNS, [(BUYER, SELLER, "", *row) for row in rows])
    actor = trade.seller if by == "seller" else trade.buyer
    trade.hand_in(content, PAYMENTS, actor=actor, **more)


def test_what_the_seller_received_is_no_longer_owed(trade: Trade) -> None:
    told(trade, ("400.00", "2026-03-02", "A-1"), ("500.00", "2026-03-03", "inv a-2"))
    first, second = trade.invoice("A-1"), trade.invoice("A-2")
    assert (first.paid_minor, first.payment_state, rules.eligible(first)) == (
        40_000,
        "PART_PAID",
        60_000,
    )
    assert (second.paid_minor, second.payment_state) == (50_000, "PAID")


def test_an_atomic_list_counts_when_it_is_published(trade: Trade) -> None:
    told(trade, ("500.00", "2026-03-03", "A-2"), mode="atomic")
    assert trade.invoice("A-2").payment_state == "PAID"


def test_the_same_list_twice_counts_once(trade: Trade) -> None:
    for name in ("one", "two"):
        told(trade, ("400.00", "2026-03-02", "A-1"), name=name)
    assert trade.invoice("A-1").paid_minor == 40_000


def test_nobody_settles_a_debt_by_saying_that_he_paid(trade: Trade) -> None:
    told(trade, ("1000.00", "2026-03-02", "A-1"), by="buyer")
    assert trade.invoice("A-1").payment_state == "OPEN"
    assert len(trade.rows(Kind.PAYMENT)) == 1


def test_more_than_is_owed_and_refunds_change_nothing_else(trade: Trade) -> None:
    told(trade, ("1200.00", "2026-03-02", "A-1"), ("-100.00", "2026-03-04", "A-1"))
    row = trade.invoice("A-1")
    assert (row.paid_minor, row.payment_state) == (100_000, "PAID")


def test_what_is_financed_is_owed_to_the_financier_whoever_was_paid(trade: Trade) -> None:
    trade.on("A-1", lambda ctx, row: axes.hold(ctx, row.id, 70_000))
    trade.on("A-1", lambda ctx, row: axes.finance(ctx, row.id, 70_000))
    told(trade, ("1000.00", "2026-03-02", "A-1"))
    row = trade.invoice("A-1")
    assert (row.paid_minor, row.outstanding_minor) == (30_000, 70_000)


def test_a_number_of_two_years_says_nothing(trade: Trade) -> None:
    trade.invoices({"number": "A-1", "amount": "7.00", "date": dt.date(2025, 2, 1)})
    told(trade, ("7.00", "2026-03-02", "A-1"))
    assert {row.paid_minor for row in trade.rows() if row.number == "A-1"} == {0}


def test_what_the_buyer_has_undertaken_is_paid_through_the_financier(trade: Trade) -> None:
    trade.on(
        "A-1",
        lambda ctx, row: axes.accept(ctx, row, amount_minor=100_000, due_on=row.due_on, ipu=True),
    )
    told(trade, ("1000.00", "2026-03-02", "A-1"))
    assert trade.invoice("A-1").payment_state == "OPEN"
