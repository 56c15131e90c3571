"""A captured cookie is worthless after every event that ends a session (ASVS V7)."""

import pytest

from scf.db.engine import Database
from tests.support.people import PASSWORD, small_prepare
from tests.support.served import HOST, Browser, Served, application, served_small
from tests.web import signing
from web.sessions import COOKIE, VISITOR_COOKIE

prepare = small_prepare  # every test begins in the small world

EMAIL = "maker@bank.example"


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def signed_in(served: Served) -> Browser:
    return signing.sign_in(served, "maker")


def is_in(browser: Browser) -> bool:
    return browser.get("/search").status_code == 200


def test_a_person_signs_in_by_the_form_and_out_again(served: Served) -> None:
    browser = signed_in(served)
    page = browser.get("/search").get_data(as_text=True)
    for shown in ("<strong>Maker", "Bank Company", "Officer, maker", "2 Mar 2026"):
        assert shown in page
    captured = browser.session_id
    answer = browser.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert not is_in(browser)
    replay = served.browser()
    replay.client.set_cookie(COOKIE, captured, domain="localhost", secure=True)
    assert not is_in(replay)


def test_the_cookie_is_bound_to_this_host_and_hidden_from_scripts(served: Served) -> None:
    answer = served.browser().sign_in(EMAIL)
    cookies = {line.partition("=")[0]: line for line in answer.headers.getlist("Set-Cookie")}
    assert COOKIE.startswith("__Host-")
    parts = set(cookies[COOKIE].split("; ")[1:])
    assert parts == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}
    assert VISITOR_COOKIE.startswith("__Host-")
    assert "Expires=Thu, 01 Jan 1970" in cookies[VISITOR_COOKIE]


def test_a_session_id_from_before_the_sign_in_is_not_taken_over(served: Served) -> None:
    browser = served.browser()
    browser.client.set_cookie(COOKIE, "chosen-by-an-attacker", domain="localhost", secure=True)
    signing.sign_in(served, "maker", browser)
    assert browser.session_id not in {"", "chosen-by-an-attacker"}


def test_the_session_between_password_and_code_is_not_taken_over(served: Served) -> None:
    """Fixation: an id that a thief may know from the first step is worthless after the second."""
    signing.enrol(served, "maker")
    browser = served.browser()
    browser.sign_in(EMAIL)
    half = browser.session_id
    assert not is_in(browser)
    browser.post("/sign-in/code", signing.signature(served, "maker"))
    assert is_in(browser)
    thief = served.browser()
    thief.client.set_cookie(COOKIE, half, domain="localhost", secure=True)
    assert not is_in(thief)
    assert thief.get("/sign-in/code").status_code == 303


def test_signing_in_again_ends_the_session_before(served: Served) -> None:
    browser = signed_in(served)
    captured = browser.session_id
    signing.sign_in(served, "maker", browser)
    assert browser.session_id != captured
    old = served.browser()
    old.client.set_cookie(COOKIE, captured, domain="localhost", secure=True)
    assert not is_in(old)


def test_a_form_token_from_before_the_sign_in_is_worthless_after_it(served: Served) -> None:
    browser = served.browser()
    before = browser.form_token("/sign-in")
    signing.sign_in(served, "maker", browser)
    assert browser.post("/sign-out", token=before).status_code == 400
    assert is_in(browser)


def test_disabling_a_person_ends_the_session_at_once(served: Served) -> None:
    browser = signed_in(served)
    world = served.world
    world.run("user.disable", world.people["bank-admin"], user_id=world.people["maker"].user_id)
    assert not is_in(browser)
    assert served.browser().sign_in(EMAIL).status_code == 401


def test_a_new_password_ends_every_session(served: Served) -> None:
    here, there = signed_in(served), signed_in(served)
    answer = served.api(
        "maker",
        "PUT",
        f"/users/{served.world.people['maker'].user_id}/password",
        json={"password": "gravel-lantern-mimic-52", "current": PASSWORD},
    )
    assert answer.status_code == 200
    assert not is_in(here)
    assert not is_in(there)
    assert served.browser().sign_in(EMAIL).status_code == 401
    assert served.browser().sign_in(EMAIL, "gravel-lantern-mimic-52").status_code == 303


def test_a_session_ends_when_nobody_uses_it_and_at_its_absolute_end(served: Served) -> None:
    clock = served.world.clock
    idle = signed_in(served)
    clock.advance(minutes=29)
    assert is_in(idle)
    clock.advance(minutes=30)
    assert not is_in(idle)
    busy = signed_in(served)
    for _ in range(25):
        assert is_in(busy)
        clock.advance(minutes=28, seconds=48)  # twenty-five times this is twelve hours
    assert not is_in(busy)


def test_a_visitors_cookie_is_no_session(served: Served) -> None:
    browser = served.browser()
    browser.form_token("/sign-in")
    visitor = browser.client.get_cookie(VISITOR_COOKIE, domain="localhost")
    assert visitor is not None
    browser.client.set_cookie(COOKIE, visitor.value, domain="localhost", secure=True)
    assert not is_in(browser)


def test_the_api_knows_no_cookie(served: Served) -> None:
    browser = signed_in(served)
    assert browser.get("/api/v1/users/me").status_code == 401
    answer = browser.client.post(
        "/api/v1/tokens", json={"label": "x"}, base_url=HOST, headers={"Idempotency-Key": "k"}
    )
    assert answer.status_code == 401


def test_tries_are_limited_across_two_workers(served: Served) -> None:
    other = Served(served.world, application(served.world))
    codes = [
        (served if number % 2 else other).browser().sign_in(EMAIL, "wrong one").status_code
        for number in range(12)
    ]
    assert codes == [401] * 10 + [429] * 2
    refused = other.browser().sign_in(EMAIL, PASSWORD)
    assert refused.status_code == 429  # the right password does not help either
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    served.world.clock.advance(minutes=15)
    assert served.browser().sign_in(EMAIL).status_code == 303


def test_an_unknown_address_and_a_wrong_password_get_one_answer(served: Served) -> None:
    def page(email: str) -> str:
        browser = served.browser()
        text = browser.sign_in(email, "wrong one").get_data(as_text=True)
        token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
        return text.replace(email, "EMAIL").replace(token, "TOKEN")

    assert page(EMAIL) == page("nobody@bank.example")


def test_a_failed_sign_in_is_recorded_without_the_password(served: Served, db: Database) -> None:
    from sqlalchemy import select

    from scf.parties.factors.models import SignInEvent

    served.browser().sign_in(EMAIL, "wrong one entirely")
    with db.snapshot() as conn:
        rows = conn.execute(select(SignInEvent.__table__)).all()  # type: ignore[attr-defined]
    assert [(row.outcome, row.user_id) for row in rows] == [
        ("PASSWORD", served.world.people["maker"].user_id)
    ]
    assert "wrong one" not in repr(rows)
