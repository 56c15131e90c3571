"""The disclosure of IAS 7.44F to 44H: from the book and its memos, day by day, to the cent."""

import datetime as dt
from itertools import pairwise

import pytest

from scf.accounting.journal import trial_balance
from scf.accounting.supplier_finance import Range, Report, supplier_finance
from scf.demo import bank
from scf.kernel.errors import InvalidInput
from scf.ledger.models import NoEntry
from tests.settlement.world import DUE, OBLIGOR, SELLER, START, World, eur

MILLION = eur("1,000,000.00")
DAY = dt.timedelta(days=1)


def report(world: World, from_on: dt.date, to_on: dt.date, org: str = OBLIGOR) -> Report:
    with world.db.snapshot() as conn:
        return supplier_finance(conn, org, from_on, to_on)


def test_what_suppliers_have_is_told_from_the_day_they_have_it(world: World) -> None:
    world.advance(world.invoice("INV-1", "1,000,000.00", DUE), "400,000.00")
    (figures,) = report(world, START, START).figures
    assert figures.opening.carrying_minor == 0
    assert figures.closing.carrying_minor == MILLION
    assert figures.closing.paid_to_suppliers_minor == 0, "nothing has settled yet"
    assert figures.closing.due.invoices == 1
    assert figures.closing.due.shortest == figures.closing.due.longest
    (change,) = figures.changes
    assert (change.kind, change.cash, change.amount_minor) == ("invoice_accepted", False, MILLION)
    assert figures.without_cash_minor == MILLION
    world.pay_out()
    (figures,) = report(world, START, START).figures
    assert figures.closing.paid_to_suppliers_minor == eur("400,000.00")
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    (figures,) = report(world, START + DAY, DUE).figures
    assert (figures.opening.carrying_minor, figures.closing.carrying_minor) == (MILLION, 0)
    assert figures.opening.paid_to_suppliers_minor == eur("400,000.00")
    assert figures.closing.paid_to_suppliers_minor == 0
    assert figures.closing.due == Range()
    assert sum(one.amount_minor for one in figures.changes) == -MILLION
    assert {one.cash for one in figures.changes} == {True}


def test_opening_and_changes_are_the_closing_of_every_day(world: World) -> None:
    world.financed()
    world.financed("250,000.00", "INV-2", DUE + 20 * DAY)
    world.morning_of(DUE)
    world.receive("400,000.00", "INV-1")
    world.receive("600,000.00", "INV-1")
    days = [START - DAY, START, DUE - DAY, DUE]
    seen = []
    for before, on in pairwise(days):
        found = report(world, before + DAY, on)
        (figures,) = found.figures
        with world.db.snapshot() as conn:
            balance = {
                one.account_code: -one.balance_minor for one in trial_balance(conn, OBLIGOR, on)
            }
        assert figures.closing.carrying_minor == balance["payables_in_supplier_finance_arrangement"]
        changed = sum(one.amount_minor for one in figures.changes)
        assert figures.opening.carrying_minor + changed == figures.closing.carrying_minor
        assert figures.closing.paid_to_suppliers_minor <= figures.closing.carrying_minor
        seen.append((figures.closing.due.invoices, figures.closing.paid_to_suppliers_minor))
    assert [invoices for invoices, _paid in seen] == [2, 2, 1]
    assert seen[1][1] == eur("1,250,000.00")
    assert seen[2][1] == eur("250,000.00")
    shortest = figures.opening.due.shortest
    assert shortest is not None
    assert figures.closing.due.longest == shortest + 20
    (arrangement,) = found.arrangements
    assert arrangement.undertaking
    assert arrangement.currencies == ("EUR",)


def test_a_returned_pay_out_is_not_with_the_supplier(world: World) -> None:
    advance_id = world.financed()
    name = f"{advance_id.replace('-', '')}-1"
    world.close_to(START + DAY)
    world.read([bank.give_back(name, on=world.today, state_dir=world.folder)])
    back_on = world.all(NoEntry)[-1].booked_on
    (figures,) = report(world, START + DAY, back_on).figures
    assert figures.opening.paid_to_suppliers_minor == MILLION
    assert figures.closing.paid_to_suppliers_minor == 0
    assert figures.opening.carrying_minor == figures.closing.carrying_minor == MILLION
    for data in world.ordered(advance_ids=[advance_id]):
        world.answer(data)
    (figures,) = report(world, back_on, world.today).figures
    assert figures.closing.paid_to_suppliers_minor == MILLION, "it was sent again"


def test_other_books_have_no_arrangement(world: World) -> None:
    world.financed()
    assert report(world, START, START, SELLER).figures == ()
    with pytest.raises(InvalidInput, match="PERIOD"):
        report(world, START, START - 2 * DAY)
    with pytest.raises(InvalidInput, match="PERIOD"):
        report(world, START, START + 2000 * DAY)
