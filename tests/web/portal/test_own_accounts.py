"""The pages of own accounts: a sample is tried before a mapping is kept, and then reads tables."""

import html
import io
import re
from typing import Any

from sqlalchemy import select

from scf.parties.models import BankAccount
from tests.web.portal.officer.conftest import desk, prepare
from tests.web.portal.officer.desk import Desk, text_of

__all__ = ["desk", "prepare"]
TABLE = b"Datum;Betrag;Zweck\n10.03.2026;1.000,50;BV-1\n11.03.2026;-2,00;fee\n"


def with_file(key: str, name: str, content: bytes) -> Any:  # noqa: ANN401 - a form with a file
    return {"key": key, name: (io.BytesIO(content), "m.csv")}


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return html.unescape(found[1])


def test_an_officer_tries_a_mapping_on_a_table_and_keeps_it(desk: Desk) -> None:
    story = desk.story
    table = BankAccount.__table__  # type: ignore[attr-defined]
    bank = story.world.people["omar"].org_id
    with story.world.platform.db.snapshot() as conn:
        account = conn.execute(select(table).where(table.c.firm_id == bank)).first()
    assert account is not None
    browser = desk.browser("omar")
    assert account.number in text_of(browser.get("/own-accounts/"))
    path = f"/own-accounts/{account.id}"
    assert "No mapping is kept" in text_of(browser.get(path))
    first = text_of(browser.post(f"{path}/try", with_file("k1", "file", TABLE)))
    assert "Which column means what" in first
    assert '<option value="Betrag">' in first
    chosen = {
        "sample": hidden(first, "sample"), "sample_name": "m.csv", "column.booked_on": "Datum",
        "column.amount": "Betrag", "column.text": "Zweck", "date_format": "DD.MM.YYYY",
        "decimal": "point", "header_row": "1", "credit_marks": "", "debit_marks": "",
    }  # fmt: skip
    wrong = text_of(browser.post(f"{path}/try", chosen | {"key": "k2"}), 422)
    assert "row 2, column Betrag" in wrong
    assert "Keep this mapping" not in wrong
    right = browser.post(f"{path}/try", chosen | {"key": "k3", "decimal": "comma"}).get_data(
        as_text=True
    )
    assert "1,000.50" in right
    form = {
        "what": "mapping", "version": "0", "mapping": hidden(right, "mapping"),
        "sample": hidden(right, "sample"), "sample_name": "m.csv", "name": "House bank",
    }  # fmt: skip
    assert browser.post(path, form | {"key": "k4"}).status_code == 303
    page = text_of(browser.get(path))
    assert "Read by the mapping House bank, tried on m.csv with 2 rows" in page
    stale = browser.post(path, form | {"key": "k5", "name": "Other"})
    assert "meanwhile" in text_of(stale, 409)
    pays = {
        "what": "payments", "version": "1", "payment_version": "pain.001.001.03",
        "shape": "sepa", "booking": "one", "cut_off": "15:00", "cut_off_zone": "UTC",
    }  # fmt: skip
    assert browser.post(path, pays | {"key": "k6", "cut_off": "3pm"}).status_code == 422
    assert browser.post(path, pays | {"key": "k7"}).status_code == 303
    page = text_of(browser.get(path))
    assert "Version 2" in page
    assert "House bank" in page
    read = browser.post("/officer/bank-files", with_file("k8", "files", TABLE))
    assert "2 movements" in text_of(read)
    assert browser.post(f"{path}/try", {"key": "k9"}).status_code == 422
    broken = with_file("k10", "file", b"\x00\xff")
    assert browser.post(f"{path}/try", broken).status_code == 422
    drop = {"what": "drop", "version": "2", "key": "k11"}
    assert browser.post(path, drop).status_code == 303
    assert "No mapping is kept" in text_of(browser.get(path))
