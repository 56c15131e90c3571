"""Cash of the next weeks as a firm's own documents say it: in, out, and what is missing.

Everything read here is the firm's own: what its buyers owe it, what it owes, what banks are about
to pay it or have asked back. When a buyer usually pays is taken from the firm's own settled
invoices to that buyer, never from what others know of it.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Table, func, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice, InvoiceFact
from scf.financing.lifecycle import OUT
from scf.financing.models import Advance
from scf.kernel.rates import round_half_up
from scf.settlement.models import PaymentInstruction
from scf.settlement.recourse import debt

_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_FACT: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]
_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_PAYMENT: Final[Table] = PaymentInstruction.__table__  # type: ignore[attr-defined]

_UNPAID: Final = _INVOICE.c.base_minor - _INVOICE.c.credited_minor - _INVOICE.c.paid_minor
UNFINANCED: Final = _UNPAID - _INVOICE.c.held_minor - _INVOICE.c.outstanding_minor
"""What of an invoice its buyer owes and no bank has advanced or set aside; a SQL expression."""

WEEKS: Final = 13  # a quarter: what short-term cash planning looks at
_WEEK: Final = 7
_PAST: Final = 365  # days of settled invoices from which habits are read
_SMALL: Final = 100
LEAST_ITEMS: Final = 3  # fewer say nothing of a habit
_OPEN: Final = ("OPEN", "PART_PAID")
_COMING: Final = ("CREATED", "APPROVED", "SENT", "ACKED")


@dataclass(frozen=True, slots=True)
class Flow:
    """One sum that is to come in (positive) or go out; ``on`` is empty where no day can be said.

    ``kind``: ``buyer``, ``bank`` (a payment under way), ``reserve`` (kept back until the buyer
    pays), ``supplier``.
    """

    kind: str
    firm_id: str
    subject_id: str
    number: str
    due_on: dt.date
    on: dt.date | None
    minor: int


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days: what comes in, what goes out, and what is there at their end."""

    first: dt.date
    into_minor: int
    out_minor: int
    balance_minor: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The weeks, the sums without a day, and how much is missing by when."""

    weeks: tuple[Week, ...]
    flows: tuple[Flow, ...]  # of the weeks, by day
    undated: tuple[Flow, ...]
    later_minor: int  # in less out, after the last week
    gap_minor: int  # what the lowest balance lacks of the least that is to be there
    gap_from: dt.date | None  # the first week that ends below it

    @property
    def undated_minor(self) -> int:
        """What is overdue beyond every habit: it may come any day, and is counted on none."""
        return sum(one.minor for one in self.undated)


def forecast(
    flows: Iterable[Flow], today: dt.date, cash_minor: int = 0, least_minor: int = 0
) -> Forecast:
    """Put flows into weeks that begin today; every cent is in one place and in one only.

    Parameters
    ----------
    cash_minor
        What is there today.
    least_minor
        What is to be there always; a week that ends with less has a gap.

    Examples
    --------
    >>> day = dt.date(2026, 3, 2)
    >>> coming = Flow("buyer", "b", "i", "1", day, day + dt.timedelta(days=8), 5_00)
    >>> found = forecast([coming], day, cash_minor=1_00, least_minor=2_00)
    >>> [week.balance_minor for week in found.weeks[:2]], found.gap_minor, found.gap_from
    ([100, 600], 100, datetime.date(2026, 3, 2))
    """
    dated, undated, later = [], [], 0
    into, out = [0] * WEEKS, [0] * WEEKS
    for flow in flows:
        if flow.on is None:
            undated.append(flow)
            continue
        place = max(0, (flow.on - today).days) // _WEEK
        if place >= WEEKS:
            later += flow.minor
            continue
        dated.append(flow)
        (into if flow.minor > 0 else out)[place] += abs(flow.minor)
    weeks, balance = [], cash_minor
    for place in range(WEEKS):
        balance += into[place] - out[place]
        first = today + dt.timedelta(days=place * _WEEK)
        weeks.append(Week(first, into[place], out[place], balance))
    lowest = min(week.balance_minor for week in weeks)
    below = next((week.first for week in weeks if week.balance_minor < least_minor), None)
    dated.sort(key=lambda flow: (flow.on, flow.subject_id, flow.kind))
    return Forecast(
        tuple(weeks),
        tuple(dated),
        tuple(sorted(undated, key=lambda flow: (flow.due_on, flow.subject_id))),
        later,
        max(0, least_minor - lowest),
        below,
    )


def flows_of(conn: Connection, org_id: str, currency: str, today: dt.date) -> list[Flow]:
    """Read what is to come in and go out of one firm in one currency."""
    habits = habits_of(conn, org_id, today)
    return [
        *_receivables(conn, org_id, currency, today, habits),
        *_payables(conn, org_id, currency, today),
        *_payments(conn, org_id, currency, today),
        *_reserves(conn, org_id, currency, today, habits),
        *_asked_back(conn, org_id, currency, today),
    ]


def habits_of(conn: Connection, seller_id: str, today: dt.date) -> dict[str, int]:
    """Say by how many days each buyer usually pays the firm late: mean by amount, never below 0.

    Over the firm's own invoices that were settled in the last 365 days; a buyer of fewer than
    three is taken at its word.
    """
    settled = func.max(_FACT.c.paid_on)
    rows = conn.execute(
        select(_INVOICE.c.buyer_id, _INVOICE.c.due_on, _INVOICE.c.base_minor, settled)
        .join(_FACT, _FACT.c.invoice_id == _INVOICE.c.id)
        .where(
            _INVOICE.c.seller_id == seller_id,
            _INVOICE.c.payment_state.in_(("PAID", "PART_PAID")),
            # What matters of it has come; a rest of a hundredth is a quarrel about cents.
            _INVOICE.c.base_minor >= _UNPAID * _SMALL,
            _INVOICE.c.due_on.is_not(None),
        )
        .group_by(_INVOICE.c.id, _INVOICE.c.buyer_id, _INVOICE.c.due_on, _INVOICE.c.base_minor)
        .having(settled >= today - dt.timedelta(days=_PAST))
    )
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for buyer, due_on, minor, paid_on in rows:
        one = sums[buyer]
        one[0] += max(0, (paid_on - due_on).days) * int(minor)
        one[1] += int(minor)
        one[2] += 1
    return {
        buyer: round_half_up(Fraction(days, minor))
        for buyer, (days, minor, count) in sums.items()
        if count >= LEAST_ITEMS and minor
    }


def _expected(due_on: dt.date, late: int, today: dt.date) -> dt.date | None:
    """Give the day on which money usually comes; none once that day has passed without it."""
    on = due_on + dt.timedelta(days=late)
    return on if on >= today else None


def _open(column_side: Any, org_id: str, currency: str, rest: Any) -> Any:  # noqa: ANN401 - columns
    return select(
        _INVOICE.c.id,
        _INVOICE.c.number,
        _INVOICE.c.seller_id,
        _INVOICE.c.buyer_id,
        _INVOICE.c.due_on,
        rest.label("rest"),
    ).where(
        column_side == org_id,
        _INVOICE.c.currency == currency,
        _INVOICE.c.document_state == "VALIDATED",
        _INVOICE.c.payment_state.in_(_OPEN),
        _INVOICE.c.acceptance_state != "REJECTED",
        _INVOICE.c.due_on.is_not(None),
        rest > 0,
    )


def _receivables(
    conn: Connection, org_id: str, currency: str, today: dt.date, habits: dict[str, int]
) -> list[Flow]:
    """What buyers owe and no bank has advanced or set aside."""
    return [
        Flow(
            "buyer",
            row.buyer_id,
            row.id,
            row.number,
            row.due_on,
            _expected(row.due_on, habits.get(row.buyer_id, 0), today),
            int(row.rest),
        )
        for row in conn.execute(_open(_INVOICE.c.seller_id, org_id, currency, UNFINANCED))
    ]


def _payables(conn: Connection, org_id: str, currency: str, today: dt.date) -> list[Flow]:
    """What the firm owes by its suppliers' invoices; what is overdue is owed today."""
    return [
        Flow(
            "supplier",
            row.seller_id,
            row.id,
            row.number,
            row.due_on,
            max(row.due_on, today),
            -int(row.rest),
        )
        for row in conn.execute(_open(_INVOICE.c.buyer_id, org_id, currency, _UNPAID))
    ]


def _payments(conn: Connection, org_id: str, currency: str, today: dt.date) -> list[Flow]:
    """What banks have been told to pay the firm and have not booked yet."""
    rows = conn.execute(
        select(
            _PAYMENT.c.id,
            _PAYMENT.c.financier_id,
            _PAYMENT.c.end_to_end_id,
            _PAYMENT.c.value_on,
            _PAYMENT.c.amount_minor,
        ).where(
            _PAYMENT.c.payee_id == org_id,
            _PAYMENT.c.currency == currency,
            _PAYMENT.c.state.in_(_COMING),
        )
    )
    return [
        Flow(
            "bank",
            row.financier_id,
            row.id,
            row.end_to_end_id,
            row.value_on,
            max(row.value_on, today),
            int(row.amount_minor),
        )
        for row in rows
    ]


def _reserves(
    conn: Connection, org_id: str, currency: str, today: dt.date, habits: dict[str, int]
) -> list[Flow]:
    """What banks keep back of advances until the buyer has paid, less what it costs till then."""
    kept = _ADVANCE.c.reserve_left_minor - (
        _ADVANCE.c.interest_minor - _ADVANCE.c.interest_paid_minor
    )
    rows = conn.execute(
        select(
            _ADVANCE.c.id,
            _ADVANCE.c.financier_id,
            _ADVANCE.c.obligor_id,
            _ADVANCE.c.due_on,
            _INVOICE.c.number,
            kept.label("kept"),
        )
        .join(_INVOICE, _INVOICE.c.id == _ADVANCE.c.invoice_id)
        .where(
            _ADVANCE.c.seller_id == org_id,
            _ADVANCE.c.currency == currency,
            _ADVANCE.c.state.in_(OUT),
            _ADVANCE.c.reserve_left_minor > 0,
            kept > 0,
        )
    )
    return [
        Flow(
            "reserve",
            row.financier_id,
            row.id,
            row.number,
            row.due_on,
            _expected(row.due_on, habits.get(row.obligor_id, 0), today),
            int(row.kept),
        )
        for row in rows
    ]


def _asked_back(conn: Connection, org_id: str, currency: str, today: dt.date) -> list[Flow]:
    """What banks have asked the firm to pay in its buyers' place, owed today."""
    rows = conn.execute(
        select(_ADVANCE, _INVOICE.c.number)
        .join(_INVOICE, _INVOICE.c.id == _ADVANCE.c.invoice_id)
        .where(
            _ADVANCE.c.seller_id == org_id,
            _ADVANCE.c.currency == currency,
            _ADVANCE.c.state == "RECOURSE_CALLED",
        )
    ).all()
    owed = [(row, debt(conn, row)) for row in rows]
    return [
        Flow("asked_back", row.financier_id, row.id, row.number, row.due_on, today, -minor)
        for row, minor in owed
        if minor
    ]


def by_firm(flows: Sequence[Flow]) -> list[tuple[str, int, int]]:
    """Give firm, sum and number of flows, the largest sum first."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for flow in flows:
        sums[flow.firm_id][0] += flow.minor
        sums[flow.firm_id][1] += 1
    return sorted(
        ((firm, minor, count) for firm, (minor, count) in sums.items()),
        key=lambda one: (-abs(one[1]), one[0]),
    )
