"""An anchor's disclosure on supplier finance arrangements, counted from its own book and memos.

Source: IAS 7.44F to 44H as amended in May 2023: (a) terms; (b)(i) carrying amounts, (ii) of which
suppliers are paid already, (iii) the range of due days of these and of comparable payables; (c)
changes of the carrying amounts, those without cash by their kind.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.accounting.journal import JournalLine, journal_lines
from scf.documents.models import Invoice, InvoiceFact
from scf.financing.models import Advance
from scf.kernel.errors import InvalidInput, NotFound
from scf.ledger.models import NoEntry
from scf.programmes.models import Programme
from scf.programmes.service import terms_on
from scf.settlement.journals import ARRANGEMENT, CASH
from scf.settlement.models import Allocation

_advance: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_allocation: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_dash: Final[Table] = NoEntry.__table__  # type: ignore[attr-defined]
_fact: Final[Table] = InvoiceFact.__table__  # type: ignore[attr-defined]
_invoice: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
_programme: Final[Table] = Programme.__table__  # type: ignore[attr-defined]
_LONGEST: Final = 1100  # days: three years
# An order to the bank says nothing yet on whether the supplier has its money.
_ORDERED: Final = "payout.instructed"
# Its memo is 44H(b)(ii); one sent again after a return settles under the same name.
_SETTLED: Final = "payout.settled"


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The terms of one arrangement, 44H(a); the shares and rates in parts per million."""

    programme_id: str
    name: str
    financier_id: str
    state: str
    technique: str
    undertaking: bool
    recourse: str
    disclosed: bool
    tenor_min_days: int
    tenor_max_days: int
    grace_days: int
    penalty_multiple_ppm: int
    currencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Days from issue to due day of so many invoices; none of them is none."""

    invoices: int = 0
    shortest: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class AtDay:
    """What stands at the close of a day: 44H(b)(i) to (iii)."""

    on: dt.date
    carrying_minor: int
    paid_to_suppliers_minor: int
    due: Range
    comparable_minor: int
    comparable: Range


@dataclass(frozen=True, slots=True)
class Change:
    """What moved the carrying amount: the kind of event, with cash or without, and how much."""

    kind: str
    cash: bool
    entries: int
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Figures:
    """One currency: opening, changes, closing; opening and changes sum to closing."""

    currency: str
    opening: AtDay
    closing: AtDay
    changes: tuple[Change, ...]

    @property
    def without_cash_minor(self) -> int:
        """The sum of the changes that moved no cash, 44H(c)."""
        return sum(one.amount_minor for one in self.changes if not one.cash)


@dataclass(frozen=True, slots=True)
class Report:
    """The disclosure of one anchor for a period, both days included."""

    org_id: str
    from_on: dt.date
    to_on: dt.date
    arrangements: tuple[Arrangement, ...]
    figures: tuple[Figures, ...]


def supplier_finance(conn: Connection, org_id: str, from_on: dt.date, to_on: dt.date) -> Report:
    """Count the disclosure of an anchor from its book, its memos and its invoices.

    Raises
    ------
    InvalidInput
        PERIOD when it runs backwards or is longer than three years.
    """
    if not 0 <= (to_on - from_on).days <= _LONGEST:
        raise InvalidInput("PERIOD", "A report runs forward and over at most three years.")
    lines = list(journal_lines(conn, org_id, None, to_on))
    book = _Book(conn, org_id, [line for line in lines if line.account_code == ARRANGEMENT])
    before = from_on - dt.timedelta(days=1)
    figures = tuple(
        Figures(
            currency,
            book.at(currency, before),
            book.at(currency, to_on),
            _changes(lines, currency, from_on),
        )
        for currency in sorted({line.currency for line in book.lines})
    )
    return Report(org_id, from_on, to_on, tuple(_arrangements(conn, org_id, to_on)), figures)


def _changes(lines: Iterable[JournalLine], currency: str, from_on: dt.date) -> tuple[Change, ...]:
    """Sum what moved the account by the kind of its event, apart where cash moved with it."""
    found: dict[tuple[bool, str], list[int]] = defaultdict(list)
    wanted = (line for line in lines if line.currency == currency and line.booked_on >= from_on)
    for _entry_id, group in groupby(wanted, key=lambda line: line.entry_id):
        entry = list(group)
        moved = -sum(line.amount_minor for line in entry if line.account_code == ARRANGEMENT)
        if moved:
            cash = any(line.account_code == CASH for line in entry)
            found[cash, entry[0].event_kind].append(moved)
    return tuple(
        Change(kind, cash, len(amounts), sum(amounts))
        for (cash, kind), amounts in sorted(found.items())
    )


class _Book:
    """The account of the arrangement with the invoices behind its lines."""

    def __init__(self, conn: Connection, org_id: str, lines: list[JournalLine]) -> None:
        self.lines = lines
        owed = conn.execute(select(_advance).where(_advance.c.obligor_id == org_id)).all()
        self._faces = {row.id: (row.face_minor, row.currency) for row in owed}
        parts = (
            select(_allocation.c.id, _allocation.c.invoice_id)
            .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
            .where(_invoice.c.buyer_id == org_id)
        )
        self._invoice_of = {row.id: row.invoice_id for row in owed}
        self._invoice_of |= {row.id: row.invoice_id for row in conn.execute(parts)}
        bought = select(_invoice).where(
            _invoice.c.buyer_id == org_id, _invoice.c.document_state == "VALIDATED"
        )
        self._invoices: Mapping[str, Any] = {row.id: row for row in conn.execute(bought)}
        self._told = _told(conn, org_id)
        self._paid = _paid(conn, org_id)

    def at(self, currency: str, on: dt.date) -> AtDay:
        """Say what stands at the close of a day."""
        by_subject: dict[str, int] = defaultdict(int)
        by_invoice: dict[str, int] = defaultdict(int)
        for line in self.lines:
            if line.currency == currency and line.booked_on <= on:
                by_subject[line.subject_id] -= line.amount_minor
                by_invoice[self._invoice_of.get(line.subject_id, line.subject_id)] -= (
                    line.amount_minor
                )
        inside = [one for one, minor in by_invoice.items() if minor > 0]
        outside = {
            row.id: left
            for row in self._invoices.values()
            if row.id not in by_invoice
            and row.currency == currency
            and row.issue_on <= on
            and (left := row.base_minor - row.credited_minor - self._paid_by(row.id, on)) > 0
        }
        return AtDay(
            on,
            sum(by_invoice.values()),
            sum(
                max(0, face + by_subject.get(advance, 0))
                for advance, (face, its) in self._faces.items()
                if its == currency
                and self._invoice_of[advance] in by_invoice
                and self._supplier_has_it(advance, on)
            ),
            self._range(inside),
            sum(outside.values()),
            self._range(outside),
        )

    def _supplier_has_it(self, advance: str, on: dt.date) -> bool:
        """Tell whether the last word on the pay-out by then was that it had settled."""
        last = [memo for day, memo in self._told.get(advance, ()) if day <= on]
        return bool(last) and last[-1]

    def _paid_by(self, invoice: str, on: dt.date) -> int:
        paid = [minor for day, minor in self._paid.get(invoice, ()) if day <= on]
        return paid[-1] if paid else 0

    def _range(self, invoices: Iterable[str]) -> Range:
        days = [
            (row.due_on - row.issue_on).days
            for one in invoices
            if (row := self._invoices.get(one)) is not None and row.due_on is not None
        ]
        return Range(len(days), min(days), max(days)) if days else Range()


def _told(conn: Connection, org_id: str) -> dict[str, list[tuple[dt.date, bool]]]:
    """Give by advance what the book was told of its pay-out: the day, and whether it settled."""
    found: dict[str, list[tuple[dt.date, bool]]] = defaultdict(list)
    rows = conn.execute(
        select(_dash)
        .where(
            _dash.c.org_id == org_id,
            _dash.c.event_kind.like("payout.%"),
            _dash.c.event_kind != _ORDERED,
        )
        .order_by(_dash.c.booked_on, _dash.c.id)
    )
    for row in rows:
        found[row.subject_id].append((row.booked_on, row.event_kind == _SETTLED))
    return found


def _paid(conn: Connection, org_id: str) -> dict[str, list[tuple[dt.date, int]]]:
    """Give by invoice how much of it was paid from which day on, as came to be known."""
    found: dict[str, list[tuple[dt.date, int]]] = defaultdict(list)
    rows = conn.execute(
        select(_fact.c.invoice_id, _fact.c.paid_on, _fact.c.paid_minor)
        .join(_invoice, _invoice.c.id == _fact.c.invoice_id)
        .where(_invoice.c.buyer_id == org_id, _fact.c.paid_on.is_not(None))
        .order_by(_fact.c.sequence)
    )
    for row in rows:
        found[row.invoice_id].append((row.paid_on, row.paid_minor))
    return found


def _arrangements(conn: Connection, org_id: str, on: dt.date) -> Iterable[Arrangement]:
    """Give the terms in force at the end of every arrangement of the anchor."""
    rows = conn.execute(
        select(_programme)
        .where(_programme.c.anchor_id == org_id)
        .order_by(_programme.c.name, _programme.c.id)
    )
    for row in rows:
        try:
            _version, terms = terms_on(conn, row.id, on)
        except NotFound:
            continue
        yield Arrangement(
            row.id,
            row.name,
            row.financier_id,
            row.state,
            terms.technique,
            terms.ipu == "from_acceptance",
            terms.recourse,
            terms.disclosed,
            terms.tenor_min_days,
            terms.tenor_max_days,
            terms.grace_days,
            terms.penalty_multiple_ppm,
            tuple(sorted(terms.currency)),
        )
