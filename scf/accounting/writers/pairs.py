"""An entry of many lines as pairs of a debit and a credit, for systems that book nothing else."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from scf.accounting.journal import JournalLine


class Pair(NamedTuple):
    """An amount above zero that goes from the account credited to the account debited."""

    debit: JournalLine
    credit: JournalLine
    amount_minor: int


def pairs(entry: Sequence[JournalLine]) -> Iterator[Pair]:
    """Cut a balanced entry into pairs, in the order of its lines.

    Every account keeps its debits and credits to the cent, and an entry of n lines has at most
    n - 1 pairs: each ends at least one line.
    """
    credits_ = iter([(line, -line.amount_minor) for line in entry if line.amount_minor < 0])
    against, open_minor = next(credits_, (None, 0))
    for line in entry:
        left = line.amount_minor
        while left > 0 and against is not None:
            part = min(left, open_minor)
            yield Pair(line, against, part)
            left, open_minor = left - part, open_minor - part
            if not open_minor:
                against, open_minor = next(credits_, (None, 0))
