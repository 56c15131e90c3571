"""All features of all firms before a morning, worked out at once from columns."""

import dataclasses
from typing import Final, Self

import numpy as np

from scoring.features.events import Events, Floats, Statements
from scoring.features.paying import Paying, over
from scoring.features.registry import NAMES
from scoring.features.standing import SMALL_MINOR, standing, summed
from scoring.features.trading import Pairs, Trading

OLD_STATEMENT: Final = 548  # days after its period: 18 months
FAILED_LATELY: Final = 26 * 7
BUFFER_WEEKS: Final = 4  # of visible sales, where no statement says what a firm can lose
UNIT: Final = 100  # minor units in a major one
_DILUTED_PRIOR: Final = (0.01, 5)


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
    several. Invoices are read portion by portion and added up in their order, so that what is held
    beside the events is one row a pair and some columns of the trade of five quarters.

    Examples
    --------
    >>> from scoring.features.events import Changes, Failures, Foundings, Invoices, empty
    >>> sold = Invoices(*(np.array([value]) for value in (0, 1, 70_000_00, 0, 30, 1)))
    >>> nothing = [empty(kind) for kind in (Changes, Statements, Foundings, Failures)]
    >>> found = features(Events(2, sold, *nothing), 50)
    >>> found[1, NAMES.index("worst_dpd")], found[0, NAMES.index("buyers")]
    (np.float64(20.0), np.float64(1.0))
    """
    place = Position.unknown(events.n_firms) if position is None else position
    if place.known >= t:
        raise ValueError(f"position was stored on day {place.known}, not before day {t}.")
    if len(place.own_pd) != events.n_firms:
        raise ValueError(f"position of {len(place.own_pd)} firms for {events.n_firms}.")
    paying, trading = Paying(events.n_firms, t), Trading(events.n_firms, t)
    for portion in events.portions(t):
        state = standing(portion, t, small_minor=small_minor)
        paying.add(portion.invoices.buyer, state)
        trading.add(portion.invoices, state)
    seen = events.without_trade().before(t)
    paid, pairs = paying.found(), trading.pairs()
    told = _reported(seen, t, pairs.sold_year)
    columns = (
        paid
        | told
        | _as_trader(seen, pairs, told["revenue_log10"], t)
        | _of_others(seen, pairs, paid["overdue_share"], paid["late_days"], place, t)
    )
    found = np.empty((events.n_firms, len(NAMES)))
    for number, name in enumerate(NAMES):
        found[:, number] = columns[name]
    return found


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
        "margin": 1.0 - over(52.0 * cost, revenue),
        "equity_ratio": reported(events, t, "equity_ratio"),
        "liquidity_weeks": over(reported(events, t, "liquid"), cost),
    }


# --- As trader, and the others --------------------------------------------------------------------


def _as_trader(events: Events, pairs: Pairs, revenue_log10: Floats, t: int) -> dict[str, Floats]:
    n = events.n_firms
    trades = pairs.sold > 0
    seller, buyer, sold = pairs.seller[trades], pairs.buyer[trades], pairs.sold[trades]
    sales, purchases = summed(seller, n, sold), summed(buyer, n, sold)
    diluted, prior = _DILUTED_PRIOR
    mean = over(pairs.gross, pairs.invoices)
    found: dict[str, Floats] = {
        "sales_ratio": over(pairs.sold_13, pairs.sold_13_then),
        "diluted_share": over(pairs.diluted + prior * diluted * mean, pairs.gross + prior * mean),
        "sales_log10": _log10(sales),
        "purchases_log10": _log10(purchases),
        "days_since_sale": np.where(np.isfinite(pairs.last_sale), t - pairs.last_sale, np.nan),
        "undertaken_share": over(pairs.undertaken, sales),
        "coverage": over(pairs.sold_year, UNIT * 10.0**revenue_log10),
    }
    # Both ways: the turned pair stands in the same ascending list.
    keys = seller.astype(np.int64) * n + buyer
    turned = buyer.astype(np.int64) * n + seller
    at = np.minimum(np.searchsorted(keys, turned), max(0, len(keys) - 1))
    both = keys[at] == turned if len(keys) else np.zeros(0, np.bool_)
    found["reciprocity"] = over(summed(seller[both], n, sold[both]), sales)
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
    events: Events, pairs: Pairs, overdue: Floats, late_days: Floats, place: Position, t: int
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
        return over(summed(who, n, weight * values[buyer[some]]), summed(who, n, weight))

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
        "overdue_to_buffer": over(summed(seller, n, pairs.overdue), buffer),
        "stressed_exposure": over(summed(seller, n, pairs.exposure * in_trouble[buyer]), buffer),
        "second_step_overdue": of_buyers(buyers_overdue),
        "suppliers_overdue": np.where(
            bought > 0,
            over(
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


def _buffers(events: Events, pairs: Pairs, t: int) -> Floats:
    """Say what each firm can lose: by its statement, at least two weeks' sales; else four."""
    weekly = pairs.sold_13 / 13
    liquid = reported(events, t, "liquid")
    return np.where(
        np.isnan(liquid), BUFFER_WEEKS * weekly, np.maximum(liquid, BUFFER_WEEKS / 2 * weekly)
    )


def _log10(minor: Floats) -> Floats:
    """Give the power of ten of an amount in major units; NaN for none."""
    found = np.full(len(minor), np.nan)
    np.log10(minor / UNIT, out=found, where=minor > 0)
    return found
