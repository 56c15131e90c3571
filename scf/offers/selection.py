"""Raising a sum at least cost: which of the ready invoices to take, and how much of the last.

Pure. Each option is an invoice with what it brings when all of it is taken and, where its
programme allows parts, what a part brings. A choice takes invoices whole and at most one in part,
so that it brings the wanted sum or as little more as the steps allow. Every face that is not
chosen stays untouched: the chosen faces never exceed what the options offer.
"""

import bisect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, NamedTuple

# A search that has looked at so many branches answers with the best it has found.
MOST_BRANCHES: Final = 4_000


@dataclass(frozen=True)
class Option:
    """One invoice: its largest face, what a face of it brings in cash, and what it costs.

    What is neither cash nor cost is a reserve, which comes later.

    ``least_minor`` and ``step_minor`` say which parts are possible; a programme that finances
    whole invoices only gives the whole face as the least.
    """

    key: str
    face_minor: int
    least_minor: int
    step_minor: int
    net_of: Callable[[int], int] = field(repr=False)
    cost_of: Callable[[int], int] = field(repr=False)

    @property
    def net_minor(self) -> int:
        """What the whole face brings."""
        return self.net_of(self.face_minor)

    def smallest_face(self, net_minor: int) -> int | None:
        """Give the smallest possible face that brings at least so much; nothing where none does."""
        if self.net_minor < net_minor:
            return None
        if self.least_minor >= self.face_minor:
            return self.face_minor
        low = -(-self.least_minor // self.step_minor)
        high = self.face_minor // self.step_minor
        if high < low or self.net_of(high * self.step_minor) < net_minor:
            return self.face_minor
        while low < high:
            middle = (low + high) // 2
            if self.net_of(middle * self.step_minor) >= net_minor:
                high = middle
            else:
                low = middle + 1
        return high * self.step_minor


@dataclass(frozen=True)
class Selection:
    """What to take: face by option in the order of cost, with a part, if any, named."""

    faces: dict[str, int]
    part: str
    net_minor: int
    cost_minor: int
    is_proven: bool  # nothing costs less but by a rounding; else the search was cut short


def cheapest(options: Sequence[Option], wanted_minor: int) -> Selection | None:
    """Choose the faces that bring the wanted cash at least cost; nothing where all bring less.

    Branch and bound over the options from the cheapest cash to the dearest: each is left out,
    taken whole, or, one of them, taken in part. The bound of a branch fills what is missing with
    shares of the next cheapest options, which no choice can undercut but by the rounding of the
    one part. The work grows with the power of the options at worst and is cut off at a fixed
    number of branches; the cheapest cash is looked at first, so that even then the answer is good.

    Source: Martello and Toth, Knapsack Problems (1990), sections 2.2 and 2.5.
    """
    usable = sorted(
        (_Known(option, option.net_minor) for option in options if option.net_minor > 0),
        key=lambda known: (known.ratio, known.option.key),
    )
    if wanted_minor <= 0 or sum(known.net for known in usable) < wanted_minor:
        return None
    search = _Search(usable, wanted_minor)
    search.run()
    return search.answer()


class _Known:
    """An option with its figures worked out once."""

    def __init__(self, option: Option, net: int) -> None:
        self.option = option
        self.net = net
        self.cost = option.cost_of(option.face_minor)
        self.ratio = Fraction(self.cost, net)


class _Branch(NamedTuple):
    """A place in the search: options before ``at`` are decided, ``cut`` is taken in part."""

    at: int
    net: int
    cost: int
    taken: tuple[int, ...]
    cut: int | None = None


class _Search:
    """The state of one search."""

    def __init__(self, known: Sequence[_Known], wanted: int) -> None:
        self.known = known
        self.wanted = wanted
        self.nets = [0, *itertools.accumulate(one.net for one in known)]
        self.costs = [0, *itertools.accumulate(one.cost for one in known)]
        self.best: tuple[int, int] | None = None  # cost, then face that is bound
        self.taken: tuple[int, ...] = ()
        self.part: tuple[int, int] | None = None
        self.looked_at = 0

    def run(self) -> None:
        """Look at branches, the one that takes the next cheapest option first."""
        waiting = [_Branch(0, 0, 0, ())]
        while waiting and self.looked_at < MOST_BRANCHES:
            branch = waiting.pop()
            self.looked_at += 1
            self._keep(branch)
            bound = self._bound(branch)
            if branch.net >= self.wanted or bound is None:
                continue
            if self.best is not None and bound >= self.best[0]:
                continue
            if branch.at < len(self.known):
                waiting.extend(self._next(branch))

    def _next(self, branch: _Branch) -> Iterator[_Branch]:
        """Give the branches that decide on one more option; the last is looked at first."""
        known, after = self.known[branch.at], branch.at + 1
        yield branch._replace(at=after)
        if branch.cut is None and known.option.least_minor < known.option.face_minor:
            yield branch._replace(at=after, cut=branch.at)
        yield branch._replace(
            at=after,
            net=branch.net + known.net,
            cost=branch.cost + known.cost,
            taken=(*branch.taken, branch.at),
        )

    def _bound(self, branch: _Branch) -> int | None:
        """Give a cost that no continuation undercuts; nothing where the rest cannot fill it."""
        missing, cost = self.wanted - branch.net, Fraction(branch.cost)
        if branch.cut is not None:  # before all that follow in the order of cost
            cut = self.known[branch.cut]
            if cut.net >= missing:
                return int(cost + cut.ratio * missing)
            missing, cost = missing - cut.net, cost + cut.cost
        # the last option up to which all that follow, taken whole, still bring too little
        full = bisect.bisect_left(self.nets, self.nets[branch.at] + missing, branch.at) - 1
        if full < branch.at:
            return int(cost)
        if full >= len(self.known):
            return None
        missing -= self.nets[full] - self.nets[branch.at]
        cost += self.costs[full] - self.costs[branch.at]
        return int(cost + self.known[full].ratio * missing)

    def _keep(self, branch: _Branch) -> None:
        """Remember a branch that brings the sum, if none was better."""
        cost, face = branch.cost, sum(self.known[at].option.face_minor for at in branch.taken)
        part = None
        if branch.net < self.wanted:
            if branch.cut is None:
                return
            option = self.known[branch.cut].option
            cut = option.smallest_face(self.wanted - branch.net)
            if cut is None:
                return
            cost, face, part = cost + option.cost_of(cut), face + cut, (branch.cut, cut)
        if self.best is None or (cost, face) < self.best:
            self.best, self.taken, self.part = (cost, face), branch.taken, part

    def answer(self) -> Selection | None:
        """Give the best choice that was found."""
        if self.best is None:
            return None
        options = [known.option for known in self.known]
        faces = {options[at].key: options[at].face_minor for at in self.taken}
        part = ""
        if self.part is not None:
            at, face = self.part
            faces[options[at].key] = face
            part = options[at].key if face < options[at].face_minor else ""
        net = sum(one.net_of(faces[one.key]) for one in options if one.key in faces)
        return Selection(faces, part, net, self.best[0], self.looked_at < MOST_BRANCHES)
