"""UBL documents are read whole, or refused with every reason and its place."""

# ruff: noqa: RUF001 - an amount in fullwidth digits is one of the attacks

import datetime as dt

import pytest

from scf.documents.canonical import Account, Identifier, Kind, Reference
from scf.documents.readers import read_file
from tests.documents.readers.samples import changed, errors, only, ubl, warnings

FACTOR = (
    "<cac:PayeeParty><cac:PartyName><cbc:Name>Factor Bank AG</cbc:Name></cac:PartyName>"
    "</cac:PayeeParty>"
)


def test_an_invoice_gives_every_field_that_finance_needs() -> None:
    invoice = only(read_file(ubl("invoice")))
    assert invoice.findings == ()
    assert invoice.kind is Kind.INVOICE
    assert (invoice.number, invoice.type_code, invoice.currency) == ("R-2026-0117", "380", "EUR")
    assert (invoice.issue_on, invoice.due_on) == (dt.date(2026, 3, 2), dt.date(2026, 6, 30))
    assert invoice.delivered_on == dt.date(2026, 2, 27)
    assert invoice.lines_minor == 1260000
    assert (invoice.net_minor, invoice.tax_minor, invoice.gross_minor) == (1250000, 237500, 1487500)
    assert (invoice.allowance_minor, invoice.prepaid_minor) == (10000, 87500)
    assert invoice.payable_minor == 1400000
    assert invoice.order_reference == "PO-7781"
    assert invoice.despatch_references == ("DN-551",)
    assert invoice.contract_reference == "FR-12"
    assert invoice.buyer_reference == "Plant 4"
    assert invoice.payment_reference == "R-2026-0117"
    assert invoice.payment_terms == "120 days net."
    assert invoice.notes == ("Second delivery of the frame order.",)
    assert invoice.accounts == (
        Account("DE23500105170000123456", "INGDDEFFXXX", "", "Brunn Castings GmbH"),
    )


def test_a_party_carries_its_name_on_one_line_and_its_numbers_by_register() -> None:
    invoice = only(read_file(ubl("invoice")))
    assert invoice.seller.name == "Brunn Castings GmbH"
    assert invoice.seller.trading_name == "Brunn Castings"
    assert invoice.seller.country == "DE"
    assert invoice.seller.identifiers == (
        Identifier("endpoint:0088", "4000001000005"),
        Identifier("lei", "875500TRIBUTARYSEL07"),
        Identifier("vat", "DE136695976"),
        Identifier("reg:DE", "HRB 7712"),
    )
    assert invoice.buyer.identifier("lei") == "875500TRIBUTARYBUY89"
    assert invoice.buyer.identifier("vat") == "ATU13585627"


def test_lines_keep_exact_quantities_and_their_order_lines() -> None:
    first, second = only(read_file(ubl("invoice"))).lines
    assert (first.line_id, first.quantity, first.unit, first.net_minor) == (
        "1", "400", "C62", 1000000,
    )  # fmt: skip
    assert (first.price, first.price_quantity, first.order_line) == ("2500", "100", "10")
    assert first.item_ids == (Identifier("seller", "BH-80"),)
    assert (first.tax_category, first.tax_percent) == ("S", "19")
    assert (second.quantity, second.allowance_minor, second.net_minor) == ("650.5", 200, 260000)


def test_a_credit_note_names_its_invoice_and_takes_its_due_date_from_the_means_of_payment() -> None:
    credit = only(read_file(ubl("credit-note")))
    assert credit.kind is Kind.CREDIT_NOTE
    assert credit.billing_references == (Reference("R-2026-0117", dt.date(2026, 3, 2)),)
    assert credit.payable_minor == 29750
    assert credit.due_on == dt.date(2026, 6, 30)
    assert credit.findings == ()


def test_an_order_gives_its_lines_without_a_derived_tax() -> None:
    order = only(read_file(ubl("order")))
    assert order.kind is Kind.ORDER
    assert (order.buyer.name, order.seller.name) == ("Nordwerk Machines SE", "Brunn Castings GmbH")
    assert order.payable_minor == 1260200
    assert [line.line_id for line in order.lines] == ["10", "20"]
    assert [line.net_minor for line in order.lines] == [1000000, 260200]
    assert order.findings == ()


def test_a_receipt_gives_what_was_received_and_what_was_rejected() -> None:
    receipt = only(read_file(ubl("receipt")))
    assert receipt.kind is Kind.RECEIPT
    assert receipt.currency == ""
    assert receipt.order_reference == "PO-7781"
    (line,) = receipt.lines
    assert (line.quantity, line.rejected_quantity, line.short_quantity) == ("400", "10", "0")
    assert line.order_line == "10"
    assert line.delivered_on == dt.date(2026, 2, 27)
    assert receipt.findings == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<cbc:ID>R-2026-0117</cbc:ID>", "<cbc:ID> </cbc:ID>", "NUMBER_MISSING"),
        ("<cbc:IssueDate>2026-03-02</cbc:IssueDate>", "", "ISSUE_DATE_MISSING"),
        (">2026-03-02<", ">2026-02-30<", "DATE"),
        (">2026-03-02<", ">0026-03-02<", "DATE"),
        (">EUR</cbc:Doc", ">EUX</cbc:Doc", "CURRENCY"),
        (">14000.00</cbc:Pay", ">14000.001</cbc:Pay", "AMOUNT_DECIMALS"),
        (">14000.00</cbc:Pay", ">14.000,00</cbc:Pay", "AMOUNT_FORMAT"),
        (">14000.00</cbc:Pay", ">1E4</cbc:Pay", "AMOUNT_FORMAT"),
        (">14000.00</cbc:Pay", ">１４０００</cbc:Pay", "AMOUNT_FORMAT"),
        (">14000.00</cbc:Pay", ">NaN</cbc:Pay", "AMOUNT_FORMAT"),
        (">14000.00</cbc:Pay", ">99999999999999999</cbc:Pay", "AMOUNT_RANGE"),
        (">14000.00</cbc:Pay", ">14000.01</cbc:Pay", "PAYABLE_SUM"),
        (">14875.00<", ">14874.00<", "GROSS_SUM"),
        (">12500.00</cbc:TaxEx", ">12501.00</cbc:TaxEx", "NET_SUM"),
        (">10000.00<", ">10000.01<", "LINES_SUM"),
        (">100.00</cbc:Allow", ">101.00</cbc:Allow", "ALLOWANCE_SUM"),
        (">2375.00</cbc:TaxAmount>", ">2376.00</cbc:TaxAmount>", "TAX_SUM"),
        (">2026-06-30<", ">2026-03-01<", "DUE_BEFORE_ISSUE"),
        (">380<", ">381<", "TYPE_CONTRADICTS"),
        ('currencyID="EUR">14000', 'currencyID="USD">14000', "CURRENCY_MIXED"),
        ('currencyID="EUR">2500<', 'currencyID="USD">2500<', "CURRENCY_MIXED"),
        ('currencyID="EUR">14000', ">14000", "CURRENCY_MISSING"),
        ("Brunn Castings\n", "Brunn\u202eCastings\n", "TEXT_UNSAFE"),
        ("Brunn Castings\n", "Brunn&#x202E;Castings\n", "TEXT_UNSAFE"),
        ("Nordwerk Machines SE</cbc:Reg", "Nord\u200bwerk SE</cbc:Reg", "TEXT_UNSAFE"),
        (">R-2026-0117<", ">" + "9" * 129 + "<", "TEXT_TOO_LONG"),
        ("<cbc:Note>", "<cbc:Wrong>1</cbc:Wrong><cbc:Note>", "XSD"),
    ],
)
def test_a_wrong_invoice_is_refused_by_name(old: str, new: str, code: str) -> None:
    assert code in errors(changed(old, new))


def test_a_contradiction_shows_both_values_and_the_place() -> None:
    parsed = read_file(changed(">14000.00</cbc:Pay", ">14000.01</cbc:Pay"))
    (found,) = parsed.errors
    assert found.place == "/Invoice/cac:LegalMonetaryTotal/cbc:PayableAmount"
    assert "14000.00 EUR" in found.message
    assert found.value == "14000.01 EUR"


def test_a_line_is_found_by_its_position() -> None:
    parsed = read_file(changed(">2600.00<", ">2600.001<"))
    assert parsed.errors[0].place == "/Invoice/cac:InvoiceLine[2]/cbc:LineExtensionAmount"


def test_all_reasons_come_at_once() -> None:
    data = changed(">14875.00<", ">14874.00<").replace(b">2026-06-30<", b">2026-03-01<")
    assert {"GROSS_SUM", "PAYABLE_SUM", "DUE_BEFORE_ISSUE"} <= errors(data)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<cbc:DueDate>2026-06-30</cbc:DueDate>", "", "DUE_DATE_MISSING"),
        (">380<", ">386<", "NOT_A_RECEIVABLE"),
        (">380<", ">325<", "NOT_A_RECEIVABLE"),
        (">380<", ">393<", "TITLE_PRIOR"),
        (">380<", ">384<", "REPLACED_UNKNOWN"),
        (">380<", ">Sales<", "TYPE_UNKNOWN"),
        (
            "<cac:Delivery>",
            FACTOR + "<cac:Delivery>",
            "TITLE_PRIOR",
        ),
        ("DE23 5001", "DE24 5001", "IBAN"),
        ("SEL07", "SEL08", "LEI"),
        (">2500<", ">2501<", "LINE_AMOUNT"),
        (">19.00<", ">7.00<", "TAX_RATE"),
        ("ATU13585627", "DE136695976", "SAME_PARTY"),
    ],
)
def test_a_doubtful_invoice_is_kept_with_a_warning(old: str, new: str, code: str) -> None:
    assert warnings(changed(old, new)) == {code}


def test_a_payee_that_is_the_seller_by_its_number_is_no_sale_of_the_claim() -> None:
    data = changed(
        "<cac:Delivery>",
        '<cac:PayeeParty><cac:PartyIdentification><cbc:ID schemeID="0199">875500TRIBUTARYSEL07'
        "</cbc:ID></cac:PartyIdentification><cac:PartyName><cbc:Name>Brunn Cash</cbc:Name>"
        "</cac:PartyName></cac:PayeeParty><cac:Delivery>",
    )
    assert warnings(data) == set()


def test_a_self_billed_invoice_is_an_invoice() -> None:
    assert only(read_file(changed(">380<", ">389<"))).type_code == "389"


def test_an_invoice_below_zero_is_refused_as_a_credit_note() -> None:
    data = changed(">14000.00</cbc:Pay", ">-1.00</cbc:Pay").replace(b">875.00<", b">14876.00<")
    assert errors(data) == {"AMOUNT_NEGATIVE"}


def test_a_date_in_the_future_is_told_only_when_today_is_known() -> None:
    parsed = read_file(ubl("invoice"), today=dt.date(2026, 2, 28))
    assert [found.code for found in only(parsed).findings] == ["ISSUE_DATE_FUTURE"]
    assert only(read_file(ubl("invoice"), today=dt.date(2026, 3, 1))).findings == ()


def test_rounding_may_stand_inside_the_amount_with_tax() -> None:
    rounded = '<cbc:PayableRoundingAmount currencyID="EUR">0.30</cbc:PayableRoundingAmount>'
    data = (
        changed("<cbc:PayableAmount", rounded + "<cbc:PayableAmount")
        .replace(b">14875.00<", b">14875.30<")
        .replace(b">14000.00<", b">14000.30<")
    )
    assert only(read_file(data)).payable_minor == 1400030


def test_a_total_of_allowances_that_lists_none_is_told() -> None:
    text = ubl("invoice").decode()
    start, end = text.index("<cac:AllowanceCharge>"), text.index("<cac:TaxTotal>")
    assert warnings((text[:start] + text[end:]).encode()) == {"ALLOWANCE_UNLISTED"}


def test_the_tax_total_in_the_currency_of_the_tax_office_is_left_out() -> None:
    data = changed(
        "</cbc:DocumentCurrencyCode>",
        "</cbc:DocumentCurrencyCode><cbc:TaxCurrencyCode>SEK</cbc:TaxCurrencyCode>",
    ).replace(
        b"<cac:LegalMonetaryTotal>",
        b'<cac:TaxTotal><cbc:TaxAmount currencyID="SEK">27000.00</cbc:TaxAmount></cac:TaxTotal>'
        b"<cac:LegalMonetaryTotal>",
    )
    assert only(read_file(data)).tax_minor == 237500


def test_a_later_version_may_use_elements_that_the_schema_does_not_know() -> None:
    later = "<cbc:UBLVersionID>2.3</cbc:UBLVersionID>"
    data = changed("<cbc:CustomizationID>", later + "<cbc:CustomizationID>").replace(
        b"<cbc:Note>", b"<cbc:NewThing>1</cbc:NewThing><cbc:Note>"
    )
    assert warnings(data) == {"XSD"}


def test_violations_of_the_schema_name_their_line_and_are_bounded() -> None:
    data = changed("<cbc:Note>", "<cbc:Note><x/></cbc:Note>" * 50 + "<cbc:Note>")
    found = [one for one in read_file(data).findings if one.code == "XSD"]
    assert 0 < len(found) <= 20
    assert found[0].place.startswith("line ")


@pytest.mark.parametrize(
    ("name", "old", "new", "code"),
    [
        ("order", ">PO-7781<", "><", "NUMBER_MISSING"),
        ("order", ">12602.00</cbc:Line", ">12603.00</cbc:Line", "LINES_SUM"),
        ("order", "<cbc:ID>20<", "<cbc:ID>10<", "LINE_TWICE"),
        ("order", ">650.5<", ">abc<", "NUMBER"),
        ("order", "<cbc:IssueDate>", "<cbc:ID>PO-2</cbc:ID><cbc:IssueDate>", "ELEMENT_TWICE"),
        ("receipt", "<cbc:IssueDate>2026-02-28</cbc:IssueDate>", "", "ISSUE_DATE_MISSING"),
        ("receipt", "Nordwerk Machines SE", "", "BUYER_MISSING"),
        ("receipt", ">400<", ">4OO<", "NUMBER"),
        ("credit-note", ">381<", ">380<", "TYPE_CONTRADICTS"),
    ],
)
def test_the_other_kinds_are_held_to_their_rules(name: str, old: str, new: str, code: str) -> None:
    assert code in errors(changed(old, new, name))


def test_a_credit_note_without_its_invoice_waits() -> None:
    text = ubl("credit-note").decode()
    start, end = text.index("<cac:BillingReference>"), text.index("<cac:AccountingSupplierParty>")
    assert warnings((text[:start] + text[end:]).encode()) == {"CREDIT_UNLINKED"}


def test_an_unknown_document_is_named() -> None:
    parsed = read_file(b'<Catalogue xmlns="urn:x"><a/></Catalogue>')
    (found,) = parsed.errors
    assert (found.code, found.value) == ("FORMAT_UNKNOWN", "{urn:x}Catalogue")


def test_the_same_bytes_give_the_same_document() -> None:
    assert read_file(ubl("invoice")) == read_file(ubl("invoice"))
