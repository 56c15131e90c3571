"""A reminder to a payer, the items it names, and what a person holds back."""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from scf.db.types import (
    Code,
    Count,
    Currency,
    Day,
    Id,
    IdKey,
    Instant,
    Minor,
    Record,
    Text,
    table_args,
)


class PaymentReminder(Record, table=True):
    """What one payer was told at one day's close in one currency; ``step`` is the gravest of it."""

    __tablename__ = "payment_reminder"
    __table_args__ = table_args(
        UniqueConstraint("financier_id", "payer_id", "on", "currency", name="uq_payment_reminder"),
        Index("ix_reminder_payer", "payer_id", "id"),
        CheckConstraint("owed_minor > 0", name="ck_reminder_owed"),
    )
    id: IdKey
    financier_id: Id
    payer_id: Id
    on: Day
    currency: Currency
    step: Code
    count: Count
    owed_minor: Minor
    penalty_minor: Minor
    created_at: Instant


class PaymentReminderItem(Record, table=True):
    """One financed part of an invoice as a reminder named it: what it was, what is left of it.

    The same part comes to the same step once for each due day that it has had.
    """

    __tablename__ = "payment_reminder_item"
    __table_args__ = table_args(
        ForeignKeyConstraint(["reminder_id"], ["payment_reminder.id"], name="fk_item_reminder"),
        ForeignKeyConstraint(["advance_id"], ["advance.id"], name="fk_item_advance"),
        UniqueConstraint("advance_id", "due_on", "step", name="uq_reminder_step"),
        Index("ix_item_reminder", "reminder_id"),
    )
    id: IdKey
    reminder_id: Id
    advance_id: Id
    invoice_id: Id
    step: Code
    due_on: Day
    overdue_on: Day  # the close at which it is declared overdue
    face_minor: Minor
    owed_minor: Minor
    penalty_minor: Minor


class ReminderHold(Record, table=True):
    """Under an advance's id: nobody is reminded of it up to a day, and why."""

    __tablename__ = "reminder_hold"
    __table_args__ = table_args(
        ForeignKeyConstraint(["id"], ["advance.id"], name="fk_hold_advance")
    )
    id: IdKey
    financier_id: Id
    until_on: Day
    reason: Text
    held_by: Id
    held_at: Instant
