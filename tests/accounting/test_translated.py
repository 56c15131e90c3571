"""The trial balance in the book's own currency, and what other programs make of a revalued book."""

import csv
import datetime as dt
import io
from fractions import Fraction
from pathlib import Path

from scf.accounting.journal import journal_lines, trial_balance
from scf.accounting.translated import Translated, translate
from scf.accounting.writers.beancount import to_beancount
from scf.accounting.writers.text import to_hledger
from scf.db.engine import Database
from scf.kernel.money import exponent, format_minor
from tests.accounting.test_export import beancount, hledger
from tests.support.currencies import Book
from tests.support.deals import BANK, DAY

D = dt.timedelta(days=1)


def told(found: Translated) -> dict[tuple[str, str], int | None]:
    return {(one.line.account_code, one.line.currency): one.value_minor for one in found.lines}


def test_a_book_in_three_currencies_sums_to_zero_and_is_read_elsewhere(
    db: Database, tmp_path: Path
) -> None:
    book, first, last = Book(db), DAY - 9 * D, DAY - D
    book.rate(first, USD="1.25", JPY="160")
    book.book(first, "USD", 100_00)  # discount income: 80.00, for good
    book.book(first, "JPY", 1_001, "due_to_payers")  # 6.25625: 6.26 on both sides
    book.book(first, "EUR", 30_00, "suspense")
    with db.snapshot() as conn:
        early = translate(conn, BANK, first)
        missing = translate(conn, BANK, first - D)
    assert told(early) == {
        ("cash", "EUR"): 30_00, ("cash", "JPY"): 6_26, ("cash", "USD"): 80_00,
        ("discount_income", "USD"): -80_00, ("due_to_payers", "JPY"): -6_26,
        ("suspense", "EUR"): -30_00,
    }  # fmt: skip
    assert (early.total_minor, early.not_booked_minor, early.rounding_minor) == (0, 0, 0)
    assert missing.total_minor == 0
    assert missing.lines == []

    book.rate(last, USD="1.20", JPY="150")
    with db.snapshot() as conn:
        later = translate(conn, BANK, last)
        stale = translate(conn, BANK, last + 30 * D)
    # 100.00 USD are 83.33; 1,001 yen 6.67 on both sides: a gain of 3.33 that nobody has booked.
    assert told(later)["cash", "USD"] == 83_33
    assert told(later)["discount_income", "USD"] == -80_00
    assert told(later)["due_to_payers", "JPY"] == -6_67
    assert (later.not_booked_minor, later.rounding_minor, later.total_minor) == (-3_33, 0, 0)
    assert stale.total_minor is None
    assert {gap.currency for gap in stale.gaps} == {"JPY", "USD"}

    book.revalue(last)
    with db.snapshot() as conn:
        booked = translate(conn, BANK, last)
        lines = list(journal_lines(conn, BANK))
        wanted = trial_balance(conn, BANK)
    assert (booked.not_booked_minor, booked.rounding_minor, booked.total_minor) == (0, 0, 0)
    assert told(booked)["currency_revaluation", "EUR"] == 0  # part of the balances' values
    assert told(booked)["currency_gains_unrealised", "EUR"] == -3_74

    printed = hledger(
        tmp_path, to_hledger(lines), "balance", "--flat", "--no-total", "-O", "csv", "-E",
        "--layout=bare",
    )  # fmt: skip
    seen = {
        (row["account"].rpartition(":")[2], row["commodity"]): Fraction(row["balance"])
        for row in csv.DictReader(io.StringIO(printed))
    }
    others = {
        (account.rpartition(":")[2], currency): Fraction(amount)
        for (account, currency), amount in beancount(to_beancount(lines)).items()
    }
    for line in wanted:
        amount = Fraction(format_minor(line.balance_minor, line.currency))
        assert amount * 10 ** exponent(line.currency) == line.balance_minor
        assert seen[line.account_name, line.currency] == amount
    assert sorted(others.values()) == sorted(seen[key] for key in seen if seen[key] or key in seen)
