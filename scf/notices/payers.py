"""What a payer is told of money that is due, was due, or is overdue."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.kernel.actor import Role
from scf.kernel.errors import Words
from scf.notices.telling import Told, people_of
from scf.parties.service import firm_names
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem

_reminder: Final[Table] = PaymentReminder.__table__  # type: ignore[attr-defined]
_item: Final[Table] = PaymentReminderItem.__table__  # type: ignore[attr-defined]

_Say = Callable[[Mapping[str, Any]], Words]


def _overdue(values: Mapping[str, Any]) -> Words:
    return Words(
        "%(owed_minor)s is overdue: it was due to %(bank)s on %(day)s. Invoices: %(count)s.",
        **values,
    )


_SAID: Final[Mapping[str, _Say]] = {
    "upcoming": lambda values: Words(
        "%(owed_minor)s is due to %(bank)s on %(day)s. Invoices: %(count)s.", **values
    ),
    "missed": lambda values: Words(
        "%(owed_minor)s was due to %(bank)s on %(day)s and is not there yet. Invoices: %(count)s.",
        **values,
    ),
    "last_call": lambda values: Words(
        "%(owed_minor)s was due to %(bank)s on %(day)s. From %(overdue)s it counts as overdue."
        " Invoices: %(count)s.",
        **values,
    ),
    **dict.fromkeys(("overdue", "overdue_15", "overdue_30", "overdue_60", "overdue_90"), _overdue),
}


def reminded(conn: Connection, _topic: str, payload: Mapping[str, Any]) -> Told:
    """Tell who pays; after a silent assignment that is the seller, who collects.

    The day is the earliest of the items that have come to the gravest step.
    """
    row = conn.execute(select(_reminder).where(_reminder.c.id == payload["reminder_id"])).one()
    due_on, overdue_on = conn.execute(
        select(func.min(_item.c.due_on), func.min(_item.c.overdue_on)).where(
            _item.c.reminder_id == row.id, _item.c.step == row.step
        )
    ).one()
    words = _SAID[row.step](
        {
            "owed_minor": row.owed_minor,
            "currency": row.currency,
            "bank": firm_names(conn, {row.financier_id}).get(row.financier_id, ""),
            "day": due_on.isoformat(),
            "overdue": overdue_on.isoformat(),
            "count": row.count,
        }
    )
    who = people_of(conn, row.payer_id, Role.ANCHOR_CLERK, Role.ANCHOR_APPROVER, Role.TREASURER)
    return Told(row.payer_id, who, words, "reminder", row.id)
