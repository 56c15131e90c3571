"""Credit notes among the rows of a list are taken by the mapping's word, and never guessed."""

import json

import pytest

from scf.documents.canonical import CanonicalDocument, Kind
from scf.documents.readers import read_file
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.handedover import handed_over, taken_over
from scf.documents.readers.mapping import ColumnMapping, CreditBy
from scf.documents.readers.tablerows import RowReader, TableRow
from scf.documents.readers.vocabulary import kind_of, plain, vocabulary
from scf.kernel.errors import InvalidInput
from tests.documents import ubl

FIELDS = ("number", "issue_on", "type_code", "payable", "tax", "billing_reference")
LINES = ("quantity", "price", "line_net")


def mapping(*by: CreditBy, lines: bool = False, kind: Kind = Kind.INVOICE) -> ColumnMapping:
    names = (*FIELDS, *(LINES if lines else ()))
    return ColumnMapping(
        kind=kind,
        columns={name: name for name in names},
        constants={"seller_name": "Seller Company", "buyer_name": "Buyer Company"},
        default_currency="EUR",
        credit_by=by,
    )


def read(how: ColumnMapping, *rows: str) -> list[TableRow]:
    text = "\n".join((",".join(how.columns), *rows)) + "\n"
    return list(open_table(text.encode(), how).rows())


def codes(row: TableRow) -> set[str]:
    assert row.document is None
    return {found.code for found in row.findings if found.is_error}


def document(row: TableRow) -> CanonicalDocument:
    assert row.document is not None, row.findings
    return row.document


CREDIT, BELOW = "G-1,2026-02-01,Gutschrift,119.00,19.00,I-1", "G-2,2026-02-01,,-119.00,-19.00,I-1"


def test_without_the_mappings_word_no_row_of_invoices_is_a_credit_note() -> None:
    typed, below = read(mapping(), CREDIT, BELOW)
    assert codes(typed) == {"TYPE_CONTRADICTS"}
    assert codes(below) == {"AMOUNT_NEGATIVE"}


@pytest.mark.parametrize("word", ["381", "credit note", "Gutschrift", "Avoir", "nota de crédito"])
def test_a_type_makes_a_row_a_credit_note_and_other_rows_stay_invoices(word: str) -> None:
    bill, note = read(
        mapping("type"),
        "I-1,2026-02-01,380,119.00,19.00,",
        CREDIT.replace("Gutschrift", word),
    )
    assert document(bill).kind is Kind.INVOICE
    assert document(note).kind is Kind.CREDIT_NOTE
    assert (document(note).payable_minor, document(note).type_code) == (11_900, "381")
    assert [one.number for one in document(note).billing_references] == ["I-1"]


def test_a_minus_makes_a_row_that_names_its_invoice_a_credit_note_over_that_amount() -> None:
    named, unnamed, contradicting = read(
        mapping("sign"),
        BELOW,
        "G-3,2026-02-01,,-119.00,-19.00,",
        BELOW.replace("G-2,2026-02-01,", "G-4,2026-02-01,380"),
    )
    note = document(named)
    assert (note.kind, note.payable_minor, note.tax_minor, note.net_minor) == (
        Kind.CREDIT_NOTE, 11_900, 1_900, 10_000,
    )  # fmt: skip
    assert codes(unnamed) == {"CREDIT_UNNAMED", "AMOUNT_NEGATIVE"}
    assert codes(contradicting) == {"TYPE_CONTRADICTS"}


def test_a_credit_note_without_the_minus_of_its_list_is_asked_about() -> None:
    typed = read(mapping("type", "sign"), CREDIT, CREDIT.replace("119.00,19", "-119.00,-19"))
    assert codes(typed[0]) == {"CREDIT_SIGN"}
    assert document(typed[1]).payable_minor == 11_900
    plus, minus = read(mapping("sign", kind=Kind.CREDIT_NOTE), CREDIT, BELOW)
    assert codes(plus) == {"CREDIT_SIGN"}
    assert document(minus).kind is Kind.CREDIT_NOTE


def test_a_minus_of_another_list_of_credit_notes_is_no_credit() -> None:
    (below,) = read(mapping(kind=Kind.CREDIT_NOTE), BELOW)
    assert codes(below) == {"AMOUNT_NEGATIVE"}


def test_lines_turn_with_their_credit_note() -> None:
    head = "G-5,2026-02-01,381,-30.00,0.00,I-1"
    (row,) = read(
        mapping("type", "sign", lines=True), f"{head},-2,5.00,-10.00", f"{head},4,-5.00,-20.00"
    )
    lines = document(row).lines
    assert [(one.quantity, one.price, one.net_minor) for one in lines] == [
        ("2", "5", 1_000), ("4", "5", 2_000),
    ]  # fmt: skip


def test_rows_of_one_document_must_agree_on_its_type() -> None:
    head = "G-5,2026-02-01,{},30.00,0.00,I-1"
    (row,) = read(
        mapping("type", lines=True),
        head.format("381") + ",1,10.00,10.00",
        head.format("380") + ",2,10.00,20.00",
    )
    assert "HEADER_CONTRADICTS" in codes(row)


def test_a_credit_note_names_several_invoices_divided_by_semicolons() -> None:
    (row,) = read(mapping("type"), CREDIT.replace("I-1", "I-1; I-2;"))
    assert [one.number for one in document(row).billing_references] == ["I-1", "I-2"]


def test_a_row_says_what_a_ubl_credit_note_says() -> None:
    (row,) = read(mapping("type"), "G-1,2026-02-20,381,5.00,,I-1")
    xml = read_file(ubl.credit_note("G-1", "5.00", "I-1")).documents[0]
    table = document(row)
    for name in ("kind", "number", "issue_on", "currency", "payable_minor", "billing_references"):
        assert getattr(table, name) == getattr(xml, name), name


def test_kinds_of_documents_travel_between_processes() -> None:
    how = mapping("type")
    rows = read(how, "I-1,2026-02-01,,1.00,,", CREDIT, BELOW)
    told = json.loads(json.dumps(list(handed_over(rows))))
    reader = RowReader(how, list(how.columns), None)
    back = [one for part in told for one in taken_over(part, reader)]
    assert [one.document for one in back] == [one.document for one in rows]
    told[0]["own"]["kind"][0] = "promise"
    with pytest.raises(InvalidInput, match="damaged"):
        list(taken_over(told[0], reader))


def test_a_list_that_counts_credit_notes_is_one_and_names_the_invoices_they_credit() -> None:
    names = set(map(plain, ("Gutschriftsnummer", "Rechnungsnummer", "Datum", "Betrag")))
    assert kind_of(names) is Kind.CREDIT_NOTE
    assert kind_of(names | {plain("Fällig am")}) is Kind.INVOICE  # only invoices fall due
    words = vocabulary(Kind.CREDIT_NOTE)
    assert words[plain("Credit note no.")] == "number"
    assert words[plain("Invoice number")] == "billing_reference"
    assert words[plain("Document number")] == "number"
    assert vocabulary(Kind.INVOICE)[plain("Invoice number")] == "number"
    assert vocabulary(Kind.INVOICE)[plain("Original invoice")] == "billing_reference"
