"""The worker dies without warning in the middle of a large file; the next one goes on.

Source: promises.md P23, ux.md 11: every row once, none lost, and the same file again adds nothing.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import pytest
from sqlalchemy import func, select

from scf.bootstrap import build
from scf.db.engine import Database
from scf.db.leases import RENEWED, Claimed, report_progress
from scf.db.models import AuditLog, Job
from scf.documents import intake
from scf.documents.models import Upload
from scf.documents.progress import pace
from scf.documents.transfers.rules import MIN_SLICE_BYTES
from scf.kernel.clock import Clock, FixedClock
from scf.notices.models import Notice
from tests.documents.trade import INVOICES, Trade, invoice_table, trade_on
from tests.support.crashing import started
from tests.support.deals import table
from tests.support.people import NOON

AFTER = RENEWED + dt.timedelta(seconds=1)


def rows(count: int) -> tuple[bytes, set[str]]:
    """Write a table of which one row of a hundred is bad; gives the numbers of the good ones."""
    lines: list[dict[str, Any]] = [
        {"number": f"I-{n}", "amount": "1.005" if n % 100 == 0 else f"{n}.00"}
        for n in range(1, count + 1)
    ]
    return invoice_table(lines), {line["number"] for line in lines if line["amount"] != "1.005"}


def work(url: str, lives: int, said: Connection) -> None:
    """Work off all jobs as the worker's process of a later time does; say each slice."""
    platform = build(url, clock=FixedClock(NOON + lives * AFTER))

    def telling(
        db: Database,
        clock: Clock,
        job: Claimed,
        progress: Mapping[str, Any],
        *,
        further: bool = False,
    ) -> None:
        report_progress(db, clock, job, progress, further=further)
        said.send_bytes(b".")

    intake.report_progress = telling  # type: ignore[attr-defined]
    platform.worker(f"w-{lives}").drain()
    platform.close()


def killed_after(url: str, *slices: int) -> None:
    """Kill one worker after another, each after so many slices, and let a last one finish."""
    for lives, some in enumerate(slices):
        with started(work, url, lives) as child:
            child.hear(some)
            assert child.process.is_alive()
            child.process.kill()
    with started(work, url, len(slices)) as child:
        child.end()


def one(trade: Trade, model: Any) -> Any:  # noqa: ANN401 - a model, and its only row
    with trade.db.snapshot() as conn:
        return conn.execute(select(table(model))).one()


def must_be_whole(trade: Trade, count: int, good: set[str], *, times: int) -> None:
    """Every good row is one invoice, every bad one is told once, every slice was stored once."""
    assert Counter(row.number for row in trade.rows()) == Counter(dict.fromkeys(good, 1))
    upload = one(trade, Upload)
    counters = (upload.state, upload.read_count, upload.stored_count, upload.bad_count)
    assert counters == ("DONE", count, len(good), count - len(good))
    bad = Counter(row.place.split(",")[0] for row in trade.findings() if row.severity == "ERROR")
    assert bad == Counter({f"row {n + 1}": 1 for n in range(100, count + 1, 100)})
    stored = select(func.count()).where(table(AuditLog).c.command == "documents.store")
    with trade.db.snapshot() as conn:
        assert conn.execute(stored).scalar_one() == count // 1000
        job = conn.execute(select(table(Job)).where(table(Job).c.kind == "documents.import")).one()
    assert (job.state, job.attempts) == ("DONE", times)
    assert job.progress["rows_done"] == count + 1  # the header is a row of the file
    assert job.progress["unit"] == "rows"
    assert (one(trade, Notice).topic, one(trade, Notice).user_id) == (
        "upload.finished",
        trade.buyer.user_id,
    )


def test_a_worker_killed_in_the_middle_of_3000_rows_is_followed_by_another(
    engine_url: str,
) -> None:
    db = Database(engine_url)
    trade = trade_on(db)
    content, good = rows(3000)
    upload_id = trade.receive(content, INVOICES, queue=True)
    killed_after(engine_url, 1)
    must_be_whole(trade, 3000, good, times=2)
    # What an earlier run had done is not counted as speed, and the clock stood still since.
    with db.snapshot() as conn:
        progress = conn.execute(
            select(table(Job).c.progress).where(table(Job).c.key == upload_id)
        ).scalar_one()
    assert progress["began_at"] >= 1001
    assert pace(progress).per_second == 0
    db.close()


@pytest.mark.long
@pytest.mark.parametrize("mode", ["keep-good", "atomic"])
def test_50000_rows_by_slices_over_four_workers_come_once_and_then_never_again(
    engine_url: str, mode: str
) -> None:
    db = Database(engine_url)
    trade = trade_on(db)
    content, good = rows(50_000)
    if mode == "atomic":  # all of it or nothing
        content = b"\n".join(line for line in content.split(b"\n") if b"1.005" not in line)
    how = {"mapping": INVOICES, "mode": mode, "queue": True}
    upload_id = in_two_sittings(trade, content, **how)
    killed_after(engine_url, 3, 11, 20)
    if mode == "keep-good":
        must_be_whole(trade, 50_000, good, times=4)
    assert Counter(row.number for row in trade.rows()) == Counter(dict.fromkeys(good, 1))
    again = intake.run_upload(trade.world.platform, in_two_sittings(trade, content, **how))
    assert again["upload_id"] != upload_id
    assert (again["stored"], again["duplicate"]) == (0, len(good))
    assert len(trade.rows()) == len(good)
    db.close()


def in_two_sittings(trade: Trade, content: bytes, **how: object) -> str:
    """Send a file by slices; half-way the connection is cut and the sender begins again."""
    sent = {"name": "large.csv", "size": len(content), "sha256": sha(content)}
    parts = [content[at : at + MIN_SLICE_BYTES] for at in range(0, len(content), MIN_SLICE_BYTES)]
    half = len(parts) // 2
    for sitting in (range(half), range(half - 1, len(parts))):
        opened = trade.world.run("transfer.open", trade.buyer, slice_bytes=MIN_SLICE_BYTES, **sent)
        for number in sitting:
            trade.world.run(
                "transfer.bring",
                trade.buyer,
                transfer_id=opened["transfer_id"],
                number=number,
                sha256=sha(parts[number]),
                content=parts[number],
            )
    done = trade.world.run(
        "transfer.complete", trade.buyer, transfer_id=opened["transfer_id"], **how
    )
    return str(done["upload_id"])


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
