"""Recognise what a bank entry speaks of: numbers in free text, names, the reason why not.

Pure: texts in, candidates out; the commands look them up and decide under lock.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

from scf.documents.rules import canonical_number

# A reference of words further apart than this is a sentence, not a number.
LONGEST_RUN: Final = 5
MAX_WORDS: Final = 200
_WORDS: Final = re.compile(r"[^\s,;|]+")
_TAG: Final = re.compile(r"/[A-Z]{3,4}/")  # "/RFB/", "/INV/": the code words of bank formats
_UUID: Final = re.compile(r"[0-9a-f]{32}")

# Why a receipt, or a part of it, waits for a person.
UNKNOWN_DEBIT: Final = "UNKNOWN_DEBIT"
AMOUNT_DIFFERS: Final = "AMOUNT_DIFFERS"
NOT_SENT: Final = "NOT_SENT"
NO_REFERENCE: Final = "NO_REFERENCE"
PAYER_UNKNOWN: Final = "PAYER_UNKNOWN"
PAYER_NOT_OBLIGOR: Final = "PAYER_NOT_OBLIGOR"
VALUE_DATE_AHEAD: Final = "VALUE_DATE_AHEAD"
HELD_PART: Final = "HELD_PART"
RETURN_UNKNOWN: Final = "RETURN_UNKNOWN"
REVERSAL_UNKNOWN: Final = "REVERSAL_UNKNOWN"
PAID_OUT: Final = "PAID_OUT"
TO_REVIEW: Final = "TO_REVIEW"
TAKEN_BACK: Final = "TAKEN_BACK"
ADVISED: Final = "ADVISED"

# Reasons that time or another command can lift; the others need a person's word.
RETRIED: Final = frozenset({VALUE_DATE_AHEAD, HELD_PART})


def numbers_in(texts: Iterable[str]) -> list[str]:
    """Give every canonical number that the texts may mean, longer runs of words first.

    A payer writes "INV 2026/001, 2026/002" or "payment of our invoice 4711": each run of up to
    five words is a candidate. What does not belong to an open invoice is dropped later.
    """
    found: dict[str, None] = {}
    for text in texts:
        words = _WORDS.findall(_TAG.sub(" ", text))[:MAX_WORDS]
        for length in range(min(LONGEST_RUN, len(words)), 0, -1):
            for start in range(len(words) - length + 1):
                run = " ".join(words[start : start + length])
                if any(sign.isdigit() for sign in run):
                    found[canonical_number(run)] = None
    return list(found)


def ids_in(texts: Iterable[str]) -> Iterator[str]:
    """Give every id of ours that the texts quote, with or without its hyphens."""
    for text in texts:
        for word in _UUID.findall(text.lower().replace("-", "")):
            yield f"{word[:8]}-{word[8:12]}-{word[12:16]}-{word[16:20]}-{word[20:]}"


def same_name(one: str, other: str) -> bool:
    """Tell whether two spellings name one firm: case, blanks and punctuation do not count."""
    return bool(plain_name(one)) and plain_name(one) == plain_name(other)


def plain_name(name: str) -> str:
    """Write a name as it is compared."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join("".join(sign if sign.isalnum() else " " for sign in folded).split())


def plain_account(number: str) -> str:
    """Write an account number as it is compared."""
    return "".join(number.split()).upper()
