"""Rings of invoices against a search that tries every order of every choice."""

import doctest

import numpy as np
import pytest

from graph import live, rings, trades
from graph.live import LiveGraph, parties
from graph.rings import Ring, rings_among, rings_through
from graph.trades import Trades, trades_of

DAYS = 90


def test_the_examples_in_the_docstrings_run() -> None:
    for module in (trades, live, rings):
        tried = doctest.testmod(module, extraglobs={"np": np})
        assert tried.attempted > 0
        assert tried.failed == 0


def drawn(seed: int, *, documents: int = 26) -> tuple[Trades, list[int]]:
    """A small book of few firms, days and amounts, so that rings and ties are common."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 13))
    made = trades_of(
        [f"f{number:02d}" for number in range(n)],
        rng.integers(0, n, documents),
        rng.integers(0, n, documents),
        rng.choice(
            [-100, 0, 80, 99, 100, 101, 125, 126, 156], documents, p=[0.05, 0.05, *[0.9 / 7] * 7]
        ),
        rng.integers(0, DAYS if seed % 2 else 3, documents),
    )
    owner = rng.integers(0, n, 2 if seed % 3 == 0 else 0)
    return made, parties(n, owner, rng.integers(0, n, len(owner))).tolist()


def brute(book: Trades, party: list[int]) -> dict[frozenset[int], int]:
    """Every choice of 2 to 5 invoices in every order: the definition, word for word."""
    rows = list(
        zip(
            *(column.tolist() for column in (book.seller, book.buyer, book.amount, book.day)),
            strict=True,
        )
    )
    able = [
        number
        for number, (seller, buyer, amount, _) in enumerate(rows)
        if amount > 0 and party[seller] != party[buyer]
    ]
    found: dict[frozenset[int], int] = {}

    def go_on(path: list[int]) -> None:
        seller, last = rows[path[0]][0], rows[path[-1]]
        if len(path) > 1 and party[last[1]] == party[seller]:
            found[frozenset(path)] = len(path)
            return
        if len(path) == 5 or party[last[1]] in {party[rows[number][0]] for number in path}:
            return
        for number in able:
            after = rows[number]
            if (
                party[after[0]] == party[last[1]]
                and after[3] >= last[3]
                and after[3] - rows[path[0]][3] <= 60
                and 0.8 <= after[2] / last[2] <= 1.25
            ):
                go_on([*path, number])

    for number in able:
        go_on([number])
    return found


def arrive(
    book: Trades, party: list[int], order: list[int], merge_at: int
) -> tuple[set[frozenset[int]], set[Ring]]:
    """Add the documents one by one, each with its search; numbers are those of the book."""
    empty = trades_of(book.firms, [], [], [], [])
    graph = LiveGraph(empty, party)
    there: list[int] = []
    sets: set[frozenset[int]] = set()
    for number in order:
        there.append(number)
        at = graph.add(
            *(int(column[number]) for column in (book.seller, book.buyer, book.amount, book.day))
        )
        search = rings_through(graph, at)
        assert search.finished
        sets |= {
            frozenset(there[document] for document in ring.documents)
            for ring in (*search.rings, *search.reciprocal)
        }
        if len(there) == merge_at:
            graph.merge()
    whole, unfinished = rings_among(LiveGraph(book, party), range(len(book)))
    assert unfinished == 0
    return sets, set(whole)


def check(seed: int) -> int:
    book, party = drawn(seed)
    expected = brute(book, party)
    order = np.random.default_rng(10_000 + seed).permutation(len(book)).tolist()
    sets, whole = arrive(book, party, order, merge_at=int(seed % 20))
    assert sets == set(expected)
    longer = {documents for documents, size in expected.items() if size > 2}
    assert {frozenset(ring.documents) for ring in whole} == longer
    assert len(whole) == len(longer)
    return len(longer)


def test_the_rings_are_those_of_brute_force_in_any_order_of_arrival() -> None:
    assert sum(check(seed) for seed in range(40)) > 80


@pytest.mark.long
def test_the_rings_of_a_thousand_books_are_those_of_brute_force() -> None:
    assert sum(check(seed) for seed in range(1_000)) > 2_500
