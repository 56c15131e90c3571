"""Read dates, decimals and names strictly: what is doubtful is refused, never repaired.

The patterns are plain ASCII and bounded before any number is made, because Python's own
constructors accept fullwidth digits, underscores, exponents and a million digits.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from scf.kernel.errors import Words

EARLIEST: Final = dt.date(1980, 1, 1)
LATEST: Final = dt.date(2199, 12, 31)
MAX_DECIMAL_TEXT: Final = 40

_XML_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_WORD = re.compile(r"[^\W\d_]+")
_LAYOUT = re.compile(r"[ \t\r\n]+")
_DECIMAL = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
# Arabic, Syriac, Indic, Thai … Khmer: scripts that need the (non-)joiner to be spelt at all.
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0e00-\u17ff][\u200c\u200d]")
_NONCHARACTER: Final = 0xFFFE  # U+FFFE, U+FFFF and their like at the end of every plane
_LOOK_ALIKE: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
_NO_NAME_CATEGORY: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def either(options: Sequence[str]) -> str:
    """Say that one of several is meant: "one or another"."""
    said, *rest = options
    for one in rest:
        said = Words("%(one)s or %(other)s", one=said, other=one)
    return said


def xml_date(text: str) -> dt.date | None:
    """Read an ``xsd:date``; the day is the one written, whatever zone stands behind it."""
    found = _XML_DATE.fullmatch(text)
    if found is None:
        return None
    return plausible_date(found.group(1))


def plausible_date(iso: str) -> dt.date | None:
    """Read YYYY-MM-DD when it is a real day that trade could mean."""
    try:
        day = dt.date.fromisoformat(iso)
    except ValueError:
        return None
    return day if EARLIEST <= day <= LATEST else None


@lru_cache(maxsize=4096)  # rates, quantities and totals come again and again
def plain_decimal(text: str) -> str | None:
    """Give a decimal in its one plain spelling ("+007.50" is "7.5"), or None if it is none.

    Trailing zeros go because they carry no value: 12.5000 EUR is 12.50 EUR, while 12.345 EUR
    keeps its third digit and is refused where an amount is wanted.
    """
    if len(text) > MAX_DECIMAL_TEXT:
        return None
    found = _DECIMAL.fullmatch(text)
    if found is None:
        return None
    sign, whole, fraction = found.groups()
    if not whole and not fraction:
        return None
    whole = whole.lstrip("0") or "0"
    fraction = (fraction or "").rstrip("0")
    number = f"{whole}.{fraction}" if fraction else whole
    return f"-{number}" if sign == "-" and number != "0" else number


def scaled(text: str) -> tuple[int, int]:
    """Split a plain decimal into an integer and its power of ten: "12.5" is (125, 10)."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction), 10 ** len(fraction)


def squeeze(text: str | None) -> str:
    """Take layout out of a text: line breaks and runs of blanks become one blank.

    Only the blanks of layout are touched; a strange control character stays to be refused.
    """
    if not text:
        return ""
    if text.isprintable() and "  " not in text:
        return text.strip()  # nothing to squeeze: nearly every value
    return _LAYOUT.sub(" ", text).strip(" \u00a0\u3000")


def unsafe_character(text: str) -> str:
    """Name the first character that may not stand in a name or a number, or give "".

    Control, direction-changing and invisible characters make two different names look alike on
    an approver's screen. A joiner is allowed after a letter of a script that needs it.
    """
    if text.isprintable():
        return ""
    checked = _JOINED.sub("x", text)
    for character in checked:
        category = unicodedata.category(character)
        if category in _NO_NAME_CATEGORY or (category == "Cn" and _is_noncharacter(character)):
            return f"U+{ord(character):04X} {unicodedata.name(character, 'control character')}"
    return ""


def mixed_word(text: str) -> str:
    """Give the first word whose letters come from alphabets that look alike, or give "".

    An "A" of Cyrillic in a Latin name makes another name that nobody can tell apart. Whole words of
    another script beside each other are how names of the world are written.
    """
    if text.isascii():
        return ""
    for found in _WORD.finditer(text):
        word = found[0]
        if not word.isascii() and len({_alphabet(one) for one in word} - {""}) > 1:
            return word
    return ""


@lru_cache(maxsize=4096)
def _alphabet(character: str) -> str:
    """Name the alphabet of a letter, of those whose letters look like each other's."""
    named = unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""
    return named if named in _LOOK_ALIKE else ""


def _is_noncharacter(character: str) -> bool:
    return ord(character) & 0xFFFE == _NONCHARACTER or "\ufdd0" <= character <= "\ufdef"
