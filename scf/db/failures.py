"""What a database error means: try again, a known refusal, or a bug."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from scf.kernel.errors import ScfError, Unavailable

# serialization failure, deadlock, lock not available
_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_LOCK_TIMEOUT = "55P03"
# Classes of PostgreSQL's states: lost connection, no resources left, ended by its operator, system.
_AWAY_CLASSES = frozenset({"08", "53", "57", "58"})
_CANCELLED = "57014"  # a statement that ran too long is our own bug, not an absent database
# What SQLite says when the disk is full, broken, gone or not ours to write.
_AWAY_WORDS = ("is full", "disk i/o error", "unable to open", "readonly database", "locked")

# Constraint name (PostgreSQL) or "table.column, …" (SQLite) → the error a caller can act on.
_KNOWN: dict[str, Callable[[], ScfError]] = {}


def constraint_means(name: str, columns: str, error: Callable[[], ScfError]) -> None:
    """Map a named constraint to a stable error.

    ``columns`` is SQLite's wording of a unique violation (``"table.a, table.b"``): that engine
    names CHECK constraints but not UNIQUE ones. An unmapped violation is a bug, not a conflict.
    """
    _KNOWN[name] = error
    if columns:
        _KNOWN[columns] = error


def is_transient(error: BaseException) -> bool:
    """Tell whether running the whole command again can help."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig) or "busy" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) in _RETRY_STATES


def is_lock_timeout(error: BaseException) -> bool:
    """Tell whether somebody else held the row for too long.

    SQLite locks no rows: a lock there is the whole database, which does not answer.
    """
    if not isinstance(error, DBAPIError):
        return False
    return getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT


def is_connection_lost(error: BaseException) -> bool:
    """Tell whether the outcome is unknown because the line to the database broke."""
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    if isinstance(error, InterfaceError) or error.connection_invalidated:
        return True
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None


def is_away(error: BaseException) -> bool:
    """Tell whether the database cannot be reached, or cannot take or give anything just now."""
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return any(word in str(error.orig).lower() for word in _AWAY_WORDS)
    state = getattr(error.orig, "sqlstate", None) or ""
    return is_connection_lost(error) or (state[:2] in _AWAY_CLASSES and state != _CANCELLED)


@contextlib.contextmanager
def told_plainly() -> Iterator[None]:
    """Turn a database that is away into an error that every door knows how to tell.

    Raises
    ------
    Unavailable
        DATABASE, where :func:`is_away`; every other error goes on as it is.
    """
    try:
        yield
    except (DBAPIError, NoConnectionFree) as error:
        if not is_away(error):
            raise
        raise Unavailable("DATABASE", "The database does not answer. Ask again.") from error


def known_refusal(error: IntegrityError) -> ScfError | None:
    """Give the stable error of a violated constraint, or nothing when it is a bug."""
    diagnostics = getattr(error.orig, "diag", None)
    if diagnostics is not None:
        make = _KNOWN.get(diagnostics.constraint_name or "")
        return make() if make else None
    message = str(error.orig)
    for wording in ("UNIQUE constraint failed: ", "CHECK constraint failed: "):
        if message.startswith(wording):
            name = message.removeprefix(wording).removeprefix("index '").rstrip("'")
            make = _KNOWN.get(name)
            return make() if make else None
    return None
