"""A workbook is read as it shows itself; what would act on its reader is refused."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.worksheet import Worksheet

from scf.documents.canonical import Kind
from scf.documents.readers import Format, sniff
from scf.documents.readers.csvfile import Table, open_table
from scf.documents.readers.mapping import ColumnMapping
from scf.kernel import confined
from scf.kernel.errors import TooLarge
from scf.kernel.workbook import plain_number
from tests.documents.readers.binary_books import Row, ods, xls, xlsb
from tests.documents.readers.books import HEADER, LEDGER, in_sheet, repacked, workbook

AFTERNOON = dt.datetime(2026, 3, 1, 13, 5)  # noqa: DTZ001 - a cell knows no zone
SELLER = {"seller_name": "Muster Maschinenbau", "seller_country": "DE"}
MAPPING = ColumnMapping(
    kind=Kind.INVOICE,
    columns={
        "number": "Beleg-Nr.",
        "issue_on": "Rg.-Datum",
        "due_on": "Fällig am",
        "buyer_name": "Kunde",
        "payable": "Betrag (EUR)",
    },
    constants=SELLER,
    date_formats=("DD.MM.YYYY", "YYYY-MM-DD"),
    decimal="comma",
    default_currency="EUR",
    header_row=5,
)


def codes(table: Table) -> list[str]:
    return [found.code for found in table.findings]


def test_a_printed_list_is_found_behind_its_cover_and_below_its_preamble() -> None:
    table = open_table(workbook(LEDGER, cover=True))
    assert table.header == HEADER
    assert table.mapping is not None
    assert table.mapping.header_row == 5
    assert table.mapping.columns == {
        "number": "Beleg-Nr.",
        "issue_on": "Rg.-Datum",
        "due_on": "Fällig am",
        "buyer_name": "Kunde",
        "buyer_vat": "USt-IdNr. Kunde",
        "payable": "Betrag (EUR)",
        "note": "Bemerkung",
    }
    assert (table.mapping.decimal, table.mapping.default_currency) == ("comma", "EUR")
    assert table.mapping.date_formats == ("DD.MM.YYYY", "YYYY-MM-DD")
    told = {found.code: found.value for found in table.findings}
    assert (told["SHEET"], told["SHEETS_UNREAD"]) == ("Rechnungen", "Deckblatt")


def test_its_rows_are_documents_or_mistakes_or_told_to_be_neither() -> None:
    results = list(open_table(workbook(LEDGER, cover=True), MAPPING).rows())
    read = {
        row.document.number: (
            row.document.issue_on,
            row.document.due_on,
            row.document.payable_minor,
        )
        for row in results
        if row.document is not None
    }
    assert read == {
        "4711": (dt.date(2026, 10, 1), dt.date(2026, 10, 31), 123_456),
        "4712": (dt.date(2026, 10, 2), dt.date(2026, 11, 3), 30),
        "RE-4714": (dt.date(2026, 10, 5), dt.date(2026, 11, 4), 150_000),
    }
    others = [(row.row, row.row_count, row.findings[0].code, row.findings[0].is_error)
              for row in results if row.document is None]  # fmt: skip
    assert others == [
        (8, 1, "CELL_ERROR", True),
        (9, 0, "ROW_HEADER", False),
        (11, 0, "ROW_TOTAL", False),
        (13, 0, "ROW_WORDS", False),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (1234.56, "1234.56"), (1e-7, "0.0000001"), (2026001.0, "2026001"),
     (-0.005, "-0.005"), (1e15, "1000000000000000"), (4.35 * 100, "435")],
)  # fmt: skip
def test_a_number_is_spelt_as_the_sheet_shows_it_in_full(value: float, text: str) -> None:
    assert plain_number(value) == text


OTHERS: dict[str, Callable[[Sequence[Row]], bytes]] = {
    "XLS": xls,
    "XLS from 1904": partial(xls, mac=True),
    "XLSB": xlsb,
    "XLSB from 1904": partial(xlsb, mac=True),
    "ODS": ods,
}


@pytest.mark.parametrize("form", OTHERS)
def test_a_workbook_of_another_format_is_the_same_table(form: str) -> None:
    data = OTHERS[form](
        [
            ["Invoice No", "Invoice Date", "Customer", "Amount (EUR)"],
            ["A-1", dt.date(2026, 2, 28), "Süd AG", 1234.5],
            ["A-2", dt.date(2026, 3, 1), None, -7],
        ]
    )
    assert sniff(data) is Format.XLSX
    table = open_table(data, kind=Kind.INVOICE)
    assert table.header == ["Invoice No", "Invoice Date", "Customer", "Amount (EUR)"]
    assert [row.cells for row in table.raw_rows()] == [
        ["A-1", "2026-02-28", "Süd AG", "1234.5"],
        ["A-2", "2026-03-01", "", "-7"],
    ]


@pytest.mark.parametrize("epoch", ["1900", "1904"])
def test_dates_mean_their_day_whichever_day_the_sheet_counts_from(epoch: str) -> None:
    def count_from(book: Workbook, _sheet: Worksheet) -> None:
        if epoch == "1904":
            book.epoch = CALENDAR_MAC_1904

    data = workbook([["Invoice No", "Invoice Date", "Amount"],
                     ["1", dt.date(2026, 2, 28), 1], ["2", AFTERNOON, 2]],
                    change=count_from)  # fmt: skip
    how = MAPPING.model_copy(update={"header_row": 1})
    rows = [row.cells[1] for row in open_table(data, how).raw_rows()]
    assert rows == ["2026-02-28", "2026-03-01 13:05:00"]


def test_what_a_person_does_not_see_is_told() -> None:
    def hide(book: Workbook, sheet: Worksheet) -> None:
        sheet.row_dimensions[6].hidden = True
        sheet.column_dimensions["G"].hidden = True
        sheet.merge_cells("A1:C1")
        book.create_sheet("Nebenrechnung").sheet_state = "hidden"

    data = workbook(LEDGER, change=hide)
    linked = repacked(data, more={"xl/externalLinks/externalLink1.xml": b"<externalLink/>"})
    told = codes(open_table(linked, MAPPING))
    assert set(told) >= {"ROWS_HIDDEN", "COLUMNS_HIDDEN", "CELLS_MERGED", "LINKS_EXTERNAL"}


def test_a_sheet_can_be_named_and_one_that_is_gone_is_told() -> None:
    data = workbook(LEDGER, cover=True)
    named = open_table(data, MAPPING.model_copy(update={"sheet": "Deckblatt", "header_row": 1}))
    assert named.header == ["Muster Maschinenbau"]
    gone = open_table(data, MAPPING.model_copy(update={"sheet": "Oktober"}))
    assert gone.header == HEADER
    assert "SHEET_MISSING" in codes(gone)


def test_a_formula_without_its_value_keeps_its_row_out() -> None:
    rows = [*LEDGER[:6], ["RE-1", dt.date(2026, 10, 2), "03.11.2026", "Süd AG", "", "=1+1", ""]]
    *_, last = open_table(workbook(rows), MAPPING).rows()
    assert last.document is None
    assert [(found.code, found.place) for found in last.findings] == [
        ("CELL_ERROR", "row 7, column Betrag (EUR)")
    ]


def test_a_long_sheet_is_read_to_its_end_when_nobody_holds_its_workbook() -> None:
    long = [["Invoice No", "Note"], *([f"{number}", "x" * 200] for number in range(2_000))]
    how = MAPPING.model_copy(update={"header_row": 1})
    raw = open_table(workbook(long), how).raw_rows()
    assert [row.cells[0] for row in raw] == [str(number) for number in range(2_000)]


# --- Hostile ------------------------------------------------------------------------------------

HONEST = workbook(LEDGER)
NO_SHEETS = repacked(HONEST, lambda _name, part: part.replace(b"<sheet ", b"<other "))
NOISE = random.Random(5).randbytes(40_000) * 100
ODS = ods([["Invoice No", "Amount"], ["A-1", 1]])
ODS_DDE = b"<table:dde-link/><table:table "
ODS_LOCK = b"<manifest><encryption-data/></manifest>"
ODS_ROWS = b'<table:table-row table:number-rows-repeated="1000000">'
DDE = b'<externalLink><ddeLink ddeService="cmd" ddeTopic="x"/></externalLink>'


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (repacked(HONEST, in_sheet(b"<row><c><v>1</v></c></row>" * 900_000)), "ZIP_RATIO"),
        (repacked(HONEST, more={f"x{n}": b"" for n in range(2001)}), "ZIP_ENTRIES"),
        (repacked(HONEST, more={"xl/vbaProject.bin": b"x"}), "FILE_MACROS"),
        (repacked(HONEST, more={"xl/embeddings/oleObject1.bin": b"x"}), "FILE_MACROS"),
        (repacked(HONEST, more={"xl/externalLinks/externalLink1.xml": DDE}), "FILE_DDE"),
        (repacked(HONEST, in_sheet(b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
         "READING_LIMIT"),
        (NO_SHEETS, "SHEETS_NONE"),
        (repacked(HONEST, more={f"xl/media/{n}.bin": NOISE for n in range(13)}), "ZIP_TOO_LARGE"),
        (repacked(ODS, more={"Basic/Standard/Module1.xml": b"<script/>"}), "FILE_MACROS"),
        (repacked(ODS, lambda _name, part: part.replace(b"<table:table ", ODS_DDE)), "FILE_DDE"),
        (repacked(ODS, lambda _name, part: part.replace(b"<manifest/>", ODS_LOCK)),
         "FILE_ENCRYPTED"),
        (repacked(ODS, lambda _name, part: part.replace(b"<table:table-row>", ODS_ROWS)),
         "ROWS_REPEATED"),
        (repacked(ODS, lambda name, part: part[:-90] if name == "content.xml" else part),
         "FILE_BROKEN"),
        (xls([["_VBA_PROJECT"]]), "FILE_MACROS"),
        (HONEST[:-200], "ZIP_BROKEN"),
        (HONEST.replace(b"PK\x05\x06", b"PK\x05\x07"), "ZIP_BROKEN"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
         "FILE_ENCRYPTED"),
    ],
)  # fmt: skip
def test_a_workbook_that_asks_for_too_much_or_acts_by_itself_is_refused(
    data: bytes, code: str
) -> None:
    assert sniff(data) is Format.XLSX
    table = open_table(data)
    assert codes(table) == [code]
    assert not table.readable
    assert list(table.rows()) == []


def test_a_directory_that_lies_about_sizes_is_found_out() -> None:
    bomb = repacked(HONEST, in_sheet(b"<row><c><v>1</v></c></row>" * 900_000))
    size = (900_000 * len(b"<row><c><v>1</v></c></row>")).bit_length()
    assert size > 20
    start = bomb.index(b"PK\x01\x02")
    lying = bytearray(bomb)
    while (start := lying.find(b"PK\x01\x02", start)) >= 0:
        lying[start + 24 : start + 28] = (1000).to_bytes(4, "little")
        start += 4
    assert codes(open_table(bytes(lying))) == ["ZIP_RATIO"]


def test_a_child_that_swallows_time_or_memory_is_ended_and_names_no_foreign_function() -> None:
    numbers = (b'<row r="%d"><c r="A%d"><v>%d</v></c></row>' % (n, n, n * n)
               for n in range(20, 300_000))  # fmt: skip
    slow = repacked(HONEST, in_sheet(b"".join(numbers)))
    wide = repacked(HONEST, in_sheet(b'<row r="1000000"><c r="ALL1000000"><v>1</v></c></row>'))
    for data, limits in (
        (slow, confined.Limits(cpu_seconds=1, output_bytes=1_000_000)),
        (wide, confined.Limits(memory_bytes=200_000_000)),
    ):
        with pytest.raises(TooLarge) as refused:
            confined.run("scf.kernel.workbook:unpack", data, limits=limits)
        assert refused.value.code == "READING_LIMIT"
    with pytest.raises(ValueError, match="no function of this project"):
        confined.run("os:system", b"")
