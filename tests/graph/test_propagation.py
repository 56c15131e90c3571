"""The chain's part of a default hazard: the worked examples of the pricing rules, to the digit.

Firms of the golden chain: A is an anchor with a rating; T1 sells to A and X, T2 sells to T1.
"""

import doctest
import itertools
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graph import exposure, propagation
from graph.exposure import buffers
from graph.propagation import (
    Propagation,
    Weights,
    exposure_weights,
    own_hazard,
    propagate,
    weights_from,
)

Floats = NDArray[np.float64]
A, X, T1, T2 = range(4)


def test_the_examples_in_the_docstrings_run() -> None:
    for module in (exposure, propagation):
        tried = doctest.testmod(module)
        assert tried.attempted > 0
        assert tried.failed == 0


@pytest.mark.parametrize(
    ("x", "weight"),
    [
        (0.1, "0.002000"),
        (0.25, "0.041560"),
        (0.4, "0.126029"),
        (0.733333, "0.349121"),
        (1.0, "0.500000"),
        (2.2, "0.837828"),
    ],
)
def test_the_weight_of_an_exposure(x: float, weight: str) -> None:
    weights = exposure_weights([0], [1], [x / 0.7], [0.0], [1.0, 1.0])
    assert f"{weights.values[0]:.6f}" == weight


def golden_chain() -> Propagation:
    weights = exposure_weights(
        seller=[T1, T1, T2],
        buyer=[A, X, T1],
        receivable=[240_000, 400_000, 160_000],
        weekly_sales=[30_000, 50_000, 20_000],
        buffer=buffers([1, 1, 200_000, 60_000]),
        rated=[True, False, False, False],
    )
    own = own_hazard([0.0015, 0.03, 0.0241, 0.063], rated=[True, False, False, False])
    return propagate(own, weights)


def test_the_golden_chain() -> None:
    chain = golden_chain()
    assert [f"{w:.8f}" for w in chain.weights.values] == ["0.08289967", "0.22744238", "0.34912137"]
    assert [f"{h:.8f}" for h in chain.own] == [
        "0.00150113",
        "0.02284441",
        "0.01829637",
        "0.04880400",
    ]
    assert [f"{h:.8f}" for h in chain.hazard[[T1, T2]]] == ["0.02361660", "0.05704906"]
    assert [f"{p:.8f}" for p in chain.pd[[T1, T2]]] == ["0.02333991", "0.05545227"]
    assert chain.hazard[A] == chain.own[A]


def test_the_golden_chain_splits_by_origin() -> None:
    chain = golden_chain()
    first = chain.split(T1)
    assert f"{first.own:.8f}" == "0.01829637"
    assert [(j, f"{c:.8f}") for j, c in first.by_origin] == [(X, "0.00519579"), (A, "0.00012444")]
    second = chain.split(T2)
    assert f"{second.own:.8f}" == "0.04880400"
    assert [(j, f"{c:.8f}") for j, c in second.by_origin] == [
        (T1, "0.00638765"),
        (X, "0.00181396"),
        (A, "0.00004345"),
    ]
    assert second.loop == 0.0


def test_the_golden_chain_splits_by_first_hop_and_by_hop() -> None:
    split = golden_chain().split(T2)
    assert [(j, f"{c:.8f}") for j, c in split.by_first_hop] == [(T1, "0.00824506")]
    assert [f"{c:.8f}" for c in split.by_hop[:3]] == ["0.04880400", "0.00638765", "0.00185741"]
    assert split.by_hop[3:] == (0.0,) * 8
    assert split.beyond == pytest.approx(0.0, abs=1e-15)


def test_the_golden_cycle() -> None:
    weights = weights_from([0, 1, 2], [1, 2, 0], [0.3, 0.4, 0.2], n_firms=3)
    cycle = propagate([0.02, 0.03, 0.01], weights)
    assert [f"{h:.8f}" for h in cycle.hazard] == ["0.03094262", "0.03647541", "0.01618852"]
    for firm in range(3):
        split = cycle.split(firm)
        assert f"{1 + split.loop / split.own:.8f}" == "1.02459016"
    split = cycle.split(0)
    assert f"{split.own + split.loop:.8f}" == "0.02049180"
    assert [f"{c:.8f}" for _, c in split.by_origin] == ["0.00922131", "0.00122951"]


def test_two_firms_that_hang_on_each_other_stay_below_certainty() -> None:
    weights = weights_from([0, 1], [1, 0], [0.9, 0.9], n_firms=2)
    pair = propagate(own_hazard([0.2, 0.2], kappa=1.0), weights)
    assert [f"{p:.8f}" for p in pair.pd] == ["0.89262582", "0.89262582"]


def test_a_failed_buyer_is_a_hazard_of_one() -> None:
    """The worked what-if: X fails, its own row and hazard are dropped."""
    chain = golden_chain()
    own = chain.own.copy()
    own[X] = 1.0
    stressed = propagate(own, chain.weights)
    assert f"{stressed.hazard[T1]:.8f}" == "0.24586319"
    assert f"{stressed.pd[T1]:.8f}" == "0.21797079"
    assert f"{stressed.hazard[T2]:.8f}" == "0.13464009"
    assert f"{stressed.pd[T2]:.8f}" == "0.12596957"


def test_a_row_above_the_cap_keeps_its_worst_buyers() -> None:
    # firm 0 sells to three; the worst two fill the 0.9, the best is left out
    weights = weights_from([0, 0, 0], [1, 2, 3], [0.5, 0.5, 0.5], n_firms=4)
    chain = propagate([0.01, 0.02, 0.04, 0.03], weights)
    assert chain.capped == (0,)
    assert dict(zip(*chain.weights.of(0), strict=True)) == pytest.approx({2: 0.5, 3: 0.4})
    assert chain.hazard[0] == pytest.approx(0.01 + 0.5 * 0.04 + 0.4 * 0.03)


def test_equal_buyers_fill_the_cap_by_index() -> None:
    weights = weights_from([2, 2], [1, 0], [0.6, 0.6], n_firms=3)
    chain = propagate([0.02, 0.02, 0.01], weights)
    assert dict(zip(*chain.weights.of(2), strict=True)) == pytest.approx({0: 0.6, 1: 0.3})


def random_weights(seed: int, n: int = 60, m: int = 900) -> Weights:
    rng = np.random.default_rng(seed)
    pairs = np.unique(rng.integers(0, n, (m, 2)), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return weights_from(pairs[:, 0], pairs[:, 1], rng.random(len(pairs)) ** 2, n_firms=n)


def random_own(seed: int, n: int = 60) -> Floats:
    return np.random.default_rng(1_000 + seed).random(n) * 0.2


def test_the_three_splits_of_any_firm_sum_to_its_hazard() -> None:
    chain = propagate(random_own(7), random_weights(7))
    assert len(chain.capped) > 50
    for firm in range(60):
        split = chain.split(firm)
        total = pytest.approx(split.total, rel=1e-12)
        assert split.own + split.loop + sum(c for _, c in split.by_origin) == total
        assert split.own + sum(c for _, c in split.by_first_hop) == total
        assert sum(split.by_hop) + split.beyond == total


@pytest.mark.parametrize("seed", range(5))
def test_the_hazards_solve_the_system_exactly(seed: int) -> None:
    chain = propagate(random_own(seed), random_weights(seed))
    dense = np.zeros((60, 60))
    dense[chain.weights.rows, chain.weights.indices] = chain.weights.values
    assert dense.sum(axis=1).max() <= 0.9 + 1e-12
    solved = np.linalg.solve(np.eye(60) - dense, chain.own)
    assert chain.hazard == pytest.approx(solved, rel=1e-12)
    assert chain.hazard.max() <= chain.own.max() / 0.1
    again = propagate(random_own(seed), random_weights(seed))
    assert np.array_equal(chain.hazard, again.hazard)


def test_no_other_filling_of_the_cap_gives_a_higher_hazard() -> None:
    """Every order in which two buyers can fill a cut row, tried one by one."""
    weights, own = random_weights(5, n=8, m=60), random_own(5, n=8)
    chain = propagate(own, weights)
    for firm in chain.capped:
        buyers, values = weights.of(firm)
        for order in itertools.permutations(range(len(buyers))):
            left, filled = 0.9, 0.0
            for k in order:
                take = min(left, values[k])
                filled += take * chain.hazard[buyers[k]]
                left -= take
            assert own[firm] + filled <= chain.hazard[firm] * (1 + 1e-12)


@pytest.mark.parametrize("kind", ["hazard", "exposure", "new exposure"])
def test_more_risk_or_exposure_anywhere_lowers_nobodys_hazard(kind: str) -> None:
    """Three thousand chains, most of them with rows above the cap, where worse pushes out bad."""
    rng, n, moved, capped = np.random.default_rng(3), 12, 0, 0
    for seed in range(1_000):
        own, weights = random_own(seed, n), random_weights(seed, n, 50)
        rows, values = weights.rows, weights.values
        before = propagate(own, weights)
        capped += len(before.capped)
        if kind == "hazard":
            own = own.copy()
            own[rng.integers(n)] += rng.random() * 0.3
        elif kind == "exposure":
            values = values.copy()
            at = rng.integers(len(values))
            values[at] += rng.random() * (1.0 - values[at])
            weights = weights_from(rows, weights.indices, values, n_firms=n)
        else:
            free = np.ones((n, n), np.bool_)
            free[rows, weights.indices] = free[range(n), range(n)] = False
            i, j = rng.choice(np.argwhere(free))
            weights = weights_from(
                [*rows, i], [*weights.indices, j], [*values, rng.random()], n_firms=n
            )
        after = propagate(own, weights)
        assert (after.hazard >= before.hazard - 1e-10).all(), seed
        moved += int((after.hazard > before.hazard + 1e-6).any())
    assert moved > 500
    assert capped > 1_000


def test_a_firm_without_edges_keeps_its_own_hazard() -> None:
    alone = propagate([0.02], exposure_weights([], [], [], [], [0.0]))
    split = alone.split(0)
    assert split.total == split.own == 0.02
    assert split.by_origin == split.by_first_hop == ()


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"receivable": [-1.0]}, "receivable of pair 0 to 1 is -1.0"),
        ({"weekly_sales": [float("nan")]}, "weekly sales of pair 0 to 1 is nan"),
        ({"buffer": [0.0, 1.0]}, "firm 0 has exposure and no positive buffer"),
        ({"buyer": [5]}, "firm 5 is not one of 2"),
        ({"seller": [0.5]}, "counted from 0"),
    ],
)
def test_what_cannot_be_weighed_is_named(change: dict[str, list[float]], names: str) -> None:
    given: dict[str, Any] = {
        "seller": [0],
        "buyer": [1],
        "receivable": [1.0],
        "weekly_sales": [1.0],
        "buffer": [1.0, 1.0],
    }
    with pytest.raises(ValueError, match=names):
        exposure_weights(**(given | change))


def test_a_doubled_pair_and_a_bad_hazard_are_named() -> None:
    with pytest.raises(ValueError, match="pair 0 to 1 stands twice"):
        weights_from([0, 0], [1, 1], [0.1, 0.2], n_firms=2)
    with pytest.raises(ValueError, match=r"firm 1: a hazard of -0.1"):
        propagate([0.1, -0.1], weights_from([], [], [], n_firms=2))
    with pytest.raises(ValueError, match=r"firm 0: a probability of 1.0 is not in"):
        own_hazard([1.0])
