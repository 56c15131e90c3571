"""An interchange is handed in as one file and comes to as many documents as it holds."""

import gzip

import pytest
from sqlalchemy import func, select

from scf.db.engine import Database
from scf.documents.canonical import Kind
from scf.documents.storing import TABLES
from tests.documents.readers.edi import BEG, BIG, edifact, x12
from tests.documents.trade import (
    BUYER,
    INVOICES,
    SELLER,
    Trade,
    invoice_table,
    trade_on,
)

PARTIES = (f"NAD+SU+{SELLER}::16++Seller", f"NAD+BY+{BUYER}::16++Buyer", "CUX+2:EUR")
ORDER = (
    "BGM+220+PO-1+9", "DTM+137:20260115:102", *PARTIES, "LIN+1", "QTY+21:9:KGM", "MOA+203:9",
    "PRI+AAA:1", "UNS+S", "MOA+79:9", "MOA+86:9", "CNT+2:1",
)  # fmt: skip


def invoice(number: str, amount: str) -> tuple[str, ...]:
    return (
        f"BGM+380+{number}+9", "DTM+137:20260201:102", "RFF+ON:PO-1", *PARTIES, "PAT+1",
        "DTM+13:20260630:102", "LIN+1", "QTY+47:3:KGM", f"MOA+203:{amount}", "PRI+AAA:1",
        "RFF+ON:PO-1:1", "UNS+S", f"MOA+79:{amount}", f"MOA+9:{amount}",
    )  # fmt: skip


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def test_the_good_messages_are_stored_matched_and_stored_once(trade: Trade) -> None:
    content = edifact(
        ("ORDERS", ORDER),
        ("INVOIC", invoice("I-1", "3.00")),
        ("INVOIC", invoice("I-2", "3.0x")),
        ("INVOIC", invoice("I-3", "3.00")),
        ("APERAK", ("BGM+313",)),
    )
    result = trade.hand_in(content, format="edifact")
    assert (result["state"], result["read"], result["stored"], result["bad"]) == ("DONE", 5, 3, 2)
    assert {(row.number, row.payable_minor, row.match_state) for row in trade.rows()} == {
        ("I-1", 300, "MATCHED"),
        ("I-3", 300, "MATCHED"),
    }
    told = {row.code: row.place for row in trade.findings(result["upload_id"])}
    assert told["AMOUNT_FORMAT"].startswith("message 3, segment ")
    assert told["MESSAGE_UNKNOWN"].startswith("message 5, segment 1 (UNH)")
    again = trade.hand_in(gzip.compress(content))
    assert (again["stored"], again["duplicate"], again["bad"]) == (0, 3, 2)
    # The same claim as a row of a table is the same claim.
    row = trade.hand_in(invoice_table([{"number": "I-1", "amount": "3.00"}]), INVOICES)
    assert (row["stored"], row["duplicate"]) == (0, 1)
    assert len(trade.rows()) == 2


def test_all_or_nothing_keeps_nothing_of_an_interchange_whose_end_is_wrong(trade: Trade) -> None:
    whole = edifact(("ORDERS", ORDER), ("INVOIC", invoice("I-1", "3.00")))
    cut = whole.replace(b"UNZ+2", b"UNZ+3")
    assert trade.hand_in(cut, mode="atomic")["state"] == "REFUSED"
    assert not trade.rows()
    assert trade.hand_in(whole, mode="atomic")["stored"] == 2


def test_x12_sets_come_in_beside_their_order(trade: Trade) -> None:
    def between(segments: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(
            f"{part[:6]}Seller*1*{SELLER}" if part.startswith("N1*SE")
            else f"{part[:6]}Buyer*1*{BUYER}" if part.startswith(("N1*BY", "N1*BT"))
            else part
            for part in segments
        )  # fmt: skip

    result = trade.hand_in(x12(("850", between(BEG)), ("810", between(BIG))))
    assert (result["stored"], result["bad"]) == (2, 0)
    (row,) = trade.rows()
    assert (row.number, row.payable_minor, row.currency) == ("I-77", 16800, "USD")
    with trade.db.snapshot() as conn:
        orders = conn.execute(select(func.count()).select_from(TABLES[Kind.ORDER])).scalar_one()
    assert orders == 1
