"""What if a firm fails, falls by some grades or pays late: who is touched, by which way, how much.

Asked of the chain as it stood on the morning of a financier's newest snapshot; nothing is stored.
Amounts are euro cents at planning rates, as everywhere in the risk of firms.
Source: fraud.md 2.3.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Collection, Mapping
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection

from scf.chain.service import latest_snapshot
from scf.db.types import Currency
from scf.kernel.errors import InvalidInput, NotFound, RuleViolation
from scf.risk import appetite as policies
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf, morning_of
from scf.risk.assessing import WorkedOut, knows_well, weekly_sales, work_out
from scf.risk.facts import CENTS, FirmView
from scf.risk.items import NO_DAY, day_number
from scf.risk.nightly import firms_of
from scf.risk.writing import ASSESSMENT
from scoring.hazard import hazard_of
from scoring.policy import Grade, Scale
from scoring.scale import IN_DEFAULT, grade_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.propagation import Weights

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

PLANNING: Final[Currency] = "EUR"  # of the amounts between firms
Event = Literal["fails", "late", "downgrade"]
MOST_DAYS_LATE: Final = 120
MOST_NOTCHES: Final = 8
WEEKS: Final = 26
LEAST: Final = 1e-6  # a rise of a probability of default that is worth a line
_MOST_KEPT: Final = 2  # chains in the memory of a process
_kept: Final[dict[tuple[str, str], "ChainState"]] = {}
_making: Final = Lock()


@dataclasses.dataclass(frozen=True)
class ChainState:
    """A morning's chain as arrays, in the order of ``firms``; never changed once it is made.

    Attributes
    ----------
    own, lowest, cash
        Hazards per year without the chain, floors on the one-year probability, and what each firm
        can pay with (euro cents), shape (n,) each.
    rated, defaulted
        Flags, shape (n,).
    weights
        Who can bring whom down, before any cut.
    owed
        Who has what open on whom at its own risk: {(seller, buyer): euro cents}.
    dues
        Debtor, creditor, euro cents and days from the morning of every open item.
    """

    snapshot_id: str
    as_of_on: dt.date
    firms: tuple[str, ...]
    own: "Floats"
    weights: "Weights"
    lowest: "Floats"
    defaulted: "NDArray[np.bool_]"
    cash: "Floats"
    owed: Mapping[tuple[int, int], int]
    dues: "tuple[Ints, Ints, Ints, Ints]"
    scale: Scale

    def place(self, firm_id: str) -> int:
        """Give the number of a firm.

        Raises
        ------
        NotFound
            NOT_IN_CHAIN.
        """
        at = self._places.get(firm_id)
        if at is None:
            raise NotFound(
                "NOT_IN_CHAIN",
                "This firm is in no relation of the chain. What is stored today enters tomorrow.",
                firm_id=firm_id,
            )
        return at

    def probabilities(self, hazard: "Floats") -> "Floats":
        """Give one-year probabilities of default as they are assessed: with floors, 1 in default.

        Parameters
        ----------
        hazard : ndarray of float64, shape (n,)
            Per year, with the chain.
        """
        import numpy as np

        with_floor = np.maximum(-np.expm1(-hazard), self.lowest)
        return np.where(self.defaulted, 1.0, with_floor)

    @cached_property
    def now(self) -> "Floats":
        """One-year probabilities of default as assessed this morning, shape (n,)."""
        from graph.propagation import propagate

        return self.probabilities(propagate(self.own, self.weights).hazard)

    def grades(self, firms: Collection[str]) -> dict[str, str]:
        """Give the present grades of those of some firms that the chain holds."""
        return {
            firm: self.grade(at, float(self.now[at]))[0]
            for firm in firms
            if (at := self._places.get(firm)) is not None
        }

    @cached_property
    def _places(self) -> dict[str, int]:
        return {firm: at for at, firm in enumerate(self.firms)}

    def grade(self, at: int, probability: float) -> tuple[str, str]:
        """Give the name of a firm's grade and the route that the policy names for it."""
        if self.defaulted[at]:
            return IN_DEFAULT, "refuse"
        found = grade_of(probability, self.scale)
        return found.name, found.route


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
    moved: tuple[Moved, ...] = ()
    rest: float = 0.0
    total: float = 0.0
    receivable_minor: int = 0
    quiet: tuple[tuple[str, int], ...] = ()
    short: tuple[Short, ...] = ()
    put_off_minor: int = 0

    @property
    def touched(self) -> tuple[str, ...]:
        """The firms that it reaches, in the order of the list."""
        return (*(one.firm_id for one in self.moved), *(one.firm_id for one in self.short))


def answer(state: ChainState, firm_id: str, event: Event, size: int = 0) -> Answer:
    """Say what becomes of others when a firm fails, falls by ``size`` grades or pays so late.

    Parameters
    ----------
    state
        See :func:`state_of`.
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


def state_of(conn: Connection, financier_id: str) -> ChainState:
    """Give the chain of a financier's newest snapshot; the last ones stay in memory.

    Raises
    ------
    RuleViolation
        GRAPH_MISSING.
    Unavailable
        MODEL_UNAVAILABLE.
    """
    snapshot = latest_snapshot(conn, financier_id)
    appetite = policies.in_force()
    key = (snapshot.id, appetite.digest)
    with _making:  # pages that open at once read the chain once
        if key not in _kept:
            made = _made(conn, snapshot, appetite)
            while len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = made
        return _kept[key]


def _made(conn: Connection, snapshot: Row[Any], appetite: Appetite) -> ChainState:
    assessed = select(func.max(ASSESSMENT.c.sequence)).where(
        ASSESSMENT.c.snapshot_id == snapshot.id
    )
    morning = morning_of(conn, snapshot, conn.execute(assessed).scalar_one())
    firms = firms_of(conn, morning, snapshot.id)
    made = work_out(conn, morning, appetite, firms)
    return state_from(made, snapshot.id, morning, appetite.policy.scale)


def state_from(made: WorkedOut, snapshot_id: str, morning: AsOf, scale: Scale) -> ChainState:
    """Put what the assessments of a morning rest on into arrays."""
    import numpy as np

    firms = made.chain.firms
    views = [made.views[firm] for firm in firms]
    low = [view.known.rated_pd is not None or knows_well(view, scale) for view in views]
    floors = np.where(low, float(scale.floor_documented), float(scale.floor_other))
    place = {firm: at for at, firm in enumerate(firms)}
    here = np.array([place.get(name, -1) for name in made.items.firms], np.int64)
    owed = {
        pair: round(receivable)
        for pair, (receivable, _weekly) in made.chain.receivables.items()
        if receivable
    }
    items = made.items
    open_now = (items.rest > 0) & (items.due != NO_DAY)
    debtor, creditor = (
        here[side[open_now]] if len(here) else side for side in (items.buyer, items.seller)
    )
    inside = (debtor >= 0) & (creditor >= 0)
    days = items.due[open_now] - day_number(morning.on)
    dues = (
        debtor[inside],
        creditor[inside],
        items.rest[open_now][inside],
        days[inside],
    )
    owes = np.bincount(dues[0], weights=dues[2], minlength=len(firms))
    return ChainState(
        snapshot_id=snapshot_id,
        as_of_on=morning.on,
        firms=firms,
        own=made.chain.propagation.own,
        weights=made.chain.given,
        lowest=floors,
        defaulted=np.array([made.cards[firm].defaulted for firm in firms], bool),
        cash=np.array([_cash(view, owes[at]) for at, view in enumerate(views)]),
        owed=owed,
        dues=dues,
        scale=scale,
    )


def _cash(view: FirmView, owes: float) -> float:
    """Give the euro cents that a firm can pay with today.

    By its statement, or what it sells in four weeks. Of a firm of which neither is known, such as
    an anchor that sells outside of the chain, nothing says that it could not pay what it owes.
    """
    from graph.exposure import BUFFER_WEEKS_UNKNOWN

    if view.known.liquidity is not None:
        return max(0.0, float(view.known.liquidity * CENTS))
    return BUFFER_WEEKS_UNKNOWN * weekly_sales(view) or owes


def _fixed(state: ChainState, at: int, event: Event, notches: int) -> Answer:
    import numpy as np

    from graph.whatif import FAILED, fixed

    on_it = sorted((seller, cents) for (seller, buyer), cents in state.owed.items() if buyer == at)
    before = state.now
    grade_before = state.grade(at, float(before[at]))[0]
    hazard, grade_after, route = FAILED, IN_DEFAULT, "refuse"
    if event == "downgrade":
        worse, bound = _worse(state.scale, grade_before, notches)
        hazard = hazard_of(math.sqrt(float(worse.from_pd) * bound))
        grade_after, route = worse.name, worse.route
    found = fixed(state.own, state.weights, at, hazard, on_it)
    after = state.probabilities(found.after.hazard)
    change = after - before
    change[at] = 0.0
    moved = sorted(
        (
            Moved(
                firm_id=state.firms[line.firm],
                pd_before=float(before[line.firm]),
                pd_after=float(after[line.firm]),
                grade_before=state.grade(line.firm, float(before[line.firm]))[0],
                grade_after=state.grade(line.firm, float(after[line.firm]))[0],
                route_after=state.grade(line.firm, float(after[line.firm]))[1],
                receivable_minor=line.receivable,
                path=tuple(state.firms[step] for step in line.path),
            )
            for line in found.touched
            if abs(change[line.firm]) >= LEAST
        ),
        key=lambda one: (-one.change, one.firm_id),
    )
    named = {one.firm_id for one in moved}
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
        moved=tuple(moved),
        rest=total - math.fsum(one.change for one in moved),
        total=total,
        receivable_minor=found.receivable,
        quiet=tuple(
            (state.firms[creditor], cents)
            for creditor, cents in on_it
            if state.firms[creditor] not in named
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
    from graph.whatif import pays_late

    if not 1 <= days <= MOST_DAYS_LATE:
        raise InvalidInput(
            "DAYS_LATE", "A firm pays 1 to %(limit)s days late.", value=days, limit=MOST_DAYS_LATE
        )
    found = pays_late(state.dues, state.cash, at, days=days, weeks=WEEKS)
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
        receivable_minor=sum(
            cents for (_seller, buyer), cents in state.owed.items() if buyer == at
        ),
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
