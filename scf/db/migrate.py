"""Bringing a database to the present schema, and rebuilding a SQLite table without losing it.

Migrations are frozen files in ``scf/migrations/versions``; none calls ``metadata.create_all``. A
SQLite rebuild (the only way to change a constraint there) drops the table's triggers silently and
with foreign keys on deletes child rows: :func:`rebuild_table` is the one way to do it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import Connection

from scf.db.engine import Database
from scf.kernel.errors import Conflict

if TYPE_CHECKING:  # alembic costs a third of a second, and a start needs it only for an upgrade
    from alembic.config import Config
    from alembic.operations import BatchOperations, Operations

MIGRATIONS = Path(__file__).parent.parent / "migrations"
_REVISION: Final = re.compile(r'revision = "([^"]+)"$')


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, or to the newest.

    Raises
    ------
    Conflict
        When the database stands at a revision that this code does not know.
    """
    from alembic import command

    database = Database(url)  # creates the folder of a new SQLite file, and fills the driver in
    rendered = database.url.render_as_string(hide_password=False)
    try:
        with database.snapshot() as connection:
            standing = revision_of(connection)
    finally:
        database.close()
    if standing is not None and standing not in _known():
        raise Conflict(
            "SCHEMA_UNKNOWN",
            "This database was made by another version of the platform, at revision %(revision)s,"
            " which this one cannot bring up to date. It was not touched. A demo world is made"
            " anew by `scf demo --reset`; for real books run the version that made them.",
            revision=standing,
        )
    engine = create_engine(rendered)
    try:
        with engine.connect() as connection:
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str | None:
    """Tell at which revision a database stands."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def is_newest(url: str) -> bool:
    """Tell whether a database is there and needs no upgrade."""
    database = Database(url)
    try:
        with database.snapshot() as connection:
            return revision_of(connection) == newest()
    finally:
        database.close()


def business_date_of(url: str) -> str | None:
    """Tell the business date of a database that needs no upgrade; nothing if its books are shut.

    Asked at every start, so it reads one row by the driver and loads nothing of the platform.
    """
    if not is_newest(url):
        return None
    database = Database(url)
    try:
        with database.snapshot() as connection:
            found = connection.execute(text("SELECT current_on FROM business_date")).scalar()
    finally:
        database.close()
    return str(found) if found else None


def newest() -> str | None:
    """Tell the newest revision this code knows."""
    known = _known()
    return known[-1] if known else None


def _known() -> list[str]:
    """Read every revision, oldest first: the files are numbered, and each names itself at its top.

    Read and not imported: every start asks this.
    """
    found = []
    for file in sorted((MIGRATIONS / "versions").glob("[0-9]*_*.py")):
        with file.open(encoding="utf-8") as lines:
            named = (_REVISION.match(line) for line in lines)
            found.append(next(match.group(1) for match in named if match))
    return found


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def rebuild_table(
    op: "Operations", table: str, change: Callable[["BatchOperations"], None]
) -> None:
    """Change a table on either engine without losing triggers, rows or references.

    On SQLite the table is copied: its triggers are read before and put back after, foreign keys
    must be off (the migration environment sees to that, outside the transaction) and are checked
    at the end.

    Raises
    ------
    RuntimeError
        When the rebuilt database holds a reference to a row that is not there.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        with op.batch_alter_table(table) as batch:
            change(batch)
        return
    with _triggers_kept(connection), op.batch_alter_table(table, recreate="always") as batch:
        change(batch)
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        raise RuntimeError(f"the rebuild of {table} broke references: {broken[:3]}")


@contextmanager
def _triggers_kept(connection: Connection) -> Iterator[None]:
    # Every trigger, not only the table's own: another table's may read this one, and SQLite
    # refuses the rename while such a trigger names a table that is not there.
    made = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name")
    ).all()
    for name, _sql in made:
        connection.execute(text(f'DROP TRIGGER "{name}"'))  # names come from the database itself
    yield
    for _name, sql in made:
        connection.exec_driver_sql(sql)
