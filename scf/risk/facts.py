"""What was known of firms and of pairs of firms before a morning: the inputs of card and price.

Everything is worked out for all firms at once, from columns; asking for one firm reads only its
invoices and gives the same. Source: pricing.md 1.1, 1.6, 1.7, 2.1 and 4.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import Connection

from scf.risk import items as reading
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.firmfacts import Known, full_months, known_of
from scf.risk.items import NO_DAY, Items, day_number
from scoring.card import CardInputs
from scoring.observed import late_share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

YEAR: Final = 365
LATE_AFTER: Final = 5  # days past due until which nobody calls an item late
RECENT: Final = 90
WEEKS_13: Final = 13 * 7
WEEKS_52: Final = 52 * 7
CENTS: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class FirmView:
    """One firm before a morning. Amounts are euro cents."""

    card: CardInputs
    known: Known
    settled_items: int
    late_days_times_minor: int
    late_settled_minor: int
    late_items: int
    sales_52_weeks: int
    sales_13_weeks: int
    months_observed: int | None
    buyers: int  # that it sold to in 52 weeks, and those of them that paid it late
    late_buyers: int
    largest_sales_52_weeks: int  # to one buyer


@dataclasses.dataclass(frozen=True, slots=True)
class PairView:
    """One seller and one buyer before a morning. Amounts are euro cents.

    ``credited_before_minor`` is what of the credited was credited before the buyer's word.
    """

    credited_minor: int
    credited_before_minor: int
    gross_minor: int
    items: int
    sales_52_weeks: int
    settled_items: int


@dataclasses.dataclass(frozen=True)
class Exposures:
    """Who would lose how much if whom failed: pairs of firm numbers, euro cents as floats."""

    seller: "Ints"
    buyer: "Ints"
    receivable: "NDArray[np.float64]"
    weekly_sales: "NDArray[np.float64]"


def firm_views(
    conn: Connection, morning: AsOf, appetite: Appetite, firms: Collection[str]
) -> dict[str, FirmView]:
    """Give what was known of some firms; one that nobody knows anything of has a view too."""
    return views_of(
        reading.load(conn, morning, appetite, firms),
        known_of(conn, morning, appetite, firms),
        morning.on,
        firms,
    )


def pair_view(
    conn: Connection, morning: AsOf, appetite: Appetite, seller_id: str, buyer_id: str
) -> PairView:
    """Give what was known of the trade between a seller and a buyer."""
    items = reading.load_pair(conn, morning, appetite, seller_id, buyer_id)
    t = day_number(morning.on)
    done = items.closed & (items.closed_known >= t - YEAR)
    gross = int(items.base[done].sum())
    return PairView(
        credited_minor=min(int(items.diluted[done].sum()), gross),
        credited_before_minor=min(int(items.diluted_before[done].sum()), gross),
        gross_minor=gross,
        items=int((done & (items.base > 0)).sum()),
        sales_52_weeks=int(items.sold[_since(items, t, WEEKS_52)].sum()),
        settled_items=int(items.settled.sum()),
    )


def views_of(
    items: Items, known: dict[str, Known], on: dt.date, firms: Collection[str]
) -> dict[str, FirmView]:
    """Work out the views from what was read; pure."""
    t = day_number(on)
    columns = _columns(items, t)
    index = items.index()
    nobody = dict.fromkeys(columns, 0) | {"worst": 0, "first_settled": NO_DAY}
    plain = {name: column.tolist() for name, column in columns.items()}
    return {
        firm: view_of(
            {name: values[index[firm]] for name, values in plain.items()}
            if firm in index
            else nobody,
            known.get(firm, Known()),
            on,
        )
        for firm in firms
    }


def exposures_of(items: Items, on: dt.date) -> Exposures:
    """Give each pair's open risk and weekly trade, for every pair that has either."""
    import numpy as np

    t = day_number(on)
    recent = np.where(_since(items, t, WEEKS_13), items.sold, 0)
    keys, place = np.unique(items.seller * len(items.firms) + items.buyer, return_inverse=True)
    receivable = np.bincount(place, weights=items.kept, minlength=len(keys)).astype(np.float64)
    weekly = np.bincount(place, weights=recent, minlength=len(keys)) / 13
    some = (receivable > 0) | (weekly > 0)
    seller, buyer = np.divmod(keys[some], max(1, len(items.firms)))
    return Exposures(seller, buyer, receivable[some], weekly[some])


# --- Columns by firm ------------------------------------------------------------------------------


def days_past_due(items: Items, t: int) -> "Ints":
    """Give the days past due of each item on day t: as paid, or as it stands open.

    An item that falls due on a weekend is late from the Tuesday on, by the days since its due date.
    """
    import numpy as np

    due = items.due.astype("datetime64[D]")
    rolled = np.busday_offset(due, 0, roll="forward").astype(np.int64)
    until = np.where(items.settled, items.settled_on, t)
    counts = (items.due != NO_DAY) & (until > rolled) & (items.settled | items.material)
    return np.where(counts, until - items.due, 0)


def _columns(items: Items, t: int) -> "dict[str, Ints]":
    """Sum over the items of each firm, as debtor and as seller."""
    import numpy as np

    late_by = days_past_due(items, t)
    owed = (items.net > 0) & (items.due != NO_DAY)
    fell_due = owed & (items.due >= t - YEAR) & (items.due <= t - LATE_AFTER - 1)
    late = fell_due & (late_by > LATE_AFTER)
    lately = owed & (items.due >= t - RECENT) & (items.due < t)
    before = owed & (items.due >= t - YEAR) & (items.due < t - RECENT)
    settled = owed & items.settled
    counted = settled & (items.settled_on >= t - YEAR)
    still_open = owed & ~items.settled & items.material

    def by_buyer(which: "Bools", values: "Ints | None" = None) -> "Ints":
        return _sum(items.buyer, which, values, len(items.firms))

    def by_seller(which: "Bools") -> "Ints":
        return _sum(items.seller, which, items.sold, len(items.firms))

    worst = np.zeros(len(items.firms), dtype=np.int64)
    np.maximum.at(worst, items.buyer[still_open], late_by[still_open])
    first = np.full(len(items.firms), -NO_DAY, dtype=np.int64)
    np.minimum.at(first, items.buyer[settled], items.settled_known[settled])
    return {
        "due_minor": by_buyer(fell_due, items.net),
        "due_items": by_buyer(fell_due),
        "late_minor": by_buyer(late, items.net),
        "worst": worst,
        "lately_days": by_buyer(lately, late_by),
        "lately_items": by_buyer(lately),
        "before_days": by_buyer(before, late_by),
        "before_items": by_buyer(before),
        "first_settled": np.where(first == -NO_DAY, NO_DAY, first),
        "settled_items": by_buyer(settled),
        "counted_days": by_buyer(counted, items.net * late_by),
        "counted_minor": by_buyer(counted, items.net),
        "counted_items": by_buyer(counted),
        "sold_13": by_seller(_since(items, t, WEEKS_13)),
        "sold_13_then": by_seller(_since(items, t - WEEKS_52, WEEKS_13)),
        "sold_52": by_seller(_since(items, t, WEEKS_52)),
        "sold_year": by_seller(_since(items, t, YEAR)),
        **_customers(items, t, late),
    }


def _customers(items: Items, t: int, late: "Bools") -> "dict[str, Ints]":
    """Count each seller's buyers of a year, those that paid it late, and its largest."""
    import numpy as np

    size = len(items.firms)
    keys, place = np.unique(items.seller * size + items.buyer, return_inverse=True)
    sellers = keys // max(1, size)
    sold = _sum(place, _since(items, t, WEEKS_52), items.sold, len(keys))
    is_late = _sum(place, late, None, len(keys)) > 0
    largest = np.zeros(size, dtype=np.int64)
    np.maximum.at(largest, sellers, sold)
    return {
        "buyers": _sum(sellers, sold > 0, None, size),
        "late_buyers": _sum(sellers, (sold > 0) & is_late, None, size),
        "largest": largest,
    }


def _since(items: Items, t: int, days: int) -> "Bools":
    return (items.issued >= t - days) & (items.issued < t)


def _sum(where: "Ints", which: "Bools", values: "Ints | None", size: int) -> "Ints":
    """Sum exactly, in whole numbers."""
    import numpy as np

    total = np.zeros(size, dtype=np.int64)
    np.add.at(total, where[which], 1 if values is None else values[which])
    return total


# --- One firm -------------------------------------------------------------------------------------


def view_of(sums: Mapping[str, int], known: Known, on: dt.date) -> FirmView:
    """Put together what was known of one firm, from the sums of its items by name."""
    first = sums["first_settled"]
    months = (
        None
        if first == NO_DAY
        else full_months(dt.date.fromordinal(first + dt.date(1970, 1, 1).toordinal()), on)
    )
    revenue = known.revenue
    if revenue is None and sums["sold_year"]:
        revenue = Fraction(sums["sold_year"], CENTS)
    card = CardInputs(
        late_share=late_share(sums["late_minor"], sums["due_minor"], sums["due_items"]),
        worst_days_past_due=sums["worst"],
        trend_days=_trend(sums),
        months_observed=months,
        firm_age_years=known.age_years(on),
        revenue_eur=revenue,
        sales_ratio=_ratio(sums["sold_13"], sums["sold_13_then"]),
        equity_ratio=known.equity,
        liquidity_weeks=known.liquidity_weeks,
    )
    return FirmView(
        card=card,
        known=known,
        settled_items=sums["settled_items"],
        late_days_times_minor=sums["counted_days"],
        late_settled_minor=sums["counted_minor"],
        late_items=sums["counted_items"],
        sales_52_weeks=sums["sold_52"],
        sales_13_weeks=sums["sold_13"],
        months_observed=months,
        buyers=sums["buyers"],
        late_buyers=sums["late_buyers"],
        largest_sales_52_weeks=sums["largest"],
    )


def _trend(sums: Mapping[str, int]) -> Fraction | None:
    if not sums["lately_items"] or not sums["before_items"]:
        return None
    lately = Fraction(sums["lately_days"], sums["lately_items"])
    return lately - Fraction(sums["before_days"], sums["before_items"])


def _ratio(part: Any, whole: Any) -> Fraction | None:  # noqa: ANN401 - whole numbers or fractions
    return None if part is None or not whole else Fraction(part) / Fraction(whole)
