"""A financier's book of any size, whole and true: a small one lived by commands, and its copies.

Twenty advances of five kinds of programme are financed, paid out and closed day by day: before
their due date, in grace, overdue, overdue and partly paid. Then the database copies all that
belongs to them as often as it is told, by statements of its own; names get the number of the copy.
Limits and turnovers count every copy, so that the platform's own checks pass over the whole.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Table, select, text
from sqlalchemy.engine import Connection
from sqlmodel import SQLModel

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.financing.models import Advance, AdvanceEvent, Decision, FinancingRequest
from scf.ledger.models import Entry, NoEntry, Posting
from scf.ledger.triggers import TRIGGERS
from scf.offers.models import Quote, QuoteLine
from scf.programmes.models import LimitHold, ProgrammeClaim
from scf.settlement.models import Allocation, BankEntry, PaymentFile, PaymentInstruction
from tests.settlement.world import START, World
from tests.support.deals import table

A_DAY: Final = dt.timedelta(days=1)
CLOSED: Final = START + 7 * A_DAY  # the last day that the small book is closed for
_DISCOUNTING: Final[dict[str, Any]] = {
    "technique": "receivables_discounting",
    "ipu": "none",
    "charge": "arrears",
    "advance_ppm": 850_000,
    "reserve_ppm": 150_000,
    "penalty_multiple_ppm": 0,
    "grace_days": 2,
}
KINDS: Final[dict[str, dict[str, Any]]] = {
    "line": {"grace_days": 2},
    "effective": {"income_method": "effective", "grace_days": 2},
    "loan": {"ipu": "none", "recourse": "full", "grace_days": 0},
    "bought": _DISCOUNTING,
    "lent": _DISCOUNTING | {"recourse": "full"},
}
# Days from the pay-out to the due date, and whether a third is paid late.
FATES: Final = ((90, False), (6, False), (2, False), (2, True))
SMALL: Final = len(KINDS) * len(FATES)
# What belongs to one advance, parents first.
_OF_EACH: Final[tuple[type[SQLModel], ...]] = (
    Invoice, Quote, QuoteLine, FinancingRequest, Decision, Advance, AdvanceEvent, LimitHold,
    ProgrammeClaim, PaymentFile, PaymentInstruction, BankEntry, Allocation, Posting, Entry, NoEntry,
)  # fmt: skip
_NAMED: Final = {
    "invoice": ("number", "canonical_number", "duplicate_key"),
    "payment_instruction": ("end_to_end_id",),
    "payment_file": ("msg_id",),
    "bank_entry": ("identity",),
    "ledger_entry": ("event_id",),
    "ledger_no_entry": ("event_id",),
}
_NUMBERS: Final = {
    "sqlite": "(WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up"
    " WHERE n < {0}) SELECT n FROM up)",
    "postgresql": "(SELECT n FROM generate_series(1, {0}) AS n)",
}


def small_book(db: Database, folder: Path) -> World:
    """Live twenty advances of five kinds by commands, closed up to ``CLOSED``."""
    world = World(db, folder)
    paid = []
    for kind, terms in KINDS.items():
        world.agree(kind, **terms)
        for number, (days, partly) in enumerate(FATES):
            name, face = f"{kind}-{1_217 * (number + 1)}".upper(), f"{10_000 + 1_234 * number}.00"
            invoice = world.invoice(name, face, START + days * A_DAY)
            fee = "25.00" if number == 0 else "0"
            world.advance(invoice, face, fee=fee, rate="4.65" if number else "6.2")
            if partly:
                paid.append(name)
    world.pay_out()
    world.close_to(CLOSED - A_DAY)
    for name in paid:
        world.receive("3333.33", name)
    world.close_to(CLOSED)
    return world


def multiply(db: Database, copies: int, say: Callable[[str], None] = lambda _: None) -> None:
    """Copy everything that belongs to the advances of a database ``copies`` times more."""
    tables = [table(model) for model in _OF_EACH]
    with db.snapshot() as conn:
        own = _own_columns(conn, tables)
    with db.writer.connect() as conn:
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("ROLLBACK")  # keys between tables are switched outside of any
            conn.exec_driver_sql("PRAGMA foreign_keys = OFF")
            conn.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            conn.exec_driver_sql("SET LOCAL statement_timeout = 0")
            conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
        _copy_all(conn, tables, own, copies, say)
        conn.commit()
        if conn.dialect.name == "sqlite":
            conn.invalidate()  # its keys are switched off
    with db.writer.begin() as conn:
        conn.exec_driver_sql("ANALYZE")
    say("statistics")


def _copy_all(
    conn: Connection,
    tables: list[Table],
    own: dict[str, set[str]],
    copies: int,
    say: Callable[[str], None],
) -> None:
    triggers = TRIGGERS["sqlite"] if conn.dialect.name == "sqlite" else {}
    indexes = [index for one in tables for index in one.indexes]
    for name in triggers:
        conn.exec_driver_sql(f"DROP TRIGGER {name}")
    for index in indexes:
        index.drop(conn)
    for one in tables:
        _copy(conn, one, own[one.name], copies)
        say(one.name)
    _times(conn, "limit_node", ("held_minor", "utilised_minor"), copies + 1)
    _times(conn, "ledger_turnover", ("debit_minor", "credit_minor"), copies + 1)
    for index in indexes:
        index.create(conn)
    say("indexes")
    for made in triggers.values():
        conn.exec_driver_sql(made)


def _own_columns(conn: Connection, tables: Iterable[Table]) -> dict[str, set[str]]:
    """Tell which columns hold a name of something that is copied."""
    rows = {one.name: conn.execute(select(one)).mappings().all() for one in tables}
    names = {row["id"] for found in rows.values() for row in found}
    assert all(found for found in rows.values())
    return {
        name: {
            column
            for row in found
            for column, value in row.items()
            if column in _NAMED.get(name, ()) or (isinstance(value, str) and value in names)
        }
        for name, found in rows.items()
    }


def _copy(conn: Connection, of: Table, own: set[str], copies: int) -> None:
    quote = conn.dialect.identifier_preparer.quote
    columns = {name: quote(name) for name in of.c.keys()}  # noqa: SIM118 - of columns
    made = (
        f"one.{name} || '-' || n" if column in own else f"one.{name}"
        for column, name in columns.items()
    )
    conn.execute(
        text(
            f"INSERT INTO {quote(of.name)} ({', '.join(columns.values())})"  # noqa: S608 - our own
            f" SELECT {', '.join(made)} FROM {quote(of.name)} AS one"
            f" CROSS JOIN {_NUMBERS[conn.dialect.name].format(copies)} AS up"
        )
    )


def _times(conn: Connection, of: str, columns: Iterable[str], factor: int) -> None:
    told = ", ".join(f"{name} = {name} * {factor}" for name in columns)
    conn.execute(text(f"UPDATE {of} SET {told}"))  # noqa: S608 - our own words
