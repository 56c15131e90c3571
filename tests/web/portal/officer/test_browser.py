"""A clean case in a real browser: A, the code, Enter; and the same page without a script."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from tests.web import signing
from tests.web.portal.officer.desk import CHECKER, MAKER, Desk
from web.sessions import COOKIE


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "the browser tests need chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def address(desk: Desk) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, desk.served.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(chromium: Browser, address: str, desk: Desk, person: str, *, scripts: bool) -> Page:
    """Open a page of somebody signed in that notes every complaint."""
    context = chromium.new_context(
        java_script_enabled=scripts, viewport={"width": 1440, "height": 900}, locale="en-GB"
    )
    session = desk.browser(person).session_id
    context.add_cookies(
        [
            {
                "name": COOKIE,
                "value": session,
                "url": address.replace("http:", "https:"),
                "secure": True,
                "httpOnly": True,
                "sameSite": "Lax",
            }
        ]
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


def test_a_clean_case_takes_a_key_the_code_and_enter_or_plain_forms(
    chromium: Browser, address: str, desk: Desk
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    case = f"{address}/officer/cases/{request_id}"

    page = opened(chromium, address, desk, MAKER, scripts=True)
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
    assert page.complaints == []  # type: ignore[attr-defined]
    for width in (320, 390, 768, 1440):
        page.set_viewport_size({"width": width, "height": 844})
        over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(over) <= 0, width

    plain = opened(chromium, address, desk, CHECKER, scripts=False)
    plain.goto(case)
    plain.check("[value=APPROVE]")
    plain.fill("#code", signing.code(desk.served, CHECKER))
    plain.get_by_role("button", name="Approve 988,375.00").click()
    assert plain.get_by_text("You can take it back until").is_visible()
