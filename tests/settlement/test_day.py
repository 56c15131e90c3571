"""The end of the day: cumulative income, lateness, and a close that can die anywhere."""

import datetime as dt
from collections import defaultdict
from pathlib import Path

import pytest
from sqlalchemy import event, select

from scf.db.engine import Database
from scf.db.runner import Context
from scf.financing.models import Advance
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import Conflict, NotAllowed
from scf.ledger.currency.models import Revaluation
from scf.ledger.currency.proof import breaches
from scf.ledger.models import Account, Entry, NoEntry, Posting, Turnover
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.settlement import day
from tests.settlement.books import must_agree
from tests.settlement.conftest import MakeWorld
from tests.settlement.posting_tables import Row, row
from tests.settlement.world import (
    CHECKER,
    DUE,
    FINANCIER,
    MAKER,
    OBLIGOR,
    SELLER,
    START,
    World,
    eur,
)
from tests.support.large_book import small_book

A_DAY = dt.timedelta(days=1)
BOOKS = {"S": SELLER, "O": OBLIGOR, "F": FINANCIER}
CLOCK = Actor(OPERATOR.user_id, FINANCIER, OPERATOR.roles)


def booked(world: World, *kinds: str) -> Row:
    """Sum the entries of some event kinds by (book, account name) as the tables write them."""
    entry, posting, account = (
        model.__table__  # type: ignore[union-attr]
        for model in (Entry, Posting, Account)
    )
    query = (
        select(entry.c.org_id, account.c.name, posting.c.amount_minor)
        .join(posting, posting.c.entry_id == entry.c.id)
        .join(account, account.c.id == posting.c.account_id)
        .where(entry.c.event_kind.in_(kinds))
    )
    sums: dict[tuple[str, str], int] = defaultdict(int)
    short = {org: letter for letter, org in BOOKS.items()}
    with world.db.snapshot() as conn:
        for org, name, amount in conn.execute(query):
            sums[short[org], name.lower()] += amount
    return {key: value for key, value in sums.items() if value}


def test_case_one_books_every_row_of_table_4_1(world: World) -> None:
    advance_id = world.financed()
    assert booked(world, "invoice_accepted") == row("4.1 undertaking")
    assert booked(world, "payout.instructed") == row("4.1 instructed")
    assert booked(world, "payout.settled") == row("4.1 settled")
    world.close_to(START)
    assert booked(world, "income.close") == row("4.1 first close")
    daily = [eur("129.17")]
    for on in (START + A_DAY, START + 2 * A_DAY):
        before = world.get(Advance, advance_id).income_minor
        world.close_to(on)
        daily.append(world.get(Advance, advance_id).income_minor - before)
    assert daily == [eur("129.17"), eur("129.16"), eur("129.17")]
    world.close_to(dt.date(2026, 3, 30))
    assert world.get(Advance, advance_id).income_minor == eur("2,712.50")
    world.close_to(dt.date(2026, 3, 31))
    assert world.get(Advance, advance_id).income_minor == eur("2,841.67")
    world.morning_of(DUE)
    assert booked(world, "income.close") == row("4.1 all closes")
    world.receive("1,000,000.00", "INV-1")
    assert booked(world, "bank.booked", "principal.paid") == row("4.1 maturity")
    must_agree(world)


def test_case_five_books_every_row_of_table_4_3(world: World) -> None:
    world.financed()
    world.morning_of(DUE + 12 * A_DAY)
    assert booked(world, "penalty.close") == row("4.3 twelve closes")
    found = DUE + 5 * A_DAY
    world.receive("400,000.00", "INV-1", value_on=found, on=found)
    assert booked(world, "penalty.reversed") == row("4.3 step 1")
    assert booked(world, "bank.booked", "penalty.paid", "principal.paid") == row("4.3 step 2")
    assert booked(world, "penalty.accrued") == row("4.3 step 3")
    second = booked(world, "bank.booked", "penalty.paid", "principal.paid")
    world.receive("601,783.81", "INV-1")
    after = booked(world, "bank.booked", "penalty.paid", "principal.paid")
    step = {key: after.get(key, 0) - second.get(key, 0) for key in after}
    assert {key: value for key, value in step.items() if value} == row("4.3 step 4")
    must_agree(world)


def test_case_six_books_every_row_of_table_4_4(make_world: MakeWorld) -> None:
    world = make_world(rebate_share_ppm=800_000)
    world.financed()
    early = dt.date(2026, 5, 19)
    world.morning_of(early)
    world.receive("1,000,000.00", "INV-1")
    assert booked(world, "bank.booked", "principal.paid") == row("4.4 face")
    assert booked(world, "discount.released") == row("4.4 release")
    before = booked(world, "payout.instructed", "payout.settled")
    world.pay_out()
    after = booked(world, "payout.instructed", "payout.settled")
    paid = {key: after.get(key, 0) - before.get(key, 0) for key in after | before}
    assert {key: value for key, value in paid.items() if value} == row("4.4 rebate paid")
    must_agree(world)


def test_days_without_business_are_closed_one_by_one(world: World) -> None:
    advance_id = world.financed()
    friday = dt.date(2026, 3, 13)
    world.close_to(friday)
    done = world.close_to(friday + 3 * A_DAY)  # the next run: Saturday, Sunday, Monday
    assert done["days"] == 3
    entries = [one.booked_on for one in world.all(Entry) if one.event_kind == "income.close"]
    assert sorted(set(entries)) == [START + n * A_DAY for n in range(7)]
    assert world.get(Advance, advance_id).income_to == friday + 3 * A_DAY


def test_closing_again_changes_nothing(world: World) -> None:
    world.financed()
    world.close_to(START)
    before = world.count(Entry)
    assert world.close_to(START) == {
        "days": 0,
        "advances": 0,
        "measured": 0,
        "business_date": (START + A_DAY).isoformat(),
        "revaluation": "done",
    }
    assert world.count(Entry) == before


def test_only_the_date_of_the_books_can_be_closed(world: World) -> None:
    for on in (START - A_DAY, START + A_DAY):
        with pytest.raises(Conflict, match="NOT_TODAY"):
            world.run("day.close", CLOCK, on=on, first_id="a", last_id="b")
    with pytest.raises(NotAllowed):
        world.run("day.close", CHECKER, on=START, first_id="a", last_id="b")


def test_the_date_does_not_move_before_every_advance_is_closed(world: World) -> None:
    world.financed()
    with pytest.raises(Conflict, match="NOT_CLOSED"):
        world.run("day.finish", CLOCK, on=START)
    assert world.today == START


def test_a_close_that_died_between_slices_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slices of one; the process ends after the second of five."""
    monkeypatch.setattr(day, "SLICE", 1)
    ids = [
        world.advance(world.invoice(f"INV-{number}", "1,000.00"), "1,000.00") for number in range(5)
    ]
    world.pay_out()
    for one in ids[:2]:
        day._close_part(world.platform, CLOCK, START, [one])
    assert sum(1 for one in world.all(Advance) if one.income_to == START) == 2
    world.close_to(START)
    assert {one.income_minor for one in world.all(Advance)} == {13}
    closes = [one for one in world.all(Entry) if one.event_kind == "income.close"]
    assert len(closes) == 5
    must_agree(world)


def test_a_receipt_between_two_slices_of_one_day_is_counted_once(world: World) -> None:
    due = START + 2 * A_DAY
    one = world.financed(due_on=due)
    world.morning_of(due + A_DAY)
    day._close_part(world.platform, CLOCK, world.today, [one])  # two days of lateness are booked
    assert world.get(Advance, one).penalty_minor == eur("387.50")
    world.receive("1,000,193.75", "INV-1", value_on=due + A_DAY)
    row_ = world.get(Advance, one)
    assert (row_.state, row_.penalty_minor) == ("CLOSED", eur("193.75"))
    world.close_to(world.today)
    must_agree(world)


def test_an_advance_funded_late_catches_up_at_once(world: World) -> None:
    advance_id = world.advance(world.invoice("INV-1", "1,000,000.00"), "1,000,000.00")
    (file,) = world.ordered()
    world.close_to(START + 2 * A_DAY)
    assert world.get(Advance, advance_id).income_minor == 0
    world.answer(file)
    world.close_to(world.today)
    assert world.get(Advance, advance_id).income_minor == eur("516.67")
    must_agree(world)


def test_a_slice_costs_the_same_few_statements_however_many_advances(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    event.listen(world.db.writer, "after_cursor_execute", lambda *_args: seen.append(1))
    for size in (2, 30):
        ids = [
            world.advance(world.invoice(f"INV-{size}-{number}", "1,000.00"), "1,000.00")
            for number in range(size)
        ]
        world.pay_out()
        seen.clear()
        assert day._close_part(world.platform, CLOCK, START, ids) == size
        assert len(seen) < 25
        assert {one.income_minor for one in world.all(Advance)} == {13}


def books(world: World) -> list[tuple[object, ...]]:
    """Give all that the closes have booked: book, kind, day, account, amount, and dashes."""
    entry, posting, dash = (
        model.__table__  # type: ignore[union-attr]
        for model in (Entry, Posting, NoEntry)
    )
    lines = select(
        entry.c.org_id, entry.c.event_kind, entry.c.booked_on, posting.c.account_id,
        posting.c.amount_minor,
    ).join(posting, posting.c.entry_id == entry.c.id)  # fmt: skip
    reasons = select(dash.c.org_id, dash.c.event_kind, dash.c.booked_on, dash.c.reason)
    with world.db.snapshot() as conn:
        found = [*conn.execute(lines).all(), *conn.execute(reasons).all()]
    return sorted((tuple(row) for row in found), key=str)


def test_advances_closed_one_by_one_and_together_book_the_same(
    db: Database, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five kinds of programme, before the due date, in grace, overdue and partly paid."""
    together = small_book(db, tmp_path / "together")
    file = tmp_path / "one.db"
    file.write_bytes(sqlite_template.read_bytes())
    monkeypatch.setattr(day, "SLICE", 1)
    other = Database(f"sqlite:///{file}")
    assert books(together) == books(small_book(other, tmp_path / "one"))
    other.close()
    must_agree(together)
    kinds = {row.event_kind for row in together.all(Entry)}
    assert kinds >= {"income.close", "penalty.close", "interest.close", "principal.paid"}
    found = together.all(Advance)
    assert {row.state for row in found} >= {"FUNDED", "GRACE", "OVERDUE"}
    assert any(row.repaid_minor for row in found)


def test_closes_of_many_days_leave_one_turnover_per_account_and_day(world: World) -> None:
    world.financed()
    world.receive("100.00", "INV-1")
    world.close_to(START + 2 * A_DAY)
    rows = [one for one in world.all(Turnover) if one.org_id in {FINANCIER, OBLIGOR}]
    keys = {(one.account_id, one.currency, one.booked_on) for one in rows}
    assert len(keys) == len(rows) > 0


@pytest.mark.parametrize("start", [dt.date(2028, 2, 27), dt.date(2026, 3, 28)])
def test_leap_days_summer_time_and_a_clock_that_jumps_cost_and_earn_a_day_a_day(
    world: World, start: dt.date
) -> None:
    """Source: promises.md P27. Four days of 129.17, whatever the clock of the machine says."""
    world.set_date(start)
    advance_id = world.financed(due_on=start + 90 * A_DAY)
    expected = [round((number + 1) * 1_162_500 / 90 + 1e-9) for number in range(4)]
    seen = []
    for number, hours in enumerate((25, -49, 1, 24 * 400)):
        world.clock.advance(hours=hours)  # a day ahead, two back, an hour, more than a year
        world.close_to(start + number * A_DAY)
        seen.append(world.get(Advance, advance_id).income_minor)
    assert seen == expected
    booked_on = [one.booked_on for one in world.all(Entry) if one.event_kind == "income.close"]
    assert sorted(set(booked_on)) == [start + number * A_DAY for number in range(4)]
    must_agree(world)


def test_a_months_end_revalues_foreign_balances_once_its_rates_are_there(world: World) -> None:
    """A day waits for no publication; a later run makes good what the first one had no rate for."""
    world.financed()
    with world.db.writer.begin() as conn:
        lines = [debit("cash", 100_00), credit("other_income", 100_00)]
        journals = [Journal(FINANCIER, lines)]
        event = LedgerEvent("e", "tried", "life", "USD", START, START, "a try", journals)
        now = world.clock.now()
        post(Context(conn, CLOCK, now, "test", "c", "k", "", world.db.dialect), [event])
    first = dt.date(2026, 4, 1)
    assert world.close_to(first - A_DAY)["revaluation"] == "rates missing"
    for on, rate in ((START, "1.25"), (first - A_DAY, "1.20")):
        quoted = [{"base": "EUR", "quote": "USD", "fixed_on": on, "rate": rate}]
        made = world.run("rates.add", MAKER, source="ECB", rates=quoted)
        world.run("rates.confirm", CHECKER, publication_id=made["id"], seen=made["seen"])
    assert world.close_to(first)["revaluation"] == "done"
    assert world.close_to(first + A_DAY)["revaluation"] == "done"
    assert booked(world, "currency.revalue") == {
        ("F", "currency revaluation"): 3_33,  # 80.00 and 83.33
        ("F", "currency gains (unrealised)"): -3_33,
    }
    with world.db.snapshot() as conn:
        days = conn.execute(select(Revaluation.__table__.c.on_day)).scalars().all()  # type: ignore[attr-defined]
        assert days == [first - A_DAY]
        assert list(breaches(conn)) == []
