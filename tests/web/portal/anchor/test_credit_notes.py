"""Credit notes by hand and by spreadsheet: typed in, in a list of their own, among invoices."""

import csv
import io
import re

import pytest

from scf.db.engine import Database
from scf.documents.models import CreditNote, Invoice
from tests.support.served import Served
from tests.web.portal.anchor.test_upload import count, hand_in
from tests.web.portal.anchor.world import ANCHOR_VAT, SUPPLIER_VAT, Person, served

HEAD = (
    "Invoice number,Document type,Invoice date,Due date,Supplier VAT,Amount (EUR),"
    "Original invoice\n"
)
LIST = HEAD + "".join(
    f"{number},{kind},2026-02-10,2026-05-11,{SUPPLIER_VAT},{amount},{credited}\n"
    for number, kind, amount, credited in (
        ("B-1", "Invoice", "100.50", ""),
        ("G-1", "Credit note", "-20.50", "B-1"),
        ("G-2", "", "-5.25", "B-1"),
    )
)


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world."""
    return served(db)


def test_credit_notes_among_invoices_are_taken_when_a_person_says_so(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, LIST.encode())
    assert "2 rows may be credit notes" in clerk.html
    start = f"/uploads/{upload_id}/start"
    sent = clerk.fields(start)
    assert not {"credit_type", "credit_sign"} & sent.keys()  # nothing is chosen before
    told = {"credit_type": ["yes"], "credit_sign": ["yes"]}
    seen = clerk.post(f"/uploads/{upload_id}/check", sent | told)
    assert "2 credit notes" in seen
    assert "credits B-1" in seen
    report = clerk.post(start, clerk.fields(start))
    assert count(of, CreditNote, CreditNote.amount_minor == 2_050) == 1
    assert count(of, Invoice, Invoice.credited_minor == 2_575) == 1
    assert "EUR 20.50 set against B-1" in report or "20.50" in report.partition("Credit notes")[2]
    # The next list with this header is read in the same way.
    hand_in(clerk, LIST.replace("B-1", "B-7").replace("G-", "H-").encode())
    assert "2 credit notes" in clerk.html


def test_a_minus_needs_a_column_that_names_the_invoice(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, LIST.encode())
    start = f"/uploads/{upload_id}/start"
    sent = clerk.fields(start) | {"column-6": [""], "column-1": [""]}
    refused = clerk.post(start, sent | {"credit_sign": ["yes"]})
    assert clerk.status == 422
    assert "names the invoice that a row credits" in refused


def test_a_blank_list_of_credit_notes_comes_back_filled_and_is_known(of: Served) -> None:
    treasurer = Person(of, "treasurer")
    blank = treasurer.browser.get("/uploads/blank/credit_note.csv").get_data().decode("utf-8-sig")
    (names,) = csv.reader(io.StringIO(blank))
    row = ["G-1", "2026-02-10", "Anchor", ANCHOR_VAT, "EUR", "10.00", "1.90", "11.90", "B-1", "wet"]
    assert len(names) == len(row)
    upload_id = hand_in(treasurer, (blank + ",".join(row) + "\r\n").encode())
    start = f"/uploads/{upload_id}/start"
    sent = treasurer.fields(start)
    assert sent["kind"] == ["credit_note"]
    treasurer.post(start, sent)
    assert count(of, CreditNote, CreditNote.net_minor == 1_000) == 1


def test_a_credit_note_that_names_nothing_is_linked_in_the_report(of: Served) -> None:
    clerk = Person(of, "clerk")
    upload_id = hand_in(clerk, LIST.replace("-20.50,B-1", "-20.50,Z-9").encode())
    start = f"/uploads/{upload_id}/start"
    sent = clerk.fields(start) | {"credit_type": ["yes"], "credit_sign": ["yes"]}
    assert "Waits for its invoice" in clerk.post(start, sent)
    assert count(of, Invoice, Invoice.credited_minor == 525) == 1
    link = f"/uploads/{upload_id}/link"
    sent = clerk.fields(link)
    assert sent["invoice"] == [""]  # which one, a person says
    assert "Name invoices of the same seller" in clerk.post(link, sent)
    (chosen,) = re.findall(r'<option value="([0-9a-f-]{36})">B-1 · 100.50', clerk.html)
    linked = clerk.post(link, clerk.fields(link) | {"invoice": [chosen]})
    assert "The credit note is linked." in linked
    assert f'action="{link}"' not in linked
    assert count(of, Invoice, Invoice.credited_minor == 2_575) == 1


TYPED = {
    "number": "G-7",
    "issue_on": "2026-02-10",
    "currency": "EUR",
    "payable": "1,190.00",
    "tax": "190.00",
    "billing_reference": "B-9",
    "note": "Two boxes were wet",
}


@pytest.mark.parametrize("person", ["clerk", "treasurer"])
def test_one_credit_note_is_typed_in_by_either_side(of: Served, person: str) -> None:
    someone = Person(of, person)
    page = someone.get("/uploads/credit-note")
    assert "your firm" in page
    vat = SUPPLIER_VAT if person == "clerk" else ANCHOR_VAT
    wrong = {**TYPED, "payable": "-3", "vat": vat, "key": someone.field("key")}
    told = someone.post("/uploads/credit-note", wrong)
    assert someone.status == 422
    assert 'aria-describedby="f-payable-error' in told
    assert 'value="G-7"' in told  # what was typed is still there
    right = wrong | {"payable": "1,190.00", "key": someone.field("key")}
    report = someone.post("/uploads/credit-note", right)
    assert "Waits for its invoice" in report
    assert count(of, CreditNote, CreditNote.amount_minor == 119_000) == 1
    again = Person(of, person)
    again.get("/uploads/credit-note")
    assert "not stored twice" in again.post(
        "/uploads/credit-note", right | {"key": again.field("key")}
    )
    assert count(of, CreditNote) == 1


def test_a_form_that_says_nobody_and_nothing_is_told_everything_at_once(of: Served) -> None:
    clerk = Person(of, "clerk")
    clerk.get("/uploads/credit-note")
    told = clerk.post("/uploads/credit-note", {"key": clerk.field("key")})
    assert clerk.status == 422
    for text in ("Say who the other side is", "which day the credit note is of"):
        assert text in told
    assert count(of, CreditNote) == 0
