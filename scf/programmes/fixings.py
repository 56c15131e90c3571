"""Commands on benchmark values: one person records, another confirms, then prices follow it."""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, delete, insert, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context, command
from scf.db.types import Code, Id
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed
from scf.kernel.ids import new_id
from scf.kernel.rates import parse_rate_percent
from scf.parties.service import financier_only, same_person
from scf.programmes.models import Fixing

_FIXING: Final[Table] = Fixing.__table__  # type: ignore[attr-defined]

constraint_means(
    "uq_fixing",
    "fixing.org_id, fixing.benchmark, fixing.fixed_on",
    lambda: Conflict("RACED", "Somebody else has just made the same; read it and try again."),
)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class AddFixing(_Input):
    """A published benchmark value, as text with the digits it was published with."""

    benchmark: Code
    fixed_on: dt.date
    percent: str = Field(max_length=40)


class ConfirmFixing(_Input):
    """A value that another person recorded, as the second person read it."""

    fixing_id: Id
    percent: str = Field(max_length=40)


class RefuseFixing(_Input):
    """A recorded value that nobody has confirmed and that is wrong, and why."""

    fixing_id: Id
    reason: str = Field(min_length=3, max_length=1000)


@command("fixing.add", AddFixing)
def add_fixing(ctx: Context, data: AddFixing) -> dict[str, Any]:
    """A benchmark's value of a day is recorded; prices follow once a second person confirms it.

    Until then another value takes its place, and is another person's to confirm again.

    Raises
    ------
    NotAllowed
        FINANCIER_ONLY when the actor's organisation is no financier.
    InvalidInput
        BENCHMARK, RATE_FORMAT, RATE_RANGE.
    Conflict
        FIXING_EXISTS when another value stands for that day: a published value never changes.
    """
    financier_only(ctx.conn, ctx.actor)
    if not data.benchmark.strip():
        raise InvalidInput("BENCHMARK", "Name the benchmark.")
    percent = parse_rate_percent(data.percent)
    there = ctx.conn.execute(
        select(_FIXING).where(
            _FIXING.c.org_id == ctx.actor.org_id,
            _FIXING.c.benchmark == data.benchmark,
            _FIXING.c.fixed_on == data.fixed_on,
        )
    ).one_or_none()
    if there is not None and there.percent == percent:
        return _told(there)
    if there is not None and there.confirmed_by is not None:
        raise Conflict(
            "FIXING_EXISTS",
            "Another value stands for this day.",
            benchmark=data.benchmark,
            fixed_on=data.fixed_on.isoformat(),
            percent=there.percent,
        )
    said = {"percent": percent, "added_by": ctx.actor.user_id, "created_at": ctx.now}
    if there is None:
        fixing_id = new_id()
        ctx.conn.execute(
            insert(_FIXING),
            {
                "id": fixing_id,
                "org_id": ctx.actor.org_id,
                "benchmark": data.benchmark,
                "fixed_on": data.fixed_on,
                "confirmed_by": None,
                "confirmed_at": None,
                **said,
            },
        )
    else:
        fixing_id = there.id
        _still_open(
            ctx,
            update(_FIXING)
            .where(_FIXING.c.id == fixing_id, _FIXING.c.confirmed_by.is_(None))
            .values(**said)
            .returning(_FIXING.c.id),
        )
    ctx.change(
        "fixing",
        fixing_id,
        {"percent": there.percent} if there is not None else None,
        {"benchmark": data.benchmark, "percent": percent, "counts": False},
    )
    return _told(ctx.conn.execute(select(_FIXING).where(_FIXING.c.id == fixing_id)).one())


@command("fixing.confirm", ConfirmFixing)
def confirm_fixing(ctx: Context, data: ConfirmFixing) -> dict[str, Any]:
    """A second person has seen the publication: prices of programmes that use it follow.

    Raises
    ------
    NotAllowed
        FOUR_EYES for who recorded it.
    NotFound
        When the financier has no such value.
    Conflict
        NOTHING_WAITS when it is confirmed already; STALE when it is another value than was read.
    """
    row = ctx.visible(Fixing, data.fixing_id)
    _waits(row)
    if same_person(ctx.conn, ctx.actor.user_id, [row.added_by]):
        raise NotAllowed("FOUR_EYES", "Another person confirms what you have recorded.")
    if row.percent != parse_rate_percent(data.percent):
        raise _moved()
    _still_open(
        ctx,
        update(_FIXING)
        .where(
            _FIXING.c.id == row.id,
            _FIXING.c.percent == row.percent,
            _FIXING.c.added_by == row.added_by,
            _FIXING.c.confirmed_by.is_(None),
        )
        .values(confirmed_by=ctx.actor.user_id, confirmed_at=ctx.now)
        .returning(_FIXING.c.id),
    )
    ctx.change("fixing", row.id, {"counts": False}, {"counts": True, "percent": row.percent})
    return _told(ctx.conn.execute(select(_FIXING).where(_FIXING.c.id == row.id)).one())


@command("fixing.refuse", RefuseFixing)
def refuse_fixing(ctx: Context, data: RefuseFixing) -> dict[str, Any]:
    """A value that never counted is struck out; the audit trail keeps it.

    Raises
    ------
    NotFound
        When the financier has no such value.
    Conflict
        NOTHING_WAITS when it is confirmed: a published value never changes.
    """
    row = ctx.visible(Fixing, data.fixing_id)
    _waits(row)
    _still_open(
        ctx,
        delete(_FIXING)
        .where(_FIXING.c.id == row.id, _FIXING.c.confirmed_by.is_(None))
        .returning(_FIXING.c.id),
    )
    before = {"benchmark": row.benchmark, "percent": row.percent, "added_by": row.added_by}
    ctx.change("fixing", row.id, before, None)
    return {"id": row.id}


def _waits(row: Row[Any]) -> None:
    if row.confirmed_by is not None:
        raise Conflict("NOTHING_WAITS", "This value is confirmed already.", fixing_id=row.id)


def _still_open(ctx: Context, statement: Any) -> None:  # noqa: ANN401 - an update or a delete
    if ctx.conn.execute(statement).one_or_none() is None:
        raise _moved()


def _moved() -> Conflict:
    return Conflict("STALE", "The value has changed since it was read.")


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "benchmark": row.benchmark,
        "fixed_on": row.fixed_on.isoformat(),
        "percent": row.percent,
        "waits_for_second": row.confirmed_by is None,
    }
