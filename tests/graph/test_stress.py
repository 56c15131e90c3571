"""Drawn years against clearing by payments, one year at a time; the spread of distress by hand."""

import doctest

import numpy as np
import pytest
from numpy.typing import NDArray

from graph import compiled, stress
from graph.clearing import debts_of
from graph.exposure import Weights, weights_from
from graph.stress import BLOCK, Book, book_of, debtrank, fail_alone, stressed

Floats = NDArray[np.float64]
N = 30


def test_the_examples_in_the_docstrings_run() -> None:
    tried = doctest.testmod(stress)
    assert tried.attempted > 0
    assert tried.failed == 0


def network(seed: int) -> tuple[Book, Floats, Floats]:
    """A book, everybody's debts as a dense matrix (debtor, creditor), and chances to fail."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, N, (2, 4 * N))
    amount = rng.lognormal(3, 1, 4 * N)
    buffer = rng.exponential(15.0, N)
    debts = debts_of(ends[0], ends[1], amount, N)
    matrix = (debts.shares.toarray() * debts.owed).T
    return book_of(ends[0], ends[1], amount, buffer), matrix, rng.uniform(0.0, 0.3, N)


def years_by_payments(book: Book, matrix: Floats, alone: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Who fails, from what everybody pays: the greatest p = min(cap, assets + received)."""
    owed, due = matrix.sum(axis=1), matrix.sum(axis=0)
    cap = np.where(alone, 0.3, 1.0) * owed[:, None]
    assets = (book.buffer + owed - due)[:, None]
    share = matrix / np.where(owed > 0, owed, 1)[:, None]
    paid = cap
    for _ in range(400):
        received = share.T @ paid
        paid = np.clip(assets + received, 0.0, cap)
    failed: NDArray[np.bool_] = alone | (received < (due - book.buffer - 1e-9)[:, None])
    return failed


@pytest.mark.parametrize("seed", range(4))
def test_drawn_years_fail_whom_clearing_fails(seed: int) -> None:
    book, matrix, pd = network(seed)
    found = stressed(book, pd, seed=seed, scenarios=100)
    common = np.sort(np.random.default_rng([seed, 0]).standard_normal(100))
    blocks = (slice(0, 1), slice(1, 65), slice(65, 100))  # the one worst year by itself
    alone = np.hstack(
        [
            fail_alone(pd, common[years], rho=stress.RHO, seed=seed, block=number)
            for number, years in enumerate(blocks)
        ]
    )
    failed = years_by_payments(book, matrix, alone)
    assert (failed & ~alone).any()
    assert found.failures.tolist() == failed.sum(axis=0).tolist()
    assert found.chain == pytest.approx((failed & ~alone).mean(axis=1))
    assert found.tail.tolist() == failed[:, 0].tolist()
    assert found.pd == pytest.approx(np.minimum(pd + found.chain, 1))


def test_more_risk_or_less_buffer_anywhere_spares_nobody() -> None:
    """The same years are met, so nothing flickers: every firm fails at least as often."""
    book, matrix, pd = network(9)
    before = stressed(book, pd, seed=5, scenarios=100)
    riskier = pd.copy()
    riskier[3] += 0.2
    thinner = Book(book.owed, book.claims, book.buffer * 0.5)
    for worse in (
        stressed(book, riskier, seed=5, scenarios=100),
        stressed(thinner, pd, seed=5, scenarios=100),
    ):
        assert (worse.failures >= before.failures).all()
        assert worse.failures.sum() > before.failures.sum()
    again = stressed(book, pd, seed=5, scenarios=100)
    assert np.array_equal(again.chain, before.chain)
    other = stressed(book, pd, seed=6, scenarios=100)
    assert not np.array_equal(other.failures, before.failures)
    assert matrix.sum() == pytest.approx(book.owed.sum())


def test_firms_fail_of_themselves_as_often_as_given_and_together_in_bad_years() -> None:
    pd = np.array([0.0, 0.02, 0.2, 1.0] * 50)
    common = np.random.default_rng(1).standard_normal(40 * BLOCK)
    drawn = np.hstack(
        [
            fail_alone(pd, common[block * BLOCK :][:BLOCK], rho=0.3, seed=2, block=block)
            for block in range(40)
        ]
    )
    rates = drawn.mean(axis=1).reshape(50, 4).mean(axis=0)
    assert rates[[0, 3]].tolist() == [0.0, 1.0]
    assert rates[1:3] == pytest.approx([0.02, 0.2], rel=0.1)
    share = drawn[2::4].mean(axis=0)
    assert share[common < -1].mean() > 3 * share[common > 1].mean()


def test_a_book_that_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match=r"firm 1 has a buffer of -1.0"):
        book_of([0], [1], [5], [1, -1])
    book = book_of([0], [1], [5], [1, 1])
    with pytest.raises(ValueError, match=r"firm 0: a probability of 1.5"):
        stressed(book, [1.5, 0.1], seed=1)
    with pytest.raises(ValueError, match="3 probabilities for 2 firms"):
        stressed(book, [0.1] * 3, seed=1)
    with pytest.raises(ValueError, match=r"rho 1.0"):
        stressed(book, [0.1] * 2, seed=1, rho=1.0)


def weights(seed: int) -> Weights:
    rng = np.random.default_rng(seed)
    keys = rng.choice(N * N, 150, replace=False)
    ends = keys[keys // N != keys % N]
    return weights_from(ends // N, ends % N, rng.random(len(ends)) * 0.3, n_firms=N)


def test_distress_spreads_as_counted_step_by_step() -> None:
    matrix = np.zeros((N, N))
    given = weights(3)
    matrix[given.rows, given.indices] = given.values
    value = np.random.default_rng(4).random(N)
    rank, reached = debtrank(given, np.arange(N), value, shock=0.5)
    for firm in range(N):
        levels = [0.5 * (np.arange(N) == firm)]
        fresh = levels[0]
        for _ in range(150):
            levels.append(np.minimum(1.0, levels[-1] + matrix @ fresh))
            fresh = levels[-1] - levels[-2]
        others = np.where(np.arange(N) == firm, 0.0, levels[-1])
        assert rank[firm] == pytest.approx(others @ value / value.sum(), abs=1e-4)
        assert reached[firm] == pytest.approx(others.sum(), abs=1e-3)


def test_distress_that_cannot_be_is_named() -> None:
    given = weights(3)
    with pytest.raises(ValueError, match="firm 30 is not one of 30"):
        debtrank(given, [30], np.ones(N))
    with pytest.raises(ValueError, match="29 values for 30 firms"):
        debtrank(given, [0], np.ones(29))
    with pytest.raises(ValueError, match="a shock of 0"):
        debtrank(given, [0], np.ones(N), shock=0)


@pytest.mark.long
def test_compiled_and_plain_years_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    book, _, pd = network(1)
    plain = stressed(book, pd, seed=1, scenarios=300)
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 0)
    fast = stressed(book, pd, seed=1, scenarios=300)
    assert np.array_equal(plain.failures, fast.failures)
    assert np.array_equal(plain.tail, fast.tail)
