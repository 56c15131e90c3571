"""What a firm has of its own, and what the failure of one buyer would cost it.

The inputs of :mod:`graph.propagation`: own hazards, buffers, and the matrix of weights.
"""

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SIGMA: Final = 0.8  # how uncertain a buffer is, as the deviation of its logarithm
LOSS_ON_RECEIVABLE: Final = 0.70  # share of open receivables lost when the buyer fails
WEEKS_TO_REPLACE: Final = 8  # weeks in which the sales to a failed buyer are missing
MARGIN_LOST: Final = 0.40  # share of those sales that is lost as cash
BUFFER_WEEKS_UNKNOWN: Final = 4  # weeks of sales taken as buffer when no statement is known
BUFFER_WEEKS_LEAST: Final = 2
KAPPA: Final = 0.75


@dataclasses.dataclass(frozen=True)
class Weights:
    """Who can bring whom down: a sparse matrix by rows, row = seller, column = buyer.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Where each row begins in the other two.
    indices : ndarray of int64, shape (nnz,)
        Buyers, ascending within a row.
    values : ndarray of float64, shape (nnz,)
        Probability in (0, 1] that the failure of the buyer exceeds the seller's buffer.
    """

    indptr: "Ints"
    indices: "Ints"
    values: "Floats"

    @property
    def n_firms(self) -> int:
        """The number of firms."""
        return len(self.indptr) - 1

    def of(self, firm: int) -> tuple["Ints", "Floats"]:
        """Give the buyers of one firm with their weights."""
        span = slice(self.indptr[firm], self.indptr[firm + 1])
        return self.indices[span], self.values[span]

    @cached_property
    def rows(self) -> "Ints":
        """The seller of every entry, shape (nnz,)."""
        import numpy as np

        return np.repeat(np.arange(self.n_firms, dtype=np.int64), np.diff(self.indptr))


def own_hazard(
    pd_one_year: "ArrayLike", *, kappa: float = KAPPA, rated: "ArrayLike | None" = None
) -> "Floats":
    """Give the hazard per year that a firm has of itself.

    A score is fitted on defaults that partly came through the chain, so only the share ``kappa``
    of its hazard is the firm's own. A rating holds everything already: it is taken whole, and the
    firm's row of weights is empty (:func:`exposure_weights`).

    Parameters
    ----------
    pd_one_year : array_like, shape (n,)
        Probabilities in [0, 1).
    kappa : float
        Share in (0, 1].
    rated : array_like of bool, shape (n,), optional

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ValueError
        When a probability is outside [0, 1), naming the firm.

    Examples
    --------
    >>> own_hazard([0.0241, 0.0015], rated=[False, True]).round(8).tolist()
    [0.01829637, 0.00150113]
    """
    import numpy as np

    pd = np.asarray(pd_one_year, dtype=np.float64)
    bad = np.flatnonzero(~((pd >= 0.0) & (pd < 1.0)))
    if len(bad):
        raise ValueError(f"firm {bad[0]}: a probability of {pd[bad[0]]} is not in [0, 1)")
    if not 0.0 < kappa <= 1.0:
        raise ValueError(f"kappa {kappa} is not in (0, 1]")
    share = np.full(pd.shape, kappa)
    if rated is not None:
        share[np.asarray(rated, dtype=bool)] = 1.0
    return np.asarray(-np.log1p(-pd) * share)


def buffers(weekly_sales: "ArrayLike", liquidity: "ArrayLike | None" = None) -> "Floats":
    """Give what each firm can lose before it fails.

    Parameters
    ----------
    weekly_sales : array_like, shape (n,)
        All sales of a mean week, in one currency.
    liquidity : array_like, shape (n,), optional
        Cash and undrawn committed lines from a recent statement; NaN where unknown.

    Returns
    -------
    ndarray of float64, shape (n,)
        Known liquidity, at least two weeks' sales; four weeks' sales where it is unknown.

    Examples
    --------
    >>> buffers([100.0, 100.0, 100.0], [500.0, 50.0, float("nan")]).tolist()
    [500.0, 200.0, 400.0]
    """
    import numpy as np

    sales = np.asarray(weekly_sales, dtype=np.float64)
    unknown = BUFFER_WEEKS_UNKNOWN * sales
    if liquidity is None:
        return unknown
    known = np.asarray(liquidity, dtype=np.float64)
    return np.where(np.isnan(known), unknown, np.fmax(known, BUFFER_WEEKS_LEAST * sales))


def exposure_weights(
    seller: "ArrayLike",
    buyer: "ArrayLike",
    receivable: "ArrayLike",
    weekly_sales: "ArrayLike",
    buffer: "ArrayLike",
    *,
    rated: "ArrayLike | None" = None,
) -> Weights:
    """Give the probability that the failure of a buyer costs a seller more than its buffer.

    x = (0.70 · receivable + 8 · 0.40 · weekly sales) / buffer of the seller, and
    W = Φ(ln x / 0.8).

    Parameters
    ----------
    seller, buyer : array_like of int, shape (m,)
        The pairs, each once.
    receivable : array_like, shape (m,)
        Open, undisputed receivables of the seller on the buyer whose credit risk it keeps.
    weekly_sales : array_like, shape (m,)
        Mean weekly sales of the pair over 13 weeks.
    buffer : array_like, shape (n,)
        What each firm can lose, see :func:`buffers`. All amounts in one currency.
    rated : array_like of bool, shape (n,), optional
        Firms whose rating already holds the chain: their rows stay empty.

    Returns
    -------
    Weights

    Raises
    ------
    ValueError
        When an amount is negative or not finite, a pair stands twice, or a firm with exposure
        has no positive buffer; the message names firm or pair.

    Notes
    -----
    O(m log m). The shape puts x of 0.25 to 0.40 at 4 to 13 %, the range that J. Boissay reports
    for trade credit chains ("Credit chains and the propagation of financial distress", 2006).

    Examples
    --------
    >>> x = [0.1, 0.4, 1.0]
    >>> weights = exposure_weights([0, 1, 2], [3, 3, 3], [v / 0.7 for v in x], [0, 0, 0], [1] * 4)
    >>> weights.values.round(6).tolist()
    [0.002, 0.126029, 0.5]
    """
    import numpy as np
    from scipy.special import ndtr

    i, j = _indices(seller), _indices(buyer)
    b = np.asarray(buffer, dtype=np.float64)
    owed, sales = (np.asarray(v, dtype=np.float64) for v in (receivable, weekly_sales))
    for name, values in (("receivable", owed), ("weekly sales", sales)):
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
        if len(bad):
            at = bad[0]
            raise ValueError(f"{name} of pair {i[at]} to {j[at]} is {values[at]}")
    _check_pairs(i, j, len(b))
    loss = LOSS_ON_RECEIVABLE * owed + WEEKS_TO_REPLACE * MARGIN_LOST * sales
    keep = (loss > 0.0) & (i != j)
    if rated is not None:
        keep &= ~np.asarray(rated, dtype=bool)[i]
    i, j, loss = i[keep], j[keep], loss[keep]
    without = np.flatnonzero(~(b[i] > 0.0))
    if len(without):
        raise ValueError(f"firm {i[without[0]]} has exposure and no positive buffer")
    return weights_from(i, j, ndtr(np.log(loss / b[i]) / SIGMA), n_firms=len(b))


def weights_from(
    seller: "ArrayLike", buyer: "ArrayLike", values: "ArrayLike", *, n_firms: int
) -> Weights:
    """Put given weights in order; entries of 0 are left out.

    Parameters
    ----------
    seller, buyer : array_like of int, shape (m,)
    values : array_like, shape (m,)
        In [0, 1].
    n_firms : int

    Returns
    -------
    Weights

    Raises
    ------
    ValueError
        When a value is outside [0, 1], an index unknown, a pair doubled or a firm its own buyer.

    Examples
    --------
    >>> weights = weights_from([1, 0], [0, 1], [0.5, 0.25], n_firms=2)
    >>> weights.of(0)[1].tolist()
    [0.25]
    """
    import numpy as np

    i, j = _indices(seller), _indices(buyer)
    w = np.asarray(values, dtype=np.float64)
    _check_pairs(i, j, n_firms)
    wrong = np.flatnonzero(~((w >= 0.0) & (w <= 1.0)) | (i == j))
    if len(wrong):
        at = wrong[0]
        raise ValueError(f"weight of pair {i[at]} to {j[at]} is {w[at]}")
    keep = w > 0.0
    i, j, w = i[keep], j[keep], w[keep]
    order = np.lexsort((j, i))
    counts = np.bincount(i, minlength=n_firms)
    indptr = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Weights(indptr, j[order], w[order])


def _indices(values: "ArrayLike") -> "Ints":
    import numpy as np

    given = np.asarray(values)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise ValueError(f"firms are counted from 0, got {given.dtype}")
    return given.astype(np.int64)


def _check_pairs(i: "Ints", j: "Ints", n_firms: int) -> None:
    import numpy as np

    if len(i) != len(j):
        raise ValueError(f"{len(i)} sellers for {len(j)} buyers")
    for firm in (*i[(i < 0) | (i >= n_firms)], *j[(j < 0) | (j >= n_firms)]):
        check_index(int(firm), n_firms)
    keys = np.sort(i * n_firms + j)
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    if len(twice):
        pair = divmod(int(keys[twice[0]]), n_firms)
        raise ValueError(f"pair {pair[0]} to {pair[1]} stands twice")


def check_index(firm: int, n_firms: int) -> None:
    """Raise ValueError when a firm is not one of those counted from 0."""
    if not 0 <= firm < n_firms:
        raise ValueError(f"firm {firm} is not one of {n_firms}")
