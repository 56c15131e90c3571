"""All features of a large book in a process of its own, so that its peak of memory is its own.

``python -m tests.performance.features_process TIMES`` works them out so many times, in turns with
a group-by of the same invoices in polars, and prints seconds of CPU and the peak as JSON.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.features import (
    CONCEDED,
    CREDITED,
    DISPUTED,
    MOVED,
    NAMES,
    PAID,
    SOLD,
    UNDERTAKEN,
    Changes,
    Events,
    Failures,
    Foundings,
    Invoices,
    Statements,
    features,
)
from tests.performance.import_process import peak_mb

FIRMS, RELATIONS, INVOICES = 100_000, 1_000_000, 5_000_000
TODAY = 20_365
Ints = NDArray[np.int64]


def book(firms: int = FIRMS, relations: int = RELATIONS, invoices: int = INVOICES) -> Events:
    """Two years of trade: most is paid once, some in parts, credited, disputed, sold or moved."""
    rng = np.random.default_rng(42)
    keys = _pairs(rng, firms, relations)
    which = np.concatenate((np.arange(relations), rng.integers(0, relations, invoices - relations)))
    issued = np.sort(rng.integers(TODAY - 730, TODAY, invoices))
    due, amount = issued + rng.integers(14, 91, invoices), rng.lognormal(13, 1.5, invoices)
    trade = Invoices(
        keys[which] // firms, keys[which] % firms, amount.astype(np.int64), issued, due,
        issued + rng.integers(0, 5, invoices),
    )  # fmt: skip
    said = firms // 2
    statements = Statements(
        rng.integers(0, firms, said), rng.lognormal(18, 1, said), rng.lognormal(14, 1, said),
        rng.lognormal(15, 1, said), rng.random(said), rng.integers(TODAY - 1_300, TODAY, said),
        rng.integers(TODAY - 800, TODAY, said),
    )  # fmt: skip
    founded = rng.integers(5_000, 19_000, firms)
    return Events(
        firms,
        trade,
        _changes(rng, trade),
        statements,
        Foundings(np.arange(firms), founded, founded),
        Failures(rng.integers(0, firms, 500), rng.integers(TODAY - 365, TODAY, 500)),
    )


def _pairs(rng: np.random.Generator, firms: int, relations: int) -> Ints:
    sizes = [np.arange(1, firms + 1) ** -power for power in (0.5, 0.8)]
    ends = [
        rng.permutation(firms)[rng.choice(firms, relations * 3 // 2, p=size / size.sum())]
        for size in sizes
    ]
    keys = np.unique(ends[0] * firms + ends[1])
    found: Ints = rng.permutation(keys[keys // firms != keys % firms])[:relations]
    assert len(found) == relations
    return found


def _changes(rng: np.random.Generator, trade: Invoices) -> Changes:
    invoices = len(trade)
    paid_on = trade.due + np.rint(rng.gamma(1.0, 8.0, invoices)).astype(np.int64) - 4
    in_parts = rng.random(invoices) < 0.05
    parts: list[tuple[NDArray[Any], ...]] = []

    def told(rows: Ints, kind: int, amount: Ints, on: Ints) -> None:
        known = np.maximum(on, trade.known[rows])
        parts.append((rows, np.full(len(rows), kind, np.int8), amount, on, known))

    paid = paid_on < TODAY
    whole, half = np.flatnonzero(paid & ~in_parts), np.flatnonzero(paid & in_parts)
    told(whole, PAID, trade.amount[whole], paid_on[whole])
    told(half, PAID, trade.amount[half] // 2, paid_on[half])
    told(half, PAID, trade.amount[half] - trade.amount[half] // 2, paid_on[half] + 20)
    for kind, share, part in (
        (CREDITED, 0.03, 10), (DISPUTED, 0.02, 10), (CONCEDED, 0.01, 10), (SOLD, 0.05, 1),
        (UNDERTAKEN, 0.05, 1), (MOVED, 0.02, 1),
    ):  # fmt: skip
        rows = np.flatnonzero(rng.random(invoices) < share)
        on = trade.due[rows] + 30 if kind == MOVED else trade.issued[rows] + 10
        told(rows, kind, trade.amount[rows] // part, on)
    columns = [np.concatenate([part[at] for part in parts]) for at in range(5)]
    order = np.argsort(columns[4], kind="stable")
    return Changes(*(column[order] for column in columns))


def main(times: str) -> dict[str, Any]:
    """Work all features out and say what it took."""
    events = book()
    ours, peer = [], []
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # forget the peak of making the book
    before = peak_mb()
    for _ in range(int(times)):
        start = time.process_time()
        found = features(events, TODAY)
        ours.append(time.process_time() - start)
    peak = peak_mb()
    assert found.shape == (FIRMS, len(NAMES))
    import polars as pl

    trade = events.invoices
    frame = pl.DataFrame({"s": trade.seller, "b": trade.buyer, "a": trade.amount, "d": trade.due})
    for _ in range(int(times)):
        start = time.process_time()
        pairs = frame.group_by("s", "b").agg(pl.col("a").sum(), pl.len(), pl.col("d").max())
        peer.append(time.process_time() - start)
    assert len(pairs) == RELATIONS
    return {"ours": ours, "peer": peer, "peak_mb": peak, "book_mb": before}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
