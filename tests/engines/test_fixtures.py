"""The fixtures that every other test stands on."""

import sqlite3

import psycopg
import pytest

from scf.db.engine import Database
from tests.support.engines import ENGINES
from tests.support.network import OutsideConnection
from tests.support.postgres import PostgresServer, is_alive


def _execute(url: str, statement: str) -> None:
    if url.startswith("sqlite:///"):
        file = sqlite3.connect(url.removeprefix("sqlite:///"))
        file.execute(statement)
        file.commit()
        file.close()
        return
    with psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True) as conn:
        conn.execute(statement.encode())


def test_a_test_runs_on_the_engine_that_its_name_shows(empty_url: str, engine_name: str) -> None:
    assert engine_name in ENGINES
    assert empty_url.startswith(engine_name)


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_gets_a_database_of_its_own(empty_url: str, turn: str) -> None:
    _execute(empty_url, "CREATE TABLE only_here (id integer)")


def test_a_connection_to_another_machine_is_refused() -> None:
    import socket

    with socket.socket() as outside, pytest.raises(OutsideConnection, match="stub on 127"):
        outside.connect(("192.0.2.1", 80))


def test_a_committed_row_survives_a_crash_of_the_server_and_no_process_stays() -> None:
    with PostgresServer(durable=True) as server:
        url = server.url("postgres")
        _execute(url, "CREATE TABLE kept (id integer)")
        server.crash()
        server.start()
        _execute(url, "INSERT INTO kept VALUES (1)")
    assert not is_alive(server.pid)
    assert not server.folder.exists()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_product_waits_for_the_disk_and_only_its_tests_do_not(db: Database) -> None:
    for engine in (db.writer, db.reader):
        with engine.connect() as conn:
            assert conn.connection.info["synchronous"] == 2  # FULL
            assert conn.exec_driver_sql("PRAGMA synchronous").scalar() == 0
