"""The firms of a simulated chain and who sells to whom."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scoring.simulate.regimes import REVENUE, TIERS, Regime

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SECTORS: Final = 8
MOST_BUYERS: Final = 6
_REVENUE_SD: Final = 0.8
_SAME_SECTOR: Final = 6.0
_NO_LINE: Final = 0.4
_SKIP: Final = 0.15
_MOST_PURCHASED: Final = 0.65  # of a buyer's revenue, from the chain
_TERMS: Final = (4, 8, 12)  # weeks
_TERMS_OF_LARGE: Final = (0.2, 0.4, 0.4)
_TERMS_OF_SMALL: Final = (0.4, 0.4, 0.2)


class World(NamedTuple):
    """What stays; firms are numbered tier by tier, so that every buyer comes before its sellers.

    Attributes
    ----------
    tier, sector : ndarray of int64, shape (n,)
    weekly : ndarray of float64, shape (n,)
        Revenue of a usual week, major units.
    outside, margin, target, line : ndarray of float64, shape (n,)
        Share of sales outside the chain; mean margin; cash aimed for and credit line, weeks.
    working, purchases : ndarray of float64, shape (n,)
        Money bound in usual receivables less payables; purchases of a usual week.
    first : ndarray of int64, shape (n + 1,)
        Where each firm's sales begin among the relations.
    seller, buyer, terms : ndarray of int64, shape (m,)
        Relations by seller; terms in weeks.
    share : ndarray of float64, shape (m,)
        Of the seller's sales.
    by_buyer, buys : ndarray of int64, shapes (m,), (n + 1,)
        The same relations by buyer, and where each firm's purchases begin among them.
    """

    tier: Ints
    sector: Ints
    weekly: Floats
    outside: Floats
    margin: Floats
    target: Floats
    line: Floats
    working: Floats
    purchases: Floats
    first: Ints
    seller: Ints
    buyer: Ints
    terms: Ints
    share: Floats
    by_buyer: Ints
    buys: Ints


def drawn_world(regime: Regime, n_firms: int, rng: np.random.Generator) -> World:
    """Draw firms and relations.

    Parameters
    ----------
    regime : Regime
    n_firms : int
        At least 20.
    rng : numpy.random.Generator

    Returns
    -------
    World

    Notes
    -----
    O(n²/tier) for the choice of buyers.
    """
    counts = [max(1, round(part * n_firms)) for part in TIERS[:-1]]
    tier = np.repeat(np.arange(len(TIERS)), [*counts, n_firms - sum(counts)])
    sector = rng.integers(0, SECTORS, n_firms)
    revenue = np.array(REVENUE)[tier] * np.exp(_REVENUE_SD * rng.standard_normal(n_firms))
    sellers, buyers = _relations(tier, sector, revenue, rng)
    first = np.searchsorted(sellers, np.arange(n_firms + 1))
    outside = np.where(tier == 0, 1.0, rng.beta(2, 8, n_firms))
    weights = rng.gamma(regime.sales_dirichlet, size=len(sellers))
    weights = np.maximum(weights, 1e-12)
    share = weights / np.bincount(sellers, weights, n_firms)[sellers] * (1 - outside)[sellers]
    for level in range(len(TIERS) - 2, -1, -1):  # sellers are larger numbers: done before
        bought = np.bincount(buyers, share * revenue[sellers], n_firms)
        here = tier == level
        revenue[here] = np.maximum(revenue, bought / _MOST_PURCHASED)[here]
    draw = rng.random(len(sellers))
    large = tier[buyers] <= 1
    bounds = np.cumsum(np.where(large[:, None], _TERMS_OF_LARGE, _TERMS_OF_SMALL), axis=1)
    terms = np.array(_TERMS)[np.minimum((draw[:, None] >= bounds).sum(axis=1), 2)]
    margin = rng.normal(regime.margin, 0.02, n_firms) + np.where(tier == 0, 0.02, 0.0)
    target = regime.target_weeks * np.exp(0.5 * rng.standard_normal(n_firms))
    line = np.where(rng.random(n_firms) < _NO_LINE, 0.0, rng.uniform(0, 4, n_firms))
    weekly = revenue / 52
    flow = share * weekly[sellers]
    bound = flow * (terms + 2)  # a week until it is invoiced, and paid somewhat late
    working = np.bincount(sellers, bound, n_firms) - np.bincount(buyers, bound, n_firms)
    by_buyer = np.argsort(buyers, kind="stable")
    return World(
        tier=tier,
        sector=sector,
        weekly=weekly,
        outside=outside,
        margin=margin,
        target=target,
        line=line,
        working=np.maximum(working, 0.0),
        purchases=np.asarray(np.bincount(buyers, flow, n_firms), np.float64),
        first=first,
        seller=sellers,
        buyer=buyers,
        terms=terms,
        share=share,
        by_buyer=by_buyer,
        buys=np.searchsorted(buyers[by_buyer], np.arange(n_firms + 1)),
    )


def _relations(
    tier: Ints, sector: Ints, revenue: Floats, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Choose one to six buyers for each firm below the anchors, mostly one tier up."""
    members = [np.flatnonzero(tier == level) for level in range(len(TIERS))]
    size = revenue**0.7
    sellers, buyers = [], []
    for firm in np.flatnonzero(tier > 0).tolist():
        wanted = min(1 + int(rng.poisson(1.2)), MOST_BUYERS)
        skips = int((rng.random(wanted) < _SKIP).sum()) if tier[firm] > 1 else 0
        for level, number in ((tier[firm] - 1, wanted - skips), (tier[firm] - 2, skips)):
            if not number:
                continue
            pool = members[level]
            chance = size[pool] * np.where(sector[pool] == sector[firm], _SAME_SECTOR, 1.0)
            some = rng.choice(pool, min(number, len(pool)), replace=False, p=chance / chance.sum())
            sellers.extend([firm] * len(some))
            buyers.extend(sorted(some.tolist()))
    return np.array(sellers, np.int64), np.array(buyers, np.int64)
