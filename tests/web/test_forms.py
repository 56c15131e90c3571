"""Amounts as people write them, and the key by which a form is sent once."""

import pytest
from flask import Flask

from scf.db.engine import Database
from scf.kernel.errors import InvalidInput
from tests.support.people import small_prepare
from tests.support.served import served_small
from web.forms import form_key, minor_of

prepare = small_prepare  # every test begins in the small world


@pytest.fixture
def app(db: Database) -> Flask:
    return served_small(db).app


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("1,917,656.25", 191_765_625), ("1917656.25", 191_765_625), ("400", 40_000),
        (" 400.5 EUR", 40_050), ("0.01", 1),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_the_language_writes_it(app: Flask, typed: str, minor: int) -> None:
    with app.test_request_context(headers={"Accept-Language": "en"}):
        assert minor_of(typed, "EUR") == minor


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "1,2,3", "1.234,56", "4,00,000", "0.001", "-5", "1e5", "٣٠٠", "NaN", "9" * 30],
)
def test_what_could_mean_something_else_is_no_amount(app: Flask, typed: str) -> None:
    with (
        app.test_request_context(headers={"Accept-Language": "en"}),
        pytest.raises(InvalidInput, match="AMOUNT"),
    ):
        minor_of(typed, "EUR")


def test_a_form_without_its_key_is_refused(app: Flask) -> None:
    for sent in ({}, {"key": ""}, {"key": "k" * 200}):
        with (
            app.test_request_context(method="POST", data=sent),
            pytest.raises(InvalidInput, match="KEY"),
        ):
            form_key()
