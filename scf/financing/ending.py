"""How a request ends or is opened again: cancelled by the financier, expired, a word taken back."""

import datetime as dt
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.engine import Connection

from scf.db.runner import Context, command
from scf.db.types import Count, Id, OptCount
from scf.financing import advances, checks, questions, requests
from scf.financing.lifecycle import BEFORE_INSTRUCTED
from scf.financing.seeing import seen
from scf.financing.signing import signed
from scf.kernel.errors import Conflict, NotAllowed
from scf.parties.service import business_date

UNDO_FOR: Final = dt.timedelta(minutes=5)


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class CancelRequest(_Input):
    """An approved request that the financier will not pay after all, and why."""

    request_id: Id
    version: OptCount = None
    code: str = Field(min_length=2, max_length=64)
    note: str = Field(min_length=3, max_length=4000)


class ExpireRequests(_Input):
    """Close requests whose deadline or value date has passed."""


class UndoDecision(_Input):
    """A last word that the person takes back, on the version that came of it."""

    request_id: Id
    version: Count
    note: str = Field(default="", max_length=4000)


@command("request.cancel", CancelRequest)
def cancel_request(ctx: Context, data: CancelRequest) -> dict[str, Any]:
    """The financier drops a request that is not instructed yet; everything is freed.

    Raises
    ------
    Conflict
        STALE; ILLEGAL_TRANSITION once an advance is instructed.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    facts = {"note": data.note}
    after = requests.close(ctx, row, event="decline", code=data.code, facts=facts)
    return requests.answer(after, code=data.code)


@command("request.expire", ExpireRequests)
def expire_requests(ctx: Context, _data: ExpireRequests) -> dict[str, Any]:
    """Requests whose deadline or value date has passed before any pay-out are closed and freed."""
    today = business_date(ctx.conn, ctx.actor.org_id)
    return {"expired": requests.expire_due(ctx, ctx.actor.org_id, today)}


@command("request.undo", UndoDecision)
def undo_decision(ctx: Context, data: UndoDecision) -> dict[str, Any]:
    """The officer who had the last word takes it back within five minutes; the case is open again.

    A declined request is not opened again: what it held is free for others since.

    Raises
    ------
    NotAllowed
        UNDO_OWN for anybody but the person whose word decided.
    Conflict
        STALE; UNDO_LATE after five minutes, or once a pay-out is released.
    """
    row = requests.locked(ctx, data.request_id, side="financier")
    requests.same_version(row, data.version)
    stops = undo_stops(ctx.conn, ctx.actor.user_id, row, ctx.now)
    if stops is not None:
        raise stops
    lines = checks.lock_advances(ctx, row)
    if any(one.state not in BEFORE_INSTRUCTED for one in lines):
        raise Conflict("UNDO_LATE", "The pay-out is released already.", state=row.state)
    today = business_date(ctx.conn, row.financier_id)
    decided = [one for one in lines if one.state not in {"HELD", "PRECHECKED"}]
    advances.transition_many(ctx, decided, "undo", today)
    requests.take_back_offers(ctx, row)
    requests.record_decision(
        ctx,
        row,
        step=len(requests.decisions_of(ctx.conn, row)) + 1,
        outcome="UNDO",
        note=data.note,
        signed_digest=signed(ctx.conn, row, lines, row.version),
        seen=seen(ctx.conn, row, lines),
    )
    cleared = {"decided_at": None, "decided_by": None, "approved_version": None}
    requests.take_back_questions(ctx, row)
    columns = {"round": row.round + 1, **questions.clock_runs(ctx, row), **cleared}
    after = requests.move(ctx, row, "undo", columns)
    ctx.emit("request.reopened", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after)


def undo_stops(
    conn: Connection,
    user_id: str,
    row: Any,  # noqa: ANN401 - a row or record of financing_request
    now: dt.datetime,
) -> Conflict | NotAllowed | None:
    """Give why this person cannot take the last word on a request back, if so."""
    if row.state not in {"APPROVED", "COUNTER_OFFERED", "RETURNED"}:
        return Conflict("UNDO_STATE", "The request is %(state)s.", state=row.state)
    words = requests.decisions_of(conn, row)
    if not words or words[-1].user_id != user_id:
        return NotAllowed("UNDO_OWN", "Only the person whose word decided takes it back.")
    if now > words[-1].at + UNDO_FOR:
        return Conflict("UNDO_LATE", "A word is taken back within five minutes.")
    return None
