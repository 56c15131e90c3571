"""The ledger beside its database: trial balance of ten million postings, many entries at once.

A trial balance is held against the sum of all postings, as the same engine works it out; many
entries against the bare driver, which is handed the same finished rows for the same tables.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from scf.accounting.check import ledger
from scf.accounting.journal import trial_balance
from scf.bootstrap import load_chart
from scf.db.engine import Database
from scf.db.runner import Context
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import new_id
from scf.ledger.models import Account, Entry, Posting
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from tests.performance.conftest import Store
from tests.performance.measure import Report, Work, take_turns
from tests.support.deals import table
from tests.support.long_ledger import BOOK, DAYS, FIRST, fill

POSTINGS = 10_000_000
BALANCE_TURNS = 3
EVENTS = 1_000
BULK_TURNS = 7
GOAL = 0.5
TODAY = dt.date(2026, 3, 10)
NOW = dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)
ACCOUNT, ENTRY, POSTING = table(Account), table(Entry), table(Posting)


# --- A trial balance ------------------------------------------------------------------------------


@pytest.mark.bench
def test_a_trial_balance_of_ten_million_postings(store: Store, report: Report) -> None:
    db = Database(store.fresh())
    fill(db, POSTINGS)
    days = [FIRST + dt.timedelta(days=DAYS - 1 - 200 * turn) for turn in range(BALANCE_TURNS)]
    ours: dict[dt.date, object] = {}
    theirs: dict[dt.date, object] = {}
    with db.reader.connect() as conn:
        if store.engine == "postgresql":
            conn.exec_driver_sql("SET statement_timeout = 0")
        assert ledger(conn) == []
        turns = take_turns(
            [(partial(_kept, conn, ours, day), partial(_summed, conn, theirs, day)) for day in days]
        )
    assert ours == theirs
    db.close()
    slowest = max(turns.ours)
    report.add(
        f"trial_balance_{store.engine}",
        slowest,
        f"s of {POSTINGS:,} postings",
        peer={"name": "sum of all postings", "value": min(turns.peer), "unit": "s"},
        ratio=turns.faster(),
        goal="< 1 s",
        met=slowest < 1,
        turns=BALANCE_TURNS,
        postings=POSTINGS,
    )


Told = dict[tuple[str, str], int]


def _kept(conn: Connection, into: dict[dt.date, object], on: dt.date) -> None:
    lines = trial_balance(conn, BOOK, on)
    into[on] = {(line.account_code, line.currency): line.balance_minor for line in lines}


def _summed(conn: Connection, into: dict[dt.date, object], on: dt.date) -> None:
    query = (
        select(ACCOUNT.c.code, POSTING.c.currency, func.sum(POSTING.c.amount_minor))
        .join(POSTING, POSTING.c.account_id == ACCOUNT.c.id)
        .join(ENTRY, ENTRY.c.id == POSTING.c.entry_id)
        .where(ACCOUNT.c.org_id == BOOK, ENTRY.c.booked_on <= on)
        .group_by(ACCOUNT.c.code, POSTING.c.currency)
    )
    into[on] = {(code, currency): int(total) for code, currency, total in conn.execute(query)}


# --- Many entries at once -------------------------------------------------------------------------


@pytest.mark.bench
def test_many_entries_at_once(store: Store, report: Report) -> None:
    load_chart()
    origin = store.fresh()
    made = Database(origin)
    _book(made, 0)  # opens the accounts
    made.close()  # nobody may be connected to what is copied
    db, bare = Database(store.copy(origin)), Database(store.copy(origin))
    made = Database(origin)
    batches = [_rows(made, turn) for turn in range(1, BULK_TURNS + 1)]
    turns = take_turns(list(_turns(db, bare, batches)))
    with db.snapshot() as ours, bare.snapshot() as theirs:
        count = select(func.count()).select_from(POSTING)
        assert ours.execute(count).scalar_one() == theirs.execute(count).scalar_one()
        assert ledger(ours) == []
    for one in (made, db, bare):
        one.close()
    ratio, postings = turns.faster(), len(batches[0][0][1])
    how = {"sqlite": "executemany", "postgresql": "COPY"}[store.engine]
    report.add(
        f"bulk_postings_{store.engine}",
        turns.rate(postings),
        "postings/s",
        peer={
            "name": f"bare {how}, the same tables with their triggers",
            "value": turns.peer_rate(postings),
            "unit": "postings/s",
        },
        ratio=ratio,
        goal=f"ratio >= {GOAL}",
        met=ratio >= GOAL,
        turns=BULK_TURNS,
        events=EVENTS,
    )


Batch = list[tuple[str, list[tuple[Any, ...]]]]


def _book(db: Database, turn: int) -> str:
    """Book a thousand events into two books each, in one transaction; gives its name."""
    command_id = new_id()
    with db.writer.begin() as conn:
        ctx = Context(conn, OPERATOR, NOW, "bench", command_id, "k", "", db.dialect)
        post(ctx, [_event(turn, number) for number in range(EVENTS)])
    return command_id


def _event(turn: int, number: int) -> LedgerEvent:
    amount = 1_000 + number
    name = f"{turn}:{number}"
    return LedgerEvent(
        name, "income.close", f"life-{number}", "EUR", TODAY, TODAY, "Income at the close",
        [
            Journal(org, [debit("unearned_discount", amount), credit("discount_income", amount)])
            for org in ("bank", "seller")
        ],
    )  # fmt: skip


def _rows(db: Database, turn: int) -> Batch:
    """Give the rows of one such transaction as the driver itself stores them."""
    command_id = _book(db, turn)
    entries = f"FROM ledger_entry WHERE command_id = '{command_id}'"
    with db.snapshot() as conn:
        return [
            (name, [tuple(row) for row in conn.exec_driver_sql(query)])
            for name, query in (
                (
                    "ledger_posting",
                    f"SELECT * FROM ledger_posting WHERE entry_id IN (SELECT id {entries})",  # noqa: S608
                ),
                ("ledger_entry", f"SELECT * {entries}"),
            )
        ]


def _turns(db: Database, bare: Database, batches: list[Batch]) -> Iterator[tuple[Work, Work]]:
    store: Callable[[Database, Batch], None]
    store = _copied if bare.dialect == "postgresql" else _executed
    for turn, batch in enumerate(batches, start=1):
        yield partial(_book, db, turn), partial(store, bare, batch)


def _executed(bare: Database, batch: Batch) -> None:
    with bare.writer.begin() as conn:
        for name, rows in batch:
            marks = ", ".join("?" * len(rows[0]))
            conn.exec_driver_sql(f"INSERT INTO {name} VALUES ({marks})", rows)  # noqa: S608


def _copied(bare: Database, batch: Batch) -> None:
    with bare.writer.begin() as conn:
        cursor = conn.connection.cursor()
        for name, rows in batch:
            with cursor.copy(f"COPY {name} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        cursor.close()
