"""A copy of the whole database in one file, taken while people work, and a database made of one.

A copy is the state after some commit: each acknowledged act before it is in it whole, none after
it is. It holds everything that the database holds, so only its owner may read it.
"""

import contextlib
import os
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import inspect
from sqlalchemy.engine import URL

from scf.db.engine import Database
from scf.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable

_OWNER_ONLY: Final = 0o600
_PAGES: Final = 1024  # copied at a time, so that whoever writes meanwhile waits for no more


def back_up(url: str, file: Path) -> None:
    """Write the database into a new file.

    Raises
    ------
    Conflict
        FILE_EXISTS: a copy never replaces another.
    Unavailable
        PROGRAM_MISSING or PROGRAM_FAILED, of PostgreSQL's own programs; FILE_UNWRITABLE.
    """
    if file.exists():
        raise Conflict("FILE_EXISTS", "The file is there already.", file=str(file))
    database = Database(url)
    try:
        with _whole(file) as part:
            if database.dialect == "sqlite":
                _copy(Path(str(database.url.database)), part)
            else:
                _call(database.url, "pg_dump", "--format=custom", f"--file={part}")
    finally:
        database.close()


def restore(url: str, file: Path) -> None:
    """Fill a database that holds nothing yet with what a copy holds; all of it or nothing.

    Raises
    ------
    NotFound
        FILE_MISSING.
    Conflict
        DATABASE_EXISTS: what is there is moved away by hand, never overwritten.
    InvalidInput
        COPY_UNREADABLE when the file is damaged, or no copy of such a database.
    Unavailable
        PROGRAM_MISSING or PROGRAM_FAILED; FILE_UNWRITABLE.
    """
    if not file.is_file():
        raise NotFound("FILE_MISSING", "There is no such file.", file=str(file))
    database = Database(url)
    try:
        if database.dialect == "sqlite":
            target = Path(str(database.url.database))
            if target.exists() and target.stat().st_size:
                raise _not_empty()
            _must_be_a_copy(file)
            with _whole(target) as part:
                _copy(file, part)
        else:
            with database.snapshot() as conn:
                if inspect(conn).get_table_names():
                    raise _not_empty()
            options = ("--exit-on-error", "--single-transaction", "--no-owner")
            _call(database.url, "pg_restore", *options, str(file))
    finally:
        database.close()


def _not_empty() -> Conflict:
    return Conflict("DATABASE_EXISTS", "The database holds something: move it away first.")


@contextlib.contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """Let a file appear under its name only when it is complete, for its owner alone."""
    part = file.with_name(f"{file.name}.part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _OWNER_ONLY))
        yield part
        part.replace(file)
    except (OSError, sqlite3.OperationalError) as error:
        raise Unavailable(
            "FILE_UNWRITABLE", "The file could not be written: %(why)s.", why=str(error)
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    with contextlib.ExitStack() as stack:
        there = stack.enter_context(contextlib.closing(_reading(source)))
        here = stack.enter_context(contextlib.closing(sqlite3.connect(target)))
        there.backup(here, pages=_PAGES)


def _reading(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def _must_be_a_copy(file: Path) -> None:
    try:
        with contextlib.closing(_reading(file)) as conn:
            damage = conn.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                raise _unreadable(damage)
            conn.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise _unreadable(str(error)) from error


def _unreadable(why: str) -> InvalidInput:
    return InvalidInput(
        "COPY_UNREADABLE", "This file is no whole copy of a database of ours: %(why)s.", why=why
    )


def _call(url: URL, program: str, *options: str) -> None:
    """Call one of PostgreSQL's own programs; the password stands in no list of processes."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as passwords:  # for its owner alone
        password = re.sub(r"([:\\])", r"\\\1", str(url.password or ""))
        passwords.write(f"*:*:*:*:{password}\n")
        passwords.flush()
        plain = url._replace(drivername="postgresql", password=None)
        if url.password is not None:
            plain = plain.update_query_dict({"passfile": passwords.name})
        place = plain.render_as_string(hide_password=False)
        try:
            subprocess.run(  # noqa: S603 - fixed program, our own arguments
                [program, f"--dbname={place}", *options], check=True, stderr=subprocess.PIPE
            )
        except FileNotFoundError:
            raise Unavailable(
                "PROGRAM_MISSING", "%(program)s is not installed.", program=program
            ) from None
        except subprocess.CalledProcessError as error:
            raise Unavailable(
                "PROGRAM_FAILED",
                "%(program)s ended without a result: %(said)s",
                program=program,
                said=error.stderr.decode(errors="replace").strip()[-1000:],
            ) from None
