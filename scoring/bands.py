"""How sure a trained model is of a firm: what refits on other draws of the same firms would say.

A firm is drawn with all its rows, since rows of one firm are no news to each other.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DRAWS: Final = 200
SHARE: Final = 0.90
"""Share of the refits that lie inside the band."""

Refit = Callable[[Ints], Floats]
"""Fits on these rows (with repeats) and gives a one-year PD of each firm that is asked about."""


def refitted(
    clusters: Ints, refit: Refit, seed: int, draws: int = DRAWS, share: float = SHARE
) -> tuple[Floats, Floats]:
    """Return the lower and upper one-year PD of each firm that is asked about.

    Parameters
    ----------
    clusters : ndarray of int64, shape (n,)
        The firm of each row of the training.
    refit : callable
        From row numbers, shape (m,), to PDs in [0, 1], shape (k,), the same k each time.
    seed : int
        Of the draws.
    draws : int
        Refits, at least 2.
    share : float
        Of the refits inside the band, in (0, 1).

    Returns
    -------
    low, high : ndarray of float64, shape (k,)
        Quantiles of the refits, each an answer of one of them: nothing is interpolated.

    Notes
    -----
    `draws` fits, one after the other, in constant memory beside k answers of each. For
    `scoring.pricing.price_band`.

    References
    ----------
    Cameron, Gelbach, Miller (2008), "Bootstrap-based improvements for inference with clustered
    errors", Review of Economics and Statistics 90: pairs cluster bootstrap.

    Examples
    --------
    >>> fails = np.array([0.0, 0.0, 1.0, 0.0])
    >>> firms = np.array([0, 0, 1, 2])
    >>> low, high = refitted(firms, lambda rows: fails[rows].mean(keepdims=True), seed=1)
    >>> bool(0 <= low[0] < high[0] <= 1)
    True
    """
    if draws < 2 or not 0 < share < 1:  # noqa: PLR2004 - a band has two ends
        raise ValueError("draws is 2 or more, share lies in (0, 1).")
    order = np.argsort(clusters, kind="stable")
    _firms, first, count = np.unique(clusters[order], return_index=True, return_counts=True)
    if not len(count):
        raise ValueError("clusters: there is no firm to draw.")
    chance = np.random.default_rng(seed)
    told = np.stack(
        [refit(_rows(order, first, count, chance.integers(0, len(count), len(count))))
         for _ in range(draws)]
    )  # fmt: skip
    if told.ndim != 2 or not ((told >= 0) & (told <= 1)).all():  # noqa: PLR2004 - draws by firms
        raise ValueError("refit gives a probability for each firm.")
    tail = (1 - share) / 2
    low = np.quantile(told, tail, axis=0, method="lower")
    high = np.quantile(told, 1 - tail, axis=0, method="higher")
    return low, high


def _rows(order: Ints, first: Ints, count: Ints, drawn: Ints) -> Ints:
    """Return all rows of the firms that were drawn, as often as they were."""
    return np.concatenate([order[first[firm] : first[firm] + count[firm]] for firm in drawn])
