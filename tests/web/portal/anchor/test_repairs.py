"""The file to correct, handed in as a new upload, is told in the report of the first one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, FilePayload

from scf.db.engine import Database
from tests.support.chromium import opened, sideways
from tests.support.served import Served
from tests.web.portal.anchor.test_credit_notes import LIST
from tests.web.portal.anchor.test_upload import hand_in, table
from tests.web.portal.anchor.world import Person, served


@pytest.fixture
def of(db: Database) -> Served:
    """Serve the anchor's world."""
    return served(db)


def test_rows_that_came_again_are_told_where_they_were_bad(of: Served) -> None:
    clerk = Person(of, "clerk")
    first = hand_in(clerk, table(), "october.csv")
    clerk.post(f"/uploads/{first}/start", clerk.fields(f"/uploads/{first}/start"))
    assert "3 rows to fix" in clerk.html
    wrong = clerk.browser.get(f"/uploads/{first}/errors").get_data(as_text=True)
    assert f"{first}:5" in wrong
    right = wrong.replace("12.00.1", "12.00").replace("31/31/2026", "2026-02-10")
    again = hand_in(clerk, right.encode(), "repaired.csv")
    assert "Columns as you chose them for this header last time." in clerk.html
    assert "It brings rows of october.csv again" in clerk.html
    clerk.post(f"/uploads/{again}/start", clerk.fields(f"/uploads/{again}/start"))
    assert "1 row to fix" in clerk.html  # that without a number
    report = clerk.get(f"/uploads/{first}")
    assert "rows to fix" not in report
    assert "of 3 at first" in report
    assert f'href="/uploads/{again}"' in report
    assert "Rows 5, 10 came in" in report
    assert "Row 16 is still to fix there" in report
    # Put right in the grid of the later file, it is told there, and the list of files counts both.
    clerk.get(f"/uploads/{again}")
    sent = clerk.fields(f"/uploads/{again}/correct")
    clerk.post(f"/uploads/{again}/correct", sent | {"cell-4-0": ["B-016"]})
    assert "Row 4 came in" in clerk.get(f"/uploads/{again}")
    home = clerk.get("/uploads/")
    assert home.count('data-label="To fix" class="num">0<') == 3


# Each engine in one of two widths.
IN_A_BROWSER = pytest.mark.parametrize(
    ("engine_name", "width"),
    [
        pytest.param("sqlite", 390, id="sqlite-phone"),
        pytest.param("postgresql", 1440, id="postgresql-desk"),
    ],
    indirect=["engine_name"],
)
Serve = Callable[[Flask], str]


class Desk:
    """A clerk's browser at the door for files."""

    def __init__(self, chromium: Browser, serve: Serve, of: Served, width: int) -> None:
        self.address = serve(of.app)
        session = of.browser("clerk").session_id
        self.page, self.complaints = opened(chromium, self.address, session_id=session, width=width)

    def check(self, name: str, content: str) -> None:
        """Drop a file and have it checked."""
        self.page.goto(f"{self.address}/uploads/")
        dropped: FilePayload = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
        self.page.set_input_files("#f-file", dropped)
        self.page.click("text=Check the file")
        self.page.wait_for_url("**/check")

    def confirm(self) -> None:
        """Press whichever button is in view, and wait for the report."""
        self.page.locator('button.primary:has-text("Import")').locator("visible=true").first.click()
        self.page.wait_for_selector("#report")

    def leave(self) -> None:
        """Close a good visit."""
        assert sideways(self.page) == 0
        assert self.complaints == []
        self.page.context.close()


@IN_A_BROWSER
def test_a_person_takes_credit_notes_out_of_a_list(
    chromium: Browser, serve: Serve, of: Served, width: int
) -> None:
    desk = Desk(chromium, serve, of, width)
    desk.check("october.csv", LIST)
    for name in ("credit_type", "credit_sign"):
        with desk.page.expect_response("**/check"):  # the rows are read again at once
            desk.page.check(f"input[name={name}]")
        desk.page.wait_for_selector(f"input[name={name}]:checked")
    desk.page.wait_for_selector("text=2 credit notes")
    desk.confirm()
    assert desk.page.locator("section[aria-labelledby=credited] li").count() == 2
    desk.leave()


@IN_A_BROWSER
def test_a_person_puts_a_list_right_in_a_file_of_its_own(
    chromium: Browser, serve: Serve, of: Served, width: int
) -> None:
    desk = Desk(chromium, serve, of, width)
    desk.check("october.csv", table(bad=(4,)).decode())
    desk.confirm()
    first = desk.page.url
    with desk.page.expect_download() as download:
        desk.page.click("text=File to correct")
    wrong = Path(download.value.path()).read_text(encoding="utf-8")
    desk.check("repaired.csv", wrong.replace("12.00.1", "12.00"))
    desk.confirm()
    desk.page.goto(first)
    assert desk.page.locator("section[aria-labelledby=repairs] a").inner_text() == "repaired.csv"
    desk.leave()
