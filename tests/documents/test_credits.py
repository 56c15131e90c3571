"""Credit notes are netted to the cent, once, and never onto financed money."""

import pytest

from scf.db.engine import Database
from scf.documents import axes, conservation, rules
from scf.documents.canonical import Kind
from scf.documents.credits import open_credit
from scf.kernel.errors import Conflict, RuleViolation
from tests.documents import ubl
from tests.documents.trade import (
    BUYER,
    CREDIT_NOTES,
    DAY,
    DUE,
    INVOICES,
    SELLER,
    Trade,
    credit_table,
    trade_on,
)


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def credit(trade: Trade, number: str, amount: str, invoice: str = "") -> dict[str, int]:
    row = {"number": number, "amount": amount, "invoice": invoice}
    counts: dict[str, int] = trade.hand_in(credit_table([row]), CREDIT_NOTES)
    return counts


def free(trade: Trade) -> dict[str, int]:
    return {row.number: rules.eligible(row) for row in trade.rows()}


def note(trade: Trade, number: str) -> tuple[str, int]:
    row = next(row for row in trade.rows(Kind.CREDIT_NOTE) if row.number == number)
    return row.credit_state, row.allocated_minor


def still_open(trade: Trade) -> int:
    firms = trade.world.firms
    with trade.db.snapshot() as conn:
        assert list(conservation.breaches(conn)) == []
        return open_credit(conn, firms["seller"], firms["buyer"], "EUR")


def test_golden_10_named_invoices_first_then_by_due_date(trade: Trade) -> None:
    trade.invoices(
        {"number": "D", "amount": "40000.00", "due": "2026-07-31"},
        {"number": "C", "amount": "25000.00", "due": "2026-06-30"},
        {"number": "B", "amount": "10000.00", "due": "2026-05-31"},
        {"number": "A", "amount": "12000.00", "due": "2026-08-31"},
    )
    credit(trade, "G-1", "30000.00", "A")
    assert free(trade) == {"A": 0, "B": 0, "C": 1_700_000, "D": 4_000_000}
    assert sum(free(trade).values()) == 5_700_000
    assert note(trade, "G-1") == ("APPLIED", 3_000_000)
    assert trade.invoice("A").payment_state == "PAID"
    assert still_open(trade) == 0


def test_equal_due_dates_are_netted_by_invoice_date_then_number(trade: Trade) -> None:
    trade.invoices(
        {"number": "Y", "amount": "10.00", "date": "2026-01-15"},
        {"number": "Z", "amount": "10.00", "date": "2026-01-10"},
        {"number": "X", "amount": "10.00", "date": "2026-01-15"},
    )
    credit(trade, "G-1", "15.00", "Z")
    assert free(trade) == {"X": 500, "Y": 1000, "Z": 0}


def test_financed_money_stays_whole_and_the_rest_is_carried_to_the_next_invoice(
    trade: Trade,
) -> None:
    trade.invoices({"number": "A", "amount": "100.00"})
    trade.on(
        "A",
        lambda ctx, row: axes.accept(
            ctx, row, amount_minor=10_000, due_on=None, ipu=True, reason=""
        ),
    )
    trade.on("A", lambda ctx, row: axes.hold(ctx, row.id, 8_000))
    trade.on("A", lambda ctx, row: axes.finance(ctx, row.id, 8_000))
    credit(trade, "G-1", "70.00", "A")
    row = trade.invoice("A")
    assert (row.outstanding_minor, row.credited_minor, rules.eligible(row)) == (8_000, 2_000, 0)
    assert note(trade, "G-1") == ("ALLOCATED", 2_000)
    assert still_open(trade) == 5_000
    trade.invoices({"number": "B", "amount": "30.00", "due": "2026-07-31"})
    trade.invoices({"number": "C", "amount": "30.00", "due": "2026-07-01"})
    assert free(trade) == {"A": 0, "B": 0, "C": 1_000}
    assert note(trade, "G-1") == ("APPLIED", 7_000)


def test_an_unlinked_note_waits_and_blocks_the_pair_only_up_to_its_amount(trade: Trade) -> None:
    trade.invoices({"number": "A", "amount": "100.00"})
    credit(trade, "G-1", "70.00")
    assert free(trade) == {"A": 10_000}
    assert (note(trade, "G-1"), still_open(trade)) == (("UNLINKED", 0), 7_000)


def test_a_note_that_came_before_its_invoice_is_netted_when_it_arrives(trade: Trade) -> None:
    credit(trade, "G-1", "70.00", "INV-0007")
    assert note(trade, "G-1") == ("UNLINKED", 0)
    trade.invoices({"number": "inv 7", "amount": "100.00"})
    assert free(trade) == {"inv 7": 3_000}
    assert note(trade, "G-1") == ("APPLIED", 7_000)


def test_a_note_counts_once_however_it_is_sent_or_linked(trade: Trade) -> None:
    trade.invoices({"number": "A", "amount": "100.00"})
    credit(trade, "G-1", "70.00", "A")
    assert credit(trade, "g 1", "70.00", "A")["duplicate"] == 1
    (row,) = trade.rows(Kind.CREDIT_NOTE)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        trade.world.run(
            "credit_note.link",
            trade.seller,
            credit_note_id=row.id,
            invoice_ids=[trade.invoice("A").id],
        )
    assert free(trade) == {"A": 3_000}


def test_a_waiting_note_is_linked_by_hand_to_invoices_of_its_own_pair(trade: Trade) -> None:
    trade.invoices(
        {"number": "A", "amount": "100.00"}, {"number": "B", "amount": "50.00", "date": DAY}
    )
    credit(trade, "G-1", "70.00")
    (row,) = trade.rows(Kind.CREDIT_NOTE)
    with pytest.raises(RuleViolation, match="CREDIT_OTHER_PAIR"):
        trade.world.run(
            "credit_note.link", trade.seller, credit_note_id=row.id, invoice_ids=["nobody's"]
        )
    trade.world.run(
        "credit_note.link",
        trade.seller,
        credit_note_id=row.id,
        invoice_ids=[trade.invoice("B").id],
    )
    assert free(trade) == {"A": 8_000, "B": 0}
    assert still_open(trade) == 0


def test_a_note_that_names_a_paid_invoice_goes_to_the_next_one(trade: Trade) -> None:
    trade.invoices({"number": "A", "amount": "100.00"}, {"number": "B", "amount": "100.00"})
    trade.on("A", lambda ctx, row: axes.pay_rest(ctx, row.id, 10_000))
    credit(trade, "G-1", "30.00", "A")
    assert free(trade) == {"A": 0, "B": 7_000}


MIXED = INVOICES.model_copy(
    update={
        "columns": {**INVOICES.columns, "billing_reference": "credits"},
        "credit_by": ("type", "sign"),
    }
)


def mixed(*rows: str) -> bytes:
    """Write a list of invoices and credit notes: number, type, amount, what is credited."""
    head = "number,type,amount,credits,date,due,order,seller,buyer"
    rest = f"{DAY},{DUE},,{SELLER},{BUYER}"
    return "\n".join((head, *(f"{row},{rest}" for row in rows))).encode()


def test_a_credit_note_of_a_list_is_netted_as_one_in_xml_and_comes_in_once(trade: Trade) -> None:
    rows = (
        "A,,100.00,",
        "B,,50.00,",
        "G-1,Gutschrift,-30.00,A",
        "G-2,,-70.00,B",
        "G-3,381,-9.00,Z",
    )
    result = trade.hand_in(mixed(*rows), MIXED)
    assert (result["stored"], result["bad"]) == (5, 0)
    # What B cannot carry goes on to the pair's next invoice; what names nothing waits.
    assert free(trade) == {"A": 5_000, "B": 0}
    assert note(trade, "G-1") == ("APPLIED", 3_000)
    assert note(trade, "G-2") == ("APPLIED", 7_000)
    assert note(trade, "G-3") == ("UNLINKED", 0)
    assert still_open(trade) == 900
    assert trade.hand_in(ubl.credit_note("G-1", "30.00", "A"))["duplicate"] == 1
    assert trade.hand_in(ubl.credit_note("G-4", "5.00", "A"))["stored"] == 1
    assert trade.hand_in(mixed("G-4,,-5.00,A"), MIXED)["duplicate"] == 1
    assert free(trade) == {"A": 4_500, "B": 0}


def test_a_credit_note_by_typed_row_leaves_held_money_alone(trade: Trade) -> None:
    trade.invoices({"number": "A", "amount": "100.00"})
    trade.on("A", lambda ctx, row: axes.hold(ctx, row.id, 9_000))
    result = trade.hand_in(mixed("G-1,381,-40.00,A"), MIXED, document_type="invoice")
    assert result["stored"] == 1
    assert note(trade, "G-1") == ("ALLOCATED", 1_000)
    refused = trade.hand_in(
        mixed("B,,1.00,", "G-9,381,-1.00,A"), MIXED, document_type="credit_note"
    )
    assert (refused["stored"], refused["bad"]) == (1, 1)
    assert "TYPE_UNEXPECTED" in trade.codes(refused["upload_id"])
