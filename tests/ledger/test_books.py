"""The books balance because the database refuses anything else."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from scf.accounting.journal import journal_lines
from scf.bootstrap import load_chart
from scf.db.engine import Database
from scf.db.runner import Context
from scf.kernel.actor import OPERATOR
from scf.kernel.ids import new_id
from scf.ledger.currency.revaluation import is_monetary
from scf.ledger.models import Account, Entry, Posting
from scf.ledger.service import (
    Chart,
    Journal,
    LedgerEvent,
    balances,
    credit,
    debit,
    install_chart,
    post,
)

_account = Account.__table__  # type: ignore[attr-defined]

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 10)


class Nothing(BaseModel):
    pass


def context(db: Database, conn: Any) -> Context:  # noqa: ANN401
    load_chart()
    return Context(conn, OPERATOR, NOW, "test", new_id(), "k", "", db.dialect)


def two_accounts() -> tuple[str, str]:
    load_chart()
    one, other = list(Chart.lines)[:2]
    return one, other


def event(*journals: Journal, event_id: str = "e1", currency: str = "EUR") -> LedgerEvent:
    return LedgerEvent(event_id, "tried", "life-1", currency, TODAY, TODAY, "a try", journals)


def test_a_journal_is_booked_in_each_book_and_balances(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(
            context(db, conn),
            [
                event(
                    Journal("a", [debit(one, 500), credit(other, 500)]),
                    Journal("b", [debit(other, 500), credit(one, 500)]),
                    Journal("c", reason="nothing changes hands"),
                )
            ],
        )
    with db.snapshot() as conn:
        assert balances(conn, "a") == {(one, "EUR"): 500, (other, "EUR"): -500}
        assert balances(conn, "b") == {(one, "EUR"): -500, (other, "EUR"): 500}
        assert balances(conn, "c") == {}
        why = conn.execute(text("SELECT reason FROM ledger_no_entry")).scalar_one()
        assert why == "nothing changes hands"


def test_an_entry_that_does_not_balance_is_refused(db: Database) -> None:
    one, other = two_accounts()
    with pytest.raises(DBAPIError, match="LEDGER_UNBALANCED"), db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 500), credit(other, 499)]))])


def test_currencies_do_not_balance_each_other(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])
    with pytest.raises(DBAPIError, match="LEDGER_UNBALANCED"), db.writer.begin() as conn:
        _raw_entry(conn, "raw", [(f"a:{one}", "EUR", 5), (f"a:{other}", "USD", -5)])


def test_an_entry_without_postings_is_refused(db: Database) -> None:
    with pytest.raises(DBAPIError, match="LEDGER_EMPTY"), db.writer.begin() as conn:
        _raw_entry(conn, "raw", [])


def test_nothing_joins_an_entry_that_exists(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])
        entry = conn.execute(text("SELECT id FROM ledger_entry")).scalar_one()
    with pytest.raises(DBAPIError, match="LEDGER_CLOSED"), db.writer.begin() as conn:
        _raw_postings(conn, entry, [(f"a:{one}", "EUR", 5), (f"a:{other}", "EUR", -5)])


def test_postings_without_an_entry_cannot_be_committed(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])
    with pytest.raises(DBAPIError), db.writer.begin() as conn:
        _raw_postings(conn, "nowhere", [(f"a:{one}", "EUR", 5), (f"a:{other}", "EUR", -5)])


def test_an_account_of_another_book_is_refused(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("b", [debit(one, 5), credit(other, 5)]))])
    with pytest.raises(DBAPIError, match="LEDGER_FOREIGN_ACCOUNT"), db.writer.begin() as conn:
        _raw_entry(conn, "raw", [(f"b:{one}", "EUR", 5), (f"b:{other}", "EUR", -5)])


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE ledger_posting SET amount_minor = 7",
        "DELETE FROM ledger_posting",
        "UPDATE ledger_entry SET narrative = 'x'",
        "DELETE FROM ledger_entry",
        "DELETE FROM ledger_no_entry",
    ],
)
def test_what_is_booked_is_never_changed(db: Database, act: str) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(
            context(db, conn),
            [event(Journal("a", [debit(one, 5), credit(other, 5)]), Journal("b", reason="-"))],
        )
    with pytest.raises(DBAPIError, match="IMMUTABLE"), db.writer.begin() as conn:
        conn.execute(text(act))


def test_postgresql_refuses_truncate_too(db: Database) -> None:
    if db.dialect == "sqlite":
        # SQLite has no TRUNCATE; REPLACE would be its way round a DELETE trigger.
        one, other = two_accounts()
        with db.writer.begin() as conn:
            post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])
        with pytest.raises(DBAPIError), db.writer.begin() as conn:
            conn.execute(text("INSERT OR REPLACE INTO ledger_posting SELECT * FROM ledger_posting"))
        return
    with pytest.raises(DBAPIError, match="IMMUTABLE"), db.writer.begin() as conn:
        conn.execute(text("TRUNCATE ledger_entry, ledger_posting CASCADE"))


def test_one_event_is_booked_once_per_book(db: Database) -> None:
    one, other = two_accounts()
    with db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])
    with pytest.raises(DBAPIError), db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit(other, 5)]))])


def test_an_account_that_is_not_in_the_chart_is_a_bug(db: Database) -> None:
    one, _other = two_accounts()
    with pytest.raises(RuntimeError, match="not in the chart"), db.writer.begin() as conn:
        post(context(db, conn), [event(Journal("a", [debit(one, 5), credit("nonsense", 5)]))])


def test_eight_writers_open_the_same_accounts_at_once(db: Database) -> None:
    one, other = two_accounts()
    gate = threading.Barrier(8)
    bugs: list[BaseException] = []

    def write(number: int) -> None:
        gate.wait()
        try:
            with db.writer.begin() as conn:
                post(
                    context(db, conn),
                    [
                        event(
                            Journal("a", [debit(one, 5), credit(other, 5)]),
                            event_id=f"e{number}",
                        )
                    ],
                )
        except BaseException as bug:  # noqa: BLE001 - handed to the test below
            bugs.append(bug)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bugs == []
    with db.snapshot() as conn:
        assert balances(conn, "a") == {(one, "EUR"): 40, (other, "EUR"): -40}


def _raw_postings(conn: Any, entry_id: str, lines: list[tuple[str, str, int]]) -> None:  # noqa: ANN401
    for place, (account, currency, amount) in enumerate(lines):
        conn.execute(
            insert(Posting.__table__),  # type: ignore[attr-defined]
            {
                "id": new_id(),
                "entry_id": entry_id,
                "place": place,
                "account_id": account,
                "currency": currency,
                "amount_minor": amount,
            },
        )


def _raw_entry(conn: Any, entry_id: str, lines: list[tuple[str, str, int]]) -> None:  # noqa: ANN401
    accounts = {account for account, _currency, _amount in lines}
    for account in accounts:
        there = conn.execute(text("SELECT 1 FROM account WHERE id = :i"), {"i": account}).first()
        if there is None:
            org, code = account.split(":")
            conn.execute(
                insert(Account.__table__),  # type: ignore[attr-defined]
                {"id": account, "org_id": org, "code": code, "name": code, "kind": "asset"},
            )
    _raw_postings(conn, entry_id, lines)
    conn.execute(
        insert(Entry.__table__),  # type: ignore[attr-defined]
        {
            "id": entry_id,
            "seq": 0,
            "org_id": "a",
            "event_id": "raw",
            "event_kind": "raw",
            "subject_id": "s",
            "booked_on": TODAY,
            "value_on": TODAY,
            "narrative": "",
            "command_id": "c",
            "created_at": NOW,
        },
    )


def test_a_later_chart_changes_no_account_that_has_entries(db: Database) -> None:
    """Renamed or taken out: old entries read as they were written, and say by which version."""
    load_chart()
    before, version = dict(Chart.lines), Chart.version
    event = LedgerEvent(
        "e1", "tried", "life", "EUR", TODAY, TODAY, "a try",
        [Journal("org", [debit("cash", 5), credit("suspense", 5)])],
    )  # fmt: skip
    with db.writer.begin() as conn:
        post(context(db, conn), [event])
    later = [
        replace(line, name="Money at banks") if line.code == "cash" else line
        for line in before.values()
        if line.code != "suspense"
    ]
    try:
        install_chart(later, "later")
        with db.writer.begin() as conn:
            lines = [debit("cash", 1), credit("due_to_payers", 1)]
            other = replace(event, event_id="e2", journals=[Journal("org", lines)])
            post(Context(conn, OPERATOR, NOW, "test", new_id(), "k", "", db.dialect), [other])
        with db.snapshot() as conn:
            told = {line.account_code: line.account_name for line in journal_lines(conn, "org")}
            rows = conn.execute(select(_account.c.code, _account.c.chart_version))
            opened = {row.code: row.chart_version for row in rows}
            assert balances(conn, "org")["suspense", "EUR"] == -5
            assert is_monetary("suspense", "liability")
    finally:
        install_chart(before.values(), version)
    assert told == {"cash": "Cash", "suspense": "Suspense", "due_to_payers": "Due to payers"}
    assert opened == {"cash": version, "suspense": version, "due_to_payers": "later"}
