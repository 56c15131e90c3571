"""Raising a sum at least cost, held against trying everything."""

import itertools
import random
from fractions import Fraction

from scf.kernel.rates import round_half_up
from scf.offers.selection import Option, cheapest

STEP = 100


def option(key: str, face: int, rate_bp: int, fee: int = 0, *, parts: bool = True) -> Option:
    def cost(part: int) -> int:
        return round_half_up(Fraction(part * rate_bp, 10_000)) + fee

    least = STEP if parts else face
    return Option(key, face, least, STEP, lambda part: part - cost(part), cost)


def best_by_hand(options: list[Option], wanted: int) -> int | None:
    """Try every set of whole options, and in it every option as the one that is cut."""
    found: list[int] = []
    for size in range(1, len(options) + 1):
        for taken in itertools.combinations(options, size):
            for cut in taken:
                rest = [one for one in taken if one is not cut]
                net = sum(one.net_of(one.face_minor) for one in rest)
                face = cut.smallest_face(wanted - net)
                if net < wanted and face is not None:
                    found.append(
                        sum(one.cost_of(one.face_minor) for one in rest) + cut.cost_of(face)
                    )
    return min(found, default=None)


def test_nothing_costs_less_than_what_is_chosen() -> None:
    chance = random.Random(20261123)
    for _ in range(60):
        options = [
            option(
                str(place),
                chance.randrange(1_000, 90_000),
                chance.randrange(20, 400),
                chance.choice([0, 0, 25, 500]),
                parts=chance.random() < 0.7,
            )
            for place in range(chance.randrange(1, 7))
        ]
        total = sum(one.net_minor for one in options)
        wanted = chance.randrange(1, total + 1)
        found = cheapest(options, wanted)
        assert found is not None
        assert found.is_proven
        best = best_by_hand(options, wanted)
        assert best is not None
        assert 0 <= found.cost_minor - best <= 1  # the rounding of the one part


def test_the_choice_brings_the_sum_and_takes_no_more_than_there_is() -> None:
    chance = random.Random(7)
    options = [option(str(n), chance.randrange(10_000, 10**8), 20 + n) for n in range(150)]
    faces = {one.key: one for one in options}
    total = sum(one.net_minor for one in options)
    for wanted in (1, total // 3, total // 2 + 17, total - 1, total):
        found = cheapest(options, wanted)
        assert found is not None
        assert found.net_minor >= wanted
        assert found.net_minor - wanted < 2 * STEP  # or as little more as the steps allow
        assert found.net_minor == sum(faces[key].net_of(part) for key, part in found.faces.items())
        assert all(0 < part <= faces[key].face_minor for key, part in found.faces.items())
        in_part = [key for key, part in found.faces.items() if part < faces[key].face_minor]
        assert in_part == ([found.part] if found.part else [])


def test_a_programme_of_whole_invoices_is_never_asked_for_a_part() -> None:
    options = [option("a", 50_000, 100, parts=False), option("b", 30_000, 150, parts=False)]
    found = cheapest(options, 20_000)
    assert found is not None
    assert (found.faces, found.part) == ({"b": 30_000}, "")


def test_more_than_everything_and_less_than_something_cannot_be_raised() -> None:
    options = [option("a", 50_000, 100)]
    assert cheapest(options, options[0].net_minor) is not None
    assert cheapest(options, options[0].net_minor + 1) is None
    assert cheapest(options, 0) is None
    assert cheapest([], 1) is None


def test_the_cheaper_day_of_payment_is_taken_first() -> None:
    near, far = option("near", 100_000, 10), option("far", 100_000, 200)
    found = cheapest([far, near], 50_000)
    assert found is not None
    assert list(found.faces) == ["near"]
