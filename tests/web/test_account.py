"""The own account and the administrator's pages, and forms that outlive a session (V7)."""

import re

import pytest

from scf.db.engine import Database
from tests.support.people import PASSWORD, small_prepare
from tests.support.served import HOST, Browser, Served, served_small
from tests.web import signing
from web.portal.gate import kept
from web.sessions import COOKIE

prepare = small_prepare  # every test begins in the small world

NEW = "gravel-lantern-mimic-52"


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def is_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def text(browser: Browser, path: str) -> str:
    return str(browser.get(path).get_data(as_text=True))


def key() -> dict[str, str]:
    return {"key": "a-key-of-one-form"}


def replayed(served: Served, session_id: str) -> Browser:
    """Give a browser with a cookie that somebody captured."""
    thief = served.browser()
    thief.client.set_cookie(COOKIE, session_id, domain="localhost", secure=True)
    return thief


def test_a_new_password_keeps_this_browser_and_ends_every_other(served: Served) -> None:
    here, there = signing.sign_in(served, "maker"), signing.sign_in(served, "maker")
    captured = here.session_id
    wrong = here.post("/account/password", {"current": "no", "password": NEW, "again": NEW} | key())
    assert wrong.status_code == 422
    form = {"current": PASSWORD, "password": NEW, "again": NEW, "key": "another"}
    assert here.post("/account/password", form).status_code == 303
    assert is_in(here)
    assert not is_in(there)
    assert not is_in(replayed(served, captured))


def test_a_person_ends_the_own_sessions_and_an_administrator_those_of_others(
    served: Served,
) -> None:
    here, there = signing.sign_in(served, "maker"), signing.sign_in(served, "maker")
    ids = re.findall(r"/account/sessions/([0-9a-f]{16})/end", text(here, "/account"))
    assert len(ids) == 1
    assert here.post(f"/account/sessions/{ids[0]}/end", key()).status_code == 303
    assert not is_in(there)
    admin = signing.sign_in(served, "bank-admin")
    user_id = served.world.people["maker"].user_id
    found = re.search(r"sessions/([0-9a-f]{16})/end", text(admin, f"/admin/users/{user_id}"))
    assert found
    path = f"/admin/users/{user_id}/sessions/{found.group(1)}/end"
    stranger = signing.sign_in(served, "supplier-admin")
    assert stranger.post(path, {"key": "s"}).status_code == 404
    assert is_in(here)
    assert admin.post(path, {"key": "a"}).status_code == 303
    assert not is_in(here)


def test_what_opens_doors_asks_for_a_fresh_proof(served: Served) -> None:
    browser = signing.sign_in(served, "maker")
    assert browser.get("/account/password").status_code == 200
    served.world.clock.advance(minutes=16)
    asked = browser.get("/account/password")
    assert asked.headers["Location"] == "/account/confirm?next=/account/password"
    form = {"next": "/account/password"} | signing.signature(served, "maker")
    assert browser.post("/account/confirm", form).headers["Location"] == "/account/password"
    assert browser.get("/account/password").status_code == 200


def test_no_address_of_somebody_else_is_led_to(served: Served) -> None:
    for address in (
        "//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example",
        "\t//e", "/\t/e", "/x\r\nSet-Cookie: a=b", "javascript:alert(1)", "////e", "\\\\e",
        "/api/v1/firms", "/sign-out", "evil.example", "@evil.example", " /account", "/\u202eacc",
        "", "/" + "x" * 3000,
    ):  # fmt: skip
        assert kept.own_path(address) == "", address
    assert kept.own_path("/admin/audit?day=2026-03-02") == "/admin/audit?day=2026-03-02"
    browser = signing.sign_in(served, "maker")
    form = {"next": "//evil.example"} | signing.signature(served, "maker")
    assert browser.post("/account/confirm", form).headers["Location"] == "/account"


def kept_form(page: str) -> str:
    found = re.search(r'name="kept_form" value="([^"]+)"', page)
    assert found
    return found[1]


def test_a_form_whose_session_ran_out_is_kept_for_its_owner(served: Served) -> None:
    browser = signing.sign_in(served, "maker")
    token = browser.form_token("/account")
    served.world.clock.advance(minutes=31)
    form = {"label": "our nightly upload", "days": "7", "password": "never kept"} | key()
    sent = browser.post(
        "/account/tokens", form, token=token, headers={"Referer": f"{HOST}/account/tokens"}
    )
    assert sent.headers["Location"] == "/sign-in"
    stranger = signing.sign_in(served, "checker")
    assert stranger.get("/sign-in/resume").headers["Location"] == "/"
    signing.sign_in(served, "maker", browser)
    page = text(browser, "/sign-in/resume")
    assert "our nightly upload" in page
    assert "never kept" not in page
    assert 'action="/account/tokens"' in page
    made = browser.post(
        "/account/tokens",
        {"label": "our nightly upload", "days": "7", "kept_form": kept_form(page)} | key(),
        headers={"Referer": f"{HOST}/sign-in/resume"},
    )
    assert "trib_" in made.get_data(as_text=True)
    assert browser.get("/sign-in/resume").headers["Location"] == "/"


def test_a_form_of_a_session_that_was_ended_on_purpose_is_not_kept(served: Served) -> None:
    browser = signing.sign_in(served, "maker")
    token, captured = browser.form_token("/account"), browser.session_id
    browser.post("/sign-out")
    thief = replayed(served, captured)
    assert thief.post("/account/tokens", key(), token=token).status_code == 400


def test_the_page_that_was_wanted_comes_after_signing_in(served: Served) -> None:
    browser = served.browser()
    assert browser.get("/account/sign-ins").headers["Location"] == "/sign-in"
    signing.enrol(served, "maker")
    browser.sign_in("maker@bank.example")
    answer = browser.post("/sign-in/code", signing.signature(served, "maker"))
    assert answer.headers["Location"] == "/account/sign-ins"


def test_a_token_is_shown_once_and_withdrawn(served: Served) -> None:
    browser = signing.sign_in(served, "maker")
    form = {"label": "nightly", "days": "1"} | key()
    page = browser.post("/account/tokens", form).get_data(as_text=True)
    token = re.search(r"trib_[\w-]+", page)
    assert token
    assert "trib_" not in browser.post("/account/tokens", form).get_data(as_text=True)
    bearer = {"Authorization": f"Bearer {token.group()}"}
    assert served.api(None, "GET", "/users/me", headers=bearer).status_code == 200
    found = re.search(r"/account/tokens/([\w-]+)/withdraw", text(browser, "/account/tokens"))
    assert found
    browser.post(found.group(), {"key": "w"})
    assert served.api(None, "GET", "/users/me", headers=bearer).status_code == 401


def test_the_trail_is_searched_and_its_csv_runs_no_formula(served: Served) -> None:
    admin, world = signing.sign_in(served, "bank-admin"), served.world
    target = world.people["maker"].user_id
    world.platform.run(
        "user.set_roles",
        {"user_id": target, "roles": ["officer_checker"]},
        world.people["bank-admin"],
        key="roles",
        reason="=HYPERLINK(1)",
    )
    page = text(admin, f"/admin/audit?object={target}&action=user.set_roles&day=2026-03-02")
    assert page.count("<tr data-row>") == 1
    assert "officer_checker" in page
    assert text(admin, "/admin/audit?day=2026-03-03").count("<tr data-row>") == 0
    assert "user.set_roles" in text(admin, "/admin/audit?day=nonsense&before=x")
    rows = admin.get("/admin/audit.csv?action=user.set_roles").get_data(as_text=True)
    assert ",'=HYPERLINK(1)," in rows
    other = signing.sign_in(served, "supplier-admin")
    assert text(other, f"/admin/audit?object={target}").count("<tr data-row>") == 0


def test_failed_sign_ins_are_shown_to_the_own_administrator_only(served: Served) -> None:
    served.browser().sign_in("maker@bank.example", "not it")
    assert "Wrong password" in text(signing.sign_in(served, "bank-admin"), "/admin/sign-ins")
    other = text(signing.sign_in(served, "supplier-admin"), "/admin/sign-ins")
    assert "Wrong password" not in other
    assert "Maker" not in other
