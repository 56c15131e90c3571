"""What is said about an order changes what may be invoiced on it, in whatever order it comes."""

import itertools
import threading
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import SQLModel

from scf.db.engine import Database
from scf.documents import conservation, intake
from scf.documents.canonical import Kind
from scf.documents.models import Order, OrderLine
from tests.documents import messages, ubl
from tests.documents.trade import LINE_INVOICES, ORDERS, Trade, line_table, trade_on

ORDER = line_table([{"number": "PO-1", "amount": "100.00", "quantity": "10", "net": "100.00"}])


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def invoice(number: str, quantity: str, net: str, line: str = "1") -> bytes:
    return line_table(
        [{"number": number, "amount": net, "quantity": quantity, "net": net, "order": "PO-1",
          "order_line": line}]
    )  # fmt: skip


def order_of(trade: Trade) -> tuple[Any, dict[str, Any]]:
    order, line = Order.__table__, OrderLine.__table__  # type: ignore[attr-defined]
    with trade.db.snapshot() as conn:
        row = conn.execute(select(order)).one()
        lines = {one.line_ref: one for one in conn.execute(select(line))}
    return row, lines


def matched(trade: Trade, number: str) -> tuple[str, str | None]:
    row = trade.invoice(number)
    return row.match_state, row.match_code


def sound(trade: Trade) -> bool:
    with trade.db.snapshot() as conn:
        return not list(conservation.breaches(conn))


def test_a_change_of_quantity_keeps_the_price_and_lets_a_waiting_invoice_match(
    trade: Trade,
) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(invoice("I-1", "15", "150.00"), LINE_INVOICES)
    assert matched(trade, "I-1") == ("EXCEPTION", "QUANTITY_EXCEEDED")
    assert trade.hand_in(messages.change("C-1", "PO-1", ("1", "20", "", "3")))["stored"] == 1
    row, lines = order_of(trade)
    assert (row.total_minor, lines["1"].quantity_micro, lines["1"].net_minor) == (
        200_00, 20_000_000, 200_00,
    )  # fmt: skip
    assert (lines["1"].stated_micro, lines["1"].stated_minor) == (10_000_000, 100_00)
    assert matched(trade, "I-1") == ("MATCHED", None)
    assert sound(trade)


def test_changes_count_by_their_sequence_and_not_by_their_arrival(trade: Trade) -> None:
    papers = {
        "order": (ORDER, ORDERS),
        "first": (messages.change("C-1", "PO-1", ("1", "4", "40.00", "3"), sequence=1), None),
        "second": (
            messages.change(
                "C-2", "PO-1", ("1", "6", "60.00", "3"), ("2", "5", "25.00", "1"), sequence=2
            ),
            None,
        ),
    }
    seen = set()
    for number, turn in enumerate(itertools.permutations(papers)):
        for name in turn:
            content, mapping = papers[name]
            other = content.replace(b"PO-1", f"PO-{number + 7}".encode())
            other = other.replace(b">C-", f">C-{number + 7}00".encode())
            assert trade.hand_in(other, mapping)["stored"] == 1
    order, line = Order.__table__, OrderLine.__table__  # type: ignore[attr-defined]
    with trade.db.snapshot() as conn:
        for row in conn.execute(select(order)).all():
            lines = conn.execute(
                select(line.c.line_ref, line.c.quantity_micro, line.c.net_minor)
                .where(line.c.order_id == row.id)
                .order_by(line.c.line_ref)
            ).all()
            seen.add((row.total_minor, tuple(tuple(one) for one in lines)))
    assert seen == {(85_00, (("1", 6_000_000, 60_00), ("2", 5_000_000, 25_00)))}
    assert sound(trade)


def test_a_change_below_what_was_invoiced_takes_the_match_from_the_invoice(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(invoice("I-1", "8", "80.00"), LINE_INVOICES)
    assert matched(trade, "I-1") == ("MATCHED", None)
    trade.hand_in(messages.change("C-1", "PO-1", ("1", "5", "50.00", "3")))
    row, lines = order_of(trade)
    assert (lines["1"].quantity_micro, lines["1"].net_minor, row.total_minor) == (
        5_000_000, 50_00, 50_00,
    )  # fmt: skip
    assert (lines["1"].invoiced_micro, row.invoiced_minor) == (0, 0)
    (found,) = [one for one in trade.findings() if one.code == "CHANGE_BELOW_INVOICED"]
    assert found.facts == {
        "order_id": row.id, "line": "1", "ordered_micro": 5_000_000, "invoiced_micro": 8_000_000,
    }  # fmt: skip
    assert matched(trade, "I-1") == ("EXCEPTION", "QUANTITY_EXCEEDED")
    assert sound(trade)
    trade.hand_in(messages.change("C-2", "PO-1", ("1", "8", "80.00", "3"), sequence=2))
    assert matched(trade, "I-1") == ("MATCHED", None)
    assert sound(trade)


def test_a_cancelled_line_takes_no_invoice(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(messages.change("C-1", "PO-1", ("1", "", "", "2")))
    trade.hand_in(invoice("I-1", "1", "10.00"), LINE_INVOICES)
    assert matched(trade, "I-1") == ("EXCEPTION", "QUANTITY_EXCEEDED")


@pytest.mark.parametrize("cancelled_first", [True, False])
def test_a_cancelled_order_takes_no_invoice(trade: Trade, *, cancelled_first: bool) -> None:
    papers = [(messages.cancellation("X-1", "PO-1"), None), (ORDER, ORDERS)]
    for content, mapping in papers if cancelled_first else papers[::-1]:
        trade.hand_in(content, mapping)
    trade.hand_in(invoice("I-1", "1", "10.00"), LINE_INVOICES)
    assert order_of(trade)[0].standing == "CANCELLED"
    assert matched(trade, "I-1") == ("EXCEPTION", "ORDER_CANCELLED")


@pytest.mark.parametrize(
    ("paper", "standing"),
    [
        (messages.answer("R-1", "PO-1", "AP"), "ACCEPTED"),
        (messages.answer("R-1", "PO-1", "RE"), "REFUSED"),
        (messages.answer("R-1", "PO-1", "CA"), "CHANGED"),
        (messages.answer("R-1", "PO-1", "AB"), "OPEN"),
        (messages.yes_or_no("R-1", "PO-1", "true"), "ACCEPTED"),
        (messages.yes_or_no("R-1", "PO-1", "false"), "REFUSED"),
    ],
)
def test_the_sellers_answer_stands_on_the_order(trade: Trade, paper: bytes, standing: str) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(paper, actor=trade.seller)
    assert order_of(trade)[0].standing == standing


def test_a_seller_who_takes_a_refusal_back_may_invoice_again(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(messages.answer("R-1", "PO-1", "RE"), actor=trade.seller)
    trade.hand_in(invoice("I-1", "1", "10.00"), LINE_INVOICES, actor=trade.seller)
    assert matched(trade, "I-1") == ("EXCEPTION", "ORDER_REFUSED")
    trade.hand_in(messages.answer("R-2", "PO-1", "AP"), actor=trade.seller)
    assert matched(trade, "I-1") == ("MATCHED", None)


def test_nobody_changes_or_answers_in_the_name_of_the_other(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    forged = [
        messages.change("C-1", "PO-1", ("1", "99", "990.00", "3")),
        messages.cancellation("X-1", "PO-1"),
    ]
    told = [trade.hand_in(paper, actor=trade.seller) for paper in forged]
    told.append(trade.hand_in(messages.answer("R-1", "PO-1", "RE"), actor=trade.buyer))
    assert [trade.codes(one["upload_id"]) for one in told] == [["NOT_THE_SENDER"]] * 3
    row, lines = order_of(trade)
    assert (row.standing, row.version, lines["1"].quantity_micro) == ("OPEN", 1, 10_000_000)


def test_what_was_despatched_is_counted_on_the_line(trade: Trade) -> None:
    for paper in (messages.despatch("D-1", "PO-1", "4"), messages.despatch("D-2", "PO-1", "5")):
        trade.hand_in(paper, actor=trade.seller)
    trade.hand_in(ORDER, ORDERS)
    assert order_of(trade)[1]["1"].despatched_micro == 9_000_000
    again = trade.hand_in(messages.despatch("d 2", "PO-1", "5"), actor=trade.seller)
    assert (again["stored"], again["duplicate"]) == (0, 1)
    assert order_of(trade)[1]["1"].despatched_micro == 9_000_000


def test_messages_of_an_atomic_upload_work_once_it_is_published(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(messages.cancellation("X-1", "PO-1"), mode="atomic")
    assert order_of(trade)[0].standing == "CANCELLED"


def test_what_an_account_names_and_nobody_handed_in_is_told(trade: Trade) -> None:
    trade.invoices({"number": "I-1", "amount": "107.50"})
    paid = messages.remittance("REM-1", ("I-1", "107.50", "0.00"), ("I-9", "20.00", "5.00"))
    told = trade.hand_in(paid)
    assert (told["stored"], trade.codes(told["upload_id"])) == (
        1, ["CURRENCY_FROM_TOTAL", "INVOICE_UNKNOWN"],
    )  # fmt: skip
    assert trade.findings(told["upload_id"])[-1].value == "I-9"
    trade.hand_in(messages.statement("ST-1", "-7.50", ("I-1", "0.00", "7.50")), actor=trade.seller)
    trade.hand_in(messages.reminder("M-1", "107.50", "I-1"), actor=trade.seller)
    kept = {row.kind: row for row in trade.rows(Kind.REMITTANCE)}
    assert {kind: row.amount_minor for kind, row in kept.items()} == {
        "remittance": 122_50, "statement": -7_50, "reminder": 107_50,
    }  # fmt: skip
    assert [line["net_minor"] for line in kept["remittance"].lines] == [107_50, 15_00]
    assert trade.invoice("I-1").paid_minor == 0  # an announcement is no payment


def test_a_debit_note_is_a_claim_and_a_self_billed_invoice_the_buyers_own(trade: Trade) -> None:
    def as_root(paper: bytes, root: str, line: str, total: str, quantity: str) -> bytes:
        for old, new in (
            (b"InvoiceLine", line), (b"LegalMonetaryTotal", total), (b"InvoicedQuantity", quantity),
            (b"<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>", ""),
            (b"xsd:Invoice-2", f"xsd:{root}-2"),
            (b"<Invoice ", f"<{root} "), (b"</Invoice>", f"</{root}>"),
        ):  # fmt: skip
            paper = paper.replace(old, new.encode())
        return paper

    paper = ubl.invoice("DN-1", "50.00")
    trade.hand_in(
        as_root(paper, "DebitNote", "DebitNoteLine", "RequestedMonetaryTotal", "DebitedQuantity"),
        actor=trade.seller,
    )
    own = ubl.invoice("SB-1", "60.00")
    trade.hand_in(
        as_root(own, "SelfBilledInvoice", "InvoiceLine", "LegalMonetaryTotal", "InvoicedQuantity")
    )
    assert [
        (row.number, row.type_code, row.payable_minor, row.acceptance_state) for row in trade.rows()
    ] == [("DN-1", "383", 50_00, "NONE"), ("SB-1", "389", 60_00, "ACCEPTED")]


def test_two_messages_at_once_both_count(trade: Trade) -> None:
    trade.hand_in(ORDER, ORDERS)
    papers = [messages.despatch(f"D-{n}", "PO-1", "1") for n in range(4)]
    papers.append(messages.change("C-1", "PO-1", ("1", "20", "", "3")))
    uploads = [trade.receive(paper) for paper in papers]
    workers = [
        threading.Thread(target=intake.run_upload, args=(trade.world.platform, one))
        for one in uploads
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    _row, lines = order_of(trade)
    assert (lines["1"].despatched_micro, lines["1"].quantity_micro) == (4_000_000, 20_000_000)
    assert sound(trade)


@pytest.mark.parametrize(
    ("table", "spoilt"),
    [(Order, {"standing": "OPEN"}), (OrderLine, {"quantity_micro": 9_000_000}),
     (OrderLine, {"despatched_micro": 0})],
)  # fmt: skip
def test_an_order_that_forgot_a_message_is_found(
    trade: Trade, table: type[SQLModel], spoilt: dict[str, Any]
) -> None:
    trade.hand_in(ORDER, ORDERS)
    trade.hand_in(messages.despatch("D-1", "PO-1", "3"))
    trade.hand_in(messages.cancellation("X-1", "PO-1"))
    assert sound(trade)
    with trade.db.writer.begin() as conn:
        conn.execute(update(table).values(spoilt))
    with trade.db.snapshot() as conn:
        assert "ORDER_MESSAGES" in [breach.code for breach in conservation.breaches(conn)]
