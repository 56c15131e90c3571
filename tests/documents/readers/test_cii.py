"""Cross industry invoices say the same as their UBL, or are refused with every reason."""

import datetime as dt

import pytest

from scf.documents.canonical import CanonicalDocument, Identifier, Kind, Reference, Source
from scf.documents.readers import read_file
from tests.documents.readers.samples import cii, errors, only, replaced, ubl, warnings

SUMMATION = "ram:SpecifiedTradeSettlementHeaderMonetarySummation"
FACTOR = "<ram:PayeeTradeParty><ram:Name>Factor Bank AG</ram:Name></ram:PayeeTradeParty>"
TEST = "<ram:TestIndicator><udt:Indicator>true</udt:Indicator></ram:TestIndicator>"
TAX = "<ram:TaxTotalAmount>1</ram:TaxTotalAmount>"
CREDIT = (
    '<ram:InvoiceReferencedDocument xmlns:qdt="urn:un:unece:uncefact:data:standard:'
    'QualifiedDataType:100"><ram:IssuerAssignedID>R-2026-0001</ram:IssuerAssignedID>'
    '<ram:FormattedIssueDateTime><qdt:DateTimeString format="102">20260105</qdt:DateTimeString>'
    "</ram:FormattedIssueDateTime></ram:InvoiceReferencedDocument>"
)


def changed(old: str, new: str, name: str = "invoice") -> bytes:
    return replaced(cii(name), old, new)


def content(document: CanonicalDocument) -> CanonicalDocument:
    """Leave out where the document stood and what was found."""
    return document._replace(source=Source(), findings=())


def test_one_invoice_in_ubl_and_in_cii_is_one_document() -> None:
    assert content(only(read_file(cii()))) == content(only(read_file(ubl("invoice"))))
    assert only(read_file(cii())).seller.address == "Ulm"


def test_an_invoice_of_zugferd_1_is_read_with_its_freight_as_a_charge() -> None:
    invoice = only(read_file(cii("zugferd-1")))
    assert invoice.findings == ()
    assert (invoice.number, invoice.order_reference) == ("R-2026-0118", "PO-7781")
    assert (invoice.issue_on, invoice.due_on) == (dt.date(2026, 3, 3), dt.date(2026, 4, 2))
    assert (invoice.lines_minor, invoice.charge_minor, invoice.allowance_minor) == (
        8000,
        2000,
        None,
    )
    assert (invoice.net_minor, invoice.tax_minor, invoice.payable_minor) == (10000, 1900, 11900)
    (line,) = invoice.lines
    assert (line.quantity, line.price, line.order_line, line.tax_percent) == ("4", "20", "10", "19")
    assert line.item_ids == (Identifier("seller", "BH-80"),)


@pytest.mark.parametrize("code", ["381", "261", "396"])
def test_the_type_code_makes_a_credit_note(code: str) -> None:
    data = replaced(changed(">380<", f">{code}<"), f"</{SUMMATION}>", f"</{SUMMATION}>{CREDIT}")
    credit = only(read_file(data))
    assert (credit.kind, credit.type_code) == (Kind.CREDIT_NOTE, code)
    assert credit.billing_references == (Reference("R-2026-0001", dt.date(2026, 1, 5)),)


def test_a_tax_stated_in_two_currencies_is_that_of_the_invoice() -> None:
    data = changed(
        "<ram:InvoiceCurrency", "<ram:TaxCurrencyCode>GBP</ram:TaxCurrencyCode><ram:InvoiceCurrency"
    )
    data = replaced(
        data,
        "<ram:GrandTotal",
        '<ram:TaxTotalAmount currencyID="GBP">2011.00</ram:TaxTotalAmount><ram:GrandTotal',
    )
    invoice = only(read_file(data))
    assert (invoice.tax_minor, invoice.tax_currency) == (237500, "GBP")


def test_a_line_that_only_sums_up_others_is_not_counted_twice() -> None:
    status = "<ram:LineStatusReasonCode>{}</ram:LineStatusReasonCode>"
    line = cii().decode().partition("<ram:IncludedSupply")[2].partition("</ram:IncludedSupply")[0]
    group = line.replace("</ram:LineID>", "</ram:LineID>" + status.format("GROUP"), 1)
    whole = f"<ram:IncludedSupply{group}</ram:IncludedSupplyChainTradeLineItem>"
    invoice = only(read_file(changed("<ram:IncludedSupply", whole + "<ram:IncludedSupply")))
    assert [line.net_minor for line in invoice.lines] == [1000000, 260000]


def test_a_subject_stands_in_front_of_its_note_as_in_ubl() -> None:
    data = changed(
        "order.</ram:Content>", "order.</ram:Content><ram:SubjectCode>AAI</ram:SubjectCode>"
    )
    assert only(read_file(data)).notes == ("#AAI#Second delivery of the frame order.",)


def test_several_due_dates_are_that_of_no_whole_invoice() -> None:
    terms = (
        "<ram:SpecifiedTradePaymentTerms><ram:DueDateDateTime>"
        '<udt:DateTimeString format="102">20260430</udt:DateTimeString></ram:DueDateDateTime>'
        "</ram:SpecifiedTradePaymentTerms>"
    )
    data = changed(f"<{SUMMATION}", f"{terms}<{SUMMATION}")
    assert only(read_file(data)).due_on is None
    assert "DUE_DATE_MISSING" in warnings(data)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<ram:Guideline", f"{TEST}<ram:Guideline", "NOT_A_RECEIVABLE"),
        ("</ram:InvoiceCurrencyCode>", f"</ram:InvoiceCurrencyCode>{FACTOR}", "TITLE_PRIOR"),
        (">380<", ">386<", "NOT_A_RECEIVABLE"),
        (">380<", ">393<", "TITLE_PRIOR"),
        ("DE23 5001", "DE24 5001", "IBAN"),
    ],
)
def test_what_may_not_be_financed_is_kept_with_a_warning(old: str, new: str, code: str) -> None:
    assert code in warnings(changed(old, new))


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (">R-2026-0117</ram:ID>", "> </ram:ID>", "NUMBER_MISSING"),
        ('format="102">20260302', 'format="102">20260230', "DATE"),
        ('format="102">20260302', 'format="616">202610', "DATE"),
        ('format="102">20260302', 'format="102">2026-03-02', "DATE"),
        (">EUR</ram:InvoiceCurrency", ">EUX</ram:InvoiceCurrency", "CURRENCY"),
        ("<ram:DuePayableAmount>14000.00", "<ram:DuePayableAmount>14000.001", "AMOUNT_DECIMALS"),
        ("<ram:DuePayableAmount>14000.00", "<ram:DuePayableAmount>14000.01", "PAYABLE_SUM"),
        (
            "<ram:DuePayableAmount>14000.00",
            '<ram:DuePayableAmount currencyID="USD">14000.00',
            "CURRENCY_MIXED",
        ),
        ("<ram:ChargeAmount>4", '<ram:ChargeAmount currencyID="USD">4', "CURRENCY_MIXED"),
        (">14875.00<", ">14874.00<", "GROSS_SUM"),
        (">2375.00</ram:TaxTotal", ">2376.00</ram:TaxTotal", "TAX_SUM"),
        ("<ram:AllowanceTotalAmount>100", "<ram:AllowanceTotalAmount>101", "ALLOWANCE_SUM"),
        (">10000.00<", ">10000.01<", "LINES_SUM"),
        ("<udt:Indicator>false", "<udt:Indicator>maybe", "ALLOWANCE"),
        ("Brunn Castings\n", "Brunn&#x202E;Castings\n", "TEXT_UNSAFE"),
        ("<ram:IncludedNote>", "<ram:Wrong>1</ram:Wrong><ram:IncludedNote>", "XSD"),
        (
            "<ram:DuePayable",
            "<ram:DuePayableAmount>1.00</ram:DuePayableAmount><ram:DuePayable",
            "ELEMENT_TWICE",
        ),
        (
            "<ram:GrandTotal",
            '<ram:GrandTotalAmount currencyID="USD">1</ram:GrandTotalAmount><ram:GrandTotal',
            "ELEMENT_TWICE",
        ),
        ("<ram:TypeCode>380", "<ram:ID>R-2</ram:ID><ram:TypeCode>380", "ELEMENT_TWICE"),
        ("<ram:GrandTotal", f"{TAX}<ram:GrandTotal", "TAX_TOTAL"),
        (
            "<ram:Reason>Frame order</ram:Reason>",
            "<ram:ActualAmount>1</ram:ActualAmount>",
            "ALLOWANCE",
        ),
        (">R-2026-0117</ram:ID>", ">R-2026<ram:ID/>-0117</ram:ID>", "TEXT_WITH_ELEMENTS"),
    ],
)  # fmt: skip
def test_a_wrong_invoice_is_refused_by_name(old: str, new: str, code: str) -> None:
    assert code in errors(changed(old, new))


def test_a_document_inside_the_document_is_refused() -> None:
    body = cii().decode().partition("?>")[2].strip()
    assert "DOCUMENT_NESTED" in errors(changed("Second delivery of the frame order.", body))


def test_a_contradiction_names_the_place_as_a_path() -> None:
    (found,) = read_file(
        changed("<ram:DuePayableAmount>14000.00", "<ram:DuePayableAmount>1")
    ).errors
    assert found.place == (
        "/rsm:CrossIndustryInvoice/rsm:SupplyChainTradeTransaction"
        f"/ram:ApplicableHeaderTradeSettlement/{SUMMATION}/ram:DuePayableAmount"
    )
    old = read_file(changed(">119.00</ram:Due", ">118.00</ram:Due", "zugferd-1"))
    assert old.errors[0].place == (
        "/rsm:CrossIndustryDocument/rsm:SpecifiedSupplyChainTradeTransaction"
        "/ram:ApplicableSupplyChainTradeSettlement"
        "/ram:SpecifiedTradeSettlementMonetarySummation/ram:DuePayableAmount"
    )
