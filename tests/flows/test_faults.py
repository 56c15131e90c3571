"""What the platform stands on gives way: it fails closed, says so, and goes on by itself.

Source: promises.md P3, P26, P30.
"""

import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from sqlalchemy import func, select

from scf.bootstrap import build
from scf.db.engine import Database
from scf.db.models import AuditLog, AuditSeal, Idempotency
from scf.kernel.actor import OPERATOR
from scf.kernel.clock import FixedClock
from scf.kernel.errors import Unavailable
from scf.parties.models import Firm
from scf.reporting.verify import verify
from scf.serving import run_worker
from tests.support.deals import MORNING, Deals, table
from tests.support.postgres import PostgresServer
from tests.support.served import served_small

SECONDS = 120
ROOM = 400_000  # bytes that a file may have while the disk is full
MOST = 500


def count(db: Database, model: type[Firm | AuditLog | AuditSeal | Idempotency]) -> int:
    with db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(table(model))).scalar_one())


def must_be_away(act: Callable[[], object]) -> None:
    with pytest.raises(Unavailable) as told:
        act()
    assert (told.value.code, told.value.http_status) == ("DATABASE", 503)


# --- The server ends ----------------------------------------------------------------------------


def test_a_server_that_is_away_is_unavailable_and_afterwards_nothing_is_half_done(
    crash_postgres: PostgresServer,
) -> None:
    db = Database(crash_postgres.url("scf"))
    deals = Deals(db)
    quote = deals.quote(deals.invoice("1,000.00"))["id"]
    before = count(db, AuditLog)
    crash_postgres.crash()
    must_be_away(lambda: deals.submit(quote, "the-key"))
    must_be_away(lambda: count(db, AuditLog))
    with pytest.raises(Unavailable), db.read(OPERATOR) as session:
        session.get(Firm, "bank")
    crash_postgres.start()
    assert count(db, AuditLog) == before
    assert deals.submit(quote, "the-key") == deals.submit(quote, "the-key")
    assert count(db, AuditLog) == count(db, Idempotency) == before + 1
    assert verify(deals.platform).breaches == []
    db.close()


def test_every_door_says_503_while_the_server_is_away_and_opens_again_by_itself(
    crash_postgres: PostgresServer,
) -> None:
    db = Database(crash_postgres.url("scf"))
    served = served_small(db)
    assert served.api("clerk", "GET", "/firms").status_code == 200
    crash_postgres.crash()
    for method, body in (("GET", None), ("POST", {"name": "New", "country": "DE"})):
        answer = served.api("clerk", method, "/firms", json=body)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "DATABASE")
    assert served.browser().get("/readyz").status_code == 503
    assert served.browser().get("/healthz").status_code == 200
    crash_postgres.start()
    assert served.browser().get("/readyz").status_code == 200
    assert served.api("clerk", "GET", "/firms").status_code == 200
    db.close()


def _work(url: str, seals: Path) -> None:
    run_worker(build(url), seals)


def test_the_worker_waits_for_its_server_and_goes_on(
    crash_postgres: PostgresServer, tmp_path: Path
) -> None:
    url, seals = crash_postgres.url("scf"), tmp_path / "seals.jsonl"
    db = Database(url)
    deals = Deals(db)
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=_work, args=(url, seals))
    process.start()
    try:
        until(seals.exists)
        crash_postgres.crash()
        crash_postgres.start()
        sealed = count(db, AuditSeal)
        deals.invoice("1,000.00")  # accepted: a row of the trail that nobody has sealed
        until(lambda: count(db, AuditSeal) > sealed)
        assert verify(deals.platform, seals).breaches == []
        os.kill(process.pid or 0, signal.SIGTERM)
        process.join(SECONDS)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()
        db.close()


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come about."""
    deadline = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


# --- No connection free -------------------------------------------------------------------------


def test_a_command_that_finds_no_free_connection_is_unavailable_and_may_be_repeated(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    deals = Deals(db)
    quote = deals.quote(deals.invoice("1,000.00"))["id"]
    pool = db.writer.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    taken = [pool.connect() for _ in range(pool.size() + pool._max_overflow)]  # type: ignore[attr-defined]
    must_be_away(lambda: deals.submit(quote, "the-key"))
    for one in taken:
        one.close()
    assert deals.submit(quote, "the-key")["state"] == "IN_REVIEW"
    assert verify(deals.platform).breaches == []


# --- No room left -------------------------------------------------------------------------------


def _fill(url: str, said: Connection) -> None:
    """Add firms until the disk is full, twice more, and then with room again; tell each answer."""
    platform = build(url, clock=FixedClock(MORNING))

    def add(number: int) -> str:
        try:
            made = platform.run(
                "firm.add",
                {"name": f"Firm {number} " + "x" * 100, "kind": "trader"},
                OPERATOR,
                key=f"firm-{number}",
            )
        except Unavailable as away:
            return away.code
        return "replayed" if made.replayed else "added"

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, hard))
    answers: list[str] = []
    while "DATABASE" not in answers and len(answers) < MOST:
        answers.append(add(len(answers)))
    refused = len(answers) - 1
    answers += [add(refused), add(refused)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    answers += [add(refused), add(refused), add(refused + 1)]
    said.send((refused, answers))
    platform.close()


def test_a_full_disk_fails_closed_and_with_room_again_the_same_process_goes_on(
    sqlite_template: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scf.db"
    file.write_bytes(sqlite_template.read_bytes())
    url = f"sqlite:///{file}"
    context = multiprocessing.get_context("forkserver")
    ears, mouth = context.Pipe(duplex=False)
    process = context.Process(target=_fill, args=(url, mouth))
    process.start()
    mouth.close()
    assert ears.poll(SECONDS)
    refused, answers = ears.recv()
    process.join(SECONDS)
    assert process.exitcode == 0
    assert answers[:refused] == ["added"] * refused
    assert answers[refused:] == ["DATABASE"] * 3 + ["added", "replayed", "added"]
    platform = build(url, clock=FixedClock(MORNING))
    assert count(platform.db, Firm) == count(platform.db, AuditLog) == refused + 2
    assert verify(platform).breaches == []
    with platform.db.snapshot() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    platform.close()
