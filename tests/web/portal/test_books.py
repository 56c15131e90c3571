"""Each party reads its own book in the portal, sees what entries are about, and takes it along."""

import csv
import io
import json
from fractions import Fraction

import pytest

from tests.web.api.story import DAY
from tests.web.portal.officer.conftest import desk, prepare
from tests.web.portal.officer.desk import CHECKER, Desk

__all__ = ["desk", "prepare"]
PERIOD = "from=2026-01-01&to=2026-12-31"


@pytest.mark.parametrize(
    ("person", "shown", "account"),
    [
        ("mira", "/treasurer/requests/", "Finance cost (loss on derecognition)"),
        ("anna", "/anchor/invoices/", "Payables in supplier finance arrangement"),
    ],
)
def test_a_firm_reads_its_own_book_with_ways_to_what_it_is_about(
    desk: Desk, person: str, shown: str, account: str
) -> None:
    desk.story.funded()
    browser = desk.browser(person)
    page = browser.get(f"/books/?{PERIOD}").get_data(as_text=True)
    for text in (shown, account, "988,375.00" if person == "mira" else "1,000,000.00"):
        assert text in page
    assert "Debits equal credits" in page
    assert "No entry, and why" in page
    other = "988,375.00" if person != "mira" else "Payables in supplier finance"
    assert other not in page, "the other party's side is its own"


def test_every_form_of_the_file_holds_the_same_sums(desk: Desk) -> None:
    desk.story.funded()
    browser = desk.browser("mira")
    got = {
        form: browser.get(f"/books/file?format={form}&{PERIOD}")
        for form in ("csv", "json", "hledger", "beancount")
    }
    assert {answer.status_code for answer in got.values()} == {200}
    table = csv.DictReader(io.StringIO(got["csv"].get_data(as_text=True)))
    debits = sum(Fraction(row["debit"] or 0) for row in table)
    entries = json.loads(got["json"].data)["entries"]
    assert debits == sum(Fraction(line.get("debit", 0)) for one in entries for line in one["lines"])
    assert debits > 0
    for form in ("hledger", "beancount"):
        assert "988375.00 EUR" in got[form].get_data(as_text=True)
    assert browser.get("/books/file?format=xls").status_code == 422
    audit = browser.get(f"/books/file?format=saft&{PERIOD}")
    assert (audit.status_code, audit.mimetype) == (200, "application/xml")
    assert b"<TotalDebit>" in audit.data
    unmapped = browser.get(f"/books/file?format=datev&{PERIOD}")
    assert unmapped.status_code == 303
    assert unmapped.headers["Location"].endswith("/account-numbers/?system=datev")
    page = browser.get(unmapped.headers["Location"]).get_data(as_text=True)
    assert "Say first which numbers these accounts have in DATEV" in page
    nothing = browser.get("/books/file?format=csv&from=2030-01-01").get_data(as_text=True)
    assert nothing.count("\n") == 1


def test_an_officers_entries_lead_to_the_advance(desk: Desk) -> None:
    desk.story.funded()
    day = desk.page(CHECKER, f"/books/entries?on={DAY.isoformat()}")
    assert "/officer/advances/" in day
    assert "Invoice BV-2026-118" in day
