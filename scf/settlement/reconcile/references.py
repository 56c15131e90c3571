"""Numbers in what payers write, whole or damaged, and what could be a number there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from scf.documents.fingerprints import LETTERS, canonical_number, letters_kept, squeezed_number

LONGEST_RUN: Final = 5
MAX_WORDS: Final = 200
# Fewer signs than these say little, and are no damaged number.
SHORTEST: Final = 4
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
    words = _WORDS.findall(text)
    return words if len(words) <= MAX_WORDS else words[:MAX_WORDS]


def has_digit(word: str) -> bool:
    """Tell whether a word holds a digit, as numbers of documents do."""
    return _DIGIT.search(word) is not None


def squashed(words: Iterable[str]) -> str:
    """Write a text with nothing between its signs."""
    return _PLAIN.sub("", " ".join(words).upper())


class Reader:
    """Reads texts for known numbers; what a word means is worked out once.

    ``known`` are places by canonical number, ``spelt`` the number of what is written as its
    document writes it, without a closer look.
    """

    def __init__(self, known: Mapping[str, list[int]], spelt: Mapping[str, str]) -> None:
        self.known = known
        self._number_of: dict[str, str] = dict(spelt)
        self._like: dict[str, str] = {}
        self._barred: dict[str, bool] = {}
        self._letters = ""

    def exact(self, words: Sequence[str]) -> tuple[dict[str, list[int]], list[str]]:
        """Find the known numbers that words spell out, and the words with digits that spell none.

        Words by themselves first, which is nearly always enough; then runs of up to five.
        """
        found: dict[str, list[int]] = {}
        rest: list[str] = []
        number_of, known = self._number_of, self.known
        for word in words:
            number = number_of.get(word)
            if number is None:
                number = canonical_number(word) if _DIGIT.search(word) else ""
                number_of[word] = number
            if not number:
                continue
            places = known.get(number)
            if places is None:
                rest.append(word)
            else:
                found[number] = places
        if not rest or len(words) == 1 or (found and not self.numberlike(rest)):
            return found, rest
        used = self._runs(words, found)
        if used:
            free = {word for at, word in enumerate(words) if at not in used}
            rest = [word for word in rest if word in free]
        return found, rest

    def numberlike(self, words: Iterable[str]) -> list[str]:
        """Give, with nothing between their signs, the words that could be a document's number."""
        found = []
        for word in words:
            number = self._like.get(word)
            if number is None:
                number = self._like[word] = _numberlike(word)
            if number:
                found.append(number)
        return found

    def _runs(self, words: Sequence[str], found: dict[str, list[int]]) -> set[int]:
        """Find numbers that stand in several words, the longest first; gives the words they took.

        A word with letters that no known number has ("vom", "danke") is part of none.
        """
        free = [0] * (len(words) + 1)  # how many words from here on may be parts
        for at in range(len(words) - 1, -1, -1):
            free[at] = 0 if self._is_barred(words[at]) else free[at + 1] + 1
        used: set[int] = set()
        for length in range(min(LONGEST_RUN, max(free)), 1, -1):
            for start in range(len(words) - length + 1):
                if free[start] < length:
                    continue
                run = range(start, start + length)
                if used.intersection(run) or not any(has_digit(words[at]) for at in run):
                    continue
                number = canonical_number(" ".join(words[start : start + length]))
                places = self.known.get(number)
                if places is not None:
                    found[number] = places
                    used.update(run)
        return used

    def _is_barred(self, word: str) -> bool:
        barred = self._barred.get(word)
        if barred is None:
            if not self._letters:
                every = LETTERS.findall("\n".join(self.known))
                self._letters = "\n" + "\n".join(sorted(set(every)))
            kept = letters_kept(word)
            barred = kept is not None and any(run not in self._letters for run in kept)
            self._barred[word] = barred
        return barred


def _numberlike(word: str) -> str:
    if _NO_NUMBER.fullmatch(word.strip("()[].:#").upper()):
        return ""
    number = squeezed_number(word)
    return number if len(number) >= SHORTEST else ""
