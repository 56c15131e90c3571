"""Who lives in the demo world, and how each behaves: invented firms from one seed.

Pure: names, countries, numbers and habits. Three chains: a maker of appliances with suppliers in
three tiers and dealers, a marketplace with merchants, and a shipper with carriers.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from schwifty import IBAN

from scf.demo.world import ANCHOR, SUPPLIER

MARKETPLACE: Final = "Kestrel Market"
SHIPPER: Final = "Norfreight Lines"
SECOND_FINANCIER: Final = "Northgate Finance"

_FIRST: Final = (
    "Alder", "Birch", "Copper", "Dorn", "Ember", "Falk", "Granit", "Hollis", "Isar", "Juno",
    "Karst", "Linde", "Morav", "Nimbus", "Orla", "Pesaro", "Quill", "Rhone", "Saale", "Tamber",
    "Ulmen", "Varga", "Weser", "Yarrow", "Zenith", "Argent", "Bastei", "Cobalt", "Drava", "Elster",
)  # fmt: skip
_TRADES: Final = {
    "supplier": ("Castings", "Motors", "Plastics", "Compressors", "Electronics", "Fasteners"),
    "second": ("Wire", "Foundry", "Tooling", "Coatings", "Springs", "Mouldings"),
    "third": ("Steel", "Resins", "Alloys", "Chemicals"),
    "dealer": ("Home Stores", "Kitchens", "Retail"),
    "merchant": ("Textiles", "Toys", "Garden", "Lighting", "Outdoor"),
    "carrier": ("Haulage", "Transport", "Cargo"),
}
_COUNTRIES: Final = ("DE", "NL", "PL", "CZ", "IT", "FR", "AT")


@dataclass(frozen=True)
class Actor:
    """One firm of the cast.

    ``late_days`` is how long after the due date it pays on average, ``disputes`` and ``credits``
    the shares of what it buys and sells that are contested or credited, ``fails_in`` the month
    from which it pays nobody.
    """

    name: str
    part: str
    country: str
    duns: str
    iban: str
    late_days: int
    credits: float
    revenue: int  # a year, in whole euros
    equity_ppm: int
    founded: int
    fails_in: int | None = None


@dataclass(frozen=True)
class Relation:
    """Who sells to whom: invoices a month, their mean amount in cents, and the term in days."""

    seller: str
    buyer: str
    a_month: float
    mean_minor: int
    days: int


@dataclass(frozen=True)
class Cast:
    """Everybody, by name, and the trade between them."""

    firms: dict[str, Actor]
    relations: tuple[Relation, ...]

    def of(self, part: str) -> list[Actor]:
        """List the firms that play one part."""
        return [firm for firm in self.firms.values() if firm.part == part]


def make(seed: int) -> Cast:
    """Make the cast of a seed; the same seed makes the same firms on every machine."""
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    names = _names(chance)
    firms: dict[str, Actor] = {}
    # The anchors pay to the day or nearly; some of the small are slow, and two come to grief.
    for number, (name, part, count) in enumerate(
        (
            (ANCHOR, "anchor", 1),
            (MARKETPLACE, "anchor", 1),
            (SHIPPER, "anchor", 1),
            (SUPPLIER, "supplier", 1),
            ("", "supplier", 13),
            ("", "second", 14),
            ("", "third", 8),
            ("", "dealer", 4),
            ("", "merchant", 9),
            ("", "carrier", 7),
        )
    ):
        for place in range(count):
            firm = _firm(
                chance, name or f"{next(names)} {chance.choice(_TRADES[part])}", part, number, place
            )
            firms[firm.name] = firm
    cast = Cast(firms, ())
    return Cast(firms, tuple(_relations(chance, cast)))


def _names(chance: random.Random) -> Iterator[str]:
    pool = list(_FIRST) * 2
    chance.shuffle(pool)
    seen: set[str] = set()
    for word in pool:
        yield word if word not in seen else f"{word} & {chance.choice(('Sons', 'Co', 'Partner'))}"
        seen.add(word)


def _firm(chance: random.Random, name: str, part: str, group: int, place: int) -> Actor:
    anchor = part == "anchor"
    fails = {("dealer", 2): 14, ("second", 5): 16}.get((part, place))
    return Actor(
        name=name,
        part=part,
        country="DE" if anchor else chance.choice(_COUNTRIES),
        duns=f"{600_000_000 + group * 1000 + place * 7}",
        iban=str(IBAN.generate("DE", "12030000", f"{300_000 + group * 1000 + place:010d}")),
        late_days=chance.choice((0, 1, 2)) if anchor else max(0, round(chance.gauss(7, 7))),
        credits=0.01 if anchor else chance.choice((0.0, 0.01, 0.02, 0.05)),
        revenue=chance.randrange(400, 900) * 1_000_000
        if anchor
        else chance.randrange(8, 240) * 100_000,
        equity_ppm=chance.randrange(250_000, 450_000)
        if anchor
        else chance.randrange(20_000, 420_000),
        founded=chance.randrange(1950, 2020),
        fails_in=fails,
    )


def _relations(chance: random.Random, cast: Cast) -> Iterator[Relation]:
    suppliers, second, third = cast.of("supplier"), cast.of("second"), cast.of("third")
    for firm in suppliers:
        rate = 3.0 if firm.name == SUPPLIER else chance.choice((1.0, 1.5, 2.0))
        yield Relation(firm.name, ANCHOR, rate, chance.randrange(4, 40) * 1_000_000, 90)
    for firm in second:
        for buyer in chance.sample(suppliers, chance.choice((1, 2))):
            yield Relation(
                firm.name, buyer.name, 0.8, chance.randrange(8, 60) * 100_000,
                chance.choice((45, 60)),
            )  # fmt: skip
    for firm in third:
        for buyer in chance.sample(second, chance.choice((1, 2))):
            yield Relation(firm.name, buyer.name, 0.7, chance.randrange(5, 40) * 100_000, 30)
    for firm in cast.of("dealer"):
        yield Relation(ANCHOR, firm.name, 2.0, chance.randrange(20, 90) * 100_000, 60)
    for firm in cast.of("merchant"):
        yield Relation(firm.name, MARKETPLACE, 1.5, chance.randrange(10, 60) * 100_000, 45)
    for firm in cast.of("carrier"):
        yield Relation(firm.name, SHIPPER, 1.5, chance.randrange(6, 30) * 100_000, 60)
