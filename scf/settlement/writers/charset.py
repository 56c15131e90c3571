"""Write names and references in characters that the receiving bank accepts."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from text_unidecode import unidecode  # type: ignore[import-untyped]

_NOT_SEPA: Final = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_BLANKS: Final = re.compile(r"\s+")
# What the basic Latin set writes instead (EPC217-08, best practice of conversion).
_INSTEAD: Final = str.maketrans(
    {
        "&": "+",
        "_": "-",
        '"': "'",
        "`": "'",
        "@": "(at)",
        ";": ",",
        "=": "-",
        "*": ".",
        "#": ".",
        "[": "(",
        "{": "(",
        "<": "(",
        "]": ")",
        "}": ")",
        ">": ")",
        "~": "-",
        "|": "/",
        "\\": "/",
        "!": ".",
    }
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9?:().,'+\-](?:[A-Za-z0-9/\-?:().,'+ ]{0,33}[^/ ])?")


def plain_text(text: str, limit: int) -> str:
    """Compose accents, drop what is invisible, make runs of blanks one, cut at the limit."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(
        " " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign
        for sign in composed
        if unicodedata.category(sign) not in {"Cf", "Cs", "Co", "Cn"}
    )
    return _BLANKS.sub(" ", visible).strip()[:limit].strip()


def sepa_text(text: str, limit: int) -> str:
    """Write a text in the basic Latin set that every SEPA bank must accept (EPC217-08)."""
    latin: str = unidecode(plain_text(text, 10 * limit)).translate(_INSTEAD)
    return _BLANKS.sub(" ", _NOT_SEPA.sub(" ", latin)).strip()[:limit].strip()


def is_identifier(text: str) -> bool:
    """Tell whether every bank gives this reference back unchanged.

    Up to 35 characters of the basic set, no slash or blank at either end and no double slash.
    """
    return _IDENTIFIER.fullmatch(text) is not None and not (
        _NOT_SEPA.search(text) or "//" in text or "  " in text
    )
