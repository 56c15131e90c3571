"""Who sells what to whom, added up invoice by invoice to one row a pair."""

import dataclasses
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scoring.features.events import Bools, Floats, Ints, Invoices
from scoring.features.paying import LATE_AFTER, YEAR
from scoring.features.standing import Standing

QUARTER: Final = 13 * 7
FOUR_QUARTERS: Final = 52 * 7
LOST_WEEKS: Final = 8  # of sales that are lost beside the receivable when a buyer fails

Shorts = NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Pairs:
    """One row a seller and buyer, ascending; columns by firm carry the firm in their name."""

    seller: Ints
    buyer: Ints
    sold: Floats  # in 52 weeks
    exposure: Floats  # receivable at the seller's risk and some weeks of sales
    overdue: Floats  # of that receivable
    sold_year: Floats  # by seller, as are the rest
    sold_13: Floats
    sold_13_then: Floats
    undertaken: Floats
    diluted: Floats
    gross: Floats
    invoices: Floats
    last_sale: Floats


class Trading:
    """Trade before day t; invoices may come in any portions, in one order.

    Parameters
    ----------
    n_firms, t : int
        The number of firms, and the day.
    """

    def __init__(self, n_firms: int, t: int) -> None:
        self.n, self.t = n_firms, t
        self._last = np.full(n_firms, -np.inf)
        self._sums = {name: np.zeros(n_firms) for name in _BY_SELLER}
        self._ends: list[tuple[Shorts, Shorts]] = []
        self._amounts: dict[str, list[Floats]] = {name: [] for name in _BY_PAIR}

    def add(self, trade: Invoices, state: Standing) -> None:
        """Take in some invoices, and how they stand on the morning of day t."""
        t = self.t
        sells = state.sold > 0
        np.maximum.at(
            self._last,
            trade.seller[sells].astype(np.int64, copy=False),
            trade.issued[sells].astype(np.float64),
        )
        # All else is about five quarters, or still open.
        recent = trade.issued >= t - FOUR_QUARTERS - QUARTER
        rows = np.flatnonzero(recent | (state.kept > 0))
        seller = trade.seller[rows].astype(np.int64, copy=False)
        issued, amount = trade.issued[rows], state.base[rows]
        sold, kept = state.sold[rows], state.kept[rows]

        def since(day: int, days: int) -> Floats:
            return np.where((issued >= day - days) & (issued < day), sold, 0.0)

        def by_seller(name: str, which: Bools | None, values: Floats | float) -> None:
            np.add.at(self._sums[name], seller if which is None else seller[which], values)

        year, quarter = since(t, FOUR_QUARTERS), since(t, QUARTER)
        counted = (issued >= t - YEAR) & ((state.rest[rows] <= 0) | state.settled[rows])
        counted &= amount > 0
        gross, backed = amount[counted], state.undertaken[rows]
        by_seller("sold_year", None, since(t, YEAR))
        by_seller("sold_13", None, quarter)
        by_seller("sold_13_then", None, since(t - FOUR_QUARTERS, QUARTER))
        by_seller("undertaken", backed, year[backed])
        by_seller("diluted", counted, np.minimum(state.diluted[rows][counted], gross))
        by_seller("gross", counted, gross)
        by_seller("invoices", counted, 1.0)
        self._ends.append((seller.astype(np.int32), trade.buyer[rows].astype(np.int32)))
        self._amounts["sold"].append(year)
        self._amounts["exposure"].append(kept + quarter * (LOST_WEEKS / 13))
        self._amounts["overdue"].append(np.where(state.dpd[rows] > LATE_AFTER, kept, 0.0))

    def pairs(self) -> Pairs:
        """Add up all that was taken in; what was held for it is given away."""
        seller, buyer = (
            np.concatenate([ends[side] for ends in self._ends] or [np.zeros(0, np.int32)])
            for side in (0, 1)
        )
        self._ends.clear()
        order = _ordered(seller, self.n, _ordered(buyer, self.n))
        seller, buyer = seller[order], buyer[order]
        start = np.ones(len(order), np.bool_)
        start[1:] = (seller[1:] != seller[:-1]) | (buyer[1:] != buyer[:-1])
        first = np.flatnonzero(start)
        seller, buyer = seller[first].astype(np.int64), buyer[first].astype(np.int64)

        def total(name: str) -> Floats:
            if not len(first):
                return np.zeros(0)
            values = np.concatenate(self._amounts.pop(name))
            return np.add.reduceat(values[order], first)

        return Pairs(
            seller,
            buyer,
            **{name: total(name) for name in _BY_PAIR},
            **self._sums,
            last_sale=self._last,
        )


_BY_PAIR: Final = ("sold", "exposure", "overdue")
_BY_SELLER: Final = (
    "sold_year", "sold_13", "sold_13_then", "undertaken", "diluted", "gross", "invoices",
)  # fmt: skip


def _ordered(keys: Shorts, n: int, order: Shorts | None = None) -> Shorts:
    """Sort row numbers by a key below n, those of one key as they stood: a counting sort."""
    from scipy.sparse import csr_array

    column = keys if order is None else keys[order]
    rows = np.arange(len(column) + 1, dtype=np.int32)
    each = np.ones(len(column), np.int8)
    one = csr_array((each, column, rows), shape=(len(column), n))
    sorted_: Shorts = one.tocsc().indices
    return sorted_ if order is None else order[sorted_]
