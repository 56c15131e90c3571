"""A file that kills whoever reads it is not read for ever."""

import contextlib
import datetime as dt
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scf.bootstrap import build
from scf.channels import exchange
from scf.db.engine import Database
from scf.db.leases import LEASE, MAX_DEATHS, Worker, report_progress
from scf.db.models import Job, Outbox
from scf.documents import handing, intake, reading
from scf.documents.models import Upload
from scf.kernel.clock import FixedClock
from scf.notices.models import Notice
from tests.channels.desk import Desk
from tests.channels.papers import as_json
from tests.documents import ubl
from tests.documents.archives.packing import packed
from tests.documents.trade import Trade, trade_on
from tests.support.crashing import started
from tests.support.deals import table
from tests.support.people import NOON

POISON = b"<poison/>"


def read_or_die(content: bytes, *rest: Any) -> Any:  # noqa: ANN401 - as the reader's own
    """Read as ever, but let one file be the end of the process."""
    if content == POISON:
        os.kill(os.getpid(), signal.SIGKILL)
    return READ(content, *rest)


READ = intake.read_items
TAKE_IN = handing.take_in


def work_off(url: str, at: dt.datetime, said: Any) -> None:  # noqa: ANN401 - a connection
    """Be a worker for as long as there is work, or until a file kills it."""
    for module in (intake, reading):
        setattr(module, "read_items", read_or_die)  # noqa: B010 - in this process alone
    platform = build(url, clock=FixedClock(at))
    platform.worker("dies").drain()
    platform.close()
    said.send_bytes(b".")


def test_what_comes_further_each_time_is_not_given_up_however_often_its_worker_dies(
    db: Database,
) -> None:
    trade = trade_on(db)
    trade.world.platform.worker("first").drain()
    trade.receive(ubl.invoice("I-1", "10.00"), name="long", queue=True)
    query = select(table(Job).c.deaths)
    at, deaths = NOON, []
    for further in (False, False, True, False):
        at += LEASE + dt.timedelta(seconds=1)
        worker = Worker(db, FixedClock(at), "dies", {}, lambda _notice: None)
        claimed = worker._claim(table(Job))  # and dies
        assert claimed is not None
        report_progress(db, FixedClock(at), claimed, {}, further=further)
        with db.snapshot() as conn:
            deaths.append(conn.execute(query.where(table(Job).c.id == claimed.id)).scalar_one())
    assert deaths == [0, 1, 0, 1]


def worker_at(db: Database, at: dt.datetime) -> object:
    url = db.url.render_as_string(hide_password=False)
    with started(work_off, url, at) as running:
        running.process.join(60)
        return running.process.exitcode


@pytest.mark.parametrize("inside", [False, True], ids=["alone", "in an archive"])
def test_a_file_that_kills_its_worker_is_given_up_and_told_and_the_others_go_on(
    db: Database, *, inside: bool
) -> None:
    trade: Trade = trade_on(db)
    poison = packed({"a.xml": ubl.invoice("I-1", "10.00"), "b.xml": POISON}) if inside else POISON
    upload_id = trade.receive(poison, name="poison", queue=True)
    other = trade.receive(ubl.invoice("I-2", "10.00"), name="good", queue=True)
    at = NOON
    for _death in range(MAX_DEATHS):
        assert worker_at(db, at) == -signal.SIGKILL
        at += LEASE + dt.timedelta(seconds=1)
    assert worker_at(db, at) == 0
    upload, job, outbox, notice = (table(one) for one in (Upload, Job, Outbox, Notice))
    with db.snapshot() as conn:
        states = {row.id: row.state for row in conn.execute(select(upload))}
        jobs = {row.key: row for row in conn.execute(select(job))}
        told = {(row.subject_id, row.user_id) for row in conn.execute(select(notice))}
        waiting = conn.execute(select(outbox.c.id).where(outbox.c.done_at.is_(None))).all()
    assert (states[upload_id], states[other]) == ("REFUSED", "DONE")
    assert trade.codes(upload_id) == ["READING_GIVEN_UP"]
    assert [row.number for row in trade.rows()] == ["I-2"]
    assert (jobs[upload_id].state, jobs[upload_id].deaths) == ("FAILED", MAX_DEATHS)
    assert jobs[upload_id].last_error.startswith("Every worker that began this ended")
    assert (jobs[other].state, jobs[other].deaths) == ("DONE", 0)
    assert told == {(upload_id, trade.buyer.user_id)}
    assert waiting == []


def test_a_job_that_fails_for_good_ends_its_upload_too(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    trade = trade_on(db)
    upload_id = trade.receive(ubl.invoice("I-1", "10.00"), queue=True, mode="atomic")

    def fails(*_given: object) -> None:
        raise RuntimeError("on purpose")

    monkeypatch.setattr(intake, "read_items", fails)
    for _try in range(9):
        trade.world.platform.worker().drain()
        trade.world.clock.advance(minutes=10)
    upload = table(Upload)
    with db.snapshot() as conn:
        assert conn.execute(select(upload.c.state)).scalars().all() == ["REFUSED"]
    assert trade.codes(upload_id) == ["READING_GIVEN_UP"]


def test_a_file_in_a_folder_that_kills_its_worker_goes_to_error_with_the_reason(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(db, tmp_path)
    desk.drop("poison.json", as_json("I-1"))
    desk.drop("good.json", as_json("I-2"))
    killed = []

    def dies(*given: Any, **how: Any) -> handing.HandedIn:  # noqa: ANN401 - as the real one
        if given[2] == "poison.json":
            killed.append(1)
            raise SystemExit  # what no handler catches, as a kill
        return TAKE_IN(*given, **how)

    monkeypatch.setattr(exchange, "take_in", dies)
    for _look in range(12):
        with contextlib.suppress(SystemExit):
            desk.look()
        desk.world.clock.advance(minutes=11)
    assert len(killed) == MAX_DEATHS
    assert sorted(desk.files()) == [
        ("good.json", "TAKEN", None),
        ("poison.json", "REFUSED", "READING_GIVEN_UP"),
    ]
    assert "READING_GIVEN_UP" in desk.text("ack", "poison.json.ack.json")
    assert desk.invoices() == ["I-2"]
