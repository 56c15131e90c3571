"""What if a firm fails, falls by some grades or pays late: who is touched, by which way, how much.

Asked of the chain as it stood on the morning of a financier's newest snapshot; nothing is stored.
Amounts are euro cents at planning rates, as everywhere in the risk of firms.
Source: fraud.md 2.3.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal, overload

from scf.db.types import Currency
from scf.kernel.errors import InvalidInput, RuleViolation
from scf.risk.chainstate import WEEKS, ChainState
from scoring.hazard import hazard_of
from scoring.policy import Grade, Scale
from scoring.scale import IN_DEFAULT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

PLANNING: Final[Currency] = "EUR"  # of the amounts between firms
Event = Literal["fails", "late", "downgrade"]
MOST_DAYS_LATE: Final = 120
MOST_NOTCHES: Final = 8
LEAST: Final = 1e-6  # a rise of a probability of default that is worth a line


@dataclasses.dataclass(frozen=True, slots=True)
class Moved:
    """A firm whose default becomes likelier, and the strongest way on which it is reached."""

    firm_id: str
    pd_before: float
    pd_after: float
    grade_before: str
    grade_after: str
    route_after: str
    receivable_minor: int  # open on the firm asked about, at its own risk; euro cents
    path: tuple[str, ...]  # from the firm asked about to this one

    @property
    def change(self) -> float:
        """How much likelier its default becomes."""
        return self.pd_after - self.pd_before


class Moves(Sequence[Moved]):
    """Those firms, the largest rise first; each is told when it is looked at.

    A failure in a large chain moves a hundred thousand firms, and a page tells fifty of them.
    """

    def __init__(
        self,
        state: ChainState,
        listed: "Ints",
        after: "Floats",
        receivables: Mapping[int, int],
        path: Callable[[int], Sequence[int]],
    ) -> None:
        """Keep the numbers of the firms, in their order, and all probabilities as they become."""
        self._state, self._listed, self._all_after = state, listed, after
        self._before, self._after = state.now[listed], after[listed]
        self._receivables, self._path = receivables, path

    def __len__(self) -> int:
        """Give the number of firms."""
        return len(self._listed)

    @overload
    def __getitem__(self, which: int) -> Moved: ...
    @overload
    def __getitem__(self, which: slice) -> tuple[Moved, ...]: ...
    def __getitem__(self, which: int | slice) -> Moved | tuple[Moved, ...]:
        """Tell one firm, or some."""
        if isinstance(which, slice):
            return tuple(self._told(at) for at in range(*which.indices(len(self))))
        return self._told(range(len(self))[which])

    def _told(self, row: int) -> Moved:
        state, at = self._state, int(self._listed[row])
        before, after = float(self._before[row]), float(self._after[row])
        grade_after, route_after = state.grade(at, after)
        return Moved(
            firm_id=state.firms[at],
            pd_before=before,
            pd_after=after,
            grade_before=state.grade(at, before)[0],
            grade_after=grade_after,
            route_after=route_after,
            receivable_minor=self._receivables.get(at, 0),
            path=tuple(state.firms[step] for step in self._path(at)),
        )

    @property
    def firms(self) -> list[str]:
        """The firms in the order of the list."""
        return [self._state.firms[at] for at in self._listed.tolist()]

    @property
    def changes(self) -> list[float]:
        """How much likelier each one's default becomes, in the order of the list."""
        return (self._after - self._before).tolist()  # type: ignore[no-any-return]

    def grades_after(self) -> dict[str, str]:
        """Give the grade that each firm would have."""
        names = (*(grade.name for grade in self._state.scale.grades), IN_DEFAULT)
        grades = self._state.columns(self._listed, self._all_after).tolist()
        return {firm: names[at] for firm, at in zip(self.firms, grades, strict=True)}

    def refused(self) -> set[str]:
        """Name the firms that the policy would refuse by the grade that they would have."""
        import numpy as np

        routes = np.array([grade.route for grade in self._state.scale.grades] + ["refuse"])
        columns = self._state.columns(self._listed, self._all_after)
        hit = self._listed[routes[columns] == "refuse"]
        return {self._state.firms[at] for at in hit.tolist()}


@dataclasses.dataclass(frozen=True, slots=True)
class Short:
    """A firm that cannot pay all that falls due, or less of it than otherwise; euro cents."""

    firm_id: str
    week: int  # the first, from 1
    before_minor: int  # the most that it leaves unpaid at the end of a week
    after_minor: int


@dataclasses.dataclass(frozen=True)
class Answer:
    """What becomes of others.

    ``moved`` holds every firm whose probability rises by a millionth or more, the largest rise
    first; with ``rest`` their rises make up ``total``, the defaults to be expected in addition
    within a year. ``receivable_minor`` is all that is open on the firm: what the firms of
    ``moved`` have open, and what those do that hardly feel it (``quiet``).
    """

    snapshot_id: str
    as_of_on: dt.date
    firm_id: str
    event: Event
    size: int  # days late, or grades down; 0 for a failure
    grade_before: str
    grade_after: str
    route_after: str  # what the policy says to the grade of the firm itself
    moved: Moves
    rest: float = 0.0
    total: float = 0.0
    receivable_minor: int = 0
    quiet: tuple[tuple[str, int], ...] = ()
    short: tuple[Short, ...] = ()
    put_off_minor: int = 0

    @property
    def touched(self) -> tuple[str, ...]:
        """The firms that it reaches, in the order of the list."""
        return (*self.moved.firms, *(one.firm_id for one in self.short))


def answer(state: ChainState, firm_id: str, event: Event, size: int = 0) -> Answer:
    """Say what becomes of others when a firm fails, falls by ``size`` grades or pays so late.

    Parameters
    ----------
    state
        See :func:`scf.risk.chainstate.state_of`.
    firm_id
        A firm of it.
    size
        Grades (1 to 8) or days (1 to 120); of no meaning for a failure.

    Raises
    ------
    RuleViolation
        IN_DEFAULT where the firm has failed already; LAST_GRADE where there is none below.
    NotFound
        NOT_IN_CHAIN.
    InvalidInput
        DAYS_LATE, NOTCHES.
    """
    at = state.place(firm_id)
    if event == "late":
        return _late(state, at, size)
    if state.defaulted[at]:
        raise RuleViolation(
            "IN_DEFAULT",
            "This firm is in default already; the risk of the others holds that.",
            firm_id=firm_id,
        )
    return _fixed(state, at, event, size)


def _fixed(state: ChainState, at: int, event: Event, notches: int) -> Answer:
    import numpy as np

    from graph.whatif import FAILED, fixed

    on_it = state.open_on(at)
    before = state.now
    grade_before = state.grade(at, float(before[at]))[0]
    hazard, grade_after, route = FAILED, IN_DEFAULT, "refuse"
    if event == "downgrade":
        worse, bound = _worse(state.scale, grade_before, notches)
        hazard = hazard_of(math.sqrt(float(worse.from_pd) * bound))
        grade_after, route = worse.name, worse.route
    found = fixed(state.own, state.weights, at, hazard, on_it, before=state.before)
    after = state.probabilities(found.after.hazard)
    change = after - before
    change[at] = 0.0
    listed = found.listed[np.abs(change[found.listed]) >= LEAST]
    listed = listed[np.lexsort((listed, -change[listed]))]  # firms are numbered in their order
    moved = Moves(state, listed, after, found.receivables, found.path)
    named = set(listed.tolist())
    total = float(np.sum(change))
    return Answer(
        state.snapshot_id,
        state.as_of_on,
        state.firms[at],
        event,
        notches if event == "downgrade" else 0,
        grade_before,
        grade_after,
        route,
        moved,
        rest=total - math.fsum(moved.changes),
        total=total,
        receivable_minor=found.receivable,
        quiet=tuple(
            (state.firms[creditor], cents) for creditor, cents in on_it if creditor not in named
        ),
    )


def _worse(scale: Scale, grade: str, notches: int) -> tuple[Grade, float]:
    """Give the grade so many columns down, the last one at most, and its upper bound."""
    if not 1 <= notches <= MOST_NOTCHES:
        raise InvalidInput(
            "NOTCHES", "A firm falls by 1 to %(limit)s grades.", value=notches, limit=MOST_NOTCHES
        )
    names = [one.name for one in scale.grades]
    place, last = names.index(grade), len(names) - 1
    if place == last:
        raise RuleViolation(
            "LAST_GRADE", "This firm has the last grade; below it there is only default."
        )
    target = min(place + notches, last)
    above = float(scale.grades[target + 1].from_pd) if target < last else 1.0
    return scale.grades[target], above


def _late(state: ChainState, at: int, days: int) -> Answer:
    import numpy as np

    from graph.whatif import pays_late

    if not 1 <= days <= MOST_DAYS_LATE:
        raise InvalidInput(
            "DAYS_LATE", "A firm pays 1 to %(limit)s days late.", value=days, limit=MOST_DAYS_LATE
        )
    nobody = Moves(state, np.zeros(0, np.int64), state.now, {}, lambda _: ())
    found = pays_late(state.dues, state.cash, at, days=days, weeks=WEEKS, before=state.unpaid)
    grade, route = state.grade(at, float(state.now[at]))
    return Answer(
        state.snapshot_id,
        state.as_of_on,
        state.firms[at],
        "late",
        days,
        grade,
        grade,
        route,
        nobody,
        receivable_minor=sum(cents for _seller, cents in state.open_on(at)),
        short=tuple(
            Short(
                state.firms[line.firm],
                line.week + 1,
                round(line.before),
                round(line.after),
            )
            for line in found.short
        ),
        put_off_minor=found.moved,
    )
