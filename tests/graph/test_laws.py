"""Each conservation law holds in drawn histories and names the planted breach, 100 of 100."""

import dataclasses
import doctest
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from graph import laws
from graph.clearing import clear, debts_of
from graph.laws import Breach
from graph.trades import relations, trades_of

K = 30
Facts = dict[str, Any]


def test_the_examples_in_the_docstrings_run() -> None:
    tried = doctest.testmod(laws)
    assert tried.attempted > 0
    assert tried.failed == 0


def order_lines(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    ordered = rng.integers(1, 10**15, K)
    tolerance = rng.choice([0, 1, 20_000], K)
    most = [int(x) * (10**6 + int(t)) // 10**6 for x, t in zip(ordered, tolerance, strict=True)]
    received = np.array([rng.integers(0, min(limit, 10**15 - 1) + 1) for limit in most])
    by_receipt = rng.random(K) < 0.7
    base = np.where(by_receipt, received, ordered)
    may = np.array(
        [int(x) * (10**6 + int(t)) // 10**6 for x, t in zip(base, tolerance, strict=True)]
    )
    credited = rng.integers(0, 5, K)
    invoiced = np.minimum(may, 10**15 - 10) + credited
    facts = {
        "ordered": ordered, "received": received, "invoiced": invoiced, "credited": credited,
        "tolerance_ppm": tolerance, "by_receipt": by_receipt,
    }  # fmt: skip
    at = int(np.flatnonzero(may < 10**15 - 10)[rng.integers(0, 3)])
    return facts, facts | {"invoiced": plus(invoiced, at)}, (at,)


def invoices(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    names = ("paid", "credited", "written_off", "still_open")
    facts: Facts = {name: rng.integers(0, 10**13, K) for name in names}
    facts["gross"] = sum(facts[name] for name in names)
    facts |= {name: rng.integers(0, 10**12, K) for name in ("held", "outstanding", "over_advance")}
    short = facts["held"] + facts["outstanding"] - facts["over_advance"]
    facts["capacity"] = np.maximum(short, 0)
    at = int(np.flatnonzero(short >= 0)[0])
    broken = str(rng.choice([*names, "gross", "held", "outstanding"]))
    return facts, facts | {broken: plus(facts[broken], at)}, (at,)


def vouchers(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    issued = rng.integers(1_000, 10**12, 5)
    root, parent, amount, live = list(range(5)), [-1] * 5, issued.tolist(), [True] * 5
    for _ in range(20):
        at = int(rng.choice(np.flatnonzero(live)))
        part = int(rng.integers(0, amount[at] + 1))
        live[at] = False
        for worth in (part, amount[at] - part):
            root.append(root[at])
            parent.append(at)
            amount.append(worth)
            live.append(True)
    gone = int(rng.choice(np.flatnonzero(live)))
    live[gone] = False
    redeemed = np.zeros(5, np.int64)
    redeemed[root[gone]] = amount[gone]
    facts = {
        "root": root, "parent": parent, "amount": amount, "live": live,
        "issued": issued, "redeemed": redeemed, "cancelled": [0] * 5,
    }  # fmt: skip
    if rng.random() < 0.5:
        at = int(rng.choice(np.flatnonzero(live)))
        return facts, facts | {"amount": plus(amount, at)}, (root[at],)
    child = next(at for at in range(5, len(root)) if live[at])
    child = parent.index(parent[child])
    woken = [state or at == parent[child] for at, state in enumerate(live)]
    return facts, facts | {"live": woken}, (root[child], parent[child], child)


def receipts(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    of, part = rng.integers(0, K, 80), rng.integers(0, 10**12, 80)
    suspense = rng.integers(0, 10**12, K)
    amount = suspense.copy()
    np.add.at(amount, of, part)
    facts = {"amount": amount, "suspense": suspense, "receipt": of, "allocated": part}
    at = int(rng.integers(0, 80))
    return facts, facts | {"allocated": plus(part, at)}, (int(of[at]),)


def limits(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    parent = np.array([-1] + [int(rng.integers(0, at)) for at in range(1, K)])
    node, worth = rng.integers(0, K, 60), rng.integers(1, 10**12, 60)
    used = np.zeros(K, np.int64)
    for lowest, much in zip(node.tolist(), worth.tolist(), strict=True):
        at = lowest
        while at >= 0:
            used[at] += much
            at = int(parent[at])
    facts = {"used": used, "parent": parent, "node": node, "utilisation": worth}
    wrong = int(rng.integers(0, K))
    path = [wrong]
    while parent[path[0]] >= 0:
        path.insert(0, int(parent[path[0]]))
    return facts, facts | {"used": plus(used, wrong)}, tuple(path)


def edges(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    book = trades_of(
        [f"f{number:02d}" for number in range(12)], rng.integers(0, 12, 80),
        rng.integers(0, 12, 80), rng.integers(1, 10**12, 80), rng.integers(0, 30, 80),
    )  # fmt: skip
    stored = relations(book, until=20)
    facts = {"stored": stored, "trades": book, "until": 20}
    inside = np.flatnonzero((book.seller != book.buyer) & (book.day <= 20))
    at = int(rng.choice(inside))
    pair = int(book.seller[at]), int(book.buyer[at])
    if rng.random() < 0.5:
        changed = dataclasses.replace(book, amount=plus(book.amount, at))
        return facts, facts | {"trades": changed}, pair
    place = int(
        np.flatnonzero((stored.graph.seller == pair[0]) & (stored.graph.buyer == pair[1]))[0]
    )
    graph = dataclasses.replace(stored.graph, value=plus(stored.graph.value, place))
    return facts, facts | {"stored": dataclasses.replace(stored, graph=graph)}, pair


def clearing(rng: np.random.Generator) -> tuple[Facts, Facts, tuple[int, ...]]:
    assets = rng.integers(0, 1_000, 12)
    debts = debts_of(rng.integers(0, 12, 40), rng.integers(0, 12, 40), rng.integers(1, 900, 40), 12)
    found = clear(debts, assets, recovery=float(rng.choice([0.4, 1.0])))
    cents = {"equity": found.equity, "unrecovered": found.lost, "assets": assets}
    facts: Facts = {
        name: np.rint(values * 10**6).astype(np.int64) for name, values in cents.items()
    }
    facts["allowed"] = 24
    at = int(rng.integers(0, 12))
    return facts, facts | {"equity": plus(facts["equity"], at, by=50)}, ()


def plus(values: ArrayLike, at: int, by: int = 1) -> NDArray[np.int64]:
    changed = np.array(values, np.int64)
    changed[at] += by
    return changed


Law = Callable[..., Breach | None]
Made = Callable[[np.random.Generator], tuple[Facts, Facts, tuple[int, ...]]]
MADE: list[tuple[Law, Made]] = [
    (laws.order_lines, order_lines),
    (laws.invoices, invoices),
    (laws.vouchers, vouchers),
    (laws.receipts, receipts),
    (laws.limits, limits),
    (laws.edges, edges),
    (laws.clearing, clearing),
]


@pytest.mark.parametrize(("law", "made"), MADE, ids=[made.__name__ for _, made in MADE])
def test_a_law_holds_and_names_what_was_broken_on_purpose(law: Law, made: Made) -> None:
    for seed in range(100):
        facts, broken, path = made(np.random.default_rng(seed))
        assert law(**facts) is None, seed
        breach = law(**broken)
        assert breach is not None, seed
        assert breach.path == path, seed
        assert breach.found != breach.bound


def test_a_receipt_above_the_order_is_named() -> None:
    line = laws.order_lines([10, 10], [10, 12], [0, 0], [0, 0], tolerance_ppm=100_000)
    assert line == Breach("received ≤ ordered · (1 + tolerance)", (1,), 12, 11)
    without = laws.order_lines([10], [99], [10], [0], by_receipt=False)
    assert without is None


def test_a_relation_without_documents_is_named() -> None:
    book = trades_of("abc", [0], [1], [5], [1])
    more = trades_of("abc", [0, 1], [1, 2], [5, 8], [1, 1])
    assert laws.edges(relations(more), book) == Breach(
        "relation = sum of its documents", (1, 2), 8, 0
    )
    assert laws.edges(relations(book), more) == Breach(
        "relation = sum of its documents", (1, 2), 0, 8
    )
    with pytest.raises(ValueError, match="different firms"):
        laws.edges(relations(book), trades_of("ab", [], [], [], []))


def test_facts_that_cannot_be_are_named() -> None:
    with pytest.raises(ValueError, match="ordered of row 0 is -1"):
        laws.order_lines([-1], [0], [0], [0])
    with pytest.raises(ValueError, match="amount is of float64"):
        laws.receipts([0.5], [0], [], [])
    with pytest.raises(ValueError, match="columns of 1, 2 rows"):
        laws.receipts([1, 2], [0], [], [])
    with pytest.raises(ValueError, match="receipt of row 0 is 3, of 1"):
        laws.receipts([1], [0], [3], [1])
    with pytest.raises(ValueError, match="in a circle"):
        laws.limits([0, 0], [1, 0], [0], [5])
    with pytest.raises(ValueError, match="1 states for 2 parts"):
        laws.vouchers([0, 0], [-1, -1], [1, 1], [True], [2], [0], [0])
