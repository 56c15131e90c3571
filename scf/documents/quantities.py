"""Quantities as integers of one millionth of the unit, so that sums of them are exact."""

from typing import Final

from scf.documents.readers.text import scaled

MICRO: Final = 1_000_000
MAX_MICRO: Final = 2**53


def to_micro(text: str) -> int | None:
    """Read a plain decimal; nothing when it is empty, finer than a millionth, or too large."""
    if not text:
        return None
    number, scale = scaled(text)
    micro, rest = divmod(number * MICRO, scale)
    return None if rest or abs(micro) > MAX_MICRO else micro


def from_micro(micro: int) -> str:
    """Write a quantity as people do: ``12.5``."""
    whole, rest = divmod(abs(micro), MICRO)
    fraction = f".{rest:06d}".rstrip("0").rstrip(".")
    return f"{'-' if micro < 0 else ''}{whole}{fraction}"
