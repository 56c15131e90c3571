"""A seller's account of what was paid early: opened, financed, paid back by buyers, closed.

Reads only. What is outstanding is face that was paid out early and that nobody has paid back yet;
so opening balance + financed − paid back = closing balance, by construction and to the cent.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.daycount import DayCount
from scf.kernel.rates import PPM, round_half_up
from scf.settlement.models import Allocation

_ADVANCE: Final[Table] = Advance.__table__  # type: ignore[attr-defined]
_ALLOCATION: Final[Table] = Allocation.__table__  # type: ignore[attr-defined]
_INVOICE: Final[Table] = Invoice.__table__  # type: ignore[attr-defined]
# Money went out and came back unused: nothing was financed.
_UNDONE: Final = ("UNWOUND",)
_ORDER: Final = {"PAID_EARLY": 0, "BUYER_PAID": 1, "ENDED": 2}
_OVER: Final = ("CLOSED", "REPURCHASED")


@dataclass(frozen=True)
class Movement:
    """One line: an invoice paid early, or its buyer's payment."""

    on: dt.date
    kind: str  # PAID_EARLY BUYER_PAID ENDED
    invoice_id: str
    number: str
    obligor_id: str
    face_minor: int
    discount_minor: int
    fee_minor: int
    tax_minor: int
    reserve_minor: int
    net_minor: int
    all_in_ppm: int

    @property
    def change_minor(self) -> int:
        """What the line adds to what is outstanding."""
        return self.face_minor if self.kind == "PAID_EARLY" else -self.face_minor


@dataclass(frozen=True)
class Statement:
    """A period of one currency."""

    seller_id: str
    currency: str
    from_on: dt.date
    to_on: dt.date
    opening_minor: int
    movements: tuple[Movement, ...]

    @property
    def closing_minor(self) -> int:
        """What is outstanding at the end."""
        return self.opening_minor + sum(one.change_minor for one in self.movements)

    def total(self, name: str, kind: str = "PAID_EARLY") -> int:
        """Add one column up over the lines of a kind."""
        return sum(getattr(one, name) for one in self.movements if one.kind == kind)


def statement_of(
    conn: Connection, seller_id: str, currency: str, from_on: dt.date, to_on: dt.date
) -> Statement:
    """Give a seller's statement of a period, both days included."""
    found = sorted(
        (one for one in _movements(conn, seller_id, currency) if one.on <= to_on),
        key=lambda one: (one.on, _ORDER[one.kind], one.number, one.invoice_id),
    )
    before = sum(one.change_minor for one in found if one.on < from_on)
    within = tuple(one for one in found if one.on >= from_on)
    return Statement(seller_id, currency, from_on, to_on, before, within)


def _movements(conn: Connection, seller_id: str, currency: str) -> Iterator[Movement]:
    advances = conn.execute(
        select(_ADVANCE, _INVOICE.c.number)
        .join(_INVOICE, _INVOICE.c.id == _ADVANCE.c.invoice_id)
        .where(
            _ADVANCE.c.seller_id == seller_id,
            _ADVANCE.c.currency == currency,
            _ADVANCE.c.funded_on.is_not(None),
            _ADVANCE.c.state.not_in(_UNDONE),
        )
    ).all()
    left = {row.id: row.face_minor for row in advances}
    for row in advances:
        yield _line(row, row.funded_on, "PAID_EARLY", row.face_minor)
    by_id = {row.id: row for row in advances}
    paid = conn.execute(
        select(_ALLOCATION.c.advance_id, _ALLOCATION.c.value_on, _ALLOCATION.c.amount_minor)
        .join(_ADVANCE, _ADVANCE.c.id == _ALLOCATION.c.advance_id)
        .where(
            _ADVANCE.c.seller_id == seller_id,
            _ADVANCE.c.currency == currency,
            _ALLOCATION.c.kind == "principal",
            _ALLOCATION.c.reversed_by.is_(None),
        )
    )
    for one in paid:
        if one.advance_id in by_id:
            left[one.advance_id] -= one.amount_minor
            yield _line(by_id[one.advance_id], one.value_on, "BUYER_PAID", one.amount_minor)
    for row in advances:  # bought back or settled without a payment of the buyer
        if row.state in _OVER and left[row.id] > 0:
            yield _line(row, row.closed_on or row.due_on, "ENDED", left[row.id])


def _line(row: Any, on: dt.date, kind: str, face: int) -> Movement:  # noqa: ANN401 - a row
    early = kind == "PAID_EARLY"
    return Movement(
        on,
        kind,
        row.invoice_id,
        row.number,
        row.obligor_id,
        face,
        row.discount_minor if early else 0,
        row.fee_minor if early else 0,
        row.tax_minor if early else 0,
        row.reserve_minor if early else 0,
        row.net_minor if early else 0,
        _all_in(row) if early else 0,
    )


def _all_in(row: Any) -> int:  # noqa: ANN401 - a row
    charges = row.discount_minor + row.fee_minor + row.tax_minor
    cash_days = row.net_minor * row.days
    basis = DayCount(row.day_count).basis
    return round_half_up(Fraction(charges * basis * PPM, cash_days)) if cash_days > 0 else 0
