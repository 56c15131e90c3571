"""A question to the seller before the decision: the clock stands still until it is answered."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row, Table, insert, update

from scf.db.runner import Context, command
from scf.db.types import Count, Id
from scf.financing import advances, requests
from scf.financing.models import RequestQuestion
from scf.financing.seeing import seen
from scf.financing.signing import signed
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id

_QUESTION: Final[Table] = RequestQuestion.__table__  # type: ignore[attr-defined]


class AnswerRequest(BaseModel):
    """What the seller says to the open question, on the version that it has read."""

    model_config = ConfigDict(extra="forbid")
    request_id: Id
    version: Count
    answer: str = Field(min_length=1, max_length=4000)


def ask(ctx: Context, row: Row[Any], question: str, note: str, step: int) -> dict[str, Any]:
    """Return a request to its seller with a question; what it holds stays held.

    Raises
    ------
    InvalidInput
        QUESTION_MISSING.
    """
    if len(question.strip()) < len("Why"):
        raise InvalidInput("QUESTION_MISSING", "Say what the customer is asked.")
    lines = advances.of_request(ctx.conn, row.id)
    requests.record_decision(
        ctx,
        row,
        step=step,
        outcome="RETURN",
        note=note,
        signed_digest=signed(ctx.conn, row, lines, row.version),
        seen=seen(ctx.conn, row, lines),
    )
    question_id = new_id()
    ctx.conn.execute(
        insert(_QUESTION),
        {
            "id": question_id,
            "request_id": row.id,
            "state": "OPEN",
            "question": question.strip(),
            "asked_by": ctx.actor.user_id,
            "asked_at": ctx.now,
            "answer": None,
            "answered_by": None,
            "answered_at": None,
        },
    )
    requests.take_back_offers(ctx, row)
    after = requests.move(ctx, row, "return", {"clock_stopped_at": ctx.now})
    ctx.emit("request.returned", {"request_id": row.id}, org_id=row.seller_id)
    return requests.answer(after, step=step, question_id=question_id)


@command("request.answer", AnswerRequest)
def answer_request(ctx: Context, data: AnswerRequest) -> dict[str, Any]:
    """The seller answers; the officers decide again from the first word, and the clock runs on.

    Raises
    ------
    Conflict
        STALE; QUESTION_STATE when nothing is asked.
    """
    row = requests.locked(ctx, data.request_id, side="seller")
    requests.same_version(row, data.version)
    if row.state != "RETURNED":
        raise Conflict("QUESTION_STATE", "The request is %(state)s.", state=row.state)
    if requests.is_late(ctx, row):
        return requests.expire(ctx, row)
    values = {"answer": data.answer, "answered_by": ctx.actor.user_id, "answered_at": ctx.now}
    ctx.conn.execute(_open(row.id).values(state="ANSWERED", **values))
    columns = {"round": row.round + 1, **clock_runs(ctx, row)}
    after = requests.move(ctx, row, "answer", columns)
    ctx.emit("request.answered", {"request_id": row.id}, org_id=row.financier_id)
    return requests.answer(after)


def _open(request_id: str) -> Any:  # noqa: ANN401 - an update
    return update(_QUESTION).where(
        _QUESTION.c.request_id == request_id, _QUESTION.c.state == "OPEN"
    )


def clock_runs(ctx: Context, row: Row[Any]) -> dict[str, Any]:
    """Give the deadline of a request whose clock runs again: later by as long as it stood."""
    if row.clock_stopped_at is None:
        return {}
    return {
        "decide_by": row.decide_by + (ctx.now - row.clock_stopped_at),
        "clock_stopped_at": None,
    }
