"""Proposals in the words that every road of the matcher uses."""

from collections.abc import Sequence
from typing import Final

from scf.settlement.reconcile import columns as why
from scf.settlement.reconcile.columns import OpenItems, Pays, Proposal
from scf.settlement.reconcile.index import Index

# A payment that bank charges made smaller: half a per cent, and at most so many minor units.
TOLERANCE_PPM: Final = 5_000
TOLERANCE_MOST: Final = 5_000


def tolerated(open_minor: int, amount: int) -> bool:
    """Tell whether a bank's charges may be what is missing."""
    missing = open_minor - amount
    return 0 < missing <= min(TOLERANCE_MOST, open_minor * TOLERANCE_PPM // 1_000_000)


def kind_of(open_minor: int, amount: int) -> str:
    """Say how a sum is beside what is open."""
    if amount > open_minor:
        return why.AMOUNT_OVER
    return why.AMOUNT_NEAR if tolerated(open_minor, amount) else why.AMOUNT_PART


def whole(index: Index, item: int, amount: int, grade: int, reason: str) -> Proposal:
    """Propose one item, to the cent."""
    pays = (Pays(item, min(amount, index.items.amounts[item])),)
    return Proposal(pays, grade, (reason, why.PAYER, why.AMOUNT))


def part_of(items: OpenItems, item: int, amount: int, grade: int, reason: str) -> Proposal:
    """Propose one item of another sum."""
    kind = kind_of(items.amounts[item], amount)
    reasons = (reason, why.PAYER, kind) if reason else (why.PAYER, kind)
    return Proposal((Pays(item, min(amount, items.amounts[item])),), grade, reasons)


def together(index: Index, places: Sequence[int], grade: int, reason: str = "") -> Proposal:
    """Propose several items whole."""
    items = index.items
    pays = tuple(Pays(one, items.amounts[one]) for one in index.in_order(places))
    reasons = (reason, why.PAYER, why.AMOUNT_SUM) if reason else (why.PAYER, why.AMOUNT_SUM)
    return Proposal(pays, grade, reasons)
