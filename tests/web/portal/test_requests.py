"""What a seller does with its requests: take back, answer, take less; and what it is told."""

import datetime as dt
import re
from typing import Any

import pytest

from scf.db.engine import Database
from scf.financing.models import Advance, CounterOffer, FinancingRequest
from scf.programmes.terms import CHECKS_BEFORE_DECISION
from scf.settlement.recourse import debt
from tests.support.deals import CHECKER, DAY, MAKER, SELLER, eur, programme_file
from tests.web.portal.trading import Trading, hidden, readable, sums, trading_on


@pytest.fixture
def trading(db: Database) -> Trading:
    return trading_on(db)


def asked(trading: Trading) -> str:
    """Ask for finance on one invoice; gives the address of the request's page."""
    request = trading.deals.request(trading.deals.invoice("1,000,000.00", number="INV-9"))
    return f"/treasurer/requests/{request['id']}"


def form_of(page: str) -> dict[str, Any]:
    return {"key": hidden(page, "key")[0], "version": hidden(page, "version")[0]}


def state(trading: Trading) -> str:
    (row,) = trading.deals.all(FinancingRequest)
    return str(row.state)


def test_a_request_is_taken_back_once_and_everything_is_free_again(trading: Trading) -> None:
    address = asked(trading)
    assert "Nothing more can be paid early today" in trading.page("/treasurer/")
    form = form_of(trading.page(address))
    for _ in range(2):  # pressed twice
        assert trading.post(f"{address}/withdraw", form).status_code == 303
    assert state(trading) == "WITHDRAWN"
    assert "Taken back" in trading.page(address)
    assert "988,375.00 EUR" in trading.page("/treasurer/")
    stale = trading.post(f"{address}/withdraw", form | {"key": "another"})
    assert stale.status_code == 409


def test_a_question_of_the_bank_is_answered_on_the_page(trading: Trading) -> None:
    address = asked(trading)
    request_id = address.rpartition("/")[2]
    trading.deals.decide(request_id, MAKER, "RETURN", question="Which order is it?")
    assert "The bank has a question" in trading.page("/treasurer/requests")
    page = trading.page(address)
    assert "Which order is it?" in page
    form = form_of(page)
    empty = trading.post(f"{address}/answer", form | {"answer": "  "})
    assert (empty.status_code, "Write an answer first" in readable(empty)) == (422, True)
    trading.post(f"{address}/answer", form | {"answer": "Order 4711."})
    assert state(trading) == "SUBMITTED"
    assert "Order 4711." in trading.page(address)


def test_less_is_taken_under_a_second_factor_on_exactly_that(trading: Trading) -> None:
    address = asked(trading)
    request_id = address.rpartition("/")[2]
    (advance,) = trading.deals.all(Advance)
    line = {"invoice_id": advance.invoice_id, "face_minor": eur("400,000.00")}
    trading.deals.check(request_id, *CHECKS_BEFORE_DECISION)
    for person in (MAKER, CHECKER):
        trading.deals.decide(request_id, person, "COUNTER", lines=[line])
    page = trading.page(address)
    assert "Take 395,350.00 EUR" in page
    form = form_of(page) | {"offer": hidden(page, "offer")[0]}
    wrong = trading.post(f"{address}/take", form | {"code": "000000"})
    assert (wrong.status_code, state(trading)) == (422, "COUNTER_OFFERED")
    trading.post(f"{address}/take", trading.signed(form))
    (offer,) = trading.deals.all(CounterOffer)
    assert (offer.state, state(trading)) == ("ACCEPTED", "APPROVED")


def test_a_decline_is_told_as_its_letter_and_no_more(trading: Trading) -> None:
    address = asked(trading)
    request_id = address.rpartition("/")[2]
    trading.deals.check(request_id, "screening", result="HIT")
    page = trading.page(address)
    assert state(trading) == "DECLINED"
    assert "Why not" in page
    assert "screening" not in page.lower()
    assert "Take the request back" not in page


def test_a_request_of_others_is_not_there(trading: Trading) -> None:
    address = asked(trading)
    assert trading.browser.get("/treasurer/requests/nobody-knows-it").status_code == 404
    assert trading.served.browser("clerk").get(address).status_code == 403


def test_what_is_kept_back_stands_between_the_face_and_the_cash(trading: Trading) -> None:
    agreed = trading.deals.agreed(
        programme_file("own", "receivables-discounting"), seller_id=SELLER
    )
    trading.deals.limit("programme", agreed, "10,000,000.00")
    invoice = trading.deals.invoice("500,000.00", accepted=False)
    request = trading.deals.request(invoice)
    page = trading.page(f"/treasurer/requests/{request['id']}").partition('<dl class="kv">')[2]
    face, fee, kept, net, later = sums(page)[:5]
    assert (face, face - fee - kept, kept) == (eur("500,000.00"), net, eur("75,000.00"))
    assert "Interest later" in page
    assert later > 0


def test_what_is_asked_back_stands_on_the_home_page_with_the_way_to_pay(trading: Trading) -> None:
    deals = trading.deals
    agreed = deals.agreed(
        programme_file("own", "receivables-discounting", recourse='"full"'), seller_id=SELLER
    )
    deals.limit("programme", agreed, "10,000,000.00")
    asked_for = deals.request(
        deals.invoice("500,000.00", accepted=False, number="INV-B", due_on=DAY + dt.timedelta(30))
    )
    (advance,) = deals.all(Advance, request_id=asked_for["id"])
    deals.change(Advance, advance.id, state="OVERDUE", funded_on=DAY, income_to=DAY, called_on=None)
    deals.change(FinancingRequest, asked_for["id"], state="APPROVED")
    deals.set_date(DAY + dt.timedelta(days=40))
    called = deals.run(
        "recourse.call", MAKER, advance_id=advance.id, cause="unpaid", note="Not paid for ten days."
    )
    with deals.db.snapshot() as conn:
        owed = debt(conn, deals.get(Advance, advance.id))
    assert owed == called["due_minor"] > 0
    for path in ("/treasurer/", f"/treasurer/requests/{asked_for['id']}"):
        page = trading.page(path)
        told = re.search(r"asks ([\d,.]+ EUR) back from you", page)
        assert told is not None
        assert sums(told[1]) == [owed]
        assert "The bank asks it back from you" in page
        assert re.search(r"Write as the reference</dt><dd[^>]*>INV-B<", page)
