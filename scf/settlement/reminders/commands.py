"""Reminding at the close of a day, and holding an item back."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Date, Row, Table, bindparam, delete, select
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.keys import one_of, told
from scf.db.runner import Context, command
from scf.db.types import Day, Id, OptDay, Text
from scf.documents.models import Invoice
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.kernel.errors import Conflict, NotFound, RuleViolation
from scf.kernel.ids import new_id
from scf.parties.service import business_date
from scf.settlement.loans import ADVANCE, terms_of_versions
from scf.settlement.reminders import rules
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem, ReminderHold

_reminder: Final[Table] = PaymentReminder.__table__  # type: ignore[attr-defined]
_item: Final[Table] = PaymentReminderItem.__table__  # type: ignore[attr-defined]
_hold: Final[Table] = ReminderHold.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_TOLD: Final = {
    engine: select(_item.c.advance_id, _item.c.due_on, _item.c.step).where(these)
    for engine, these in one_of(_item.c.advance_id).items()
}
_HELD: Final = {
    engine: select(_hold.c.id).where(these, _hold.c.until_on >= bindparam("on", type_=Date))
    for engine, these in one_of(_hold.c.id).items()
}
_DISPUTED: Final = {
    engine: select(_invoice.c.id, _invoice.c.disputed_minor).where(
        these, _invoice.c.disputed_minor > 0, _invoice.c.ipu.is_(False)
    )
    for engine, these in one_of(_invoice.c.id).items()
}
LONGEST_HOLD: Final = 92  # days; who needs longer agrees on a new due day


class _Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SendReminders(_Input):
    """The date that is being closed."""

    on: Day


class HoldReminders(_Input):
    """One advance, and the last day on which nobody is reminded of it; empty: no longer held."""

    advance_id: Id
    until_on: OptDay = None
    reason: Text = Field(min_length=3, max_length=4000)


@dataclass(frozen=True, slots=True)
class Item:
    """One advance that has come to a new step; amounts in minor units of its currency."""

    row: Row[Any]
    payer_id: str
    step: str
    overdue_on: dt.date
    owed: int
    penalty: int


@command("reminder.send", SendReminders)
def send_reminders(ctx: Context, data: SendReminders) -> dict[str, Any]:
    """Tell every payer what came to a new step by a day's close: one reminder per currency.

    Raises
    ------
    Conflict
        NOT_TODAY, when the financier's books are on another date.
    """
    today = business_date(ctx.conn, ctx.actor.org_id)
    if today != data.on:
        raise Conflict(
            "NOT_TODAY",
            "The books are on %(business_date)s.",
            business_date=today.isoformat(),
            asked=data.on.isoformat(),
        )
    plan = rules.in_force()
    if plan is None:
        return {"reminders": 0, "items": 0}
    by_payer: dict[tuple[str, str], list[Item]] = defaultdict(list)
    for one in new_items(ctx.conn, ctx.actor.org_id, plan, data.on):
        by_payer[one.payer_id, one.row.currency].append(one)
    reminders, items = [], []
    for (payer_id, currency), members in sorted(by_payer.items()):
        made = _told(ctx, payer_id, currency, members, plan, data.on)
        reminders.append(made)
        items += [_line(made["id"], one) for one in members]
        ctx.change("payment_reminder", made["id"], None, _facts(made))
        ctx.emit("reminder.sent", {"reminder_id": made["id"]}, org_id=payer_id)
    bulk.insert_mappings(ctx.conn, _reminder, reminders)
    bulk.insert_mappings(ctx.conn, _item, items)
    return {"reminders": len(reminders), "items": len(items)}


def _told(
    ctx: Context,
    payer_id: str,
    currency: str,
    members: Sequence[Item],
    plan: rules.Plan,
    on: dt.date,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "financier_id": ctx.actor.org_id,
        "payer_id": payer_id,
        "on": on,
        "currency": currency,
        "step": max((one.step for one in members), key=plan.rank),
        "count": len(members),
        "owed_minor": sum(one.owed for one in members),
        "penalty_minor": sum(one.penalty for one in members),
        "created_at": ctx.now,
    }


def _facts(made: dict[str, Any]) -> dict[str, Any]:
    return {
        name: made[name]
        for name in ("payer_id", "step", "count", "owed_minor", "penalty_minor", "currency")
    } | {"on": made["on"].isoformat()}


def _line(reminder_id: str, one: Item) -> dict[str, Any]:
    return {
        "id": new_id(),
        "reminder_id": reminder_id,
        "advance_id": one.row.id,
        "invoice_id": one.row.invoice_id,
        "step": one.step,
        "due_on": one.row.due_on,
        "overdue_on": one.overdue_on,
        "face_minor": one.row.face_minor,
        "owed_minor": one.owed,
        "penalty_minor": one.penalty,
    }


def new_items(conn: Connection, financier_id: str, plan: rules.Plan, on: dt.date) -> Iterator[Item]:
    """Give the advances that have come to a step that nobody was told of, by due day."""
    rows = conn.execute(
        select(ADVANCE)
        .where(
            ADVANCE.c.financier_id == financier_id,
            ADVANCE.c.state.in_(OUT),
            ADVANCE.c.due_on <= on + dt.timedelta(days=plan.days_ahead),
        )
        .order_by(ADVANCE.c.due_on, ADVANCE.c.id)
    ).all()
    if not rows:
        return
    terms = terms_of_versions(conn, (row.programme_version_id for row in rows))
    open_ids = {row.id for row in rows}
    known = _steps_told(conn, open_ids, plan)
    held = _held(conn, open_ids, on)
    disputed = _disputed(conn, {row.invoice_id for row in rows})
    for row in rows:
        agreed = terms[row.programme_version_id]
        step = rules.step_of(plan, row.due_on, agreed.grace_days, on)
        owed = open_face(row)
        # What is in dispute is not asked for; the rest of the invoice is.
        aside = min(owed, disputed.get(row.invoice_id, 0))
        if aside:
            disputed[row.invoice_id] -= aside
            owed -= aside
        before = known.get((row.id, row.due_on), -1)
        if not step or owed <= 0 or row.id in held or plan.rank(step) <= before:
            continue
        yield Item(
            row,
            row.obligor_id if agreed.disclosed else row.seller_id,
            step,
            row.due_on + dt.timedelta(days=agreed.grace_days),
            owed,
            max(0, row.penalty_minor - row.penalty_paid_minor),
        )


def _steps_told(
    conn: Connection, advance_ids: Collection[str], plan: rules.Plan
) -> dict[tuple[str, dt.date], int]:
    """Give the gravest step that each advance was told of, for each due day that it has had."""
    names = {one.name for one in plan.steps}
    found: dict[tuple[str, dt.date], int] = {}
    for row in conn.execute(_TOLD[conn.dialect.name], {"ids": told(conn, advance_ids)}):
        rank = plan.rank(row.step) if row.step in names else -1
        key = (row.advance_id, row.due_on)
        found[key] = max(found.get(key, -1), rank)
    return found


def _held(conn: Connection, advance_ids: Collection[str], on: dt.date) -> set[str]:
    given = {"ids": told(conn, advance_ids), "on": on}
    return set(conn.execute(_HELD[conn.dialect.name], given).scalars())


def _disputed(conn: Connection, invoice_ids: Collection[str]) -> dict[str, int]:
    """Give what is in dispute; after an undertaking a dispute is between buyer and seller only."""
    rows = conn.execute(_DISPUTED[conn.dialect.name], {"ids": told(conn, invoice_ids)})
    return {row.id: row.disputed_minor for row in rows}


@command("reminder.hold", HoldReminders)
def hold_reminders(ctx: Context, data: HoldReminders) -> dict[str, Any]:
    """Hold the reminders of one advance back until a day, or let them go again.

    Raises
    ------
    NotFound
        For an advance of another financier.
    RuleViolation
        HOLD_DAY for a day that has passed or lies too far away; NOTHING_OWED when all is paid.
    """
    row = ctx.lock(Advance, [data.advance_id]).get(data.advance_id)
    if row is None or row.financier_id != ctx.actor.org_id:
        raise NotFound("NOT_FOUND", "There is no such advance.", advance_id=data.advance_id)
    today = business_date(ctx.conn, ctx.actor.org_id)
    before = ctx.conn.execute(select(_hold).where(_hold.c.id == row.id)).one_or_none()
    was = None if before is None else {"until_on": before.until_on.isoformat()}
    ctx.conn.execute(delete(_hold).where(_hold.c.id == row.id))
    if data.until_on is None:
        ctx.change("reminder_hold", row.id, was, None)
        return {"advance_id": row.id, "until_on": None}
    if row.state not in OUT or open_face(row) <= 0:
        raise RuleViolation("NOTHING_OWED", "Nothing is open on this advance.", advance_id=row.id)
    latest = today + dt.timedelta(days=LONGEST_HOLD)
    if not today <= data.until_on <= latest:
        raise RuleViolation(
            "HOLD_DAY",
            "Reminders are held back until a day from %(first)s to %(latest)s.",
            first=today.isoformat(),
            latest=latest.isoformat(),
            asked=data.until_on.isoformat(),
        )
    ctx.conn.execute(
        _hold.insert().values(
            id=row.id,
            financier_id=row.financier_id,
            until_on=data.until_on,
            reason=data.reason,
            held_by=ctx.actor.user_id,
            held_at=ctx.now,
        )
    )
    ctx.change("reminder_hold", row.id, was, {"until_on": data.until_on.isoformat()})
    return {"advance_id": row.id, "until_on": data.until_on.isoformat()}
