"""What a command sends to its database, written down and sent again by the bare driver."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import Engine, event


class Sent(NamedTuple):
    """One statement as the driver got it."""

    text: str
    parameters: Any
    many: bool


Transaction = list[Sent]


@contextmanager
def recording(engine: Engine) -> Iterator[Callable[[], Transaction]]:
    """Write down what goes through an engine; the function given hands out what came since."""
    sent: Transaction = []

    def note(_conn: object, _cursor: object, text: str, parameters: object, *rest: Any) -> None:  # noqa: ANN401 - SQLAlchemy's context
        _context, many = rest
        if not text.startswith("BEGIN"):
            sent.append(Sent(text, parameters, many))

    def taken() -> Transaction:
        new = list(sent)
        sent.clear()
        return new

    event.listen(engine, "before_cursor_execute", note)
    yield taken
    event.remove(engine, "before_cursor_execute", note)


class Bare:
    """A connection of the driver alone, with the settings that the platform gives its own."""

    def __init__(self, url: str) -> None:
        self.conn: Any
        if url.startswith("sqlite"):
            self.begin = "BEGIN IMMEDIATE"
            self.conn = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON",
                           "recursive_triggers=ON"):  # fmt: skip
                self.conn.execute(f"PRAGMA {pragma}")
        else:
            self.begin = "BEGIN"
            self.conn = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def run(self, transaction: Transaction) -> int:
        """Send the statements in one transaction; gives how many rows were read and changed."""
        cursor = self.conn.cursor()
        cursor.execute(self.begin)
        rows = 0
        for text, parameters, many in transaction:
            if many:
                cursor.executemany(text, parameters)
                rows += len(parameters)
            else:
                cursor.execute(text, parameters)
                rows += len(cursor.fetchall()) if cursor.description else cursor.rowcount
        cursor.execute("COMMIT")
        return rows

    def counts(self) -> dict[str, int]:
        """Count the rows of every table."""
        cursor = self.conn.cursor()
        tables = (
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            if self.begin == "BEGIN IMMEDIATE"
            else "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        names = [name for (name,) in cursor.execute(tables).fetchall()]
        return {
            name: cursor.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for name in sorted(names)
        }

    def close(self) -> None:
        """Give the connection back."""
        self.conn.close()
