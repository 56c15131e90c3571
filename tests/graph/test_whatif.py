"""What one firm's trouble does to others: the worked chain, and by hand."""

import doctest
import math

import numpy as np
import pytest

from graph import whatif
from graph.exposure import Weights, buffers, exposure_weights, own_hazard, weights_from
from graph.propagation import propagate
from graph.whatif import downgraded, fails, fixed, pays_late, unpaid

A, X, T1, T2 = range(4)


def test_the_examples_in_the_docstrings_run() -> None:
    tried = doctest.testmod(whatif)
    assert tried.attempted > 0
    assert tried.failed == 0


def worked_chain() -> tuple[np.ndarray, Weights]:
    weights = exposure_weights(
        [T1, T1, T2], [A, X, T1], [240_000, 400_000, 160_000], [30_000, 50_000, 20_000],
        buffers([1, 1, 200_000, 60_000]), rated=[True, False, False, False],
    )  # fmt: skip
    own = own_hazard([0.0015, 0.03, 0.0241, 0.063], rated=[True, False, False, False])
    return own, weights


def test_the_worked_chain_when_its_worst_buyer_fails() -> None:
    own, weights = worked_chain()
    answer = fails(own, weights, X, receivables=[(T1, 400_000), (A, 3)])
    assert f"{answer.after.hazard[T1]:.8f}" == "0.24586319"
    assert f"{answer.after.hazard[T2]:.8f}" == "0.13464009"
    first, second = answer.touched
    assert (first.firm, first.receivable, first.path) == (T1, 400_000, (X, T1))
    assert f"{first.after:.8f}" == "0.21797079"
    assert (second.firm, second.receivable, second.path) == (T2, 0, (X, T1, T2))
    assert f"{second.before:.8f}" == "0.05545227"
    assert (answer.receivable, answer.quiet) == (400_003, ((A, 3),))


def test_a_downgraded_firm_takes_the_middle_of_its_grade_whatever_its_buyers_do() -> None:
    own, weights = worked_chain()
    answer = downgraded(own, weights, T1, (0.04, 0.065))
    middle = math.sqrt(0.04 * 0.065)
    assert answer.after.pd[T1] == pytest.approx(middle, rel=1e-12)
    row = weights.of(T2)[1][0]
    assert answer.after.hazard[T2] == pytest.approx(own[T2] - row * math.log1p(-middle))
    assert [line.firm for line in answer.touched] == [T2]
    with pytest.raises(ValueError, match=r"a grade from 0\.2 to 0\.1"):
        downgraded(own, weights, T1, (0.2, 0.1))


@pytest.mark.parametrize("seed", range(5))
def test_what_is_listed_and_the_rest_are_all_that_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = rng.choice(1_600, 300, replace=False)
    ends = keys[keys // 40 != keys % 40]
    weights = weights_from(ends // 40, ends % 40, rng.random(len(ends)) ** 2, n_firms=40)
    own = rng.random(40) * 0.1
    answer = fails(own, weights, 7)
    change = answer.after.pd - answer.before.pd
    change[7] = 0
    assert sum(line.change for line in answer.touched) + answer.rest == pytest.approx(change.sum())
    assert (change >= -1e-12).all()
    assert answer.after.hazard[7] == 1.0
    used = {
        (int(seller), int(buyer))
        for seller, buyer in zip(
            answer.after.weights.rows, answer.after.weights.indices, strict=True
        )
    }
    for line in answer.touched:
        assert (line.path[0], line.path[-1]) == (7, line.firm)
        steps = zip(line.path[1:], line.path, strict=False)
        assert all(step in used for step in steps)
    plain = propagate(own, weights)
    assert np.array_equal(answer.before.hazard, plain.hazard)
    known = fails(own, weights, 7, before=plain)
    assert (known.touched, known.rest) == (answer.touched, answer.rest)
    with pytest.raises(ValueError, match="of other hazards"):
        fails(own * 2, weights, 7, before=plain)


def test_what_cannot_be_asked_is_said() -> None:
    own, weights = worked_chain()
    with pytest.raises(ValueError, match="firm 4 is not one of 4"):
        fails(own, weights, 4)
    with pytest.raises(ValueError, match="firm 9 is not one of 4"):
        fails(own, weights, X, receivables=[(9, 1)])
    with pytest.raises(ValueError, match="stands twice or its receivable is negative"):
        fails(own, weights, X, receivables=[(T1, 1), (T1, 1)])
    with pytest.raises(ValueError, match="a hazard of -1"):
        fixed(own, weights, X, -1.0)


def test_a_late_payer_leaves_its_chain_short_until_the_money_comes() -> None:
    """0 owes 1, 1 owes 2, 2 owes 3; only 0 has cash, and 1 has a little."""
    dues = ([0, 1, 2], [1, 2, 3], [1_000, 900, 800], [0, 0, 7])
    answer = pays_late(dues, [1_000, 100, 0, 0], 0, days=30, weeks=8)
    assert not answer.unpaid_before.any()
    assert answer.moved == 1_000
    assert [(line.firm, line.week, line.after) for line in answer.short] == [
        (1, 0, 800.0),
        (2, 1, 700.0),
    ]
    told = unpaid(dues, [1_000, 100, 0, 0], weeks=8)
    again = pays_late(dues, [1_000, 100, 0, 0], 0, days=30, weeks=8, before=told)
    assert (again.short, again.unpaid_after.tolist()) == (
        answer.short,
        answer.unpaid_after.tolist(),
    )
    with pytest.raises(ValueError, match="of 8 weeks, 4 firms"):
        pays_late(dues, [1_000, 100, 0, 0], 0, weeks=9, before=told)
    week_paid = 30 // 7
    assert answer.unpaid_after[week_paid - 1].tolist() == [0, 800, 700, 0]
    assert not answer.unpaid_after[week_paid:].any()


def test_who_is_short_anyway_is_no_news() -> None:
    dues = ([0, 1, 4], [1, 2, 2], [50, 60, 70], [-3, 0, 0])
    answer = pays_late(dues, [50, 0, 0, 0, 0], 0, days=7, weeks=4)
    assert [(line.firm, line.week, line.before, line.after) for line in answer.short] == [
        (1, 0, 10.0, 60.0)
    ]
    assert answer.unpaid_after[:, 4].tolist() == [70.0] * 4
    nothing = pays_late(([], [], [], []), [5, 5], 1)
    assert (nothing.short, nothing.moved) == ((), 0)
    with pytest.raises(ValueError, match="-1 days late"):
        pays_late(dues, [0] * 5, 0, days=-1)
