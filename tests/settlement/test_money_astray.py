"""Money that nobody can place, that is taken back, or that went to the wrong one.

After every story each entry balances, the books say what the rows say, finished lives are zero
and the limit tree adds up. Source: promise P15.
"""

import datetime as dt
from typing import Any

import pytest

from scf.financing.models import Advance
from scf.kernel.errors import Conflict, RuleViolation
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.stories import Stories, Story, parts, state, waiting
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, STRANGER, World, eur

SOON = dt.date(2026, 3, 16)  # a Monday, six days after the pay-out
A_DAY = dt.timedelta(days=1)
STORIES = Stories()
story = STORIES.story


def days_late(days: int) -> dt.date:
    return SOON + dt.timedelta(days=days)


# --- Not recognised -------------------------------------------------------------------------------


@story()
def an_unknown_payer_waits_for_a_person(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    said = world.receive("1,000,000.00", "INV-1", name="Somebody", account="XX123")
    assert [found["code"] for found in said["findings"]] == ["PAYER_UNKNOWN"]
    assert world.book(FINANCIER)["suspense"] == -eur("1,000,000.00")
    entry = waiting(world)
    pays = [{"invoice_id": world.get(Advance, one).invoice_id, "amount_minor": eur("1,000,000")}]
    world.run("receipt.identify", entry_id=entry.id, pays=pays, note="called the obligor")
    assert state(world, one) == "CLOSED"


@story()
def a_payer_that_owes_nothing_waits_for_a_person(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,000,100.00", "INV-1", firm=STRANGER)
    entry = waiting(world)
    assert (entry.reason, state(world, one)) == ("PAYER_NOT_OBLIGOR", "FUNDED")
    pays = [{"invoice_id": world.get(Advance, one).invoice_id, "amount_minor": eur("1,000,100")}]
    world.run(
        "receipt.identify", entry_id=entry.id, pays=pays, payer_id=STRANGER, note="pays for it"
    )
    assert state(world, one) == "CLOSED"
    assert world.book(STRANGER)["due_from_financier"] == eur("100.00")


@story()
def money_that_nobody_can_place_goes_back(world: World) -> None:
    world.receive("5,000.00", "gift", firm=STRANGER)
    world.run("receipt.identify", entry_id=waiting(world).id, refund_to=STRANGER, note="not for us")
    world.pay_out()
    assert world.book(FINANCIER) == world.open_accounts(STRANGER) == {}
    assert world.cash() == 0


@story()
def without_a_reference_what_is_due_is_paid_and_the_rest_waits(world: World) -> None:
    one = world.financed("500,000.00", due_on=SOON)
    other = world.financed("300,000.00", "INV-2", days_late(10))
    world.morning_of(SOON)
    world.receive("600,000.00", "monthly run")
    assert (state(world, one), state(world, other)) == ("CLOSED", "FUNDED")
    assert waiting(world).unallocated_minor == eur("100,000.00")


@story(allocation_order="smallest")
def without_a_reference_the_programme_says_which_comes_first(world: World) -> None:
    one = world.financed("500,000.00", due_on=SOON)
    other = world.financed("300,000.00", "INV-2", SOON)
    world.morning_of(SOON)
    world.receive("400,000.00", "monthly run")
    assert (state(world, one), state(world, other)) == ("PART_REPAID", "CLOSED")


@story()
def without_a_reference_nothing_that_is_not_due_is_paid(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.receive("600,000.00", "monthly run")
    assert (state(world, one), waiting(world).reason) == ("FUNDED", "NO_REFERENCE")


@story()
def money_with_a_later_value_date_waits_for_that_day(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON - A_DAY)
    world.receive("1,000,000.00", "INV-1", value_on=SOON, on=SOON - A_DAY)
    assert waiting(world).reason == "VALUE_DATE_AHEAD"
    world.morning_of(SOON)
    assert state(world, one) == "CLOSED"


@story()
def money_for_a_part_that_is_being_financed_waits_for_it(world: World) -> None:
    invoice = world.invoice("INV-1", "1,000,000.00", SOON)
    one = world.advance(invoice, "400,000.00")
    world.pay_out()
    other = world.advance(invoice, "600,000.00")
    world.receive("1,000,000.00", "INV-1", value_on=world.today)
    assert state(world, one) == "CLOSED"
    assert (waiting(world).reason, waiting(world).unallocated_minor) == (
        "HELD_PART", eur("600,000"),
    )  # fmt: skip
    world.pay_out()
    world.close_to(world.today)
    assert state(world, other) == "CLOSED"


@story()
def what_the_seller_was_paid_before_an_advance_stays_the_sellers(world: World) -> None:
    invoice = world.invoice("INV-1", "1,000,000.00", SOON)
    world.advance(invoice, "100,000.00")
    world.pay_out()
    world.receive("300,000.00", "INV-1", value_on=world.today)
    assert parts(world) == {"principal": eur("100,000"), "seller": eur("200,000")}
    other = world.advance(invoice, "700,000.00")
    world.pay_out()
    world.morning_of(SOON)
    world.receive("700,000.00", "INV-1")
    assert state(world, other) == "CLOSED"
    assert parts(world) == {"principal": eur("800,000"), "seller": eur("200,000")}


# --- Taken back -----------------------------------------------------------------------------------


@story()
def a_receipt_is_taken_back_and_pays_something_else(world: World) -> None:
    one = world.financed(due_on=SOON)
    other = world.financed("1,000,000.00", "INV-2", SOON)
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    entry = world.last_entry()
    world.run("receipt.reverse", entry_id=entry.id, note="meant the other one")
    assert state(world, one) == "FUNDED"
    with pytest.raises(Conflict, match="NOT_ALLOCATED"):
        world.run("receipt.reverse", entry_id=entry.id, note="again")
    pays = [{"invoice_id": world.get(Advance, other).invoice_id, "amount_minor": eur("1,000,000")}]
    world.run("receipt.identify", entry_id=entry.id, pays=pays, note="as the obligor says")
    assert (state(world, one), state(world, other)) == ("FUNDED", "CLOSED")


@story()
def the_bank_takes_a_receipt_back_after_the_due_date(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    world.morning_of(days_late(4))
    world.taken_back(world.last_entry())
    row = world.get(Advance, one)
    assert (row.state, row.repaid_minor, row.penalty_minor) == ("FUNDED", 0, eur("775.00"))
    world.close_to(world.today)
    assert state(world, one) == "OVERDUE"


@story(rebate_share_ppm=800_000)
def an_early_receipt_taken_back_takes_its_rebate_back(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("1,000,000.00", "INV-1")
    world.taken_back(world.last_entry())
    row = world.get(Advance, one)
    assert (row.state, row.income_minor, parts(world)) == ("FUNDED", eur("129.17"), {})


@story()
def a_receipt_whose_excess_was_refunded_cannot_be_taken_back(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,010,000.00", "INV-1")
    entry = world.last_entry()
    world.pay_out()
    with pytest.raises(RuleViolation, match="PAID_OUT"):
        world.run("receipt.reverse", entry_id=entry.id, note="no")
    said = world.taken_back(entry)
    assert (said["waiting"], state(world, one)) == (1, "CLOSED")


@story(rebate_share_ppm=800_000)
def a_rebate_that_was_paid_stays_whatever_is_found_later(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("1,000,000.00", "INV-1")
    world.pay_out()
    world.close_to(world.today)
    world.receive("400,000.00", "INV-1", value_on=world.today - 2 * A_DAY)
    assert state(world, one) == "CLOSED"
    assert parts(world)["rebate"] == eur("516.67")
    assert parts(world)["payer"] == eur("400,000.00")


# --- Paid to the wrong one ------------------------------------------------------------------------


@story()
def paid_to_the_seller_and_turned_over(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.run(
        "receipt.misdirected", advance_id=one, amount_minor=eur("1,000,000"),
        value_on=SOON.isoformat(), note="the obligor says so",
    )  # fmt: skip
    assert state(world, one) == "FUNDED"
    world.receive("1,000,000.00", "INV-1", firm=SELLER)
    assert state(world, one) == "CLOSED"
    for org in (SELLER, OBLIGOR, FINANCIER):
        assert world.open_accounts(org) == {}


@story()
def paid_to_the_seller_who_keeps_it_a_while(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.run(
        "receipt.misdirected", advance_id=one, amount_minor=eur("1,000,000"),
        value_on=SOON.isoformat(), note="the obligor says so",
    )  # fmt: skip
    world.morning_of(days_late(12))
    world.receive("1,000,000.00", "INV-1", firm=SELLER)
    row = world.get(Advance, one)
    assert (row.state, row.face_minor - row.repaid_minor) == ("OVERDUE", eur("2,325.00"))
    world.receive("2,325.00", "INV-1")
    assert state(world, one) == "CLOSED"
    assert world.open_accounts(SELLER) == world.open_accounts(OBLIGOR) == {}


@story()
def a_seller_that_was_paid_nothing_has_nothing_to_turn_over(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.receive("1,000.00", "INV-1", firm=SELLER)
    assert (state(world, one), waiting(world).reason) == ("FUNDED", "PAYER_NOT_OBLIGOR")


@pytest.mark.parametrize(
    ("terms", "tell"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES]
)
def test_money_astray(make_world: MakeWorld, terms: dict[str, Any], tell: Story) -> None:
    world = make_world(**terms)
    tell(world)
    must_agree(world)
