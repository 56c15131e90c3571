"""Many items priced at once, in columns: the same answer as `scoring.pricing.price`, row by row.

Where the arithmetic of columns stands so near a rounding boundary that it could fall on the other
side, or leaves what 64 bits hold, the row goes through `price` itself and is counted.
"""

from scoring.many.columns import (
    CASES,
    CLAIMS,
    REFUSALS,
    ROUTES,
    Book,
    Prices,
    Risks,
    Special,
    risks_of,
)
from scoring.many.pricing import price_many

__all__ = [
    "CASES",
    "CLAIMS",
    "REFUSALS",
    "ROUTES",
    "Book",
    "Prices",
    "Risks",
    "Special",
    "price_many",
    "risks_of",
]
