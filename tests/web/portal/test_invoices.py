"""The list of own invoices: views, search, pages; and the page of one with its whole life."""

import datetime as dt
import re
from typing import Any

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.documents.messages.models import TradeMessage
from scf.documents.models import Invoice, Order
from scf.kernel.actor import Role
from scf.kernel.ids import new_id
from tests.support.people import NOON, small_prepare
from tests.support.served import Served, served_small
from tests.web.portal.trading import readable
from web.portal.treasurer.listing import PAGE

prepare = small_prepare  # every test begins in the small world

DUE = dt.date(2026, 4, 20)


def invoice(served: Served, number: str, **more: Any) -> str:  # noqa: ANN401 - any column
    """Store an invoice of the supplier on the anchor as an import leaves it."""
    firms = served.world.firms
    minor = more.pop("minor", 125_000_00)
    row = {
        "id": new_id(),
        "number": number,
        "canonical_number": number,
        "seller_id": firms["supplier"],
        "buyer_id": firms["anchor"],
        "issue_on": dt.date(2026, 2, 20),
        "due_on": DUE,
        "currency": "EUR",
        "type_code": "380",
        "duplicate_key": new_id(),
        "net_minor": minor,
        "tax_minor": 0,
        "gross_minor": minor,
        "payable_minor": minor,
        "base_minor": minor,
        "document_state": "VALIDATED",
        "parties": {"buyer": {"name": "As the paper says"}},
        "org_id": firms["supplier"],
        "upload_id": "upload",
        "original_id": "original",
        "created_at": NOON,
    } | more
    with served.world.platform.db.writer.begin() as conn:
        conn.execute(insert(Invoice), [row])
    return str(row["id"])


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def page(served: Served, path: str = "/treasurer/invoices", person: str = "treasurer") -> str:
    answer = served.browser(person).get(path)
    assert answer.status_code == 200
    return readable(answer)


def rows_of(text: str) -> list[str]:
    return text.partition("<tbody>")[2].split("<tr>")[1:]


def test_a_row_names_buyer_day_money_and_state(served: Served) -> None:
    invoice(served, "INV-1", acceptance_state="ACCEPTED")
    (row,) = rows_of(page(served))
    for shown in ("INV-1", "Anchor Company", "20 Apr 2026", "125,000.00 EUR", "in 49 days"):
        assert shown in row


def test_money_has_the_digits_of_its_currency(served: Served) -> None:
    for currency, minor, shown in (
        ("JPY", 1_234_567, "1,234,567 JPY"),
        ("KWD", 1_234_567, "1,234.567 KWD"),
        ("CNY", 10**15, "10,000,000,000,000.00 CNY"),
    ):
        invoice(served, f"IN-{currency}", currency=currency, minor=minor)
        assert shown in page(served)


def test_overdue_is_judged_by_the_business_date(served: Served) -> None:
    invoice(served, "INV-1", due_on=dt.date(2026, 3, 1))
    invoice(served, "INV-2", due_on=dt.date(2026, 3, 2))
    found = {row.partition("INV-")[2][0]: "Overdue" in row for row in rows_of(page(served))}
    assert found == {"1": True, "2": False}


def test_an_invoice_between_others_is_nowhere(served: Served) -> None:
    other = invoice(served, "INV-OTHER", seller_id="x", buyer_id="y", org_id="x")
    assert "INV-OTHER" not in page(served)
    browser = served.browser("treasurer")
    assert browser.get(f"/treasurer/invoices/{other}").status_code == 404
    assert "INV-OTHER" not in page(served, "/search?q=INV-OTHER").partition("<ul class")[2]
    mine = invoice(served, "INV-MINE")
    assert served.browser("clerk").get(f"/treasurer/invoices/{mine}").status_code == 403


def test_a_party_that_nobody_knows_is_named_as_in_the_document(served: Served) -> None:
    invoice(served, "INV-1", buyer_id=None, due_on=None, document_state="INCOMPLETE")
    (row,) = rows_of(page(served, "/treasurer/invoices?show=waiting"))
    assert "As the paper says" in row
    assert "Incomplete" in row


def test_each_view_holds_what_its_name_says(served: Served) -> None:
    invoice(served, "READY", acceptance_state="ACCEPTED")
    invoice(served, "WAITS")
    invoice(served, "HELD", acceptance_state="ACCEPTED", held_minor=100)
    invoice(served, "PAID", acceptance_state="ACCEPTED", payment_state="PAID")
    for show, number in (
        ("ready", "READY"), ("waiting", "WAITS"), ("financed", "HELD"), ("paid", "PAID"),
    ):  # fmt: skip
        (row,) = rows_of(page(served, f"/treasurer/invoices?show={show}"))
        assert number in row
    assert len(rows_of(page(served, "/treasurer/invoices?show=all"))) == 4


def test_numbers_and_amounts_are_found_from_their_beginning(served: Served) -> None:
    invoice(served, "AB-77", minor=486_200_00)
    invoice(served, "CD-77", minor=500_00)
    for words, number in (("AB", "AB-77"), ("486200", "AB-77"), ("486,200.00", "AB-77")):
        for path in (f"/treasurer/invoices?q={words}", f"/search?q={words}"):
            text = page(served, path)
            assert (number in text, "CD-77" in text) == (True, False), path
    for nothing in ("nothing-like-it", "%25", "_"):
        assert "None of your invoices match" in page(served, f"/treasurer/invoices?q={nothing}")


def test_a_long_list_is_cut_into_pages_that_hold_each_invoice_once(served: Served) -> None:
    for number in range(PAGE + 3):
        invoice(served, f"INV-{number:03}", due_on=DUE + dt.timedelta(days=number % 7))
    first = page(served)
    address = re.search(r'rel="next" href="([^"]+)"', first)
    assert address is not None
    second = page(served, address[1].replace("&amp;", "&"))
    numbers = [found for text in (first, second) for found in re.findall(r">(INV-\d+)<", text)]
    assert len(numbers) == len(set(numbers)) == PAGE + 3
    assert 'rel="next"' not in second
    for odd in ("x", "2026-13-01.x", "2026-01-01.short", "."):
        assert page(served, f"/treasurer/invoices?after={odd}&show={odd}")


def test_one_invoice_tells_its_life_and_what_stands_against_it(served: Served) -> None:
    found = invoice(served, "INV-1", order_number="PO-9")
    text = page(served, f"/treasurer/invoices/{found}")
    for shown in (
        "to Anchor Company", "the buyer has not answered", "PO-9", "125,000.00 EUR",
        "No bank finances this buyer", "Whose turn: the bank",
    ):  # fmt: skip
        assert shown in text


def test_the_life_of_an_invoice_tells_what_was_said_of_its_order(served: Served) -> None:
    firms = served.world.firms
    common: dict[str, Any] = {
        "seller_id": firms["supplier"], "buyer_id": firms["anchor"], "currency": "EUR",
        "issue_on": dt.date(2026, 2, 1), "document_state": "VALIDATED", "parties": {},
        "org_id": firms["supplier"], "upload_id": "upload", "original_id": "original",
        "created_at": NOON,
    }  # fmt: skip
    order = Order(
        id=new_id(), number="PO-9", canonical_number="PO9", duplicate_key=new_id(),
        standing="CHANGED", total_minor=1, **common,
    )  # fmt: skip
    sent = TradeMessage(
        id=new_id(), kind="despatch", number="DES-4", canonical_number="DES4",
        duplicate_key=new_id(), order_number="PO-9", order_canonical="PO9", lines=[],
        named_invoices=[], note="", **common,
    )  # fmt: skip
    with served.world.platform.db.writer.begin() as conn:
        for row in (order, sent):
            conn.execute(insert(type(row)), row.model_dump())
    found = invoice(served, "INV-1", order_number="PO-9", order_canonical="PO9", order_id=order.id)
    text = page(served, f"/treasurer/invoices/{found}")
    assert "PO-9 · accepted with changes" in text
    assert "DES-4" in text


def test_a_person_of_both_sides_finds_no_label_and_no_letter_twice(served: Served) -> None:
    served.world.person("both", "supplier", Role.TREASURER, Role.ANCHOR_APPROVER)
    side = page(served, person="both").partition('<nav class="side')[2].partition("</nav>")[0]
    labels = re.findall(r"</svg><span>([^<]+)</span>", side)
    assert {"Home, selling", "Home, buying", "Invoices", "Acceptances"} <= set(labels)
    assert len(labels) == len(set(labels))
    letters = re.findall(r'data-go="(\w)"', side)
    assert len(letters) == len(set(letters)) > 8
    alone = page(served).partition('<nav class="side')[2]
    assert "<span>Home</span>" in alone
