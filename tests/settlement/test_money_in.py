"""Money that comes on time, early, late, short, or twice: one named story each.

After every story each entry balances, the books say what the rows say, finished lives are zero
and the limit tree adds up. Source: promise P15.
"""

import datetime as dt
from typing import Any

import pytest

from scf.demo import bank
from scf.documents.models import Invoice
from scf.financing.models import Advance
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.stories import Stories, Story, parts, state
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, World, eur

SOON = dt.date(2026, 3, 16)  # a Monday, six days after the pay-out
A_DAY = dt.timedelta(days=1)
STORIES = Stories()
story = STORIES.story


def days_late(days: int) -> dt.date:
    return SOON + dt.timedelta(days=days)


# --- On time and early ----------------------------------------------------------------------------


@story()
def paid_on_the_due_date(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    assert state(world, one) == "CLOSED"
    assert world.book(FINANCIER).keys() == {"cash", "discount_income"}


@story()
def paid_without_reference_by_an_amount_that_fits_one_invoice(world: World) -> None:
    one = world.financed(due_on=SOON)
    other = world.financed("300,000.00", "INV-2", SOON)
    world.receive("300,000.00", "thank you", value_on=world.today)
    assert (state(world, one), state(world, other)) == ("FUNDED", "CLOSED")


@story()
def paid_early_without_a_rebate_is_income_at_once(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("1,000,000.00", "INV-1")
    row = world.get(Advance, one)
    assert (row.state, row.income_minor) == ("CLOSED", row.discount_minor)
    assert "rebate" not in parts(world)


@story(rebate_share_ppm=800_000)
def paid_early_with_a_rebate_that_is_paid_to_the_payer(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("1,000,000.00", "INV-1")
    row = world.get(Advance, one)
    # 775.00 for six days, five left: 645.83 unearned, 80 % of it given back.
    assert (row.discount_minor, parts(world)["rebate"]) == (eur("775.00"), eur("516.67"))
    assert world.book(OBLIGOR)["rebate_receivable"] == eur("516.67")
    world.pay_out()
    assert world.book(FINANCIER) == {"cash": eur("258.33"), "discount_income": -eur("258.33")}


@story(rebate_share_ppm=800_000)
def paid_early_in_part_and_the_rest_when_due(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("400,000.00", "INV-1")
    assert state(world, one) == "PART_REPAID"
    assert parts(world)["rebate"] == eur("206.67")
    world.morning_of(SOON)
    world.receive("600,000.00", "INV-1")
    row = world.get(Advance, one)
    assert (row.state, row.income_minor) == ("CLOSED", eur("775.00") - eur("206.67"))
    world.pay_out()


@story(rebate_share_ppm=1_000_000, rebate_to="seller")
def paid_early_and_all_of_the_rebate_goes_to_the_seller(world: World) -> None:
    world.financed(due_on=SOON)
    world.close_to(world.today)
    world.receive("1,000,000.00", "INV-1")
    assert world.book(SELLER)["rebate_receivable"] == eur("645.83")
    world.pay_out()
    assert world.book(FINANCIER)["discount_income"] == -eur("129.17")


@story()
def paid_early_but_found_only_on_the_due_date(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1", value_on=SOON - 3 * A_DAY)
    row = world.get(Advance, one)
    assert (row.state, row.closed_on) == ("CLOSED", SOON - 3 * A_DAY)


# --- Late -----------------------------------------------------------------------------------------


@story()
def paid_late_with_the_penalty(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    assert state(world, one) == "OVERDUE"
    world.receive("1,002,325.00", "INV-1")
    assert state(world, one) == "CLOSED"
    assert world.book(FINANCIER)["penalty_income"] == -eur("2,325.00")


@story()
def paid_late_without_the_penalty_stays_overdue_by_it(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    world.receive("1,000,000.00", "INV-1")
    row = world.get(Advance, one)
    assert (row.state, row.face_minor - row.repaid_minor) == ("OVERDUE", eur("2,325.00"))
    assert parts(world)["penalty"] == eur("2,325.00")


@story(grace_days=3, grace_free=True)
def paid_within_grace(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(3))
    assert state(world, one) == "GRACE"
    world.receive("1,000,000.00", "INV-1")
    assert state(world, one) == "CLOSED"


@story(grace_days=3, grace_free=True)
def paid_after_grace_that_is_free_for_good(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    assert world.get(Advance, one).penalty_minor == eur("1,743.75")
    world.receive("1,001,743.75", "INV-1")
    assert state(world, one) == "CLOSED"


@story(grace_days=3)
def paid_after_grace_that_was_conditional(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(3))
    assert world.get(Advance, one).penalty_minor == 0
    world.morning_of(days_late(12))
    assert world.get(Advance, one).penalty_minor == eur("2,325.00")
    world.receive("1,002,325.00", "INV-1")
    assert state(world, one) == "CLOSED"


@story(grace_days=3)
def paid_within_grace_but_found_after_it(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(5))
    assert world.get(Advance, one).penalty_minor > 0
    world.receive("1,000,000.00", "INV-1", value_on=days_late(2))
    row = world.get(Advance, one)
    assert (row.state, row.penalty_minor) == ("CLOSED", 0)


@story(penalty_extra_only=True)
def paid_late_where_only_the_extra_is_charged(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    world.receive("1,000,775.00", "INV-1")
    assert state(world, one) == "CLOSED"


@story()
def paid_in_part_when_due_and_the_rest_late(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("666,666.67", "INV-1")
    world.morning_of(days_late(12))
    # 333,333.33 for twelve days; a rounded daily amount would give 774.96.
    assert world.get(Advance, one).penalty_minor == eur("775.00")
    world.receive("334,108.33", "INV-1")
    assert state(world, one) == "CLOSED"


@story()
def paid_short_is_not_written_off(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("950,000.00", "INV-1")
    world.close_to(SOON)
    row = world.get(Advance, one)
    assert (row.state, row.face_minor - row.repaid_minor) == ("OVERDUE", eur("50,000.00"))
    assert world.get(Invoice, row.invoice_id).payment_state == "PART_PAID"


@story()
def paid_cent_by_cent(world: World) -> None:
    one = world.financed("0.05", due_on=SOON)
    world.morning_of(SOON)
    for _ in range(5):
        world.receive("0.01", "INV-1")
    assert state(world, one) == "CLOSED"


# --- Found late -----------------------------------------------------------------------------------


@story()
def golden_five_found_on_day_twelve_with_the_value_of_day_five(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    world.receive("400,000.00", "INV-1", value_on=days_late(5), on=days_late(5))
    row = world.get(Advance, one)
    assert row.penalty_minor == eur("1,783.81")
    assert row.repaid_minor == eur("399,031.25")
    world.receive("601,783.81", "INV-1")
    assert state(world, one) == "CLOSED"


@story()
def found_late_with_the_value_of_the_due_date(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(4))
    world.receive("1,000,000.00", "INV-1", value_on=SOON, on=SOON)
    row = world.get(Advance, one)
    assert (row.state, row.penalty_minor) == ("CLOSED", 0)


@story()
def found_late_and_earlier_than_one_already_allocated(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    world.receive("500,000.00", "INV-1", value_on=days_late(10), on=days_late(10))
    world.receive("400,000.00", "INV-1", value_on=days_late(5), on=days_late(5))
    row = world.get(Advance, one)
    # 5 days on 1,000,000; 5 on 600,968.75; 2 on what the second leaves.
    assert parts(world)["penalty"] == eur("968.75") + eur("582.19")
    assert row.penalty_paid_minor == parts(world)["penalty"]
    assert row.repaid_minor == eur("900,000.00") - row.penalty_paid_minor


@story()
def found_late_after_the_advance_was_closed_by_another(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(days_late(12))
    world.receive("1,002,325.00", "INV-1")
    assert state(world, one) == "CLOSED"
    world.receive("1,000,000.00", "INV-1", value_on=SOON, on=SOON)
    row = world.get(Advance, one)
    assert (row.state, row.penalty_minor, row.repaid_minor) == ("CLOSED", 0, row.face_minor)
    assert parts(world)["payer"] == eur("1,002,325.00")


# --- Too much, twice, more than one ---------------------------------------------------------------


@story()
def overpaid_and_refunded(world: World) -> None:
    world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,010,000.00", "INV-1")
    assert world.book(FINANCIER)["due_to_payers"] == -eur("10,000.00")
    assert world.book(OBLIGOR)["due_from_financier"] == eur("10,000.00")
    world.pay_out()
    assert world.open_accounts(FINANCIER) == world.open_accounts(OBLIGOR) == {}


@story()
def overpaid_and_the_refund_is_refused_then_paid_under_a_new_name(world: World) -> None:
    world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,010,000.00", "INV-1")
    world.pay_out(reject=True)
    assert world.book(FINANCIER)["due_to_payers"] == -eur("10,000.00")
    world.pay_out()
    refunds = [row for row in world.instructions() if row.kind == "payer"]
    assert [(row.attempt, row.state) for row in refunds] == [(1, "REJECTED"), (2, "SETTLED")]
    assert world.open_accounts(FINANCIER) == {}


@story()
def overpaid_and_the_refund_comes_back(world: World) -> None:
    world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,010,000.00", "INV-1")
    world.pay_out()
    refund = world.instructions()[-1]
    world.read([bank.give_back(refund.end_to_end_id, on=SOON, state_dir=world.folder)])
    assert world.book(FINANCIER)["due_to_payers"] == -eur("10,000.00")
    world.pay_out()
    assert world.open_accounts(FINANCIER) == {}


@story()
def paid_twice_by_two_equal_payments(world: World) -> None:
    one = world.financed(due_on=SOON)
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    world.receive("1,000,000.00", "INV-1")
    assert state(world, one) == "CLOSED"
    assert parts(world)["payer"] == eur("1,000,000.00")


@story()
def the_same_statement_three_times(world: World) -> None:
    world.financed(due_on=SOON)
    world.morning_of(SOON)
    file = world.receipt("1,000,000.00", "INV-1")
    other_bytes = (file[0], file[1].replace(b"\n", b"\r\n"))
    said = world.read([file, file, ("renamed.xml", file[1]), other_bytes])
    # The second is answered as the first was, without being read again.
    assert [one["new_entries"] for one in said] == [1, 1, 0, 0]
    assert len(world.entries()) == 1


@story()
def golden_fifteen_financed_parts_come_first(world: World) -> None:
    invoice = world.invoice("INV-1", "1,000,000.00", SOON)
    one = world.advance(invoice, "400,000.00")
    world.pay_out()
    world.close_to(world.today)
    other = world.advance(invoice, "300,000.00")
    world.pay_out()
    world.morning_of(SOON)
    world.receive("600,000.00", "INV-1")
    assert (state(world, one), state(world, other)) == ("CLOSED", "PART_REPAID")
    assert "seller" not in parts(world)
    world.close_to(SOON)
    row = world.get(Advance, other)
    assert (row.state, row.face_minor - row.repaid_minor) == ("OVERDUE", eur("100,000.00"))


@story()
def the_part_that_nobody_financed_is_passed_on_to_the_seller(world: World) -> None:
    one = world.financed("400,000.00", due_on=SOON, invoice="1,000,000.00")
    world.morning_of(SOON)
    world.receive("1,000,000.00", "INV-1")
    assert state(world, one) == "CLOSED"
    assert world.book(FINANCIER)["collections_due_to_sellers"] == -eur("600,000.00")
    assert world.book(SELLER)["cash_clearing_held_by_factor"] == eur("600,000.00")
    world.pay_out()
    for org in (SELLER, OBLIGOR, FINANCIER):
        assert world.open_accounts(org) == {}


@story()
def financed_rest_and_excess_in_one_payment(world: World) -> None:
    world.financed("400,000.00", due_on=SOON, invoice="1,000,000.00")
    world.morning_of(SOON)
    world.receive("1,000,001.00", "INV-1")
    assert parts(world) == {
        "principal": eur("400,000"), "seller": eur("600,000"), "payer": eur("1.00"),
    }  # fmt: skip


@story()
def one_payment_for_two_invoices(world: World) -> None:
    one = world.financed(due_on=SOON)
    other = world.financed("300,000.00", "INV-2", SOON)
    world.morning_of(SOON)
    world.receive("1,300,000.00", "INV-1, INV-2")
    assert (state(world, one), state(world, other)) == ("CLOSED", "CLOSED")


@story()
def two_invoices_and_too_little_for_both(world: World) -> None:
    one = world.financed("500,000.00", due_on=SOON)
    other = world.financed("300,000.00", "INV-2", SOON + A_DAY)
    world.morning_of(SOON)
    world.receive("600,000.00", "INV-1 INV-2")
    assert (state(world, one), state(world, other)) == ("CLOSED", "PART_REPAID")


@pytest.mark.parametrize(
    ("terms", "tell"), [one[1:] for one in STORIES], ids=[one[0] for one in STORIES]
)
def test_money_in(make_world: MakeWorld, terms: dict[str, Any], tell: Story) -> None:
    world = make_world(**terms)
    tell(world)
    must_agree(world)
