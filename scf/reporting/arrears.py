"""Arrears: what is late by days past due, payer by payer, and what each was told of it.

An item stays here from its due day until it is paid, also while it is part paid.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from scf.accounting.advices.reading import collecting_account
from scf.documents.models import Invoice
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.financing.reserve import open_face
from scf.parties.service import firm_names
from scf.settlement.loans import terms_of_versions
from scf.settlement.reminders.models import PaymentReminder, PaymentReminderItem, ReminderHold

# The first day past due of each bucket, and its name; grace is part of the first.
BUCKETS: Final = ((91, "over_90"), (61, "61_90"), (31, "31_60"), (1, "1_30"), (0, "today"))
MOST: Final = 500
"""Items shown at once, the oldest first; the sums are of all."""


@dataclass(frozen=True, slots=True)
class Late:
    """One advance that should have been paid; amounts in minor units of its currency."""

    advance_id: str
    invoice_id: str
    number: str
    seller: str
    due_on: dt.date
    days: int
    state: str
    currency: str
    face_minor: int
    owed_minor: int
    penalty_minor: int
    step: str  # the last that its payer was told of; empty before the first
    told_on: dt.date | None
    reminder_id: str
    held_until: dt.date | None
    held_because: str

    @property
    def paid_minor(self) -> int:
        """What has come in, or was credited."""
        return self.face_minor - self.owed_minor


@dataclass(slots=True)
class Payer:
    """A payer and what it is late with, the oldest first."""

    id: str
    name: str
    items: list[Late] = field(default_factory=list)

    @property
    def owed(self) -> list[tuple[str, int, int]]:
        """Sum what is owed and the penalty by currency."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.items:
            owed, penalty = found.get(one.currency, (0, 0))
            found[one.currency] = (owed + one.owed_minor, penalty + one.penalty_minor)
        return [(currency, *found[currency]) for currency in sorted(found)]


@dataclass(slots=True)
class Bucket:
    """Items of one age in one currency."""

    name: str
    currency: str
    items: int = 0
    owed_minor: int = 0
    penalty_minor: int = 0


@dataclass(frozen=True)
class Arrears:
    """All of it: by age, and by payer; ``shown`` of ``total`` items are among the payers."""

    buckets: tuple[Bucket, ...]
    payers: tuple[Payer, ...]
    shown: int
    total: int


def arrears(session: Session, today: dt.date) -> Arrears:
    """Give what should have been paid by today and is not; only what the reader may see."""
    rows = [
        row
        for row in session.scalars(
            select(Advance)
            .where(col(Advance.state).in_(OUT), col(Advance.due_on) <= today)
            .order_by(col(Advance.due_on), col(Advance.id))
        )
        if open_face(row) > 0
    ]
    buckets: dict[tuple[str, str], Bucket] = {}
    for row in rows:
        name = next(name for days, name in BUCKETS if (today - row.due_on).days >= days)
        one = buckets.setdefault((row.currency, name), Bucket(name, row.currency))
        one.items += 1
        one.owed_minor += open_face(row)
        one.penalty_minor += _penalty(row)
    order = [name for _days, name in BUCKETS[::-1]]
    return Arrears(
        tuple(buckets[key] for key in sorted(buckets, key=lambda k: (k[0], order.index(k[1])))),
        _payers(session, rows[:MOST], today),
        min(len(rows), MOST),
        len(rows),
    )


def _penalty(row: Advance) -> int:
    return max(0, row.penalty_minor - row.penalty_paid_minor)


def _payers(session: Session, rows: Sequence[Advance], today: dt.date) -> tuple[Payer, ...]:
    conn = session.connection()
    terms = terms_of_versions(conn, {row.programme_version_id for row in rows})
    payer_of = {
        row.id: row.obligor_id if terms[row.programme_version_id].disclosed else row.seller_id
        for row in rows
    }
    names = firm_names(conn, {*payer_of.values(), *(row.seller_id for row in rows)})
    numbers = _numbers(session, {row.invoice_id for row in rows})
    told = _last_told(session, {row.id for row in rows})
    held = {
        one.id: one
        for one in session.scalars(
            select(ReminderHold).where(
                col(ReminderHold.id).in_([row.id for row in rows]),
                col(ReminderHold.until_on) >= today,
            )
        )
    }
    payers: dict[str, Payer] = {}
    for row in rows:
        payer_id = payer_of[row.id]
        step, told_on, reminder_id = told.get(row.id, ("", None, ""))
        hold = held.get(row.id)
        payers.setdefault(payer_id, Payer(payer_id, names.get(payer_id, ""))).items.append(
            Late(
                row.id,
                row.invoice_id,
                numbers.get(row.invoice_id, ""),
                names.get(row.seller_id, ""),
                row.due_on,
                (today - row.due_on).days,
                row.state,
                row.currency,
                row.face_minor,
                open_face(row),
                _penalty(row),
                step,
                told_on,
                reminder_id,
                hold.until_on if hold else None,
                hold.reason if hold else "",
            )
        )
    return tuple(payers.values())


def _numbers(session: Session, ids: Iterable[str]) -> dict[str, str]:
    rows = session.execute(
        select(col(Invoice.id), col(Invoice.number)).where(col(Invoice.id).in_(sorted(ids)))
    )
    return {row.id: row.number for row in rows}


def _last_told(session: Session, advance_ids: Iterable[str]) -> dict[str, tuple[str, dt.date, str]]:
    """Give the last step that each advance's payer was told of, when, and by which reminder."""
    item, reminder = PaymentReminderItem, PaymentReminder
    place = func.row_number().over(
        partition_by=col(item.advance_id), order_by=(col(reminder.on).desc(), col(item.id).desc())
    )
    ranked = (
        select(
            col(item.advance_id),
            col(item.step),
            col(reminder.on),
            col(reminder.id),
            place.label("place"),
        )
        .join(reminder, col(reminder.id) == col(item.reminder_id))
        .where(col(item.advance_id).in_(sorted(advance_ids)))
        .subquery()
    )
    rows = session.execute(select(ranked).where(ranked.c.place == 1))
    return {row.advance_id: (row.step, row.on, row.id) for row in rows}


@dataclass(frozen=True)
class Reminder:
    """A reminder as both sides read it: who told whom, and each item with its numbers."""

    row: PaymentReminder
    financier: str
    payer: str
    account: str  # where to pay: IBAN or number; empty where the bank has named none
    bic: str
    items: tuple[tuple[PaymentReminderItem, str, str], ...]  # with invoice number and seller


def reminder(session: Session, reminder_id: str) -> Reminder | None:
    """Give one reminder, or nothing where the reader may see none."""
    row = session.scalar(select(PaymentReminder).where(col(PaymentReminder.id) == reminder_id))
    if row is None:
        return None
    found = session.execute(
        select(PaymentReminderItem, col(Invoice.number), col(Invoice.seller_id))
        .join(Invoice, col(Invoice.id) == col(PaymentReminderItem.invoice_id))
        .where(col(PaymentReminderItem.reminder_id) == row.id)
        .order_by(col(PaymentReminderItem.due_on), col(Invoice.number))
    ).all()
    sellers = {one.seller_id for one in found if one.seller_id}
    names = firm_names(session.connection(), {row.financier_id, row.payer_id} | sellers)
    return Reminder(
        row,
        names.get(row.financier_id, ""),
        names.get(row.payer_id, ""),
        *collecting_account(session.connection(), row.financier_id, row.currency),
        tuple((one[0], one.number, names.get(one.seller_id or "", "")) for one in found),
    )


def reminders_to(
    session: Session, payer_id: str, since: dt.date, most: int
) -> list[PaymentReminder]:
    """Give the newest reminders to a payer, none older than a day."""
    return list(
        session.scalars(
            select(PaymentReminder)
            .where(col(PaymentReminder.payer_id) == payer_id, col(PaymentReminder.on) >= since)
            .order_by(col(PaymentReminder.id).desc())
            .limit(most)
        )
    )
