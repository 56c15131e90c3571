"""Whether a book stands as it must: what the reader may check at any moment without a lock.

The whole proof over all organisations is ``scf verify``; this is the part of it that concerns one
financier and is quick enough for a page.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Table, func, select
from sqlmodel import Session, col

from scf.accounting.journal import BalanceLine, trial_balance
from scf.db.models import AuditSeal
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.ledger.models import Entry
from scf.parties.models import BusinessDate
from scf.programmes.models import LimitHold, LimitNode
from scf.settlement.models import PaymentInstruction

_seal: Final[Table] = AuditSeal.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Books:
    """A trial balance, its sums per currency, and how many entries there are."""

    lines: list[BalanceLine]
    totals: dict[str, tuple[int, int]]  # debits, credits
    entries: int

    @property
    def balanced(self) -> bool:
        """Tell whether debits equal credits in every currency."""
        return all(debit == credit for debit, credit in self.totals.values())


@dataclass(frozen=True, slots=True)
class DayState:
    """How far the day is closed, and what the end of day will find."""

    business_date: dt.date
    out: int
    closed_to: dt.date | None  # the day that every advance is closed to
    not_closed: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What holds at this moment: the limit tree against its rows, and the last seal."""

    nodes: int
    nodes_off: int
    seals: int
    sealed_at: dt.datetime | None


def books(session: Session, org_id: str, up_to: dt.date | None = None) -> Books:
    """Give the trial balance of one book at the close of a day."""
    lines = trial_balance(session.connection(), org_id, up_to)
    totals: dict[str, tuple[int, int]] = {}
    for line in lines:
        debit, credit = totals.get(line.currency, (0, 0))
        totals[line.currency] = (debit + line.debit_minor, credit + line.credit_minor)
    query = select(func.count(col(Entry.id)))
    if up_to is not None:
        query = query.where(col(Entry.booked_on) <= up_to)
    return Books(lines, totals, session.execute(query).scalar_one())


def day_state(session: Session, financier_id: str) -> DayState | None:
    """Give how far a financier's day is closed; nothing where it keeps no books yet."""
    today = session.execute(
        select(col(BusinessDate.current_on)).where(col(BusinessDate.financier_id) == financier_id)
    ).scalar_one_or_none()
    if today is None:
        return None
    out, first = session.execute(
        select(func.count(col(Advance.id)), func.min(col(Advance.income_to))).where(
            col(Advance.state).in_(OUT)
        )
    ).one()
    yesterday = today - dt.timedelta(days=1)
    behind = session.execute(
        select(func.count(col(Advance.id))).where(
            col(Advance.state).in_(OUT),
            col(Advance.funded_on) <= yesterday,
            col(Advance.income_to).is_(None) | (col(Advance.income_to) < yesterday),
        )
    ).scalar_one()
    unanswered = session.execute(
        select(func.count(col(PaymentInstruction.id))).where(
            col(PaymentInstruction.state) == "SENT",
            col(PaymentInstruction.value_on) < today,
            col(PaymentInstruction.financier_id) == financier_id,
        )
    ).scalar_one()
    return DayState(today, out, first, behind, unanswered)


def proof(session: Session) -> Proof:
    """Compare every limit the reader may see with the rows it sums, and look at the last seal."""
    held = func.coalesce(
        func.sum(col(LimitHold.amount_minor)).filter(col(LimitHold.state) == "HELD"), 0
    )
    used = func.coalesce(
        func.sum(col(LimitHold.amount_minor)).filter(col(LimitHold.state) == "UTILISED"), 0
    )
    rows = session.execute(
        select(col(LimitNode.held_minor), col(LimitNode.utilised_minor), held, used)
        .outerjoin(LimitHold, col(LimitHold.node_id) == col(LimitNode.id))
        .group_by(col(LimitNode.id), col(LimitNode.held_minor), col(LimitNode.utilised_minor))
    ).all()
    off = sum(1 for row in rows if (row[0], row[1]) != (int(row[2]), int(row[3])))
    seals, sealed_at = (
        session.connection()
        .execute(select(func.count(), func.max(_seal.c.sealed_at)).select_from(_seal))
        .one()
    )
    return Proof(len(rows), off, seals, sealed_at)
