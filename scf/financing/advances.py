"""Moving an advance along its life: the one writer of its state, its events and what hangs on it.

Call :func:`lock` first, once per command, with every advance the command will touch: it locks the
limit nodes, the invoices and then the advances, in the global order. The other functions take no
lock of their own, so they may be called in any order after it.

Each step is an event with a number, and ``retelling.replay`` builds the present state from the
events alone.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.keys import among
from scf.db.runner import Context
from scf.documents import axes
from scf.documents.models import Invoice
from scf.financing import guards
from scf.financing.lifecycle import ADVANCE
from scf.financing.models import Advance, AdvanceEvent
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.programmes import claims, limits

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_EVENT: Final[Table] = AdvanceEvent.__table__  # type: ignore[attr-defined]
_NEW_ADVANCE: Final = insert(_ADVANCE)
_NEW_EVENT: Final = insert(_EVENT)
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]


_COUNTERS: Final = (
    "repaid_minor", "income_minor", "penalty_minor", "penalty_paid_minor", "diluted_minor",
    "bought_minor", "gap_minor", "gap_paid_minor", "lent_paid_minor", "interest_minor",
    "interest_paid_minor", "written_off_minor", "recovered_minor",
)  # fmt: skip


# --- Locking and reading ----------------------------------------------------------------------


def lock(ctx: Context, advance_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Lock advances with their limit nodes and invoices; gives the advances by id.

    Raises
    ------
    NotFound
        When one does not exist.
    """
    ids = sorted(set(advance_ids))
    limits.lock_nodes(ctx, ids)
    invoices = ctx.conn.execute(
        select(_ADVANCE.c.invoice_id).distinct().where(_ADVANCE.c.id.in_(ids))
    ).scalars()
    ctx.lock(Invoice, list(invoices))
    return ctx.lock(Advance, ids)


def rows_of(conn: Connection, advance_ids: Iterable[str]) -> list[Row[Any]]:
    """Read advances as they are now, by id."""
    ids = sorted(set(advance_ids))
    return list(
        conn.execute(select(_ADVANCE).where(_ADVANCE.c.id.in_(ids)).order_by(_ADVANCE.c.id))
    )


def of_request(conn: Connection, request_id: str) -> list[Row[Any]]:
    """Read the advances of a request, by id."""
    return list(
        conn.execute(
            select(_ADVANCE).where(_ADVANCE.c.request_id == request_id).order_by(_ADVANCE.c.id)
        )
    )


def created(ctx: Context, rows: Sequence[Mapping[str, Any]], on: dt.date) -> None:
    """Store new advances whose limits and invoices are held, with their first two events."""
    ctx.conn.execute(
        _NEW_ADVANCE,
        [
            {
                **row,
                **dict.fromkeys(_COUNTERS, 0),
                "state": "HELD",
                "version": 2,
                "reserve_left_minor": row["reserve_minor"],
                "called_on": None,
                "impaired_on": None,
                "written_off_on": None,
                "income_to": None,
                "funded_on": None,
                "closed_on": None,
            }
            for row in rows
        ],
    )
    ctx.conn.execute(
        _NEW_EVENT,
        [
            {
                "id": new_id(),
                "advance_id": row["id"],
                "number": number,
                "event": event,
                "from_state": before,
                "to_state": ADVANCE.after(before, event),
                "on_date": on,
                "facts": {},
                "command_id": ctx.command_id,
                "at": ctx.now,
            }
            for row in rows
            for number, (before, event) in enumerate((("NEW", "request"), ("REQUESTED", "hold")), 1)
        ],
    )
    for row in rows:
        ctx.change("advance", row["id"], None, {"state": "HELD", "face_minor": row["face_minor"]})


# --- One step ---------------------------------------------------------------------------------


def transition(
    ctx: Context,
    advance_row: Row[Any],
    event: str,
    on: dt.date,
    **facts: Any,  # noqa: ANN401 - whatever the event has to say, ready for JSON
) -> Row[Any]:
    """Take one advance one step; gives it as it is afterwards. See :func:`transition_many`."""
    return transition_many(ctx, [advance_row], event, on, facts)[0]


def transition_many(
    ctx: Context,
    rows: Sequence[Row[Any]],
    event: str,
    on: dt.date,
    facts: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
) -> list[Row[Any]]:
    """Take advances one step, with an event each; gives them as they are afterwards.

    Parameters
    ----------
    on
        The business date of the step.
    columns
        Further columns to set, to the same value or expression for all.

    Raises
    ------
    Conflict
        ILLEGAL_TRANSITION; STALE when a row moved since it was read.
    """
    after: dict[str, Row[Any]] = {}
    for state, group in groupby(sorted(rows, key=lambda row: row.state), lambda row: row.state):
        members = list(group)
        values = {"state": ADVANCE.after(state, event), **(columns or {})}
        done = ctx.conn.execute(
            update(_ADVANCE)
            .where(
                among(
                    ctx.conn,
                    (_ADVANCE.c.id, _ADVANCE.c.version),
                    [(row.id, row.version) for row in members],
                )
            )
            .values(version=_ADVANCE.c.version + 1, **values)
            .returning(_ADVANCE)
        ).all()
        if len(done) != len(members):
            raise Conflict("STALE", "An advance has moved on; read it again.")
        after |= {row.id: row for row in done}
    moved = [after[row.id] for row in rows]
    record(ctx, list(zip(rows, moved, strict=True)), event, on, facts or {})
    return moved


def record(
    ctx: Context,
    steps: Sequence[tuple[Row[Any], Row[Any]]],
    event: str,
    on: dt.date,
    facts: Mapping[str, Any],
) -> None:
    """Write the events of steps already taken, and what changed into the audit row."""
    events = [
        {
            "id": new_id(),
            "advance_id": after.id,
            "number": after.version,
            "event": event,
            "from_state": before.state,
            "to_state": after.state,
            "on_date": on,
            "facts": dict(facts),
            "command_id": ctx.command_id,
            "at": ctx.now,
        }
        for before, after in steps
    ]
    if events:
        ctx.conn.execute(_NEW_EVENT, events)
    for before, after in steps:
        ctx.change(
            "advance",
            after.id,
            {"state": before.state, "version": before.version},
            {"state": after.state, "version": after.version, "event": event},
        )


def _amounts(rows: Iterable[Row[Any]]) -> dict[str, int]:
    """Sum the faces by invoice."""
    total: dict[str, int] = {}
    for row in rows:
        total[row.invoice_id] = total.get(row.invoice_id, 0) + row.face_minor
    return total


# --- Out --------------------------------------------------------------------------------------


def instructed(ctx: Context, advance_ids: Iterable[str], on: dt.date) -> list[Row[Any]]:
    """The bank has been told to pay, all checks being complete and of today.

    Raises
    ------
    RuleViolation, Conflict
        As ``guards.may_instruct``.
    """
    rows = rows_of(ctx.conn, advance_ids)
    guards.may_instruct(ctx.conn, rows, on, ctx.now)
    return transition_many(ctx, rows, "instruct", on)


def fund(ctx: Context, advance_ids: Iterable[str], value_on: dt.date) -> list[Row[Any]]:
    """The bank has booked the pay-outs: what was held is financed, limits are in use.

    Only a booked entry of the bank may lead here. A pay-out that was returned and sent again was
    financed all along; only its state moves.
    """
    rows = rows_of(ctx.conn, advance_ids)
    first = [row for row in rows if row.funded_on is None]
    if first:
        for recourse in (False, True):
            parts = [row for row in first if row.recourse == recourse]
            axes.finance_many(ctx, _amounts(parts), recourse=recourse)
        limits.utilise(ctx, *(row.id for row in first))
    facts = {"value_on": value_on.isoformat()}
    return transition_many(ctx, rows, "fund", value_on, facts, {"funded_on": value_on})


def fail(ctx: Context, advance_id: str, reason: str, on: dt.date | None = None) -> Row[Any]:
    """The bank has definitely refused the pay-out; title and limits stay held for a second try."""
    row = _one(ctx, advance_id)
    return transition(ctx, row, "fail", on or _today(ctx, row), reason=reason)


def lose(ctx: Context, advance_id: str, reason: str, on: dt.date | None = None) -> Row[Any]:
    """The bank does not answer: the outcome is unknown until it gives evidence."""
    row = _one(ctx, advance_id)
    return transition(ctx, row, "lose", on or _today(ctx, row), reason=reason)


def returned(ctx: Context, advance_id: str, reason: str, on: dt.date | None = None) -> Row[Any]:
    """The payee's bank has sent the money back; title stays until it is unwound or sent again."""
    row = _one(ctx, advance_id)
    return transition(ctx, row, "return", on or _today(ctx, row), reason=reason)


def resend(ctx: Context, advance_id: str, on: dt.date | None = None) -> Row[Any]:
    """The pay-out goes to the bank once more, under a new attempt."""
    row = _one(ctx, advance_id)
    return transition(ctx, row, "resend", on or _today(ctx, row))


def unwind(ctx: Context, advance_id: str, reason: str = "", on: dt.date | None = None) -> Row[Any]:
    """The pay-out will not happen: title goes back, limits and the claim are freed."""
    row = _one(ctx, advance_id)
    after = transition(ctx, row, "unwind", on or _today(ctx, row), reason=reason)
    if row.funded_on is None:
        axes.free(ctx, row.invoice_id, row.face_minor)
    else:
        axes.unwind(ctx, row.invoice_id, row.face_minor)
    limits.free(ctx, row.id)
    claims.release(ctx, row.invoice_id)
    return after


def end(
    ctx: Context, rows: Sequence[Row[Any]], event: str, on: dt.date, facts: Mapping[str, Any]
) -> list[Row[Any]]:
    """Advances end before any money moved (decline, cancel, expire): everything is freed."""
    after = transition_many(ctx, rows, event, on, facts)
    amounts = _amounts(rows)
    axes.free_many(ctx, amounts)
    limits.free(ctx, *(row.id for row in rows))
    claims.release(ctx, *amounts)
    return after


# --- Back -------------------------------------------------------------------------------------


def repay(
    ctx: Context,
    advance_row: Row[Any],
    *,
    principal: int,
    penalty: int,
    value_on: dt.date,
    on: dt.date | None = None,
    recovered: int = 0,
) -> Row[Any]:
    """Money has come in for an advance: face and penalty fall, and at zero the advance is closed.

    The invoice, the limits and the claim follow the face. The face paid in full before its due
    date is an early repayment. ``penalty`` must stand in ``penalty_minor`` already. ``recovered``
    is the part of ``principal`` that had been written off: the limits let go of it then.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE when nothing or less is repaid.
    Conflict
        REPAID_TOO_MUCH; STALE when the row moved since it was read.
    """
    row = advance_row
    if min(principal, penalty) < 0 or principal + penalty == 0:
        raise InvalidInput("AMOUNT_RANGE", "Repay an amount above zero.", advance_id=row.id)
    repaid, penalty_paid = row.repaid_minor + principal, row.penalty_paid_minor + penalty
    if repaid > row.face_minor or penalty_paid > row.penalty_minor:
        raise Conflict(
            "REPAID_TOO_MUCH",
            "More is repaid than is owed on this advance.",
            advance_id=row.id,
            face_left_minor=row.face_minor - row.repaid_minor,
            penalty_left_minor=row.penalty_minor - row.penalty_paid_minor,
        )
    day = on or _today(ctx, row)
    facts = {"principal": principal, "penalty": penalty, "value_on": value_on.isoformat()}
    columns: dict[str, Any] = {"repaid_minor": repaid, "penalty_paid_minor": penalty_paid}
    if recovered:
        facts["recovered"] = recovered
        columns["recovered_minor"] = row.recovered_minor + recovered
    ends = repaid == row.face_minor and penalty_paid == row.penalty_minor
    if ends and value_on < row.due_on and row.state in {"FUNDED", "PART_REPAID"}:
        early = transition_many(ctx, [row], "repay_early", day, facts, columns)
        closing = {"value_on": value_on.isoformat()}
        after = transition_many(ctx, early, "close", day, closing, {"closed_on": value_on})[0]
    elif ends:
        columns["closed_on"] = value_on
        after = transition_many(ctx, [row], "close", day, facts, columns)[0]
    else:
        after = transition_many(ctx, [row], "repay", day, facts, columns)[0]
    if principal:
        axes.repay(ctx, row.invoice_id, principal, value_on=value_on)
        if principal > recovered:
            limits.reduce(ctx, row.id, principal - recovered)
        claims.release(ctx, row.invoice_id)
    return after


def reopen(
    ctx: Context,
    advance_row: Row[Any],
    *,
    principal: int,
    penalty: int,
    value_on: dt.date,
    on: dt.date | None = None,
    recovered: int = 0,
) -> Row[Any]:
    """A repayment is undone (returned, or it paid something else): what it paid is owed again.

    Limits rise again even past their height: the exposure is there, so the node is breached.

    Raises
    ------
    InvalidInput
        AMOUNT_RANGE when nothing or less is undone.
    Conflict
        REPAID_TOO_LITTLE when less had been repaid; STALE.
    """
    row = advance_row
    if min(principal, penalty) < 0 or principal + penalty == 0:
        raise InvalidInput("AMOUNT_RANGE", "Undo an amount above zero.", advance_id=row.id)
    repaid, penalty_paid = row.repaid_minor - principal, row.penalty_paid_minor - penalty
    if repaid < 0 or penalty_paid < 0:
        raise Conflict(
            "REPAID_TOO_LITTLE",
            "Less had been repaid on this advance.",
            advance_id=row.id,
            repaid_minor=row.repaid_minor,
            penalty_paid_minor=row.penalty_paid_minor,
        )
    facts = {"principal": -principal, "penalty": -penalty, "value_on": value_on.isoformat()}
    columns = {"repaid_minor": repaid, "penalty_paid_minor": penalty_paid, "closed_on": None}
    if recovered:
        facts["recovered"] = -recovered
        columns["recovered_minor"] = row.recovered_minor - recovered
    event = "reopen" if repaid or penalty_paid else "reopen_all"
    after = transition_many(ctx, [row], event, on or _today(ctx, row), facts, columns)[0]
    if principal:
        axes.reopen_payment(ctx, row.invoice_id, principal, financed=True, recourse=row.recourse)
        if principal > recovered:
            limits.restore(ctx, row.id, principal - recovered)
        claims.claim(ctx, row.invoice_id, row.programme_id, row.financier_id)
    return after


def write_off(ctx: Context, row: Row[Any], amount: int, on: dt.date) -> Row[Any]:
    """The rest of an advance leaves the book and the limits; the obligor owes it all the same."""
    columns = {"written_off_minor": row.written_off_minor + amount, "written_off_on": on}
    facts = {"written_off": amount}
    after = transition_many(ctx, [row], "write_off", on, facts, columns)[0]
    limits.reduce(ctx, row.id, amount)
    return after


def late(ctx: Context, rows: Sequence[Row[Any]], event: str, on: dt.date) -> list[Row[Any]]:
    """Advances not paid on their due date enter GRACE (``grace``) or are OVERDUE (``overdue``)."""
    return transition_many(ctx, rows, event, on)


def _one(ctx: Context, advance_id: str) -> Row[Any]:
    return ctx.conn.execute(select(_ADVANCE).where(_ADVANCE.c.id == advance_id)).one()


def _today(ctx: Context, row: Row[Any]) -> dt.date:
    return business_date(ctx.conn, row.financier_id)
