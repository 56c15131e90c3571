"""The engines refuse what the platform must never do."""

import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scf import schema
from scf.db import migrate
from scf.db.engine import Database
from scf.kernel.errors import Conflict
from scf.ledger.triggers import TRIGGERS

_INSERT_LIMIT = """
    INSERT INTO limit_node (id, financier_id, kind, kind_rank, subject_id, currency, limit_minor,
                            held_minor, utilised_minor, version, created_at)
    VALUES ('1', 'f', 'k', 1, 's', 'EUR', :amount, 0, 0, 1, '2026-01-01T00:00:00.000000Z')
"""


def test_a_reader_cannot_write(db: Database) -> None:
    with pytest.raises(DBAPIError), db.reader.begin() as conn:
        conn.execute(text("DELETE FROM firm"))


def test_only_what_can_be_made_again_does_not_wait_for_the_disk(empty_url: str) -> None:
    for at_once, synchronous in ((True, 2), (False, 1)):
        made = Database(empty_url, at_once=at_once)
        with made.writer.connect() as conn:
            if made.dialect == "sqlite":
                assert conn.connection.info["synchronous"] == synchronous  # FULL, then NORMAL
            else:
                said = conn.exec_driver_sql(
                    "SELECT setting, source FROM pg_settings WHERE name = 'synchronous_commit'"
                ).one()
                # The server of the tests says off by itself; ours is said by the connection.
                assert at_once or tuple(said) == ("off", "client")
        made.close()


def test_a_money_column_takes_no_text_and_no_fraction(db: Database) -> None:
    for value in ("'abc'", "1.5"):
        if db.dialect == "postgresql" and value == "1.5":
            continue  # PostgreSQL rounds a literal; our fields refuse it before
        with pytest.raises(DBAPIError), db.writer.begin() as conn:
            conn.execute(text(_INSERT_LIMIT.replace(":amount", value)))


def test_every_integer_column_is_64_bits_wide() -> None:
    narrow = [
        f"{table.name}.{column.name}"
        for table in schema.metadata.sorted_tables
        for column in table.columns
        if type(column.type).__name__ in ("Integer", "SmallInteger", "Numeric", "Float")
    ]
    assert narrow == []


def test_every_table_is_strict_on_sqlite() -> None:
    loose = [
        table.name
        for table in schema.metadata.sorted_tables
        if not table.dialect_options["sqlite"]["strict"]
    ]
    assert loose == []


def test_the_migrated_schema_is_the_schema_of_the_models(db: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with db.snapshot() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": False})
        assert compare_metadata(context, schema.metadata) == []
        assert migrate.revision_of(conn) == migrate.newest()


def test_a_database_of_another_version_is_refused_by_name_and_left_alone(db: Database) -> None:
    url = db.url.render_as_string(hide_password=False)
    assert re.fullmatch(r"[0-9]{4}_[0-9a-f]{8}", migrate.newest() or "")
    with db.writer.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0001_ffffffff'"))
    assert not migrate.is_newest(url)
    with pytest.raises(Conflict, match="scf demo --reset") as refused:
        migrate.upgrade(url)
    assert refused.value.code == "SCHEMA_UNKNOWN"
    with db.snapshot() as conn:
        assert migrate.revision_of(conn) == "0001_ffffffff"


def test_every_trigger_is_there_after_the_migrations(db: Database) -> None:
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if db.dialect == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
    )
    with db.snapshot() as conn:
        there = set(conn.execute(text(query)).scalars())
    wanted = {name for name in TRIGGERS[db.dialect] if not name.endswith("_function")}
    assert there == wanted


def test_a_rebuilt_table_keeps_triggers_rows_and_references(empty_url: str) -> None:
    """SQLite rebuilds a table to change it, which drops its triggers without a word."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from sqlalchemy import Column, String, create_engine

    migrate.upgrade(empty_url)
    db = Database(empty_url)
    with db.writer.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO account (id, org_id, code, name, kind, chart_version) VALUES"
                " ('o:c', 'o', 'c', 'Cash', 'asset', '1'),"
                " ('o:d', 'o', 'd', 'Debt', 'liability', '1')"
            )
        )
        conn.execute(
            text(
                "INSERT INTO ledger_posting (id, entry_id, place, account_id, currency,"
                " amount_minor) VALUES ('1', 'e', 0, 'o:c', 'EUR', 5), ('2', 'e', 1, 'o:d', 'EUR',"
                " -5)"
            )
        )
        conn.execute(
            text(
                "INSERT INTO ledger_entry (id, seq, org_id, event_id, event_kind, subject_id,"
                " booked_on, value_on, narrative, command_id, created_at) VALUES ('e', 0, 'o',"
                " 'v', 'k', 's', '2026-01-01', '2026-01-01', '', 'c',"
                " '2026-01-01T00:00:00.000000Z')"
            )
        )
    engine = create_engine(db.url)
    with engine.connect() as conn:
        if db.dialect == "sqlite":
            conn.execute(text("PRAGMA foreign_keys=OFF"))
            conn.commit()
        with conn.begin():
            operations = Operations(MigrationContext.configure(conn))
            migrate.rebuild_table(
                operations,
                "ledger_entry",
                lambda batch: batch.add_column(Column("extra", String, nullable=True)),
            )
    engine.dispose()
    with pytest.raises(DBAPIError, match="IMMUTABLE"), db.writer.begin() as conn:
        conn.execute(text("UPDATE ledger_entry SET narrative = 'x'"))
    with db.snapshot() as conn:
        assert conn.execute(text("SELECT count(*) FROM ledger_posting")).scalar_one() == 2
    db.close()
