"""All that a seller could be paid for now: ready, waiting with reasons, and what it chooses."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.kernel.errors import InvalidInput
from scf.offers import basket
from scf.offers.basket import Basket, Board
from tests.support.deals import ANCHOR, DAY, EUR, MAKER, SELLER, TREASURER, Deals, eur


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def board_of(deals: Deals, value_on: dt.date | None = None) -> Board:
    with deals.db.snapshot() as conn:
        return basket.board(conn, SELLER, EUR, DAY, deals.clock.now(), value_on)


def raised(deals: Deals, amount: str) -> Basket:
    with deals.db.snapshot() as conn:
        return basket.raise_sum(conn, SELLER, board_of(deals), eur(amount), deals.clock.now())


def codes(board: Board) -> dict[str, list[str]]:
    return {one.row.number: [reason.code for reason in one.refusals] for one in board.waiting}


def test_every_invoice_is_ready_or_says_why_not(deals: Deals) -> None:
    ready = {deals.invoice("1,000.00"), deals.invoice("2,000.00")}
    deals.invoice("3,000.00", accepted=False, number="NEW")
    deals.invoice("4,000.00", due_on=DAY + dt.timedelta(days=1), number="SOON")
    deals.invoice(
        "5,000.00", accepted=False, document_state="INCOMPLETE", buyer_id=None, number="HALF"
    )
    deals.invoice("6,000.00", payment_state="PAID", accepted=False)
    seen = board_of(deals)
    assert {line.row.id for line in seen.ready.lines} == ready
    found = codes(seen)
    assert (found["NEW"], found["HALF"]) == (["NOT_ACCEPTED"], ["DOCUMENT_MISSING"])
    assert set(found) <= {"NEW", "HALF", "SOON"}
    assert seen.ready.net_minor == seen.ready.face_minor - seen.ready.discount_minor


def test_what_the_board_shows_is_what_a_quote_gives(deals: Deals) -> None:
    deals.invoice("1,000.00")
    deals.invoice("25,000.00")
    (part,) = board_of(deals).ready.parts
    quote = deals.quote(*part.ask.invoice_ids)
    assert part.computed.price is not None
    assert quote["net_minor"] == part.computed.price.net_minor
    assert quote["inputs_digest"] == part.computed.inputs_digest


def test_where_the_limit_has_no_room_for_all_as_many_as_fit_are_ready(deals: Deals) -> None:
    deals.limit("obligor", ANCHOR, "10,000.00")
    fits = {deals.invoice("6,000.00"), deals.invoice("3,000.00")}
    deals.invoice("5,000.00", number="TOO-MUCH")
    seen = board_of(deals)
    assert {line.row.id for line in seen.ready.lines} == fits
    assert codes(seen) == {"TOO-MUCH": ["LIMIT_OBLIGOR"]}


def test_a_reason_against_the_whole_deal_stands_beside_every_invoice(deals: Deals) -> None:
    deals.invoice("6,000.00", number="ONE")
    deals.run("programme.suspend", MAKER, programme_id=deals.programme_id, reason="a pause")
    seen = board_of(deals)
    assert seen.ready.lines == []
    assert codes(seen) == {"ONE": ["PROGRAMME_SUSPENDED"]}


def test_a_later_day_costs_less_and_falls_on_a_business_day(deals: Deals) -> None:
    deals.invoice("1,000,000.00")
    soon, later = board_of(deals), board_of(deals, dt.date(2026, 3, 14))  # a Saturday
    assert soon.ready.days == [DAY]
    assert later.ready.days == [dt.date(2026, 3, 16)]
    assert later.ready.net_minor > soon.ready.net_minor


def test_a_sum_is_raised_at_least_cost_and_the_quote_of_it_holds(deals: Deals) -> None:
    deals.invoice("40,000.00", due_on=dt.date(2026, 9, 1))
    near = deals.invoice("40,000.00", due_on=dt.date(2026, 4, 7))
    chosen = raised(deals, "30,000.00")
    assert [line.row.id for line in chosen.lines] == [near]
    assert chosen.net_minor >= eur("30,000.00")
    assert chosen.net_minor - eur("30,000.00") < 200
    (part,) = chosen.parts
    made = deals.run(
        "quote.make",
        TREASURER,
        invoice_ids=list(part.ask.invoice_ids),
        amount_minor=part.ask.amount_minor,
    )
    assert made["net_minor"] == chosen.net_minor


def test_a_sum_beyond_what_is_ready_is_refused_with_the_most(deals: Deals) -> None:
    deals.invoice("40,000.00")
    most = board_of(deals).ready.net_minor
    with pytest.raises(InvalidInput) as refused:
        raised(deals, "40,000.00")
    assert refused.value.facts["most_minor"] == most


def test_a_buyers_usual_delay_is_the_median_of_its_answers(deals: Deals) -> None:
    with deals.db.snapshot() as conn:
        assert basket.usual_days_to_accept(conn, SELLER, ANCHOR, DAY) is None
    for days in (1, 4, 9):
        deals.invoice("1,000.00", created_at=deals.clock.now() - dt.timedelta(days=days))
    with deals.db.snapshot() as conn:
        assert basket.usual_days_to_accept(conn, SELLER, ANCHOR, DAY) == 4
