"""Verdicts on money of senders who do not owe what they name, or whom nobody knows."""

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile import likeness, proposals, references
from scf.settlement.reconcile.columns import (
    FAIR,
    GOOD,
    MOST_PROPOSALS,
    STRONG,
    WEAK,
    Entries,
    Pays,
    Proposal,
    Verdict,
    ranked,
)
from scf.settlement.reconcile.index import Index
from scf.settlement.reconcile.likeness import FAR, NOWHERE
from scf.settlement.reconcile.look import Look
from scf.settlement.reconcile.rests import ONE_DAMAGE


def of_others(index: Index, entries: Entries, look: Look) -> Verdict:
    """Say what an entry pays whose text names items of somebody else: a person looks at it."""
    items = index.items
    like = _names_like(index, entries, look.entry)
    likely = [one for one in look.foreign if items.names[one] in like] if like else []
    places = likely or look.foreign
    reason = why.PAYER_NAME if likely else why.PAYER_OTHER
    if not look.senders and not likely:
        reason = why.PAYER_UNKNOWN
    found = []
    if len(places) > 1 and sum(items.amounts[one] for one in places) == look.amount:
        one = proposals.together(index, places, GOOD if likely else FAIR, why.REFERENCE)
        found.append(one._replace(reasons=(why.REFERENCE, reason, why.AMOUNT_SUM)))
    for item in places[:MOST_PROPOSALS]:
        exact = items.amounts[item] == look.amount
        kind = why.AMOUNT if exact else proposals.kind_of(items.amounts[item], look.amount)
        level = STRONG if exact and likely else GOOD if exact else FAIR if likely else WEAK
        pays = (Pays(item, min(items.amounts[item], look.amount)),)
        found.append(Proposal(pays, level, (why.REFERENCE, reason, kind)))
    return Verdict(ranked(found), unexplained=bool(index.reader.numberlike(look.rest)))


def of_nobody(index: Index, entries: Entries, look: Look) -> Verdict:
    """Nobody known and no whole number: items of just this sum, by name and by number."""
    tokens = index.reader.numberlike(look.rest)
    whole = references.squashed(look.rest) if tokens else ""
    same = index.of_sum(look.currency, look.amount)
    like = _names_like(index, entries, look.entry)
    likely = [one for name in like for one in same.by_name.get(name, ())]
    if likely:
        numbers = [index.plain(one) for one in likely] if tokens else []
        apart = likeness.distances(numbers, tokens, whole)
        told = [(*apart.get(at, NOWHERE), one) for at, one in enumerate(likely)]
    else:
        near = same.block.distances(tokens, whole) if tokens else {}
        told = [(*one, same.places[at]) for at, one in near.items()]
    told.sort(key=lambda one: (one[0], index.order(one[2])))
    who = why.PAYER_NAME if likely else why.PAYER_UNKNOWN
    found = []
    for far, reason, one in told[:MOST_PROPOSALS]:
        grade = GOOD if likely and far <= ONE_DAMAGE else FAIR if far <= ONE_DAMAGE else WEAK
        reasons = (reason, who, why.AMOUNT) if far < FAR else (who, why.AMOUNT)
        found.append(Proposal((Pays(one, look.amount),), grade, reasons))
    return Verdict(tuple(found), unexplained=bool(tokens))


def _names_like(index: Index, entries: Entries, entry: int) -> frozenset[str]:
    """Give the names of debtors that are like the sender's."""
    if not index.items.names or not entries.names or not entries.names[entry]:
        return frozenset()
    return index.names_like(entries.names[entry])
