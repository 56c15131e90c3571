"""Who sees reminders: the financier that sent them, and whom they were sent to."""

from sqlalchemy import ColumnElement, or_, select
from sqlmodel import col

from scf.db.visibility import visible_to
from scf.kernel.actor import Actor
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem, ReminderHold


@visible_to(PaymentReminder)
def _sent_or_got(actor: Actor) -> ColumnElement[bool]:
    return or_(
        col(PaymentReminder.financier_id) == actor.org_id,
        col(PaymentReminder.payer_id) == actor.org_id,
    )


@visible_to(PaymentReminderItem)
def _of_those(actor: Actor) -> ColumnElement[bool]:
    seen = select(col(PaymentReminder.id)).where(_sent_or_got(actor))
    return col(PaymentReminderItem.reminder_id).in_(seen)


@visible_to(ReminderHold)
def _own_holds(actor: Actor) -> ColumnElement[bool]:
    return col(ReminderHold.financier_id) == actor.org_id
