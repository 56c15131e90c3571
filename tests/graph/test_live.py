"""Documents as columns, their relations, and a graph that they arrive in."""

import collections
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from graph import compiled
from graph.live import LiveGraph, parties
from graph.paths import neighbourhood
from graph.rings import rings_among
from graph.trades import Trades, relations, trades_of


def drawn(seed: int, n: int = 40, documents: int = 160) -> Trades:
    rng = np.random.default_rng(seed)
    return trades_of(
        [f"f{number:03d}" for number in range(n)],
        rng.integers(0, n, documents),
        rng.integers(0, n, documents),
        rng.integers(-200, 1_000, documents),
        rng.integers(100, 200, documents),
    )


def rows(book: Trades) -> Iterator[tuple[int, int, int, int]]:
    columns = (book.seller, book.buyer, book.amount, book.day)
    return zip(*(column.tolist() for column in columns), strict=True)


@pytest.mark.parametrize("since", [None, 140])
@pytest.mark.parametrize("until", [None, 120, 170])
def test_relations_are_the_sums_of_their_documents(since: int | None, until: int | None) -> None:
    book = drawn(1, n=12)
    sums: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    days: dict[tuple[int, int], list[int]] = collections.defaultdict(list)
    for seller, buyer, amount, day in rows(book):
        inside = (since is None or day >= since) and (until is None or day <= until)
        if seller != buyer and inside:
            sums[seller, buyer].append(amount)
            days[seller, buyer].append(day)
    found = relations(book, since=since, until=until)
    pairs = list(zip(found.graph.seller.tolist(), found.graph.buyer.tolist(), strict=True))
    assert pairs == sorted(sums)
    assert found.net.tolist() == [sum(sums[pair]) for pair in pairs]
    assert found.graph.value.tolist() == [max(0, sum(sums[pair])) for pair in pairs]
    assert found.count.tolist() == [len(sums[pair]) for pair in pairs]
    assert found.first.tolist() == [min(days[pair]) for pair in pairs]
    assert found.last.tolist() == [max(days[pair]) for pair in pairs]
    assert found.to_itself == int((book.seller == book.buyer).sum()) > 0
    assert found.graph.n_firms == 12


def test_amounts_beyond_the_precision_of_floats_add_up_exactly() -> None:
    book = trades_of("ab", [0] * 3, [1] * 3, [10**15, 10**15 - 1, 1 - 10**15], [1, 2, 3])
    assert relations(book).net.tolist() == [10**15]


def test_a_book_without_documents_has_firms_and_no_relation() -> None:
    found = relations(trades_of("ab", [], [], [], []))
    assert (found.graph.n_firms, found.graph.n_relations) == (2, 0)
    assert LiveGraph(trades_of("", [], [], [], [])).n_firms == 0
    alone = LiveGraph(trades_of("ab", [], [], [], []))
    assert alone.neighbourhood(1, up=3, down=3)[0].tolist() == [1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seller": [2]}, "document 0 has seller 2"),
        ({"buyer": [-1]}, "document 0 has buyer -1"),
        ({"amount": [10**15 + 1]}, "document 0 has amount 1000000000000001"),
        ({"amount": [0.5]}, "amount is of float64"),
        ({"day": [10**10]}, "document 0 has day"),
        ({"day": [1, 2]}, "columns of 1, 2 documents"),
        ({"firms": "aa"}, "stands twice"),
    ],
)
def test_columns_that_cannot_be_are_refused_by_name(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"firms": "ab", "seller": [0], "buyer": [1], "amount": [1], "day": [1]}
    with pytest.raises(ValueError, match=said):
        trades_of(**(given | change))


def grown(book: Trades, known: int, merge_at: int) -> LiveGraph:
    """Make a graph of the first documents and let the others arrive."""
    columns = (book.seller, book.buyer, book.amount, book.day)
    graph = LiveGraph(trades_of(book.firms, *(column[:known] for column in columns)))
    for number, row in enumerate(list(rows(book))[known:], known):
        assert graph.add(*row) == number
        if number == merge_at:
            graph.merge()
    return graph


@pytest.mark.parametrize(("known", "merge_at"), [(0, -1), (100, -1), (60, 120), (160, -1)])
def test_what_waits_counts_as_what_is_merged(known: int, merge_at: int) -> None:
    book = drawn(3)
    graph = grown(book, known, merge_at)
    assert list(rows(graph.trades())) == list(rows(book))
    assert [graph.document(number) for number in range(len(book))] == list(rows(book))
    whole = relations(book).graph
    earlier = relations(book, until=150).graph
    for firm in range(0, 40, 3):
        for up, down in ((3, 0), (0, 3), (2, 2)):
            for until, graph_then in ((None, whole), (150, earlier)):
                firms, level = graph.neighbourhood(firm, up, down, until=until)
                expected = neighbourhood(graph_then, firm, up, down)
                order = np.argsort(firms)
                assert np.array_equal(firms[order], expected[0])
                assert np.array_equal(level[order], expected[1])
                assert firms[0] == firm
                assert (np.diff(np.abs(level)) >= 0).all()


def test_a_firm_may_come_after_the_arrays_were_built() -> None:
    graph = grown(drawn(4), 160, -1)
    new = [graph.add_firm(f"new-{number}") for number in range(2_000)]
    assert new[0] == 40
    graph.add(new[0], new[1_999], 10, 100)
    graph.add(0, new[0], 10, 100)
    before = graph.neighbourhood(0, up=0, down=2)
    assert {new[0], new[1_999]} <= set(before[0].tolist())
    graph.merge()
    after = graph.neighbourhood(0, up=0, down=2)
    assert sorted(before[0].tolist()) == sorted(after[0].tolist())
    with pytest.raises(ValueError, match="firm f000 is in the graph already"):
        graph.add_firm("f000")
    with pytest.raises(ValueError, match="firm 9999 is not one of 2040"):
        graph.add(0, 9_999, 1, 1)


def test_firms_under_one_owner_are_one_party() -> None:
    assert parties(6, [5, 1], [3, 5]).tolist() == [0, 1, 2, 1, 4, 1]


def test_a_merge_is_due_when_the_list_is_long() -> None:
    graph = LiveGraph(trades_of("ab", [], [], [], []))
    for day in range(1_024):
        assert not graph.should_merge
        graph.add(0, 1, 5, day)
    assert graph.should_merge
    graph.add(0, 1, 5, 1)  # the list grows when nobody merges
    graph.merge()
    assert (graph.waiting, graph.n_documents, graph.should_merge) == (0, 1_025, False)


@pytest.mark.long
def test_compiled_and_plain_loops_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite runs the loops as they are written; this compiles each and compares."""
    book = drawn(5, n=30, documents=400)

    def answers() -> list[Any]:
        found, graph = relations(book), grown(book, 200, 300)
        near = [graph.neighbourhood(firm, 3, 3) for firm in range(30)]
        return [
            found.net.tolist(),
            found.first.tolist(),
            [(firms.tolist(), level.tolist()) for firms, level in near],
            rings_among(graph, range(400)),
        ]

    plain = answers()
    monkeypatch.setattr(compiled, "WORTH_COMPILING", 0)
    assert answers() == plain


def test_a_hub_of_many_partners_is_walked_whole() -> None:
    names = [f"f{number:04d}" for number in range(3_000)]
    others = np.arange(1, 3_000)
    graph = LiveGraph(trades_of(names, 0 * others, others, others, others % 50))
    graph.add(2_999, 0, 5, 5)
    assert len(graph.neighbourhood(2_999, up=0, down=2)[0]) == 3_000
    firms, level = graph.neighbourhood(2_999, up=1, down=2, until=10)
    assert len(firms) == 2 + (others % 50 <= 10).sum()
    assert set(level.tolist()) == {0, -1, -2}
