"""What the money stands on gives way in the middle of paying out, of a bank's file, of a close.

It fails closed, nothing is half done, and the same act goes through once it stands again: within
thirty seconds, whose measured part is printed. Source: promises.md P26.
"""

import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from scf.cli.common import EXIT_UNAVAILABLE
from scf.db import engine as engines
from scf.db.engine import Database
from scf.db.models import AuditLog
from scf.demo import bank
from scf.demo.bank_memory import recall
from scf.financing.models import Advance
from scf.kernel.errors import Unavailable
from scf.ledger.models import Entry
from scf.reporting.verify import verify
from scf.settlement import payout
from tests.settlement.books import must_agree
from tests.settlement.world import CHECKER, FINANCIER, OBLIGOR, SELLER, START, World
from tests.support.deals import table
from tests.support.postgres import PostgresServer

ADVANCES = 15
RECOVERS = 30  # seconds in which the same act must have gone through again
MIDDLE = 4  # statements of an act that still reach the database
SECONDS = 120
FULL = 32_768  # bytes that the log of changes may have while the disk is full


class Paying:
    """A file of pay-outs, released, answered by the bank, read, and its day closed: four acts."""

    def __init__(self, db: Database, folder: Path) -> None:
        self.world = World(db, folder)
        for number in range(ADVANCES):
            self.world.advance(self.world.invoice(f"INV-{number}", "1,000.00"), "1,000.00")
        (self.file,) = self.world.run("payout.prepare")["files"]

    def acts(self) -> Iterator[tuple[str, Callable[[], object]]]:
        world, file_id = self.world, self.file["file_id"]

        def release() -> object:
            return world.platform.run(
                "payout.release", {"file_id": file_id}, CHECKER, key="the release"
            )

        yield "release", release
        with world.db.snapshot() as conn:
            content = payout.content_of(conn, file_id, CHECKER)
        report, statement = bank.answer(content, on=START, state_dir=world.folder)
        yield "status report", lambda: world.read([report])
        yield "statement", lambda: world.read([statement])
        yield "close", lambda: world.close_to(START)

    def must_be_whole(self) -> None:
        """Each pay-out once, each income once, the bank's account our cash; nothing found."""
        world = self.world
        rows = world.all(Advance)
        assert {(row.state, row.income_minor) for row in rows} == {("FUNDED", 13)}
        assert [row.state for row in world.instructions()] == ["SETTLED"] * ADVANCES
        account, currency = next(iter(recall(world.folder).balances)).split(" ")
        booked = bank.balance(account, currency, state_dir=world.folder)
        assert booked == world.cash() == -sum(row.net_minor for row in rows)
        for org in (SELLER, OBLIGOR, FINANCIER):
            assert sum(world.book(org).values()) == 0
        must_agree(world)
        assert verify(world.platform).breaches == []

    def seen(self) -> tuple[int, int, dict[str, int]]:
        """What of the acts so far can be seen: rows of the trail, entries, the bank's own book."""
        world = self.world
        return world.count(AuditLog), world.count(Entry), world.book(FINANCIER)


def must_be_away(act: Callable[[], object]) -> None:
    with pytest.raises(Unavailable) as told:
        act()
    assert (told.value.code, told.value.http_status) == ("DATABASE", 503)


def goes_on(name: str, act: Callable[[], object]) -> None:
    """Repeat the act until it goes through, as a caller does that was told 503."""
    began = time.monotonic()
    while True:
        try:
            act()
        except Unavailable:
            assert time.monotonic() - began < RECOVERS, name
            time.sleep(0.05)
        else:
            print(f"{name}: went on after {time.monotonic() - began:.2f} s")  # noqa: T201
            return


@contextmanager
def at_the_statement(db: Database, number: int, happens: Callable[[], object]) -> Iterator[None]:
    """Let something happen before the given statement of whatever is written meanwhile."""
    left = [number]

    def count(*_args: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            happens()

    event.listen(db.writer, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(db.writer, "before_cursor_execute", count)


def test_a_server_that_ends_in_the_middle_of_each_act_leaves_no_half_money(
    crash_postgres: PostgresServer, tmp_path: Path
) -> None:
    db = Database(crash_postgres.url("scf"))
    paying = Paying(db, tmp_path)
    for name, act in paying.acts():
        before = paying.seen()
        with at_the_statement(db, MIDDLE, crash_postgres.crash):
            must_be_away(act)
        must_be_away(lambda: paying.world.count(Advance))
        crash_postgres.start()
        assert paying.seen() == before, name
        goes_on(name, act)
    paying.must_be_whole()
    db.close()


def test_a_database_that_another_holds_locked_is_away_and_nothing_is_half_done(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 20)
    file = tmp_path / "scf.db"
    file.write_bytes(sqlite_template.read_bytes())
    db = Database(f"sqlite:///{file}")
    other = Database(f"sqlite:///{file}")
    paying = Paying(db, tmp_path / "bank")
    for name, act in paying.acts():
        before = paying.seen()
        with other.writer.begin():
            must_be_away(act)
            assert paying.seen() == before, "what is there can be read all the same"
        goes_on(name, act)
    paying.must_be_whole()
    other.close()
    db.close()


def _fill(url: str, folder: Path, said: Connection) -> None:
    """Do each act on a full disk, then with room again; tell what was answered."""
    paying = Paying(Database(url), folder)
    told: list[tuple[str, str]] = []
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    for name, act in paying.acts():
        _small_log(paying.world.db)
        resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, hard))
        try:
            act()
        except Unavailable as away:
            answer = away.code
        else:
            answer = "done"
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        told.append((name, answer))
        must_agree(paying.world)  # a close is several commands: each of them is whole or not there
        goes_on(name, act)
    paying.must_be_whole()
    said.send(told)
    paying.world.db.close()


def _small_log(db: Database) -> None:
    """Bring all changes into the file, so that the next ones begin a log of their own."""
    raw = db.writer.raw_connection()
    raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()


def test_a_full_disk_stops_each_act_whole_and_with_room_it_goes_on(
    sqlite_template: Path, tmp_path: Path
) -> None:
    file = tmp_path / "scf.db"
    file.write_bytes(sqlite_template.read_bytes())
    context = multiprocessing.get_context("forkserver")
    ears, mouth = context.Pipe(duplex=False)
    process = context.Process(target=_fill, args=(f"sqlite:///{file}", tmp_path / "bank", mouth))
    process.start()
    mouth.close()
    assert ears.poll(SECONDS)
    told: Any = ears.recv()
    process.join(SECONDS)
    assert process.exitcode == 0
    acts = ("release", "status report", "statement", "close")
    assert told == [(name, "DATABASE") for name in acts]
    db = Database(f"sqlite:///{file}")
    with db.snapshot() as conn:
        assert conn.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert conn.execute(select(func.count()).select_from(table(Advance))).scalar() == ADVANCES
    db.close()


def test_the_command_line_says_that_the_database_does_not_answer(
    crash_postgres: PostgresServer,
) -> None:
    crash_postgres.crash()
    done = subprocess.run(
        [sys.executable, "-m", "scf", "eod", "--date", START.isoformat()],
        env=os.environ | {"SCF_DATABASE_URL": crash_postgres.url("scf")},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    assert (done.returncode, "DATABASE" in done.stderr) == (EXIT_UNAVAILABLE, True), done.stderr
    assert "Traceback" not in done.stderr
