"""The one plain page: one's own invoices, with the other side, the day, the money and the state."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.kernel.ids import new_id
from tests.support.people import NOON
from tests.support.served import Served, served_small
from web.portal.pages import PAGE_SIZE

DUE = dt.date(2026, 4, 20)


def invoice(served: Served, number: str, **more: Any) -> None:  # noqa: ANN401 - any column
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


@pytest.fixture
def served(db: Database) -> Served:
    return served_small(db)


def page(served: Served, person: str, path: str = "/") -> str:
    answer = served.browser(person).get(path)
    assert answer.status_code == 200
    text = str(answer.get_data(as_text=True)).replace("&nbsp;", "\u00a0")
    return text.replace('<span class="cur">', "")  # the code stands smaller beside its amount


def test_each_side_sees_the_other_by_name(served: Served) -> None:
    invoice(served, "INV-1", acceptance_state="ACCEPTED")
    seller, buyer = page(served, "treasurer"), page(served, "clerk")
    for shown in ("INV-1", "Anchor Company", "20 Apr 2026", "125,000.00\u00a0EUR", "Approved"):
        assert shown in seller
    assert "Supplier Company" in buyer.partition("<tbody>")[2]


def test_money_has_the_digits_of_its_currency(served: Served) -> None:
    for currency, minor, shown in (
        ("JPY", 1_234_567, "1,234,567\u00a0JPY"),
        ("KWD", 1_234_567, "1,234.567\u00a0KWD"),
        ("CNY", 10**15, "10,000,000,000,000.00\u00a0CNY"),
    ):
        invoice(served, f"IN-{currency}", currency=currency, minor=minor)
        assert shown in page(served, "treasurer")


def test_overdue_is_judged_by_the_business_date(served: Served) -> None:
    invoice(served, "INV-1", due_on=dt.date(2026, 3, 1))
    invoice(served, "INV-2", due_on=dt.date(2026, 3, 2))
    rows = page(served, "treasurer").split("<tr>")
    assert ["Overdue" in row for row in rows if "INV-" in row] == [True, False]


def test_an_invoice_between_others_is_not_shown(served: Served) -> None:
    invoice(served, "INV-OTHER", seller_id="x", buyer_id="y", org_id="x")
    for person in ("treasurer", "clerk", "maker"):
        assert "INV-OTHER" not in page(served, person)


def test_a_bank_sees_only_what_it_may_finance(served: Served) -> None:
    invoice(served, "INV-1", acceptance_state="ACCEPTED")
    assert "INV-1" not in page(served, "maker")
    assert "No invoices yet" in page(served, "bank-admin")


def test_a_party_that_nobody_knows_is_named_as_in_the_document(served: Served) -> None:
    invoice(served, "INV-1", buyer_id=None, due_on=None, document_state="INCOMPLETE")
    shown = page(served, "treasurer")
    assert "As the paper says" in shown
    assert "Incomplete" in shown


def test_a_long_list_is_cut_into_pages_that_hold_each_invoice_once(served: Served) -> None:
    for number in range(PAGE_SIZE + 3):
        invoice(served, f"INV-{number:03}")
    first, second = page(served, "treasurer"), page(served, "treasurer", "/?page=2")
    assert "Page 1 of 2" in first
    assert 'rel="next" href="/?page=2"' in first
    assert first.count("INV-") == PAGE_SIZE
    assert second.count("INV-") == 3
    for odd in ("0", "-1", "99999999999", "x", "٢", "2 OR 1=1", ""):
        text = page(served, "treasurer", f"/?page={odd}")
        assert "Page 1 of 2" in text or "Page 2 of 2" in text
