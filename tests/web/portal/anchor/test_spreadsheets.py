"""A spreadsheet nobody has seen is mapped, imported, put right and remembered."""

import io
from pathlib import Path

import openpyxl
import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice, Upload
from tests.documents.readers.books import repacked, workbook
from tests.support.served import Served
from tests.web.portal.anchor.test_upload import count, hand_in
from tests.web.portal.anchor.world import SUPPLIER_VAT, Person, served

SAMPLE = Path(__file__).parents[4] / "docs/tutorial/samples/open-items.csv"
HEADER = ["Beleg-Nr.", "Rg.-Datum", "Fällig am", "Lieferant", "USt-IdNr. Lieferant",
          "Betrag (EUR)"]  # fmt: skip


def journal(name: str = "RE", rows: int = 5, form: str = "{:02}.10.2026") -> bytes:
    """Write a list as a German accounting program prints it; one of its amounts is none."""
    lines: list[list[object]] = [["Eingangsrechnungsjournal"], ["Anker GmbH, Weststraße 4"], []]
    lines.append(list(HEADER))
    lines += [
        [f"{name}-{number}", form.format(number), form.format(20 + number), "Brook Ltd",
         SUPPLIER_VAT, {2: "1.234,5x", 3: "1.003,50"}.get(number, 1000.5 + number)]
        for number in range(1, rows + 1)
    ]  # fmt: skip
    lines += [["Summe", None, None, None, None, 12345.5]]
    return workbook(lines, cover=True)


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world."""
    return served(db)


def test_a_german_workbook_is_mapped_imported_put_right_and_remembered(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, journal(), "journal.xlsx")
    shown = clerk.html
    assert "Sheet Rechnungen" in shown
    assert "names of the columns in line 4" in shown
    assert "4 good" in shown
    assert "1 to fix" in shown
    assert "1 sum or note passed over" in shown
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    assert [sent[f"column-{place}"][0] for place in range(6)] == [
        "number", "issue_on", "due_on", "seller_name", "seller_vat", "payable",
    ]  # fmt: skip
    assert (sent["date_format"], sent["decimal"]) == (["DD.MM.YYYY"], ["comma"])
    report = clerk.post(f"/uploads/{upload_id}/start", sent)
    assert count(of, Invoice) == 4
    assert "1 row is a sum" in report
    assert count(of, Upload, Upload.read_count == 5) == 1
    errors = clerk.browser.get(f"/uploads/{upload_id}/errors").get_data(as_text=True)
    assert [line.split(",")[0] for line in errors.splitlines()] == ["Beleg-Nr.", "RE-2"]
    fields = clerk.fields(f"/uploads/{upload_id}/correct")
    assert fields["cell-6-5"] == ["1.234,5x"]
    clerk.post(f"/uploads/{upload_id}/correct", fields | {"cell-6-5": ["1.234,50"]})
    assert count(of, Invoice, Invoice.payable_minor == 123_450) == 1

    # The file of bad rows, corrected elsewhere, is known by its header; so is a wider list.
    again = hand_in(clerk, errors.replace("1.234,5x", "99,5").encode(), "to-correct.csv")
    clerk.post(f"/uploads/{again}/start", clerk.fields(f"/uploads/{again}/start"))
    assert count(of, Upload, Upload.duplicate_count == 1) == 1
    wider = journal("RF")
    book = openpyxl.load_workbook(io.BytesIO(wider))
    book["Rechnungen"]["G4"] = "Kostenstelle"
    out = io.BytesIO()
    book.save(out)
    hand_in(clerk, out.getvalue(), "november.xlsx")
    assert "a header that is nearly this one" in clerk.html


def test_a_day_that_could_be_a_month_is_asked_and_not_guessed(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, journal(rows=1, form="{:02}/01/2026"), "a.xlsx")
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    assert sent["date_format"] == ["DD/MM/YYYY"]  # the due date is the 21st: nothing to ask
    text = (
        f"Invoice No,Invoice Date,Supplier,Supplier VAT,Amount\n1,01/02/2026,B,{SUPPLIER_VAT},5.25"
    )
    upload_id = hand_in(clerk, text.encode())
    assert "Please choose" in clerk.html
    assert "1 Feb 2026" in clerk.html
    assert "2 Jan 2026" in clerk.html
    sent = clerk.fields(f"/uploads/{upload_id}/start") | {"currency": ["EUR"]}
    assert sent["date_format"] == [""]
    refused = clerk.post(f"/uploads/{upload_id}/start", sent)
    assert clerk.status == 422
    assert "which is the day?" in refused
    clerk.post(f"/uploads/{upload_id}/start", sent | {"date_format": ["MM/DD/YYYY"]})
    assert count(of, Invoice) == 1


def test_sheet_letters_and_header_can_be_said_otherwise(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, journal(), "journal.xlsx")
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    assert sent["sheet"] == ["Rechnungen"]
    other = clerk.post(f"/uploads/{upload_id}/check", sent | {"sheet": ["Deckblatt"]})
    assert "Sheet Deckblatt" in other
    polish = "Nr faktury;Data wystawienia;Sprzedawca;Do zapłaty\n1;2026-01-02;Żółw;5,25\n"
    upload_id = hand_in(clerk, polish.encode("cp1250"))
    assert "Żółw" in clerk.html  # as found; whoever knows better says so
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    western = clerk.post(f"/uploads/{upload_id}/check", sent | {"encoding": ["cp1252"]})
    assert "Żółw" not in western
    assert "Żółw" in clerk.post(f"/uploads/{upload_id}/check", sent | {"encoding": ["cp1250"]})


def test_a_workbook_that_acts_by_itself_is_refused_in_words(of: Served) -> None:
    clerk = Person(of, "clerk")
    hand_in(clerk, repacked(journal(), more={"xl/vbaProject.bin": b"x"}), "makro.xlsm")
    assert "holds macros or embedded programs" in clerk.html


def test_a_blank_list_is_known_when_it_comes_back(of: Served) -> None:
    clerk = Person(of, "clerk")
    assert "/uploads/blank/invoice.xlsx" in clerk.get("/uploads/")
    for kind in ("invoice", "order", "payment"):
        for ending in ("csv", "xlsx"):
            content = clerk.browser.get(f"/uploads/blank/{kind}.{ending}").get_data()
            if ending == "xlsx":
                head = openpyxl.load_workbook(io.BytesIO(content)).active
                assert head is not None
                names = [str(cell.value) for cell in head[1]]
            else:
                names = content.decode("utf-8-sig").strip().split(",")
    assert names[0]
    upload_id = hand_in(clerk, content, "blank.xlsx")
    sent = clerk.fields(f"/uploads/{upload_id}/start")
    assert {"reference", "paid_on", "amount"} <= {
        value[0] for name, value in sent.items() if name.startswith("column-")
    }
    assert clerk.browser.get("/uploads/blank/receipt.csv").status_code == 404


def test_the_list_of_the_how_to_is_read_as_it_says(of: Served) -> None:
    seller = Person(of, "treasurer")
    upload_id = hand_in(seller, SAMPLE.read_bytes(), SAMPLE.name)
    shown = seller.html
    for text in (
        "names of the columns in line 4", "4 good", "1 to fix", "1 sum or note passed over",
        "There is no such day", "12,480.50", "3 Feb 2026",
    ):  # fmt: skip
        assert text in shown
    sent = seller.fields(f"/uploads/{upload_id}/start")
    assert [sent[f"column-{place}"][0] for place in range(6)] == [
        "number", "buyer_name", "issue_on", "due_on", "payable", "currency",
    ]  # fmt: skip
    assert "No row can be stored as it is read now." not in shown
    swapped = sent | {"column-2": ["payable"], "column-4": ["issue_on"]}
    again = seller.post(f"/uploads/{upload_id}/check", swapped)
    assert "No row can be stored as it is read now." in again
    report = seller.post(f"/uploads/{upload_id}/start", sent)
    assert "1 row to fix" in report
    assert count(of, Invoice) == 4
