"""The formulas of a price for columns, equal to the last bit to those for one item.

Functions that libraries round differently for columns than for single numbers (expm1) are asked
number by number; the distributions are the same compiled functions either way.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from scoring.capital import CONFIDENCE, HIGH_R, LOW_R, STEEPNESS
from scoring.hazard import YEAR_DAYS
from scoring.policy import Model
from scoring.recourse import SLACK
from scoring.schema import COMPONENTS, MICRO

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]
    Bools = NDArray[np.bool_]

_NEAR: Final = 1e-4  # of a millionth of a basis point
_EXACT_TO: Final = 1e11  # beyond, a float holds no ten-thousandth of a millionth


def expm1(values: "Floats") -> "Floats":
    """Return exp(x) - 1 of each number, as `math.expm1` gives it."""
    import numpy as np

    return np.fromiter(map(math.expm1, values.tolist()), np.float64, len(values))


def pd_within(hazard: "Floats", days: "Ints | int") -> "Floats":
    """Return probabilities of default within one day or more; see `scoring.hazard.pd_within`."""
    return -expm1(-hazard * days / YEAR_DAYS)


def joint_pd(first: "Floats", second: "Floats", rho: "Floats") -> "Floats":
    """Return the probabilities that both default; see `scoring.recourse.joint_pd`.

    Parameters
    ----------
    first, second, rho : ndarray of float64, shape (n,)
        NaN comes out where a special case of the single formula would be needed.
    """
    import numpy as np
    from scipy.special import ndtri, owens_t

    h, k = ndtri(first), ndtri(second)
    root = np.sqrt(1 - rho * rho)
    with np.errstate(divide="ignore", invalid="ignore"):
        tails = (
            (first + second) / 2
            - owens_t(h, (k - rho * h) / (h * root))
            - owens_t(k, (h - rho * k) / (k * root))
        )
    joint = np.where(h * k < 0, tails - 0.5, tails)
    lowest, highest = np.maximum(0.0, first + second - 1), np.minimum(first, second)
    bounded = np.minimum(np.maximum(joint, lowest), highest)
    special = (
        (np.abs(joint - bounded) > SLACK)
        | ~((first > 0) & (first < 1) & (second > 0) & (second < 1))
        | (h == 0)
        | (k == 0)
    )
    return np.where(special, np.nan, bounded)


def capital_share(pd: "Floats", lgd: "Floats") -> "Floats":
    """Return capital per unit at a maturity of one year; see `scoring.capital.capital_share`."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    weight = expm1(-STEEPNESS * pd) / math.expm1(-STEEPNESS)
    r = LOW_R * weight + HIGH_R * (1 - weight)
    with np.errstate(invalid="ignore"):
        stressed = ndtr((ndtri(pd) + np.sqrt(r) * ndtri(CONFIDENCE)) / np.sqrt(1 - r))
        share = np.maximum(lgd * (stressed - pd), 0.0)
    return np.where((pd == 0) | (pd == 1), 0.0, share)


def diluted_share(credited: "Ints", gross: "Ints", items: "Ints", model: Model) -> "Floats":
    """Return expected credited shares; see `scoring.observed.dilution_share`.

    Whole numbers of any size are divided once and rounded once, as a fraction is.
    """
    import numpy as np

    prior, top = model.dilution_prior, model.dilution_prior_items
    without = float(prior)

    def one(part: int, whole: int, seen: int) -> float:
        if not seen:
            return without
        above = prior.denominator * part * seen + prior.numerator * top * whole
        return above / (prior.denominator * whole * (seen + top))

    columns = (credited.tolist(), gross.tolist(), items.tolist())
    return np.fromiter(map(one, *columns), np.float64, len(items))


def diluted_beyond(share: "Floats", reserve: "Floats", concentration: int) -> "Floats":
    """Return expected dilution beyond a reserve; see `scoring.dilution.diluted_beyond`.

    Parameters
    ----------
    share, reserve : ndarray of float64, shape (n,)
        In (0, 1) and [0, 1).
    concentration : int
        Above 0.
    """
    import numpy as np
    from scipy.special import betaincc

    beyond = share.copy()
    some = np.flatnonzero(reserve > 0)
    mean, kept = share[some], reserve[some]
    alpha, beta = concentration * mean, concentration * (1 - mean)
    left = mean * betaincc(alpha + 1, beta, kept) - kept * betaincc(alpha, beta, kept)
    beyond[some] = np.minimum(np.maximum(left, 0.0), mean)
    return beyond


def to_micro(bp: "Floats") -> "tuple[Ints, Bools]":
    """Return basis points in whole millionths, and where a row must decide on the rounding."""
    import numpy as np

    scaled = bp * MICRO
    down = np.floor(scaled)
    over = scaled - down
    doubtful = ~((np.abs(over - 0.5) > _NEAR) & (scaled >= 0) & (scaled < _EXACT_TO))
    with np.errstate(invalid="ignore"):
        whole = np.where(doubtful, 0, down + (over > 0.5)).astype(np.int64)  # noqa: PLR2004
    return whole, doubtful


def whole_bp(micro_bp: "Ints", rate_bp: "Ints") -> "Ints":
    """Return whole components that sum to the rate; see `scoring.stack.whole_bp`.

    Parameters
    ----------
    micro_bp : ndarray of int64, shape (n, 11)
    rate_bp : ndarray of int64, shape (n,)
    """
    import numpy as np

    floors, left = np.divmod(micro_bp, MICRO)
    missing = rate_bp - floors.sum(axis=1)
    columns = np.ascontiguousarray(left.T)
    for at in range(len(COMPONENTS)):
        before = np.zeros(len(rate_bp), dtype=np.int64)  # who takes a point sooner
        for other in range(len(COMPONENTS)):
            if other < at:
                before += columns[other] >= columns[at]
            elif other > at:
                before += columns[other] > columns[at]
        floors[:, at] += before < missing
    return floors


def by_pair(
    first: "Ints", second: "Ints", give: "Callable[[int, int], float | int]", dtype: type
) -> "NDArray[Any]":
    """Return a figure that two small whole numbers decide, worked out once for each two of them."""
    import numpy as np

    span = int(second.max(initial=0)) + 1
    keys, place = np.unique(first * span + second, return_inverse=True)
    made = [give(*divmod(int(key), span)) for key in keys]
    return np.array(made, dtype=dtype)[place]


def at_least(part: "Ints", whole: "Ints", share: Fraction) -> "Bools":
    """Tell where part / whole is a share or more, exactly, for whole numbers below 2⁵³.

    Parameters
    ----------
    part, whole : ndarray of int64, shape (n,)
        ``whole`` above 0.
    share : Fraction
        In [0, 1].
    """
    import numpy as np

    above, below = share.numerator, share.denominator
    most = max(int(part.max(initial=0)) * below, int(whole.max(initial=0)) * above)
    if most < 2**62:
        return np.asarray(part * below >= whole * above)
    both = zip(part.tolist(), whole.tolist(), strict=True)
    return np.array([one * below >= all_of * above for one, all_of in both], dtype=np.bool_)
