"""Where firms stand in the chain, as the features of a trained model want it; pure.

The graph and the scoring know nothing of each other, so what the one says is handed to the other
here. Source: pricing.md 1.7, risk.md 2.
"""

from typing import TYPE_CHECKING, Any, Final

from scf.risk.chainrisk import DEFAULT_WEIGHS, LEAST_BUFFER

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.features import Events, Position

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_YEARS: Final = 500  # drawn for the stressed probability


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
    from graph.propagation import buffers, exposure_weights, own_hazard, propagate
    from graph.stress import book_of, stressed
    from scoring.features import QUARTER, Position, reported, standing

    seen = events.before(t)
    state, trade, n = standing(seen, t), seen.invoices, events.n_firms
    recent = np.where((trade.issued >= t - QUARTER) & (trade.issued < t), state.sold, 0.0)
    seller, buyer, owed, sold = _by_pair(trade.seller, trade.buyer, state.kept, recent, n)
    weekly = sold / (QUARTER / 7)
    sales = np.bincount(seller, weekly, n)
    buffer = np.maximum(buffers(sales, reported(seen, t, "liquid")), LEAST_BUFFER)
    weights = exposure_weights(seller, buyer, owed, weekly, buffer)
    pd = np.minimum(np.nan_to_num(own_pd), DEFAULT_WEIGHS)
    names = [f"{number:09d}" for number in range(n)]
    graph = from_relations(
        [names[at] for at in seller], [names[at] for at in buyer], np.rint(sold).astype(np.int64)
    )
    place = np.array([int(name) for name in graph.firms], np.int64)
    rank = np.full(n, np.nan)
    rank[place] = pagerank(graph)
    drawn = stressed(book_of(buyer, seller, owed, buffer), pd, seed=seed, scenarios=_YEARS)
    return Position(
        known=t - 1,
        own_pd=own_pd,
        pagerank=rank,
        anchor_distance=distance,
        chain_hazard=propagate(own_hazard(pd, kappa=kappa), weights).chain,
        stressed_pd=drawn.pd,
    )


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
