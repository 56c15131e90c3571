"""Verdicts on entries whose text has whole numbers of what the sender owes."""

from collections import Counter

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile import proposals, references, sums
from scf.settlement.reconcile.columns import (
    FAIR,
    GOOD,
    MOST_PROPOSALS,
    STRONG,
    SURE,
    Pays,
    Proposal,
    Verdict,
    ranked,
)
from scf.settlement.reconcile.index import Index
from scf.settlement.reconcile.likeness import FAR, NOWHERE
from scf.settlement.reconcile.look import Look


def by_name(index: Index, look: Look, claimed: Counter[int]) -> Verdict:
    """Say what an entry pays that names something its sender owes, or has sold and may hand over.

    Money of a seller for its own invoice is never certain, and is said to come from somebody else:
    it may be the debtor's that went to the wrong account, or the seller buying the item back.
    """
    verdict = _by_name(index, look, claimed)
    payers = index.items.payers
    if all(payers[item] in look.senders for item in look.named):
        return verdict
    told = [
        one._replace(
            reasons=tuple(
                why.PAYER_OTHER if reason == why.PAYER else reason for reason in one.reasons
            ),
            confidence_ppm=min(one.confidence_ppm, GOOD),
        )
        for one in verdict.proposals
    ]
    return Verdict(tuple(told), unexplained=verdict.unexplained)


def _by_name(index: Index, look: Look, claimed: Counter[int]) -> Verdict:
    items, named = index.items, look.named
    total = sum(items.amounts[item] for item in named)
    reasons = [why.REFERENCE, why.PAYER]
    twin = len({items.numbers[item] for item in named}) < len(named)
    if total == look.amount and not twin:
        pays = tuple(Pays(item, items.amounts[item]) for item in named)
        reasons.append(why.AMOUNT if len(named) == 1 else why.AMOUNT_SUM)
        likes = [one for item in named for one in index.twins(item, named)]
        free = [one for one in likes if not claimed[one]]
        if not free:
            return Verdict((Proposal(pays, SURE, tuple(reasons)),), certain=True)
        first = Proposal(pays, STRONG, (*reasons, why.LOOK_ALIKE))
        if len(named) > 1:
            return Verdict((first,))
        others = [
            proposals.whole(index, one, look.amount, FAIR, why.LOOK_ALIKE)
            for one in free[: MOST_PROPOSALS - 1]
        ]
        return Verdict((first, *others))
    if len(named) == 1:
        return _other_sum(index, look, named[0])
    return _several(index, look)


def _other_sum(index: Index, look: Look, item: int) -> Verdict:
    """One number, and a sum that is not what is open."""
    items = index.items
    open_minor = items.amounts[item]
    unexplained = bool(index.reader.numberlike(look.rest))
    short = look.amount < open_minor
    kind = why.AMOUNT_OVER if not short else why.AMOUNT_PART
    if short and proposals.tolerated(open_minor, look.amount):
        kind = why.AMOUNT_NEAR
    pays = (Pays(item, min(open_minor, look.amount)),)
    likes = index.look_alikes(item, at_least=look.amount)
    first = Proposal(pays, GOOD, (why.REFERENCE, why.PAYER, kind))
    elsewhere = _elsewhere(index, look, open_minor)
    if not likes and not unexplained and not elsewhere:
        return Verdict((Proposal(pays, STRONG, first.reasons),), certain=True)
    if elsewhere and not likes and not unexplained:
        first = first._replace(reasons=(*first.reasons, why.AMOUNT_ELSEWHERE))
        return Verdict(ranked((first, *elsewhere)))
    found = [first]
    # Another one, to the cent and a sign away, is likelier than a payment in part.
    exact = [one for one in likes if items.amounts[one] == look.amount]
    found += [proposals.whole(index, one, look.amount, GOOD, why.REFERENCE_NEAR) for one in exact]
    if exact:
        found[0] = Proposal(pays, FAIR, (*first.reasons, why.LOOK_ALIKE))
    if not short:
        found = [*_with_damaged(index, look), *found]
    return Verdict(ranked(found), unexplained=unexplained)


def _elsewhere(index: Index, look: Look, named_minor: int) -> list[Proposal]:
    """Where a sum speaks against a number: it, or what is over, is just what is open elsewhere."""
    over = look.amount - named_minor
    wanted = over if over > 0 else look.amount
    named = set(look.named)
    same = [one for one in index.same_sum(look.senders, look.currency, wanted) if one not in named][
        :MOST_PROPOSALS
    ]
    if over < 0:
        return [Proposal((Pays(one, wanted),), FAIR, (why.PAYER, why.AMOUNT)) for one in same]
    found = [proposals.together(index, (*look.named, one), GOOD, why.REFERENCE) for one in same]
    owed = index.owed(look.senders, look.currency)
    for some in owed.groups.get(wanted, ()):
        together = owed.places[some]
        if named.isdisjoint(together):
            found.append(proposals.together(index, (*look.named, *together), FAIR, why.REFERENCE))
    return found


def _several(index: Index, look: Look) -> Verdict:
    """Several numbers whose sum is not the entry's: in turn, or those that are just the sum."""
    items = index.items
    found: list[Proposal] = []
    exact = [item for item in look.named if items.amounts[item] == look.amount]
    found += [proposals.whole(index, one, look.amount, GOOD, why.REFERENCE) for one in exact]
    some, sole = sums.adding_up(look.amount, look.named, items.amounts)
    if some:
        found.append(proposals.together(index, some, GOOD if sole else FAIR, why.REFERENCE))
    found += _with_damaged(index, look)
    pays, left = [], look.amount
    for item in look.named:
        if left:
            pays.append(Pays(item, min(left, items.amounts[item])))
            left -= pays[-1].amount
    kind = why.AMOUNT_OVER if left else why.IN_TURN
    reasons = (why.REFERENCE, why.PAYER, kind)
    unexplained = bool(index.reader.numberlike(look.rest))
    if not found and not unexplained and not _doubted(index, look):
        return Verdict((Proposal(tuple(pays), STRONG, reasons),), certain=True)
    found.append(Proposal(tuple(pays), FAIR, reasons))
    return Verdict(ranked(found), unexplained=unexplained)


def _doubted(index: Index, look: Look) -> bool:
    """Tell whether something beside the named items could be meant by their numbers or the sum."""
    items, named = index.items, set(look.named)
    if len({items.numbers[item] for item in named}) < len(named):
        return True
    if any(not named.issuperset(index.look_alikes(item, at_least=0)) for item in named):
        return True
    return bool(_elsewhere(index, look, sum(items.amounts[item] for item in named)))


def _with_damaged(index: Index, look: Look) -> list[Proposal]:
    """Add to the named items those whose damaged numbers make up the sum."""
    items = index.items
    tokens = index.reader.numberlike(look.rest)
    named = set(look.named)
    left = look.amount - sum(items.amounts[item] for item in named)
    if left <= 0 or not tokens:
        return []
    first = look.named[0]
    owed = index.owed((items.payers[first],), items.currencies[first])
    apart = owed.block.distances(tokens, references.squashed(look.rest))
    far = {owed.places[at]: one[0] for at, one in apart.items()}
    near = [
        item
        for item in owed.places
        if far.get(item, FAR) < FAR and item not in named and items.amounts[item] <= left
    ]
    some: tuple[int, ...] = (near[0],) if len(near) == 1 and items.amounts[near[0]] == left else ()
    exact = [item for item in near if items.amounts[item] == left]
    sole = len(exact) == 1
    if not some and exact:
        some = (min(exact, key=lambda one: (far.get(one, NOWHERE[0]), index.order(one))),)
    if not some:
        some, sole = sums.adding_up(left, near, items.amounts)
    if not some:
        return []
    all_of = tuple(sorted({*named, *some}))
    return [proposals.together(index, all_of, STRONG if sole else FAIR, why.REFERENCE_NEAR)]
