"""What papers beside a credit say: the payer's own word is a witness, anybody else's a proposal."""

from collections import Counter
from collections.abc import Iterable, Sequence

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile.columns import (
    FAIR,
    GOOD,
    STRONG,
    SURE,
    Entries,
    OpenItems,
    Paper,
    Pays,
    Proposal,
    Verdict,
    ranked,
)


def said_twice(entries: Entries) -> frozenset[str]:
    """Give the papers that are brought to several entries; none of these is decided by them."""
    counts = Counter(
        one_id for papers in entries.papers for one_id in {paper.id for paper in papers}
    )
    return frozenset(one_id for one_id, count in counts.items() if count > 1)


def hear(
    entries: Entries,
    items: OpenItems,
    entry: int,
    *,
    places: dict[str, int],
    named: Iterable[int],
    twice: frozenset[str],
    verdict: Verdict,
) -> Verdict:
    """Add what papers say to the verdict on an entry.

    Certain is what one payer's own paper alone says of this entry, where the entry is its total to
    the cent, its sender owes every item, none of them gets more than is open, and the text names
    nothing beside them. Two papers that say different things decide nothing.
    """
    heard = [(paper, _pays(paper, places)) for paper in entries.papers[entry]]
    one_voice = len({frozenset(paper.pays) for paper, _pays in heard}) == 1
    found = []
    certain = False
    for paper, pays in heard:
        within = _within(entries, items, entry, pays)
        if not within:
            continue
        fits = _fits(entries, items, entry, pays) and len(pays) == len(paper.pays)
        owes = all(items.payers[one.item] in entries.senders[entry] for one in pays)
        explained = {*named} <= {one.item for one in pays}
        sure = fits and owes and explained and one_voice and paper.own and paper.id not in twice
        certain = certain or sure
        grade = SURE if sure else STRONG if fits and owes else GOOD if fits else FAIR
        found.append(Proposal(within, grade, (
            why.PAPER if paper.own else why.PAPER_OTHER,
            why.PAYER if owes else why.PAYER_OTHER if entries.senders[entry] else why.PAYER_UNKNOWN,
            why.AMOUNT_SUM if fits else why.AMOUNT_PART,
        )))  # fmt: skip
    if certain:
        return Verdict((max(found, key=lambda one: one.confidence_ppm),), certain=True)
    if not found:
        return verdict
    # What number and sum tell by themselves is not certain against what a paper says.
    usual = verdict.best
    agrees = usual is not None and {*usual.pays} == {*found[0].pays}
    if verdict.certain and agrees and one_voice:
        return verdict
    return Verdict(ranked((*found, *verdict.proposals)), unexplained=verdict.unexplained)


def _pays(paper: Paper, places: dict[str, int]) -> tuple[Pays, ...]:
    """Give what of a paper is open here; a paper that names an item twice says nothing."""
    if len({one_id for one_id, _amount in paper.pays}) < len(paper.pays):
        return ()
    return tuple(Pays(places[one_id], amount) for one_id, amount in paper.pays if one_id in places)


def _fits(entries: Entries, items: OpenItems, entry: int, pays: Sequence[Pays]) -> bool:
    return sum(one.amount for one in pays) == entries.amounts[entry] and all(
        0 < one.amount <= items.amounts[one.item]
        and items.currencies[one.item] == entries.currencies[entry]
        for one in pays
    )


def _within(
    entries: Entries, items: OpenItems, entry: int, pays: Sequence[Pays]
) -> tuple[Pays, ...]:
    """Cut what a paper says to what is open and what came, in the paper's own order."""
    left = entries.amounts[entry]
    found = []
    for one in pays:
        amount = min(one.amount, items.amounts[one.item], left)
        if amount > 0 and items.currencies[one.item] == entries.currencies[entry]:
            found.append(Pays(one.item, amount))
            left -= amount
    return tuple(found)
