"""Table 4.14 lived: a credit note on an invoice that an undertaking keeps whole (golden 10)."""

import datetime as dt

from sqlalchemy import select

from scf.documents import credits as netting
from scf.documents.models import Invoice
from scf.documents.rules import eligible
from scf.ledger.models import Entry, NoEntry
from scf.ledger.service import Chart, balances
from tests.settlement.books import must_agree
from tests.settlement.posting_tables import Row, row
from tests.settlement.test_reserve_life import credit_note
from tests.settlement.world import DUE, FINANCIER, OBLIGOR, SELLER, World, eur

LETTERS = {"S": SELLER, "O": OBLIGOR, "F": FINANCIER}


def of_notes(world: World) -> Row:
    """Give what credit notes have booked, by book and account name."""
    found: Row = {}
    with world.db.snapshot() as conn:
        table = Entry.__table__  # type: ignore[attr-defined]
        about = select(table.c.subject_id).where(table.c.event_kind.like("credit_note.%"))
        for subject in set(conn.execute(about).scalars()):
            for letter, org in LETTERS.items():
                for (code, _), minor in balances(conn, org, subject_id=subject).items():
                    if minor:
                        found[letter, Chart.lines[code].name.lower()] = minor
    return found


def next_invoice(world: World, number: str, amount: str, days: int) -> int:
    """Let the pair's next invoice come; gives what of it can be offered."""
    invoice = world.invoice(number, amount, DUE + dt.timedelta(days=days))
    with world.db.writer.begin() as conn:
        netting.net(world.context(conn), [(SELLER, OBLIGOR, "EUR")])
    return eligible(world.get(Invoice, invoice))


def test_golden_10_a_credit_note_after_finance_goes_on_to_the_next_invoices(world: World) -> None:
    world.financed()
    credit_note(world, "30,000.00")
    assert of_notes(world) == row("4.14 accepted")
    assert [
        one.reason for one in world.all(NoEntry) if one.event_kind == "credit_note.carried"
    ] == ["the anchor still pays the face"]
    offered = [
        next_invoice(world, f"INV-{n}", amount, n)
        for n, amount in enumerate(("12,000.00", "10,000.00", "25,000.00", "40,000.00"), start=2)
    ]
    assert offered == [0, 0, eur("17,000"), eur("40,000")]
    whole = row("4.14 accepted")
    for key, minor in row("4.14 set").items():
        whole[key] = whole.get(key, 0) + minor
    assert of_notes(world) == {key: minor for key, minor in whole.items() if minor}
    must_agree(world)


def test_a_credit_note_on_money_that_nobody_financed_is_the_firms_own_to_book(
    world: World,
) -> None:
    world.invoice("INV-1", "1,000.00")
    credit_note(world, "400.00")
    credit_note(world, "900.00")
    assert next_invoice(world, "INV-2", "500.00", 2) == eur("200")
    assert of_notes(world) == {}


def test_only_what_the_named_invoice_left_is_carried(world: World) -> None:
    invoice = world.invoice("INV-1", "1,000,000.00")
    world.advance(invoice, "990,000.00")
    world.pay_out()
    credit_note(world, "30,000.00")
    twenty = {key: minor * 2 // 3 for key, minor in row("4.14 accepted").items()}
    assert of_notes(world) == twenty
    must_agree(world)
