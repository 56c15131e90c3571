"""What a database error means: try again, a known refusal, or a bug."""

import sqlite3
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from scf.kernel.errors import ScfError

# serialization failure, deadlock, lock not available
_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_LOCK_TIMEOUT = "55P03"

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
    """Tell whether somebody else held the row for too long."""
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error.orig, sqlite3.OperationalError):
        return "locked" in str(error.orig)
    return getattr(error.orig, "sqlstate", None) == _LOCK_TIMEOUT


def is_connection_lost(error: BaseException) -> bool:
    """Tell whether the outcome is unknown because the line to the database broke."""
    if not isinstance(error, DBAPIError) or isinstance(error.orig, sqlite3.Error):
        return False
    if isinstance(error, InterfaceError) or error.connection_invalidated:
        return True
    return isinstance(error, OperationalError) and getattr(error.orig, "sqlstate", None) is None


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
