"""Open items, found by number, by payer, and by sum; what is alike among them.

What most entries never ask for (blocks of one sum, all that one payer owes) is made when one does.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from rapidfuzz import fuzz, process

from scf.documents.fingerprints import squeezed_number
from scf.settlement.reconcile import sums
from scf.settlement.reconcile.columns import OpenItems
from scf.settlement.reconcile.likeness import FEW, Apart, Block, all_alike, distances
from scf.settlement.reconcile.references import SHORTEST, Reader

LIKE: Final = 85  # of a hundred, for two names
MOST_OF_PAYER: Final = 400
MOST_OF_AMOUNT: Final = 4_000

Senders = tuple[str, ...]


class Owed:
    """What some senders owe in one currency, the first due first."""

    def __init__(self, index: "Index", places: Sequence[int]) -> None:
        self.places = index.in_order(places)[:MOST_OF_PAYER]
        self._index = index

    @cached_property
    def block(self) -> Block:
        """Their numbers as texts are held against them."""
        return Block([self._index.plain(one) for one in self.places])

    @cached_property
    def _amounts(self) -> list[tuple[int, int]]:
        amounts = self._index.items.amounts
        return sorted((amounts[place], at) for at, place in enumerate(self.places))

    def above(self, amount: int, most: int) -> list[int]:
        """Give what is open for more than an amount, by no more than so much, in order."""
        start = bisect_right(self._amounts, (amount, len(self.places)))
        end = bisect_right(self._amounts, (amount + most, len(self.places)))
        return [self.places[at] for at in sorted(at for _sum, at in self._amounts[start:end])]

    @cached_property
    def groups(self) -> dict[int, list[slice]]:
        """The sets that payers pay at once, by their sum."""
        items = self._index.items
        return sums.groups(self.places, items.due, items.amounts)


class OfSum:
    """All items of just one sum, whoever owes them."""

    def __init__(self, index: "Index", places: Sequence[int]) -> None:
        self.places = places
        self._index = index

    @cached_property
    def block(self) -> Block:
        """Their numbers as texts are held against them."""
        return Block([self._index.plain(one) for one in self.places])

    @cached_property
    def by_name(self) -> dict[str, list[int]]:
        """The items by who owes them."""
        found: dict[str, list[int]] = defaultdict(list)
        for one in self.places:
            found[self._index.items.names[one]].append(one)
        return dict(found)


class Index:
    """The open items by number, by payer, by payer and sum, and by sum."""

    def __init__(self, items: OpenItems) -> None:
        self.items = items
        by_number: dict[str, list[int]] = defaultdict(list)
        for place, number in enumerate(items.numbers):
            by_number[number].append(place)
        by_sum: dict[tuple[str, str, int], list[int]] = defaultdict(list)
        keys = zip(items.payers, items.currencies, items.amounts, strict=True)
        for place, key in enumerate(keys):
            by_sum[key].append(place)
        self.by_sum = dict(by_sum)
        self.reader = Reader(
            dict(by_number), dict(zip(items.spellings, items.numbers, strict=False))
        )
        self._plain: dict[int, str] = {}
        self._alike: dict[int, list[int]] = {}
        self._like: dict[str, frozenset[str]] = {}
        self._owed: dict[tuple[Senders, str], Owed] = {}
        self._numbers_of: dict[tuple[str, str], Block] = {}
        self._of_sum: dict[tuple[str, int], OfSum] = {}
        self._same: dict[tuple[Senders, str, int], list[int]] = {}
        self._blocks: dict[tuple[Senders, str, int], Block] = {}

    @cached_property
    def by_payer(self) -> dict[tuple[str, str], list[int]]:
        """All that each payer owes in a currency."""
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, key in enumerate(zip(self.items.payers, self.items.currencies, strict=True)):
            found[key].append(place)
        return dict(found)

    @cached_property
    def _by_amount(self) -> dict[tuple[str, int], list[int]]:
        found: dict[tuple[str, int], list[int]] = defaultdict(list)
        for place, key in enumerate(zip(self.items.currencies, self.items.amounts, strict=True)):
            found[key].append(place)
        return dict(found)

    def order(self, place: int) -> tuple[int, str, str]:
        """Give what puts items in an order that is their own: day, number, id."""
        items = self.items
        return items.due[place], items.numbers[place], items.ids[place]

    def in_order(self, places: Iterable[int]) -> list[int]:
        """Put items in that order."""
        some = places if isinstance(places, list) else list(places)
        return some if len(some) <= 1 else sorted(some, key=self.order)

    def plain(self, place: int) -> str:
        """Give an item's number with nothing between its signs, its zeros kept."""
        found = self._plain.get(place)
        if found is None:
            spelt = self.items.spellings or self.items.numbers
            found = self._plain[place] = squeezed_number(spelt[place])
        return found

    def owed(self, senders: Senders, currency: str) -> Owed:
        """Give what some senders owe."""
        found = self._owed.get((senders, currency))
        if found is None:
            places = [one for key in senders for one in self.by_payer.get((key, currency), ())]
            found = self._owed[senders, currency] = Owed(self, places)
        return found

    def same_sum(self, senders: Senders, currency: str, amount: int) -> list[int]:
        """Give what some senders owe of just one sum, in order."""
        key = senders, currency, amount
        found = self._same.get(key)
        if found is None:
            found = self._same[key] = self.in_order(
                [
                    one
                    for sender in senders
                    for one in self.by_sum.get((sender, currency, amount), ())
                ]
            )
        return found

    def apart(
        self, key: tuple[Senders, str, int], places: Sequence[int], tokens: Sequence[str], text: str
    ) -> Mapping[int, Apart]:
        """Tell how far a text is from the numbers of items that :meth:`same_sum` gave."""
        if not tokens:
            return {}
        if len(places) < FEW:
            return distances([self.plain(one) for one in places], tokens, text)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = Block([self.plain(one) for one in places])
        return block.distances(tokens, text)

    def of_sum(self, currency: str, amount: int) -> "OfSum":
        """Give all items of just one sum, whoever owes them."""
        found = self._of_sum.get((currency, amount))
        if found is None:
            places = self._by_amount.get((currency, amount), [])
            if len(places) > MOST_OF_AMOUNT:
                places = self.in_order(places)[:MOST_OF_AMOUNT]
            found = self._of_sum[currency, amount] = OfSum(self, places)
        return found

    def twins(self, item: int, but: Sequence[int] = ()) -> list[int]:
        """Give the payer's items of the same sum whose numbers one damage makes of this one's."""
        items = self.items
        places = self.by_sum[items.payers[item], items.currencies[item], items.amounts[item]]
        if len(places) == 1 or len(items.numbers[item]) < SHORTEST:
            return []
        if item not in self._alike:
            numbers = [items.numbers[one] for one in places]
            for one, near in zip(places, all_alike(numbers), strict=True):
                self._alike[one] = [places[at] for at in near]
        found = self._alike[item]
        return self.in_order(one for one in found if one not in but) if found else found

    def look_alikes(self, item: int, at_least: int) -> list[int]:
        """Give the payer's other items, of a sum or more, whose numbers one damage makes of it.

        Of numbers with very few signs each is like each, which tells nothing.
        """
        items = self.items
        if len(items.numbers[item]) < SHORTEST:
            return []
        key = items.payers[item], items.currencies[item]
        places = self.by_payer[key]
        block = self._numbers_of.get(key)
        if block is None:
            block = self._numbers_of[key] = Block([items.numbers[one] for one in places])
        near = (places[at] for at in block.likes_of(items.numbers[item]))
        return self.in_order(one for one in near if one != item and items.amounts[one] >= at_least)

    @cached_property
    def _names(self) -> tuple[list[str], list[str]]:
        names = sorted(set(self.items.names))
        return names, [" ".join(sorted(one.split())) for one in names]

    def names_like(self, name: str) -> frozenset[str]:
        """Give the names of debtors that are like a sender's: its words in any order."""
        found = self._like.get(name)
        if found is None:
            names, turned = self._names
            wanted = " ".join(sorted(name.split()))
            hits = process.extract_iter(wanted, turned, scorer=fuzz.ratio, score_cutoff=LIKE)
            found = frozenset(names[place] for _one, _score, place in hits)
            self._like[name] = found
        return found
