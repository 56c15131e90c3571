"""A person with a real browser: signs in, sees the page, with and without scripts."""

import datetime as dt
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect

from scf.db.engine import Database
from scf.parties import sessions
from tests.support.chromium import WIDTHS, opened, sideways, spread_text, unspread_text
from tests.support.people import PASSWORD, small_prepare
from tests.support.pictures import colours
from tests.support.served import Served, served_small
from tests.web import signing

prepare = small_prepare  # every test begins in the small world


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


@pytest.fixture
def address(served: Served, serve: Callable[[Flask], str]) -> str:
    return serve(served.app)


# Every two of engine, scheme and scripts meet in one of these.
@pytest.mark.parametrize(
    ("engine_name", "scheme", "scripts"),
    [
        pytest.param("sqlite", "light", True, id="sqlite-light-with scripts"),
        pytest.param("sqlite", "dark", False, id="sqlite-dark-without scripts"),
        pytest.param("postgresql", "light", False, id="postgresql-light-without scripts"),
        pytest.param("postgresql", "dark", True, id="postgresql-dark-with scripts"),
    ],
    indirect=["engine_name"],
)
def test_a_person_signs_in_sees_the_page_and_leaves(
    chromium: Browser, served: Served, address: str, *, scripts: bool, scheme: str
) -> None:
    signing.enrol(served, "treasurer")
    page, complaints = opened(chromium, address, scripts=scripts, scheme=scheme)
    page.goto(address)
    assert page.url == f"{address}/sign-in"
    page.get_by_label("E-mail").fill("treasurer@supplier.example")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_role("alert").inner_text() == "Address or password is not right."
    assert page.get_by_label("E-mail").input_value() == "treasurer@supplier.example"
    complaints.clear()  # browsers note the refusal themselves
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
            assert sideways(page) == 0, width
            spread_text(page)  # wider than the fonts of any machine
            assert sideways(page) == 0, width
            unspread_text(page)
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
    assert complaints == []
    page.context.close()


def test_a_person_sets_up_a_passkey_and_signs_in_by_it(chromium: Browser, address: str) -> None:
    page, complaints = opened(chromium, address, scripts=True)
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
    assert complaints == []
    page.context.close()


def test_two_minutes_before_its_end_the_session_says_so_and_can_be_kept(
    chromium: Browser, served: Served, address: str
) -> None:
    session_id = served.browser("treasurer").session_id
    page, complaints = opened(chromium, address, session_id=session_id)
    page.clock.install()
    page.goto(f"{address}/account")
    warning = page.get_by_role("alert").filter(has_text="Your session ends in two minutes")
    seconds = sessions.Lifetimes().idle - sessions.TOUCH - dt.timedelta(minutes=2)
    for _again in range(2):
        page.clock.fast_forward(int((seconds.total_seconds() - 5) * 1000))
        assert not warning.is_visible()
        page.clock.fast_forward(6_000)
        assert warning.is_visible()
        with page.expect_response("**/account/stay") as answer:
            page.get_by_role("button", name="Stay signed in").click()
        assert answer.value.status == 204
        expect(warning).to_be_hidden()
    assert complaints == []
    page.context.close()
