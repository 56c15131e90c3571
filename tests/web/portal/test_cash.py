"""The cash forecast in the portal: what is missing leads to an offer for just that."""

import html
import re

from tests.support.served import Browser
from tests.web.portal.officer.conftest import desk, prepare
from tests.web.portal.officer.desk import Desk, text_of

__all__ = ["desk", "prepare"]


def page_of(browser: Browser, path: str, **query: str) -> str:
    answer = browser.get(path, query_string=query)
    return text_of(answer).replace("\xa0", " ")


def test_a_gap_leads_to_the_offer_that_fills_it(desk: Desk) -> None:
    desk.story.accepted()
    mira = desk.browser("mira")
    plain = page_of(mira, "/treasurer/cash")
    assert "1,000,000.00" in plain
    assert "What would fill it" not in plain, "nothing is missing while nobody says what is there"
    page = page_of(mira, "/treasurer/cash", cash="50,000.00", least="300,000.00")
    assert "250,000.00 EUR are missing from the week of" in page
    assert "Invoices paid early bring 250,000.00 EUR" in page
    form = page.partition('action="/treasurer/"')[2].partition("</form>")[0]
    sent = {
        name: html.unescape(value)
        for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form)
    }
    assert sent["amount"] == "250,000.00"
    offer = text_of(mira.post("/treasurer/", sent))
    assert "These invoices bring it at the least cost." in offer
    far = page_of(mira, "/treasurer/cash", cash="0", least="9,000,000.00")
    assert "All that is ready now brings" in far


def test_what_is_typed_wrong_is_said_and_nothing_else_changes(desk: Desk) -> None:
    desk.story.accepted()
    mira = desk.browser("mira")
    for typed in ("abc", "1e9", "12.345", "9" * 40, "<script>", "１２"):  # noqa: RUF001 - wide digits
        page = page_of(mira, "/treasurer/cash", cash=typed)
        assert "This is not an amount." in page
    raw = mira.get("/treasurer/cash", query_string={"cash": "<script>"}).data
    assert b'value="&lt;script&gt;"' in raw
    assert "No week of the next thirteen falls short" in page_of(
        mira, "/treasurer/cash", cash="5.00"
    )


def test_a_forecast_is_the_sellers_own(desk: Desk) -> None:
    desk.story.accepted()
    for person in ("anna", "omar", "hana"):
        assert desk.browser(person).get("/treasurer/cash").status_code == 403
