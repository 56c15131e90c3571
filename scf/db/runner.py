"""The one way to change anything: a command, run in one transaction with everything it owes.

Order inside: begin → idempotency row → row locks in the one fixed order → guards → service →
audit row and outbox rows → commit. Nothing else in the platform commits (a house test looks).

* **Idempotency.** The key row is inserted first with ``ON CONFLICT DO NOTHING RETURNING``: no row
  back means somebody was first; the second caller waits on the unique index and gets the stored
  answer. (``rowcount`` is −1 on psycopg and let 64 duplicates in.)
* **Raise or return.** Raising leaves no trace; what must be remembered (declined, refused by
  policy) is *returned* and stored as the answer.
* **Retry.** The whole command, at most five times, on serialization failure, deadlock and lock
  timeout. A COMMIT that errors is an unknown outcome: the key is looked up before anything else.
"""

import dataclasses
import datetime as dt
import random
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import Row, Select, Table, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlmodel import SQLModel

from scf.db import audit, failures
from scf.db.engine import Database
from scf.db.models import Idempotency, Job, Outbox, SecurityEvent
from scf.db.visibility import fetch_visible, not_found
from scf.kernel.actor import Actor
from scf.kernel.clock import Clock
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, ScfError, Unavailable
from scf.kernel.ids import digest, new_id

MAX_ATTEMPTS = 5
# Each attempt may have waited for a lock as long as the engine lets it: all of them together stay
# well below the time in which a web process has to answer.
PATIENCE_SECONDS = 15
MAX_KEY = 255

# The one order in which rows are locked, everywhere. Taking a lock against it is a bug.
LOCK_ORDER = (
    "transfer",
    "upload",
    "financing_request",
    "payment_file",
    "bank_account",
    "bank_entry",
    "payment_advice",
    "limit_node",
    "trade_order",
    "invoice",
    "credit_note",
    "voucher",
    "advance",
    "payment_instruction",
    "ledger_book",
    "ledger_period",
)

_key_table = Idempotency.__table__  # type: ignore[attr-defined]
_outbox_table = Outbox.__table__  # type: ignore[attr-defined]
_job_table = Job.__table__  # type: ignore[attr-defined]
_security_table = SecurityEvent.__table__  # type: ignore[attr-defined]
_KEY_OF = {
    "sqlite": sqlite.insert(_key_table).on_conflict_do_nothing().returning(_key_table.c.key),
    "postgresql": postgresql.insert(_key_table)
    .on_conflict_do_nothing()
    .returning(_key_table.c.key),
}
_FIND_KEY = select(_key_table.c.body_digest, _key_table.c.response, _key_table.c.command_id).where(
    _key_table.c.org_id == bindparam("o"),
    _key_table.c.command == bindparam("c"),
    _key_table.c.key == bindparam("k"),
)
_STORE_ANSWER = (
    update(_key_table)
    .where(
        _key_table.c.org_id == bindparam("o"),
        _key_table.c.command == bindparam("c"),
        _key_table.c.key == bindparam("k"),
    )
    .values(response=bindparam("r", type_=_key_table.c.response.type))
)
_INSERT_OUTBOX = insert(_outbox_table)
_INSERT_JOB = insert(_job_table)


@lru_cache(maxsize=len(LOCK_ORDER))
def _locking(table: Table) -> Select[Any]:
    """Build once per table what every command asks: rows by id, locked in the platform's order."""
    order = (table.c.kind_rank, table.c.id) if "kind_rank" in table.c else (table.c.id,)
    wanted = table.c.id.in_(bindparam("ids", expanding=True))
    return select(table).where(wanted).order_by(*order).with_for_update()


@dataclasses.dataclass(frozen=True)
class Command:
    """A change the platform knows how to make."""

    name: str
    input: type[BaseModel]
    handler: Callable[[Any, Any], dict[str, Any]]


InputT = TypeVar("InputT", bound=BaseModel)
COMMANDS: dict[str, Command] = {}


def command(
    name: str, model: type[InputT]
) -> Callable[
    [Callable[["Context", InputT], dict[str, Any]]], Callable[["Context", InputT], dict[str, Any]]
]:
    """Register a handler. Who may call it stands in ``scf/parties/access.py``."""

    def register(
        handler: Callable[["Context", InputT], dict[str, Any]],
    ) -> Callable[["Context", InputT], dict[str, Any]]:
        if name in COMMANDS:
            msg = f"two commands are named {name}"
            raise RuntimeError(msg)
        COMMANDS[name] = Command(name, model, handler)
        return handler

    return register


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The stored answer of a command; ``replayed`` when the key had been used before."""

    result: dict[str, Any]
    command_id: str
    replayed: bool = False


@dataclasses.dataclass
class Context:
    """What a running command may touch: one open transaction, one actor, one instant."""

    conn: Connection
    actor: Actor
    now: dt.datetime
    command: str
    command_id: str
    key: str
    reason: str
    dialect: str
    changes: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    notices: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    _rank: int = -1

    def lock(self, model: type[SQLModel], ids: Iterable[str]) -> dict[str, Row[Any]]:
        """Lock rows in the platform's order and give them as they are now, by id.

        Rows of one table are locked by ascending id (limit nodes by kind first). A table that
        comes before one already locked is a bug in the caller: two commands in opposite orders
        deadlock.

        Raises
        ------
        NotFound
            When one of the ids does not exist.
        """
        table = model.__table__  # type: ignore[attr-defined]
        rank = LOCK_ORDER.index(table.name)
        if rank < self._rank:
            msg = f"{table.name} locked after {LOCK_ORDER[self._rank]}"
            raise RuntimeError(msg)
        self._rank = rank
        wanted = sorted(set(ids))
        found = self.conn.execute(_locking(table), {"ids": wanted}) if wanted else ()
        rows = {row.id: row for row in found}
        for row_id in wanted:
            if row_id not in rows:
                raise not_found(table.name, row_id)
        return rows

    def visible(self, model: type[SQLModel], row_id: str) -> Any:  # noqa: ANN401 - a row of model
        """Fetch one row as the actor may see it; missing and foreign are the same NotFound."""
        return fetch_visible(self.conn, model, row_id, self.actor)

    def change(
        self,
        object_type: str,
        object_id: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Say what one object was and became; it goes into the audit row."""
        self.changes.append(
            {
                "type": object_type,
                "id": object_id,
                "before": dict(before) if before is not None else None,
                "after": dict(after) if after is not None else None,
            }
        )

    def emit(self, topic: str, payload: Mapping[str, Any], *, org_id: str | None = None) -> None:
        """Put a notice into the outbox; it leaves only if this command commits."""
        self.notices.append(
            {
                "id": new_id(),
                "topic": topic,
                "org_id": org_id or self.actor.org_id,
                "command_id": self.command_id,
                "payload": dict(payload),
                "created_at": self.now,
                "available_at": self.now,
                "attempts": 0,
            }
        )

    def enqueue(
        self, kind: str, payload: Mapping[str, Any], key: str, *, at: dt.datetime | None = None
    ) -> str:
        """Queue work for the worker, in this transaction; the same kind and key only once.

        Nobody takes it up before the instant ``at``.
        """
        job_id = new_id()
        self.conn.execute(
            _INSERT_JOB,
            {
                "id": job_id,
                "kind": kind,
                "key": key,
                "org_id": self.actor.org_id,
                "user_id": self.actor.user_id,
                "payload": dict(payload),
                "state": "QUEUED",
                "attempts": 0,
                "available_at": at or self.now,
                "created_at": self.now,
            },
        )
        return job_id


@dataclasses.dataclass(frozen=True)
class _Call:
    """One request to run a command, validated; the same for every attempt."""

    spec: Command
    data: BaseModel
    request: dict[str, Any]
    body_digest: str
    salt: str
    actor: Actor
    key: str
    reason: str
    dry_run: bool


class Runner:
    """Runs commands against one database.

    Parameters
    ----------
    db
        Where to write.
    clock
        The injected source of instants.
    authorise
        Raises :class:`NotAllowed` when the actor may not run the named command.
    """

    def __init__(
        self,
        db: Database,
        clock: Clock,
        authorise: Callable[[Actor, str], None],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.db = db
        self.clock = clock
        self._authorise = authorise
        self._pause = pause

    def run(
        self,
        name: str,
        payload: Mapping[str, Any] | BaseModel,
        *,
        actor: Actor,
        key: str,
        reason: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Run one command and give its stored answer.

        Raises
        ------
        InvalidInput
            The payload is not of the command's form, or the key was used with another payload.
        NotAllowed
            The actor's roles do not cover the command; the attempt is recorded.
        Conflict
            The state moved, or the same key is being worked on right now (``IN_PROGRESS``).
        Unavailable
            The database could not be reached, or its answer to COMMIT is unknown.
        """
        spec = COMMANDS[name]
        if not key or len(key) > MAX_KEY:
            code = "IDEMPOTENCY_KEY"
            raise InvalidInput(
                code, "A key of 1 to %(limit)s characters is required.", limit=MAX_KEY
            )
        data = _validated(spec, payload)
        try:
            self._authorise(actor, name)
        except NotAllowed as refusal:
            self.record_denied(actor, name, refusal)
            raise
        request, salt = audit.public_request(data)
        body = digest(data.model_dump(mode="json"))
        call = _Call(spec, data, request, body, salt, actor, key, reason, dry_run)
        return self._attempts(call)

    def _attempts(self, call: "_Call") -> Outcome:
        began = time.monotonic()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._once(call)
            except IntegrityError as error:
                refusal = failures.known_refusal(error)
                if refusal is None:
                    raise
                raise refusal from error
            except (DBAPIError, NoConnectionFree) as error:
                if failures.is_connection_lost(error):
                    stored = self._stored_answer(call)
                    if stored is not None:
                        return stored
                elif not failures.is_transient(error):
                    with failures.told_plainly():
                        raise
                if attempt == MAX_ATTEMPTS or time.monotonic() - began > PATIENCE_SECONDS:
                    raise _gave_up(error, call) from error
                self._pause(random.uniform(0.5, 1.0) * 0.02 * 2**attempt)  # noqa: S311 - jitter
        msg = "unreachable"
        raise AssertionError(msg)

    def _once(self, call: "_Call") -> Outcome:
        now = self.clock.now()
        command_id = new_id()
        name, actor = call.spec.name, call.actor
        with self.db.writer.connect() as conn, conn.begin() as transaction:
            found = self._claim_key(conn, call, command_id, now)
            if found is not None:
                transaction.rollback()
                return found
            ctx = Context(
                conn, actor, now, name, command_id, call.key, call.reason, self.db.dialect
            )
            result = call.spec.handler(ctx, call.data)
            conn.execute(_STORE_ANSWER, {"o": actor.org_id, "c": name, "k": call.key, "r": result})
            audit.append(conn, ctx, call.request, result, call.salt)
            if ctx.notices:
                conn.execute(_INSERT_OUTBOX, ctx.notices)
            if call.dry_run:
                # Checks that wait for COMMIT must speak before we turn back.
                if self.db.dialect == "postgresql":
                    conn.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
                transaction.rollback()
        return Outcome(result, command_id)

    def _claim_key(
        self, conn: Connection, call: "_Call", command_id: str, now: dt.datetime
    ) -> Outcome | None:
        row = conn.execute(
            _KEY_OF[self.db.dialect],
            {
                "org_id": call.actor.org_id,
                "command": call.spec.name,
                "key": call.key,
                "body_digest": call.body_digest,
                "command_id": command_id,
                "created_at": now,
            },
        ).one_or_none()
        return None if row is not None else _answer_of(conn, call)

    def _stored_answer(self, call: "_Call") -> Outcome | None:
        """Look an unknown outcome up; nothing when the key is not there (it did not commit)."""
        try:
            with self.db.reader.connect() as conn:
                return _answer_of(conn, call)
        except DBAPIError:
            return None

    def record_denied(self, actor: Actor, action: str, refusal: ScfError) -> None:
        """Remember an attempt that was refused, in a short transaction of its own."""
        with self.db.writer.begin() as conn:
            conn.execute(
                insert(_security_table),
                {
                    "id": new_id(),
                    "at": self.clock.now(),
                    "user_id": actor.user_id,
                    "org_id": actor.org_id,
                    "action": action,
                    "code": refusal.code,
                    "facts": {},
                },
            )


def _answer_of(conn: Connection, call: "_Call") -> Outcome | None:
    row = conn.execute(
        _FIND_KEY, {"o": call.actor.org_id, "c": call.spec.name, "k": call.key}
    ).one_or_none()
    if row is None:
        return None
    if row.body_digest != call.body_digest:
        code = "IDEMPOTENCY_MISMATCH"
        raise InvalidInput(code, "This key was used before with another request.", key=call.key)
    return Outcome(row.response, row.command_id, replayed=True)


def _validated(spec: Command, payload: Mapping[str, Any] | BaseModel) -> BaseModel:
    if isinstance(payload, spec.input):
        return payload
    raw = payload.model_dump() if isinstance(payload, BaseModel) else dict(payload)
    try:
        return spec.input.model_validate(raw)
    except ValidationError as error:
        raise invalid_input(error) from None


def invalid_input(error: ValidationError) -> InvalidInput:
    """Turn a validation error into ours, without echoing what was typed."""
    problems = [
        {"place": ".".join(str(part) for part in item["loc"]), "message": item["msg"]}
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    code = "INPUT"
    return InvalidInput(code, "Some fields are missing or wrong.", problems=problems)


def _gave_up(error: Exception, call: "_Call") -> ScfError:
    if failures.is_lock_timeout(error):
        code = "IN_PROGRESS"
        return Conflict(
            code, "The same thing is being worked on. Ask again.", command=call.spec.name
        )
    code = "DATABASE"
    return Unavailable(
        code,
        "The database did not answer. Repeat with the same key.",
        command=call.spec.name,
        key=call.key,
    )
