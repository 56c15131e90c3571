"""What one entry shows: the numbers in its text, whose they are, and what is left of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scf.settlement.reconcile import references
from scf.settlement.reconcile.columns import NOTHING, Entries, Verdict
from scf.settlement.reconcile.index import Index, Senders


@dataclass(slots=True)
class Look:
    """One entry, as far as it was looked at."""

    entry: int
    amount: int
    currency: str
    senders: Senders
    named: list[int]  # items whose numbers stand in the text, of a sender who may pay them
    foreign: list[int]  # and those of others
    rest: list[str]  # words with digits that name nothing
    words: list[str]
    verdict: Verdict = NOTHING
    full: list[int] = field(default_factory=list)  # items that it names and pays whole


def at_once(index: Index, entries: Entries, entry: int, found: dict[str, list[int]]) -> int | None:
    """Give the one item that an entry names, that its sender owes, and that is just its sum."""
    if len(found) != 1:
        return None
    (places,) = found.values()
    if len(places) != 1:
        return None
    (item,) = places
    items = index.items
    amount = items.amounts[item]
    payer, currency = items.payers[item], items.currencies[item]
    if (
        amount == entries.amounts[entry]
        and currency == entries.currencies[entry]
        and payer in entries.senders[entry]
    ):
        return item
    return None


def look_at(
    index: Index,
    entries: Entries,
    entry: int,
    words: Sequence[str],
    told: tuple[dict[str, list[int]], list[str]],
) -> Look:
    """Sort what a text names by who may pay it."""
    items = index.items
    found, rest = told
    amount, currency = entries.amounts[entry], entries.currencies[entry]
    senders = tuple(entries.senders[entry])
    named: list[int] = []
    foreign: list[int] = []
    for number, places in found.items():
        own: list[int] = []
        others: list[int] = []
        for item in places:
            if items.currencies[item] != currency:
                continue
            known = items.payers[item] in senders or (
                items.others and items.others[item] in senders
            )
            (own if known else others).append(item)
        # One number of several sellers: what is open to the cent is meant.
        exact = [item for item in own if items.amounts[item] == amount]
        named += exact if len(exact) == 1 else own
        if not own:  # somebody else's number, or a damaged one that happens to be it
            foreign += others
            rest.append(number)
    look = Look(
        entry,
        amount,
        currency,
        senders,
        index.in_order(named),
        index.in_order(foreign),
        rest,
        list(words),
    )
    if named and sum(items.amounts[item] for item in named) == amount:
        look.full = look.named
    return look


def own_words(look: Look) -> list[str]:
    """Give all words with digits: a damaged number can be somebody else's whole one."""
    return [word for word in look.words if references.has_digit(word)]
