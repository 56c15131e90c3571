"""What every answer carries, and what no request gets through (ASVS V1, V3, V4, V13)."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

import web
from scf.db.engine import Database
from scf.kernel.actor import OPERATOR, Role
from tests.support.people import PASSWORD, small_prepare
from tests.support.served import HOST, Browser, Served, application, served_small
from web.app import MAX_BODY
from web.security import HEADERS

prepare = small_prepare  # every test begins in the small world

CANARIES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{ 7 * 7 }}",
    "{% include 'base.html' %}",
    "javascript:alert(1)",
    "'; DROP TABLE firm; --",
    "</title><h1>here</h1>",
    "&lt;b&gt;",
)


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def boom(app: Flask) -> None:
    """Add two routes that fail in a way nobody expected."""

    def fail() -> str:
        raise ZeroDivisionError("the secret inside")

    app.add_url_rule("/boom", "boom", fail)
    app.add_url_rule("/api/v1/boom", "api_boom", fail)


ANSWERS = (
    ("GET", "/sign-in", 200),
    ("GET", "/", 303),
    ("GET", "/nothing/here", 404),
    ("GET", "/boom", 500),
    ("GET", "/api/v1/boom", 500),
    ("GET", "/api/v1/nothing", 404),
    ("GET", "/api/v1/firms", 401),
    ("GET", "/api/v1/openapi.json", 200),
    ("POST", "/sign-in", 400),
    ("PUT", "/sign-in", 400),
    ("TRACE", "/", 405),
    ("GET", "/static/tributary.css", 200),
    ("GET", "/static/../app.py", 404),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
)


def test_every_answer_carries_every_header(served: Served) -> None:
    boom(served.app)
    for method, path, status in ANSWERS:
        answer = served.app.test_client().open(path, method=method, base_url=HOST)
        answer.close()
        assert (path, answer.status_code) == (path, status)
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in answer.headers
        if not path.startswith(("/static/tri", "/healthz", "/readyz")):
            assert answer.headers["Cache-Control"] == "no-store"
            assert ("Authorization" if "/api/" in path else "Cookie") in answer.headers["Vary"]


def test_an_unexpected_error_tells_nothing_but_its_reference(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    boom(served.app)
    for path in ("/boom", "/api/v1/boom"):
        answer = served.app.test_client().get(path, base_url=HOST)
        text = answer.get_data(as_text=True)
        for secret in ("secret inside", "ZeroDivisionError", "Traceback", ".py"):
            assert secret not in text
    page = served.app.test_client().get("/boom", base_url=HOST)
    assert page.headers["X-Request-Id"] in page.get_data(as_text=True)


def test_another_host_name_is_refused(served: Served) -> None:
    for host in ("evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"):
        for path in ("/sign-in", "/api/v1/firms", "/healthz"):
            answer = served.app.test_client().get(path, headers={"Host": host})
            assert (host, path, answer.status_code) == (host, path, 400)
            assert "evil" not in answer.get_data(as_text=True)
            assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


def test_spoofed_proxy_headers_change_nothing(served: Served) -> None:
    answer = served.app.test_client().get(
        "/",
        base_url=HOST,
        headers={
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Prefix": "/evil",
            "X-Forwarded-For": "1.2.3.4",
            "X-Original-URL": "/metrics",
        },
    )
    assert answer.headers["Location"] == "/sign-in"


def test_a_form_without_its_token_changes_nothing(served: Served) -> None:
    browser = served.browser("maker")
    assert browser.post("/sign-out", token="").status_code == 400
    assert browser.post("/sign-out", token="wrong").status_code == 400
    foreign = served.browser("treasurer").form_token("/")
    assert browser.post("/sign-out", token=foreign).status_code == 400
    assert browser.get("/search").status_code == 200


def test_a_form_from_another_site_is_refused(served: Served) -> None:
    browser = served.browser("maker")
    for headers in (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://localhost.evil.example"},
        {"Origin": "https://localhost:8443"},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    ):
        assert browser.post("/sign-out", headers=headers).status_code == 400
    assert browser.get("/search").status_code == 200


def test_reading_never_changes_the_database(served: Served, db: Database) -> None:
    browser = served.browser("maker")
    browser.get("/account")  # the session gets its form token once

    def everything() -> str:
        from sqlalchemy import select

        from scf.schema import metadata

        with db.snapshot() as conn:
            return repr(
                {
                    name: sorted(map(repr, conn.execute(select(table))))
                    for name, table in metadata.tables.items()
                }
            )

    served.world.token("maker")
    before = everything()
    for rule in served.app.url_map.iter_rules():
        if "GET" in (rule.methods or set()):
            path = re.sub(r"<[^>]+>", "x", rule.rule)
            browser.get(path).close()
            if path.startswith("/api/v1/"):
                served.api("maker", "GET", path.removeprefix("/api/v1"))
    after = everything()
    # A refused read is recorded and every call is counted; nothing else may differ.
    assert _without_bookkeeping(before) == _without_bookkeeping(after)


def _without_bookkeeping(dump: str) -> str:
    kept = r"'(security_event|rate_window)': \[.*?\](?=, '|})"
    return re.sub(kept, "", dump, flags=re.DOTALL)


def test_text_from_people_is_never_markup(served: Served) -> None:
    for number, canary in enumerate(CANARIES):
        world = served.world
        firm = world.run("firm.add", OPERATOR, name=canary)
        world.run("firm.activate", OPERATOR, firm_id=firm["id"], evidence="test")
        email = f"odd{number}@odd.example"
        world.run(
            "user.add",
            OPERATOR,
            email=email,
            name=canary,
            org_id=firm["id"],
            roles=[Role.TREASURER],
            password=PASSWORD,
        )
        browser = Browser(served)
        assert browser.sign_in(email).status_code == 303
        page = browser.get("/search").get_data(as_text=True)
        assert "49" not in page.partition("<main")[2].partition("</h1>")[0]
        again = browser.post("/sign-in", {"email": canary, "password": "x"})
        if any(char in canary for char in "<>\"'&"):
            assert canary not in page
            assert canary not in again.get_data(as_text=True)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(served: Served) -> None:
    answer = served.api("maker", "POST", "/firms", json={"name": "x" * (MAX_BODY + 1)}, key="large")
    assert (answer.status_code, answer.get_json()["code"]) == (413, "TOO_LARGE")
    form = served.browser().post("/sign-in", {"email": "x" * (MAX_BODY + 1), "password": "x"})
    assert form.status_code == 413
    many = {f"field{number}": "x" for number in range(5000)}
    assert served.browser().post("/sign-in", many).status_code in {413, 422}


def test_figures_are_for_this_machine_or_the_bearer_of_their_token(db: Database) -> None:
    served = served_small(db)
    world = served.world

    def status(app: Flask, address: str, **headers: str) -> int:
        return (
            app.test_client()
            .get(
                "/metrics",
                base_url=HOST,
                environ_base={"REMOTE_ADDR": address},
                headers={key.replace("_", "-"): value for key, value in headers.items()},
            )
            .status_code
        )

    token = {"Authorization": "Bearer figures"}
    plain, proxied = served.app, application(world, behind_tls_proxy=True, metrics_token="figures")
    assert status(plain, "127.0.0.1") == 200
    assert status(plain, "192.0.2.7") == 404
    assert status(plain, "127.0.0.1", X_Forwarded_For="127.0.0.1") == 404
    assert status(proxied, "127.0.0.1") == 404
    assert status(proxied, "127.0.0.1", **token) == 200
    assert status(proxied, "127.0.0.1", Authorization="Bearer wrong") == 404
    assert status(plain, "192.0.2.7", Authorization="Bearer ") == 404


def _templates() -> list[Path]:
    return sorted((Path(web.__file__).parent / "templates").rglob("*.html"))


@pytest.mark.parametrize("template", _templates(), ids=lambda path: path.name)
def test_templates_hold_nothing_that_the_content_policy_forbids(template: Path) -> None:
    text = template.read_text("utf-8")
    for banned in (
        r"\bstyle\s*=",
        r"<style",
        r"<script(?![^>]*\bsrc=)",
        r"\bon\w+\s*=\s*[\"']",
        r"hx-on",
        r"javascript:",
        r"\|\s*safe",
        r"autoescape\s+false",
        r"https?://",
    ):
        assert not re.search(banned, text), banned
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf()" in form or "form_key(" in form


def test_ready_means_that_the_database_answers(served: Served, db: Database) -> None:
    client: Any = served.app.test_client()
    assert client.get("/readyz", base_url=HOST).status_code == 200
    with db.writer.begin() as conn:
        conn.exec_driver_sql("DROP TABLE alembic_version")
    assert client.get("/readyz", base_url=HOST).status_code == 503
    assert client.get("/healthz", base_url=HOST).status_code == 200
