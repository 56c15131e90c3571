"""The checks find what must not be, when the walls that prevent it are taken down."""

from typing import Any

import pytest
from sqlalchemy import delete, text, update

from scf.accounting import check
from scf.financing.models import Advance
from scf.ledger.models import Entry, Posting
from scf.ledger.service import Journal, LedgerEvent, credit, debit, post
from scf.settlement.models import Allocation, BankEntry
from tests.settlement.books import must_agree
from tests.settlement.world import DUE, FINANCIER, START, World, eur

TABLES: dict[str, Any] = {
    model.__name__: model.__table__  # type: ignore[union-attr]
    for model in (Advance, Allocation, BankEntry, Entry, Posting)
}


@pytest.fixture
def finished(world: World) -> World:
    world.financed()
    world.morning_of(DUE)
    world.receive("1,000,000.00", "INV-1")
    must_agree(world)
    return world


def without_walls(world: World) -> None:
    """Drop the triggers, as somebody with rights on the database could."""
    names = ("entry_balanced", "posting_closed", "entry_balanced_at_commit")
    tables = {"entry_balanced": "ledger_entry", "entry_balanced_at_commit": "ledger_entry"}
    with world.db.writer.begin() as conn:
        if world.db.dialect == "sqlite":
            for name in (*names[:2], "ledger_posting_no_update", "ledger_posting_no_delete"):
                conn.execute(text("DROP TRIGGER " + name))
            return
        for name in names:
            conn.execute(text("DROP TRIGGER " + name + " ON " + tables.get(name, "ledger_posting")))
        conn.execute(text("DROP TRIGGER ledger_posting_no_change ON ledger_posting"))


def rules(breaches: list[check.Breach]) -> set[str]:
    return {one.rule for one in breaches}


def test_a_changed_amount_is_found_in_entry_book_and_state(finished: World) -> None:
    without_walls(finished)
    one = finished.all(Posting)[0]
    table = TABLES["Posting"]
    with finished.db.writer.begin() as conn:
        conn.execute(update(table).where(table.c.id == one.id).values(amount_minor=7))
    with finished.db.snapshot() as conn:
        assert rules(check.ledger(conn)) == {"ENTRY_BALANCE", "BOOK_BALANCE", "TURNOVER"}
        assert str(check.ledger(conn)[0]).startswith("ENTRY_BALANCE: ")


def test_a_lost_posting_is_found(finished: World) -> None:
    without_walls(finished)
    entry = finished.all(Entry)[0]
    table = TABLES["Posting"]
    with finished.db.writer.begin() as conn:
        conn.execute(delete(table).where(table.c.entry_id == entry.id))
    with finished.db.snapshot() as conn:
        assert "ENTRY_EMPTY" in rules(check.ledger(conn))


def test_money_left_on_a_finished_life_is_named(finished: World) -> None:
    advance = finished.all(Advance)[0]
    with finished.db.writer.begin() as conn:
        ctx = finished.context(conn)
        lines = [debit("receivables_purchased", 5), credit("discount_income", 5)]
        post(
            ctx,
            [
                LedgerEvent(
                    "odd", "odd", advance.id, "EUR", START, START, "", [Journal(FINANCIER, lines)]
                )
            ],
        )
    with finished.db.snapshot() as conn:
        (breach,) = check.finished_lives(conn)
        assert (breach.subject, breach.account, breach.amount_minor) == (
            advance.id,
            "receivables_purchased",
            5,
        )
        assert rules(check.agrees(conn)) == {"BOOKS_AND_STATE"}


@pytest.mark.parametrize(
    ("model", "column", "rule"),
    [
        ("Advance", "income_minor", "BOOKS_AND_STATE"),
        ("BankEntry", "unallocated_minor", "RECEIPT_PARTS"),
        ("Allocation", "amount_minor", "RECEIPT_PARTS"),
    ],
)
def test_a_state_that_was_changed_by_hand_disagrees_with_the_books(
    finished: World, model: str, column: str, rule: str
) -> None:
    table = TABLES[model]
    value = {"income_minor": 1, "unallocated_minor": 1, "amount_minor": eur("1.00")}[column]
    with finished.db.writer.begin() as conn:
        conn.execute(update(table).values({column: value}))
    with finished.db.snapshot() as conn:
        assert rule in rules(check.agrees(conn))


def test_a_book_that_was_never_used_has_nothing_to_find(world: World) -> None:
    with world.db.snapshot() as conn:
        assert check.ledger(conn) == check.agrees(conn) == check.finished_lives(conn) == []
