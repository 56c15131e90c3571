"""Receivables discounting with a reserve, lived in euro: golden 3, and the tables 4.6 to 4.8.

Pay-out on 10 March, due 75 days later; 85 % advanced at 6.2 % in arrears, service fee 0.8 %. Each
act is compared with its rows of the tables; afterwards every book is held to the rows.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scf.demo import bank
from scf.documents import credits as netting
from scf.documents.models import CreditNote, Invoice
from scf.financing.models import Advance, OverAdvance
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from scf.kernel.money import format_minor
from scf.ledger.models import NoEntry
from scf.ledger.service import Chart
from scf.programmes.models import LimitNode
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.posting_tables import Row
from tests.settlement.reserve_tables import rows
from tests.settlement.stories import state, waiting
from tests.settlement.world import FINANCIER, OBLIGOR, SELLER, START, World, eur

DUE = START + dt.timedelta(days=75)
TERMS: dict[str, Any] = {
    "technique": "receivables_discounting",
    "ipu": "none",
    "charge": "arrears",
    "advance_ppm": 850_000,
    "reserve_ppm": 150_000,
    "penalty_multiple_ppm": 0,
}


def discounting(make_world: MakeWorld, **terms: Any) -> tuple[World, str]:  # noqa: ANN401 - terms
    """Give a world and the advance of golden 3 in it, paid out."""
    world = make_world(**TERMS | terms)
    advance_id = world.financed("500,000.00", "INV-1", DUE, fee="4,000.00", rate="6.2")
    return world, advance_id


def credit_note(world: World, amount: str, number: str = "INV-1") -> None:
    """Let a credit note of the pair arrive that names an invoice."""
    note = CreditNote(
        id=new_id(), number=f"CN-{world.key()}", seller_id=SELLER, buyer_id=OBLIGOR,
        issue_on=START, currency="EUR", canonical_number=world.key(), duplicate_key=new_id(),
        document_state="VALIDATED", amount_minor=eur(amount), named_invoices=[{"number": number}],
        parties={}, org_id=SELLER, upload_id="u", original_id="o", created_at=world.clock.now(),
    )  # fmt: skip
    with world.db.writer.begin() as conn:
        world._insert(conn, note)
        netting.net(world.context(conn), [(SELLER, OBLIGOR, "EUR")])


def books(world: World) -> Row:
    """Give every balance by book and account name."""
    return {
        (letter, Chart.lines[code].name.lower()): amount
        for letter, org in (("S", SELLER), ("O", OBLIGOR), ("F", FINANCIER))
        for code, amount in world.book(org).items()
    }


@contextmanager
def booking(world: World, *names: str) -> Iterator[None]:
    """Claim that what happens inside books exactly these rows, and leaves the books right."""
    before = books(world)
    yield
    after = books(world)
    moved = {key: after.get(key, 0) - before.get(key, 0) for key in before.keys() | after.keys()}
    assert {key: amount for key, amount in moved.items() if amount} == rows(*names)
    must_agree(world)


def nothing_open(world: World) -> None:
    for org in (SELLER, OBLIGOR, FINANCIER):
        assert world.open_accounts(org) == {}
    assert all(row.held_minor == row.utilised_minor == 0 for row in world.all(LimitNode))


def test_golden_3_a_sale_is_collected_and_its_reserve_released_the_same_day(
    make_world: MakeWorld,
) -> None:
    world = make_world(**TERMS)
    with booking(world, "4.6 pay-out"):
        advance_id = world.financed("500,000.00", "INV-1", DUE, fee="4,000.00", rate="6.2")
    with booking(world, "4.6 fee earned", "4.6 closes"):
        world.morning_of(DUE)
    with booking(world, "4.6 credit note"):
        credit_note(world, "12,000.00")
    with booking(world, "4.6 debtor pays", "4.6 reserve released"):
        world.receive("488,000.00", "INV-1")
        assert state(world, advance_id) == "CLOSED"
        world.pay_out()
    nothing_open(world)
    (gap,) = world.all(OverAdvance)
    assert (gap.amount_minor, gap.reserve_minor, gap.state) == (
        eur("12,000.00"), eur("12,000.00"), "CURED",
    )  # fmt: skip


def test_golden_3_a_loan_is_collected_interest_first_and_the_rest_is_the_sellers(
    make_world: MakeWorld,
) -> None:
    world = make_world(**TERMS, recourse="full")
    with booking(world, "4.7 pay-out"):
        advance_id = world.financed("500,000.00", "INV-1", DUE, fee="4,000.00", rate="6.2")
    world.set_date(DUE)
    with booking(world, "4.7 credit note", "4.6 fee earned", "4.6 closes"):
        credit_note(world, "12,000.00")
    with booking(world, "4.7 debtor pays", "4.7 waterfall"):
        world.receive("488,000.00", "INV-1")
        assert state(world, advance_id) == "CLOSED"
        world.pay_out()
    nothing_open(world)


def test_recourse_called_on_day_165_is_paid_with_its_interest_and_the_title_goes_back(
    make_world: MakeWorld,
) -> None:
    world, advance_id = discounting(make_world, recourse="after_days", recourse_after_days=90)
    day_165 = START + dt.timedelta(days=165)
    world.set_date(day_165 - dt.timedelta(days=1))
    with pytest.raises(RuleViolation, match="RECOURSE_EARLY"):
        world.run("recourse.call", advance_id=advance_id, note="unpaid")
    world.set_date(day_165)
    with booking(world, "4.6 fee earned", "4.7 interest to day 165", "4.7 recourse paid"):
        called = world.run("recourse.call", advance_id=advance_id, note="unpaid for 90 days")
        assert called["due_minor"] == eur("437,077.08")
        assert state(world, advance_id) == "RECOURSE_CALLED"
        world.receive("437,077.08", "INV-1", firm=SELLER)
    assert state(world, advance_id) == "REPURCHASED"
    invoice = world.get(Invoice, world.get(Advance, advance_id).invoice_id)
    assert (invoice.outstanding_minor, invoice.reassigned_minor) == (0, eur("500,000.00"))
    nothing_open(world)


def test_a_credit_note_beyond_the_reserve_is_the_sellers_to_repurchase(
    make_world: MakeWorld,
) -> None:
    world, advance_id = discounting(make_world)
    with booking(world, "4.8 credit note"):
        credit_note(world, "90,000.00")
    (gap,) = world.all(OverAdvance)
    assert (gap.amount_minor, gap.repurchase_minor, gap.cure, gap.state) == (
        eur("90,000.00"), eur("15,000.00"), "repurchase", "OPEN",
    )  # fmt: skip
    invoice_id = world.get(Advance, advance_id).invoice_id
    assert world.get(Invoice, invoice_id).over_advance_minor == eur("15,000.00")
    with booking(world, "4.8 gap paid"):
        world.receive("15,000.00", "INV-1", firm=SELLER)
    assert (world.all(OverAdvance)[0].state, world.get(Invoice, invoice_id).over_advance_minor) == (
        "CURED", 0,
    )  # fmt: skip
    world.set_date(DUE)
    world.receive("410,000.00", "INV-1")
    must_agree(world)
    assert state(world, advance_id) == "PART_REPAID", "the interest is still the seller's to pay"
    owed = world.get(Advance, advance_id).interest_minor
    world.receive(format_minor(owed, "EUR"), "INV-1", firm=SELLER)
    must_agree(world)
    assert state(world, advance_id) == "CLOSED"
    nothing_open(world)


def test_a_breach_of_warranty_sends_the_whole_item_back_for_what_was_advanced(
    make_world: MakeWorld,
) -> None:
    world, advance_id = discounting(make_world)
    with pytest.raises(RuleViolation, match="NO_RECOURSE"):
        world.run("recourse.call", advance_id=advance_id, note="unpaid")
    with booking(world, "4.8 whole item", "4.6 fee earned"):
        world.run("recourse.call", advance_id=advance_id, cause="breach", note="sold twice")
        world.receive("425,000.00", "INV-1", firm=SELLER)
    assert state(world, advance_id) == "REPURCHASED"


def test_a_seller_that_owes_nothing_pays_nothing_and_too_much_waits(make_world: MakeWorld) -> None:
    world, advance_id = discounting(make_world)
    world.receive("10.00", "INV-1", firm=SELLER)
    assert waiting(world).reason == "PAYER_NOT_OBLIGOR"
    credit_note(world, "80,000.00")
    world.receive("6,000.00", "INV-1", firm=SELLER)
    must_agree(world)
    assert world.get(Advance, advance_id).gap_paid_minor == eur("5,000.00")
    assert world.last_entry().unallocated_minor == eur("1,000.00")


@pytest.mark.parametrize("recourse", ["none", "full"])
def test_money_found_late_and_money_taken_back_leave_the_books_right(
    make_world: MakeWorld, recourse: str
) -> None:
    world, advance_id = discounting(make_world, recourse=recourse)
    world.set_date(START + dt.timedelta(days=40))
    world.receive("300,000.00", "INV-1")
    must_agree(world)
    credit_note(world, "80,000.00")
    must_agree(world)
    world.set_date(DUE)
    world.receive("20,000.00", "INV-1", value_on=START + dt.timedelta(days=10))
    must_agree(world)
    world.receive("5,000.00", "INV-1", firm=SELLER)
    world.receive("100,000.00", "INV-1")
    must_agree(world)
    assert state(world, advance_id) == "PART_REPAID", "no reserve is left for the interest"
    world.taken_back(world.entries()[0])
    must_agree(world)
    assert state(world, advance_id) == "PART_REPAID"
    world.receive("300,000.00", "INV-1")
    must_agree(world)
    row = world.get(Advance, advance_id)
    owed = row.interest_minor - row.interest_paid_minor
    owed += 0 if recourse == "none" else eur("425,000.00") - row.lent_paid_minor
    world.receive(format_minor(owed, "EUR"), "INV-1", firm=SELLER)
    must_agree(world)
    assert state(world, advance_id) == "CLOSED"
    nothing_open(world)


def test_a_silent_obligor_pays_the_seller_who_passes_the_money_on(make_world: MakeWorld) -> None:
    world, advance_id = discounting(make_world, disclosed=False)
    world.set_date(DUE)
    with booking(
        world, "4.6 fee earned", "4.6 closes", "4.6 debtor pays", "4.6 reserve released",
        "4.6 credit note",
    ):  # fmt: skip
        credit_note(world, "12,000.00")
        world.receive("488,000.00", "INV-1", firm=SELLER)
        world.pay_out()
    assert state(world, advance_id) == "CLOSED"
    nothing_open(world)
    kept = {row.org_id for row in world.all(NoEntry)}
    assert kept == {SELLER}, "a silent obligor's book does not say why it has no entry"


def test_the_tax_on_the_fee_is_neither_income_nor_cost(make_world: MakeWorld) -> None:
    world = make_world(**TERMS)
    world.financed("500,000.00", "INV-1", DUE, fee="4,000.00", tax="240.00", rate="6.2")
    assert (world.book(SELLER)["cash"], world.book(SELLER)["input_tax"]) == (42_076_000, 24_000)
    assert world.book(FINANCIER)["output_tax"] == -24_000
    must_agree(world)


def test_a_pay_out_that_came_back_leaves_nothing(make_world: MakeWorld) -> None:
    world = make_world(**TERMS)
    invoice_id = world.invoice("INV-1", "500,000.00", DUE)
    advance_id = world.advance(invoice_id, "500,000.00", fee="4,000.00", tax="240.00", rate="6.2")
    world.pay_out()
    world.close_to(START + dt.timedelta(days=1))
    (order,) = world.instructions()
    back = bank.give_back(order.end_to_end_id, on=world.today, state_dir=world.folder)
    world.read([back])
    must_agree(world)
    world.run("payout.unwind", advance_id=advance_id, note="no")
    must_agree(world)
    nothing_open(world)
