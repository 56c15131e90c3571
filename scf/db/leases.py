"""Rows that a worker claims for a while: jobs and notices.

At least once: a worker that dies keeps its claim only until the lease runs out. Whatever runs must
therefore be idempotent by its key, which commands are. Rows are claimed by "open and not leased",
never by "number > last seen".
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.engine import Database
from scf.db.models import Job, Outbox, WorkerHeartbeat
from scf.kernel.clock import Clock

LEASE = dt.timedelta(seconds=120)
# Who reports progress says that it lives; when it falls silent, another takes over soon.
RENEWED = dt.timedelta(seconds=30)
MAX_TRIES = 8
# So many workers may die over one row; who kills three would kill the fourth.
MAX_DEATHS = 3
DIED = "Every worker that began this ended without a word; it is not begun again."
_job: Table = Job.__table__  # type: ignore[attr-defined]
_outbox: Table = Outbox.__table__  # type: ignore[attr-defined]
_heartbeat: Table = WorkerHeartbeat.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Claimed:
    """One row of work, ours until the lease ends."""

    id: str
    kind: str
    key: str
    org_id: str
    user_id: str
    payload: dict[str, Any]
    attempts: int
    created_at: dt.datetime
    deaths: int = 0


class LeaseLost(Exception):
    """Another worker has taken the job over, because this one was silent for too long."""


Handler = Callable[[Claimed], dict[str, Any] | None]
GivenUp = Callable[[Claimed], None]


class Worker:
    """Works off jobs and notices of one database, one at a time.

    Parameters
    ----------
    handlers
        What to do per job kind; a job of an unknown kind fails with a reason.
    deliver
        Hands one notice over; raising means "try again later".
    given_up
        What is to be done per job kind when a job is not tried again, so that nobody waits for it.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        name: str,
        handlers: Mapping[str, Handler],
        deliver: Callable[[Claimed], None],
        given_up: Mapping[str, GivenUp] | None = None,
    ) -> None:
        self.db, self.clock, self.name = db, clock, name
        self._handlers, self._deliver = handlers, deliver
        self._given_up = given_up or {}

    def beat(self) -> None:
        """Say that this worker lives."""
        with self.db.writer.begin() as conn:
            now = self.clock.now()
            done = conn.execute(
                update(_heartbeat)
                .where(_heartbeat.c.worker == self.name)
                .values(at=now)
                .returning(_heartbeat.c.worker)
            ).one_or_none()
            if done is None:
                conn.execute(_heartbeat.insert(), {"worker": self.name, "at": now})

    def step(self) -> bool:
        """Do one piece of work; False when there was none."""
        return self._one_job() or self._one_notice()

    def drain(self) -> int:
        """Work until nothing is left; gives how many pieces were done."""
        done = 0
        while self.step():
            done += 1
        return done

    def _one_job(self) -> bool:
        claimed = self._claim(_job)
        if claimed is None:
            return False
        if claimed.deaths >= MAX_DEATHS:
            self._end(_job, claimed, DIED)
            return True
        handler = self._handlers.get(claimed.kind)
        try:
            if handler is None:
                msg = f"no handler for jobs of kind {claimed.kind}"
                raise LookupError(msg)  # noqa: TRY301 - one place decides what a failure costs
            result = handler(claimed)
        except LeaseLost:
            pass  # whoever has it says what comes of it
        except Exception as error:  # noqa: BLE001 - a failed job must be recorded, not lost
            self._failed(_job, claimed, error)
        else:
            self._finish(claimed, result or {})
        return True

    def _one_notice(self) -> bool:
        claimed = self._claim(_outbox)
        if claimed is None:
            return False
        if claimed.deaths >= MAX_DEATHS:
            self._end(_outbox, claimed, DIED)
            return True
        try:
            self._deliver(claimed)
        except Exception as error:  # noqa: BLE001 - kept and tried again
            self._failed(_outbox, claimed, error)
        else:
            with self.db.writer.begin() as conn:
                conn.execute(
                    update(_outbox)
                    .where(_outbox.c.id == claimed.id)
                    .values(done_at=self.clock.now())
                )
        return True

    def _claim(self, table: Table) -> Claimed | None:
        now = self.clock.now()
        with self.db.writer.begin() as conn:
            row = conn.execute(
                select(table)
                .where(
                    _is_open(table),
                    table.c.available_at <= now,
                    or_(table.c.lease_until.is_(None), table.c.lease_until < now),
                )
                .order_by(table.c.available_at)
                .limit(1)
                .with_for_update(skip_locked=True)
            ).one_or_none()
            if row is None:
                return None
            # Whoever ends an attempt, well or not, gives its lease back.
            deaths = row.deaths + (row.lease_until is not None)
            values: dict[str, Any] = {
                "lease_until": now + LEASE,
                "attempts": row.attempts + 1,
                "deaths": deaths,
            }
            if table is _job:
                values |= {"state": "RUNNING", "lease_owner": self.name}
            conn.execute(update(table).where(table.c.id == row.id).values(values))
        return Claimed(
            row.id,
            row.kind if table is _job else row.topic,
            row.key if table is _job else row.id,
            row.org_id,
            row.user_id if table is _job else "",
            row.payload,
            row.attempts + 1,
            row.created_at,
            deaths,
        )

    def _failed(self, table: Table, claimed: Claimed, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"[:4000]
        # Attempts whose workers died are counted by themselves.
        tries = claimed.attempts - claimed.deaths
        if tries >= MAX_TRIES:
            self._end(table, claimed, told)
            return
        values: dict[str, Any] = {
            "lease_until": None,
            "last_error": told,
            "available_at": self.clock.now() + dt.timedelta(seconds=2**tries),
        }
        if table is _job:
            values["state"] = "QUEUED"
        with self.db.writer.begin() as conn:
            conn.execute(update(table).where(*_ours(table, claimed)).values(values))

    def _end(self, table: Table, claimed: Claimed, told: str) -> None:
        """Try a row no more; whoever waited for it hears of it first."""
        if table is _job and claimed.kind in self._given_up:
            self._given_up[claimed.kind](claimed)
        now = self.clock.now()
        values: dict[str, Any] = {"lease_until": None, "last_error": told}
        values |= {"state": "FAILED", "finished_at": now} if table is _job else {"done_at": now}
        with self.db.writer.begin() as conn:
            conn.execute(update(table).where(*_ours(table, claimed)).values(values))

    def _finish(self, claimed: Claimed, result: dict[str, Any]) -> None:
        with self.db.writer.begin() as conn:
            conn.execute(
                update(_job)
                .where(*_ours(_job, claimed))
                .values(finished_at=self.clock.now(), lease_until=None, state="DONE", result=result)
            )


def report_progress(
    db: Database,
    clock: Clock,
    job: Claimed,
    progress: Mapping[str, Any],
    *,
    further: bool = False,
) -> None:
    """Store how far a running job is, for whoever waits for it, and keep it for this worker.

    What comes ``further`` than every run before does not end its workers: their deaths had other
    causes and count no more.

    Raises
    ------
    LeaseLost
        When another worker has taken it over.
    """
    values: dict[str, Any] = {
        "progress": dict(progress),
        "lease_until": clock.now() + RENEWED,
    }
    if further:
        values["deaths"] = 0
    with db.writer.begin() as conn:
        done = conn.execute(
            update(_job)
            .where(*_ours(_job, job), _job.c.state == "RUNNING")
            .values(values)
            .returning(_job.c.id)
        ).one_or_none()
    if done is None:
        raise LeaseLost


def _ours(table: Table, claimed: Claimed) -> tuple[Any, ...]:
    """Tell a row as it was claimed from one that somebody else has claimed since."""
    return table.c.id == claimed.id, table.c.attempts == claimed.attempts


def _is_open(table: Table) -> Any:  # noqa: ANN401 - a SQL expression
    if table is _job:
        return table.c.state.in_(("QUEUED", "RUNNING"))
    return table.c.done_at.is_(None)


def seal_now(db: Database, clock: Clock, seal: Callable[[Connection, dt.datetime], Any]) -> Any:  # noqa: ANN401
    """Seal the audit trail in a transaction of its own."""
    with db.writer.begin() as conn:
        return seal(conn, clock.now())
