"""Advances whose account with the seller stays open: reserve, dilution, repurchase, recourse.

The settlement works out the totals; here they are written to the advance, as one or more steps of
its life, and the invoice, the limits and the claim follow. The caller has locked everything.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Table, insert, select, update
from sqlalchemy.engine import Connection

from scf.db.runner import Context
from scf.documents import dilution
from scf.financing import advances
from scf.financing.models import Advance, OverAdvance
from scf.kernel.ids import new_id
from scf.programmes import claims, limits

OVER_ADVANCE: Final[Table] = OverAdvance.__table__  # type: ignore[attr-defined]
_FACT_OF: Final = {
    "principal": "repaid_minor",
    "bought": "bought_minor",
    "gap_paid": "gap_paid_minor",
    "interest": "interest_paid_minor",
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Where the account of an advance stands, from the pay-out on."""

    repaid_minor: int
    diluted_minor: int
    bought_minor: int
    reserve_left_minor: int
    gap_minor: int
    gap_paid_minor: int
    lent_paid_minor: int
    interest_paid_minor: int

    def columns(self) -> dict[str, int]:
        """Give the totals as they are stored."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Dilution:
    """A fall of the invoice under an advance, as it was cured at first."""

    amount: int
    reserve: int
    cause: str
    cause_id: str


_A: Final = Advance.__table__.c  # type: ignore[attr-defined]
# The same as ``exposure``, for a query.
EXPOSURE: Final = (
    _A.face_minor
    - _A.repaid_minor
    - _A.diluted_minor
    - _A.bought_minor
    + _A.gap_minor
    - _A.gap_paid_minor
)


def open_face(row: Any) -> int:  # noqa: ANN401 - a row of advance
    """Give the face that the obligor has still to pay on an advance."""
    return int(row.face_minor - row.repaid_minor - row.diluted_minor - row.bought_minor)


def carried_face(row: Any) -> int:  # noqa: ANN401 - a row of advance
    """Give the open face that still stands in the financier's book: without what is written off."""
    return open_face(row) - int(row.written_off_minor - row.recovered_minor)


def exposure(row: Any) -> int:  # noqa: ANN401 - a row of advance
    """Give what limits and the invoice carry: open face, and what the seller owes for dilution."""
    return open_face(row) + int(row.gap_minor - row.gap_paid_minor)


def dilute(ctx: Context, row: Row[Any], fallen: Dilution, on: dt.date) -> Row[Any]:
    """A credit note took a part of the face: reserve first, the rest the seller repurchases."""
    gap = fallen.amount - fallen.reserve
    cure = "none" if gap == 0 else "recourse" if row.called_on else "repurchase"
    facts = {
        "amount": fallen.amount, "cause": fallen.cause, "cure": "reserve, repurchase, recourse",
        "diluted": fallen.amount, "gap": gap,
    }  # fmt: skip
    columns = {
        "diluted_minor": row.diluted_minor + fallen.amount,
        "reserve_left_minor": row.reserve_left_minor - fallen.reserve,
        "gap_minor": row.gap_minor + gap,
    }
    after = advances.transition_many(ctx, [row], "over_advance", on, facts, columns)[0]
    ctx.conn.execute(
        insert(OVER_ADVANCE),
        {
            "id": new_id(),
            "advance_id": row.id,
            "invoice_id": row.invoice_id,
            "seller_id": row.seller_id,
            "financier_id": row.financier_id,
            "currency": row.currency,
            "amount_minor": fallen.amount,
            "cause": fallen.cause,
            "cause_id": fallen.cause_id,
            "reserve_minor": fallen.reserve,
            "repurchase_minor": gap,
            "open_minor": gap,
            "cure": cure,
            "state": "OPEN" if gap else "CURED",
            "on_date": on,
            "closed_on": None if gap else on,
            "command_id": ctx.command_id,
            "opened_at": ctx.now,
        },
    )
    if fallen.reserve:
        dilution.move(ctx, row.invoice_id, dilution.Moved(cured=fallen.reserve, kept=row.recourse))
        limits.reduce(ctx, row.id, fallen.reserve)
    if gap:
        for org_id in (row.seller_id, row.financier_id):
            ctx.emit(
                "over_advance.opened", {"advance_id": row.id, "amount_minor": gap}, org_id=org_id
            )
    return after


def settle(
    ctx: Context, row: Row[Any], now: Totals, *, done: bool, paid_on: dt.date, on: dt.date
) -> Row[Any]:
    """Bring an advance to new totals: paid, taken back, closed or repurchased.

    What is over and changes all the same is opened again first.
    """
    columns: dict[str, Any] = now.columns()
    same = all(getattr(row, name) == value for name, value in columns.items())
    if same and done == _ended(row):
        return row
    facts = _facts(row, now, paid_on)
    after = row
    if _ended(row) or not done:
        event = _step(row, now)
        after = _step_to(ctx, row, event, on, facts, columns | {"closed_on": None})
        facts, columns = {"value_on": paid_on.isoformat()}, {}
    if done:
        bought = after.state == "RECOURSE_CALLED" and now.bought_minor > 0
        event = "repurchase" if bought else "close"
        after = _step_to(ctx, after, event, on, facts, columns | {"closed_on": paid_on})
    _follow(ctx, row, after, paid_on)
    return after


def _step(row: Row[Any], now: Totals) -> str:
    """Name the step of an advance that stays, or becomes, open."""
    paid = now.repaid_minor + now.lent_paid_minor + now.gap_paid_minor + now.interest_paid_minor
    if row.state == "FUNDED":
        return "repay"
    if not paid:
        return "reopen_all"
    before = row.repaid_minor + row.lent_paid_minor + row.gap_paid_minor + row.interest_paid_minor
    return "reopen" if _ended(row) or paid < before else "repay"


def _step_to(
    ctx: Context,
    row: Row[Any],
    event: str,
    on: dt.date,
    facts: dict[str, Any],
    columns: dict[str, Any],
) -> Row[Any]:
    return advances.transition_many(ctx, [row], event, on, facts, columns)[0]


def _ended(row: Row[Any]) -> bool:
    return row.state in {"CLOSED", "REPURCHASED"}


def _facts(row: Row[Any], now: Totals, paid_on: dt.date) -> dict[str, Any]:
    moved = {fact: getattr(now, column) - getattr(row, column) for fact, column in _FACT_OF.items()}
    moved["gap"] = now.gap_minor - row.gap_minor
    return {fact: value for fact, value in moved.items() if value} | {
        "value_on": paid_on.isoformat()
    }


def _follow(ctx: Context, before: Row[Any], after: Row[Any], paid_on: dt.date) -> None:
    """Let invoice, limits, claim and over-advances follow the advance."""
    paid = after.repaid_minor - before.repaid_minor
    returned = after.bought_minor - before.bought_minor
    cured = (before.gap_minor - before.gap_paid_minor) - (after.gap_minor - after.gap_paid_minor)
    if paid or returned or cured:
        dilution.move(
            ctx,
            before.invoice_id,
            dilution.Moved(paid=paid, returned=returned, cured=cured, kept=before.recourse),
            paid_on if paid > 0 else None,
        )
    ended = paid + returned + cured
    if ended > 0:
        limits.reduce(ctx, before.id, ended)
        claims.release(ctx, before.invoice_id)
    elif ended < 0:
        limits.restore(ctx, before.id, -ended)
        claims.claim(ctx, before.invoice_id, before.programme_id, before.financier_id)
    if cured:
        _cure(ctx, after, paid_on)


def _cure(ctx: Context, row: Row[Any], paid_on: dt.date) -> None:
    """Share what is still to be repurchased among the over-advances; the oldest is cured first."""
    left = row.gap_minor - row.gap_paid_minor
    for one in reversed(over_advances(ctx.conn, row.id)):
        still = min(one.repurchase_minor, left)
        left -= still
        if still == one.open_minor:
            continue
        ctx.conn.execute(
            update(OVER_ADVANCE)
            .where(OVER_ADVANCE.c.id == one.id)
            .values(
                open_minor=still,
                state="OPEN" if still else "CURED",
                cure=("recourse" if row.called_on else "repurchase") if still else "none",
                closed_on=None if still else paid_on,
            )
        )
        ctx.change("over_advance", one.id, {"open_minor": one.open_minor}, {"open_minor": still})


def over_advances(conn: Connection, advance_id: str) -> Sequence[Row[Any]]:
    """Read the over-advances of an advance, the oldest first."""
    return conn.execute(
        select(OVER_ADVANCE)
        .where(OVER_ADVANCE.c.advance_id == advance_id)
        .order_by(OVER_ADVANCE.c.id)
    ).all()
