"""Verdicts on entries without a whole number: by sum, and by what is left of a number."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile import proposals, references, sums
from scf.settlement.reconcile.columns import (
    FAINT,
    FAIR,
    GOOD,
    MOST_PROPOSALS,
    STRONG,
    WEAK,
    Pays,
    Proposal,
    Verdict,
    ranked,
)
from scf.settlement.reconcile.index import Index
from scf.settlement.reconcile.likeness import FAR, NOWHERE
from scf.settlement.reconcile.look import Look

# Distances up to this are one damage; beyond it, cut numbers.
ONE_DAMAGE: Final = 1


def by_rest(index: Index, look: Look) -> Verdict:
    """Say what an entry of a known sender pays that names nothing the sender owes."""
    tokens = index.reader.numberlike(look.rest)
    whole = references.squashed(look.rest) if tokens else ""
    unexplained = bool(tokens)
    same = index.same_sum(look.senders, look.currency, look.amount)
    if not same:
        return _no_sum(index, look, tokens, whole)
    sole = len(same) == 1
    key = look.senders, look.currency, look.amount
    apart = index.apart(key, same, tokens, whole)
    if not apart:
        # The sum alone speaks, and words that name something else speak against it.
        grade = (FAIR if sole else WEAK) if unexplained else (GOOD if sole else FAIR)
        kind = why.AMOUNT_SOLE if sole else why.AMOUNT
        reasons = (why.PAYER, kind, why.UNEXPLAINED) if unexplained else (why.PAYER, kind)
        found = [
            Proposal((Pays(one, look.amount),), grade, reasons) for one in same[:MOST_PROPOSALS]
        ]
        if unexplained:  # a damaged number of another sum says more than the sum
            found = [*_near_ones(index, look, tokens, whole), *found]
        return Verdict(ranked(found), unexplained=unexplained)
    # They stand in their own order, so places among them are ranks.
    scored = sorted((*apart.get(at, NOWHERE), at, one) for at, one in enumerate(same))
    best = scored[0]
    distance = scored[1][0] - best[0] if not sole else FAR
    certain = sole and best[0] <= ONE_DAMAGE
    if certain:  # a part of another one whose number is as near is as likely
        owed = index.owed(look.senders, look.currency)
        near = owed.block.distances(tokens, whole)
        certain = not any(
            far <= ONE_DAMAGE
            and owed.places[at] != same[0]
            and index.items.amounts[owed.places[at]] > look.amount
            for at, (far, _reason) in near.items()
        )
    grade = STRONG if distance > ONE_DAMAGE or certain else GOOD if distance else FAIR
    found = []
    for far, reason, _order, item in scored[:MOST_PROPOSALS]:
        reasons = (reason or why.LOOK_ALIKE, why.PAYER, why.AMOUNT_SOLE if sole else why.AMOUNT)
        level = grade if far == best[0] else WEAK
        found.append(Proposal((Pays(item, look.amount),), level, reasons))
    return Verdict(tuple(found), certain=certain)


def _near_ones(index: Index, look: Look, tokens: Sequence[str], whole: str) -> list[Proposal]:
    """Propose what the sender owes whose numbers are near, by sums of several and in part."""
    items = index.items
    owed = index.owed(look.senders, look.currency)
    if not tokens or not owed.places:
        return []
    apart = owed.block.distances(tokens, whole)
    # What is owed stands in its order, so places of the block are ranks.
    near = sorted((far[0], at, far) for at, far in apart.items())
    found = []
    smaller = sorted(
        at for _far, at, _kind in near if items.amounts[owed.places[at]] <= look.amount
    )
    some, sole = sums.adding_up(look.amount, [owed.places[at] for at in smaller], items.amounts)
    if some:
        grade = STRONG if sole else FAIR
        found.append(proposals.together(index, some, grade, why.REFERENCE_NEAR))
    ties = sum(one[0] == near[0][0] for one in near) if near else 0
    for far, at, (_far, reason) in near[:MOST_PROPOSALS]:
        grade = FAIR if far == near[0][0] and ties == 1 else WEAK
        found.append(proposals.part_of(items, owed.places[at], look.amount, grade, reason))
    return list(ranked(found))


def _no_sum(index: Index, look: Look, tokens: Sequence[str], whole: str) -> Verdict:
    """Nothing of the sender is open to the cent: several at once, a part, a bank's charges."""
    items = index.items
    owed = index.owed(look.senders, look.currency)
    open_items = owed.places
    if not open_items:
        return Verdict((), unexplained=bool(tokens))
    found = _near_ones(index, look, tokens, whole)
    for some in owed.groups.get(look.amount, ()):
        found.append(proposals.together(index, open_items[some], GOOD if not tokens else FAIR))
    if not found and not tokens:
        every = (one for one in open_items if items.amounts[one] < look.amount)
        below = list(islice(every, sums.MOST_ITEMS + 1))
        few, sole = sums.adding_up(look.amount, below, items.amounts)
        if few:
            found.append(proposals.together(index, few, FAIR if sole else FAINT))
    tolerated = [
        one
        for one in owed.above(look.amount, proposals.TOLERANCE_MOST)
        if proposals.tolerated(items.amounts[one], look.amount)
    ]
    for one in tolerated[:MOST_PROPOSALS]:
        grade = FAIR if len(tolerated) == 1 and not tokens else FAINT
        found.append(proposals.part_of(items, one, look.amount, grade, ""))
    if not found and not tokens:
        found = [proposals.part_of(items, one, look.amount, FAINT, "") for one in open_items[:1]]
    return Verdict(ranked(found), unexplained=bool(tokens))
