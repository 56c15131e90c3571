"""What a line of a paper says of its article, its tax and its price, ready to be stored."""

from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from scf.documents.canonical import Identifier, Line
from scf.documents.readers.text import scaled
from scf.kernel.money import EXPONENTS
from scf.kernel.rates import PPM, round_half_up

_NO_NUMBER: Final = (None, None, None)
_SIDES: Final = ("seller", "buyer", "standard")


def item_columns(line: Line) -> dict[str, Any]:
    """Give the numbers of an article by whose they are, and the rate of tax in ppm."""
    seller, buyer, standard = item_numbers(line.item_ids) if line.item_ids else _NO_NUMBER
    return {
        "item_seller": seller,
        "item_buyer": buyer,
        "item_standard": standard,
        "tax_ppm": percent_ppm(line.tax_percent) if line.tax_percent else None,
    }


@lru_cache(maxsize=20_000)
def item_numbers(ids: tuple[Identifier, ...]) -> tuple[str | None, ...]:
    """Give the first number that each of seller, buyer and everybody has for an article."""
    first: dict[str, str] = {}
    for scheme, value in ids:
        first.setdefault(scheme.partition(":")[0], value)
    return tuple(first.get(side) for side in _SIDES)


@lru_cache(maxsize=1_000)
def percent_ppm(percent: str) -> int | None:
    """Give a rate of tax in parts per million; one that is finer or absurd is left out."""
    number, scale = scaled(percent)
    ppm, rest = divmod(number * 10_000, scale)
    return ppm if not rest and 0 <= ppm <= PPM else None


def priced(line: Line, currency: str) -> int | None:
    """Give the amount of an ordered line that states a price: quantity × price per its base."""
    digits = EXPONENTS.get(currency)
    if not line.price or not line.quantity or digits is None:
        return None
    base = Fraction(line.price_quantity) if line.price_quantity else Fraction(1)
    if not base:
        return None
    return round_half_up(Fraction(line.quantity) * Fraction(line.price) / base * 10**digits)


def items_json(line: Line) -> dict[str, Any]:
    """Give what a line of a paper says of its article, as it is kept."""
    numbers = item_numbers(line.item_ids) if line.item_ids else _NO_NUMBER
    return {**dict(zip(_SIDES, numbers, strict=True)), "name": line.item_name}
