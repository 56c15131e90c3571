"""Whatever a book holds: an answer without NaN, or a refusal that names what is wrong.

Circles, firms that sell to themselves, hubs, firms alone, amounts of nothing and below nothing,
values that are none. Source: risk.md 8, number 11.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.build import from_relations
from graph.clearing import clear, debts_of
from graph.concentration import concentration
from graph.critical import passages
from graph.layout import layered
from graph.live import LiveGraph, parties
from graph.measures import communities, cores, pagerank
from graph.model import SupplyGraph
from graph.paths import shortest_path, strongest_path
from graph.propagation import exposure_weights, propagate
from graph.rings import rings_among
from graph.tiers import circles, components, levels, tiers_down, tiers_up
from graph.trades import trades_of

ODD = st.sampled_from([0.0, -1.0, 1.0, 1e-300, 1e300, float("nan"), float("inf"), -float("inf")])
VALUES = st.one_of(ODD, st.floats(0, 1e6))
FIRM = st.integers(0, 7)
HUB = [(at, 0) for at in range(1, 8)]
CIRCLE = [(0, 1), (1, 2), (2, 0)]
PAIRS = st.one_of(
    st.lists(st.tuples(FIRM, FIRM), max_size=24), st.just(HUB), st.just(CIRCLE),
    st.just([*HUB, *[(b, a) for a, b in HUB], (3, 3)]),
)  # fmt: skip


def finite(*found: Any) -> None:  # noqa: ANN401 - arrays
    for one in found:
        assert np.isfinite(np.asarray(one, np.float64)).all()


def says_why(refused: Exception) -> None:
    assert str(refused)


def answers(ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - what is asked
    """Give the answer, or None where it is refused in words."""
    try:
        return ask()
    except ValueError as refused:
        says_why(refused)
        return None


def book(pairs: list[tuple[int, int]], amounts: list[int]) -> SupplyGraph | None:
    names = "abcdefgh"
    worth = list(itertools.islice(itertools.cycle(amounts or [1]), len(pairs)))
    made: SupplyGraph | None = answers(
        lambda: from_relations(
            [names[a] for a, _ in pairs], [names[b] for _, b in pairs], worth, firms=list(names)
        )
    )
    return made


@settings(max_examples=150)
@given(PAIRS, st.lists(st.integers(-5, 10**15), max_size=6))
def test_every_measure_of_any_book_is_a_number_or_the_book_is_refused(
    pairs: list[tuple[int, int]], amounts: list[int]
) -> None:
    graph = book(pairs, amounts)
    bad = any(a == b for a, b in pairs) or (pairs and any(one < 0 for one in amounts[: len(pairs)]))
    if graph is None:
        assert bad or len(set(pairs)) < len(pairs)
        return
    n = graph.n_firms
    up, down = tiers_up(graph, [0]), tiers_down(graph, [0])
    place = levels(graph, up, down)
    finite(cores(graph), pagerank(graph), communities(graph), up, down, place)
    finite(circles(graph), components(graph), layered(graph, place, np.ones(n)).place)
    found = concentration(graph)
    for side in (found.sales, found.purchases):
        has = side.total > 0
        finite(side.hhi[has], side.top_share[has])
        assert (side.hhi[has] <= 1 + 1e-12).all()
        assert np.isnan(side.hhi[~has]).all()  # by contract: no trade, no index
        assert (side.top[~has] == -1).all()
    held = passages(graph, [0])
    finite(held.behind, held.sales_behind)
    weight = np.full(graph.n_relations, 0.5)
    for way in (shortest_path, strongest_path):
        way(graph, 0, 7, weight, direction="either")
    with pytest.raises(ValueError, match="9"):
        passages(graph, [9])


@settings(max_examples=150)
@given(PAIRS, st.lists(VALUES, min_size=1, max_size=8), st.lists(VALUES, min_size=8, max_size=8))
def test_clearing_answers_in_numbers_or_refuses(
    pairs: list[tuple[int, int]], amounts: list[float], assets: list[float]
) -> None:
    worth = list(itertools.islice(itertools.cycle(amounts), len(pairs)))
    with np.errstate(all="ignore"):
        debts = answers(lambda: debts_of([a for a, _ in pairs], [b for _, b in pairs], worth, 8))
        if debts is None:
            assert not all(np.isfinite(one) and one >= 0 for one in worth)
            return
        found = answers(lambda: clear(debts, assets))
    if found is None:
        assert not all(np.isfinite(one) and one >= 0 for one in assets)
        return
    finite(found.paid, found.received, found.equity, found.lost)
    assert (found.paid <= debts.owed).all()
    assert (found.paid >= 0).all()


@settings(max_examples=150)
@given(
    PAIRS, st.lists(VALUES, min_size=1, max_size=8), st.lists(VALUES, min_size=8, max_size=8),
    st.lists(VALUES, min_size=8, max_size=8),
)  # fmt: skip
def test_risk_that_spreads_is_a_number_or_refused(
    pairs: list[tuple[int, int]], amounts: list[float], buffers: list[float], own: list[float]
) -> None:
    worth = list(itertools.islice(itertools.cycle(amounts), len(pairs)))
    rows, columns = [a for a, _ in pairs], [b for _, b in pairs]
    with np.errstate(all="ignore"):
        weights = answers(lambda: exposure_weights(rows, columns, worth, worth, buffers))
        chain = None if weights is None else answers(lambda: propagate(own, weights))
    if chain is not None:
        finite(chain.hazard)
        assert (chain.hazard >= np.asarray(own) - 1e-12).all()
        assert ((1 - np.exp(-chain.hazard)) <= 1).all()
        for firm in range(8):
            split = chain.split(firm)
            finite(split.own, split.loop, split.beyond, list(split.by_hop))
            parts = split.own + split.loop + sum(part for _, part in split.by_origin)
            assert parts == pytest.approx(split.total, rel=1e-9)


@settings(max_examples=100)
@given(
    PAIRS, st.lists(st.integers(-9, 10**15), min_size=1, max_size=6),
    st.lists(st.integers(0, 90), min_size=1, max_size=6), st.lists(FIRM, max_size=4),
)  # fmt: skip
def test_rings_of_any_book_are_found_or_the_book_is_refused(
    pairs: list[tuple[int, int]], amounts: list[int], days: list[int], owned: list[int]
) -> None:
    worth = list(itertools.islice(itertools.cycle(amounts), len(pairs)))
    on = list(itertools.islice(itertools.cycle(days), len(pairs)))
    ends = [a for a, _ in pairs], [b for _, b in pairs]
    trades = answers(lambda: trades_of("abcdefgh", *ends, worth, on))
    if trades is None:
        return
    group = parties(8, [0] * len(owned), owned)
    rings, _cut = rings_among(LiveGraph(trades, group), range(len(pairs)))
    for ring in rings:
        assert 3 <= len(ring.documents) <= 5
        assert len({int(group[firm]) for firm in ring.firms}) == len(ring.firms)
        assert all(worth[at] > 0 for at in ring.documents)
