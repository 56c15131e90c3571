"""What people typed, made harmless for the programs that read a journal."""

from typing import Final

# A cell that starts so is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide twins count as well


def cell(text: str) -> str:
    """Keep a spreadsheet from running a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def one_line(text: str, without: str = "") -> str:
    """Give a text on one line, single blanks, without signs that mean something to the reader."""
    return " ".join(_plain(text, without).split())


def word(text: str, without: str = "") -> str:
    """Give an id or a kind, which stands where a blank would end it."""
    return "".join(_plain(text, without).split())


def _plain(text: str, signs: str) -> str:
    return "".join(" " if sign in signs or not sign.isprintable() else sign for sign in text)
