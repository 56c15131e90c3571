"""A reminder to a payer, put into the tables."""

import datetime as dt
from typing import Any, Final

from sqlalchemy import insert, select

from scf.financing.models import Advance
from scf.kernel.ids import new_id
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem
from tests.support.people import NOON, World

_ADVANCE: Final[Any] = Advance.__table__  # type: ignore[attr-defined]
_REMINDER: Final[Any] = PaymentReminder.__table__  # type: ignore[attr-defined]
_ITEM: Final[Any] = PaymentReminderItem.__table__  # type: ignore[attr-defined]


def reminder_of(world: World, advance_id: str, *, to: str = "") -> str:
    """Remind the buyer of an advance, or somebody else, as the close of its due day would."""
    with world.platform.db.writer.begin() as conn:
        advance = conn.execute(select(_ADVANCE).where(_ADVANCE.c.id == advance_id)).one()
        told = PaymentReminder(
            id=new_id(),
            financier_id=advance.financier_id,
            payer_id=to or advance.obligor_id,
            on=advance.due_on,
            currency=advance.currency,
            step="missed",
            count=1,
            owed_minor=advance.face_minor,
            penalty_minor=0,
            created_at=NOON,
        )
        item = PaymentReminderItem(
            id=new_id(),
            reminder_id=told.id,
            advance_id=advance_id,
            invoice_id=advance.invoice_id,
            step=told.step,
            # A day that no close has told of: each step is told once.
            due_on=advance.due_on + dt.timedelta(days=1),
            overdue_on=advance.due_on + dt.timedelta(days=1),
            face_minor=advance.face_minor,
            owed_minor=advance.face_minor,
            penalty_minor=0,
        )
        conn.execute(insert(_REMINDER), told.model_dump())
        conn.execute(insert(_ITEM), item.model_dump())
    return str(told.id)
