"""Lists as programs of many countries print them are understood without code for any of them."""

import datetime as dt
from typing import Any

import pytest

from scf.documents.canonical import Kind
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.proposing import propose_columns
from tests.documents.readers.books import workbook

GERMAN: list[list[Any]] = [
    ["Kreditoren-Rechnungen November"],
    [],
    ["Rechnung", "", "Termine", "", "Lieferant", "", "Werte in EUR", ""],
    ["Nr.", "Bestellung", "vom", "zahlbar bis", "Name", "USt-IdNr.", "Netto", "Brutto"],
    ["B-1", "PO-1", "02.11.2026", "02.02.2027", "Brook BV", "NL004495445B01", "100,00", "121,00"],
    ["B-2", "PO-2", "13.11.2026", "03.02.2027", "Brook BV", "NL004495445B01", "90,00", "108,90"],
    ["Summe", "", "", "", "", "", "190,00", "229,90"],
]


def columns(text: str, kind: Kind = Kind.INVOICE) -> dict[str, str]:
    header, *rows = (line.split(";") for line in text.splitlines())
    return propose_columns(header, rows, kind).columns


def test_a_header_of_two_lines_with_merged_cells() -> None:
    table = open_table(workbook(GERMAN), kind=Kind.INVOICE)
    assert table.mapping is not None
    assert table.mapping.columns == {
        "number": "Rechnung Nr.",
        "order_reference": "Bestellung",
        "issue_on": "Termine vom",
        "due_on": "zahlbar bis",
        "seller_name": "Lieferant Name",
        "seller_vat": "Lieferant USt-IdNr.",
        "net": "Netto (EUR)",
        "payable": "Brutto (EUR)",
    }
    results = list(table.rows())
    assert [row.row for row in results] == [5, 6, 7]
    assert [found.code for found in results[2].findings] == ["ROW_TOTAL"]


def test_japanese() -> None:
    assert columns(
        "請求書番号;請求日;支払期日;仕入先名;税抜金額;消費税;請求金額;備考\n"
        "S-001;2026/10/01;2026/11/30;株式会社山田製作所;100000;10000;110,000円;\n"
        "S-002;2026/10/15;2026/11/30;鈴木商事株式会社;50000;5000;55,000円;"
    ) == {
        "number": "請求書番号",
        "issue_on": "請求日",
        "due_on": "支払期日",
        "seller_name": "仕入先名",
        "net": "税抜金額",
        "tax": "消費税",
        "payable": "請求金額",
        "note": "備考",
    }


def test_a_number_of_a_vendor_is_not_its_name() -> None:
    found = columns(
        "DocumentNo;Vendor;Name 1;Doc. Date;Net due dt;Amt in loc.cur.;LCurr\n"
        "5100000123;0000100123;Acme Industries;10.01.2026;09.02.2026;1.234,56;EUR\n"
        "5100000124;0000100124;Bolt;11.01.2026;10.02.2026;2.000,00;EUR"
    )
    assert (found["seller_id"], found["seller_name"]) == ("Vendor", "Name 1")


def test_the_amount_of_an_order_line_is_no_total() -> None:
    found = columns(
        "订单号;行号;品名;数量;单价;金额;供应商;下单日期;币种\n"
        "P1;10;轴;100;25;2,500.00;甲公司;2026-10-01;CNY\n"
        "P1;20;铸件;10;30;300;甲公司;2026-10-01;CNY",
        Kind.ORDER,
    )
    assert found["line_net"] == "金额"
    assert "payable" not in found


def test_of_debits_and_credits_the_side_with_the_invoices_is_taken_as_a_guess() -> None:
    header = ["Document No", "Posting Date", "Due Date", "Vendor Name", "Debit", "Credit", "Ccy"]
    rows = [
        ["5100", "01/15/2026", "02/14/2026", "Acme Inc", "", "100.25", "USD"],
        ["5101", "01/16/2026", "02/15/2026", "Bolt LLC", "", "200", "USD"],
        ["5102", "01/17/2026", "02/16/2026", "Bolt LLC", "20", "", "USD"],
    ]
    found = propose_columns(header, rows, Kind.INVOICE)
    assert found.columns["payable"] == "Credit"
    assert "Credit" in found.guessed


def test_days_that_a_spreadsheet_counts() -> None:
    header = ["Invoice No", "Invoice Date", "Due Date", "Customer No", "Supplier", "Amount EUR"]
    rows = [
        ["1", 46023, 46053, 46011, "Acme", 10.5],
        ["2", 46024, 46054, 46012, "Acme", 20.5],
    ]
    table = open_table(workbook([header, *rows]), kind=Kind.INVOICE)
    assert table.mapping is not None
    assert table.mapping.date_formats == ("serial",)
    raw = [row.document or row for row in table.rows()]
    assert len(raw) == 2
    # A number that nobody calls a date is none.
    assert "issue_on" not in columns("Invoice No;Code;Amount\nA;46023;1.00\nB;46024;2.00")


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("R$ 1.234,56", "BRL"), ("1.234,56 zł", "PLN"), ("1.234,56 Kč", "CZK"),
        ("US$ 1,234.56", "USD"), ("1,234.56 元", "CNY"), ("₹1,234.56", "INR"),
    ],
)  # fmt: skip
def test_a_sign_of_one_currency_names_it(amount: str, currency: str) -> None:
    rows = [["A1", "2026-10-13", amount], ["A2", "2026-10-14", amount]]
    found = propose_columns(["Invoice No", "Invoice Date", "Amount"], rows, Kind.INVOICE)
    assert found.currency == currency
    assert found.decimal == ("point" if amount.index(",") < amount.index(".") else "comma")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("31.02.2027", "There is no such day, or none of our time."),
        ("00:00:00", "This is a time of day, and the date is missing."),
        ("soon", "This is no date of the form DD.MM.YYYY or YYYY-MM-DD."),
    ],
)
def test_a_wrong_date_says_what_is_wrong_with_it(text: str, message: str) -> None:
    more = [[f"B-{number}", *GERMAN[5][1:]] for number in range(5, 9)]
    wrong = [*GERMAN[:6], *more, ["B-3", "", text, *GERMAN[5][3:]]]
    wrong.append(["B-4", "", dt.date(2026, 11, 2), *GERMAN[5][3:]])
    table = open_table(workbook(wrong), kind=Kind.INVOICE)
    (found,) = (one for row in table.rows() for one in row.findings if one.code == "DATE")
    assert (found.message, found.value) == (message, text)
    told = [one.value for one in table.findings if one.code == "DATE_FORM"]
    assert told == [text]
