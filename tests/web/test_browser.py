"""A person with a real browser: signs in, sees the page, with and without scripts."""

import shutil
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from scf.db.engine import Database
from tests.support.people import PASSWORD
from tests.support.pictures import colours
from tests.support.served import Served, served_small
from tests.web import signing

WIDTHS = (320, 390, 768, 1440)


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
def served(db: Database) -> Served:
    return served_small(db)


@pytest.fixture
def address(served: Served) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, served.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


def opened(chromium: Browser, address: str, *, scripts: bool, scheme: str = "light") -> Page:
    """Open a page that notes every complaint and every step outside."""
    context = chromium.new_context(
        java_script_enabled=scripts,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": 1440, "height": 900},
        locale="en-GB",
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(address) else complaints.append(request.url),
    )
    page.complaints = complaints  # type: ignore[attr-defined]
    return page


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_person_signs_in_sees_the_page_and_leaves(
    chromium: Browser, served: Served, address: str, *, scripts: bool, scheme: str
) -> None:
    signing.enrol(served, "treasurer")
    page = opened(chromium, address, scripts=scripts, scheme=scheme)
    page.goto(address)
    assert page.url == f"{address}/sign-in"
    page.get_by_label("E-mail").fill("treasurer@supplier.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_role("alert").inner_text() == "Address or password is not right."
    assert page.get_by_label("E-mail").input_value() == "treasurer@supplier.example"
    page.complaints.clear()  # type: ignore[attr-defined] # browsers note the refusal themselves
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/sign-in/code")
    page.get_by_label("Code from your authenticator").fill(signing.code(served, "treasurer"))
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    page.goto(f"{address}/account")
    assert page.get_by_role("heading", level=1).inner_text() == "Your account"
    assert len(colours(page.screenshot())) > 50
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if scripts:
            overflow = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert overflow == 0, width
        menu = page.locator("summary", has=page.locator(".avatar"))
        menu.click()
        box = page.get_by_role("button", name="Sign out").bounding_box()
        menu.click()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] >= 24
    page.locator("summary", has=page.locator(".avatar")).click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{address}/sign-in")
    page.goto(address)
    assert page.url == f"{address}/sign-in"
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()


def test_a_person_sets_up_a_passkey_and_signs_in_by_it(chromium: Browser, address: str) -> None:
    page = opened(chromium, address, scripts=True)
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    for step in ("Set up a passkey on this device", "Use a passkey"):
        page.goto(f"{address}/sign-in")
        page.get_by_label("E-mail").fill("checker@bank.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name=step).click()
        if step.startswith("Set up"):
            page.get_by_role("link", name="I have kept them").click()
        page.wait_for_url(lambda url: "/sign-in" not in url)
        page.goto(f"{address}/account")
        assert page.get_by_role("heading", level=1).inner_text() == "Your account"
        page.locator("summary", has=page.locator(".avatar")).click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{address}/sign-in")
    assert page.complaints == []  # type: ignore[attr-defined]
    page.context.close()
