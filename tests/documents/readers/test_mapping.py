"""A mapping is proposed from the header and the data, and says what it could not decide."""

import pytest

from scf.documents.canonical import Kind
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.proposing import propose_mapping
from scf.kernel.errors import InvalidInput

ENGLISH = ["Invoice No.", "Invoice Date", "Due Date", "Supplier", "Supplier VAT", "Customer",
           "Currency", "Amount Due"]  # fmt: skip
GERMAN = ["Rechnungsnr.", "Rechnungsdatum", "Fälligkeitsdatum", "Lieferant", "Kunde", "Währung",
          "Rechnungsbetrag"]  # fmt: skip
CHINESE = ["发票号码", "开票日期", "到期日", "销售方名称", "购买方名称", "币种", "价税合计"]


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (ENGLISH, ["1", "2026-01-31", "2026-02-28", "B", "DE1", "N", "EUR", "1.50"]),
        (GERMAN, ["1", "31.01.2026", "28.02.2026", "B", "N", "EUR", "1.234,50"]),
        (CHINESE, ["1", "2026年1月31日", "2026年2月28日", "甲", "乙", "CNY", "1,234.50"]),
    ],
)
def test_headers_of_three_languages_are_understood(header: list[str], row: list[str]) -> None:
    mapping, findings = propose_mapping(header, [row])
    assert mapping is not None, findings
    assert mapping.kind is Kind.INVOICE
    wanted = {"number", "issue_on", "due_on", "seller_name", "buyer_name", "currency", "payable"}
    assert wanted <= set(mapping.columns)
    assert findings == []


def test_the_decimal_convention_and_date_form_come_from_the_data() -> None:
    mapping, _ = propose_mapping(
        GERMAN, [["1", "31.01.2026", "28.02.2026", "B", "N", "EUR", "1.234,50"]]
    )
    assert mapping is not None
    assert (mapping.decimal, mapping.date_formats) == ("comma", ("DD.MM.YYYY",))


def test_a_day_that_could_be_a_month_is_said_to_be_doubtful() -> None:
    row = ["1", "03/04/2026", "05/06/2026", "B", "DE1", "N", "EUR", "1.50"]
    mapping, findings = propose_mapping(ENGLISH, [row])
    assert mapping is not None
    assert mapping.date_formats == ("DD/MM/YYYY",)
    assert [found.code for found in findings] == ["DATE_AMBIGUOUS"]


def test_an_amount_that_could_be_a_thousand_is_said_to_be_doubtful() -> None:
    row = ["1", "2026-01-31", "2026-02-28", "B", "DE1", "N", "EUR", "1,234"]
    _, findings = propose_mapping(ENGLISH, [row])
    assert [found.code for found in findings] == ["DECIMAL_AMBIGUOUS"]


def test_a_header_without_an_amount_gives_no_mapping() -> None:
    mapping, findings = propose_mapping(["Invoice No", "Invoice Date", "Currency"], [])
    assert mapping is None
    assert [found.code for found in findings] == ["COLUMN_MISSING"]


def test_payments_and_orders_are_told_from_invoices() -> None:
    paid, _ = propose_mapping(
        ["Body Name", "Paid Date", "Trans No", "Amount", "Supplier Name", "Currency"], []
    )
    assert paid is not None
    assert paid.kind is Kind.PAYMENT
    assert paid.columns["payer_name"] == "Body Name"
    assert paid.columns["payee_name"] == "Supplier Name"
    order, _ = propose_mapping(
        ["PO Number", "Order Date", "Supplier", "Buyer", "Currency", "Total"], []
    )
    assert order is not None
    assert order.kind is Kind.ORDER


def test_a_mapping_survives_its_file() -> None:
    mapping, _ = propose_mapping(
        ENGLISH, [["1", "2026-01-31", "2026-02-28", "B", "DE1", "N", "EUR", "1.50"]]
    )
    assert mapping is not None
    assert ColumnMapping.from_json(mapping.to_json()) == mapping


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"kind": "invoice"}', '{"kind": "receipt", "columns": {}}',
        '{"kind": "invoice", "columns": {"number": "a", "issue_on": "b", "payable": "c"}}',
        '{"kind": "invoice", "columns": {"nonsense": "a"}, "default_currency": "EUR"}',
        '{"kind": "payment", "columns": {"paid_on": "a", "amount": "b"}, "default_currency": "E"}',
        '{"kind": "order", "columns": {"number": "a"}, "constants": {"number": "", "note": ""}}',
        '{"kind": "payment", "columns": {"paid_on": "a", "amount": "b"}, "script": "x"}',
    ],
)  # fmt: skip
def test_a_wrong_mapping_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        ColumnMapping.from_json(text)
    assert refused.value.code == "MAPPING"
