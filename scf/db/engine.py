"""Engines for the two databases, with the settings that money needs.

A :class:`Database` holds a writing and a reading engine. Writers start with ``BEGIN IMMEDIATE`` on
SQLite (a transaction that reads first and upgrades later fails at once with "database is locked",
busy timeout or not) and READ COMMITTED on PostgreSQL; readers cannot write at all.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from scf.db import failures
from scf.db.visibility import bind_actor
from scf.kernel.actor import Actor

BUSY_TIMEOUT_MS = 10_000
# Of a connection to SQLite: the indexes of a large import and of a night stay in memory.
CACHE_KB = 32_000
# Pages of the log before it is copied into the database: the slices of an import touch the same
# pages of the indexes again and again, and each is then copied once for many.
CHECKPOINT_PAGES = 8_000
# Below gunicorn's own timeout: the database gives up first, so no query outlives its request.
PG_OPTIONS = (
    "-c lock_timeout=5000 -c statement_timeout=20000 "
    "-c idle_in_transaction_session_timeout=30000 -c timezone=UTC "
    # Compiling a query to machine code pays after seconds; ours take milliseconds.
    "-c jit=off"
)


class Database:
    """One database: where commands write and where queries read.

    Parameters
    ----------
    url
        ``sqlite:///path`` or ``postgresql://…`` (the psycopg driver is filled in).
    pool_size
        Connections kept per engine and process.
    at_once
        Whether a commit is on the disk when it answers. Without, a power cut takes the last ones
        and leaves the rest whole: for a world that is made from nothing and can be made again.
    """

    def __init__(self, url: str | URL, *, pool_size: int = 5, at_once: bool = True) -> None:
        self.url = _with_driver(make_url(url))
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite":
            synchronous = "FULL" if at_once else "NORMAL"
            self.writer = _sqlite(self.url, synchronous, write=True)
            self.reader = _sqlite(self.url, synchronous, write=False)
        else:
            write = "" if at_once else " -c synchronous_commit=off"
            read = " -c default_transaction_read_only=on"
            self.writer = _postgresql(self.url, pool_size, "READ COMMITTED", write)
            self.reader = _postgresql(self.url, pool_size, "REPEATABLE READ", read)

    @contextlib.contextmanager
    def read(self, actor: Actor) -> Iterator[Session]:
        """Open a reading session whose selects are limited to what the actor may see.

        Raises
        ------
        Unavailable
            DATABASE, when it cannot be reached.
        """
        with failures.told_plainly(), Session(self.reader) as session:
            bind_actor(session, actor)
            yield session

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Open a reading connection on one unchanging state, for checks across organisations.

        Raises
        ------
        Unavailable
            DATABASE, when it cannot be reached.
        """
        with failures.told_plainly(), self.reader.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        """Give every connection back to the system."""
        self.writer.dispose()
        self.reader.dispose()


def _with_driver(url: URL) -> URL:
    if url.drivername == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    return url


def _sqlite(url: URL, synchronous: str, *, write: bool) -> Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401
        # The driver's own transaction handling is switched off: we say BEGIN ourselves.
        connection.isolation_level = None
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"cache_size=-{CACHE_KB}",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")
        if not write:
            connection.execute("PRAGMA query_only=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine


def _postgresql(url: URL, pool_size: int, isolation: str, more_options: str) -> Engine:
    return create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_pre_ping=True,
        pool_timeout=10,
        isolation_level=isolation,
        connect_args={"options": PG_OPTIONS + more_options, "connect_timeout": 5},
    )
