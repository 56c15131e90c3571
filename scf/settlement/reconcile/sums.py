"""Which of a payer's open items add up to a sum: whole groups first, then few of them, bounded."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Beyond these a sum fits by chance more often than by meaning.
MOST_ITEMS: Final = 12
MOST_PAID: Final = 6
LARGEST: Final = 2**59  # a dozen of them are still whole numbers of 64 bits


def groups(
    places: Sequence[int], due: Sequence[int], amounts: Sequence[int]
) -> dict[int, list[slice]]:
    """Give the sets that payers pay at once, by their sums: all due up to a day, or all of one day.

    ``places`` are sorted by day, and the sets slices of them; sets of one are left out.
    """
    found: dict[int, list[slice]] = {}
    until = end = 0
    for _day, group in groupby(places, key=lambda place: due[place]):
        same = [amounts[one] for one in group]
        start, end = end, end + len(same)
        until += sum(same)
        if len(same) > 1:
            found.setdefault(sum(same), []).append(slice(start, end))
        if end > max(1, len(same)):
            found.setdefault(until, []).append(slice(0, end))
    return found


def adding_up(
    total: int, places: Sequence[int], amounts: Sequence[int]
) -> tuple[tuple[int, ...], bool]:
    """Find few items whose sum is the total; tells also whether they are the only such set.

    The first :data:`MOST_ITEMS` items are tried, :data:`MOST_PAID` of them at once; of more items
    a set that is found is never called the only one.
    """
    tried = places[:MOST_ITEMS]
    if len(tried) <= 1 or max(amounts[one] for one in tried) > LARGEST:
        return (), False
    import numpy as np

    sets = _sets(len(tried))
    sums = sets @ np.array([amounts[one] for one in tried], dtype=np.int64)
    hits = np.flatnonzero(sums == total)
    if not len(hits):
        return (), False
    found = tuple(one for one, taken in zip(tried, sets[hits[0]], strict=True) if taken)
    return found, len(hits) == 1 and len(places) == len(tried)


@lru_cache(maxsize=MOST_ITEMS + 1)
def _sets(count: int) -> "NDArray[np.int64]":
    """Give all sets of two to :data:`MOST_PAID` things as rows of zeros and ones, small first."""
    import numpy as np

    every = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
    sizes = every.sum(axis=1)
    kept = every[(sizes > 1) & (sizes <= MOST_PAID)].astype(np.int64)
    small_first: NDArray[np.int64] = kept[np.argsort(kept.sum(axis=1), kind="stable")]
    return small_first
