"""One advance from the order to the bank to the last cent, in all three books."""

from scf.documents.models import Invoice
from scf.financing.models import Advance
from tests.settlement.books import must_agree
from tests.settlement.world import DUE, FINANCIER, OBLIGOR, SELLER, World, eur


def test_golden_one_is_paid_out_earned_and_repaid_and_leaves_nothing(world: World) -> None:
    advance_id = world.financed()
    row = world.get(Advance, advance_id)
    assert (row.state, row.net_minor, row.funded_on) == ("FUNDED", eur("988375.00"), row.value_on)
    assert world.book(FINANCIER) == {
        "receivables_purchased": eur("1000000"),
        "unearned_discount": -eur("11625"),
        "cash": -eur("988375"),
    }
    world.morning_of(DUE)
    assert world.get(Advance, advance_id).income_minor == eur("11625")
    said = world.receive("1,000,000.00", "INV-1")
    assert said["waiting"] == 0, said
    row = world.get(Advance, advance_id)
    assert (row.state, row.closed_on) == ("CLOSED", DUE)
    assert world.get(Invoice, row.invoice_id).payment_state == "PAID"
    assert world.book(FINANCIER) == {"cash": eur("11625"), "discount_income": -eur("11625")}
    for org in (SELLER, OBLIGOR, FINANCIER):
        assert world.open_accounts(org) == {}
    must_agree(world)
