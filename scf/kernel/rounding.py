"""The platform's one rounding, and rates as exact numbers."""

from fractions import Fraction
from typing import Final

PPM: Final = 1_000_000
Rate = Fraction
"""A rate a year, exact."""


def round_half_up(x: Fraction | int) -> int:
    """Return the nearest whole number, halves away from zero.

    Nothing but an exact number is taken: a float that slipped in fails here.
    """
    if isinstance(x, int):
        return x
    if not isinstance(x, Fraction):
        raise TypeError(f"{x!r} is no exact number")
    size = 2 * abs(x.numerator) + x.denominator
    whole = size // (2 * x.denominator)
    return -whole if x < 0 else whole


def ppm_to_fraction(ppm: int) -> Rate:
    """Return the rate of so many parts per million; a basis point is a hundred of them."""
    return Fraction(ppm, PPM)
