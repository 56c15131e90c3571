"""The way to money by plain forms: look, get, confirm; once, honestly, and within its clicks."""

import datetime as dt
from typing import Any

import pytest

from scf.db.engine import Database
from scf.financing.models import FinancingRequest
from scf.offers.models import Quote
from scf.programmes.models import Fixing
from tests.support.deals import CHECKER, MAKER, eur
from tests.web.portal.trading import DAY, Trading, hidden, readable, sums, trading_on


@pytest.fixture
def trading(db: Database) -> Trading:
    return trading_on(db)


def get(trading: Trading, **form: object) -> str:
    """Press "Get" on the home page; gives the address of the page to confirm on."""
    page = trading.page("/treasurer/")
    ticked = hidden(page, "pick")
    data = {"key": hidden(page, "key")[0], "pick": ticked} | form
    answer = trading.post("/treasurer/offer", data)
    assert answer.status_code == 303
    return str(answer.headers["Location"])


def confirm(trading: Trading, address: str, **more: object) -> tuple[dict[str, Any], str]:
    """Press "Confirm"; gives the form that was sent and the page after it."""
    page = trading.page(address)
    form = {"key": hidden(page, "key")[-1], "quote": hidden(page, "quote")}
    sent = trading.signed(form | more)
    answer = trading.post("/treasurer/confirm", sent)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return sent, trading.page(answer.headers["Location"])


def test_two_clicks_bring_the_money_of_every_buyer(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    trading.from_second("200,000.00")
    home = trading.page("/treasurer/")
    (total,) = {amount for amount in sums(home.partition("</h1>")[0]) if amount}
    _sent, after = confirm(trading, get(trading))  # two clicks after sign-in
    requests = trading.deals.all(FinancingRequest)
    assert sum(row.net_minor for row in requests) == total
    assert len(requests) == 2
    assert "The bank has what it needs" in after
    assert "Nothing more can be paid early today" in trading.page("/treasurer/")


def test_what_is_shown_adds_up_and_is_what_is_signed(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    home = trading.page("/treasurer/")
    card = home.partition('id="offer"')[2].partition("</section>")[0]
    for shown in ("1,000,000.00 EUR", "−11,625.00 EUR", "988,375.00 EUR", "4.70%"):
        assert shown in card
    assert "that is the bank's loss, not yours" in card
    assert "Get 988,375.00 EUR" in card
    page = trading.page(get(trading))
    assert "Confirm 988,375.00 EUR" in page


def test_pressing_twice_going_back_and_reloading_ask_once(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    page = trading.page("/treasurer/")
    form = {"key": hidden(page, "key")[0], "pick": hidden(page, "pick")}
    first = trading.post("/treasurer/offer", form)
    again = trading.post("/treasurer/offer", form)
    assert first.headers["Location"] == again.headers["Location"]
    assert trading.deals.count(Quote) == 1
    address = str(first.headers["Location"])
    sent, _after = confirm(trading, address)
    repeated = trading.post("/treasurer/confirm", sent)
    other_key = trading.post("/treasurer/confirm", trading.signed(sent | {"key": "another"}))
    assert {repeated.status_code, other_key.status_code} == {303}
    assert "it is not asked for twice" in trading.page(address)
    assert trading.deals.count(FinancingRequest) == 1


def test_without_the_right_second_factor_nothing_is_asked(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    address = get(trading)
    page = trading.page(address)
    form = {"key": hidden(page, "key")[-1], "quote": hidden(page, "quote")}
    for wrong in ({}, {"code": "000000"}):
        answer = trading.post("/treasurer/confirm", form | wrong)
        assert answer.status_code == 422
        assert 'role="alert"' in readable(answer)
    assert trading.deals.count(FinancingRequest) == 0


def test_a_sum_typed_and_entered_is_raised_in_four_actions(trading: Trading) -> None:
    trading.deals.invoice("40,000.00", number="FAR")
    trading.from_second("40,000.00", number="NEAR", due_on=dt.date(2026, 4, 7))
    page = trading.page("/treasurer/")
    typed = {
        "key": hidden(page, "key")[0],
        "pick": hidden(page, "pick"),
        "amount": "30,000.00",
        "do": "cheapest",  # Enter presses the first button of the form
    }
    shown = readable(trading.post("/treasurer/", typed))
    assert 'value="30,000.00"' in shown
    assert "bring it at the least cost" in shown
    ticked = [one for one in hidden(page, "pick") if f'value="{one}" id="p-{one}"' in shown
              and f'id="p-{one}" aria-labelledby="n-{one}" checked' in shown]  # fmt: skip
    assert len(ticked) == 1
    address = get(trading, pick=ticked, amount="30,000.00", kept=hidden(shown, "kept")[0])
    confirm(trading, address)
    (asked,) = trading.deals.all(FinancingRequest)
    assert 0 <= asked.net_minor - eur("30,000.00") < 200


def test_a_sum_beyond_what_is_ready_says_how_much_there_is(trading: Trading) -> None:
    trading.deals.invoice("40,000.00")
    for typed, told in (("50,000.00", "ask for that or less"), ("4.0.0", "This is not an amount")):
        page = readable(trading.post("/treasurer/", {"amount": typed, "do": "cheapest"}))
        assert told in page
        assert f'value="{typed}"' in page


def test_one_part_that_fails_leaves_the_other_and_is_told(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    trading.from_second("200,000.00")
    address = get(trading)
    trading.deals.run(
        "programme.suspend", MAKER, programme_id=trading.second_programme, reason="a pause"
    )
    _sent, after = confirm(trading, address)
    assert "1 part did not go through" in after
    assert "The programme gives no new finance now" in after
    assert trading.deals.count(FinancingRequest) == 1
    trading.deals.run(
        "programme.resume", CHECKER, programme_id=trading.second_programme, reason="it is over"
    )
    confirm(trading, address)
    assert trading.deals.count(FinancingRequest) == 2


def test_a_price_that_ran_out_stands_beside_that_of_now_and_never_books(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    address = get(trading)
    page = trading.page(address)
    late = trading.signed({"key": hidden(page, "key")[-1], "quote": hidden(page, "quote")})
    trading.deals.clock.advance(minutes=16)
    (fixed,) = trading.deals.all(Fixing)
    trading.deals.change(Fixing, fixed.id, percent="3.95")
    trading.browser = trading.served.browser("treasurer")
    shown = trading.page(address)
    for words in ("The price has run out", "988,375.00 EUR", "987,125.00 EUR", "−1,250.00 EUR"):
        assert words in shown
    answer = trading.post("/treasurer/confirm", late)
    assert trading.deals.count(FinancingRequest) == 0, answer.status_code
    renewed = trading.post(
        "/treasurer/renew", {"key": hidden(shown, "key")[-1], "quote": hidden(shown, "quote")}
    )
    confirm(trading, str(renewed.headers["Location"]))
    (asked,) = trading.deals.all(FinancingRequest)
    assert asked.net_minor == eur("987,125.00")


def test_a_quote_of_others_is_not_there(trading: Trading) -> None:
    trading.deals.invoice("1,000,000.00")
    address = get(trading)
    assert trading.served.browser("clerk").get(address).status_code == 403
    assert trading.browser.get("/treasurer/confirm?quote=nobody-knows-it").status_code == 404
    assert trading.browser.get("/treasurer/confirm").status_code == 404


def test_an_invoice_that_waits_says_why_whose_turn_it_is_and_how_long_it_takes(
    trading: Trading,
) -> None:
    for _ in range(3):
        trading.deals.invoice("1,000.00")
    waits = trading.deals.invoice("3,000.00", accepted=False, number="NEW-1")
    page = trading.page("/treasurer/")
    row = page.partition("NEW-1")[2].partition("</li>")[0]
    for words in (
        "has not confirmed it yet",
        "Whose turn: your buyer",
        "Usually answered on the same day",
    ):
        assert words in row
    assert f"/treasurer/invoices/{waits}" in row


def test_the_list_says_of_each_invoice_what_the_offer_says(trading: Trading) -> None:
    ready = trading.deals.invoice("1,000,000.00", number="READY-1")
    trading.deals.invoice("200,000.00", number="OLD-1", issue_on=DAY - dt.timedelta(days=400))
    trading.from_second("300,000.00", number="YOUNG-1", due_on=DAY + dt.timedelta(days=1))
    shown = trading.page("/treasurer/invoices?show=ready").partition("<tbody>")[2]
    rows = {row.partition("-1<")[0].rpartition(">")[2]: row for row in shown.split("<tr>")[1:]}
    assert {name: "Early pay available" in row for name, row in rows.items()} == {
        "READY": True,
        "OLD": False,
        "YOUNG": False,
    }
    assert "Approved" in rows["OLD"]
    assert "It is too old for the programme" in rows["OLD"]
    assert "It is due too soon" in rows["YOUNG"]
    assert hidden(trading.page("/treasurer/"), "pick") == [ready]
