"""Lists as strangers' programs write them are read exactly, or refused with the reason."""

import io
from typing import Any

import openpyxl
import pytest

from scf.documents.canonical import Kind
from scf.documents.readers import Format, read_file, sniff
from scf.documents.readers.csvfile import Table, open_table
from scf.documents.readers.proposing import propose_columns
from scf.documents.readers.values import plain_amount, read_date
from scf.kernel.findings import Severity

HEADER = "Invoice No,Invoice date,Due date,Supplier,Buyer,Amount,Currency"
ROW = "{},2026-10-13,2026-11-{},Brook BV,Nordwerk SE,{},EUR"
ROWS = [ROW.format(f"B-{day}", day, f"{day}.50") for day in range(13, 17)]


def opened(*lines: str, encoding: str = "utf-8") -> Table:
    return open_table("\n".join(lines).encode(encoding))


def numbers(table: Table) -> list[str]:
    return [row.document.number for row in table.rows() if row.document is not None]


def test_a_header_on_each_page_is_one_header() -> None:
    last = ROW.format("7000001", 20, "20.50")  # its number makes the second header look the better
    assert numbers(opened(HEADER, *ROWS, "", HEADER, last)) == [
        "B-13",
        "B-14",
        "B-15",
        "B-16",
        "7000001",
    ]


def test_a_first_row_of_values_is_no_header_and_is_not_lost() -> None:
    table = opened(*ROWS)
    assert not table.readable
    (found,) = (one for one in table.findings if one.code == "HEADER_MISSING")
    assert found.place == "row 1"


def test_sheets_with_the_same_columns_are_not_left_out_in_silence() -> None:
    book = openpyxl.Workbook()
    for name, last in (("August", 4), ("September", 2), ("Notes", -1)):
        sheet = book.create_sheet(name)
        for line in [HEADER, *ROWS][: last + 1] or ["Dear bank"]:
            sheet.append(line.split(","))
    book.save(content := io.BytesIO())
    table = open_table(content.getvalue())
    (found,) = (one for one in table.findings if one.code == "SHEETS_ALIKE")
    assert (found.severity, found.value) == (Severity.WARNING, "September")


@pytest.mark.parametrize(
    ("encoding", "header", "name"),
    [
        ("cp1250", "Číslo faktury;Datum vystavení;Datum splatnosti;Dodavatel;Celkem;Měna", "Žďár"),
        ("cp1250", "Numer;Data wystawienia;Termin płatności;Sprzedawca;Brutto;Waluta", "Łódź Stal"),
        ("cp1251", "Номер счета;Дата счета;Срок оплаты;Поставщик;Сумма;Валюта", "Завод"),
        ("cp1253", "Αριθμός τιμολογίου;Ημερομηνία;Λήξη;Προμηθευτής;Σύνολο;Νόμισμα", "Κρήτη"),
        ("cp1254", "Fatura No;Fatura Tarihi;Vade Tarihi;Sat\u0131c\u0131;Toplam;Para Birimi", "Ş"),
        ("cp932", "請求書番号;請求日;支払期日;仕入先;請求金額;通貨", "鈴木商事株式会社"),
        ("cp949", "송장번호;발행일;지급기일;공급업체;합계금액;통화", "대한물산"),
        ("utf-16-le", "Factuurnummer;Factuurdatum;Vervaldatum;Leverancier;Bedrag;Valuta", "Café"),
        ("cp1252", "N° facture;Date facture;Échéance;Fournisseur;Montant TTC;Devise", "Société £1"),
    ],
)  # fmt: skip
def test_the_names_of_columns_tell_the_encoding(encoding: str, header: str, name: str) -> None:
    rows = (f"A-{day};{day}.10.2026;{day}.11.2026;{name};{day}0,50;EUR" for day in (13, 14, 15))
    table = open_table("\r\n".join([header, *rows]).encode(encoding))
    assert table.mapping is not None, table.findings
    places = {field: table.header.index(column) for field, column in table.mapping.columns.items()}
    first = next(table.raw_rows()).cells
    assert {field: first[place] for field, place in places.items()} == {
        "number": "A-13", "issue_on": "13.10.2026", "due_on": "13.11.2026", "seller_name": name,
        "payable": "130,50", "currency": "EUR",
    }  # fmt: skip
    assert table.mapping.decimal == "comma"


def test_damaged_lines_do_not_change_the_letters_of_the_others() -> None:
    good = "\n".join([HEADER, *ROWS[:3]]).replace("Brook", "Müller").encode()
    table = open_table(good + b"\n" + ROWS[3].replace("Brook", "Müller").encode("cp1252"))
    results = list(table.rows())
    assert {row.document.seller.name for row in results if row.document} == {"Müller BV"}
    assert [one.code for one in results[3].findings] == ["ROW_UNREADABLE"]


def test_lines_that_end_as_on_old_macintoshes_are_lines() -> None:
    assert len(numbers(open_table("\r".join([HEADER, *ROWS]).encode()))) == 4


def test_a_text_kept_from_a_spreadsheet_is_that_text() -> None:
    rows = (row.replace("B-", '="00', 1).replace(",", '",', 1) for row in ROWS)
    assert numbers(opened(HEADER, *rows)) == ["0013", "0014", "0015", "0016"]


def test_a_number_that_a_spreadsheet_has_rounded_is_refused() -> None:
    first, second = opened(HEADER, ROW.format("4.50000E+12", 13, "1.00"), ROWS[1]).rows()
    assert [one.code for one in first.findings if one.is_error] == ["NUMBER_ROUNDED"]
    assert second.document is not None


@pytest.mark.parametrize(
    "name", ["Amount (USD thousands)", "amount_cents", "金额/万元", "Betrag TEUR"]
)
def test_an_amount_in_thousands_or_cents_is_not_read_as_one_in_whole_units(name: str) -> None:
    table = opened(HEADER.replace("Amount", name), *ROWS)
    assert not table.readable
    assert "AMOUNT_SCALE" in {one.code for one in table.findings}
    by_hand = open_table(
        "\n".join([HEADER.replace("Amount", name), *ROWS]).encode(),
        opened(HEADER, *ROWS).mapping.model_copy(  # type: ignore[union-attr]
            update={
                "columns": {"number": "Invoice No", "issue_on": "Invoice date", "payable": name}
            }
        ),
    )
    assert not by_hand.readable


def test_a_row_that_its_type_calls_a_credit_note_is_no_invoice() -> None:
    lines = [f"{HEADER},Type", *(f"{row},Invoice" for row in ROWS[:3]), f"{ROWS[3]},Credit Memo"]
    results = list(opened(*lines).rows())
    assert [row.document is not None for row in results] == [True, True, True, False]
    assert results[0].document is not None
    assert results[0].document.type_code == ""
    assert [one.code for one in results[3].findings if one.is_error] == ["TYPE_CONTRADICTS"]


def columns(header: str, *rows: str) -> dict[str, str]:
    cells = [row.split(";") for row in rows]
    return propose_columns(header.split(";"), cells, Kind.INVOICE).columns


def test_a_name_that_is_nearly_known_needs_values_that_fit() -> None:
    found = columns(
        "Invoice account;Invoice;Date;Amount in transaction currency",
        "US-101;B-1;13/10/2026;100.50",
        "US-102;B-2;14/10/2026;200.50",
    )
    assert found["payable"] == "Amount in transaction currency"


def test_rows_that_are_counted_are_no_numbers_and_a_gross_amount_is_what_is_to_be_paid() -> None:
    found = columns(
        "Lp;Dowod;Data faktury;K_42;K_43;Kwota brutto",
        "1;F/13;2026-10-13;100,50;23,50;124,00",
        "2;F/14;2026-10-14;200,50;46,50;247,00",
    )
    assert (found["number"], found["payable"]) == ("Dowod", "Kwota brutto")


def test_what_is_due_is_told_by_dates_read_in_one_form() -> None:
    found = columns(
        "Invoice No;Date;Receive by;Amount",
        "1;10/05/2026;11/04/2026;1.00",
        "2;09/28/2026;10/03/2026;2.00",
        "3;10/02/2026;10/30/2026;2.00",
    )
    assert found["due_on"] == "Receive by"


def test_cells_with_day_and_month_turned_round_are_told() -> None:
    dates: list[Any] = ["13/10/2026", "14/10/2026", "25/10/2026"]
    cells = ["2026-05-10", "2026-06-10", "2026-07-10"]
    rows = [[f"B-{place}", one, "1.00"] for place, one in enumerate(dates + cells)]
    found = propose_columns(["Invoice No", "Invoice date", "Amount"], rows, Kind.INVOICE)
    assert found.has("DATES_TURNED")
    rows[0][1] = "2026-10-13"
    found = propose_columns(["Invoice No", "Invoice date", "Amount"], rows, Kind.INVOICE)
    assert not found.has("DATES_TURNED")


@pytest.mark.parametrize(
    ("text", "currency", "comma", "plain"),
    [
        ("1'000.-", "CHF", False, "1000"), ("1.000,--", "EUR", True, "1000"),
        ("−12,50", "EUR", True, "-12.50"), ("+12.50", "EUR", False, "12.50"),
        ("+-12.50", "EUR", False, None), ("12,34,567.00", "INR", False, "1234567.00"),
        ("12,34,567.00", "EUR", False, None), ("1,2,345.00", "INR", False, None),
    ],
)  # fmt: skip
def test_amounts_of_other_countries(
    text: str, currency: str, comma: bool, plain: str | None
) -> None:
    assert plain_amount(text, comma=comma, currency=currency) == plain


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Oct 3, 2026", "MMM DD, YYYY"), ("October 3rd, 2026", "MMM DD, YYYY"),
        ("3. Oktober 2026", "DD MMM YYYY"), ("3 de octubre de 2026", "DD MMM YYYY"),
        ("03OCT2026", "DD MMM YYYY"), ("3. 10. 2026", "DD.MM.YYYY"),
        ("2026.10.03.", "YYYY.MM.DD"), ("10/3/2026 12:00:00 AM", "MM/DD/YYYY"),
    ],
)  # fmt: skip
def test_dates_of_other_countries(text: str, form: str) -> None:
    assert str(read_date(text, (form,))) == "2026-10-03"


@pytest.mark.parametrize(
    "data",
    [
        b"<html><table><tr><td>Invoice No</td></tr></table></html>",
        b"<!DOCTYPE html>\n<html><body><br></body></html>",
        b'<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>',
    ],
)
def test_a_page_that_calls_itself_a_workbook_is_refused_with_what_to_do(data: bytes) -> None:
    (found,) = read_file(data).findings
    assert found.code == "FORMAT_UNKNOWN"
    assert "save it as XLSX or CSV" in " ".join(found.message.split())


def test_bytes_full_of_nuls_are_no_text() -> None:
    assert sniff("Invoice No,Amount\n1,2".encode("utf-16-be")) is Format.CSV
    assert sniff(bytes(range(0, 256, 3)) + b"\0\0\0\0" * 40) is Format.BINARY
