"""Jobs and notices: claimed once at a time, done at least once, never lost."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.db.leases import LEASE, MAX_TRIES, Claimed, Worker
from scf.db.models import Job, Outbox
from scf.db.runner import COMMANDS, Command, Context
from scf.kernel.clock import FixedClock
from scf.kernel.errors import RuleViolation
from tests.db import toys
from tests.db.toys import ANNA
from tests.support.racing import race

job = Job.__table__  # type: ignore[attr-defined]
outbox = Outbox.__table__  # type: ignore[attr-defined]


@pytest.fixture
def queued(db: Database, clock: FixedClock) -> Database:
    def queue(ctx: Context, data: toys.Draw) -> dict[str, Any]:
        for i in range(data.amount_minor):
            ctx.enqueue("toy", {"number": i}, f"job-{i}")
        return {}

    runner = toys.make_runner(db, clock)
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, queue)
    runner.run("toy.draw", {"amount_minor": 20}, actor=ANNA, key="k")
    return db


def test_eight_workers_share_twenty_jobs_without_doing_one_twice(
    queued: Database, clock: FixedClock
) -> None:
    done: list[int] = []

    def work(number: int) -> str:
        handlers = {"toy": lambda claimed: done.append(claimed.payload["number"])}
        return str(Worker(queued, clock, f"w{number}", handlers, lambda _n: None).drain() >= 0)

    race(8, work)
    assert Counter(done) == dict.fromkeys(range(20), 1)


def test_a_job_of_a_dead_worker_is_taken_over_when_its_lease_ends(
    queued: Database, clock: FixedClock
) -> None:
    class Died(BaseException):
        pass

    def die(_claimed: Claimed) -> None:
        raise Died

    with pytest.raises(Died):
        Worker(queued, clock, "dies", {"toy": die}, lambda _n: None).step()
    seen: list[int] = []
    other = Worker(
        queued, clock, "lives", {"toy": lambda c: seen.append(c.payload["number"])}, lambda _n: None
    )
    other.drain()
    assert len(seen) == 19
    clock.advance(LEASE + timedelta(seconds=1))
    other.drain()
    assert sorted(seen) == list(range(20))


def test_a_failing_job_is_tried_again_later_and_then_given_up_with_its_reason(
    queued: Database, clock: FixedClock
) -> None:
    tries: Counter[int] = Counter()

    def fail(claimed: Claimed) -> None:
        tries[claimed.payload["number"]] += 1
        raise ValueError("broken on purpose")

    worker = Worker(queued, clock, "w", {"toy": fail}, lambda _n: None)
    for _round in range(MAX_TRIES + 2):
        worker.drain()
        clock.advance(minutes=10)
    assert set(tries.values()) == {MAX_TRIES}
    with queued.snapshot() as conn:
        rows = conn.execute(select(job.c.state, job.c.last_error)).all()
    assert {row.state for row in rows} == {"FAILED"}
    assert {row.last_error for row in rows} == {"ValueError: broken on purpose"}


def test_a_notice_leaves_only_if_its_command_committed(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    runner.run("toy.draw", {"amount_minor": 3}, actor=ANNA, key="a")
    with pytest.raises(RuleViolation):
        runner.run("toy.draw", {"amount_minor": 4, "leave": "raise"}, actor=ANNA, key="b")
    sent: list[Any] = []
    worker = Worker(db, clock, "w", {}, lambda notice: sent.append(notice.payload))
    worker.drain()
    assert sent == [{"amount_minor": 3}]
    with db.snapshot() as conn:
        assert conn.execute(select(outbox.c.done_at)).scalar_one() is not None
