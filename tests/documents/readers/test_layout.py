"""The header of a table is found wherever it stands; what is no document below it is told."""

import pytest

from scf.documents.canonical import Kind
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.layout import find_header, joined, left_out
from scf.documents.readers.proposing import propose_columns
from scf.documents.readers.table import RawRow
from scf.documents.readers.values import currency_of, plain_amount
from scf.documents.readers.vocabulary import currency_in, starts_a_sum


def rows(*lines: str) -> list[RawRow]:
    return [RawRow(number, line.split(";")) for number, line in enumerate(lines, start=1)]


def test_a_header_of_two_lines_is_one_header() -> None:
    table = rows(
        "Open items;;;;;",
        "",
        "Document;;Dates;;Supplier;Values",
        "Number;Type;Invoice date;Due date;VAT ID;Amount (EUR)",
        "4711;RE;2026-10-01;2026-11-01;DE123456789;12.50",
    )
    found = find_header(table)
    assert (found.header_row, found.header_lines) == (3, 2)
    names = joined(table[2].cells, table[3].cells)
    assert names == ["Document Number", "Document Type", "Invoice date", "Due date",
                     "Supplier VAT ID", "Amount (EUR)"]  # fmt: skip
    proposal = propose_columns(names, [table[4].cells])
    assert set(proposal.columns) == {"number", "issue_on", "due_on", "seller_vat", "payable"}
    assert proposal.currency == "EUR"


def test_a_form_with_its_names_below_each_other_is_refused_with_a_word() -> None:
    data = b"Invoice No;4711\nInvoice Date;2026-10-01\nDue Date;2026-11-01\nAmount;12.50\n"
    table = open_table(data)
    assert "TABLE_TRANSPOSED" in [found.code for found in table.findings]
    assert list(table.rows()) == []


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Numéro de facture;Date de facture;Date d'échéance;Fournisseur;Montant TTC;Devise", "fr"),
        ("Número de factura;Fecha de emisión;Fecha de vencimiento;Proveedor;Importe total;Moneda",
         "es"),
        ("Numero fattura;Data fattura;Data scadenza;Fornitore;Totale documento;Valuta", "it"),
        ("Factuurnummer;Factuurdatum;Vervaldatum;Leverancier;Te betalen;Valuta", "nl"),
        ("Nr faktury;Data wystawienia;Termin płatności;Sprzedawca;Do zapłaty;Waluta", "pl"),
        ("Número da fatura;Data de emissão;Data de vencimento;Fornecedor;Valor total;Moeda", "pt"),
        ("송장번호;발행일;지급기일;공급자;합계금액;통화", "ko"),
        ("发票号码;开票日期;到期日;供应商;价税合计;币种", "zh"),
        ("Invocie Number;Invoice Dte;Due date;Suplier;Amount due;Currency", "misspelt"),
    ],
)  # fmt: skip
def test_names_in_ten_languages_and_with_slips_are_known(header: str, kind: str) -> None:
    proposal = propose_columns(header.split(";"), [], Kind.INVOICE)
    assert sorted(proposal.columns) == [
        "currency", "due_on", "issue_on", "number", "payable", "seller_name",
    ], kind  # fmt: skip


def test_unknown_names_are_judged_by_what_stands_below_them() -> None:
    sample = [
        [f"A-{number}", f"0{number}.10.2026", f"1{number}.11.2026", "1.234,56", "200,00", "EUR",
         "Nord GmbH", "DE89370400440532013000"]
        for number in range(1, 6)
    ]  # fmt: skip
    header = ["c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"]
    proposal = propose_columns(header, sample, Kind.INVOICE, partner="buyer_name")
    assert proposal.columns == {
        "number": "c1", "issue_on": "c2", "due_on": "c3", "payable": "c4", "currency": "c6",
        "buyer_name": "c7", "iban": "c8",
    }  # fmt: skip
    assert proposal.guessed == set(proposal.columns.values())


def test_a_day_is_told_from_a_month_by_the_whole_column() -> None:
    head = b"Invoice No,Invoice Date,Supplier,Customer,Currency,Amount\n"
    early = b"".join(b"%d,0%d/02/2026,S,C,EUR,1.50\n" % (n, n % 9 + 1) for n in range(200))
    for last, form in ((b"x,28/02/2026,S,C,EUR,1.50\n", "DD/MM/YYYY"),
                       (b"x,02/28/2026,S,C,EUR,1.50\n", "MM/DD/YYYY")):  # fmt: skip
        table = open_table(head + early + last)
        assert table.mapping is not None
        assert table.mapping.date_formats == (form,)
        assert "DATE_AMBIGUOUS" not in [found.code for found in table.findings]
    assert "DATE_AMBIGUOUS" in [found.code for found in open_table(head + early).findings]


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("Total;;;12.50", "ROW_TOTAL"),
        (";;Zwischensumme;1.234,50", "ROW_TOTAL"),
        ("合计;;;12.50", "ROW_TOTAL"),
        (";;;12.50", "ROW_TOTAL"),
        ("number;date;;amount", "ROW_HEADER"),
        ("Page 1 of 3;;;", "ROW_WORDS"),
        ("Total Energies;2026-10-01;Total Energies;12.50", ""),
        ("4711;;Nord GmbH;12.50", ""),
        ("4711;;;", ""),
        (";;;", ""),
    ],
)
def test_sums_headers_and_words_are_told_from_damaged_documents(cells: str, code: str) -> None:
    header = ["Number", "Date", "Name", "Amount"]
    found = left_out(RawRow(9, cells.split(";")), header, frozenset({3}))
    assert (found.code if found else "") == code


def test_a_currency_behind_a_name_or_an_amount_is_known() -> None:
    names = ("Amount (EUR)", "Betrag in €", "Montant GBP", "ART")
    assert [currency_in(name) for name in names] == ["EUR", "EUR", "GBP", ""]
    assert [currency_of(text) for text in ("12,50 EUR", "£5", "$5", "RE 4")] == [
        "EUR", "GBP", "", "",
    ]  # fmt: skip
    assert plain_amount("EUR 1.234,50", comma=True, currency="EUR") == "1234.50"
    assert plain_amount("1.234,50 USD", comma=True, currency="EUR") is None
    assert not starts_a_sum("Summerfield Ltd")
