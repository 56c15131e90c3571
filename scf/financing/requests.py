"""What commands on requests share: reading, moving, signing, and ending with everything freed."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Table, insert, or_, select, update

from scf.db.failures import constraint_means
from scf.db.runner import Context
from scf.financing import advances
from scf.financing.lifecycle import REQUEST
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.kernel.errors import Conflict, NotAllowed
from scf.kernel.ids import digest, new_id
from scf.parties.service import business_date

REQUESTS: Final[Table] = FinancingRequest.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
DECISIONS: Final[Table] = Decision.__table__  # type: ignore[attr-defined]

OPEN: Final = ("SUBMITTED", "IN_REVIEW")

constraint_means(
    "uq_request_quote",
    "financing_request.quote_id",
    lambda: Conflict("QUOTE_USED", "This quote has been used for a request."),
)
constraint_means(
    "uq_decision_step",
    "decision.request_id, decision.step",
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
        raise NotAllowed("NOT_ALLOWED", f"Only the {side} of the request does this.")
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


_STEP_OF_ADVANCE: Final = {"decline": "decline", "withdraw": "cancel", "expire": "expire"}


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
        {"decline_code": code, "decline_facts": dict(facts), "decided_at": ctx.now},
    )
    today = business_date(ctx.conn, row.financier_id)
    advances.end(ctx, rows, _STEP_OF_ADVANCE[event], today, {"code": code})
    ctx.emit(
        "request.closed",
        {"request_id": row.id, "state": after.state, "code": code},
        org_id=row.seller_id,
    )
    return after


# --- Deadline ---------------------------------------------------------------------------------


def is_late(ctx: Context, row: Row[Any]) -> bool:
    """Tell whether an undecided request has lost its price: deadline over, or value date past."""
    if row.state not in OPEN:
        return False
    if ctx.now > row.decide_by:
        return True
    first = ctx.conn.execute(
        select(_ADVANCE.c.value_on).where(_ADVANCE.c.request_id == row.id).limit(1)
    ).scalar_one()
    return bool(first < business_date(ctx.conn, row.financier_id))


def expire(ctx: Context, row: Row[Any]) -> dict[str, Any]:
    """End a request whose deadline has passed; the outcome is kept, the seller asks again."""
    after = close(
        ctx,
        row,
        event="expire",
        code="QUOTE_EXPIRED",
        facts={"decide_by": row.decide_by.isoformat(), "next_step": "Ask for a new quote."},
    )
    return answer(
        after, code="QUOTE_EXPIRED", message="The decision deadline has passed; a new quote is due."
    )


def expire_due(ctx: Context, financier_id: str, business_on: dt.date) -> list[str]:
    """End every undecided request of a financier whose deadline or value date has passed.

    For the end of day; nothing else of these may be locked yet. Gives the ids.
    """
    due = select(REQUESTS.c.id).where(
        REQUESTS.c.financier_id == financier_id,
        REQUESTS.c.state.in_(OPEN),
        or_(
            REQUESTS.c.decide_by < ctx.now,
            REQUESTS.c.id.in_(
                select(_ADVANCE.c.request_id).where(
                    _ADVANCE.c.financier_id == financier_id, _ADVANCE.c.value_on < business_on
                )
            ),
        ),
    )
    ids = list(ctx.conn.execute(due).scalars())
    rows = ctx.lock(FinancingRequest, ids)
    late = [row for row in rows.values() if row.state in OPEN]
    wanted = ctx.conn.execute(
        select(_ADVANCE.c.id).where(_ADVANCE.c.request_id.in_([row.id for row in late]))
    ).scalars()
    by_request: dict[str, list[Row[Any]]] = {}
    for one in advances.lock(ctx, list(wanted)).values():
        by_request.setdefault(one.request_id, []).append(one)
    for row in late:
        _close_locked(
            ctx,
            row,
            by_request.get(row.id, []),
            event="expire",
            code="QUOTE_EXPIRED",
            facts={"decide_by": row.decide_by.isoformat()},
        )
    return [row.id for row in late]


# --- Decisions --------------------------------------------------------------------------------


def signed(row: Row[Any], lines: Sequence[Row[Any]], version: int) -> str:
    """Give the digest of exactly what is decided: amounts, currency, payee, invoices, version."""
    return digest(
        {
            "request": row.id,
            "quote": row.quote_id,
            "version": version,
            "currency": row.currency,
            "face_minor": row.face_minor,
            "net_minor": row.net_minor,
            "lines": [
                [
                    line.invoice_id,
                    line.face_minor,
                    line.discount_minor,
                    line.fee_minor,
                    line.net_minor,
                    line.value_on,
                    line.due_on,
                    line.payee_account_id,
                ]
                for line in sorted(lines, key=lambda line: str(line.id))
            ],
        }
    )


def decisions_of(ctx: Context, request_id: str) -> list[Row[Any]]:
    """Read the decisions on a request in their order."""
    return list(
        ctx.conn.execute(
            select(DECISIONS).where(DECISIONS.c.request_id == request_id).order_by(DECISIONS.c.step)
        )
    )


def record_decision(
    ctx: Context,
    row: Row[Any],
    *,
    step: int,
    outcome: str,
    code: str | None,
    note: str,
    signed_digest: str,
) -> str:
    """Store one person's word on a request."""
    decision_id = new_id()
    ctx.conn.execute(
        insert(DECISIONS),
        {
            "id": decision_id,
            "request_id": row.id,
            "step": step,
            "outcome": outcome,
            "code": code,
            "note": note,
            "signed_digest": signed_digest,
            "user_id": ctx.actor.user_id,
            "at": ctx.now,
        },
    )
    ctx.change("decision", decision_id, None, {"step": step, "outcome": outcome, "code": code})
    return decision_id
