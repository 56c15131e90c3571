"""Foreign balances at the rate of a day: figures worked out by hand, on both engines."""

import datetime as dt
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scf.db.engine import Database
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, RuleViolation
from scf.ledger.currency import proof
from scf.ledger.currency.carrying import Position
from scf.ledger.currency.models import Revaluation
from scf.ledger.currency.rates import Published, Rates, convert
from scf.ledger.models import Entry, Period
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from tests.support.currencies import Book
from tests.support.deals import BANK, CHECKER, DAY, HEAD, MAKER, OTHER_CHECKER, OTHER_MAKER, Deals
from tests.support.racing import race

D = dt.timedelta(days=1)

# Book in the second currency; movements with the rate of their day; closing rate; then worked out
# by hand: historic, cost, closing value, unrealised, realised (minor units, gains positive).
TABLE = {
    # 100.00 USD at 0.90 = 90.00; 40.00 out at 0.95 = 38.00 for a cost of 36.00; 60.00 at 0.92.
    "part sold": ("USD", "EUR", [(10000, "0.90"), (-4000, "0.95")], "0.92",
                  (5200, 5400, 5520, 120, 200)),
    # All of it gone: nothing unrealised, 5.00 realised.
    "all sold": ("USD", "EUR", [(10000, "0.90"), (-10000, "0.95")], "0.99", (-500, 0, 0, 0, 500)),
    # A debt of 100.00 that grows dear: what is owed costs more, a loss.
    "debt": ("USD", "EUR", [(-10000, "0.90")], "0.95", (-9000, -9000, -9500, -500, 0)),
    "debt repaid": ("USD", "EUR", [(-10000, "0.90"), (10000, "0.85")], "0.99",
                    (-500, 0, 0, 0, 500)),
    # Through zero: 100.00 in at 0.90, 150.00 out at 1.00: 10.00 realised, −50.00 left at 1.00.
    "through zero": ("USD", "EUR", [(10000, "0.90"), (-15000, "1.00")], "1.10",
                     (-6000, -5000, -5500, -500, 1000)),
    # 1,005 yen at 0.5 cents each = 5.025 EUR: a tie of 502.5 cents goes away from zero.
    "yen, tie": ("JPY", "EUR", [(1005, "0.005")], "0.015", (503, 503, 1508, 1005, 0)),
    "yen owed, tie": ("JPY", "EUR", [(-1005, "0.005")], "0.005", (-503, -503, -503, 0, 0)),
    # 1.250 KWD at 3 = 3.75; 0.625 out at 3.2 = 2.00 for a cost of 1.875, rounded 1.88.
    "dinar": ("KWD", "EUR", [(1250, "3"), (-625, "3.2")], "3.1", (175, 187, 194, 7, 12)),
    # Into a currency of three digits and one of none.
    "to dinar": ("USD", "KWD", [(333, "0.30715")], "0.3075", (1023, 1023, 1024, 1, 0)),
    "to yen": ("EUR", "JPY", [(1, "150"), (1, "149")], "151.5", (3, 3, 3, 0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_a_position_is_what_pen_and_paper_say(case: str) -> None:
    currency, book, moves, closing, wanted = TABLE[case]
    position = Position()
    for minor, rate in moves:
        position.move(minor, lambda n, r=rate: convert(n, currency, book, Fraction(r)))  # type: ignore[misc]
    worth = convert(position.balance_minor, currency, book, Fraction(closing))
    told = (position.historic_minor, position.cost_minor, worth, *position.gains(worth))
    assert told == wanted


@settings(max_examples=300, deadline=None)
@given(
    moves=st.lists(
        st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 10**7)), min_size=1, max_size=20
    ),
    currency=st.sampled_from(["JPY", "USD", "KWD"]),
)
def test_revaluations_sum_to_closing_less_historic(
    moves: list[tuple[int, int]], currency: str
) -> None:
    """Whatever happened, and however often it was revalued: nothing is lost or made."""
    position, booked, historic = Position(), [0, 0], 0
    for minor, rate in moves:
        ratio = Fraction(rate, 10_000)

        def worth(n: int, ratio: Fraction = ratio) -> int:
            return convert(n, currency, "EUR", ratio)

        position.move(minor, worth)
        historic += worth(minor)
        closing = worth(position.balance_minor)
        due = [want - done for want, done in zip(position.gains(closing), booked, strict=True)]
        booked = [done + one for done, one in zip(booked, due, strict=True)]
        assert sum(booked) == closing - historic
        if position.balance_minor == 0:
            assert booked[0] == 0


def test_a_day_goes_by_the_last_rate_that_is_young_enough() -> None:
    friday, rate = dt.date(2026, 4, 2), Fraction("1.10")  # before Easter
    euro = Rates(
        [Published("EUR", "USD", friday, rate), Published("EUR", "JPY", friday, Fraction(165))],
        "USD",
        5,
    )
    assert euro.of("EUR", friday - D) is None
    seen = euro.of("JPY", friday + 5 * D)
    assert seen is not None
    assert (seen.ratio, seen.fixed_on) == (Fraction("1.10") / 165, friday)  # through the euro
    assert euro.of("JPY", friday + 6 * D) is None
    assert euro.of("CHF", friday) is None


# --- In a book ------------------------------------------------------------------------------------


def a_changed_rate_is_found(db: Database) -> None:
    """Change a rate behind the platform's back."""
    with pytest.raises(DBAPIError, match="IMMUTABLE"), db.writer.begin() as conn:
        conn.execute(text("UPDATE fx_rate SET rate = '9'"))
    with db.writer.begin() as conn:  # as an administrator with a console could
        name = "fx_rate_no_update" if db.dialect == "sqlite" else "fx_rate_no_change ON fx_rate"
        conn.execute(text(f"DROP TRIGGER {name}"))
        conn.execute(text("UPDATE fx_rate SET rate = '1.2401' WHERE rate = '1.24'"))
    with db.snapshot() as conn:
        assert {one.code for one in proof.breaches(conn)} == {"REVALUATION"}


def test_a_book_is_revalued_closed_corrected_and_proved(db: Database) -> None:
    book = Book(db)
    deals, one, two = book.deals, DAY - 40 * D, DAY - 10 * D
    book.rate(one - D, USD="1.25", JPY="160")
    book.book(one, "USD", 100_00)  # 80.00 EUR
    book.book(one, "JPY", -8_000)  # −50.00 EUR
    book.book(one, "EUR", 77_00)
    with pytest.raises(RuleViolation, match="RATE_MISSING"):
        book.revalue(two)  # the last rate is thirty days old
    book.rate(two, USD="1.28", JPY="160")
    with pytest.raises(RuleViolation, match="REVALUATION_MISSING"):
        deals.run("period.close", MAKER, to_on=two, note="January")

    # 100.00 USD are 78.125, so 78.13: a loss of 1.87. Eight people at once book it once.
    told = race(4, lambda n: str(deals.run("ledger.revalue", MAKER, f"r{n}", on=two)["entries"]))
    assert told == {"1": 1, "0": 3}
    assert book.holds() == {"currency_revaluation": -1_87, "currency_losses_unrealised": 1_87}
    assert {row.on_day: row.closing_minor for row in deals.all(Revaluation) if
            row.currency == "USD"} == {two: 78_13}  # fmt: skip

    # A corrected publication: the day is looked at again and the difference booked.
    book.rate(two, USD="1.20", JPY="160")  # 83.33: a gain of 3.33 in all, 5.20 more
    assert book.revalue(two)["unrealised_minor"] == 5_20
    assert book.revalue(two)["entries"] == 0
    assert book.holds()["currency_revaluation"] == 3_33
    deals.run("period.close", MAKER, to_on=two, note="January")
    book.rate(two, USD="1.24", JPY="160")  # while the closing waits for its second person
    (period,) = deals.all(Period)
    with pytest.raises(RuleViolation, match="REVALUATION_MISSING"):
        deals.run("period.confirm", CHECKER, period_id=period.id)
    book.revalue(two)  # 80.645, so 80.65
    assert book.holds()["currency_revaluation"] == 65
    assert deals.run("period.confirm", CHECKER, period_id=period.id)["state"] == "CLOSED"
    with pytest.raises(RuleViolation, match="REVALUATION_DAY"):
        book.revalue(two)
    with pytest.raises(RuleViolation, match="REVALUATION_DAY"):
        book.revalue(DAY)

    # All dollars and yen go: realised, and nothing is left that was not.
    late = two + D
    book.rate(late, USD="1.00", JPY="200")
    book.book(late, "USD", -100_00)  # −100.00 for a cost of 80.00: 20.00 gained
    book.book(late, "JPY", 8_000)  # 40.00 for a debt of 50.00: 10.00 gained
    assert book.revalue(late) | {"on": ""} == {
        "on": "", "currency": "EUR", "balances": 2, "entries": 2,
        "unrealised_minor": -65, "realised_minor": 30_00,
    }  # fmt: skip
    found = book.holds()
    assert "currency_revaluation" not in found
    assert found["currency_exchange"] == 30_00
    assert sum(found.values()) == 0
    entries = [row for row in deals.all(Entry) if row.event_kind == "currency.revalue"]
    assert {row.booked_on for row in entries} == {two, late}

    # Another publisher from now on: what was worked out by the first one still holds.
    deals.run("book.set", HEAD, currency="EUR", source="SNB", max_age_days=5)
    assert book.holds() == found
    a_changed_rate_is_found(db)


def test_rates_and_the_currency_of_a_book_are_in_two_hands(db: Database) -> None:
    deals = Deals(db, limits=None)
    rates = [{"base": "EUR", "quote": "USD", "fixed_on": DAY, "rate": "1.0870"}]
    made = deals.run("rates.add", MAKER, source="ECB", rates=rates)
    told = {"publication_id": made["id"], "seen": made["seen"]}
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.run("rates.confirm", HEAD.__class__("u-maker", BANK, HEAD.roles), **told)
    with pytest.raises(Exception, match="NOT_FOUND"):
        deals.run("rates.confirm", OTHER_CHECKER, **told)
    with pytest.raises(Conflict, match="STALE"):
        deals.run("rates.confirm", CHECKER, publication_id=made["id"], seen="x")
    first = race(4, lambda n: str(deals.run("rates.confirm", CHECKER, f"c{n}", **told)["state"]))
    assert first == {"CONFIRMED": 1, "NOTHING_WAITS": 3}
    again = deals.run("rates.add", MAKER, source="ECB", rates=rates)
    assert (again["id"], again["rates"]) == (None, 0)
    other = deals.run("rates.add", MAKER, source="ECB", rates=[rates[0] | {"rate": "1.0871"}])
    assert other["superseding"] == 1
    deals.run("rates.refuse", CHECKER, publication_id=other["id"], reason="a slip")
    with pytest.raises(Conflict, match="NOTHING_WAITS"):
        deals.run("rates.confirm", CHECKER, publication_id=other["id"], seen=other["seen"])
    for wrong, code in (
        ({"fixed_on": DAY + 400 * D}, "RATE_DAY"), ({"quote": "EUR"}, "RATE_PAIR"),
        ({"rate": "1e3"}, "RATE_FORMAT"), ({"rate": "0.000"}, "RATE_RANGE"),
        ({"quote": "XXX"}, "CURRENCY"),
    ):  # fmt: skip
        with pytest.raises(InvalidInput, match=code):
            deals.run("rates.add", MAKER, source="ECB", rates=[rates[0] | wrong])

    assert deals.run("book.set", HEAD, currency="CHF", source="ECB")["currency"] == "CHF"
    with deals.db.writer.begin() as conn:
        journal = Journal(BANK, [debit("cash", 5), credit("suspense", 5)])
        event = LedgerEvent("e", "tried", "life", "CHF", DAY, DAY, "a try", [journal])
        post(deals.context(conn), [event])
    with pytest.raises(Conflict, match="BOOK_IN_USE"):
        deals.run("book.set", HEAD, currency="EUR", source="ECB")
    assert deals.run("book.set", HEAD, currency="CHF", source="SNB")["source"] == "SNB"
    with pytest.raises(NotAllowed, match="NOT_ALLOWED"):
        deals.run("book.set", OTHER_MAKER, currency="CHF")
