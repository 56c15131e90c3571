"""What to look at before a period is closed: what stands in the way, and what is worth a look."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlmodel import Session, col

from scf.accounting.journal import trial_balance
from scf.ledger.currency.revaluation import Outlook, outlook
from scf.ledger.models import Period
from scf.parties.service import business_date
from scf.settlement import journals
from scf.settlement.models import BankEntry, PaymentInstruction

_DAY: Final = dt.timedelta(days=1)
_ON_THE_WAY: Final = ("SENT", "UNKNOWN")


@dataclass(frozen=True, slots=True)
class Checks:
    """How a book stands at the close of a day; the first three forbid closing up to it.

    Attributes
    ----------
    unbalanced
        Debits less credits by currency, where they differ.
    suspense, in_transit
        Balances by currency that are not zero: money that nobody has placed, and money on its way.
    unmatched
        Entries of the bank up to the day of which a part is still to be placed.
    unanswered
        Payments due by the day to which the bank has given no final answer.
    """

    on: dt.date
    day_over: bool
    unbalanced: dict[str, int]
    revaluation: Outlook
    suspense: dict[str, int]
    in_transit: dict[str, int]
    unmatched: int
    unanswered: int

    @property
    def revalued(self) -> bool:
        """Tell whether every foreign balance stands at the day's rate."""
        return not (self.revaluation.not_done or self.revaluation.gaps)

    @property
    def may_close(self) -> bool:
        """Tell whether nothing forbids to close up to the day."""
        return self.day_over and not self.unbalanced and self.revalued


def checks(session: Session, org_id: str, on: dt.date) -> Checks:
    """Look at one book as it stood at the close of a day."""
    conn = session.connection()
    sums: dict[str, int] = {}
    held: dict[str, dict[str, int]] = {journals.SUSPENSE: {}, journals.IN_TRANSIT: {}}
    for line in trial_balance(conn, org_id, on):
        sums[line.currency] = sums.get(line.currency, 0) + line.balance_minor
        if line.account_code in held and line.balance_minor:
            held[line.account_code][line.currency] = line.balance_minor
    unmatched = session.execute(
        select(func.count(col(BankEntry.id))).where(
            col(BankEntry.financier_id) == org_id,
            col(BankEntry.booked_on) <= on,
            col(BankEntry.unallocated_minor) > 0,
        )
    ).scalar_one()
    unanswered = session.execute(
        select(func.count(col(PaymentInstruction.id))).where(
            col(PaymentInstruction.financier_id) == org_id,
            col(PaymentInstruction.state).in_(_ON_THE_WAY),
            col(PaymentInstruction.value_on) <= on,
        )
    ).scalar_one()
    return Checks(
        on,
        on < business_date(conn, org_id),
        {currency: off for currency, off in sums.items() if off},
        outlook(conn, org_id, on),
        held[journals.SUSPENSE],
        held[journals.IN_TRANSIT],
        unmatched,
        unanswered,
    )


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods of a book, the newest first, and up to which day the next one could go."""

    rows: list[Row[Any]]
    waiting: Row[Any] | None
    last_closed: Row[Any] | None
    first_open: dt.date | None
    suggested: dt.date


def periods_of(session: Session, org_id: str) -> Periods:
    """Read the periods of a book; suggests a month's end, else the day before the books' day."""
    rows = list(
        session.execute(
            select(*Period.__table__.c)  # type: ignore[attr-defined]
            .where(col(Period.org_id) == org_id)
            .order_by(col(Period.to_on).desc(), col(Period.proposed_at).desc())
        )
    )
    live = [row for row in rows if row.state != "OPEN"]
    waiting = next((row for row in live if row.state in {"CLOSING", "OPENING"}), None)
    closed = next((row for row in live if row.state in {"CLOSED", "OPENING"}), None)
    first = closed.to_on + _DAY if closed is not None else None
    yesterday = business_date(session.connection(), org_id) - _DAY
    month = (yesterday + _DAY).replace(day=1) - _DAY
    suggested = month if first is None or month >= first else yesterday
    return Periods(rows, waiting, closed, first, suggested)
