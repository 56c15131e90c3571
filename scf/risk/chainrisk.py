"""Default risk along the chain: own hazards of firms, who loses what if whom fails, three splits.

Source: pricing.md 1.7.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scf.risk.facts import Exposures
from scoring.policy import Policy

if TYPE_CHECKING:
    from graph.propagation import Propagation, Weights

# A firm in default weighs in the chain as one that will almost surely fail within the year.
DEFAULT_WEIGHS: Final = 0.99
LEAST_BUFFER: Final = 1.0  # a cent: who has receivables and nothing behind them loses all


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain needs of one firm. Amounts are euro cents."""

    pd_own: float
    rated: bool
    weekly_sales: float
    liquidity: float | None


@dataclass(frozen=True)
class ChainRisk:
    """Hazards of all firms of a snapshot, in the order of ``firms``; ``given`` is uncut."""

    firms: tuple[str, ...]
    given: "Weights"
    propagation: "Propagation"
    buffers: tuple[float, ...]
    receivables: Mapping[tuple[int, int], tuple[float, float]]
    circled: tuple[bool, ...]  # who sells to itself through others, however little

    def splits(self, place: int) -> dict[str, Any] | None:
        """Take a hazard apart by origin, by first hop and by hop; nothing without a chain."""
        buyers, weights = self.propagation.weights.of(place)
        if not len(buyers):
            return None
        split = self.propagation.split(place)
        weight_of = dict(zip(buyers.tolist(), weights.tolist(), strict=True))

        def hop(buyer: int, part: float) -> dict[str, Any]:
            receivable, weekly = self.receivables[place, buyer]
            return {
                "firm": self.firms[buyer],
                "part": part,
                "weight": weight_of[buyer],
                "receivable": receivable,
                "weekly_sales": weekly,
            }

        return {
            "own": split.own,
            "loop": split.loop,
            "by_origin": [[self.firms[at], part] for at, part in split.by_origin],
            "by_first_hop": [hop(at, part) for at, part in split.by_first_hop],
            "by_hop": list(split.by_hop),
            "beyond": split.beyond,
        }


def run(
    firms: Collection[str],
    standing: Mapping[str, Standing],
    exposures: Exposures,
    names: Sequence[str],
    policy: Policy,
) -> ChainRisk:
    """Let default risk run up the chain of the firms of a snapshot.

    Parameters
    ----------
    firms
        The snapshot's, in any order; pairs with anybody else are left out.
    names
        The firm of each number in ``exposures``.
    """
    import numpy as np

    from graph.propagation import buffers, exposure_weights, own_hazard, propagate

    ordered = tuple(sorted(firms))
    place = {firm: at for at, firm in enumerate(ordered)}
    known = [standing[firm] for firm in ordered]
    rated = np.array([one.rated for one in known], dtype=bool)
    sales = np.array([one.weekly_sales for one in known])
    cash = np.array([float("nan") if one.liquidity is None else one.liquidity for one in known])
    buffer = np.maximum(buffers(sales, cash), LEAST_BUFFER)
    here = np.array([place.get(name, -1) for name in names], dtype=np.int64)
    seller, buyer = (
        here[side] if len(here) else side for side in (exposures.seller, exposures.buyer)
    )
    inside = (seller >= 0) & (buyer >= 0)
    receivable, weekly = exposures.receivable[inside], exposures.weekly_sales[inside]
    seller, buyer = seller[inside], buyer[inside]
    weights = exposure_weights(seller, buyer, receivable, weekly, buffer, rated=rated)
    own = own_hazard(
        [min(one.pd_own, DEFAULT_WEIGHS) for one in known],
        kappa=float(policy.model.kappa),
        rated=rated,
    )
    pairs = zip(seller.tolist(), buyer.tolist(), strict=True)
    amounts = zip(receivable.tolist(), weekly.tolist(), strict=True)
    return ChainRisk(
        ordered,
        weights,
        propagate(own, weights),
        tuple(buffer.tolist()),
        dict(zip(pairs, amounts, strict=True)),
        _circled(ordered, seller.tolist(), buyer.tolist()),
    )


def _circled(
    firms: Sequence[str], sellers: Sequence[int], buyers: Sequence[int]
) -> tuple[bool, ...]:
    from graph.build import from_relations
    from graph.tiers import circles

    pairs = [(s, b) for s, b in zip(sellers, buyers, strict=True) if s != b]
    sold = from_relations([firms[s] for s, _ in pairs], [firms[b] for _, b in pairs], firms=firms)
    return tuple((circles(sold) >= 0).tolist())
