"""Tables are read by an explicit mapping, in slices, and one bad row costs one row."""

import datetime as dt
import gzip
import io
import random

import pytest

from scf.documents.canonical import Kind
from scf.documents.readers.csvfile import Table, open_table
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.tablerows import TableRow
from tests.documents.readers.samples import table

GERMAN = ColumnMapping(
    kind=Kind.INVOICE,
    columns={
        "number": "Rechnungsnummer",
        "issue_on": "Rechnungsdatum",
        "due_on": "Fälligkeit",
        "seller_name": "Lieferant",
        "buyer_name": "Kunde",
        "currency": "Währung",
        "payable": "Betrag",
    },
    date_formats=("DD.MM.YYYY",),
    decimal="comma",
    header_row=3,
)
PLAIN = ColumnMapping(
    kind=Kind.INVOICE,
    columns={"number": "no", "issue_on": "date", "payable": "amount", "seller_name": "seller"},
    constants={"buyer_name": "Nordwerk Machines SE", "buyer_lei": "875500TRIBUTARYBUY89"},
    default_currency="EUR",
    encoding="utf-8",
)
HEADER = b"no,date,seller,amount\n"


def rows_of(opened: Table) -> list[TableRow]:
    assert opened.readable, opened.findings
    return list(opened.rows())


def plain(body: bytes, mapping: ColumnMapping = PLAIN) -> list[TableRow]:
    return rows_of(open_table(HEADER + body, mapping))


def codes(row: TableRow) -> list[tuple[str, str]]:
    return [(found.code, found.place) for found in row.findings if found.is_error]


def test_a_german_export_with_a_preamble_is_read_by_its_mapping() -> None:
    opened = open_table(table("invoices-german"), GERMAN)
    assert [(found.code, found.value) for found in opened.findings] == [
        ("ENCODING", "utf-8"),
        ("DELIMITER", ";"),
    ]
    results = rows_of(opened)
    assert [row.row for row in results] == [4, 5, 6, 8, 9]
    first, second, third = (row.document for row in results[:3])
    assert first is not None
    assert second is not None
    assert third is not None
    assert (first.number, first.payable_minor, first.due_on) == (
        "R-1", 1400000, dt.date(2026, 6, 30),
    )  # fmt: skip
    assert second.seller.name == "Falk & Söhne; Guss"
    assert second.payable_minor == 123456789
    assert third.payable_minor == 9950
    assert codes(results[3]) == [("DATE", "row 8, column Rechnungsdatum")]
    assert codes(results[4]) == [("AMOUNT_FORMAT", "row 9, column Betrag")]


def test_rows_of_one_order_are_its_lines() -> None:
    opened = open_table(table("orders-by-line"), kind=Kind.ORDER)
    first, second = rows_of(opened)
    assert first.document is not None
    assert first.row_count == 2
    assert [line.net_minor for line in first.document.lines] == [1000000, 260200]
    assert [line.quantity for line in first.document.lines] == ["400", "650.5"]
    assert first.document.net_minor == 1260200
    assert second.document is not None
    assert [line.line_id for line in second.document.lines] == ["10"]


def test_rows_of_one_document_that_differ_in_the_header_are_refused() -> None:
    data = table("orders-by-line").replace(b"PO-1,2026-01-12", b"PO-1,2026-01-11", 1)
    (contradictory, other) = rows_of(open_table(data, kind=Kind.ORDER))
    assert contradictory.document is None
    assert codes(contradictory) == [("HEADER_CONTRADICTS", "row 3, column Order Date")]
    assert other.document is not None


def test_payments_know_payer_payee_and_refunds() -> None:
    opened = open_table(
        table("payments"),
        ColumnMapping(
            kind=Kind.PAYMENT,
            columns={
                "payer_name": "payer", "payee_name": "payee", "amount": "amount",
                "paid_on": "paid date", "reference": "reference",
            },
            date_formats=("DD/MM/YYYY",),
            default_currency="GBP",
        ),
    )  # fmt: skip
    paid, refund, nobody, nothing = rows_of(opened)
    assert paid.document is not None
    assert paid.document.buyer.name == "Nordwerk Machines SE"
    assert paid.document.seller.name == "Brunn Castings GmbH"
    assert paid.document.issue_on == dt.date(2026, 1, 21)
    assert (paid.document.number, paid.document.payable_minor) == ("T-1", 150000)
    assert refund.document is not None
    assert refund.document.payable_minor == -20000
    assert codes(nobody) == [("PAYEE_MISSING", "row 4, column payee")]
    assert codes(nothing) == [("AMOUNT_ZERO", "row 5, column amount")]


def test_constants_fill_what_the_table_does_not_say() -> None:
    (row,) = plain(b"1,2026-01-05,Brunn,10.00\n")
    assert row.document is not None
    assert row.document.buyer.identifier("lei") == "875500TRIBUTARYBUY89"
    assert row.document.currency == "EUR"


@pytest.mark.parametrize(
    ("line", "code", "place"),
    [
        (b"2,2026-01-05,Brunn", "COLUMN_COUNT", "row 3"),
        (b"2,2026-01-05,Brunn,10.00,more", "COLUMN_COUNT", "row 3"),
        (b"2,2026-01-05,Br\0unn,10.00", "NUL", "row 3"),
        (b'2,2026-01-05,"Brunn,10.00', "QUOTES", "row 3"),
        (b'2,2026-01-05,"Brunn"x,10.00', "QUOTES", "row 3"),
        (b"2,2026-01-05,Br\xfcnn,10.00", "ROW_UNREADABLE", "row 3"),
        (b"2,2026-01-05," + b"B" * 300_000 + b",10.00", "ROW_UNREADABLE", "row 3"),
        (b"2,2026-01-05," + b"B" * 10_001 + b",10.00", "TEXT_TOO_LONG", "row 3, column seller"),
        (b"2,2026-01-05," + b"B" * 600 + b",10.00", "TEXT_TOO_LONG", "row 3, column seller"),
        (b"2,2026-01-05,Bru\x07nn,10.00", "TEXT_UNSAFE", "row 3, column seller"),
        ("2,2026-01-05,Bru\u202enn,10.00".encode(), "TEXT_UNSAFE", "row 3, column seller"),
        (b"2,05.01.2026,Brunn,10.00", "DATE", "row 3, column date"),
        (b"2,2026-01-05,Brunn,=1+1", "AMOUNT_FORMAT", "row 3, column amount"),
        (b"2,2026-01-05,Brunn,", "PAYABLE_MISSING", "row 3, column amount"),
        (b",2026-01-05,Brunn,10.00", "NUMBER_MISSING", "row 3, column no"),
        (b"2,,Brunn,10.00", "ISSUE_DATE_MISSING", "row 3, column date"),
        (b"2,2026-01-05,,10.00", "SELLER_MISSING", "row 3, column seller"),
        (b"2,2026-01-05,Brunn,-10.00", "AMOUNT_NEGATIVE", "row 3, column amount"),
    ],
)
def test_a_bad_row_is_named_and_costs_no_other(line: bytes, code: str, place: str) -> None:
    before, bad, after = plain(
        b"1,2026-01-05,Brunn,10.00\n" + line + b"\n3,2026-01-05,Brunn,12.00\n"
    )
    assert before.document is not None
    assert after.document is not None
    assert after.document.number == "3"
    assert bad.document is None
    assert codes(bad) == [(code, place)]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (b"Bru\0nn", "NUL"),
        (b"x" * 200_000, "TEXT_TOO_LONG"),
        (b'"' + b"x" * 200_000 + b'"', "QUOTES"),
    ],
)
def test_a_cell_that_other_readers_fall_over_costs_its_row_only(cell: bytes, code: str) -> None:
    body = HEADER + b"1,2026-01-05," + cell + b",10.00\n2,2026-01-05,Brunn,10.00\n"
    bad, good = rows_of(open_table(body, PLAIN))
    assert [found.code for found in bad.findings if found.is_error] == [code]
    assert good.document is not None


def test_a_quoted_field_may_run_over_lines_and_hold_quotes_and_delimiters() -> None:
    body = b'1,2026-01-05,"Brunn ""Guss"",\nUlm",10.00\n2,2026-01-05,5" Pipes Ltd,11.00\n'
    first, second = plain(body)
    assert first.document is not None
    assert first.document.seller.name == 'Brunn "Guss", Ulm'
    assert second.document is not None
    assert second.document.seller.name == '5" Pipes Ltd'
    assert second.row == 4


def test_an_unreadable_line_inside_a_quoted_field_is_never_dropped_in_silence() -> None:
    body = b'1,2026-01-05,"Brunn\nbad \0 line\nUlm",10.00\n2,2026-01-05,Falk,11.00\n'
    *bad, good = plain(body)
    assert [row.findings[0].code for row in bad] == ["QUOTES", "NUL", "COLUMN_COUNT"]
    assert good.document is not None


def test_an_open_quote_at_the_end_of_the_file_costs_its_line_only() -> None:
    bad, *good = plain(b'1,2026-01-05,"Brunn,10.00\n' + b"2,2026-01-05,Falk,11.00\n" * 200)
    assert bad.findings[0].code == "QUOTES"
    assert len([row for row in good if row.document is not None]) == 200


def test_blank_rows_and_blank_columns_behind_are_passed_over() -> None:
    first, second = plain(b"1,2026-01-05,Brunn,10.00,,\n,,,\n\n2,2026-01-05,Brunn,11.00\r\n")
    assert (first.row, second.row) == (2, 5)


def test_a_formula_is_kept_as_the_text_it_is() -> None:
    (row,) = plain(b"=HYPERLINK(1),2026-01-05,+Brunn,10.00\n")
    assert row.document is not None
    assert (row.document.number, row.document.seller.name) == ("=HYPERLINK(1)", "+Brunn")


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-8-sig", "Müller & Söhne"),
        ("cp1252", "Müller & Söhne – Ulm"),
        ("utf-16", "Müller & Söhne"),
        ("gb18030", "上海精工机械有限公司"),
    ],
)
def test_the_encoding_is_found_and_told(encoding: str, name: str) -> None:
    data = (HEADER.decode() + f"1,2026-01-05,{name},10.00\n" * 3).encode(encoding)
    opened = open_table(data, PLAIN.model_copy(update={"encoding": ""}))
    first, *_ = rows_of(opened)
    assert first.document is not None
    assert first.document.seller.name == name
    assert opened.findings[0].code == "ENCODING"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_and_told(delimiter: str) -> None:
    data = (HEADER + b"1,2026-01-05,Brunn,10.00\n").replace(b",", delimiter.encode())
    (row,) = rows_of(open_table(data, PLAIN))
    assert row.document is not None


def test_a_header_without_a_mapped_column_reads_no_row() -> None:
    opened = open_table(b"no,date,seller\n1,2026-01-05,Brunn\n", PLAIN)
    assert not opened.readable
    assert [found.code for found in opened.findings if found.is_error] == ["COLUMN_MISSING"]
    assert list(opened.rows()) == []


def test_a_column_that_stands_twice_is_refused() -> None:
    opened = open_table(b"no,date,seller,amount,amount\n1,2026-01-05,B,1.00,2.00\n", PLAIN)
    assert [found.code for found in opened.findings if found.is_error] == ["COLUMN_TWICE"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\0\0\0\0", b"\xff\xfe"])
def test_a_file_without_a_header_is_refused(data: bytes) -> None:
    opened = open_table(data, PLAIN)
    assert not opened.readable


def test_gzip_is_read_and_its_damage_reported() -> None:
    body = HEADER + b"".join(b"%d,2026-01-05,Brunn,10.00\n" % n for n in range(5000))
    packed = gzip.compress(body)
    assert len(rows_of(open_table(packed, PLAIN))) == 5000
    assert len(rows_of(open_table(io.BytesIO(packed), PLAIN))) == 5000
    cut = open_table(packed[:-500], PLAIN)
    assert not cut.readable
    assert "FILE_BROKEN" in [found.code for found in cut.findings]


def test_a_file_that_breaks_off_later_says_so_behind_its_good_rows() -> None:
    chance = random.Random(7)
    body = HEADER + b"".join(
        b"%d,2026-01-05,Brunn %d,10.00\n" % (n, chance.getrandbits(60)) for n in range(60_000)
    )
    cut = rows_of(open_table(gzip.compress(body)[:-9], PLAIN))
    assert len(cut) > 20_000
    assert [found.code for found in cut[-1].findings] == ["FILE_BROKEN"]
    assert cut[-1].row_count == 0


def test_a_packed_table_may_not_unpack_without_end() -> None:
    packed = gzip.compress(HEADER + b",,,\n" * 5_000_000)
    results = rows_of(open_table(packed, PLAIN))
    assert [found.code for found in results[-1].findings] == ["FILE_TOO_LARGE"]


def test_slices_keep_every_row_in_order() -> None:
    body = b"".join(b"%d,2026-01-05,Brunn,10.00\n" % n for n in range(1, 2501))
    slices = list(open_table(HEADER + body, PLAIN).slices(1000))
    assert [len(part) for part in slices] == [1000, 1000, 500]
    numbers = [row.document.number for part in slices for row in part if row.document]
    assert numbers == [str(n) for n in range(1, 2501)]


def test_a_due_date_that_no_column_gives_is_missed_once() -> None:
    opened = open_table(HEADER + b"1,2026-01-05,Brunn,10.00\n" * 3, PLAIN)
    assert [
        (found.code, found.place) for found in opened.findings if found.code != "DELIMITER"
    ] == [("DUE_DATE_MISSING", "header")]
    assert all(row.findings == () for row in opened.rows())


def test_three_bad_rows_in_a_hundred_give_exactly_as_many_reports() -> None:
    lines = [
        b"%d,2026-01-05,Brunn,%s\n" % (n, b"x" if n % 100 < 3 else b"10.00") for n in range(10_000)
    ]
    results = rows_of(open_table(HEADER + b"".join(lines), PLAIN))
    bad = [row for row in results if row.document is None]
    assert len(results) == 10_000
    assert len(bad) == 300
    assert all(len(row.findings) == 1 for row in bad)
    assert bad[3].findings[0].place == "row 102, column amount"
