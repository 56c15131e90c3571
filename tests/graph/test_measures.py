"""Measures of the whole graph against networkx, which computes them in other ways."""

import doctest

import networkx as nx
import numpy as np
import pytest

from graph import compiled, critical, measures
from graph.build import from_relations
from graph.critical import passages
from graph.measures import communities, cores, pagerank
from graph.model import SupplyGraph


def test_the_examples_in_the_docstrings_run() -> None:
    for module in (measures, critical):
        tried = doctest.testmod(module)
        assert tried.attempted > 0
        assert tried.failed == 0


def drawn(seed: int, n: int = 40, m: int = 90) -> SupplyGraph:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, n, (m, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    names = [f"f{number:03d}" for number in range(n)]
    return from_relations(
        [names[at] for at in ends[:, 0]],
        [names[at] for at in ends[:, 1]],
        rng.integers(0, 50, len(ends)).tolist(),
        firms=names,
    )


def whole(graph: SupplyGraph) -> "nx.DiGraph[int]":
    view: nx.DiGraph[int] = nx.DiGraph()
    view.add_nodes_from(range(graph.n_firms))
    view.add_weighted_edges_from(
        zip(graph.seller.tolist(), graph.buyer.tolist(), graph.value.tolist(), strict=True)
    )
    return view


@pytest.mark.parametrize("m", [0, 30, 90, 400])
def test_cores_are_those_of_networkx(m: int) -> None:
    graph = drawn(m, m=m)
    expected = nx.core_number(whole(graph).to_undirected())
    assert dict(enumerate(cores(graph).tolist())) == expected


@pytest.mark.parametrize("m", [0, 30, 400])
def test_pagerank_is_that_of_networkx(m: int) -> None:
    graph = drawn(m, m=m)
    expected = nx.pagerank(whole(graph), tol=1e-14, max_iter=1_000)
    assert dict(enumerate(pagerank(graph, settled=1e-13).tolist())) == pytest.approx(expected)


def test_a_graph_without_firms_has_no_measures() -> None:
    empty = from_relations([], [])
    assert (len(cores(empty)), len(pagerank(empty)), len(communities(empty))) == (0, 0, 0)
    assert len(passages(empty, []).behind) == 0
    with pytest.raises(ValueError, match=r"a damping of 1.0"):
        pagerank(drawn(1), damping=1.0)


@pytest.mark.parametrize("seed", range(4))
def test_communities_part_the_graph_as_well_as_networkx_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = rng.random((60, 60)) < np.where(
        np.arange(60)[:, None] // 15 == np.arange(60) // 15, 0.3, 0.02
    )
    ends = np.argwhere(inside & ~np.eye(60, dtype=bool))
    graph = from_relations(
        [f"{at:02d}" for at in ends[:, 0]], [f"{at:02d}" for at in ends[:, 1]],
        rng.integers(1, 20, len(ends)).tolist(), firms=[f"{at:02d}" for at in range(60)],
    )  # fmt: skip
    found = communities(graph)
    both: nx.Graph[int] = nx.Graph()
    both.add_nodes_from(range(60))
    for seller, buyer, value in zip(
        graph.seller.tolist(), graph.buyer.tolist(), graph.value.tolist(), strict=True
    ):
        before = both.get_edge_data(seller, buyer, {"weight": 0})["weight"]
        both.add_edge(seller, buyer, weight=before + value)
    parts = [set(np.flatnonzero(found == name).tolist()) for name in np.unique(found)]
    assert all(name == min(part) for name, part in zip(np.unique(found), parts, strict=True))
    theirs = nx.community.louvain_communities(both, seed=1)
    ours = nx.community.modularity(both, parts)
    assert ours >= nx.community.modularity(both, theirs) - 0.02
    assert 3 <= len(parts) <= 6


def lost_without(graph: SupplyGraph, anchors: list[int], firm: int) -> set[int]:
    """Firms that reach an anchor, and do not once a firm is gone: walked anew."""

    def reaching(view: "nx.DiGraph[int]") -> set[int]:
        found: set[int] = set()
        for anchor in anchors:
            if anchor in view:
                found |= nx.ancestors(view, anchor) | {anchor}
        return found

    view = whole(graph)
    before = reaching(view)
    view.remove_node(firm)
    return before - reaching(view) - {firm}


@pytest.mark.parametrize(("seed", "m"), [(1, 60), (2, 90), (3, 150)])
def test_what_hangs_on_a_firm_is_what_is_cut_off_without_it(seed: int, m: int) -> None:
    graph, anchors = drawn(seed, m=m), [0, 1]
    found = passages(graph, [1, 0, 1])
    sold = np.zeros(40, np.int64)
    np.add.at(sold, graph.seller, graph.value)
    cut = {firm: lost_without(graph, anchors, firm) for firm in range(40)}
    assert found.behind.tolist() == [len(cut[firm]) for firm in range(40)]
    assert found.sales_behind.tolist() == [
        sum(int(sold[at]) for at in cut[firm]) for firm in range(40)
    ]
    assert found.behind.max() > 0
    for firm in range(40):
        points = {point for point, behind in cut.items() if firm in behind}
        following = int(found.next[firm])
        assert (following == -1) == (not points)
        assert following == -1 or following in points
    view = whole(graph)
    assert found.reached.tolist() == [
        any(nx.has_path(view, firm, anchor) for anchor in anchors) for firm in range(40)
    ]


def test_an_anchor_of_another_graph_is_named() -> None:
    with pytest.raises(ValueError, match="firm 40 is not one of 40"):
        passages(drawn(1), [40])


@pytest.mark.long
def test_compiled_and_plain_loops_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = drawn(8, m=300)
    plain = cores(graph), communities(graph), passages(graph, [3]).behind
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 0)
    fast = cores(graph), communities(graph), passages(graph, [3]).behind
    for one, other in zip(plain, fast, strict=True):
        assert np.array_equal(one, other)
