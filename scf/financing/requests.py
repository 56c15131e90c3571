"""What commands on requests share: reading, moving, signing, and ending with everything freed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Table, and_, insert, or_, select, update
from sqlalchemy.engine import Connection

from scf.db.failures import constraint_means
from scf.db.runner import Context
from scf.financing import advances, moved
from scf.financing.lifecycle import BEFORE_INSTRUCTED, DECIDABLE, ENDED, REQUEST, UNDECIDED
from scf.financing.models import (
    Advance,
    CounterOffer,
    Decision,
    FinancingRequest,
    RequestQuestion,
)
from scf.kernel.errors import Conflict, NotAllowed
from scf.kernel.ids import new_id
from scf.offers import repricing
from scf.offers.service import QUOTE
from scf.parties.service import business_date

REQUESTS: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_OFFER: Final[Table] = CounterOffer.__table__  # type: ignore[attr-defined]
_QUESTION: Final[Table] = RequestQuestion.__table__  # type: ignore[attr-defined]
DECISIONS: Final[Table] = Decision.__table__  # type: ignore[attr-defined]

constraint_means(
    "uq_request_quote",
    "financing_request.quote_id",
    lambda: Conflict("QUOTE_USED", "This quote has been used for a request."),
)
constraint_means(
    "uq_decision_step",
    "decision.request_id, decision.round, decision.step",
    lambda: Conflict("STALE", "Somebody else has just decided this; read it again."),
)


def locked(ctx: Context, request_id: str, *, side: str) -> Row[Any]:
    """Lock a request that the actor may see and whose ``side`` the actor's organisation is.

    Raises
    ------
    NotFound
        For a request of others.
    NotAllowed
        For the other side of it.
    """
    seen = ctx.visible(FinancingRequest, request_id)
    if getattr(seen, f"{side}_id") != ctx.actor.org_id:
        raise NotAllowed("NOT_ALLOWED", "Only the %(side)s of the request does this.", side=side)
    return ctx.lock(FinancingRequest, [request_id])[request_id]


def same_version(row: Row[Any], version: int | None) -> None:
    """Stop an act on a request that has moved since the actor read it.

    Raises
    ------
    Conflict
        STALE with the version and state of now.
    """
    if version is not None and row.version != version:
        raise Conflict(
            "STALE",
            "The request has changed since you read it.",
            version=row.version,
            state=row.state,
        )


def move(
    ctx: Context, row: Row[Any], event: str, columns: Mapping[str, Any] | None = None
) -> Row[Any]:
    """Take a locked request one step; gives it as it is afterwards."""
    state = REQUEST.after(row.state, event)
    after = ctx.conn.execute(
        update(REQUESTS)
        .where(REQUESTS.c.id == row.id, REQUESTS.c.version == row.version)
        .values(state=state, version=REQUESTS.c.version + 1, **(columns or {}))
        .returning(REQUESTS)
    ).one()
    ctx.change(
        "financing_request",
        row.id,
        {"state": row.state, "version": row.version},
        {"state": after.state, "version": after.version},
    )
    return after


def answer(row: Row[Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - ready for JSON
    """Give a request as a command answers it."""
    return {
        "id": row.id,
        "state": row.state,
        "version": row.version,
        "currency": row.currency,
        "face_minor": row.face_minor,
        "net_minor": row.net_minor,
        "decide_by": row.decide_by.isoformat(),
        **more,
    }


def close(
    ctx: Context,
    row: Row[Any],
    *,
    event: str,
    code: str,
    facts: Mapping[str, Any],
) -> Row[Any]:
    """End a request before any money moved; its advances end with it and everything is freed."""
    ids = [one.id for one in advances.of_request(ctx.conn, row.id)]
    rows = list(advances.lock(ctx, ids).values())
    return _close_locked(ctx, row, rows, event=event, code=code, facts=facts)


_STEP_OF_ADVANCE: Final = {
    "decline": "decline",
    "withdraw": "cancel",
    "expire": "expire",
    "lapse": "expire",
}


def _close_locked(
    ctx: Context,
    row: Row[Any],
    rows: Sequence[Row[Any]],
    *,
    event: str,
    code: str,
    facts: Mapping[str, Any],
) -> Row[Any]:
    after = move(
        ctx,
        row,
        event,
        {
            "decline_code": code,
            "decline_facts": dict(facts),
            "decided_at": ctx.now,
            "approved_version": None,
        },
    )
    today = business_date(ctx.conn, row.financier_id)
    take_back_offers(ctx, row, "LAPSED" if event in {"expire", "lapse"} else "WITHDRAWN")
    take_back_questions(ctx, row)
    live = [one for one in rows if one.state != "CANCELLED"]  # left out by a counter-offer
    advances.end(ctx, live, _STEP_OF_ADVANCE[event], today, {"code": code})
    ctx.emit(
        "request.closed",
        {"request_id": row.id, "state": after.state, "code": code},
        org_id=row.seller_id,
    )
    return after


def take_back_offers(ctx: Context, row: Row[Any], state: str = "WITHDRAWN") -> None:
    """End what was proposed or offered to the seller and not taken."""
    gone = ctx.conn.execute(
        update(_OFFER)
        .where(_OFFER.c.request_id == row.id, _OFFER.c.state.in_(["PROPOSED", "OPEN"]))
        .values(state=state)
        .returning(_OFFER.c.quote_id)
    )
    quotes = [one.quote_id for one in gone.all() if one.quote_id is not None]
    if quotes:
        repricing.move(ctx, quotes, "WITHDRAWN")


def standing(conn: Connection, row: Any) -> Row[Any] | None:  # noqa: ANN401 - row or record
    """Give the other price that is proposed on a request and waits for words, with its rate."""
    return conn.execute(
        select(_OFFER, QUOTE.c.rate_percent, QUOTE.c.rate_ppm)
        .join(QUOTE, QUOTE.c.id == _OFFER.c.quote_id)
        .where(_OFFER.c.request_id == row.id, _OFFER.c.state == "PROPOSED")
    ).one_or_none()


def take_back_questions(ctx: Context, row: Row[Any]) -> None:
    """Take a question back that nobody has answered."""
    ctx.conn.execute(
        update(_QUESTION)
        .where(_QUESTION.c.request_id == row.id, _QUESTION.c.state == "OPEN")
        .values(state="WITHDRAWN")
    )


# --- Deadline ---------------------------------------------------------------------------------


def is_late(ctx: Context, row: Row[Any]) -> bool:
    """Tell whether an undecided request has lost its price: deadline over, or value date past."""
    if row.state in DECIDABLE and ctx.now > row.decide_by:
        return True
    return row.state in UNDECIDED and is_past_value(ctx, row)


def is_past_value(ctx: Context, row: Row[Any]) -> bool:
    """Tell whether the day for which a request was priced is over."""
    today = business_date(ctx.conn, row.financier_id)
    first = ctx.conn.execute(
        select(_ADVANCE.c.value_on).where(_ADVANCE.c.request_id == row.id).limit(1)
    ).scalar_one()
    if first >= today:
        return False
    later = select(_OFFER.c.id).where(_OFFER.c.request_id == row.id, _stands(today))
    return ctx.conn.execute(later).first() is None


def _stands(today: dt.date) -> ColumnElement[bool]:
    """Give the condition of an offer for another day that is still to come."""
    return and_(_OFFER.c.state == "OPEN", _OFFER.c.value_on >= today)


def expire(ctx: Context, row: Row[Any]) -> dict[str, Any]:
    """End a request whose deadline has passed; the outcome is kept, the seller asks again."""
    after = close(
        ctx,
        row,
        event=_ends_by(row),
        code="QUOTE_EXPIRED",
        facts={"decide_by": row.decide_by.isoformat(), "next_step": "Ask for a new quote."},
    )
    return answer(
        after, code="QUOTE_EXPIRED", message="The decision deadline has passed; a new quote is due."
    )


def _ends_by(row: Row[Any]) -> str:
    return "lapse" if row.state == "COUNTER_OFFERED" else "expire"


def expire_due(ctx: Context, financier_id: str, business_on: dt.date) -> list[str]:
    """End every request of a financier whose deadline or value date has passed before any pay-out.

    Undecided ones, and counter-offers that nobody took: what they held is free again. What is
    approved and was not paid on its day is offered for another day, and ends only where none is
    left. For the end of day; nothing else of these may be locked yet. Gives the ids that ended.
    """
    past = select(_ADVANCE.c.request_id).where(
        _ADVANCE.c.financier_id == financier_id,
        _ADVANCE.c.value_on < business_on,
        _ADVANCE.c.state.in_(BEFORE_INSTRUCTED),
        _ADVANCE.c.request_id.not_in(select(_OFFER.c.request_id).where(_stands(business_on))),
    )
    due = select(REQUESTS.c.id).where(
        REQUESTS.c.financier_id == financier_id,
        or_(
            and_(REQUESTS.c.state.in_(DECIDABLE), REQUESTS.c.decide_by < ctx.now),
            and_(REQUESTS.c.state == "COUNTER_OFFERED", REQUESTS.c.decide_by < ctx.now),
            and_(REQUESTS.c.state.in_((*UNDECIDED, "APPROVED")), REQUESTS.c.id.in_(past)),
        ),
    )
    ids = list(ctx.conn.execute(due).scalars())
    late = list(ctx.lock(FinancingRequest, ids).values())
    wanted = ctx.conn.execute(
        select(_ADVANCE.c.id).where(_ADVANCE.c.request_id.in_([row.id for row in late]))
    ).scalars()
    by_request: dict[str, list[Row[Any]]] = {}
    for one in advances.lock(ctx, list(wanted)).values():
        by_request.setdefault(one.request_id, []).append(one)
    ended = []
    for row in late:
        rows = by_request.get(row.id, [])
        if any(one.state not in (*BEFORE_INSTRUCTED, *ENDED) for one in rows):
            _expire_rest(ctx, rows)  # a part of it is out already
            continue
        if row.state == "APPROVED" and (columns := moved.new_offer(ctx, row, rows)) is not None:
            move(ctx, row, "move_date", columns)
            continue
        _close_locked(
            ctx,
            row,
            rows,
            event=_ends_by(row),
            code="QUOTE_EXPIRED",
            facts={"decide_by": row.decide_by.isoformat(), "next_step": "Ask for a new quote."},
        )
        ended.append(row.id)
    return ended


def _expire_rest(ctx: Context, rows: Sequence[Row[Any]]) -> None:
    """Free the advances of a request that were left behind when others of it were paid."""
    left = [one for one in rows if one.state in BEFORE_INSTRUCTED]
    if left:
        today = business_date(ctx.conn, left[0].financier_id)
        advances.end(ctx, left, "expire", today, {"code": "QUOTE_EXPIRED"})


# --- Decisions --------------------------------------------------------------------------------


def decisions_of(conn: Connection, row: Any) -> list[Row[Any]]:  # noqa: ANN401 - row or record
    """Read the words on a request in its present round, in their order."""
    return list(
        conn.execute(
            select(DECISIONS)
            .where(DECISIONS.c.request_id == row.id, DECISIONS.c.round == row.round)
            .order_by(DECISIONS.c.step)
        )
    )


def record_decision(  # noqa: PLR0913 - each is a column of its own
    ctx: Context,
    row: Row[Any],
    *,
    step: int,
    outcome: str,
    signed_digest: str,
    seen: Mapping[str, Any],
    codes: Sequence[str] = (),
    note: str = "",
    user_id: str = "",
    policy_version: str | None = None,
) -> str:
    """Store one person's, or the policy's, word on a request."""
    decision_id = new_id()
    ctx.conn.execute(
        insert(DECISIONS),
        {
            "id": decision_id,
            "request_id": row.id,
            "round": row.round,
            "step": step,
            "outcome": outcome,
            "code": codes[0] if codes else None,
            "codes": list(codes) or None,
            "note": note,
            "signed_digest": signed_digest,
            "version": row.version,
            "seen": dict(seen),
            "policy_version": policy_version,
            "user_id": user_id or ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change(
        "decision", decision_id, None, {"step": step, "outcome": outcome, "codes": list(codes)}
    )
    return decision_id
