"""How a file is cut, and how much may be on its way."""

import datetime as dt
from collections.abc import Collection
from typing import Final

SLICE_BYTES: Final = 5 * 1024 * 1024
MIN_SLICE_BYTES: Final = 64 * 1024
LIFETIME: Final = dt.timedelta(hours=24)
OPEN_OF_A_PERSON: Final = 5
OPEN_OF_AN_ORGANISATION: Final = 20
BYTES_OF_AN_ORGANISATION: Final = 512 * 1024 * 1024


def slices_of(size: int, slice_bytes: int) -> int:
    """Return how many slices a file has."""
    return -(-size // slice_bytes)


def size_of_slice(number: int, size: int, slice_bytes: int) -> int:
    """Return how long a slice must be; nothing for a number that the file does not have."""
    return max(0, min(slice_bytes, size - number * slice_bytes)) if number >= 0 else 0


def missing(have: Collection[int], size: int, slice_bytes: int) -> list[int]:
    """Return the slices that are not here yet, in the order of the file."""
    return [number for number in range(slices_of(size, slice_bytes)) if number not in have]


def received(have: Collection[int], size: int, slice_bytes: int) -> int:
    """Return how many bytes of a file are here."""
    return sum(size_of_slice(number, size, slice_bytes) for number in have)
