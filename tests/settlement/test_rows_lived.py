"""Tables 4.2, 4.12 and 4.13 lived: each act moves all three books by its rows, to the cent.

Tables 4.1, 4.3 and 4.4 are lived in ``test_day.py``, 4.6 to 4.8 in ``test_reserve_life.py``, 4.11
in ``test_impairment.py``, 4.14 in ``test_credit_notes.py``.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scf.demo import bank
from scf.financing.models import Advance
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.posting_tables import Row, row
from tests.settlement.stories import state, waiting
from tests.settlement.test_reserve_life import books
from tests.settlement.world import DUE, FINANCIER, OBLIGOR, SELLER, START, World, eur

A_DAY = dt.timedelta(days=1)


@contextmanager
def moving(world: World, *names: str) -> Iterator[None]:
    """Claim that what happens inside books exactly these rows, and leaves the books right."""
    before = books(world)
    yield
    after = books(world)
    moved = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    told: Row = {}
    for name in names:
        for key, amount in row(name).items():
            told[key] = told.get(key, 0) + amount
    assert {key: n for key, n in moved.items() if n} == {key: n for key, n in told.items() if n}
    must_agree(world)


def test_table_4_2_a_loan_is_lent_earned_and_repaid(make_world: MakeWorld) -> None:
    world = make_world(recourse="full", ipu="none")
    with moving(world, "4.2 pay-out"):
        advance_id = world.financed()
    with moving(world, "4.2 all closes"):
        world.morning_of(DUE)
    with moving(world, "4.2 debtor pays"):
        world.receive("1,000,000.00", "INV-1")
    assert state(world, advance_id) == "CLOSED"
    for org in (SELLER, OBLIGOR, FINANCIER):
        assert world.open_accounts(org) == {}


@pytest.fixture
def due(world: World) -> World:
    """Case 1 on the morning of its due date."""
    world.financed()
    world.morning_of(DUE)
    return world


def test_table_4_12_found_late_and_paid_too_much(due: World) -> None:
    with moving(due, "4.12 unidentified"):
        due.receive("1,000,000.00", "no idea", name="Somebody", account="XX1")
    invoice_id = due.all(Advance)[0].invoice_id
    pays = [{"invoice_id": invoice_id, "amount_minor": eur("1,000,000")}]
    with moving(due, "4.12 identified"):
        due.run("receipt.identify", entry_id=waiting(due).id, pays=pays, note="as they say")


def test_table_4_12_over_payment_and_its_refund(due: World) -> None:
    with moving(due, "4.12 over-payment"):
        due.receive("1,010,000.00", "INV-1")
    with moving(due, "4.12 refund"):
        due.pay_out()


def test_table_4_12_short(due: World) -> None:
    with moving(due, "4.12 short"):
        due.receive("950,000.00", "INV-1")
    assert due.all(Advance)[0].state == "PART_REPAID"


def test_table_4_12_misdirected_and_turned_over(due: World) -> None:
    advance_id = due.all(Advance)[0].id
    with moving(due, "4.12 misdirected"):
        due.run(
            "receipt.misdirected", advance_id=advance_id, amount_minor=eur("1,000,000"),
            value_on=DUE.isoformat(), note="the obligor says so",
        )  # fmt: skip
    with moving(due, "4.12 turned over"):
        due.receive("1,000,000.00", "INV-1", firm=SELLER)
    assert state(due, advance_id) == "CLOSED"


def test_table_4_13_refused_returned_undone_and_sent_again(world: World) -> None:
    world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    with moving(world, "4.13 rejected"):
        world.answer(file, reject=True)
    advance_id = world.financed(number="INV-2")
    world.close_to(START + A_DAY)
    name = f"{advance_id.replace('-', '')}-1"
    with moving(world, "4.13 returned"):
        world.read([bank.give_back(name, on=world.today, state_dir=world.folder)])
    with moving(world, "4.13 income reversed", "4.13 sale undone"):
        world.run("payout.unwind", advance_id=advance_id, note="the account is gone")


def test_table_4_13_sent_again_with_its_new_value_date(world: World) -> None:
    advance_id = world.financed()
    world.close_to(START + A_DAY)
    name = f"{advance_id.replace('-', '')}-1"
    with moving(world, "4.13 returned"):
        world.read([bank.give_back(name, on=world.today, state_dir=world.folder)])
    before = world.cash()
    for data in world.ordered(advance_ids=[advance_id]):
        world.answer(data)
    assert world.cash() - before == row("4.13 sent again")["F", "cash"]
    assert world.book(FINANCIER).get("payments_in_transit", 0) == 0
    assert world.open_accounts(SELLER) == {}
    must_agree(world)
