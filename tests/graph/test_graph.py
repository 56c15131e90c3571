"""The chain as arrays: building, tiers, concentration, paths and the picture's places."""

import doctest
from fractions import Fraction
from types import ModuleType

import networkx as nx
import numpy as np
import pytest

from graph import build, concentration, layout, model, paths, tiers
from graph.build import from_relations
from graph.model import SupplyGraph


@pytest.mark.parametrize(
    "module", [build, concentration, layout, model, paths, tiers], ids=lambda m: m.__name__
)
def test_the_examples_in_the_docstrings_run(module: ModuleType) -> None:
    tried = doctest.testmod(module)
    assert tried.attempted > 0
    assert tried.failed == 0


def random_graph(seed: int, n: int = 40, m: int = 120) -> SupplyGraph:
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, n, (m, 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    sellers, buyers = ([f"f{end:03d}" for end in side] for side in ends.T)
    return from_relations(sellers, buyers, rng.integers(1, 1000, len(ends)).tolist())


# --- Building -------------------------------------------------------------------------------------


def test_the_graph_does_not_depend_on_the_order_of_its_relations() -> None:
    one = from_relations(["b", "a", "c"], ["c", "b", "a"], [1, 2, 3])
    other = from_relations(["c", "b", "a"], ["a", "c", "b"], [3, 1, 2])
    assert one.firms == other.firms
    for name in ("seller", "buyer", "value"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


def test_relations_by_seller_and_by_buyer_hold_each_relation_once() -> None:
    graph = random_graph(1)
    for by in (graph.sales_of, graph.purchases_of):
        every = [int(r) for firm in range(graph.n_firms) for r in by(firm)]
        assert sorted(every) == list(range(graph.n_relations))


def test_a_firm_without_relations_and_an_empty_graph_are_graphs() -> None:
    lone = from_relations([], [], firms=["alone"])
    assert tiers.tiers_up(lone, [0]).tolist() == [0]
    assert np.isnan(concentration.concentration(lone).sales.hhi[0])
    assert layout.layered(lone, np.zeros(1, np.int64), [0]).place.tolist() == [0.5]
    none = from_relations([], [])
    assert tiers.circles(none).tolist() == []
    assert layout.layered(none, np.zeros(0, np.int64), []).firms.tolist() == []


@pytest.mark.parametrize(
    ("relations", "names"),
    [
        ((["a"], ["a"]), "firm a trades with itself"),
        ((["a"], ["b"], [-5]), "the relation of a to b has amount -5"),
        ((["a"], []), "1 sellers for 0 buyers"),
        ((["a", "b"], ["b", "a"], [2**62, 2**62]), "do not fit 64 bits"),
    ],
)
def test_a_relation_that_cannot_be_is_named(relations: tuple[list[str]], names: str) -> None:
    with pytest.raises(ValueError, match=names):
        from_relations(*relations)  # type: ignore[call-arg]


# --- Tiers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_tiers_are_the_lengths_of_the_shortest_ways(seed: int) -> None:
    graph = random_graph(seed)
    view = graph.to_networkx()
    for found, oracle in (
        (tiers.tiers_up(graph, [0, 1]), view.reverse()),
        (tiers.tiers_down(graph, [0, 1]), view),
    ):
        starts = {graph.firms[0], graph.firms[1]}
        lengths = nx.multi_source_dijkstra_path_length(oracle, starts, weight=lambda *_: 1)
        assert found.tolist() == [lengths.get(firm, -1) for firm in graph.firms]


def test_circles_are_the_strongly_connected_parts() -> None:
    graph = random_graph(2, n=60, m=90)
    parts = list(nx.strongly_connected_components(graph.to_networkx()))
    wanted = {}
    for part in parts:
        for firm in part:
            wanted[firm] = graph.number(min(part)) if len(part) > 1 else -1
    assert tiers.circles(graph).tolist() == [wanted[firm] for firm in graph.firms]
    assert max(len(part) for part in parts) > 1


def test_a_circle_through_the_anchor_does_not_go_on_for_ever() -> None:
    ring = from_relations(["a", "b", "c"], ["b", "c", "a"])
    up, down = tiers.tiers_up(ring, [0]), tiers.tiers_down(ring, [0])
    assert up.tolist() == [0, 2, 1]
    assert down.tolist() == [0, 1, 2]
    assert tiers.levels(ring, up, down).tolist() == [0, -1, 1]


def test_a_firm_beside_the_chain_stands_one_step_from_its_partner() -> None:
    chain = from_relations(["t1", "t1", "ore", "d"], ["anchor", "x", "x", "ore"])
    up = tiers.tiers_up(chain, [chain.number("anchor")])
    down = tiers.tiers_down(chain, [chain.number("anchor")])
    found = dict(zip(chain.firms, tiers.levels(chain, up, down).tolist(), strict=True))
    assert found == {"anchor": 0, "t1": 1, "x": 0, "ore": 1, "d": 2}


# --- Concentration --------------------------------------------------------------------------------


def test_concentration_agrees_with_exact_fractions() -> None:
    graph = random_graph(3)
    found = concentration.concentration(graph).sales
    for firm in range(graph.n_firms):
        values = [int(graph.value[r]) for r in graph.sales_of(firm)]
        if not values:
            assert np.isnan(found.hhi[firm])
            continue
        shares = [Fraction(v, sum(values)) for v in values]
        assert found.hhi[firm] == pytest.approx(float(sum(s * s for s in shares)), rel=1e-12)
        assert found.top_share[firm] == pytest.approx(float(max(shares)))
        assert found.total[firm] == sum(values)


def test_an_amount_of_zero_is_no_dependency() -> None:
    side = concentration.concentration(from_relations(["a", "a"], ["b", "c"], [0, 0])).sales
    assert side.partners.tolist() == [0, 0, 0]
    assert side.top.tolist() == [-1, -1, -1]
    assert np.isnan(side.share).all()


# --- Paths ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_strongest_way_is_the_one_that_networkx_finds(seed: int) -> None:
    graph = random_graph(seed)
    strength = np.random.default_rng(seed).uniform(0.05, 1.0, graph.n_relations)
    view: nx.DiGraph[int] = nx.DiGraph()
    for relation in range(graph.n_relations):
        ends = int(graph.seller[relation]), int(graph.buyer[relation])
        view.add_edge(*ends, cost=-float(np.log(strength[relation])))
    for end in range(1, graph.n_firms):
        found = paths.strongest_path(graph, 0, end, strength, direction="sales")
        hops = paths.shortest_path(graph, 0, end, strength, direction="sales")
        if end not in view or not nx.has_path(view, 0, end):
            assert found is None
            assert hops is None
            continue
        assert found is not None
        assert hops is not None
        best = np.exp(-nx.dijkstra_path_length(view, 0, end, weight="cost"))
        assert found.strength == pytest.approx(best)
        assert len(hops.relations) == nx.shortest_path_length(view, 0, end)
        assert found.strength >= hops.strength * (1 - 1e-12)


def test_a_way_may_run_against_the_goods_or_both_ways() -> None:
    graph = from_relations(["a", "b"], ["b", "c"])
    one = np.ones(2)
    assert paths.shortest_path(graph, 2, 0, one, direction="sales") is None
    against = paths.shortest_path(graph, 2, 0, one, direction="purchases")
    assert against is not None
    assert (against.firms, against.direction) == ((2, 1, 0), "purchases")
    fork = from_relations(["a", "b"], ["c", "c"])
    either = paths.shortest_path(fork, 0, 1, one, direction="either")
    assert either is not None
    assert (either.firms, either.direction) == ((0, 2, 1), "either")


# --- The picture's places -------------------------------------------------------------------------


def test_the_rest_of_each_tier_is_counted_and_the_kept_are_drawn() -> None:
    sellers = [f"s{i:04d}" for i in range(700)]
    graph = from_relations(sellers, ["zz"] * 700, list(range(1, 701)))
    level = np.array([1] * 700 + [0])
    size = np.append(graph.value, 1)
    made = layout.layered(graph, level, size, keep=[0, 700])
    assert len(made.firms) == layout.DRAWN
    assert made.others == {1: 401}
    assert {0, 700, 699} <= set(made.firms.tolist())
    assert len(set(made.place[made.column == 1].tolist())) == 299


def test_the_same_graph_gives_the_same_picture() -> None:
    graph = random_graph(5, n=400, m=900)
    level = tiers.levels(graph, tiers.tiers_up(graph, [0]), tiers.tiers_down(graph, [0]))
    size = concentration.concentration(graph).sales.total
    one, other = (layout.layered(graph, level, size) for _ in range(2))
    assert one.place.tolist() == other.place.tolist()
    assert one.firms.tolist() == other.firms.tolist()


def crossings(graph: SupplyGraph, place: dict[int, float], level: dict[int, int]) -> int:
    ends = [
        (place[int(s)], place[int(b)], level[int(s)])
        for s, b in zip(graph.seller, graph.buyer, strict=True)
    ]
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 and a[2] == b[2]
        for i, a in enumerate(ends)
        for b in ends[:i]
    )


def test_sweeping_takes_crossings_away() -> None:
    rng = np.random.default_rng(9)
    sellers = [f"s{i:02d}" for i in range(40)]
    buyers = [f"z{i}" for i in range(8)]
    pairs = [(s, buyers[int(b)]) for s in sellers for b in rng.choice(8, 1)]
    graph = from_relations([s for s, _ in pairs], [b for _, b in pairs])
    level = np.array([1] * 40 + [0] * (graph.n_firms - 40))
    made = layout.layered(graph, level, np.ones(graph.n_firms))
    levels = {f: int(level[f]) for f in range(graph.n_firms)}
    before = {f: float(f) for f in range(graph.n_firms)}
    after = dict(zip(made.firms.tolist(), made.place.tolist(), strict=True))
    assert crossings(graph, before, levels) > 100
    assert crossings(graph, after, levels) == 0
