"""Where firms stand in the chain, as the features of a trained model want it; pure.

The graph and the scoring know nothing of each other, so what the one says is handed to the other
here. Source: pricing.md 1.7, risk.md 2.
"""

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from scf.risk.chainrisk import DEFAULT_WEIGHS, LEAST_BUFFER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.stress import Book
    from scoring.features import Events, Position

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_YEARS: Final = 500  # drawn for the stressed probability
_WEEKS: Final = 13  # of a quarter


def position(
    events: "Events", t: int, own_pd: "Floats", distance: "Floats", *, seed: int, kappa: float
) -> "Position":
    """Say where each firm stands on the morning of day t.

    Parameters
    ----------
    events
        What was stored; rows that became known on day t or later are not looked at.
    own_pd
        One-year probability of each firm's own layer; NaN where there is none, which adds nothing
        to anybody.
    distance
        Steps to the nearest anchor, NaN where none is reached.
    seed
        Of the drawn years.
    kappa
        Share of the own probability's hazard that is the firm's own.
    """
    import numpy as np

    from graph.build import from_relations
    from graph.measures import pagerank
    from graph.propagation import exposure_weights, own_hazard, propagate
    from graph.stress import stressed
    from scoring.features import Position

    n = events.n_firms
    trade = _trade(events, t)
    weights = exposure_weights(
        trade.seller, trade.buyer, trade.owed, trade.sold / _WEEKS, trade.buffer
    )
    pd = np.minimum(np.nan_to_num(own_pd), DEFAULT_WEIGHS)
    names = [f"{number:09d}" for number in range(n)]
    graph = from_relations(
        [names[at] for at in trade.seller],
        [names[at] for at in trade.buyer],
        np.rint(trade.sold).astype(np.int64).tolist(),
    )
    place = np.array([int(name) for name in graph.firms], np.int64)
    rank = np.full(n, np.nan)
    rank[place] = pagerank(graph)
    drawn = stressed(trade.book(), pd, seed=seed, scenarios=_YEARS)
    return Position(
        known=t - 1,
        own_pd=own_pd,
        pagerank=rank,
        anchor_distance=distance,
        chain_hazard=propagate(own_hazard(pd, kappa=kappa), weights).chain,
        stressed_pd=drawn.pd,
    )


def worst_years(events: "Events", t: int, own_pd: "Floats", *, seed: int) -> "Floats":
    """Say how likely each firm fails in the worst hundredth of years, of itself or with others.

    Parameters
    ----------
    events, t, seed
        As for `position`.
    own_pd
        Probability of each firm's own layer within the time asked about; NaN counts as none.
    """
    import numpy as np

    from graph.stress import stressed

    pd = np.minimum(np.nan_to_num(own_pd), DEFAULT_WEIGHS)
    return stressed(_trade(events, t).book(), pd, seed=seed).tail


@dataclasses.dataclass(frozen=True)
class _Trade:
    """Who owed and sold what to whom on a morning, each pair once; what each firm can lose."""

    seller: "Ints"
    buyer: "Ints"
    owed: "Floats"
    sold: "Floats"  # in a quarter
    buffer: "Floats"

    def book(self) -> "Book":
        from graph.stress import book_of

        return book_of(self.buyer, self.seller, self.owed, self.buffer)


def _trade(events: "Events", t: int) -> _Trade:
    import numpy as np

    from graph.propagation import buffers
    from scoring.features import QUARTER, reported, standing

    seen = events.before(t)
    state, trade, n = standing(seen, t), seen.invoices, events.n_firms
    recent = np.where((trade.issued >= t - QUARTER) & (trade.issued < t), state.sold, 0.0)
    seller, buyer, owed, sold = _by_pair(trade.seller, trade.buyer, state.kept, recent, n)
    sales = np.bincount(seller, sold / _WEEKS, n)
    buffer = np.maximum(buffers(sales, reported(seen, t, "liquid")), LEAST_BUFFER)
    return _Trade(seller, buyer, owed, sold, buffer)


def _by_pair(seller: "Ints", buyer: "Ints", owed: "Floats", sold: "Floats", n: int) -> Any:  # noqa: ANN401 - two columns of firms and two of amounts
    """Add up what every pair owes and sells, each pair of two firms once."""
    import numpy as np

    apart = seller != buyer
    keys, where = np.unique(
        seller[apart].astype(np.int64) * max(1, n) + buyer[apart], return_inverse=True
    )
    sellers, buyers = np.divmod(keys, max(1, n))
    sums = [np.bincount(where, amounts[apart], len(keys)) for amounts in (owed, sold)]
    return sellers, buyers, *sums
