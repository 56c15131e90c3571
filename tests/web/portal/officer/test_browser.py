"""A clean case in a real browser: A, the code, Enter; and the same page without a script."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser

from tests.support.chromium import WIDTHS, opened, sideways
from tests.web import signing
from tests.web.portal.officer.desk import CHECKER, MAKER, Desk


@pytest.fixture
def address(desk: Desk, serve: Callable[[Flask], str]) -> str:
    return serve(desk.served.app)


def test_a_clean_case_takes_a_key_the_code_and_enter_or_plain_forms(
    chromium: Browser, address: str, desk: Desk
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    case = f"{address}/officer/cases/{request_id}"

    page, complaints = opened(chromium, address, session_id=desk.browser(MAKER).session_id)
    page.goto(f"{address}/officer/queue")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{case}*")
    assert page.locator("[name=outcome]:checked").count() == 0
    assert page.get_by_role("button", name="Recommend 988,375.00").is_visible()
    actions = 0
    page.keyboard.press("a")
    assert page.locator("[value=APPROVE]:checked").count() == 1
    page.fill("#code", signing.code(desk.served, MAKER))
    page.keyboard.press("Enter")
    actions += 3
    page.get_by_text("Your word is recorded").wait_for()
    assert actions <= 3
    assert complaints == []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        assert sideways(page) <= 0, width

    plain, complaints = opened(
        chromium, address, session_id=desk.browser(CHECKER).session_id, scripts=False
    )
    plain.goto(case)
    plain.check("[value=APPROVE]")
    plain.fill("#code", signing.code(desk.served, CHECKER))
    plain.get_by_role("button", name="Approve 988,375.00").click()
    assert plain.get_by_text("You can take it back until").is_visible()
    assert complaints == []
