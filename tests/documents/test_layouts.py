"""Columns that a person confirmed once hold for every later table with that header."""

import json

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from scf.db.engine import Database
from scf.documents.layouts import header_digest
from scf.documents.readers.mapping import ColumnMapping
from tests.documents.archives.packing import packed
from tests.documents.readers.books import workbook
from tests.documents.trade import BUYER, SELLER, Trade, trade_on

# The firm's own side stands in no column: only a person can say that it is the buyer.
HEADER = ["Beleg", "Tag", "Frist", "Summe", "Von"]
MAPPING = ColumnMapping.from_json(
    json.dumps(
        {
            "kind": "invoice",
            "columns": {
                "number": "Beleg",
                "issue_on": "Tag",
                "due_on": "Frist",
                "payable": "Summe",
                "seller_duns": "Von",
            },
            "constants": {"buyer_duns": BUYER},
            "date_formats": ["DD.MM.YYYY"],
            "decimal": "comma",
            "default_currency": "EUR",
        }
    )
)


def sheet(*numbers: str, above: str = "", header: str = ";".join(HEADER)) -> bytes:
    rows = [f"{number};01.02.2026;30.06.2026;1.234,50;{SELLER}" for number in numbers]
    return ("\n".join([*([above] if above else []), header, *rows]) + "\n").encode()


def confirm(trade: Trade, content: bytes, header: list[str], mapping: ColumnMapping) -> None:
    """Do what the page does: the buyer looks at a file, says its columns, and it is read."""
    held = trade.receive(content, hold=True)
    trade.world.run(
        "upload.start",
        trade.buyer,
        upload_id=held,
        document_type="invoice",
        mapping=mapping,
        header_digest=header_digest(header),
    )
    assert trade.finished(held)["stored"] == 1


@pytest.fixture
def trade(db: Database) -> Trade:
    made = trade_on(db)
    confirm(made, sheet("K-1"), HEADER, MAPPING)
    return made


def test_a_later_table_with_that_header_needs_no_word(trade: Trade) -> None:
    later = trade.hand_in(sheet("K-2", "K-3", above="Rechnungen Februar;;;;"))
    assert (later["stored"], later["bad"]) == (2, 0)
    assert trade.invoice("K-3").payable_minor == 123_450
    assert "COLUMNS_CONFIRMED" in trade.codes(later["upload_id"])
    inside = trade.hand_in(packed({"a/liste.csv": sheet("K-4")}), name="mail.zip")
    assert inside["stored"] == 1
    assert trade.invoice("K-4").payable_minor == 123_450


def test_the_sender_of_the_file_says_more_than_what_was_confirmed(trade: Trade) -> None:
    other = MAPPING.model_copy(update={"decimal": "point", "date_formats": ("DD.MM.YYYY",)})
    told = trade.hand_in(sheet("K-5").replace(b"1.234,50", b"1234.50"), other)
    assert told["stored"] == 1
    assert "COLUMNS_CONFIRMED" not in trade.codes(told["upload_id"])
    payments = trade.hand_in(sheet("K-6"), document_type="payment")
    assert "COLUMNS_CONFIRMED" not in trade.codes(payments["upload_id"])


def test_another_header_and_another_firm_know_nothing_of_it(trade: Trade) -> None:
    renamed = ";".join(HEADER).replace("Von", "Woher")
    for summary in (
        trade.hand_in(sheet("K-7", header=renamed)),
        trade.hand_in(sheet("K-8"), actor=trade.seller),
    ):
        assert summary["stored"] == 0
        assert "COLUMNS_CONFIRMED" not in trade.codes(summary["upload_id"])


def test_a_file_that_came_before_the_word_is_read_without_it(trade: Trade) -> None:
    """So that whoever goes on with it after a worker's death reads it as it was begun."""
    fresh = [*HEADER[:-1], "Absender"]
    early = trade.receive(sheet("K-9", header=";".join(fresh)))
    trade.world.clock.advance(seconds=1)
    mapping = MAPPING.model_copy(update={"columns": {**MAPPING.columns, "seller_duns": "Absender"}})
    confirm(trade, sheet("K-10", header=";".join(fresh)), fresh, mapping)
    assert trade.finished(early)["stored"] == 0
    trade.world.clock.advance(seconds=1)
    assert trade.hand_in(sheet("K-11", header=";".join(fresh)))["stored"] == 1


def month(name: str, number: str, beside: str) -> bytes:
    def change(book: Workbook, sheet: Worksheet) -> None:
        sheet.title = name
        book.create_sheet(beside)["A1"] = "nothing here"

    return workbook(
        [HEADER, [number, "01.02.2026", "30.06.2026", "1.234,50", SELLER]], change=change
    )


def test_the_sheet_is_the_one_with_that_header_whatever_the_last_was_called(trade: Trade) -> None:
    named = MAPPING.model_copy(update={"sheet": "Januar"})
    confirm(trade, month("Januar", "S-1", "Notizen"), HEADER, named)
    assert trade.hand_in(month("Februar", "S-2", "Januar"))["stored"] == 1
    assert trade.invoice("S-2").payable_minor == 123_450
