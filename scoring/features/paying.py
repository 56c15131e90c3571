"""How firms pay what they owe, added up invoice by invoice."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.features.events import Bools, Floats, Ints
from scoring.features.standing import Standing

YEAR: Final = 365
LATE_AFTER: Final = 5
RECENT: Final = 90
MONTH: Final = 365.25 / 12
_LATE_PRIOR: Final = (1, 5)  # one late item of five
_DAYS_PRIOR: Final = (5, 5)  # five items of five days


class Paying:
    """What debtors did before day t; invoices may come in any portions, in one order.

    Parameters
    ----------
    n_firms, t : int
        The number of firms, and the day.

    Notes
    -----
    Each sum grows by one invoice at a time (`numpy.add.at`), so that its last bit depends on the
    order of the invoices and not on where the portions end.
    """

    def __init__(self, n_firms: int, t: int) -> None:
        self.n, self.t = n_firms, t
        self._first, self._worst = np.full(n_firms, np.inf), np.zeros(n_firms)
        self._sums = {name: np.zeros(n_firms) for name in _SUMS}

    def add(self, debtor: Ints, state: Standing) -> None:
        """Take in some invoices.

        Parameters
        ----------
        debtor : ndarray of int, shape (d,)
            Firms by number.
        state : Standing
            Of the same invoices on the morning of day t.
        """
        t = self.t
        paid = (state.net > 0) & state.settled
        np.minimum.at(
            self._first, _places(debtor[paid]), state.settled_known[paid].astype(np.float64)
        )
        # All else is about a year, or still open.
        matter = (state.due >= t - YEAR) | ((state.rest > 0) & ~state.settled)
        matter |= state.settled & (state.settled_on >= t - YEAR)
        rows = np.flatnonzero(matter & (state.net > 0))
        buyer = _places(debtor[rows])
        due, dpd, net, rest = (
            column[rows] for column in (state.due, state.dpd, state.net, state.rest)
        )
        settled, settled_on = state.settled[rows], state.settled_on[rows]

        def total(name: str, which: Bools, values: NDArray[np.generic] | None = None) -> None:
            amounts = 1.0 if values is None else values[which].astype(np.float64)
            np.add.at(self._sums[name], buyer[which], amounts)

        fell_due = (due >= t - YEAR) & (due <= t - LATE_AFTER - 1)
        lately = (due >= t - RECENT) & (due < t)
        before = (due >= t - YEAR) & (due < t - RECENT)
        counted = settled & (settled_on >= t - YEAR)
        still = ~settled & (rest > 0)
        np.maximum.at(self._worst, buyer[still], dpd[still].astype(np.float64))
        total("due_items", fell_due)
        total("due", fell_due, net)
        total("late", fell_due & (dpd > LATE_AFTER), net)
        total("lately_items", lately)
        total("lately_days", lately, dpd)
        total("before_items", before)
        total("before_days", before, dpd)
        total("items", counted)
        total("counted", counted, net)
        total("counted_days", counted, net * dpd)
        total("open", still, rest)
        total("overdue", still & (dpd > LATE_AFTER), rest)

    def found(self) -> dict[str, Floats]:
        """Return the features of all firms that follow from it, shape (n,) each."""
        sums = self._sums
        items, due_items = sums["items"], sums["due_items"]
        mean = over(sums["counted"], items)
        late_items, all_items = _LATE_PRIOR
        days, prior = _DAYS_PRIOR
        return {
            "late_share": over(
                over(sums["late"] * due_items, sums["due"]) + late_items,
                np.where(due_items > 0, due_items + all_items, 0.0),
            ),
            "worst_dpd": self._worst,
            "trend_days": over(sums["lately_days"], sums["lately_items"])
            - over(sums["before_days"], sums["before_items"]),
            "late_days": over(sums["counted_days"] + prior * days * mean, (items + prior) * mean),
            "overdue_share": over(sums["overdue"], sums["open"]),
            "months_observed": np.where(
                np.isfinite(self._first), (self.t - self._first) / MONTH, np.nan
            ),
        }


_SUMS: Final = (
    "due_items", "due", "late", "lately_items", "lately_days", "before_items", "before_days",
    "items", "counted", "counted_days", "open", "overdue",
)  # fmt: skip


def over(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by.

    Examples
    --------
    >>> over(np.array([1.0, 1.0]), np.array([4.0, 0.0])).tolist()
    [0.25, nan]
    """
    found = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _places(firms: Ints) -> Ints:
    """Give numbers as they index; narrower ones take the slow way through `numpy.add.at`."""
    return firms.astype(np.int64, copy=False)
