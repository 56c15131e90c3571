"""What a round did, as commands: begun, records taken, writes done or refused, ended."""

import datetime as dt
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from scf.channels.erp.models import ErpConnection, ErpItem, ErpRun, ErpStream, ErpWrite
from scf.channels.erp.unmapped import UNMAPPED
from scf.db.runner import Context, command
from scf.db.types import OptCode, OptMinor
from scf.kernel.ids import new_id
from scf.notices.tries import next_try

_connection = ErpConnection.__table__  # type: ignore[attr-defined]
_item = ErpItem.__table__  # type: ignore[attr-defined]
_run = ErpRun.__table__  # type: ignore[attr-defined]
_stream = ErpStream.__table__  # type: ignore[attr-defined]
_write = ErpWrite.__table__  # type: ignore[attr-defined]
_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
MAX_AT_ONCE: Final = 1000
_Id = Annotated[str, Field(max_length=64)]
_Said = Annotated[str, Field(max_length=400)]


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BeginRun(_Input):
    """The connection whose turn it is."""

    connection_id: _Id


class Item(_Input):
    """A record as it is there now."""

    remote_id: str = Field(min_length=1, max_length=400)
    label: str = Field(max_length=400)
    digest: str = Field(max_length=64)
    client_id: str | None = None
    firm_id: str | None = None
    currency: OptCode
    payable_minor: OptMinor
    issue_on: dt.date | None = None
    problem: str | None = None
    said: _Said | None = None


class TakeItems(_Input):
    """One page of a stream, and how far it reaches; ``last`` ends the pass.

    ``began`` is the mark from which the pass reads: who asked meanwhile for everything anew took
    that away, and then this pass moves nothing.
    """

    connection_id: _Id
    run_id: _Id
    stream: str = Field(max_length=64)
    items: list[Item] = Field(max_length=MAX_AT_ONCE)
    after: str = Field(max_length=400)
    high: str | None = Field(max_length=40)
    began: str | None = Field(max_length=40)
    mark: str | None = Field(default=None, max_length=40)
    last: bool = Field(strict=True)


class Written(_Input):
    """What became of one thing to write."""

    subject_id: _Id
    label: str = Field(max_length=400)
    remote: str | None = Field(default=None, max_length=100)
    problem: str | None = Field(default=None, max_length=64)
    said: _Said | None = None


class NoteWritten(_Input):
    """Things of one kind that were written, or could not be."""

    connection_id: _Id
    run_id: _Id
    kind: Literal["JOURNAL", "FINANCED", "PAYEE"]
    written: list[Written] = Field(min_length=1, max_length=MAX_AT_ONCE)


class EndRun(_Input):
    """How a round ended; without a problem all is well."""

    connection_id: _Id
    run_id: _Id
    next_at: dt.datetime
    problem: str | None = Field(default=None, max_length=64)
    place: str | None = Field(default=None, max_length=64)
    said: _Said | None = None


@command("erp.begin", BeginRun)
def begin_run(ctx: Context, data: BeginRun) -> dict[str, Any]:
    """A round begins; one whose worker died is put down as lost."""
    # Locked, so that of two that begin at once the second finds the first and ends it.
    org_id = ctx.conn.execute(
        select(_connection.c.org_id).where(_connection.c.id == data.connection_id).with_for_update()
    ).scalar_one()
    ctx.conn.execute(
        update(_run)
        .where(_run.c.connection_id == data.connection_id, _run.c.state == "RUNNING")
        .values(state="LOST", ended_at=ctx.now)
    )
    row = {
        "id": new_id(),
        "connection_id": data.connection_id,
        "org_id": org_id,
        "state": "RUNNING",
        "counts": {},
        "started_at": ctx.now,
    }
    ctx.conn.execute(insert(_run), row)
    return {"id": row["id"]}


@command("erp.take", TakeItems)
def take_items(ctx: Context, data: TakeItems) -> dict[str, Any]:
    """A page of records is known here, and the stream goes on behind it."""
    run = _lock_run(ctx, data.run_id)
    new_insert = _INSERT[ctx.conn.dialect.name]
    if data.items:
        rows = [
            {
                "id": new_id(),
                "connection_id": data.connection_id,
                "org_id": run.org_id,
                "stream": data.stream,
                "taken_at": ctx.now,
                **one.model_dump(),
            }
            for one in data.items
        ]
        made = new_insert(_item)
        kept = {"id", "connection_id", "org_id", "stream", "remote_id"}
        again = {name: made.excluded[name] for name in rows[0] if name not in kept}
        key = ["connection_id", "stream", "remote_id"]
        ctx.conn.execute(made.on_conflict_do_update(index_elements=key, set_=again), rows)
    state = {
        "after": None if data.last else data.after,
        "high": None if data.last else data.high,
        **({"mark": data.mark} if data.last else {}),
    }
    there = ctx.conn.execute(
        select(_stream.c.mark).where(
            _stream.c.connection_id == data.connection_id, _stream.c.stream == data.stream
        )
    ).one_or_none()
    moves = state if there is None or there.mark == data.began else {}
    made = new_insert(_stream)
    ctx.conn.execute(
        made.on_conflict_do_update(
            index_elements=["connection_id", "stream"],
            set_=moves | {"taken": _stream.c.taken + len(data.items)},
        ),
        {
            "id": new_id(),
            "connection_id": data.connection_id,
            "org_id": run.org_id,
            "stream": data.stream,
            "mark": None,
            "taken": len(data.items),
            **state,
        },
    )
    bad = sum(one.problem is not None for one in data.items)
    _count(ctx, run, {data.stream: len(data.items) - bad, f"{data.stream}:bad": bad})
    if data.items:
        ctx.change(
            "erp_connection", data.connection_id, None,
            {"stream": data.stream, "records": [one.remote_id for one in data.items]},
        )  # fmt: skip
    return {"taken": len(data.items)}


@command("erp.written", NoteWritten)
def note_written(ctx: Context, data: NoteWritten) -> dict[str, Any]:
    """What is there is never written again; what was refused waits, longer each time."""
    run = _lock_run(ctx, data.run_id)
    ids = [one.subject_id for one in data.written]
    before = {
        row.subject_id: row.attempts
        for row in ctx.conn.execute(
            select(_write.c.subject_id, _write.c.attempts).where(
                _write.c.connection_id == data.connection_id,
                _write.c.kind == data.kind,
                _write.c.subject_id.in_(ids),
            )
        )
    }
    rows = [_written_row(ctx, data, run, one, before) for one in data.written]
    made = _INSERT[ctx.conn.dialect.name](_write)
    kept = {"id", "connection_id", "org_id", "kind", "subject_id"}
    again = {name: made.excluded[name] for name in rows[0] if name not in kept}
    key = ["connection_id", "kind", "subject_id"]
    ctx.conn.execute(
        made.on_conflict_do_update(index_elements=key, set_=again, where=_write.c.state != "DONE"),
        rows,
    )
    bad = sum(one.problem is not None for one in data.written)
    _count(ctx, run, {data.kind: len(rows) - bad, f"{data.kind}:bad": bad})
    ctx.change(
        "erp_connection", data.connection_id, None,
        {"kind": data.kind, "written": {one.subject_id: one.remote for one in data.written}},
    )  # fmt: skip
    return {"written": len(rows) - bad, "refused": bad}


def _written_row(
    ctx: Context,
    data: NoteWritten,
    run: Any,  # noqa: ANN401 - a row
    one: Written,
    before: dict[str, int],
) -> dict[str, Any]:
    attempts = before.get(one.subject_id, 0) + 1
    failed = one.problem is not None
    return {
        "id": new_id(),
        "connection_id": data.connection_id,
        "org_id": run.org_id,
        "kind": data.kind,
        **one.model_dump(),
        "state": "FAILED" if failed else "DONE",
        "attempts": attempts,
        "tried_at": ctx.now,
        "next_at": next_try(ctx.now, attempts, 1.0) if failed else None,
        "done_at": None if failed else ctx.now,
    }


@command("erp.end", EndRun)
def end_run(ctx: Context, data: EndRun) -> dict[str, Any]:
    """The page of the connection shows the round; its keeper is told of a new problem once.

    Account numbers that are missing are a problem for people, and no failure of the round.
    """
    run = _lock_run(ctx, data.run_id)
    failed = data.problem not in {None, UNMAPPED}
    ctx.conn.execute(
        update(_run)
        .where(_run.c.id == run.id)
        .values(
            state="FAILED" if failed else "DONE",
            ended_at=ctx.now,
            problem=data.problem,
            place=data.place,
            said=data.said,
        )
    )
    row = ctx.conn.execute(select(_connection).where(_connection.c.id == data.connection_id)).one()
    ctx.conn.execute(
        update(_connection)
        .where(_connection.c.id == row.id)
        .values(
            lease_until=None,
            looked_at=ctx.now,
            next_look_at=data.next_at,
            problem=data.problem,
            said=data.said,
            failures=row.failures + 1 if failed else 0,
        )
    )
    told = data.problem is not None and row.problem is None
    if told:
        ctx.emit("erp.problem", {"connection_id": row.id}, org_id=row.org_id)
    ctx.change("erp_connection", row.id, {"problem": row.problem}, {"problem": data.problem})
    return {"id": run.id, "told": told}


def _lock_run(ctx: Context, run_id: str) -> Any:  # noqa: ANN401 - a row
    return ctx.conn.execute(select(_run).where(_run.c.id == run_id).with_for_update()).one()


def _count(ctx: Context, run: Any, more: dict[str, int]) -> None:  # noqa: ANN401 - a row
    counts = dict(run.counts)
    for name, number in more.items():
        if number:
            counts[name] = counts.get(name, 0) + number
    ctx.conn.execute(update(_run).where(_run.c.id == run.id).values(counts=counts))
