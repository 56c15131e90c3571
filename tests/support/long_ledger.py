"""A financier's ledger of three years and as many postings as are asked for, made by the database.

Each entry has four lines on forty accounts in two currencies; day, accounts and amounts follow from
its number. Turnovers stand as the closes of the days have left them: one row per account, currency
and day, but for the last day, whose rows nobody has merged yet.
"""

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy import insert, text

from scf.bootstrap import load_chart
from scf.db import bulk
from scf.db.engine import Database
from scf.kernel.clock import FixedClock
from scf.ledger.models import Account, Entry, Posting, Turnover
from scf.ledger.service import Chart
from scf.ledger.triggers import TRIGGERS
from tests.support.deals import table

BOOK: Final = "bank"
FIRST: Final = dt.date(2023, 3, 10)
DAYS: Final = 1_095
LINES: Final = 4
_ACCOUNTS: Final = 40
_NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up"
    " WHERE n < {0}) SELECT n FROM up)",
    "postgresql": "(SELECT n FROM generate_series(CAST(1 AS BIGINT), {0}) AS n)",
}
_AMOUNT: Final = "(n * 15485863 % 9999991 + 1)"
# Two debits and two credits that come to the same; the accounts of an entry differ.
_LINES: Final = (
    ("n % 10", _AMOUNT),
    ("10 + n % 10", f"2 * {_AMOUNT}"),
    ("20 + n % 10", f"-{_AMOUNT}"),
    ("30 + n * 7 % 10", f"-2 * {_AMOUNT}"),
)
_DAY: Final = f"n * 104729 % 999983 % {DAYS}"
_CURRENCY: Final = "CASE WHEN n % 5 = 0 THEN 'USD' ELSE 'EUR' END"


def fill(db: Database, postings: int, say: Callable[[str], None] = lambda _: None) -> None:
    """Write so many postings, their entries and turnovers; triggers and indexes come afterwards."""
    load_chart()
    of = [table(model) for model in (Posting, Entry, Turnover)]
    indexes = [index for one in of for index in one.indexes]
    with db.writer.connect() as conn:
        lite = conn.dialect.name == "sqlite"
        if lite:
            conn.exec_driver_sql("ROLLBACK")
            conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
        codes = list(Chart.lines.values())[:_ACCOUNTS]
        told = [
            {"id": f"{BOOK}:{line.code}", "org_id": BOOK, "code": line.code, "name": line.name,
             "kind": line.kind} for line in codes
        ]  # fmt: skip
        conn.execute(insert(table(Account)), told)
        conn.exec_driver_sql("CREATE TEMPORARY TABLE bench_account (place BIGINT, id TEXT)")
        conn.exec_driver_sql("CREATE TEMPORARY TABLE bench_day (place BIGINT, at DATE)")
        for place, line in enumerate(told):
            conn.execute(
                text("INSERT INTO bench_account VALUES (:place, :id)"),
                {"place": place, "id": line["id"]},
            )
        conn.execute(
            text("INSERT INTO bench_day VALUES (:place, CAST(:at AS TEXT))")
            if lite
            else text("INSERT INTO bench_day VALUES (:place, :at)"),
            [
                {"place": place, "at": day.isoformat() if lite else day}
                for place in range(DAYS)
                for day in (FIRST + dt.timedelta(days=place),)
            ],
        )
        for name in TRIGGERS["sqlite"] if lite else ():
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
        for index in indexes:
            index.drop(conn)
        now = FixedClock(dt.datetime(2026, 3, 9, 20, tzinfo=dt.UTC)).now()
        one = Entry(
            id="e0", seq=0, org_id=BOOK, event_id="v0", event_kind="income.close", subject_id="s0",
            booked_on=FIRST, value_on=FIRST, narrative="Income", command_id="c",
            reverses_id=None, created_at=now,
        )  # fmt: skip
        bulk.insert_mappings(conn, table(Entry), [one.model_dump()])
        numbers = _NUMBERS[conn.dialect.name].format(postings // LINES)
        conn.execute(
            text(
                "INSERT INTO ledger_entry (id, seq, org_id, event_id, event_kind, subject_id,"  # noqa: S608
                " booked_on, value_on, narrative, command_id, created_at)"
                " SELECT 'e' || n, one.seq, one.org_id, 'v' || n, one.event_kind,"
                " 's' || (n % 100000),"
                " bench_day.at, bench_day.at, one.narrative, one.command_id, one.created_at"
                f" FROM {numbers} AS up JOIN bench_day ON bench_day.place = {_DAY}"
                " JOIN ledger_entry AS one ON one.id = 'e0'"
            )
        )
        conn.exec_driver_sql("DELETE FROM ledger_entry WHERE id = 'e0'")
        say("entries")
        for place, (account, amount) in enumerate(_LINES):
            conn.execute(
                text(
                    "INSERT INTO ledger_posting (id, entry_id, place, account_id, currency,"  # noqa: S608
                    f" amount_minor) SELECT 'p{place}-' || n, 'e' || n, {place}, bench_account.id,"
                    f" {_CURRENCY}, {amount} FROM {numbers} AS up"
                    f" JOIN bench_account ON bench_account.place = {account}"
                )
            )
            say(f"postings {place + 1}")
        debit = "CASE WHEN amount_minor > 0 THEN amount_minor ELSE 0 END"
        credit = "CASE WHEN amount_minor < 0 THEN -amount_minor ELSE 0 END"
        last = (FIRST + dt.timedelta(days=DAYS - 1)).isoformat()
        command = f"CASE WHEN booked_on = '{last}' THEN entry_id ELSE '' END"
        conn.execute(
            text(
                "INSERT INTO ledger_turnover (id, org_id, account_id, currency, booked_on,"  # noqa: S608
                " debit_minor, credit_minor)"
                " SELECT account_id || currency || booked_on || command, org_id, account_id,"
                f" currency, booked_on, sum({debit}), sum({credit}) FROM (SELECT p.*, e.org_id,"
                f" e.booked_on, {command} AS command FROM ledger_posting p JOIN ledger_entry e"
                " ON e.id = p.entry_id) AS told GROUP BY account_id, currency, booked_on, command,"
                " org_id"
            )
        )
        say("turnovers")
        for index in indexes:
            index.create(conn)
        for made in TRIGGERS["sqlite"].values() if lite else ():
            conn.exec_driver_sql(made)
        conn.commit()
        if lite:
            conn.invalidate()
    with db.writer.begin() as conn:
        conn.exec_driver_sql("ANALYZE")
    say("indexes and statistics")
