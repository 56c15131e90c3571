"""Rates and periods by their pages: one person brings or proposes, another signs."""

import io
import re
from typing import Any

from tests.web.portal.officer.desk import CHECKER, HEAD, MAKER, Desk

RATES = "Date,USD,JPY\n2025-12-31,1.1750,184.09\n2025-12-30,1.1776,N/A\n"


def action(page: str, end: str) -> str:
    found = re.search(rf'action="/officer(/books/[^"]+/{end})"', page)
    assert found is not None, page
    return found[1]


def test_rates_are_brought_by_one_and_signed_by_another(desk: Desk) -> None:
    one: dict[str, Any] = {
        "base": "EUR",
        "quote": "USD",
        "rate": "1.1750",
        "fixed_on": "2025-12-31",
    }
    page = desk.send(MAKER, "/books/rates", "/books/rates", source="ECB", **one)
    assert "The rates are recorded. A second person confirms them." in page
    assert "You recorded it. Another person confirms it." in page
    page = desk.page(CHECKER, "/books/rates")
    confirm = action(page, "confirm")
    hidden = desk.form(page, confirm)
    assert "The code is not right." in desk.again(CHECKER, confirm, hidden, status=422)
    assert "The rates count from now on." in desk.again(CHECKER, confirm, hidden, sign=True)
    page = desk.send(MAKER, "/books/rates", "/books/rates", source="ECB", **one)
    assert "These rates stand already." in page
    page = desk.send(
        MAKER, "/books/rates", "/books/rates", status=422, source="ECB", **(one | {"rate": "much"})
    )
    assert '"much" is not an exchange rate' in page
    file: dict[str, Any] = {
        "file": (io.BytesIO(RATES.encode()), "eurofxref-hist.csv"),
        "currencies": "USD, JPY",
    }
    page = desk.send(MAKER, "/books/rates", "/books/rates", **file)
    assert "eurofxref-hist.csv" in page
    assert "1 EUR = JPY" in page
    refuse = action(page, "refuse")
    assert "Say why, in a few words." in desk.send(CHECKER, refuse, "/books/rates", status=422)
    page = desk.send(CHECKER, refuse, "/books/rates", reason="of another day")
    assert "struck out" in page
    assert "of another day" in page


def test_a_period_is_closed_and_opened_again_by_two_people(desk: Desk) -> None:
    page = desk.page(MAKER, "/books/periods")
    assert "Foreign balances stand at the rate of the day" in page
    assert "No period has been closed yet." in page
    wrong = desk.send(MAKER, "/books/periods", "/books/periods", status=422, to_on="", note="")
    assert "Say which day is the last one." in wrong
    late = desk.send(
        MAKER, "/books/periods", "/books/periods", status=422, to_on="2099-12-31", note="too soon"
    )
    assert "A period ends on" in late
    assert "The end of day has not passed this day" in late
    proposed: dict[str, Any] = {"to_on": "2025-12-31", "note": "the year"}
    page = desk.send(MAKER, "/books/periods", "/books/periods", **proposed)
    assert "The closing is proposed. A second person confirms it." in page
    assert "You proposed it. Another person confirms it." in page
    page = desk.page(CHECKER, "/books/periods")
    confirm = action(page, "confirm")
    hidden = desk.form(page, confirm)
    assert "The code is not right." in desk.again(CHECKER, confirm, hidden, status=422)
    assert "The period is closed." in desk.again(CHECKER, confirm, hidden, sign=True)
    reopen = action(desk.page(MAKER, "/books/periods"), "reopen")
    assert "Say why, in a few words." in desk.send(MAKER, reopen, "/books/periods", status=422)
    page = desk.send(MAKER, reopen, "/books/periods", reason="a receipt of December")
    withdraw = action(page, "withdraw")
    page = desk.send(HEAD, withdraw, "/books/periods", reason="book it in January")
    assert "The proposal is dropped." in page
    assert ">closed<" in page
