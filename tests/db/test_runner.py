"""One command, one transaction, one effect: under races, repeats, failures and dry runs."""

import sqlite3
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from scf.db.engine import Database
from scf.db.models import AuditLog, Idempotency, Outbox, SecurityEvent
from scf.db.runner import COMMANDS, Command, Context, Outcome, Runner
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from scf.kernel.errors import InvalidInput, NotAllowed, RuleViolation, Unavailable
from tests.db import toys
from tests.db.toys import ANNA, BERT
from tests.support.racing import race


def count(db: Database, model: Any) -> int:  # noqa: ANN401
    with db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(model.__table__)).scalar_one())


def test_64_draws_at_once_never_exceed_the_limit(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock, limit_minor=1000)
    answers = race(
        64,
        lambda i: str(
            runner.run("toy.draw", {"amount_minor": 100}, actor=ANNA, key=f"k{i}").result["outcome"]
        ),
    )
    assert answers == {"drawn": 10, "LIMIT_POT": 54}
    assert toys.drawn(db) == 1000
    assert count(db, AuditLog) == count(db, Outbox) == count(db, Idempotency) == 10


def test_64_takers_of_one_thing_give_one_taker(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    answers = race(
        64,
        lambda i: str(
            runner.run("toy.take", {"thing": "x"}, actor=ANNA, key=f"k{i}").result["outcome"]
        ),
    )
    assert answers == {"taken": 1, "TAKEN": 63}


def test_64_repeats_of_one_key_have_one_effect_and_one_answer(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    outcomes: list[Outcome] = []

    def act(_i: int) -> str:
        outcome = runner.run("toy.draw", {"amount_minor": 100}, actor=ANNA, key="same")
        outcomes.append(outcome)
        return "replayed" if outcome.replayed else "done"

    assert race(64, act) == {"done": 1, "replayed": 63}
    assert toys.drawn(db) == 100
    assert {outcome.command_id for outcome in outcomes} == {outcomes[0].command_id}
    assert all(outcome.result == outcomes[0].result for outcome in outcomes)
    assert count(db, AuditLog) == 1


def test_the_same_key_with_another_body_is_refused(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    runner.run("toy.draw", {"amount_minor": 1}, actor=ANNA, key="k")
    with pytest.raises(InvalidInput, match="IDEMPOTENCY_MISMATCH"):
        runner.run("toy.draw", {"amount_minor": 2}, actor=ANNA, key="k")
    assert toys.drawn(db) == 1


def test_a_key_belongs_to_one_organisation(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    runner.run("toy.draw", {"amount_minor": 1}, actor=ANNA, key="k")
    assert not runner.run("toy.draw", {"amount_minor": 1}, actor=BERT, key="k").replayed
    assert toys.drawn(db) == 2


def test_what_raises_leaves_no_trace_and_the_key_stays_free(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    for _third_time_too in range(3):
        with pytest.raises(RuleViolation):
            runner.run("toy.draw", {"amount_minor": 1, "leave": "raise"}, actor=ANNA, key="k")
    assert toys.drawn(db) == 0
    assert count(db, AuditLog) == count(db, Outbox) == count(db, Idempotency) == 0


def test_what_is_returned_is_remembered(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    body = {"amount_minor": 1, "leave": "refuse"}
    first = runner.run("toy.draw", body, actor=ANNA, key="k")
    again = runner.run("toy.draw", body, actor=ANNA, key="k")
    assert first.result == again.result == {"outcome": "declined"}
    assert again.replayed


def test_a_dry_run_answers_like_the_real_run_and_writes_nothing(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    dry = runner.run("toy.draw", {"amount_minor": 7}, actor=ANNA, key="k", dry_run=True)
    assert toys.drawn(db) == 0
    assert count(db, AuditLog) == count(db, Outbox) == count(db, Idempotency) == 0
    real = runner.run("toy.draw", {"amount_minor": 7}, actor=ANNA, key="k")
    assert not real.replayed
    assert dry.result == real.result
    with pytest.raises(RuleViolation):
        runner.run("toy.draw", {"amount_minor": 10_000}, actor=ANNA, key="x", dry_run=True)


class _Failing:
    """A handler that fails a number of times before it works."""

    def __init__(self, times: int, error: sqlite3.Error) -> None:
        self.times, self.error, self.calls = times, error, 0

    def __call__(self, ctx: Context, data: toys.Draw) -> dict[str, Any]:
        self.calls += 1
        answer = toys.draw(ctx, data)
        if self.calls <= self.times:
            raise OperationalError("a statement", {}, self.error)
        return answer


@pytest.mark.parametrize(("times", "works"), [(1, True), (4, True), (5, False)])
def test_a_lock_conflict_runs_the_whole_command_again_at_most_five_times(
    db: Database, clock: FixedClock, times: int, *, works: bool
) -> None:
    runner = toys.make_runner(db, clock)
    pauses: list[float] = []
    runner = Runner(db, clock, toys.allow, pause=pauses.append)
    failing = _Failing(times, sqlite3.OperationalError("database is locked"))
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, failing)
    if works:
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
        assert toys.drawn(db) == 5  # once, although the handler wrote several times
    else:
        with pytest.raises(Unavailable, match="DATABASE"):
            runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
        assert toys.drawn(db) == 0
    assert failing.calls == min(times + 1, 5)
    assert len(pauses) == failing.calls - 1


def test_attempts_that_waited_long_are_not_made_five_times(
    db: Database, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite waits ten seconds for its lock: five times that is longer than a request lives."""
    seconds = iter((0.0, 10.0, 20.0))
    monkeypatch.setattr("scf.db.runner.time.monotonic", lambda: next(seconds))
    toys.make_runner(db, clock)
    runner = Runner(db, clock, toys.allow, pause=lambda _s: None)
    failing = _Failing(10_000, sqlite3.OperationalError("database is locked"))
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, failing)
    with pytest.raises(Unavailable, match="DATABASE"):
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
    assert failing.calls == 2


def test_an_error_nobody_knows_is_not_retried(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    failing = _Failing(9, sqlite3.OperationalError("no such table: nowhere"))
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, failing)
    with pytest.raises(OperationalError):
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
    assert failing.calls == 1


def test_an_unmapped_constraint_is_a_bug_and_not_a_conflict(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    with pytest.raises(IntegrityError):
        runner.run("toy.draw", {"amount_minor": -5}, actor=ANNA, key="k")


class _CommitIsLost:
    """Makes COMMIT fail on the line after (or before) the database has done it."""

    def __init__(self, db: Database, *, after: bool) -> None:
        self.after = after
        self.broken = 0
        dialect = db.writer.dialect
        self.original = dialect.do_commit
        dialect.do_commit = self  # type: ignore[method-assign,assignment]

    def __call__(self, connection: Any) -> None:  # noqa: ANN401
        if self.broken:
            self.original(connection)
            return
        self.broken += 1
        if self.after:
            self.original(connection)
        raise OperationalError(
            "COMMIT", {}, ConnectionError("the line broke"), connection_invalidated=True
        )


@pytest.mark.parametrize("after", [True, False], ids=["committed", "not-committed"])
def test_a_commit_without_answer_is_looked_up_by_its_key(
    db: Database, clock: FixedClock, *, after: bool
) -> None:
    runner = toys.make_runner(db, clock)
    lost = _CommitIsLost(db, after=after)
    outcome = runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
    assert lost.broken == 1
    assert outcome.result == {"outcome": "drawn", "amount_minor": 5}
    assert outcome.replayed is after
    assert toys.drawn(db) == 5


def test_a_denied_attempt_is_recorded_and_changes_nothing(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    stranger = Actor("eve", "org-e", frozenset({Role.ANCHOR_CLERK}))
    with pytest.raises(NotAllowed):
        runner.run("toy.draw", {"amount_minor": 5}, actor=stranger, key="k")
    assert count(db, SecurityEvent) == 1
    assert count(db, AuditLog) == 0


def test_a_wrong_payload_is_refused_without_echoing_it(db: Database, clock: FixedClock) -> None:
    runner = toys.make_runner(db, clock)
    with pytest.raises(InvalidInput) as refused:
        runner.run("toy.draw", {"amount_minor": "<script>"}, actor=ANNA, key="k")
    assert "script" not in str(refused.value.facts)


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_has_a_length(db: Database, clock: FixedClock, key: str) -> None:
    runner = toys.make_runner(db, clock)
    with pytest.raises(InvalidInput, match="IDEMPOTENCY_KEY"):
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key=key)


def test_an_unreachable_database_is_unavailable(clock: FixedClock) -> None:
    db = Database("postgresql://nobody@127.0.0.1:1/none")
    runner = Runner(db, clock, toys.allow, pause=lambda _s: None)
    with pytest.raises(Unavailable, match="DATABASE"):
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")


def test_the_pool_is_full_after_100_lock_timeouts(db: Database, clock: FixedClock) -> None:
    runner = Runner(db, clock, toys.allow, pause=lambda _s: None)
    toys.make_runner(db, clock)
    failing = _Failing(10_000, sqlite3.OperationalError("database is locked"))
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, failing)
    for i in range(20):  # five attempts each
        with pytest.raises(Unavailable):
            runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key=f"k{i}")
    assert db.writer.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_locks_against_the_order_are_a_bug(db: Database, clock: FixedClock) -> None:
    from scf.documents.models import Invoice
    from scf.programmes.models import LimitNode

    def wrong(ctx: Context, _data: toys.Draw) -> dict[str, Any]:
        ctx.lock(Invoice, [])
        ctx.lock(LimitNode, [])
        return {}

    runner = toys.make_runner(db, clock)
    COMMANDS["toy.draw"] = Command("toy.draw", toys.Draw, wrong)
    with pytest.raises(RuntimeError, match="limit_node locked after invoice"):
        runner.run("toy.draw", {"amount_minor": 5}, actor=ANNA, key="k")
