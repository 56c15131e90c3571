"""One verdict for each entry; two that claim the same item both go to a person."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile import papers, references, sums
from scf.settlement.reconcile.columns import (
    FAINT,
    FAIR,
    GOOD,
    MOST_PROPOSALS,
    NOTHING,
    STRONG,
    SURE,
    WEAK,
    Entries,
    OpenItems,
    Pays,
    Proposal,
    Verdict,
    ranked,
)
from scf.settlement.reconcile.index import Index

# A payment that bank charges made smaller: half a per cent, and at most so many minor units.
TOLERANCE_PPM: Final = 5_000
TOLERANCE_MOST: Final = 5_000
MOST_OF_PAYER: Final = 400
MOST_OF_AMOUNT: Final = 4_000
# Distances up to this are one damage; beyond it, cut numbers.
ONE_DAMAGE: Final = 1


@dataclass(slots=True)
class _Look:
    """What one entry shows, as far as it was looked at."""

    entry: int
    amount: int
    named: list[int]  # items whose numbers stand in the text, of a sender who may pay them
    foreign: list[int]  # and those of others
    rest: list[str]  # words with digits that name nothing
    words: list[str]
    verdict: Verdict = NOTHING
    full: list[int] = field(default_factory=list)  # items that it names and pays whole


def reconcile(entries: Entries, items: OpenItems) -> list[Verdict]:
    """Say for each entry which open items it pays, how sure that is, and why.

    An entry is *certain* where its text names the items, its sender owes them and its sum is what
    is open (or, without any other item that could be meant, less): two witnesses beside the
    sender. Anything else is *proposed*. Equal sums of one payer without a number, look-alike
    numbers and money that is claimed twice are never certain. The order of entries and of items
    does not matter, and no item is given more than is open by certain entries together.
    """
    index = Index(items)
    looks = [_look(index, entries, place) for place in range(len(entries))]
    claimed = Counter(item for look in looks for item in look.full)
    for look in looks:
        if look.named:
            look.verdict = _by_name(index, look, claimed)
        elif look.foreign:
            look.verdict = _of_others(index, entries, look)
            if entries.senders[look.entry]:
                # A damaged number can be somebody else's whole one.
                look.rest = [word for word in look.words if references.has_digit(word)]
                own = _by_rest(index, entries, look)
                both = (*own.proposals, *look.verdict.proposals)
                look.verdict = Verdict(ranked(both), unexplained=True)
        else:
            look.verdict = _by_rest(index, entries, look)
    _instalments(index, looks)
    if entries.papers:
        _hear(entries, items, looks)
    _once(items, looks)
    return [look.verdict for look in looks]


def _look(index: Index, entries: Entries, place: int) -> _Look:
    items = index.items
    words = references.words_of(entries.texts[place])
    found, rest = references.exact(words, index.by_number, index.by_spelling)
    amount, currency = entries.amounts[place], entries.currencies[place]
    senders = entries.senders[place]
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
    named, foreign = _in_order(index, named), _in_order(index, foreign)
    look = _Look(place, amount, named, foreign, rest, words)
    if named and sum(items.amounts[item] for item in named) == amount:
        look.full = look.named
    return look


# --- Numbers that stand in the text ---------------------------------------------------------------


def _by_name(index: Index, look: _Look, claimed: Counter[int]) -> Verdict:
    items, named = index.items, look.named
    total = sum(items.amounts[item] for item in named)
    reasons = [why.REFERENCE, why.PAYER]
    twin = len({items.numbers[item] for item in named}) < len(named)
    if total == look.amount and not twin:
        pays = tuple(Pays(item, items.amounts[item]) for item in named)
        reasons.append(why.AMOUNT if len(named) == 1 else why.AMOUNT_SUM)
        likes = [one for item in named for one in _look_alikes(index, item, named, equal=True)]
        free = [one for one in likes if not claimed[one]]
        if not free:
            return Verdict((Proposal(pays, SURE, tuple(reasons)),), certain=True)
        others = [_whole(index, one, look.amount, FAIR, why.LOOK_ALIKE) for one in free]
        first = Proposal(pays, STRONG, (*reasons, why.LOOK_ALIKE))
        if len(named) > 1:
            return Verdict((first,))
        return Verdict((first, *others[: MOST_PROPOSALS - 1]))
    if len(named) == 1:
        return _other_sum(index, look, named[0])
    return _several(index, look)


def _other_sum(index: Index, look: _Look, item: int) -> Verdict:
    """One number, and a sum that is not what is open."""
    items = index.items
    open_minor = items.amounts[item]
    unexplained = bool(references.numberlike(look.rest))
    short = look.amount < open_minor
    kind = why.AMOUNT_OVER if not short else why.AMOUNT_PART
    if short and _tolerated(open_minor, look.amount):
        kind = why.AMOUNT_NEAR
    pays = (Pays(item, min(open_minor, look.amount)),)
    likes = _look_alikes(index, item, [item], at_least=look.amount)
    first = Proposal(pays, GOOD, (why.REFERENCE, why.PAYER, kind))
    if not likes and not unexplained:
        return Verdict((Proposal(pays, STRONG, first.reasons),), certain=True)
    found = [first]
    # Another one, to the cent and a sign away, is likelier than a payment in part.
    exact = [one for one in likes if items.amounts[one] == look.amount]
    found += [_whole(index, one, look.amount, GOOD, why.REFERENCE_NEAR) for one in exact]
    if exact:
        found[0] = Proposal(pays, FAIR, (*first.reasons, why.LOOK_ALIKE))
    if not short:
        found = [*_with_damaged(index, look), *found]
    return Verdict(ranked(found), unexplained=unexplained)


def _several(index: Index, look: _Look) -> Verdict:
    """Several numbers whose sum is not the entry's: the one to the cent, or in turn."""
    items = index.items
    found = []
    exact = [item for item in look.named if items.amounts[item] == look.amount]
    found += [_whole(index, one, look.amount, GOOD, why.REFERENCE) for one in exact]
    some, sole = sums.adding_up(look.amount, _in_order(index, look.named), items.amounts)
    if some:
        found.append(_together(index, some, GOOD if sole else FAIR, why.REFERENCE))
    found += _with_damaged(index, look)
    pays, left = [], look.amount
    for item in _in_order(index, look.named):
        if left:
            pays.append(Pays(item, min(left, items.amounts[item])))
            left -= pays[-1].amount
    kind = why.AMOUNT_OVER if left else why.AMOUNT_PART
    found.append(Proposal(tuple(pays), FAIR, (why.REFERENCE, why.PAYER, kind)))
    return Verdict(ranked(found), unexplained=bool(references.numberlike(look.rest)))


def _with_damaged(index: Index, look: _Look) -> list[Proposal]:
    """Add to the named items those whose damaged numbers make up the sum."""
    items = index.items
    tokens = references.numberlike(look.rest)
    named = set(look.named)
    left = look.amount - sum(items.amounts[item] for item in named)
    if left <= 0 or not tokens:
        return []
    payer = items.payers[look.named[0]]
    currency = items.currencies[look.named[0]]
    whole = references.squashed(look.rest)
    smaller = [
        item
        for item in _in_order(index, index.by_payer[payer, currency])[:MOST_OF_PAYER]
        if item not in named and items.amounts[item] <= left
    ]
    far = dict(zip(smaller, _distances(index, smaller, tokens, whole), strict=True))
    near = [item for item in smaller if far[item][0] < references.FAR]
    some: tuple[int, ...] = (near[0],) if len(near) == 1 and items.amounts[near[0]] == left else ()
    exact = [item for item in near if items.amounts[item] == left]
    sole = len(exact) == 1
    if not some and exact:
        some = (min(exact, key=lambda one: (far[one][0], index.rank[one])),)
    if not some:
        some, sole = sums.adding_up(left, _in_order(index, near), items.amounts)
    if not some:
        return []
    all_of = tuple(sorted({*named, *some}))
    return [_together(index, all_of, STRONG if sole else FAIR, why.REFERENCE_NEAR)]


# --- What is left of numbers ----------------------------------------------------------------------


def _by_rest(index: Index, entries: Entries, look: _Look) -> Verdict:
    """No whole number: what the sender owes, by sum and by what is left of a number."""
    senders = entries.senders[look.entry]
    currency = entries.currencies[look.entry]
    tokens = references.numberlike(look.rest)
    whole = references.squashed(look.rest)
    unexplained = bool(tokens)
    if not senders:
        return _of_nobody(index, entries, look, tokens, whole)
    same = [one for key in senders for one in index.by_sum.get((key, currency, look.amount), ())]
    if not same:
        return _no_sum(index, look, senders, currency, tokens, whole)
    scored = sorted(
        (*far, index.rank[one], one)
        for one, far in zip(same, _distances(index, same, tokens, whole), strict=True)
    )
    best = scored[0]
    sole = len(same) == 1
    apart = scored[1][0] - best[0] if not sole else references.FAR
    if best[0] == references.FAR:
        # The sum alone speaks, and words that name something else speak against it.
        grade = (FAIR if sole else WEAK) if unexplained else (GOOD if sole else FAIR)
        kind = why.AMOUNT_SOLE if sole else why.AMOUNT
        reasons = (why.PAYER, kind, why.UNEXPLAINED) if unexplained else (why.PAYER, kind)
        found = [Proposal((Pays(one[-1], look.amount),), grade, reasons) for one in scored]
        if unexplained:  # a damaged number of another sum says more than the sum
            others = _no_sum(index, look, senders, currency, tokens, whole, only_near=True)
            found = [*others.proposals, *found]
        return Verdict(ranked(found), unexplained=unexplained)
    certain = sole and best[0] <= ONE_DAMAGE
    grade = STRONG if apart > ONE_DAMAGE or certain else GOOD if apart else FAIR
    found = []
    for far, reason, _order, item in scored[:MOST_PROPOSALS]:
        reasons = (reason or why.LOOK_ALIKE, why.PAYER, why.AMOUNT_SOLE if sole else why.AMOUNT)
        level = grade if far == best[0] else WEAK
        found.append(Proposal((Pays(item, look.amount),), level, reasons))
    return Verdict(tuple(found), certain=certain)


def _no_sum(
    index: Index,
    look: _Look,
    senders: Sequence[str],
    currency: str,
    tokens: Sequence[str],
    whole: str,
    *,
    only_near: bool = False,
) -> Verdict:
    """Nothing of the sender is open to the cent: several at once, a part, a bank's charges."""
    items = index.items
    open_items = [one for key in senders for one in index.by_payer.get((key, currency), ())]
    open_items = _in_order(index, open_items)[:MOST_OF_PAYER]
    if not open_items:
        return Verdict((), unexplained=bool(tokens))
    found: list[Proposal] = []
    apart = zip(_distances(index, open_items, tokens, whole), open_items, strict=True)
    near = sorted(
        (one for one in apart if one[0][0] < references.FAR),
        key=lambda one: (one[0][0], index.rank[one[1]]),
    )
    smaller = [one for _far, one in near if items.amounts[one] <= look.amount]
    some, sole = sums.adding_up(look.amount, _in_order(index, smaller), items.amounts)
    if some:
        found.append(_together(index, some, STRONG if sole else FAIR, why.REFERENCE_NEAR))
    ties = sum(one[0][0] == near[0][0][0] for one in near) if near else 0
    for (far, reason), one in near[:MOST_PROPOSALS]:
        grade = FAIR if far == near[0][0][0] and ties == 1 else WEAK
        found.append(_part_of(items, one, look.amount, grade, reason))
    if only_near:
        return Verdict(ranked(found), unexplained=True)
    for group in sums.groups(look.amount, open_items, items.due, items.amounts):
        found += [_together(index, group, GOOD if not tokens else FAIR)]
    if not found and not tokens:
        below = [one for one in open_items if items.amounts[one] < look.amount]
        some, sole = sums.adding_up(look.amount, below, items.amounts)
        if some:
            found.append(_together(index, some, FAIR if sole else FAINT))
    tolerated = [one for one in open_items if _tolerated(items.amounts[one], look.amount)]
    for one in tolerated[:MOST_PROPOSALS]:
        grade = FAIR if len(tolerated) == 1 and not tokens else FAINT
        found.append(_part_of(items, one, look.amount, grade, ""))
    if not found and not tokens:
        found = [_part_of(items, one, look.amount, FAINT, "") for one in open_items[:1]]
    return Verdict(ranked(found), unexplained=bool(tokens))


# --- Senders whom nobody knows, or who do not owe -------------------------------------------------


def _of_others(index: Index, entries: Entries, look: _Look) -> Verdict:
    """The text names items of somebody else: a person looks at who sent it."""
    items = index.items
    likely = _likely_payers(index, entries, look.entry, look.foreign)
    places = likely or look.foreign
    reason = why.PAYER_NAME if likely else why.PAYER_OTHER
    if not entries.senders[look.entry] and not likely:
        reason = why.PAYER_UNKNOWN
    found = []
    if len(places) > 1 and sum(items.amounts[one] for one in places) == look.amount:
        one = _together(index, tuple(places), GOOD if likely else FAIR, why.REFERENCE)
        found.append(
            Proposal(one.pays, one.confidence_ppm, (why.REFERENCE, reason, why.AMOUNT_SUM))
        )
    for item in places[:MOST_PROPOSALS]:
        exact = items.amounts[item] == look.amount
        kind = why.AMOUNT if exact else _kind(items.amounts[item], look.amount)
        level = STRONG if exact and likely else GOOD if exact else FAIR if likely else WEAK
        pays = (Pays(item, min(items.amounts[item], look.amount)),)
        found.append(Proposal(pays, level, (why.REFERENCE, reason, kind)))
    return Verdict(ranked(found), unexplained=bool(references.numberlike(look.rest)))


def _of_nobody(
    index: Index, entries: Entries, look: _Look, tokens: Sequence[str], whole: str
) -> Verdict:
    """Nobody known and no whole number: items of just this sum, by name and by number."""
    same = index.of_amount.get((entries.currencies[look.entry], look.amount), [])
    if len(same) > MOST_OF_AMOUNT:
        same = _in_order(index, same)[:MOST_OF_AMOUNT]
    likely = _likely_payers(index, entries, look.entry, same)
    found = []
    among = likely or same
    apart = _distances(index, among, tokens, whole)
    for one, (far, reason) in zip(among, apart, strict=True):
        if far == references.FAR and not likely:
            continue
        who = why.PAYER_NAME if likely else why.PAYER_UNKNOWN
        grade = GOOD if likely and far <= ONE_DAMAGE else FAIR if far <= ONE_DAMAGE else WEAK
        reasons = (reason, who, why.AMOUNT) if reason else (who, why.AMOUNT)
        found.append((far, Proposal((Pays(one, look.amount),), grade, reasons), one))
    found.sort(key=lambda one: (one[0], index.rank[one[2]]))
    return Verdict(tuple(one[1] for one in found[:MOST_PROPOSALS]), unexplained=bool(tokens))


def _likely_payers(index: Index, entries: Entries, entry: int, places: Iterable[int]) -> list[int]:
    """Give those items whose debtor's name is like the sender's."""
    names = index.items.names
    if not names or not entries.names or not entries.names[entry]:
        return []
    like = index.names_like(entries.names[entry])
    return [one for one in places if names[one] in like]


# --- Entries beside each other --------------------------------------------------------------------


def _instalments(index: Index, looks: Sequence[_Look]) -> None:
    """Payments in part that make one item up to the cent are certain together."""
    parts: dict[int, list[_Look]] = defaultdict(list)
    for look in looks:
        if len(look.named) == 1 and look.amount < index.items.amounts[look.named[0]]:
            parts[look.named[0]].append(look)
    for item, group in parts.items():
        open_minor = index.items.amounts[item]
        if len(group) == 1 or sum(look.amount for look in group) != open_minor:
            continue
        if _look_alikes(index, item, [item], equal=True):
            continue
        for look in group:
            reasons = (why.REFERENCE, why.PAYER, why.AMOUNT_SUM)
            first = Proposal((Pays(item, look.amount),), SURE, reasons)
            look.verdict = Verdict((first,), certain=True)


def _hear(entries: Entries, items: OpenItems, looks: Sequence[_Look]) -> None:
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


def _once(items: OpenItems, looks: Sequence[_Look]) -> None:
    """Money that claims more than is open goes to a person, all of it."""
    given: Counter[int] = Counter()
    for look in looks:
        if look.verdict.certain:
            for one in look.verdict.proposals[0].pays:
                given[one.item] += one.amount
    over = {item for item, amount in given.items() if amount > items.amounts[item]}
    for look in looks:
        verdict = look.verdict
        if verdict.certain and any(one.item in over for one in verdict.proposals[0].pays):
            first = verdict.proposals[0]
            contested = Proposal(first.pays, FAIR, (*first.reasons, why.CONTESTED))
            look.verdict = Verdict((contested,))


# --- Small words ----------------------------------------------------------------------------------


def _look_alikes(
    index: Index, item: int, but: Sequence[int], *, equal: bool = False, at_least: int = 0
) -> list[int]:
    """Give the payer's other items whose numbers one damage makes of this one's."""
    items = index.items
    payer, currency = items.payers[item], items.currencies[item]
    if equal:
        places = index.by_sum[payer, currency, items.amounts[item]]
        if len(places) == 1:
            return []
        found = [one for one in index.alike_of(item, places) if one not in but]
    else:
        among = [
            one
            for one in index.by_payer[payer, currency]
            if items.amounts[one] >= at_least and one not in but
        ]
        numbers = [items.numbers[one] for one in among]
        found = [among[at] for at in references.likes_of(items.numbers[item], numbers)]
    return _in_order(index, found)


def _distances(
    index: Index, places: Sequence[int], tokens: Sequence[str], whole: str
) -> list[tuple[int, str]]:
    if not tokens:
        return [(references.FAR, "")] * len(places)
    return references.distances([index.plain(one) for one in places], tokens, whole)


def _in_order(index: Index, places: Iterable[int]) -> list[int]:
    some = places if isinstance(places, list) else list(places)
    return some if len(some) <= 1 else sorted(some, key=index.rank.__getitem__)


def _tolerated(open_minor: int, amount: int) -> bool:
    missing = open_minor - amount
    return 0 < missing <= min(TOLERANCE_MOST, open_minor * TOLERANCE_PPM // 1_000_000)


def _kind(open_minor: int, amount: int) -> str:
    if amount > open_minor:
        return why.AMOUNT_OVER
    return why.AMOUNT_NEAR if _tolerated(open_minor, amount) else why.AMOUNT_PART


def _whole(index: Index, item: int, amount: int, grade: int, reason: str) -> Proposal:
    pays = (Pays(item, min(amount, index.items.amounts[item])),)
    return Proposal(pays, grade, (reason, why.PAYER, why.AMOUNT))


def _part_of(items: OpenItems, item: int, amount: int, grade: int, reason: str) -> Proposal:
    kind = _kind(items.amounts[item], amount)
    reasons = (reason, why.PAYER, kind) if reason else (why.PAYER, kind)
    return Proposal((Pays(item, min(amount, items.amounts[item])),), grade, reasons)


def _together(index: Index, places: Sequence[int], grade: int, reason: str = "") -> Proposal:
    items = index.items
    pays = tuple(Pays(one, items.amounts[one]) for one in _in_order(index, places))
    reasons = (reason, why.PAYER, why.AMOUNT_SUM) if reason else (why.PAYER, why.AMOUNT_SUM)
    return Proposal(pays, grade, reasons)
