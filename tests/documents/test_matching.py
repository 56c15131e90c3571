"""What is invoiced was ordered, whichever paper came first and however many race."""

import threading

import pytest
from sqlalchemy import select, text, update

from scf.db.engine import Database
from scf.documents import conservation, intake
from scf.documents.matching import ProofGap, proof_gaps
from scf.documents.models import InvoiceLine, Order, OrderLine
from scf.documents.quantities import from_micro, to_micro
from scf.kernel.errors import ScfError
from tests.documents.messages import despatch
from tests.documents.trade import LINE_INVOICES, ORDERS, Trade, line_table, trade_on
from tests.documents.ubl import receipt

_order_line = OrderLine.__table__  # type: ignore[attr-defined]


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def order(trade: Trade, number: str = "PO-1", quantity: str = "10", net: str = "1000.00") -> None:
    row = {"number": number, "amount": net, "quantity": quantity, "net": net}
    assert trade.hand_in(line_table([row]), ORDERS)["stored"] == 1


def line_invoice(
    trade: Trade, number: str, quantity: str, net: str, more: dict[str, str] | None = None
) -> None:
    row = {
        "number": number,
        "amount": net,
        "order": "PO-1",
        "quantity": quantity,
        "net": net,
        "order_line": "1",
    }
    trade.hand_in(line_table([row | (more or {})]), LINE_INVOICES)


def counters(trade: Trade) -> tuple[int, int, int]:
    with trade.db.snapshot() as conn:
        row = conn.execute(select(_order_line)).one()
        assert list(conservation.breaches(conn)) == []
    return row.invoiced_micro, row.invoiced_minor, row.received_micro


def match_of(trade: Trade, number: str) -> tuple[str, str | None]:
    row = trade.invoice(number)
    return row.match_state, row.match_code


def test_parts_of_an_order_match_until_it_is_used_up(trade: Trade) -> None:
    order(trade)
    line_invoice(trade, "A-1", "4", "400.00")
    line_invoice(trade, "A-2", "6", "600.00")
    line_invoice(trade, "A-3", "0.000001", "0.01")
    assert [match_of(trade, f"A-{n}") for n in (1, 2, 3)] == [
        ("MATCHED", None),
        ("MATCHED", None),
        ("EXCEPTION", "QUANTITY_EXCEEDED"),
    ]
    assert counters(trade) == (10_000_000, 100_000, 0)
    assert "QUANTITY_EXCEEDED" in trade.codes()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"quantity": "10.5", "net": "1.00", "amount": "1.00"}, "QUANTITY_EXCEEDED"),
        ({"quantity": "1", "net": "1000.01", "amount": "1000.01"}, "AMOUNT_EXCEEDED"),
        ({"unit": "KGM"}, "UNIT_DIFFERS"),
        ({"order_line": "9"}, "ORDER_LINE_UNKNOWN"),
    ],
)
def test_what_the_order_does_not_cover_is_an_exception_and_counts_nowhere(
    trade: Trade, changed: dict[str, str], code: str
) -> None:
    order(trade)
    line_invoice(trade, "A-1", "4", "400.00", changed)
    assert match_of(trade, "A-1") == ("EXCEPTION", code)
    assert counters(trade) == (0, 0, 0)


def test_an_order_that_comes_after_its_invoices_matches_them(trade: Trade) -> None:
    line_invoice(trade, "A-1", "4", "400.00", {"order": "po 1"})
    trade.invoices({"number": "A-2", "amount": "600.00", "order": "PO-0001"})
    assert match_of(trade, "A-1") == ("UNMATCHED", None)
    order(trade)
    assert match_of(trade, "A-1") == match_of(trade, "A-2") == ("MATCHED", None)
    with trade.db.snapshot() as conn:
        book = conn.execute(select(Order.__table__)).one()  # type: ignore[attr-defined]
        line = conn.execute(select(InvoiceLine.__table__)).one()  # type: ignore[attr-defined]
    assert book.invoiced_minor == 100_000
    assert line.order_line_id is not None
    counters(trade)


def test_matching_again_looks_at_exceptions_too(trade: Trade) -> None:
    order(trade)
    line_invoice(trade, "A-1", "11", "900.00")
    assert match_of(trade, "A-1") == ("EXCEPTION", "QUANTITY_EXCEEDED")
    assert intake.match_all(trade.world.platform, trade.buyer) == {"EXCEPTION": 1}
    eleven = {"quantity_micro": 11_000_000, "stated_micro": 11_000_000}
    trade.act(lambda ctx: ctx.conn.execute(update(_order_line).values(**eleven)))
    trade.world.clock.advance(seconds=1)
    assert intake.match_all(trade.world.platform, trade.buyer) == {"MATCHED": 1}
    assert counters(trade) == (11_000_000, 90_000, 0)
    found = next(row for row in trade.findings() if row.code == "QUANTITY_EXCEEDED")
    assert found.resolved_at is not None


def test_receipts_count_before_or_after_their_order_and_never_beyond_it(trade: Trade) -> None:
    trade.hand_in(receipt("WE-1", "PO-1", received="7", rejected="2"))
    order(trade)
    assert counters(trade)[2] == 5_000_000
    line_invoice(trade, "A-1", "6", "600.00")
    invoice_id = trade.invoice("A-1").id
    with trade.db.snapshot() as conn:
        assert proof_gaps(conn, [invoice_id], "none") == {}
        assert proof_gaps(conn, [invoice_id], "order") == {}
        gap = ProofGap("1", 6_000_000, 5_000_000, "receipt")
        assert proof_gaps(conn, [invoice_id], "receipt") == {invoice_id: gap}
    trade.hand_in(receipt("WE-2", "PO-1", received="8"))
    assert counters(trade)[2] == 10_000_000
    assert "QUANTITY_EXCEEDED" in trade.codes()
    with trade.db.snapshot() as conn:
        assert proof_gaps(conn, [invoice_id], "receipt") == {}
        gap = ProofGap("1", 6_000_000, 0, "despatch")
        assert proof_gaps(conn, [invoice_id], "despatch") == {invoice_id: gap}
    trade.hand_in(despatch("D-1", "PO-1", "6"), actor=trade.seller)
    with trade.db.snapshot() as conn:
        assert proof_gaps(conn, [invoice_id], "despatch") == {}


def test_an_invoice_matched_by_its_total_has_no_proof_of_goods(trade: Trade) -> None:
    order(trade)
    trade.invoices({"number": "A-1", "amount": "600.00", "order": "PO-1"})
    trade.hand_in(receipt("WE-1", "PO-1", received="10"))
    assert match_of(trade, "A-1") == ("MATCHED", None)
    with trade.db.snapshot() as conn:
        (gap,) = proof_gaps(conn, [trade.invoice("A-1").id], "receipt").values()
    assert gap.line == ""


@pytest.mark.parametrize(("quantity", "net", "winners"), [("10", "1000.00", 1), ("1", "10.00", 10)])
def test_64_invoices_racing_for_one_order_line_share_it_exactly(
    trade: Trade, quantity: str, net: str, winners: int
) -> None:
    order(trade)
    uploads = [
        trade.receive(
            line_table(
                [
                    {
                        "number": f"R-{n}",
                        "amount": net,
                        "order": "PO-1",
                        "quantity": quantity,
                        "net": net,
                        "order_line": "1",
                    }
                ]
            ),
            LINE_INVOICES,
        )
        for n in range(64)
    ]
    start, failed = threading.Barrier(64), []

    def race(upload_id: str) -> None:
        start.wait()
        try:
            intake.run_upload(trade.world.platform, upload_id)
        except ScfError as refusal:
            failed.append(refusal.code)

    racers = [threading.Thread(target=race, args=(upload,)) for upload in uploads]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert set(failed) <= {"IN_PROGRESS", "DATABASE"}
    for upload in uploads:  # what gave up waiting goes on where it stopped
        intake.run_upload(trade.world.platform, upload)
    states = [row.match_state for row in trade.rows()]
    assert (states.count("MATCHED"), states.count("EXCEPTION")) == (winners, 64 - winners)
    assert counters(trade)[0] == 10_000_000


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE order_line SET invoiced_micro = invoiced_micro + 1", "ORDER_LINE_COUNT"),
        ("UPDATE order_line SET quantity_micro = 3999999", "ORDER_LINE_EXCEEDED"),
        ("UPDATE trade_order SET invoiced_minor = invoiced_minor - 1", "ORDER_COUNT"),
        ("UPDATE invoice SET credited_minor = 1", "INVOICE_AMOUNTS"),
        ("UPDATE invoice SET payment_state = 'PAID'", "INVOICE_AMOUNTS"),
    ],
)
def test_a_planted_error_in_any_counter_is_found(trade: Trade, change: str, code: str) -> None:
    order(trade)
    line_invoice(trade, "A-1", "4", "400.00")
    trade.act(lambda ctx: ctx.conn.execute(text(change)))
    with trade.db.snapshot() as conn:
        assert code in [breach.code for breach in conservation.breaches(conn)]


@pytest.mark.parametrize(
    ("written", "micro"),
    [("1", 1_000_000), ("0.000001", 1), ("0.0000001", None), ("", None), ("9" * 30, None)],
)
def test_a_quantity_is_exact_or_left_out(written: str, micro: int | None) -> None:
    assert to_micro(written) == micro
    if micro is not None:
        assert from_micro(micro) == written
