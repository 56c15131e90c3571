"""Open items, found by number, by payer, and by sum; what is alike among them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import fuzz, process

from scf.documents.fingerprints import squeezed_number
from scf.settlement.reconcile import references
from scf.settlement.reconcile.columns import OpenItems

LIKE: Final = 85  # of a hundred, for two names


@dataclass(slots=True)
class Index:
    """The open items by number, by payer, by payer and sum, and by sum."""

    items: OpenItems
    by_number: dict[str, list[int]] = field(default_factory=dict)
    by_payer: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    by_sum: dict[tuple[str, str, int], list[int]] = field(default_factory=dict)
    of_amount: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    rank: list[int] = field(default_factory=list)  # an order that is the items' own
    by_spelling: dict[str, str] = field(default_factory=dict)
    _plain: dict[int, str] = field(default_factory=dict)
    _alike: dict[int, list[int]] = field(default_factory=dict)
    _names: list[str] = field(default_factory=list)
    _sorted: list[str] = field(default_factory=list)
    _like: dict[str, frozenset[str]] = field(default_factory=dict)

    def plain(self, place: int) -> str:
        """Give an item's number with nothing between its signs, its zeros kept."""
        found = self._plain.get(place)
        if found is None:
            spelt = self.items.spellings or self.items.numbers
            found = self._plain[place] = squeezed_number(spelt[place])
        return found

    def alike_of(self, item: int, places: Sequence[int]) -> list[int]:
        """Give those of some places, the item's among them, whose numbers one damage makes."""
        if item not in self._alike:
            numbers = [self.items.numbers[one] for one in places]
            for one, near in zip(places, references.all_alike(numbers), strict=True):
                self._alike[one] = [places[at] for at in near]
        return self._alike[item]

    def names_like(self, name: str) -> frozenset[str]:
        """Give the names of debtors that are like a sender's: its words in any order."""
        found = self._like.get(name)
        if found is None:
            if not self._names:
                self._names = sorted(set(self.items.names))
                self._sorted = [" ".join(sorted(one.split())) for one in self._names]
            wanted = " ".join(sorted(name.split()))
            hits = process.extract_iter(wanted, self._sorted, scorer=fuzz.ratio, score_cutoff=LIKE)
            found = frozenset(self._names[place] for _one, _score, place in hits)
            self._like[name] = found
        return found

    def __post_init__(self) -> None:
        items = self.items
        numbers, sums, of_amount = defaultdict(list), defaultdict(list), defaultdict(list)
        payers = self.by_payer
        columns = zip(items.numbers, items.amounts, items.currencies, items.payers, strict=True)
        for place, (number, amount, currency, payer) in enumerate(columns):
            numbers[number].append(place)
            payers[payer, currency].append(place)
            sums[payer, currency, amount].append(place)
            of_amount[currency, amount].append(place)
        order = sorted(
            range(len(items)), key=lambda one: (items.due[one], items.numbers[one], items.ids[one])
        )
        self.rank = [0] * len(items)
        for rank, place in enumerate(order):
            self.rank[place] = rank
        self.by_spelling = dict(zip(items.spellings, items.numbers, strict=False))
        self.by_number, self.by_sum, self.of_amount = numbers, sums, of_amount
