"""Probabilities as log-odds and back, for whoever judges them without the libraries of models."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST: Final = 1e-9  # a probability closer to 0 or 1 than this is no estimate


def logit(probability: Floats) -> Floats:
    """Return log-odds, finite for 0 and 1 too.

    Examples
    --------
    >>> logit(np.array([0.5])).tolist()
    [0.0]
    """
    inside = np.clip(probability, _LEAST, 1.0 - _LEAST)
    return np.asarray(np.log(inside) - np.log1p(-inside))


def expit(odds: Floats) -> Floats:
    """Return the probability of log-odds.

    Examples
    --------
    >>> expit(np.array([0.0])).tolist()
    [0.5]
    """
    from scipy.special import expit as inverse

    return np.asarray(inverse(odds))
