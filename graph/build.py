"""From a list of relations to the graph."""

from collections.abc import Iterable, Sequence

from graph.model import SupplyGraph

MAX_VALUE = 2**62  # below it the sum of two totals still fits 64 bits


def from_relations(
    seller: Sequence[str],
    buyer: Sequence[str],
    value: Sequence[int] | None = None,
    *,
    firms: Iterable[str] = (),
) -> SupplyGraph:
    """Build the graph; relations of the same pair are added up.

    Parameters
    ----------
    seller, buyer : sequence of str, length m
        The ends of each relation.
    value : sequence of int, length m, optional
        Amounts in minor units of one currency, not negative; 1 each if left out.
    firms : iterable of str
        Firms that belong to the graph also when they have no relation.

    Returns
    -------
    SupplyGraph

    Raises
    ------
    ValueError
        When a firm trades with itself, an amount is negative, lengths differ, or a sum would not
        fit 64 bits; the message names the relation.

    Notes
    -----
    O(m log m + n log n). The result does not depend on the order of the relations.

    Examples
    --------
    >>> chain = from_relations(["b", "a", "b"], ["c", "c", "c"], [1, 2, 3], firms=["alone"])
    >>> chain.firms
    ('a', 'alone', 'b', 'c')
    >>> chain.seller.tolist(), chain.buyer.tolist(), chain.value.tolist()
    ([0, 2], [3, 3], [2, 4])
    """
    import numpy as np

    if len(seller) != len(buyer) or (value is not None and len(value) != len(seller)):
        raise ValueError(f"{len(seller)} sellers for {len(buyer)} buyers")
    names = sorted({*seller, *buyer, *firms})
    number = {name: at for at, name in enumerate(names)}
    sellers = np.fromiter(map(number.__getitem__, seller), np.int64, len(seller))
    buyers = np.fromiter(map(number.__getitem__, buyer), np.int64, len(buyer))
    values = np.ones(len(sellers), np.int64) if value is None else np.array(value, dtype=np.int64)
    for at in np.flatnonzero(sellers == buyers)[:1]:
        raise ValueError(f"firm {seller[at]} trades with itself")
    for at in np.flatnonzero(values < 0)[:1]:
        raise ValueError(f"the relation of {seller[at]} to {buyer[at]} has amount {values[at]}")
    if float(values.astype(np.float64).sum()) > MAX_VALUE:
        raise ValueError("the amounts of all relations together do not fit 64 bits")
    keys, place = np.unique(sellers * len(names) + buyers, return_inverse=True)
    totals = np.zeros(len(keys), np.int64)
    np.add.at(totals, place, values)
    ends = np.divmod(keys, max(len(names), 1))
    return SupplyGraph(tuple(names), ends[0], ends[1], totals)
