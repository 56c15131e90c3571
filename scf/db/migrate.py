"""Bringing a database to the present schema, and rebuilding a SQLite table without losing it.

Migrations are frozen files in ``scf/migrations/versions``; none calls ``metadata.create_all``. A
SQLite rebuild (the only way to change a constraint there) drops the table's triggers silently and
with foreign keys on deletes child rows: :func:`rebuild_table` is the one way to do it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import BatchOperations, Operations
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.engine import Connection

from scf.db.engine import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database to a revision, or to the newest."""
    database = Database(url)  # creates the folder of a new SQLite file, and fills the driver in
    rendered = database.url.render_as_string(hide_password=False)
    database.close()
    engine = create_engine(rendered)
    try:
        with engine.connect() as connection:
            command.upgrade(_config(connection), revision)
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str | None:
    """Tell at which revision a database stands."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Tell the newest revision this code knows."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def rebuild_table(op: Operations, table: str, change: Callable[[BatchOperations], None]) -> None:
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
