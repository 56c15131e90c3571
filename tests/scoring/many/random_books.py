"""Random items as the single price takes them, and the same as columns."""

import dataclasses
import random
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from scoring.hazard import hazard_of
from scoring.many import CASES, CLAIMS, Book, Special, risks_of
from scoring.schema import FirmRisk, Insurance, LeafState

FACES = (1, 99, 12_345, 1_000_000, 250_000_00, 250_000_01, 987_654_321, 10**12, 10**15)


@dataclasses.dataclass(frozen=True)
class Row:
    """One random item; the fields are those of a `Book`."""

    fields: dict[str, Any]
    obligor: FirmRisk | None
    seller: FirmRisk | None
    special: Special | None = None


def firm(rng: random.Random) -> FirmRisk | None:
    """Draw a firm: unknown, in default, safe, or of any risk."""
    kind = rng.random()
    if kind < 0.03:
        return None
    own = hazard_of(rng.choice((0.0, 0.0004, 0.0031, 0.015, rng.random() ** 3)))
    chain = rng.choice((0.0, 0.0, rng.random() * 0.05, rng.random()))
    return FirmRisk(
        own, own + chain, rng.random() < 0.2, rng.random() < 0.2, defaulted=rng.random() < 0.04
    )


def rows(rng: random.Random, size: int) -> list[Row]:
    """Draw items with everything that an agreement may say."""
    return [_row(rng) for _ in range(size)]


def _row(rng: random.Random) -> Row:
    face = rng.choice((*FACES, rng.randrange(1, 10**9)))
    items = rng.choice((0, 0, 1, 7, rng.randrange(1, 5_000)))
    gross = rng.randrange(1, 10**12) if items else 0
    sales = rng.choice((0, 5, 10**6, rng.randrange(1, 10**13)))
    fields = {
        "claim": rng.randrange(len(CLAIMS)),
        "case": rng.randrange(len(CASES)),
        "face_minor": face,
        "fees_minor": rng.choice((0, 0, face // 3, face)),
        "tenor_days": rng.choice((-3, 0, 1, 30, 60, 90, 365, rng.randrange(1, 400))),
        "basis": rng.choice((360, 365)),
        "exponent": rng.choice((0, 2, 2, 3)),
        "silent": rng.random() < 0.3,
        "cross_border": rng.random() < 0.3,
        "settled_items": rng.choice((0, 2, 3, 29, 30, 900)),
        "late_days": rng.choice((0, 5, rng.randrange(90))),
        "reserve_ppm": rng.choice((0, 0, 50_000, 100_000, rng.randrange(1_000_000))),
        "covers_credit": rng.random() < 0.3,
        "basel": rng.random() < 0.3,
        "credited_minor": rng.choice((0, gross, gross // 50)),
        "gross_minor": gross,
        "items": items,
        "recourse": rng.random() < 0.5,
        "after_days": rng.choice((0, 0, 30)),
        "pair_sales": rng.choice((0, sales // 5, sales // 2, sales, sales * 2)),
        "seller_sales": sales,
        "proceeds": rng.random() < 0.3,
        "legal_cap_ppm": rng.choice((-1, -1, 80_000, 1_000_000)),
        "margin_shift_bp": rng.choice((0, 0, 0, 25, -20, -60, -61)),
    }
    return Row(fields, firm(rng), firm(rng), special(rng, face) if rng.random() < 0.1 else None)


def special(rng: random.Random, face: int) -> Special:
    """Draw what few items have."""
    leaf = rng.choice((None, None, *LeafState))
    cover = Insurance(
        Fraction(rng.randrange(11), 10), FirmRisk(0.002, 0.002, rated=True),
        Fraction(rng.randrange(90)), rng.choice((0, 60)), rng.random() < 0.2,
    )  # fmt: skip
    return Special(
        insurance=rng.choice((None, cover)),
        cash_margin_minor=rng.choice((0, 0, face // 10, face)),
        same_group=rng.random() < 0.1,
        leaf=leaf,
        transfers=rng.randrange(4) if leaf else 0,
    )


def book(drawn: Sequence[Row]) -> Book:
    """Put items into columns."""
    names = drawn[0].fields
    flags = {"silent", "cross_border", "covers_credit", "basel", "recourse", "proceeds"}
    columns: dict[str, Any] = {
        name: np.array(
            [one.fields[name] for one in drawn], dtype=np.bool_ if name in flags else np.int64
        )
        for name in names
    }
    return Book(
        obligor=risks_of([one.obligor for one in drawn]),
        seller=risks_of([one.seller for one in drawn]),
        special=np.array([*(one.special for one in drawn), None], dtype=object)[:-1],
        **columns,
    )
