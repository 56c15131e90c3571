"""Clearing of debts: worked figures, and a solver that knows nothing of networks."""

import doctest
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import linprog

from graph import clearing
from graph.clearing import Debts, clear, debts_of

Floats = NDArray[np.float64]


def test_the_examples_in_the_docstrings_run() -> None:
    tried = doctest.testmod(clearing)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("assets", "paid", "equity"),
    [
        ([50, 20, 10], [80, 80, 30], [0, 20, 60]),
        ([20, 0, 10], [50, 50, 30], [0, 0, 30]),
        ([0, 0, 0], [30, 30, 30], [0, 0, 0]),
    ],
)
def test_the_worked_figures_of_the_pricing_rules(
    assets: list[int], paid: list[int], equity: list[int]
) -> None:
    found = clear(debts_of([0, 1, 2], [1, 2, 0], [100, 80, 30], 3), assets)
    assert found.paid.tolist() == pytest.approx(paid, abs=1e-9)
    assert found.equity.tolist() == pytest.approx(equity, abs=1e-9)
    assert found.equity.sum() == pytest.approx(sum(assets), abs=1e-9)


def network(seed: int, n: int = 25) -> tuple[Debts, Floats]:
    rng = np.random.default_rng(seed)
    m = int(rng.integers(n, 6 * n))
    debts = debts_of(rng.integers(0, n, m), rng.integers(0, n, m), rng.lognormal(3, 1, m), n)
    return debts, rng.exponential(rng.choice([0.5, 5.0, 40.0]), n) * (rng.random(n) < 0.8)


@pytest.mark.parametrize("seed", range(30))
def test_a_linear_programme_finds_the_same_payments(seed: int) -> None:
    """Eisenberg and Noe, theorem: whoever maximises what is paid in all finds the clearing."""
    debts, assets = network(seed)
    found = clear(debts, assets)
    best = linprog(
        -np.ones(25),
        A_ub=np.eye(25) - debts.shares.toarray(),
        b_ub=assets,
        bounds=list(zip(np.zeros(25), debts.owed, strict=True)),
        method="highs",
    )
    assert found.paid == pytest.approx(best.x, abs=1e-6)
    assert found.equity.sum() == pytest.approx(assets.sum(), rel=1e-9)
    assert (found.in_default == (found.paid < debts.owed * (1 - 1e-9))).all()


@pytest.mark.parametrize("recovery", [0.3, 0.8])
def test_what_default_costs_is_accounted_for(recovery: float) -> None:
    for seed in range(10):
        debts, assets = network(seed)
        found, without = clear(debts, assets, recovery=recovery), clear(debts, assets)
        assert found.equity.sum() + found.lost.sum() == pytest.approx(assets.sum(), rel=1e-9)
        assert (found.paid <= without.paid + 1e-9).all()
        short = found.in_default
        assert found.paid[short] == pytest.approx(
            recovery * (assets + found.received)[short], abs=1e-6
        )
        assert (found.paid[~short] == debts.owed[~short]).all()


def test_the_greatest_solution_is_taken() -> None:
    """Two firms that owe each other the same and have nothing can still pay each other."""
    found = clear(debts_of([0, 1], [1, 0], [70, 70], 2), [0, 0])
    assert found.paid.tolist() == [70, 70]
    assert not found.in_default.any()


def test_a_circle_that_loses_a_little_each_round_is_solved_at_once() -> None:
    """Of each 1,000 only 1 leaves the circle: step by step it takes ten thousand rounds."""
    debts = debts_of([0, 1, 1], [1, 0, 2], [1_000, 999, 1], 3)
    found = clear(debts, [0, 0, 0])
    assert found.steps == clearing.MOST_STEPS
    assert found.paid == pytest.approx([0, 0, 0], abs=1e-6)
    some = clear(debts, [0, 0.5, 0])
    assert some.paid[:2] == pytest.approx([499.5, 500.0])
    assert some.equity == pytest.approx([0, 0, 0.5])


def test_firms_without_debts_and_debts_of_nothing() -> None:
    debts = debts_of([0, 1, 2], [1, 1, 0], [0, 5, 7], 4)
    found = clear(debts, [0, 0, 3, 2])
    assert debts.owed.tolist() == [0, 0, 7, 0]
    assert found.paid.tolist() == [0, 0, 3, 0]
    assert found.equity.tolist() == [3, 0, 0, 2]
    assert found.in_default.tolist() == [False, False, True, False]
    assert clear(debts_of([], [], [], 0), []).paid.tolist() == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": [-1.0]}, "debt 0, of firm 0 to 1, is -1.0"),
        ({"amount": [float("nan")]}, "debt 0, of firm 0 to 1, is nan"),
        ({"creditor": [2]}, "debt 0, of firm 0 to 2"),
        ({"creditor": [1, 1]}, "1 debtors, 2 creditors, 1 amounts"),
    ],
)
def test_a_debt_that_cannot_be_is_named(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"debtor": [0], "creditor": [1], "amount": [1.0], "n_firms": 2}
    with pytest.raises(ValueError, match=said):
        debts_of(**(given | change))


def test_assets_that_cannot_be_are_named() -> None:
    debts = debts_of([0], [1], [1], 2)
    with pytest.raises(ValueError, match=r"firm 1 has assets of -2.0"):
        clear(debts, [1, -2])
    with pytest.raises(ValueError, match="assets of 3 firms for debts of 2"):
        clear(debts, [1, 2, 3])
    with pytest.raises(ValueError, match="recovery of 0"):
        clear(debts, [1, 2], recovery=0)
