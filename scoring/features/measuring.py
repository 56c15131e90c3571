"""All features of all firms before a morning, worked out at once from columns."""

import dataclasses
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from scoring.features.events import Events, Floats, Ints, Statements
from scoring.features.registry import NAMES
from scoring.features.standing import SMALL_MINOR, Standing, standing, summed

YEAR: Final = 365
QUARTER: Final = 13 * 7
FOUR_QUARTERS: Final = 52 * 7
LATE_AFTER: Final = 5
RECENT: Final = 90
MONTH: Final = 365.25 / 12
OLD_STATEMENT: Final = 548  # days after its period: 18 months
FAILED_LATELY: Final = 26 * 7
LOST_WEEKS: Final = 8  # of sales that are lost beside the receivable when a buyer fails
BUFFER_WEEKS: Final = 4  # of visible sales, where no statement says what a firm can lose
UNIT: Final = 100  # minor units in a major one
_LATE_PRIOR: Final = (1, 5)  # one late item of five
_DAYS_PRIOR: Final = (5, 5)  # five items of five days
_DILUTED_PRIOR: Final = (0.01, 5)

Bools = NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Position:
    """What was stored of each firm's place in the chain; NaN where nothing was.

    Attributes
    ----------
    known : int
        Day on which it was stored: it may be seen from the next one.
    own_pd : ndarray of float64, shape (n,)
        One-year probability of default of the stored assessment's own layer.
    pagerank, anchor_distance, chain_hazard, stressed_pd : ndarray of float64, shape (n,)
        From the graph of that day.
    """

    known: int
    own_pd: Floats
    pagerank: Floats
    anchor_distance: Floats
    chain_hazard: Floats
    stressed_pd: Floats

    @classmethod
    def unknown(cls, n_firms: int) -> Self:
        """Return a position of which nothing was stored.

        Examples
        --------
        >>> bool(np.isnan(Position.unknown(2).own_pd).all())
        True
        """
        nothing = np.full(n_firms, np.nan)
        return cls(-(2**31), nothing, nothing, nothing, nothing, nothing)


def features(
    events: Events, t: int, position: Position | None = None, *, small_minor: int = SMALL_MINOR
) -> Floats:
    """Return what a model may look at of each firm on the morning of day t.

    Parameters
    ----------
    events : Events
        All that was stored; rows that became known on day t or later are not looked at.
    t : int
        Day.
    position : Position, optional
        Stored before t; left out, its features are NaN.
    small_minor : int
        What may stay open of an invoice without making it late, minor units.

    Returns
    -------
    ndarray of float64, shape (n, f)
        Columns in the order of `NAMES`; NaN where nothing was known.

    Raises
    ------
    ValueError
        The position was not stored before t, or is of other firms.

    Notes
    -----
    O(n + rows): counting sorts and sums; nothing is sorted but the changes of invoices that have
    several.

    Examples
    --------
    >>> from scoring.features.events import Changes, Failures, Foundings, Invoices, empty
    >>> sold = Invoices(*(np.array([value]) for value in (0, 1, 70_000_00, 0, 30, 1)))
    >>> nothing = [empty(kind) for kind in (Changes, Statements, Foundings, Failures)]
    >>> found = features(Events(2, sold, *nothing), 50)
    >>> found[1, NAMES.index("worst_dpd")], found[0, NAMES.index("buyers")]
    (np.float64(20.0), np.float64(1.0))
    """
    seen = events.before(t)
    place = Position.unknown(events.n_firms) if position is None else position
    if place.known >= t:
        raise ValueError(f"position was stored on day {place.known}, not before day {t}.")
    if len(place.own_pd) != events.n_firms:
        raise ValueError(f"position of {len(place.own_pd)} firms for {events.n_firms}.")
    state = standing(seen, t, small_minor=small_minor)
    paid = _as_debtor(seen, state, t)
    pairs = _pairs(seen, state, t)
    told = _reported(seen, t, pairs.sold_year)
    columns = (
        {name: paid[name] for name in _FROM_PAYING}
        | told
        | _as_trader(seen, pairs, told["revenue_log10"], t)
        | _of_others(seen, pairs, paid["overdue_share"], paid["late_days"], place, t)
    )
    found = np.empty((events.n_firms, len(NAMES)))
    for number, name in enumerate(NAMES):
        found[:, number] = columns[name]
    return found


# --- As debtor ------------------------------------------------------------------------------------

_FROM_PAYING: Final = (
    "late_share", "worst_dpd", "trend_days", "late_days", "overdue_share", "months_observed",
)  # fmt: skip


def _as_debtor(events: Events, state: Standing, t: int) -> dict[str, Floats]:
    n, everybody = events.n_firms, events.invoices.buyer
    settled = (state.net > 0) & state.settled
    first = np.full(n, np.inf)
    np.minimum.at(first, everybody[settled], state.settled_known[settled].astype(np.float64))
    # All else is about a year, or still open.
    matter = (state.due >= t - YEAR) | ((state.rest > 0) & ~state.settled)
    matter |= state.settled & (state.settled_on >= t - YEAR)
    rows = np.flatnonzero(matter & (state.net > 0))
    buyer = everybody[rows].astype(np.int64)
    due, dpd, net, rest = (column[rows] for column in (state.due, state.dpd, state.net, state.rest))
    settled, settled_on = state.settled[rows], state.settled_on[rows]

    def total(which: Bools, values: NDArray[np.generic] | None = None) -> Floats:
        return summed(buyer[which], n, None if values is None else values[which])

    fell_due = (due >= t - YEAR) & (due <= t - LATE_AFTER - 1)
    late = fell_due & (dpd > LATE_AFTER)
    lately = (due >= t - RECENT) & (due < t)
    before = (due >= t - YEAR) & (due < t - RECENT)
    counted = settled & (settled_on >= t - YEAR)
    still = ~settled & (rest > 0)
    overdue = still & (dpd > LATE_AFTER)
    worst = np.zeros(n)
    np.maximum.at(worst, buyer[still], dpd[still].astype(np.float64))
    due_items, items = total(fell_due), total(counted)
    mean = _over(total(counted, net), items)
    late_items, all_items = _LATE_PRIOR
    days, prior = _DAYS_PRIOR
    return {
        "late_share": _over(
            _over(total(late, net) * due_items, total(fell_due, net)) + late_items,
            np.where(due_items > 0, due_items + all_items, 0.0),
        ),
        "worst_dpd": worst,
        "trend_days": _over(total(lately, dpd), total(lately))
        - _over(total(before, dpd), total(before)),
        "late_days": _over(total(counted, net * dpd) + prior * days * mean, (items + prior) * mean),
        "overdue_share": _over(total(overdue, rest), total(still, rest)),
        "months_observed": np.where(np.isfinite(first), (t - first) / MONTH, np.nan),
    }


# --- What it reports ------------------------------------------------------------------------------


def reported(events: Events, t: int, column: str) -> Floats:
    """Return what the statement stored last says of each firm, if its period is not too old.

    Parameters
    ----------
    events : Events
        Of which all rows may be seen (`Events.before`).
    t : int
        Day.
    column : str
        Of `Statements`.

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN without a statement whose period ended within 18 months.
    """
    said: Statements = events.statements.of(events.statements.period_end >= t - OLD_STATEMENT)
    found = np.full(events.n_firms, np.nan)
    found[said.firm] = getattr(said, column)
    return found


def _reported(events: Events, t: int, sold_year: Floats) -> dict[str, Floats]:
    founded = np.full(events.n_firms, np.nan)
    founded[events.foundings.firm] = events.foundings.on
    revenue, cost = reported(events, t, "revenue"), reported(events, t, "weekly_cost")
    return {
        "firm_age_years": np.where(founded < t, t - founded, np.nan) / 365.25,
        "revenue_log10": _log10(np.where(np.isnan(revenue), sold_year, revenue)),
        "margin": 1.0 - _over(52.0 * cost, revenue),
        "equity_ratio": reported(events, t, "equity_ratio"),
        "liquidity_weeks": _over(reported(events, t, "liquid"), cost),
    }


# --- Pairs ----------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class _Pairs:
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


def _pairs(events: Events, state: Standing, t: int) -> _Pairs:
    trade, n = events.invoices, events.n_firms
    sells = state.sold > 0
    last = np.full(n, -np.inf)
    np.maximum.at(last, trade.seller[sells], trade.issued[sells].astype(np.float64))
    # All else is about five quarters, or still open.
    recent = trade.issued >= t - FOUR_QUARTERS - QUARTER
    rows = np.flatnonzero(recent | (state.kept > 0))
    seller, buyer = trade.seller[rows].astype(np.int64), trade.buyer[rows].astype(np.int64)
    issued, amount = trade.issued[rows], state.base[rows]
    sold, kept = state.sold[rows], state.kept[rows]

    def since(day: int, days: int) -> Floats:
        return np.where((issued >= day - days) & (issued < day), sold, 0.0)

    year, quarter = since(t, FOUR_QUARTERS), since(t, QUARTER)
    counted = (issued >= t - YEAR) & ((state.rest[rows] <= 0) | state.settled[rows])
    counted &= amount > 0
    order = _ordered(seller, n, _ordered(buyer, n))
    sellers, buyers = seller[order], buyer[order]
    start = np.ones(len(order), np.bool_)
    start[1:] = (sellers[1:] != sellers[:-1]) | (buyers[1:] != buyers[:-1])
    first = np.flatnonzero(start)

    def total(values: Floats) -> Floats:
        return np.add.reduceat(values[order], first) if len(first) else np.zeros(0)

    def by_seller(values: Floats) -> Floats:
        return summed(seller, n, values)

    return _Pairs(
        seller=sellers[first],
        buyer=buyers[first],
        sold=total(year),
        exposure=total(kept + quarter * (LOST_WEEKS / 13)),
        overdue=total(np.where(state.dpd[rows] > LATE_AFTER, kept, 0.0)),
        sold_year=by_seller(since(t, YEAR)),
        sold_13=by_seller(quarter),
        sold_13_then=by_seller(since(t - FOUR_QUARTERS, QUARTER)),
        undertaken=by_seller(np.where(state.undertaken[rows], year, 0.0)),
        diluted=by_seller(np.where(counted, np.minimum(state.diluted[rows], amount), 0.0)),
        gross=by_seller(np.where(counted, amount, 0.0)),
        invoices=by_seller(counted.astype(np.float64)),
        last_sale=last,
    )


def _ordered(keys: Ints, n: int, order: Ints | None = None) -> Ints:
    """Sort row numbers by a key below n, those of one key as they stood: a counting sort."""
    from scipy.sparse import csr_array

    column = keys if order is None else keys[order]
    rows = np.arange(len(column) + 1, dtype=np.int32)
    each = np.ones(len(column), np.int8)
    one = csr_array((each, column.astype(np.int32), rows), shape=(len(column), n))
    sorted_: Ints = one.tocsc().indices
    return sorted_ if order is None else order[sorted_]


# --- As trader, and the others --------------------------------------------------------------------


def _as_trader(events: Events, pairs: _Pairs, revenue_log10: Floats, t: int) -> dict[str, Floats]:
    n = events.n_firms
    trades = pairs.sold > 0
    seller, buyer, sold = pairs.seller[trades], pairs.buyer[trades], pairs.sold[trades]
    sales, purchases = summed(seller, n, sold), summed(buyer, n, sold)
    diluted, prior = _DILUTED_PRIOR
    mean = _over(pairs.gross, pairs.invoices)
    found: dict[str, Floats] = {
        "sales_ratio": _over(pairs.sold_13, pairs.sold_13_then),
        "diluted_share": _over(pairs.diluted + prior * diluted * mean, pairs.gross + prior * mean),
        "sales_log10": _log10(sales),
        "purchases_log10": _log10(purchases),
        "days_since_sale": np.where(np.isfinite(pairs.last_sale), t - pairs.last_sale, np.nan),
        "undertaken_share": _over(pairs.undertaken, sales),
        "coverage": _over(pairs.sold_year, UNIT * 10.0**revenue_log10),
    }
    # Both ways: the turned pair stands in the same ascending list.
    keys = seller.astype(np.int64) * n + buyer
    turned = buyer.astype(np.int64) * n + seller
    at = np.minimum(np.searchsorted(keys, turned), max(0, len(keys) - 1))
    both = keys[at] == turned if len(keys) else np.zeros(0, np.bool_)
    found["reciprocity"] = _over(summed(seller[both], n, sold[both]), sales)
    for side, firm, whole in (("sales", seller, sales), ("purchases", buyer, purchases)):
        share = sold / whole[firm]
        top = np.zeros(n)
        np.maximum.at(top, firm, share)
        some = whole > 0
        partners = "buyers" if side == "sales" else "suppliers"
        found[partners] = summed(firm, n)
        found[f"{side}_hhi"] = np.where(some, summed(firm, n, share * share), np.nan)
        found[f"{side}_top_share"] = np.where(some, top, np.nan)
    return found


def _of_others(
    events: Events, pairs: _Pairs, overdue: Floats, late_days: Floats, place: Position, t: int
) -> dict[str, Floats]:
    n, seller, buyer = events.n_firms, pairs.seller, pairs.buyer
    exposed = summed(seller, n, pairs.exposure)
    bought = summed(buyer, n, pairs.sold)
    failed = np.zeros(n)
    failed[events.failures.firm[events.failures.known >= t - FAILED_LATELY]] = 1.0

    def of_buyers(values: Floats) -> Floats:
        """Mean over the buyers of whom something is known, by exposure."""
        some = ~np.isnan(values[buyer]) & (pairs.exposure > 0)
        weight, who = pairs.exposure[some], seller[some]
        return _over(summed(who, n, weight * values[buyer[some]]), summed(who, n, weight))

    in_trouble = np.maximum(np.nan_to_num(overdue), failed)
    buffer = _buffers(events, pairs, t)
    buyers_overdue = of_buyers(overdue)
    known = ~np.isnan(overdue[seller])
    needed, whom = pairs.sold[known], buyer[known]
    return {
        "buyers_late_days": of_buyers(late_days),
        "buyers_overdue": buyers_overdue,
        "buyers_pd": of_buyers(place.own_pd),
        "buyers_defaulted": np.where(exposed > 0, of_buyers(failed), np.nan),
        "overdue_to_buffer": _over(summed(seller, n, pairs.overdue), buffer),
        "stressed_exposure": _over(summed(seller, n, pairs.exposure * in_trouble[buyer]), buffer),
        "second_step_overdue": of_buyers(buyers_overdue),
        "suppliers_overdue": np.where(
            bought > 0,
            _over(
                summed(whom, n, needed * overdue[seller[known]]),
                summed(whom, n, needed),
            ),
            np.nan,
        ),
        "pagerank": place.pagerank,
        "anchor_distance": place.anchor_distance,
        "chain_hazard": place.chain_hazard,
        "stressed_pd": place.stressed_pd,
    }


def _buffers(events: Events, pairs: _Pairs, t: int) -> Floats:
    """Say what each firm can lose: by its statement, at least two weeks' sales; else four."""
    weekly = pairs.sold_13 / 13
    liquid = reported(events, t, "liquid")
    return np.where(
        np.isnan(liquid), BUFFER_WEEKS * weekly, np.maximum(liquid, BUFFER_WEEKS / 2 * weekly)
    )


def _over(part: Floats, whole: Floats) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    found = np.full(len(whole), np.nan)
    np.divide(part, whole, out=found, where=whole > 0)
    return found


def _log10(minor: Floats) -> Floats:
    """Give the power of ten of an amount in major units; NaN for none."""
    found = np.full(len(minor), np.nan)
    np.log10(minor / UNIT, out=found, where=minor > 0)
    return found
