"""The columns that go in, and what comes out: proposals with confidence and reasons."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

# Why a proposal is made; the portal words them.
REFERENCE: Final = "REFERENCE"  # the number stands in the text
REFERENCE_NEAR: Final = "REFERENCE_NEAR"  # one sign differs, or two are swapped
REFERENCE_GLUED: Final = "REFERENCE_GLUED"  # the number stands inside a longer run of signs
REFERENCE_CUT: Final = "REFERENCE_CUT"  # the beginning or the end of the number
REFERENCE_FAR: Final = "REFERENCE_FAR"  # some of the number
AMOUNT: Final = "AMOUNT"  # exactly what is open
AMOUNT_SOLE: Final = "AMOUNT_SOLE"  # and nothing else of this payer is
AMOUNT_SUM: Final = "AMOUNT_SUM"  # together exactly what is open
AMOUNT_PART: Final = "AMOUNT_PART"  # less than is open
AMOUNT_NEAR: Final = "AMOUNT_NEAR"  # less by no more than a bank's charges
AMOUNT_OVER: Final = "AMOUNT_OVER"  # more than is open
PAYER: Final = "PAYER"  # comes from who owes it
PAYER_NAME: Final = "PAYER_NAME"  # the sender's name is like the name of who owes it
PAYER_OTHER: Final = "PAYER_OTHER"  # somebody else sent it
PAYER_UNKNOWN: Final = "PAYER_UNKNOWN"  # nobody knows who sent it
LOOK_ALIKE: Final = "LOOK_ALIKE"  # another open item could be meant as well
CONTESTED: Final = "CONTESTED"  # together with other money more than is open
UNEXPLAINED: Final = "UNEXPLAINED"  # the text names something that is not open here
IN_TURN: Final = "IN_TURN"  # less than all that is named, so in the order that was agreed
AMOUNT_ELSEWHERE: Final = "AMOUNT_ELSEWHERE"  # the sum, or what is over, is open elsewhere
PAPER: Final = "PAPER"  # a paper of who pays says so
PAPER_OTHER: Final = "PAPER_OTHER"  # a paper of somebody else says so

MOST_PROPOSALS: Final = 5
# Grades of evidence, not odds; `tests/performance` counts how often each was right.
SURE: Final = 1_000_000
STRONG: Final = 950_000
GOOD: Final = 850_000
FAIR: Final = 650_000
WEAK: Final = 400_000
FAINT: Final = 200_000


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What is open, a column each of equal length.

    ``numbers`` are canonical document numbers, ``amounts`` minor units > 0, ``payers`` keys of who
    owes; ``others`` who may hand the money over instead (the seller), ``due`` ordinals of days.
    """

    ids: Sequence[str]
    numbers: Sequence[str]
    amounts: Sequence[int]
    currencies: Sequence[str]
    payers: Sequence[str]
    due: Sequence[int]
    spellings: Sequence[str] = ()  # the numbers as their documents write them
    others: Sequence[str] = ()
    names: Sequence[str] = ()  # who owes, as names are compared

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Paper:
    """What a paper says that an entry pays: a remittance advice, a platform's settlement statement.

    ``pays`` are ids of open items, each with minor units > 0. ``own`` tells that who owes wrote it,
    or whom it lets pay; such a paper is a witness, any other proposes only. A paper speaks of one
    entry: said of two it decides neither.
    """

    id: str
    pays: tuple[tuple[str, int], ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """Credits, a column each: ``senders`` are the keys of firms that may have sent them.

    ``papers`` are what came beside them; a column like the others, or empty.
    """

    ids: Sequence[str]
    amounts: Sequence[int]
    currencies: Sequence[str]
    texts: Sequence[str]
    senders: Sequence[tuple[str, ...]]
    names: Sequence[str] = ()
    papers: Sequence[tuple[Paper, ...]] = ()

    def __len__(self) -> int:
        return len(self.ids)


class Pays(NamedTuple):
    """So many minor units of an entry for one item, by its place in the columns."""

    item: int
    amount: int


class Proposal(NamedTuple):
    """What an entry may pay, how sure that is (parts per million), and why."""

    pays: tuple[Pays, ...]
    confidence_ppm: int
    reasons: tuple[str, ...]


class Verdict(NamedTuple):
    """Proposals, best first; ``certain`` tells that the first settles without a person."""

    proposals: tuple[Proposal, ...] = ()
    certain: bool = False
    unexplained: bool = False  # the text names something that is not open here

    @property
    def best(self) -> Proposal | None:
        """The first proposal, if there is any."""
        return self.proposals[0] if self.proposals else None


NOTHING: Final = Verdict()


def ranked(found: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Put proposals in order, the best first, each set of items once."""
    seen: dict[tuple[Pays, ...], Proposal] = {}
    for one in found:
        known = seen.get(one.pays)
        if known is None or known.confidence_ppm < one.confidence_ppm:
            seen[one.pays] = one
    return tuple(sorted(seen.values(), key=lambda one: -one.confidence_ppm)[:MOST_PROPOSALS])
