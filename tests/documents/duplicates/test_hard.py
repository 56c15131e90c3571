"""The hard tier: the same number however it is written, and never two honest ones."""

from collections.abc import Iterator

import pytest

from scf.documents.fingerprints import claim_number, duplicate_key, squeezed_number
from tests.documents.duplicates.fraudsim import DISGUISES, Paper, honest

PER_KIND = 200


def key_of(paper: Paper, number: str) -> str:
    return duplicate_key(
        str(paper.seller), str(paper.buyer), claim_number(number), paper.issue_on.year
    )


def content_of(paper: Paper, number: str) -> tuple[object, ...]:
    """Give what is blocked besides the key: the squeezed number with the very amount and day."""
    return (paper.seller, paper.buyer, paper.amount, paper.issue_on, squeezed_number(number))


def disguised(papers: list[Paper], kind: str) -> Iterator[tuple[Paper, str]]:
    """Give invoices whose number this disguise changes at all, with the changed number."""
    changed = ((one, DISGUISES[kind](one.number)) for one in papers)
    told = [(one, number) for one, number in changed if number != one.number]
    yield from told[:: max(1, len(told) // PER_KIND)][:PER_KIND]


@pytest.fixture(scope="module")
def trade() -> list[Paper]:
    return honest(seed=21, pairs=250)


@pytest.mark.parametrize("kind", DISGUISES)
def test_a_number_written_another_way_is_the_same_claim(kind: str, trade: list[Paper]) -> None:
    cases = list(disguised(trade, kind))
    caught = sum(
        key_of(one, number) == key_of(one, one.number)
        or content_of(one, number) == content_of(one, one.number)
        for one, number in cases
    )
    assert len(cases) == PER_KIND
    assert caught >= 0.99 * len(cases)


def false_blocks(papers: list[Paper]) -> list[tuple[Paper, Paper]]:
    seen: dict[object, Paper] = {}
    found = []
    void = {one.replaces for one in papers}
    for place, one in enumerate(papers):
        if place in void:
            continue
        for what in (key_of(one, one.number), content_of(one, one.number)):
            earlier = seen.setdefault(what, one)
            if earlier is not one:
                found.append((earlier, one))
    return found


def are_honest(papers: list[Paper]) -> bool:
    """Tell whether no seller gave one number to two papers of a year, as the law asks of him."""
    return len({(one.seller, one.number, one.issue_on.year) for one in papers}) == len(papers)


def test_no_honest_invoice_is_blocked(trade: list[Paper]) -> None:
    assert are_honest(trade)
    assert any(one.shipment for one in trade)
    assert any(one.replaces is not None for one in trade)
    assert {one.issue_on.year for one in trade} == {2025, 2026}
    assert false_blocks(trade) == []


@pytest.mark.long
def test_none_of_three_hundred_thousand_honest_invoices_is_blocked() -> None:
    # 0 of 299,572 shows at most one false block in 100,000, one-sided at 95 %: fraud.md 2.4.
    looked_at = 0
    seed = 1000
    while looked_at < 299_572:
        papers = honest(seed, pairs=1_500)
        assert are_honest(papers)
        assert false_blocks(papers) == []
        looked_at += len(papers)
        seed += 1
