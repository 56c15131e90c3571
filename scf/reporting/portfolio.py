"""Advances as the financier reads them: the late ones first, and one with its whole life."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, select
from sqlmodel import Session, col

from scf.documents.models import Invoice
from scf.financing.lifecycle import BEFORE_INSTRUCTED, COLLECTIBLE, ENDED, OUT
from scf.financing.models import Advance, AdvanceEvent
from scf.financing.reserve import open_face
from scf.financing.taxwatch.models import TaxAlert
from scf.ledger.models import Account, Entry, Posting
from scf.parties.service import firm_names
from scf.programmes.models import Programme
from scf.reporting.taxes import next_step
from scf.settlement.loans import loans_of
from scf.settlement.models import PaymentInstruction
from scf.settlement.recourse import debt
from scf.settlement.reserve import Reserved

_TROUBLE: Final = ("FAILED", "UNKNOWN", "RETURNED")
_LATE: Final = ("RECOURSE_CALLED", "OVERDUE", "GRACE")
# What a person asks for, and the states that answer it.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "late": _LATE,
    "out": OUT,
    "trouble": _TROUBLE,
    "coming": (*BEFORE_INSTRUCTED, "INSTRUCTED"),
    "ended": (*ENDED, "EARLY_REPAID", "WRITTEN_OFF"),
}
PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One advance in a list."""

    id: str
    request_id: str
    invoice_number: str
    seller: str
    obligor: str
    programme: str
    currency: str
    face_minor: int
    net_minor: int
    owed_minor: int
    penalty_minor: int
    value_on: dt.date
    due_on: dt.date
    days_late: int
    state: str


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the advances, and how many there are in each group."""

    lines: list[Line]
    total: int
    counts: dict[str, int]
    owed: dict[str, int]  # face still owed by currency, of the whole group
    number: int
    last: int


@dataclass(frozen=True, slots=True)
class Booked:
    """An entry of the reader's book with its lines: (account, amount, currency)."""

    id: str
    event_kind: str
    booked_on: dt.date
    value_on: dt.date
    narrative: str
    subject_id: str
    lines: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Life:
    """One advance: its row, who and what it is about, its steps, payments and entries."""

    row: Advance
    line: Line
    steps: Sequence[AdvanceEvent]
    payments: Sequence[PaymentInstruction]
    entries: list[Booked]
    tax_alert: TaxAlert | None = None  # what its tax authority holds against the invoice
    next_step: str = ""
    bought_back: bool = False  # whether under its technique the seller may have to pay it back
    debt_minor: int = 0  # what the seller would have to pay, or was asked for


def _group(name: str) -> ColumnElement[bool] | None:
    states = GROUPS.get(name)
    return col(Advance.state).in_(states) if states else None


def advances(session: Session, today: dt.date, group: str = "", number: int = 1) -> Page:
    """Give one page of the advances: overdue, in grace, in trouble, then by due date."""
    rank = case(
        (col(Advance.state).in_(("RECOURSE_CALLED", "OVERDUE")), 0),
        (col(Advance.state) == "GRACE", 1),
        (col(Advance.state).in_(_TROUBLE), 2),
        (col(Advance.state).in_(OUT), 3),
        (col(Advance.state).in_(ENDED), 5),
        else_=4,
    )
    found: Any = session.execute(
        select(col(Advance.state), func.count()).group_by(col(Advance.state))
    )
    by_state: dict[str, int] = {state: count for state, count in found}  # noqa: C416 - a Result has keys of its own
    counts = {name: sum(by_state.get(one, 0) for one in GROUPS[name]) for name in GROUPS}
    wanted = _group(group)
    query = select(Advance)
    left = func.sum(col(Advance.face_minor) - col(Advance.repaid_minor))
    owed = select(col(Advance.currency), left).where(col(Advance.state).in_(OUT))
    if wanted is not None:
        query, owed = query.where(wanted), owed.where(wanted)
    total = counts[group] if group in counts else sum(by_state.values())
    last = max(1, -(-total // PAGE))
    number = max(1, min(number, last))
    rows = list(
        session.execute(
            query.order_by(rank, col(Advance.due_on), col(Advance.id))
            .limit(PAGE)
            .offset((number - 1) * PAGE)
        ).scalars()
    )
    sums = {
        currency: int(minor) for currency, minor in session.execute(owed.group_by(Advance.currency))
    }
    return Page(_lines(session, rows, today), total, counts, sums, number, last)


def _lines(session: Session, rows: Sequence[Advance], today: dt.date) -> list[Line]:
    invoices = session.execute(
        select(col(Invoice.id), col(Invoice.number)).where(
            col(Invoice.id).in_({row.invoice_id for row in rows})
        )
    )
    numbers = {row.id: row.number for row in invoices}
    found = session.execute(
        select(col(Programme.id), col(Programme.name)).where(
            col(Programme.id).in_({row.programme_id for row in rows})
        )
    )
    programmes = {row.id: row.name for row in found}
    names = firm_names(
        session.connection(), {one for row in rows for one in (row.seller_id, row.obligor_id)}
    )
    return [
        Line(
            row.id,
            row.request_id,
            numbers.get(row.invoice_id, ""),
            names.get(row.seller_id, ""),
            names.get(row.obligor_id, ""),
            programmes.get(row.programme_id, ""),
            row.currency,
            row.face_minor,
            row.net_minor,
            open_face(row) if row.state in COLLECTIBLE else 0,
            row.penalty_minor - row.penalty_paid_minor,
            row.value_on,
            row.due_on,
            max(0, (today - row.due_on).days) if row.state in OUT else 0,
            row.state,
        )
        for row in rows
    ]


def life(session: Session, advance_id: str, today: dt.date) -> Life | None:
    """Give one advance with its whole life, or nothing where the reader may see none."""
    row = session.execute(select(Advance).where(col(Advance.id) == advance_id)).scalar_one_or_none()
    if row is None:
        return None
    steps = (
        session.execute(
            select(AdvanceEvent)
            .where(col(AdvanceEvent.advance_id) == advance_id)
            .order_by(col(AdvanceEvent.number))
        )
        .scalars()
        .all()
    )
    payments = (
        session.execute(
            select(PaymentInstruction)
            .where(col(PaymentInstruction.advance_id) == advance_id)
            .order_by(col(PaymentInstruction.id))
        )
        .scalars()
        .all()
    )
    entries = booked(session, col(Entry.subject_id) == advance_id)
    alert = session.execute(
        select(TaxAlert).where(
            col(TaxAlert.invoice_id) == row.invoice_id,
            col(TaxAlert.financier_id) == row.financier_id,
            col(TaxAlert.state) != "CLOSED",
        )
    ).scalar_one_or_none()
    step = ""
    if alert is not None:
        invoice = select(col(Invoice.ipu)).where(col(Invoice.id) == row.invoice_id)
        undertaken = bool(session.execute(invoice).scalar_one())
        step = next_step(alert.kind, undertaken=undertaken, state=row.state)
    line = _lines(session, [row], today)[0]
    loan = loans_of(session.connection(), [row])[row.id]
    bought_back = isinstance(loan, Reserved)
    owed = debt(session.connection(), row) if bought_back and row.state in OUT else 0
    return Life(row, line, steps, payments, entries, alert, step, bought_back, owed)


def booked(session: Session, *which: ColumnElement[bool], most: int = 500) -> list[Booked]:
    """Give entries of the reader's own book in the order of booking, each with its lines."""
    rows = list(
        session.execute(
            select(Entry)
            .where(*which)
            .order_by(col(Entry.booked_on), col(Entry.created_at), col(Entry.seq), col(Entry.id))
            .limit(most)
        ).scalars()
    )
    lines: dict[str, list[tuple[str, int, str]]] = {}
    for posting, code in _postings(session, (row.id for row in rows)):
        lines.setdefault(posting.entry_id, []).append(
            (code, posting.amount_minor, posting.currency)
        )
    return [
        Booked(
            row.id,
            row.event_kind,
            row.booked_on,
            row.value_on,
            row.narrative,
            row.subject_id,
            tuple(lines.get(row.id, ())),
        )
        for row in rows
    ]


def _postings(session: Session, ids: Iterable[str]) -> Any:  # noqa: ANN401 - rows of a query
    return session.execute(
        select(Posting, col(Account.code))
        .join(Account, col(Account.id) == col(Posting.account_id))
        .where(col(Posting.entry_id).in_(list(ids)))
        .order_by(col(Posting.entry_id), col(Posting.place))
    )
