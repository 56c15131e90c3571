"""Payments and the statement of a seller: every line adds up, on the page, as CSV and as PDF."""

import csv
import datetime as dt
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from scf.db.engine import Database
from scf.kernel.actor import Role
from scf.kernel.clock import FixedClock
from scf.settlement.seller_account import Statement, statement_of
from tests.settlement.world import DUE, SELLER, START, eur
from tests.settlement.world import World as Money
from tests.support.engines import Prepare
from tests.support.people import world_on
from tests.support.served import Browser, Served, application
from tests.web.portal.trading import readable

FROM, TO = "2026-03-01", DUE.isoformat()
ADDRESS = f"/treasurer/statement?currency=EUR&from={FROM}&to={TO}"


def lived(url: str) -> None:
    """Let one invoice be paid early, and a part of it be paid back by the buyer."""
    db = Database(url)
    with TemporaryDirectory() as bank:
        made = Money(db, Path(bank))
        made.financed()
        made.morning_of(DUE)
        made.receive("400,000.00", "INV-1")
    db.close()


@pytest.fixture
def prepare() -> Prepare:
    """Let every test look at the same account."""
    return lived


@pytest.fixture
def browser(db: Database) -> Browser:
    world = world_on(db, FixedClock(dt.datetime.combine(START, dt.time(9), dt.UTC)))
    world.firms["seller"] = SELLER
    world.person("treasurer", "seller", Role.TREASURER)
    return Served(world, application(world)).browser("treasurer")


def account(db: Database, first: dt.date = START) -> Statement:
    with db.snapshot() as conn:
        return statement_of(conn, SELLER, "EUR", first, DUE)


def test_opening_and_lines_add_up_to_what_is_outstanding(db: Database) -> None:
    found = account(db)
    assert found.opening_minor == 0
    assert [one.kind for one in found.movements] == ["PAID_EARLY", "BUYER_PAID"]
    assert found.closing_minor == eur("600,000.00")
    assert found.total("net_minor") == eur("988,375.00")
    later = account(db, DUE)
    assert later.opening_minor == eur("1,000,000.00")
    assert later.closing_minor == found.closing_minor


def test_page_csv_and_pdf_say_the_same(browser: Browser) -> None:
    page = readable(browser.get(ADDRESS))
    for shown in ("1,000,000.00 EUR", "988,375.00 EUR", "11,625.00 EUR", "4.70%", "600,000.00 EUR"):
        assert shown in page
    plain = browser.get(f"{ADDRESS}&format=csv")
    rows = list(csv.DictReader(io.StringIO(plain.get_data(as_text=True))))
    assert [row["outstanding"] for row in rows] == ["1000000.00", "600000.00"]
    assert (rows[0]["received"], rows[0]["all_in_percent"]) == ("988375.00", "4.7047")
    with_mark = browser.get(f"{ADDRESS}&format=csv&bom=1")
    assert with_mark.data == b"\xef\xbb\xbf" + plain.data
    printed = browser.get(f"{ADDRESS}&format=pdf")
    assert printed.data.startswith(b"%PDF-")
    assert "statement-EUR-2026-03-01" in printed.headers["Content-Disposition"]


def test_without_the_printing_set_the_answer_says_how_to_get_it(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    answer = browser.get(f"{ADDRESS}&format=pdf")
    assert answer.status_code == 503
    assert "setup.py install pdf" in answer.get_data(as_text=True)


def test_without_pango_the_answer_names_the_package(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)

    def missing(_ffi: object, name: str, *_flags: object) -> None:
        message = f"cannot load library {name!r}"
        raise OSError(message)

    monkeypatch.setattr("cffi.FFI.dlopen", missing)
    answer = browser.get(f"{ADDRESS}&format=pdf")
    assert answer.status_code == 503
    assert "apt-get install libpango-1.0-0" in answer.get_data(as_text=True)


def test_a_period_that_runs_backwards_is_refused(browser: Browser) -> None:
    answer = browser.get("/treasurer/statement?from=2026-06-01&to=2026-03-01")
    assert answer.status_code == 422


def test_a_payment_is_listed_with_what_it_was_for(browser: Browser) -> None:
    page = readable(browser.get("/treasurer/payments"))
    for shown in ("988,375.00 EUR", "In your account", "Paid early", "/treasurer/requests/"):
        assert shown in page
    assert "verified by" in readable(browser.get("/treasurer/settings"))
