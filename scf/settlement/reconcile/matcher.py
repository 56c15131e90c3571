"""One verdict for each entry; two that claim the same item both go to a person."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile import papers, references
from scf.settlement.reconcile.columns import (
    FAIR,
    NOTHING,
    SURE,
    Entries,
    OpenItems,
    Pays,
    Proposal,
    Verdict,
    ranked,
)
from scf.settlement.reconcile.index import Index
from scf.settlement.reconcile.look import Look, at_once, look_at, own_words
from scf.settlement.reconcile.named import by_name
from scf.settlement.reconcile.rests import by_rest
from scf.settlement.reconcile.strangers import of_nobody, of_others

_WHOLE: Final = (why.REFERENCE, why.PAYER, why.AMOUNT)


def reconcile(entries: Entries, items: OpenItems) -> list[Verdict]:
    """Say for each entry which open items it pays, how sure that is, and why.

    An entry is *certain* where its text names the items, its sender owes them and its sum is what
    is open (or, without any other item that could be meant, less): two witnesses beside the
    sender. Anything else is *proposed*. Equal sums of one payer without a number, look-alike
    numbers and money that is claimed twice are never certain. The order of entries and of items
    does not matter, and no item is given more than is open by certain entries together.

    What is plain is answered in one pass over the columns; the rest is held against blocks of
    items of one sum or one payer, so that time grows with the entries and not with their product.
    """
    index = Index(items)
    verdicts = [NOTHING] * len(entries)
    claimed: Counter[int] = Counter()
    looks: list[Look] = []
    plain: list[tuple[int, int]] = []
    exact, words_of, spoken = index.reader.exact, references.words_of, entries.papers
    for entry, text in enumerate(entries.texts):
        words = words_of(text)
        told = exact(words)
        item = at_once(index, entries, entry, told[0])
        if item is not None and not (spoken and spoken[entry]):
            claimed[item] += 1
            plain.append((entry, item))
            continue
        look = look_at(index, entries, entry, words, told)
        claimed.update(look.full)
        looks.append(look)
    for entry, item in plain:
        if all(claimed[one] for one in index.twins(item)):
            pays = (Pays(item, items.amounts[item]),)
            verdicts[entry] = Verdict((Proposal(pays, SURE, _WHOLE),), certain=True)
        else:
            words = words_of(entries.texts[entry])
            looks.append(look_at(index, entries, entry, words, exact(words)))
    for look in looks:
        look.verdict = _judged(index, entries, look, claimed)
    _instalments(index, looks)
    if spoken:
        _hear(entries, items, looks)
    for look in looks:
        verdicts[look.entry] = look.verdict
    _once(items, verdicts)
    return verdicts


def _judged(index: Index, entries: Entries, look: Look, claimed: Counter[int]) -> Verdict:
    if look.named:
        return by_name(index, look, claimed)
    if look.foreign:
        verdict = of_others(index, entries, look)
        if not look.senders:
            return verdict
        look.rest = own_words(look)
        both = (*by_rest(index, look).proposals, *verdict.proposals)
        return Verdict(ranked(both), unexplained=True)
    return by_rest(index, look) if look.senders else of_nobody(index, entries, look)


# --- Entries beside each other --------------------------------------------------------------------


def _instalments(index: Index, looks: Sequence[Look]) -> None:
    """Payments in part that make one item up to the cent are certain together."""
    parts: dict[int, list[Look]] = defaultdict(list)
    for look in looks:
        if len(look.named) == 1 and look.amount < index.items.amounts[look.named[0]]:
            parts[look.named[0]].append(look)
    for item, group in parts.items():
        open_minor = index.items.amounts[item]
        if len(group) == 1 or sum(look.amount for look in group) != open_minor:
            continue
        if index.twins(item):
            continue
        for look in group:
            reasons = (why.REFERENCE, why.PAYER, why.AMOUNT_SUM)
            first = Proposal((Pays(item, look.amount),), SURE, reasons)
            look.verdict = Verdict((first,), certain=True)


def _hear(entries: Entries, items: OpenItems, looks: Sequence[Look]) -> None:
    """Add what papers say of each entry."""
    places = {one_id: place for place, one_id in enumerate(items.ids)}
    twice = papers.said_twice(entries)
    for look in looks:
        if entries.papers[look.entry]:
            look.verdict = papers.hear(
                entries,
                items,
                look.entry,
                places=places,
                named=(*look.named, *look.foreign),
                twice=twice,
                verdict=look.verdict,
            )


def _once(items: OpenItems, verdicts: list[Verdict]) -> None:
    """Money that claims more than is open goes to a person, all of it."""
    given: dict[int, int] = defaultdict(int)
    for verdict in verdicts:
        if verdict.certain:
            for item, amount in verdict.proposals[0].pays:
                given[item] += amount
    over = {item for item, amount in given.items() if amount > items.amounts[item]}
    if not over:
        return
    for entry, verdict in enumerate(verdicts):
        if verdict.certain and any(one.item in over for one in verdict.proposals[0].pays):
            first = verdict.proposals[0]
            contested = Proposal(first.pays, FAIR, (*first.reasons, why.CONTESTED))
            verdicts[entry] = Verdict((contested,))
