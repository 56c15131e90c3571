"""A file that is sent when the session has ended waits for its owner, and for nobody else."""

import io
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from scf.db.engine import Database
from scf.documents.models import Original, Upload
from scf.parties.factors.models import KeptFile
from tests.support.served import HOST, Browser, Served
from tests.web.portal.anchor.test_upload import table
from tests.web.portal.anchor.world import Person, served
from tests.web.signing import sign_in
from web.portal.gate import kept_files

# More than a page without files may bring.
CONTENT = table(bad=()).replace(b";K1", b";" + b"K" * 60_000)
RESUME = "/sign-in/resume"


@pytest.fixture
def of(db: Database) -> Served:
    return served(db)


def late(of: Served) -> Person:
    """Send a file from a page that was opened half an hour ago."""
    clerk = Person(of, "clerk")
    clerk.get("/uploads/")
    of.world.clock.advance(minutes=31)
    form = {"csrf_token": clerk.token(), "key": clerk.field("key")}
    assert send(clerk.browser, form, CONTENT, "/uploads/").headers["Location"] == "/sign-in"
    return clerk


def again(of: Served, person: Person) -> str:
    """Sign in again; gives the page on which everything still is."""
    sign_in(of, "clerk", person.browser)
    return person.get(RESUME)


def send(
    browser: Browser, form: dict[str, Any], content: bytes = b"", page: str = RESUME
) -> TestResponse:
    """Send the form of a page, with a file or without."""
    file = {"file": FileStorage(io.BytesIO(content), "ledger.csv")} if content else {}
    boundary, body = encode_multipart({**form, **file})
    return browser.client.post(
        "/uploads/",
        base_url=HOST,
        data=body,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Referer": HOST + page, "Origin": HOST},
    )


def count(of: Served, model: type) -> int:
    with of.world.platform.db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(model)).scalar_one())


def test_a_file_sent_after_the_session_ended_is_there_after_signing_in(of: Served) -> None:
    clerk = late(of)
    assert count(of, Upload) == 0
    assert "ledger.csv" in again(of, clerk)
    form = {name: clerk.field(name) for name in ("csrf_token", "key", "kept_form")}
    first, second = (send(clerk.browser, form) for _press in range(2))
    assert first.headers["Location"].endswith("/check")
    assert second.headers["Location"] == first.headers["Location"]
    with of.world.platform.db.snapshot() as conn:
        original = Original.__table__  # type: ignore[attr-defined]
        assert conn.execute(select(original.c.content)).scalars().all() == [CONTENT]
    assert count(of, Upload) == 1
    assert clerk.browser.get(RESUME).headers["Location"] == "/"


def test_it_waits_through_a_second_end_and_goes_with_the_quarter_of_an_hour(of: Served) -> None:
    clerk = late(of)
    again(of, clerk)
    form = {name: clerk.field(name) for name in ("csrf_token", "key", "kept_form")}
    other = Person(of, "approver")
    foreign = send(other.browser, form | {"csrf_token": other.browser.form_token("/")})
    assert foreign.headers["Location"] == "/uploads/"  # brings no file: choose one first
    assert count(of, Upload) == 0
    clerk.browser.client.delete_cookie("__Host-session", domain="localhost")
    assert "ledger.csv" in again(of, clerk)
    of.world.clock.advance(minutes=16)
    assert clerk.browser.get(RESUME).headers["Location"] == "/"
    sign_in(of, "approver")
    assert count(of, KeptFile) == 0


def test_nobody_unknown_leaves_a_file_and_all_of_them_have_bounds(
    of: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = of.browser()
    token = nobody.form_token()
    form = {"csrf_token": token, "key": "0" * 26}
    assert send(nobody, form, CONTENT[:1000], "/uploads/").headers["Location"] == "/sign-in"
    assert count(of, KeptFile) == 0
    assert send(nobody, form, CONTENT, "/uploads/").status_code == 413
    monkeypatch.setattr(kept_files, "MOST_BYTES", len(CONTENT) - 1)
    page = again(of, late(of))
    assert "There was no room to keep this file. Choose it again." in page
    assert 'action="/uploads/"' not in page
