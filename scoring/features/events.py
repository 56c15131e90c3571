"""What was stored of firms and their trade, as columns; each row with the day it became known.

Days are whole numbers from any common origin that is a Thursday, as 1970-01-01 is; amounts are
whole minor units of one currency. A row may be seen on day t when it became known before t.
"""

import dataclasses
from collections.abc import Iterator
from typing import Final, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

PORTION: Final = 2**17  # invoices that are looked at together

# Kinds of changes. Amounts of the first five add up; a negative one takes back.
PAID: Final = 0  # by the debtor, booked and matched; `on` is the value date
CREDITED: Final = 1
DISPUTED: Final = 2  # and negative when it is decided
CONCEDED: Final = 3  # upheld: counts as diluted
SOLD: Final = 4  # its credit risk has left the seller: sold without recourse
UNDERTAKEN: Final = 5  # covered by an accepted undertaking; the amount says nothing
MOVED: Final = 6  # `on` is the new due date
AMENDED: Final = 7  # by so much it is worth more, or less; adds up, to nothing once it is void
KINDS: Final = (PAID, CREDITED, DISPUTED, CONCEDED, SOLD, UNDERTAKEN, MOVED, AMENDED)


class _Rows:
    """Columns of one length, of which some rows can be kept."""

    def __len__(self) -> int:
        return len(getattr(self, dataclasses.fields(self)[0].name))  # type: ignore[arg-type]

    def of(self, keep: Bools | Ints | slice) -> Self:
        """Return the rows to keep, by flag, number or place."""
        columns = {
            field.name: getattr(self, field.name)[keep]
            for field in dataclasses.fields(self)  # type: ignore[arg-type]
        }
        return dataclasses.replace(self, **columns)  # type: ignore[type-var]


@dataclasses.dataclass(frozen=True)
class Invoices(_Rows):
    """One row an invoice; known from acceptance, or from its debtor's first payment.

    Attributes
    ----------
    seller, buyer : ndarray of int, shape (d,)
        Numbers of firms.
    amount : ndarray of int, shape (d,)
        Minor units, not negative.
    issued, due, known : ndarray of int, shape (d,)
        Days.
    """

    seller: Ints
    buyer: Ints
    amount: Ints
    issued: Ints
    due: Ints
    known: Ints


@dataclasses.dataclass(frozen=True)
class Changes(_Rows):
    """One row a fact about an invoice, in the order in which they were stored.

    Attributes
    ----------
    invoice : ndarray of int, shape (c,)
        Row of the invoice.
    kind : ndarray of int, shape (c,)
        One of `KINDS`.
    amount : ndarray of int, shape (c,)
        Minor units.
    on, known : ndarray of int, shape (c,)
        Days.
    """

    invoice: Ints
    kind: NDArray[np.int8]
    amount: Ints
    on: Ints
    known: Ints


@dataclasses.dataclass(frozen=True)
class Statements(_Rows):
    """One row a statement; of several the last counts; NaN where it says nothing.

    Attributes
    ----------
    firm : ndarray of int, shape (s,)
    revenue, weekly_cost, liquid : ndarray of float64, shape (s,)
        Minor units: of the year, of a week, and cash with undrawn committed lines.
    equity_ratio : ndarray of float64, shape (s,)
        May be negative.
    period_end, known : ndarray of int, shape (s,)
        Days.
    """

    firm: Ints
    revenue: Floats
    weekly_cost: Floats
    liquid: Floats
    equity_ratio: Floats
    period_end: Ints
    known: Ints


@dataclasses.dataclass(frozen=True)
class Foundings(_Rows):
    """One row a day of foundation that a registry told; of several the last one counts."""

    firm: Ints
    on: Ints
    known: Ints


@dataclasses.dataclass(frozen=True)
class Failures(_Rows):
    """One row a default of a firm."""

    firm: Ints
    known: Ints


@dataclasses.dataclass(frozen=True)
class Events:
    """All that was stored.

    Attributes
    ----------
    n_firms : int
    invoices, changes, statements, foundings, failures
        The rows.
    """

    n_firms: int
    invoices: Invoices
    changes: Changes
    statements: Statements
    foundings: Foundings
    failures: Failures

    def __post_init__(self) -> None:
        """Refuse columns that do not fit together."""
        every = (self.invoices, self.changes, self.statements, self.foundings, self.failures)
        for rows in every:
            sizes = {len(getattr(rows, field.name)) for field in dataclasses.fields(rows)}
            if len(sizes) > 1:
                raise ValueError(f"{type(rows).__name__} has columns of {sorted(sizes)} rows.")
        firms = {
            "seller": self.invoices.seller,
            "buyer": self.invoices.buyer,
            "statements": self.statements.firm,
            "foundings": self.foundings.firm,
            "failures": self.failures.firm,
        }
        for name, column in firms.items():
            _within(name, column, self.n_firms)
        _within("changes", self.changes.invoice, len(self.invoices))
        _within("kind", self.changes.kind, len(KINDS))
        if (self.invoices.amount < 0).any():
            raise ValueError("An invoice has a negative amount; a credit note is a change.")

    def without_trade(self) -> Self:
        """Return what was stored of the firms themselves, and of no invoice."""
        return dataclasses.replace(self, invoices=empty(Invoices), changes=empty(Changes))

    def portions(self, t: int) -> Iterator[Self]:
        """Give the invoices known before day t portion by portion, each with its changes.

        Parameters
        ----------
        t : int
            Day; rows that became known on it are left out.

        Yields
        ------
        Events
            As of `before`, of some invoices in their order and of nothing else; one at least.

        Notes
        -----
        O(rows). What works on a portion stays in the caches, and is gone before the next one.
        """
        alone = dataclasses.replace(
            self, statements=empty(Statements), foundings=empty(Foundings), failures=empty(Failures)
        )
        if len(self.invoices) <= PORTION:
            yield alone.before(t)
            return
        portion = self.changes.invoice // PORTION
        # As few bits as there are portions: those of 16 are put in order without a comparison.
        if len(self.invoices) <= PORTION * 2**16:
            portion = portion.astype(np.uint16)
        order = np.argsort(portion, kind="stable")
        begins = range(0, len(self.invoices), PORTION)
        ends = np.cumsum(np.bincount(portion, minlength=len(begins))).tolist()
        del portion
        for number, begin in enumerate(begins):
            invoices = self.invoices.of(slice(begin, begin + PORTION))
            changes = self.changes.of(order[ends[number - 1] if number else 0 : ends[number]])
            changes = dataclasses.replace(changes, invoice=changes.invoice - begin)
            yield dataclasses.replace(alone, invoices=invoices, changes=changes).before(t)

    def before(self, t: int) -> Self:
        """Return what was known before day t; invoices keep their order and get new numbers.

        Parameters
        ----------
        t : int
            Day; rows that became known on it are left out.

        Notes
        -----
        O(rows). Columns are not copied where every row may be seen.
        """
        seen = self.invoices.known < t
        told = self.changes.known < t
        changes = self.changes
        if not seen.all():
            told = told & seen[changes.invoice]
            number = np.cumsum(seen) - 1
            changes = dataclasses.replace(changes, invoice=number[changes.invoice])
        return dataclasses.replace(
            self,
            invoices=_where(self.invoices, seen),
            changes=_where(changes, told),
            statements=_where(self.statements, self.statements.known < t),
            foundings=_where(self.foundings, self.foundings.known < t),
            failures=_where(self.failures, self.failures.known < t),
        )


R = TypeVar("R", Invoices, Changes, Statements, Foundings, Failures)


def empty(kind: type[R]) -> R:
    """Return rows of a kind without any row.

    Examples
    --------
    >>> len(empty(Failures))
    0
    """
    none: dict[str, Ints] = {
        field.name: np.zeros(0, np.int64) for field in dataclasses.fields(kind)
    }
    return kind(**none)  # type: ignore[arg-type]


def _where(rows: R, keep: Bools) -> R:
    """Keep flagged rows; the same object when that is all."""
    return rows if keep.all() else rows.of(keep)


def _within(name: str, column: NDArray[np.integer], size: int) -> None:
    if len(column) and not 0 <= column.min() <= column.max() < size:
        raise ValueError(f"{name} names {column.min()} to {column.max()}; there are {size}.")
