"""An invoice in PDF is its data, as long as the pages say the same and nothing in it can act."""

import zlib

import pytest

from scf.documents.readers import Format, facturx, read_file, sniff
from scf.kernel import confined
from scf.kernel import pdf as pdf_reader
from scf.kernel.effort import Exhausted, limited
from scf.kernel.errors import TooLarge
from tests.documents.readers.pdfs import (
    PAGE,
    filespec,
    invoice,
    parts,
    stream,
    updated,
    written,
)  # fmt: skip
from tests.documents.readers.samples import cii, errors, only, replaced, ubl, warnings

OTHER = replaced(cii(), "<ram:ID>R-2026-0117</ram:ID>", "<ram:ID>R-2026-0999</ram:ID>")
LOCK = f"<< /Filter /Standard /V 1 /R 2 /O <{'00' * 32}> /U <{'00' * 32}> /P -4 >>".encode()
SCRIPT = "<< /S /JavaScript /JS (app.alert) >>"


@pytest.fixture(autouse=True)
def without_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests ask what is read, not where: a process for each would take them minutes."""
    monkeypatch.setattr(facturx, "open_pdf", pdf_reader.opened_here)


def told(*page: str) -> set[str]:
    return warnings(invoice(cii(), page))


def test_an_invoice_in_pdf_is_the_document_of_the_xml_inside() -> None:
    data = invoice()
    assert sniff(data) is Format.PDF
    parsed = read_file(data)
    assert parsed.format == "facturx"
    document = only(parsed)
    assert document.findings == ()
    assert document == only(read_file(cii()))._replace(findings=())


@pytest.mark.parametrize(
    ("name", "relation"),
    [
        ("xrechnung.xml", "/Source"),
        ("zugferd-invoice.xml", "/Data"),
        ("ZUGFeRD-invoice.xml", "/Data"),
    ],
)
def test_the_attachment_may_have_any_of_its_names(name: str, relation: str) -> None:
    assert only(read_file(invoice(name=name, relation=relation))).number == "R-2026-0117"


def test_a_ubl_invoice_inside_a_pdf_is_read_too() -> None:
    assert only(read_file(invoice(ubl("invoice")))).payable_minor == 1400000


def test_attachments_that_are_no_invoice_are_left_alone() -> None:
    objects = parts()
    objects[1] = objects[1].replace(b"[7 0 R]", b"[7 0 R 9 0 R]")
    objects[9] = filespec(10, "hours.csv", "/Supplement")
    objects[10] = stream(b"day;hours\n1;8\n", "/Type /EmbeddedFile")
    assert only(read_file(written(objects))).number == "R-2026-0117"


def test_a_page_shown_on_opening_is_no_action() -> None:
    assert only(read_file(invoice(catalog="/OpenAction [3 0 R /Fit]"))).findings == ()


def test_a_change_that_leaves_the_invoice_alone_is_accepted() -> None:
    data = updated(invoice(), {11: b"<< /Title (seen) >>"})
    assert only(read_file(data)).number == "R-2026-0117"


@pytest.mark.parametrize(
    "spelling",
    [
        "14.000,00",
        "14,000.00",
        "14 000,00",
        "14000,00",
        "14000.00",
        "14'000.00",
        "1 4 . 0 0 0 , 0 0",
    ],
)
def test_the_amount_is_found_in_every_common_spelling(spelling: str) -> None:
    assert told(PAGE[0], f"Total: {spelling}") == set()


def test_the_number_is_found_without_its_zeros_and_torn_apart() -> None:
    assert told("Invoice no. R-2026-117", PAGE[2]) == set()
    assert told("R - 2026 - 01 17", PAGE[2]) == set()


@pytest.mark.parametrize(
    ("page", "outside"),
    [
        (("Rechnung Nr. R-2026-0200", PAGE[2]), "R-2026-0200"),
        (("Invoice number: 4711", PAGE[2]), "4711"),
        (("Invoice: 4712", PAGE[2]), "4712"),
        (("Rechnung RE-0815 vom 3.", PAGE[2]), "RE-0815"),
        ((PAGE[0], "Zahlbetrag 15.000,00 EUR"), "15000.00 EUR"),
        ((PAGE[0], "Amount due EUR 1,400.00"), "1400.00 EUR"),
        ((PAGE[0], "Total 1,401.00"), "1401.00 EUR"),
        ((PAGE[0], "Summe: 1.402,00"), "1402.00 EUR"),
        ((PAGE[0], "Net \xe0 payer 14 001,00 EUR"), "14001.00 EUR"),
        ((PAGE[0], "Total amount USD 14,000.00"), "USD"),
    ],
)
def test_a_page_that_says_otherwise_refuses_with_both_values(
    page: tuple[str, ...], outside: str
) -> None:
    (found,) = read_file(invoice(cii(), page)).errors
    assert (found.code, found.value) == ("PDF_DISAGREES", outside)
    assert outside in found.message
    assert any(one in found.message for one in ("R-2026-0117", "14000.00 EUR", "say EUR"))


def test_what_the_page_does_not_say_is_told() -> None:
    assert told("Brunn Castings GmbH", "Thank you for your order") == {
        "PDF_NUMBER_UNSEEN",
        "PDF_TOTAL_UNSEEN",
    }
    assert told() == {"PDF_TEXT_UNREAD"}


def test_metadata_that_names_another_file_or_profile_is_told() -> None:
    objects = parts(name="xrechnung.xml")
    objects[7] = filespec(8, "factur-x.xml")
    assert "PDF_DISAGREES" in errors(written(objects))
    assert "PDF_PROFILE" in warnings(invoice(level="EXTENDED"))


def two(xml: bytes) -> bytes:
    objects = parts()
    return written(objects | {9: filespec(10, "other.xml"), 10: stream(xml, packed=True)})


def two_in_one_file() -> bytes:
    objects = parts()
    objects[7] = objects[7].replace(b"/UF 8 0 R", b"/UF 10 0 R")
    return written(objects | {10: stream(OTHER)})


def swapped() -> bytes:
    return updated(invoice(OTHER), {8: parts()[8]})


def bomb() -> bytes:
    return written(parts() | {8: stream(bytes(80_000_000), packed=True)})


def many_objects() -> bytes:
    more = dict.fromkeys(range(20, pdf_reader.MAX_OBJECTS + 30), b"null")
    return written(parts() | more)


REFUSED = {
    "a script": (invoice(catalog=f"/OpenAction {SCRIPT}"), "PDF_ACTIVE"),
    "a script among the names": (
        written(parts() | {12: b"<< /JavaScript << /Names [] >> >>"}),
        "PDF_ACTIVE",
    ),
    "a program to launch": (
        written(parts() | {12: b"<< /Type /Action /S /L#61unch /F (calc.exe) >>"}),
        "PDF_ACTIVE",
    ),
    "a form that sends": (invoice(catalog="/OpenAction << /S /SubmitForm >>"), "PDF_ACTIVE"),
    "a link on opening": (invoice(catalog="/OpenAction << /S /URI /URI (x) >>"), "PDF_ACTIVE"),
    "a password": (written(parts() | {12: LOCK}, trailer="/Encrypt 12 0 R"), "PDF_ENCRYPTED"),
    "two invoices": (two(OTHER), "PDF_TWO_INVOICES"),
    "an invoice under one name, another under the other": (two_in_one_file(), "PDF_TWO_INVOICES"),
    "an invoice replaced by a change": (swapped(), "PDF_REPLACED"),
    "no attachment": (
        written({number: one for number, one in parts().items() if number < 7}),
        "PDF_NO_INVOICE",
    ),
    "an attachment that is no invoice": (invoice(b"<note/>"), "PDF_NO_INVOICE"),
    "a supplement": (invoice(relation="/Supplement"), "PDF_NO_INVOICE"),
    "an order": (invoice(b"<rsm:SCRDMCCBDACIOMessageStructure/>"), "PDF_NO_INVOICE"),
    "a bomb": (bomb(), "PDF_TOO_COMPLEX"),
    "very many objects": (many_objects(), "PDF_TOO_COMPLEX"),
    "too many bytes": (invoice() + bytes(pdf_reader.MAX_PDF_BYTES), "PDF_TOO_LARGE"),
    "cut in the middle": (invoice()[:1500], "PDF_BROKEN"),
    "a table that points elsewhere": (
        invoice().replace(b"startxref\n", b"startxref\n9"),
        "PDF_BROKEN",
    ),
    "something in front": (b"x" * 40 + invoice(), "PDF_BROKEN"),
    "deep nesting": (written(parts() | {12: b"[" * 50_000}), "PDF_BROKEN"),
    "a wrong invoice": (invoice(replaced(cii(), ">14875.00<", ">14874.00<")), "GROSS_SUM"),
    "broken XML": (invoice(cii()[:-10]), "XML_MALFORMED"),
    "a DOCTYPE": (invoice(cii().replace(b"?>", b"?><!DOCTYPE a>", 1)), "XML_DOCTYPE"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_pdf_is_refused_by_name(name: str) -> None:
    data, code = REFUSED[name]
    found = errors(data)
    assert code in found


def test_a_page_of_endless_work_is_not_read_and_that_is_told() -> None:
    objects = parts()
    objects[4] = stream(b"BT /F1 12 Tf " + b"(a) Tj " * 400_000 + b"ET", packed=True)
    assert warnings(written(objects)) == {"PDF_TEXT_UNREAD"}


def test_a_font_that_expands_without_end_is_not_read_and_that_is_told() -> None:
    ranges = b"beginbfrange\n<0000> <fff0> <0000>\nendbfrange\n" * 1000
    objects = parts() | {12: stream(ranges, packed=True)}
    objects[5] = objects[5].replace(b"/WinAnsiEncoding", b"/WinAnsiEncoding /ToUnicode 12 0 R")
    assert warnings(written(objects)) == {"PDF_TEXT_UNREAD"}


def test_work_is_counted_by_calls_and_by_the_size_of_what_they_look_at() -> None:
    with limited(1_000):
        assert [len(one) for one in ["ab"] * 100] == [2] * 100
    with pytest.raises(Exhausted), limited(1_000):
        [len(one) for one in ["ab"] * 1_000]
    large = b"x" * 1_000_000
    with pytest.raises(Exhausted), limited(1_000):
        large.find(b"y")
    with pytest.raises(Exhausted), limited(3_000):
        zlib.decompressobj().decompress(b"")


def test_a_pdf_is_opened_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    here = [read_file(data) for data in (invoice(), two(OTHER))]
    monkeypatch.undo()
    assert [read_file(data) for data in (invoice(), two(OTHER))] == here
    assert pdf_reader.open_pdf(invoice(), text=False).text == ""


@pytest.mark.parametrize("megabytes", [27, 34, 40])  # while it is loaded, and while it reads
def test_a_parser_that_swallows_memory_is_ended(megabytes: int) -> None:
    with pytest.raises(TooLarge) as refused:
        confined.run(
            "scf.kernel.pdf:unpack",
            invoice(),
            {"text": True},
            confined.Limits(memory_bytes=megabytes * 1_000_000),
        )
    assert refused.value.code == "READING_LIMIT"
