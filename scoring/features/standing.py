"""How each invoice stood before a morning: what of it is owed, paid, late."""

import dataclasses
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from scoring.features.events import (
    AMENDED,
    CONCEDED,
    CREDITED,
    DISPUTED,
    MOVED,
    PAID,
    SOLD,
    UNDERTAKEN,
    Bools,
    Changes,
    Events,
    Floats,
    Ints,
)

SMALL_SHARE: Final = 100  # a hundredth of the invoice stays open without making it late
SMALL_MINOR: Final = 50_000  # and so do five hundred units
_SATURDAY: Final = 5
_THURSDAY: Final = 3


@dataclasses.dataclass(frozen=True)
class Standing:
    """One row an invoice. Amounts are floats that hold whole minor units exactly below 2^53.

    Attributes
    ----------
    base : ndarray of float64, shape (d,)
        What it is about, with what was amended.
    net, rest : ndarray of float64, shape (d,)
        Owed without credits and contested parts, and what of it is unpaid.
    sold : ndarray of float64, shape (d,)
        Amount less credits.
    diluted : ndarray of float64, shape (d,)
        Credits and what the buyer has won.
    kept : ndarray of float64, shape (d,)
        The rest whose credit risk is the seller's.
    due : ndarray of int64, shape (d,)
        As known.
    settled : ndarray of bool, shape (d,)
        Paid but for a crumb.
    settled_on, settled_known : ndarray of int64, shape (d,)
        Value date of the payment that left nothing that matters, and when that was known.
    dpd : ndarray of int64, shape (d,)
        Days past due: as paid, or as it stands open with more than a crumb.
    """

    base: Floats
    net: Floats
    rest: Floats
    sold: Floats
    diluted: Floats
    kept: Floats
    undertaken: Bools
    due: Ints
    settled: Bools
    settled_on: Ints
    settled_known: Ints
    dpd: Ints


def summed(where: Ints, size: int, values: NDArray[Any] | None = None) -> Floats:
    """Add values up by number, or count them; exact for whole numbers below 2^53.

    Examples
    --------
    >>> summed(np.array([0, 2, 2]), 3, np.array([5, 1, 1])).tolist()
    [5.0, 0.0, 2.0]
    """
    return np.asarray(np.bincount(where, values, size), np.float64)


def standing(events: Events, t: int, *, small_minor: int = SMALL_MINOR) -> Standing:
    """Fold the changes of each invoice into how it stood on the morning of day t.

    Parameters
    ----------
    events : Events
        Of which all rows may be seen (`Events.before`).
    t : int
        Day.
    small_minor : int
        What may stay open of any invoice; the greater of this and a hundredth counts.

    Returns
    -------
    Standing

    Notes
    -----
    O(d + c), and a sort of the changes of those invoices that have several.
    """
    invoices, changes = events.invoices, events.changes
    size = len(invoices)

    def total(kind: int) -> Floats:
        which = changes.kind == kind
        return summed(changes.invoice[which], size, changes.amount[which])

    base = invoices.amount.astype(np.float64)
    if changes.kind.max(initial=0) >= AMENDED:
        base += total(AMENDED)
    crumb = np.maximum(base / SMALL_SHARE, small_minor)
    credited, disputed = total(CREDITED), total(DISPUTED)
    net = np.maximum(base - credited - disputed, 0.0)
    rest = np.maximum(net - total(PAID), 0.0)
    due = np.array(invoices.due, np.int64)
    moved = changes.kind == MOVED
    due[changes.invoice[moved]] = changes.on[moved]  # of several, the last one counts
    settled, settled_on, settled_known = _settled(changes, invoices.amount, crumb)
    weekday = (due + _THURSDAY) % 7
    rolled = due + np.where(weekday >= _SATURDAY, 7 - weekday, 0)
    until = np.where(settled, settled_on, t)
    late = (until > rolled) & (settled | (rest > crumb))
    undertaken = np.zeros(size, np.bool_)
    undertaken[changes.invoice[changes.kind == UNDERTAKEN]] = True
    return Standing(
        base=base,
        net=net,
        rest=rest,
        sold=np.maximum(base - credited, 0.0),
        diluted=credited + total(CONCEDED),
        kept=np.where(undertaken, 0.0, np.maximum(rest - total(SOLD), 0.0)),
        undertaken=undertaken,
        due=due,
        settled=settled,
        settled_on=settled_on,
        settled_known=settled_known,
        dpd=np.where(late, until - due, 0),
    )


def _settled(changes: Changes, amounts: Ints, crumb: Floats) -> tuple[Bools, Ints, Ints]:
    """Find from which change on nothing that matters has stayed open, where the debtor paid."""
    size = len(amounts)
    settled = np.zeros(size, np.bool_)
    on, known = np.zeros(size, np.int64), np.zeros(size, np.int64)
    rows = np.flatnonzero((changes.kind <= DISPUTED) | (changes.kind == AMENDED))
    several = np.bincount(changes.invoice[rows], minlength=size) > 1
    invoice = changes.invoice[rows]
    # Most invoices have one change, a payment: for them nothing needs to be put in order.
    once = rows[~several[invoice] & (changes.kind[rows] == PAID)]
    which = changes.invoice[once]
    whole = amounts[which] - changes.amount[once] <= crumb[which]
    which, once = which[whole], once[whole]
    settled[which], on[which], known[which] = True, changes.on[once], changes.known[once]

    rows = rows[several[invoice]]
    if not len(rows):
        return settled, on, known
    rows = rows[np.argsort(changes.invoice[rows], kind="stable")]
    invoice, is_paid = changes.invoice[rows], changes.kind[rows] == PAID
    amount = changes.amount[rows].astype(np.int64)
    start = np.concatenate(([True], invoice[1:] != invoice[:-1]))
    first = np.flatnonzero(start)
    group = np.cumsum(start) - 1

    def running(values: Ints) -> Ints:
        sums = np.concatenate(([0], np.cumsum(values)))
        return np.asarray(sums[1:] - sums[first][group], np.int64)

    paid = running(np.where(is_paid, amount, 0))
    open_ = amounts[invoice] - running(np.where(changes.kind[rows] == AMENDED, -amount, amount))
    holds = (open_ <= crumb[invoice]) & (paid > 0)
    at = np.arange(len(rows))
    last = np.concatenate((first[1:], [len(rows)])) - 1
    begins = np.maximum(np.maximum.reduceat(np.where(holds, -1, at), first) + 1, first)
    done = begins <= last
    row, which = np.minimum(begins, last), invoice[first]
    # The latest value date of a payment up to the change from which it holds.
    told = np.where(is_paid & (amount > 0), changes.on[rows], np.iinfo(np.int32).min)
    span = np.int64(2) ** 33
    latest = np.maximum.accumulate(told + group * span) - group * span
    settled[which], on[which] = done, np.where(done, latest[row], 0)
    known[which] = np.where(done, changes.known[rows[row]], 0)
    return settled, on, known
