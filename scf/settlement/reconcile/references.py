"""Numbers in what payers write, whole and damaged; how far a text is from a number."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from rapidfuzz import process
from rapidfuzz.distance import OSA

from scf.documents.fingerprints import canonical_number, squeezed_number
from scf.settlement.reconcile import columns as why

LONGEST_RUN: Final = 5
MAX_WORDS: Final = 200
# Fewer signs than these say little, and are no damaged number.
SHORTEST: Final = 4
SHORTEST_CUT: Final = 5  # of a number that is glued to others
FEW: Final = 4  # comparing so few one by one is faster than asking for all at once
LONG: Final = 6  # with fewer signs, two wrong ones leave another number
FAR: Final = 9
_WORDS: Final = re.compile(r"[^\s,;|]+")
_DIGIT: Final = re.compile(r"\d")
_TAG: Final = re.compile(r"/[A-Z]{3,4}/")
_PLAIN: Final = re.compile(r"[^0-9A-Z]+")
# What looks like a number and is a date, a sum or an hour.
_NO_NUMBER: Final = re.compile(
    r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d+[.,]\d{2}|\d{1,3}([.,]\d{3})+([.,]\d{2})?"
    r"|\d{1,2}:\d{2}|\d{1,3}%?|[A-Z]{3}\d+[.,]\d{2}"
)


def words_of(text: str) -> list[str]:
    """Split a text at blanks and the signs between numbers; code words of banks go."""
    if "/" in text:
        text = _TAG.sub(" ", text)
    return _WORDS.findall(text)[:MAX_WORDS]


def has_digit(word: str) -> bool:
    """Tell whether a word holds a digit, as numbers of documents do."""
    return _DIGIT.search(word) is not None


def exact(
    words: Sequence[str], known: dict[str, list[int]], spelt: dict[str, str]
) -> tuple[dict[str, list[int]], list[str]]:
    """Find the known numbers that words spell out, and the words with digits that spell none.

    ``spelt`` gives the number of what is written as its document writes it, without a closer look.
    Words by themselves first, which is nearly always enough; then runs of up to five.
    """
    found: dict[str, list[int]] = {}
    rest: list[str] = []
    for word in words:
        number = spelt.get(word)
        if number is None:
            if not _DIGIT.search(word):
                continue
            number = canonical_number(word)
        places = known.get(number)
        if places is None:
            rest.append(word)
        else:
            found[number] = places
    if not rest or len(words) == 1 or (found and not numberlike(rest)):
        return found, rest
    used = _runs(words, known, found)
    if used:
        free = {word for at, word in enumerate(words) if at not in used}
        rest = [word for word in rest if word in free]
    return found, rest


def _runs(
    words: Sequence[str], known: dict[str, list[int]], found: dict[str, list[int]]
) -> set[int]:
    """Find numbers that stand in several words, the longest first; gives the words they took."""
    used: set[int] = set()
    for length in range(min(LONGEST_RUN, len(words)), 1, -1):
        for start in range(len(words) - length + 1):
            run = range(start, start + length)
            if used.intersection(run) or not any(has_digit(words[at]) for at in run):
                continue
            number = canonical_number(" ".join(words[start : start + length]))
            places = known.get(number)
            if places is not None:
                found[number] = places
                used.update(run)
    return used


def numberlike(words: Iterable[str]) -> list[str]:
    """Give, with nothing between their signs, the words that could be a document's number."""
    found = []
    for word in words:
        if _NO_NUMBER.fullmatch(word.strip("()[].:#").upper()):
            continue
        number = squeezed_number(word)
        if len(number) >= SHORTEST:
            found.append(number)
    return found


def squashed(words: Iterable[str]) -> str:
    """Write a text with nothing between its signs."""
    return _PLAIN.sub("", " ".join(words).upper())


def distances(numbers: Sequence[str], tokens: Sequence[str], whole: str) -> list[tuple[int, str]]:
    """Tell how far a text is from each of some numbers, in damages, and what the damage is.

    0 is a number glued to its neighbours, 1 one sign wrong, missing, too much, or two swapped,
    2 two of them or a cut one (the longer the rest, the nearer); :data:`FAR` is no likeness.
    """
    found = [(FAR, "")] * len(numbers)
    for token in tokens:
        for number, apart, at in process.extract(
            token, numbers, scorer=OSA.distance, score_cutoff=2, limit=None
        ):
            if apart < found[at][0] and (apart <= 1 or len(number) >= LONG):
                found[at] = (apart, why.REFERENCE_NEAR if apart <= 1 else why.REFERENCE_FAR)
        length = len(token)
        for at, number in enumerate(numbers):
            left = len(number) - length
            if 0 < left < found[at][0] - 2 and (number.endswith(token) or number.startswith(token)):
                found[at] = (2 + left, why.REFERENCE_CUT)
    for at, number in enumerate(numbers):
        if number in whole and len(number) >= SHORTEST_CUT:
            found[at] = (0, why.REFERENCE_GLUED)
    return found


def alike(one: str, other: str) -> bool:
    """Tell whether one damage can make one number of the other."""
    return OSA.distance(one, other, score_cutoff=1) <= 1 or _cut(one, other)


def all_alike(numbers: Sequence[str]) -> list[list[int]]:
    """Tell for each number which others :func:`alike` finds, all at once."""
    if len(numbers) < FEW:
        return [
            [at for at, other in enumerate(numbers) if at != place and alike(number, other)]
            for place, number in enumerate(numbers)
        ]
    found = [
        {
            at
            for _number, _apart, at in process.extract(
                number, numbers, scorer=OSA.distance, score_cutoff=1, limit=None
            )
        }
        for number in numbers
    ]
    lengths = {len(number) for number in numbers}
    if len(lengths) > 1:  # of equal length none is the beginning or the end of another
        by_number: dict[str, list[int]] = {}
        for place, number in enumerate(numbers):
            by_number.setdefault(number, []).append(place)
        for place, number in enumerate(numbers):
            for length in lengths:
                if SHORTEST <= length < len(number):
                    for short in (number[:length], number[-length:]):
                        for at in by_number.get(short, ()):
                            found[place].add(at)
                            found[at].add(place)
    return [sorted(near - {place}) for place, near in enumerate(found)]


def likes_of(number: str, numbers: Sequence[str]) -> list[int]:
    """Give the places of those numbers that :func:`alike` finds for one."""
    if len(numbers) < FEW:
        return [at for at, other in enumerate(numbers) if alike(number, other)]
    near = process.extract(number, numbers, scorer=OSA.distance, score_cutoff=1, limit=None)
    size = len(number)
    cut = {at for at, other in enumerate(numbers) if len(other) != size and _cut(number, other)}
    return sorted(cut.union(at for _number, _apart, at in near))


def _cut(one: str, other: str) -> bool:
    short, long = (one, other) if len(one) < len(other) else (other, one)
    return len(short) >= SHORTEST and (long.endswith(short) or long.startswith(short))
