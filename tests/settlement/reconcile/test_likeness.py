"""What is answered from an index is what comparing every pair would answer."""

import random
from itertools import combinations

import pytest
from rapidfuzz.distance import OSA

from scf.documents.fingerprints import canonical_number
from scf.settlement.reconcile import likeness, references
from tests.settlement.reconcile.payers import DAMAGES, damage


def numbers_of(chance: random.Random, count: int) -> list[str]:
    """Make numbers that run on, with gaps, of several lengths, some twice, some cut."""
    made: list[str] = []
    at = chance.randrange(10_000)
    for _ in range(count):
        at += chance.choice((1, 1, 2, 9, 10, 90))
        made.append(chance.choice(("26{:06d}", "FA{}", "{:05d}7", "{}")).format(at))
        if chance.random() < 0.2:
            made.append(damage(chance, chance.choice(DAMAGES[:4]), made[-1]))
    return made


@pytest.mark.parametrize("seed", range(12))
def test_a_block_finds_what_every_pair_would(seed: int) -> None:
    chance = random.Random(seed)
    numbers = numbers_of(chance, chance.choice((3, 20, 80)))
    found = likeness.all_alike(numbers)
    pairs = {
        pair for pair in combinations(range(len(numbers)), 2)
        if likeness.alike(numbers[pair[0]], numbers[pair[1]])
    }  # fmt: skip
    assert {(at, one) for at, near in enumerate(found) for one in near if at < one} == pairs
    block = likeness.Block(numbers)
    for place, number in enumerate(numbers):
        near = {one for one in block.likes_of(number) if one != place}
        assert near == set(found[place]) - {place}
    for _ in range(40):
        token = damage(chance, chance.choice(DAMAGES), chance.choice(numbers))
        whole = chance.choice(("", "X{}Y", "RE{}DANKE")).format(chance.choice(numbers))
        told = block.distances([token, "88"], whole)
        assert told == likeness.distances(numbers, [token, "88"], whole)
        near = {at for at, one in enumerate(numbers) if OSA.distance(token, one) <= 1}
        assert near <= told.keys()


@pytest.mark.parametrize("seed", range(6))
def test_words_that_no_number_has_leave_no_number_out(seed: int) -> None:
    chance = random.Random(seed)
    spelt = [one for one in numbers_of(chance, 60) if any(sign.isdigit() for sign in one)]
    known = {canonical_number(one): [at] for at, one in enumerate(spelt)}
    words = ["vom", "danke", "Rechnung", "INV", "12.03.2026", "FA", "26", "no", "1", "O", "Nr."]
    for _ in range(150):
        text = [*chance.choices(words, k=4), *_pieces(chance, chance.choice(spelt))]
        chance.shuffle(text)
        found, _rest = references.Reader(known, {}).exact(text)
        every = {
            canonical_number(" ".join(text[start:end]))
            for start in range(len(text))
            for end in range(start + 1, min(start + references.LONGEST_RUN, len(text)) + 1)
        }
        assert found.keys() <= every & known.keys()
        assert bool(found) == bool(every & known.keys())


def _pieces(chance: random.Random, number: str) -> list[str]:
    at = chance.randrange(1, len(number)) if len(number) > 1 else 1
    return [number] if chance.random() < 0.5 else [number[:at], number[at:]]
