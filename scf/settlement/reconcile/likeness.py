"""How far numbers are from each other and from texts, in blocks of numbers asked often."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile.references import SHORTEST

SHORTEST_CUT: Final = 5  # of a number that is glued to others
FEW: Final = 16  # comparing so few one by one is faster than any index
LONG: Final = 6  # with fewer signs, two wrong ones leave another number
FAR: Final = 9
NOWHERE: Final = (FAR, "")
_NEAR: Final = 2

Apart = tuple[int, str]


class Block:
    """Some numbers among which texts and numbers are sought again and again."""

    def __init__(self, numbers: Sequence[str]) -> None:
        self.numbers = numbers

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        places: dict[str, list[int]] = defaultdict(list)
        for at, number in enumerate(self.numbers):
            places[number].append(at)
        return places

    @cached_property
    def _by_length(self) -> dict[int, tuple[list[str], list[int]]]:
        sorted_: dict[int, tuple[list[str], list[int]]] = {}
        for at, number in enumerate(self.numbers):
            some, places = sorted_.setdefault(len(number), ([], []))
            some.append(number)
            places.append(at)
        return sorted_

    @cached_property
    def _joined(self) -> str:
        return "\n" + "\n".join(self.numbers) + "\n"

    @cached_property
    def _starts(self) -> list[int]:
        """Where each number begins in the joined text."""
        return list(accumulate((len(one) + 1 for one in self.numbers), initial=1))

    def distances(self, tokens: Sequence[str], whole: str) -> dict[int, Apart]:
        """Tell how far a text is from the numbers that are anywhere near, in damages, and why.

        0 is a number glued to its neighbours, 1 one sign wrong, missing, too much, or two swapped,
        2 two of them or a cut one (the longer the rest, the nearer). Others are not told.
        """
        found: dict[int, Apart] = {}
        for token in tokens:
            length = len(token)
            for at, apart in self._within(token, _NEAR):
                if apart < found.get(at, NOWHERE)[0]:
                    near = apart <= 1
                    if near or len(self.numbers[at]) >= LONG:
                        found[at] = (apart, why.REFERENCE_NEAR if near else why.REFERENCE_FAR)
            for at in self._cut_to(token):
                left = len(self.numbers[at]) - length
                if 0 < left < found.get(at, NOWHERE)[0] - 2:
                    found[at] = (2 + left, why.REFERENCE_CUT)
        for at in self._inside(whole):
            found[at] = (0, why.REFERENCE_GLUED)
        return found

    def likes_of(self, number: str) -> list[int]:
        """Give the places of the numbers that one damage makes of this one, or this of them."""
        near = {at for at, _apart in self._within(number, 1)}
        size = len(number)
        if size >= SHORTEST:
            near.update(at for at in self._cut_to(number) if len(self.numbers[at]) != size)
        for length in self._by_length:
            if SHORTEST <= length < size:
                for part in (number[:length], number[-length:]):
                    near.update(self._places.get(part, ()))
        return sorted(near)

    def _within(self, number: str, most: int) -> Iterable[tuple[int, int]]:
        for length in range(len(number) - most, len(number) + most + 1):
            some, places = self._by_length.get(length, ((), ()))
            for _one, apart, at in process.extract(
                number, some, scorer=OSA.distance, score_cutoff=most, limit=None
            ):
                yield places[at], int(apart)

    def _cut_to(self, part: str) -> Iterable[int]:
        """Find the numbers that begin or end with a part."""
        joined = self._joined
        at = joined.find("\n" + part)
        while at >= 0:
            yield bisect_right(self._starts, at + 1) - 1
            at = joined.find("\n" + part, at + 1)
        at = joined.find(part + "\n")
        while at >= 0:
            yield bisect_right(self._starts, at) - 1
            at = joined.find(part + "\n", at + 1)

    def _inside(self, whole: str) -> Iterable[int]:
        """Find the numbers that stand anywhere in a text."""
        lengths = [one for one in self._by_length if SHORTEST_CUT <= one <= len(whole)]
        if len(whole) * len(lengths) > len(self.numbers):
            for length in lengths:
                some, places = self._by_length[length]
                yield from (at for number, at in zip(some, places, strict=True) if number in whole)
            return
        for length in lengths:
            for start in range(len(whole) - length + 1):
                yield from self._places.get(whole[start : start + length], ())


def distances(numbers: Sequence[str], tokens: Sequence[str], whole: str) -> Mapping[int, Apart]:
    """Tell of a few numbers what :meth:`Block.distances` tells of many."""
    found: dict[int, Apart] = {}
    for at, number in enumerate(numbers):
        size = len(number)
        if size >= SHORTEST_CUT and number in whole:
            found[at] = (0, why.REFERENCE_GLUED)
            continue
        best = NOWHERE
        for token in tokens:
            left = size - len(token)
            if -_NEAR <= left <= _NEAR:
                apart = OSA.distance(token, number, score_cutoff=_NEAR)
                if apart < best[0] and (apart <= 1 or (apart <= _NEAR and size >= LONG)):
                    best = (apart, why.REFERENCE_NEAR if apart <= 1 else why.REFERENCE_FAR)
            if 0 < left < best[0] - 2 and (number.endswith(token) or number.startswith(token)):
                best = (2 + left, why.REFERENCE_CUT)
        if best[0] < FAR:
            found[at] = best
    return found


def alike(one: str, other: str) -> bool:
    """Tell whether one damage can make one number of the other."""
    return OSA.distance(one, other, score_cutoff=1) <= 1 or _cut(one, other)


def all_alike(numbers: Sequence[str]) -> list[list[int]]:
    """Tell for each number which others :func:`alike` finds, all at once.

    Numbers that differ by one damage are the same once a sign of one or of both is left out; only
    those are compared. Numbers times signs steps, where they are not nearly all the same.
    """
    found: list[set[int]] = [set() for _ in numbers]
    if len(numbers) < FEW:
        for place, number in enumerate(numbers):
            for at in range(place):
                if alike(number, numbers[at]):
                    found[place].add(at)
                    found[at].add(place)
    else:
        _join_damaged(numbers, found)
        _join_cut(numbers, found)
    return [sorted(near - {place}) for place, near in enumerate(found)]


def _join_damaged(numbers: Sequence[str], found: list[set[int]]) -> None:
    without: dict[str, list[int]] = defaultdict(list)
    for place, number in enumerate(numbers):
        for short in {number, *(number[:at] + number[at + 1 :] for at in range(len(number)))}:
            without[short].append(place)
    for same in without.values():
        for at, place in enumerate(same):
            for other in same[at + 1 :]:
                if other not in found[place] and (
                    OSA.distance(numbers[place], numbers[other], score_cutoff=1) <= 1
                ):
                    found[place].add(other)
                    found[other].add(place)


def _join_cut(numbers: Sequence[str], found: list[set[int]]) -> None:
    lengths = {len(number) for number in numbers}
    if len(lengths) == 1:  # of equal length none is the beginning or the end of another
        return
    places: dict[str, list[int]] = defaultdict(list)
    for place, number in enumerate(numbers):
        places[number].append(place)
    for place, number in enumerate(numbers):
        for length in lengths:
            if SHORTEST <= length < len(number):
                for short in (number[:length], number[-length:]):
                    for at in places.get(short, ()):
                        found[place].add(at)
                        found[at].add(place)


def _cut(one: str, other: str) -> bool:
    short, long = (one, other) if len(one) < len(other) else (other, one)
    return len(short) >= SHORTEST and (long.endswith(short) or long.startswith(short))
