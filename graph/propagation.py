"""Default risk that comes through the chain: hazards along who depends on whose payment.

A firm that sells on credit can fail because its buyers do. The own hazard of each firm (per year)
and the probability that the failure of one buyer brings it down give a linear system, whose
solution splits exactly: by origin, by first hop and by length of the way.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from graph.exposure import (
    Weights,
    buffers,
    check_index,
    exposure_weights,
    own_hazard,
    weights_from,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = [
    "Propagation",
    "Split",
    "Weights",
    "buffers",
    "default_probability",
    "exposure_weights",
    "own_hazard",
    "propagate",
    "weights_from",
]

CAP: Final = 0.9  # what all buyers together may add to a firm's chance to be brought down
HOPS: Final = 10
MAX_ROUNDS: Final = 20
_MAX_STEPS: Final = 2_000  # 0.9^2000 is far below the last bit; more means a broken matrix
_EPSILON: Final = 1e-16


@dataclasses.dataclass(frozen=True)
class Split:
    """The hazard of one firm, taken apart three times; each part list sums to ``total``.

    Attributes
    ----------
    total, own : float
        Hazard per year with the chain, and without.
    loop : float
        What comes back to the firm from itself, round a cycle.
    by_origin : tuple of (int, float)
        Other firms and what their own hazards contribute, largest first. With ``own`` and
        ``loop`` they sum to ``total``.
    by_first_hop : tuple of (int, float)
        Direct buyers and what arrives through each, largest first. With ``own`` they sum to
        ``total``.
    by_hop : tuple of float
        What arrives over 0, 1, … 10 steps.
    beyond : float
        What arrives over more steps.
    """

    firm: int
    total: float
    own: float
    loop: float
    by_origin: tuple[tuple[int, float], ...]
    by_first_hop: tuple[tuple[int, float], ...]
    by_hop: tuple[float, ...]
    beyond: float


@dataclasses.dataclass(frozen=True)
class Propagation:
    """Hazards with the chain in them.

    Attributes
    ----------
    hazard : ndarray of float64, shape (n,)
        Per year, with the chain.
    own : ndarray of float64, shape (n,)
        Per year, without it.
    weights : Weights
        As used: rows above the cap are filled worst buyer first.
    capped : tuple of int
        Firms whose row was cut.
    """

    hazard: "Floats"
    own: "Floats"
    weights: Weights
    capped: tuple[int, ...]

    @property
    def chain(self) -> "Floats":
        """What the chain adds, hazard per year, shape (n,)."""
        return self.hazard - self.own

    @property
    def pd(self) -> "Floats":
        """Probability of default within a year with the chain, shape (n,), below 1 always."""
        return default_probability(self.hazard)

    def split(self, firm: int) -> Split:
        """Take the hazard of one firm apart by origin, first hop and number of hops.

        Parameters
        ----------
        firm : int
            Its index.

        Returns
        -------
        Split

        Notes
        -----
        One row of (I − W)⁻¹, found by the same iteration as the hazards: O(nnz · steps).

        Examples
        --------
        >>> import numpy as np
        >>> weights = weights_from([0, 1, 2], [1, 2, 0], [0.3, 0.4, 0.2], n_firms=3)
        >>> cycle = propagate([0.02, 0.03, 0.01], weights)
        >>> split = cycle.split(0)
        >>> round(split.own + split.loop, 8), [(j, round(c, 8)) for j, c in split.by_origin]
        (0.0204918, [(1, 0.00922131), (2, 0.00122951)])
        """
        import numpy as np

        check_index(firm, self.weights.n_firms)
        back = _matrix(self.weights).T.tocsr()
        step = np.zeros(self.weights.n_firms)
        step[firm] = 1.0
        reach = step.copy()
        by_hop = [float(step @ self.own)]
        for k in range(1, _MAX_STEPS):
            step = back @ step
            reach += step
            if k <= HOPS:
                by_hop.append(float(step @ self.own))
            if k >= HOPS and step.max(initial=0.0) <= _EPSILON:
                break
        total, own = float(self.hazard[firm]), float(self.own[firm])
        parts = reach * self.own
        buyers, values = self.weights.of(firm)
        first = values * self.hazard[buyers]
        others = [int(j) for j in np.flatnonzero(parts) if j != firm]
        return Split(
            firm=firm,
            total=total,
            own=own,
            loop=float((reach[firm] - 1.0) * self.own[firm]),
            by_origin=_largest_first(others, parts[others]),
            by_first_hop=_largest_first(buyers.tolist(), first),
            by_hop=tuple(by_hop),
            beyond=max(0.0, total - sum(by_hop)),
        )


def default_probability(hazard: "ArrayLike") -> "Floats":
    """Give the probability of default within a year of a hazard per year: 1 − exp(−s).

    Examples
    --------
    >>> default_probability([0.0236166]).round(8).tolist()
    [0.02333991]
    """
    import numpy as np

    return np.asarray(-np.expm1(-np.asarray(hazard, dtype=np.float64)))


def propagate(own: "ArrayLike", weights: Weights, *, near: "Floats | None" = None) -> Propagation:
    """Let default risk run up the chain: s = (I − W)⁻¹ · own.

    A row that sums to more than 0.9 is filled with its worst buyers first (highest s, then lowest
    index) until 0.9 is reached. That choice is the one that makes s largest, so settling the order
    and solving in turn is policy iteration: s only rises, and its limit is unique.

    Parameters
    ----------
    own : array_like, shape (n,)
        Hazards per year, see :func:`own_hazard`.
    weights : Weights
        See :func:`exposure_weights`.
    near : ndarray of float64, shape (n,), optional
        Hazards of much the same chain: the order of buyers is tried as they have it, which leads
        to the same end in fewer rounds.

    Returns
    -------
    Propagation
        With ``hazard`` at most ten times the largest own hazard.

    Raises
    ------
    ValueError
        When a hazard is negative or not finite, or sizes differ.

    Notes
    -----
    Rows sum to at most 0.9, so the fixed-point iteration s ← own + W·s converges at least as
    0.9^k; a factorisation would fill in. O(nnz) per step. R. A. Howard, "Dynamic Programming and
    Markov Processes", 1960, for the cap.

    Examples
    --------
    >>> weights = weights_from([0, 1, 2], [1, 2, 0], [0.3, 0.4, 0.2], n_firms=3)
    >>> propagate([0.02, 0.03, 0.01], weights).hazard.round(8).tolist()
    [0.03094262, 0.03647541, 0.01618852]
    """
    import numpy as np

    hazard_own = np.array(own, dtype=np.float64)
    if hazard_own.shape != (weights.n_firms,):
        raise ValueError(f"{hazard_own.size} hazards for {weights.n_firms} firms")
    bad = np.flatnonzero(~(np.isfinite(hazard_own) & (hazard_own >= 0.0)))
    if len(bad):
        raise ValueError(f"firm {bad[0]}: a hazard of {hazard_own[bad[0]]} a year")
    sums = np.zeros(weights.n_firms)
    np.add.at(sums, weights.rows, weights.values)
    capped = np.flatnonzero(sums > CAP)
    if not len(capped):
        return Propagation(_solve(hazard_own, weights), hazard_own, weights, ())
    cut = _Cut(weights, capped)
    used = cut.worst_first(hazard_own if near is None else near)
    hazard = _solve(hazard_own, used)
    for _ in range(MAX_ROUNDS):
        anew = cut.worst_first(hazard)
        if np.array_equal(anew.values, used.values):
            break
        risen = _solve(hazard_own, anew)
        used, before, hazard = anew, hazard, risen
        # Equal buyers may change places for the last bit for ever; nothing rises any more then.
        if np.all(hazard <= before * (1.0 + 1e-13)):
            break
    else:
        raise ValueError(f"the order of buyers did not settle in {MAX_ROUNDS} rounds")
    return Propagation(hazard, hazard_own, _some(used), tuple(capped.tolist()))


class _Cut:
    """Rows above the cap, cut to it."""

    def __init__(self, weights: Weights, capped: "Ints") -> None:
        """Find the entries of the rows once: they stay, only their order within a row changes."""
        import numpy as np

        self.weights = weights
        begins, ends = weights.indptr[capped], weights.indptr[capped + 1]
        self.bounds = np.concatenate(([0], np.cumsum(ends - begins)))
        self.entries = np.arange(self.bounds[-1]) + np.repeat(
            begins - self.bounds[:-1], ends - begins
        )
        self.buyers = weights.indices[self.entries]

    def worst_first(self, hazard: "Floats") -> Weights:
        """Fill each row to the cap with the highest hazards first."""
        import numpy as np
        from scipy.sparse import csr_array

        rank = np.empty(len(hazard), np.int64)
        rank[np.argsort(-hazard, kind="stable")] = np.arange(len(hazard))
        # Turning a matrix over twice puts its rows in order.
        rows = csr_array(
            (self.entries, rank[self.buyers], self.bounds),
            shape=(len(self.bounds) - 1, len(hazard)),
        )
        order = rows.tocsc().tocsr().data
        wanted = self.weights.values[order]
        running, begins = np.cumsum(wanted), self.bounds[:-1]
        offset = np.repeat(running[begins] - wanted[begins], np.diff(self.bounds))
        values = self.weights.values.copy()
        values[order] = np.clip(CAP - (running - wanted - offset), 0.0, wanted)
        return dataclasses.replace(self.weights, values=values)


def _some(weights: Weights) -> Weights:
    """Leave out what was cut to nothing."""
    import numpy as np

    kept = weights.values > 0.0
    entries = np.concatenate(([0], np.cumsum(kept)))[weights.indptr]
    return Weights(entries, weights.indices[kept], weights.values[kept])


def _solve(own: "Floats", weights: Weights) -> "Floats":
    matrix = _matrix(weights)
    hazard = own.copy()
    for _ in range(_MAX_STEPS):
        anew = own + matrix @ hazard
        if (abs(anew - hazard) <= _EPSILON + 2e-16 * anew).all():
            return anew  # type: ignore[no-any-return]
        hazard = anew
    raise ValueError(f"the hazards did not settle in {_MAX_STEPS} steps")


def _matrix(weights: Weights) -> Any:  # noqa: ANN401 - scipy ships no types
    import numpy as np
    from scipy.sparse import csr_array

    n = weights.n_firms
    # Short numbers of firms: the products wait for memory, not for arithmetic.
    short = np.int32 if len(weights.values) < 2**31 else np.int64
    ends = weights.indices.astype(short, copy=False), weights.indptr.astype(short, copy=False)
    return csr_array((weights.values, *ends), shape=(n, n))


def _largest_first(firms: Sequence[int], parts: "Floats") -> tuple[tuple[int, float], ...]:
    pairs = zip(firms, parts.tolist(), strict=True)
    return tuple(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))
