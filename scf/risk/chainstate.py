"""The chain of a morning as arrays: worked out in the night, asked during the day.

Amounts are euro cents at planning rates, as everywhere in the risk of firms.
"""

import dataclasses
import datetime as dt
import io
from collections.abc import Collection
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, Table, delete, func, insert, select
from sqlalchemy.engine import Connection

from scf.chain.service import latest_snapshot
from scf.db.runner import Context
from scf.kernel.errors import NotFound
from scf.risk import appetite as policies
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf, morning_of
from scf.risk.assessing import WorkedOut, knows_well, weekly_sales, work_out
from scf.risk.facts import CENTS, FirmView
from scf.risk.items import NO_DAY, day_number
from scf.risk.members import firms_of
from scf.risk.models import ChainArrays
from scf.risk.writing import ASSESSMENT
from scoring.policy import Scale
from scoring.scale import IN_DEFAULT, grade_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from graph.propagation import Propagation, Weights

    Ints = NDArray[np.int64]
    Floats = NDArray[np.float64]

_STATE: Final[Table] = ChainArrays.__table__  # type: ignore[attr-defined]
WEEKS: Final = 26  # how far a late payment is followed
_MOST_KEPT: Final = 2  # chains in the memory of a process
_kept: Final[dict[tuple[str, str], "ChainState"]] = {}
_making: Final = Lock()


@dataclasses.dataclass(frozen=True)
class ChainState:
    """A morning's chain as arrays, in the order of ``firms``; never changed once it is made.

    Attributes
    ----------
    own, hazard, lowest, cash
        Hazards per year without the chain and with it, floors on the one-year probability, and what
        each firm can pay with (euro cents), shape (n,) each.
    rated, defaulted
        Flags, shape (n,).
    weights
        Who can bring whom down, before any cut.
    owed
        Who has what open on whom at its own risk: seller, buyer and euro cents of each pair.
    dues
        Debtor, creditor, euro cents and days from the morning of every open item.
    """

    snapshot_id: str
    as_of_on: dt.date
    firms: tuple[str, ...]
    own: "Floats"
    hazard: "Floats"
    weights: "Weights"
    lowest: "Floats"
    defaulted: "NDArray[np.bool_]"
    cash: "Floats"
    owed: "tuple[Ints, Ints, Ints]"
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
        return self.probabilities(self.hazard)

    @cached_property
    def before(self) -> "Propagation":
        """The chain as it was solved this morning."""
        from graph.propagation import propagate

        return propagate(self.own, self.weights, near=self.hazard)

    @cached_property
    def unpaid(self) -> "Floats":
        """What each firm leaves unpaid week by week when nobody pays late, shape (weeks, n)."""
        from graph.whatif import unpaid

        return unpaid(self.dues, self.cash, weeks=WEEKS)

    def open_on(self, at: int) -> list[tuple[int, int]]:
        """Give the creditors of a firm in their order, with what each has open on it."""
        sellers, buyers, cents = self.owed
        rows = buyers == at
        return sorted(zip(sellers[rows].tolist(), cents[rows].tolist(), strict=True))

    def columns(self, firms: "Ints", probabilities: "Floats") -> "Ints":
        """Give the column of the scale of each of some firms; the one past the last in default."""
        import numpy as np

        bounds = np.array([float(grade.from_pd) for grade in self.scale.grades])
        found = np.searchsorted(bounds, probabilities[firms], side="right") - 1
        return np.where(self.defaulted[firms], len(bounds), found)

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


def state_of(conn: Connection, financier_id: str) -> ChainState:
    """Give the chain of a financier's newest snapshot; the last ones stay in memory.

    It was worked out and kept in the night (:func:`keep_state`), so that a process reads some
    arrays when it is first asked; where it was not, it is worked out here.

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
            made = _stored(conn, financier_id, key, appetite) or _made(conn, snapshot, appetite)
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
    owed = [
        (*pair, round(receivable))
        for pair, (receivable, _weekly) in made.chain.receivables.items()
        if receivable
    ]
    pairs = np.array(owed, np.int64).reshape(-1, 3).T
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
        hazard=made.chain.propagation.hazard,
        weights=made.chain.given,
        lowest=floors,
        defaulted=np.array([made.cards[firm].defaulted for firm in firms], bool),
        cash=np.array([_cash(view, owes[at]) for at, view in enumerate(views)]),
        owed=(pairs[0], pairs[1], pairs[2]),
        dues=dues,
        scale=scale,
    )


def keep_state(ctx: Context, snapshot_id: str, policy_digest: str, content: bytes) -> None:
    """Keep the chain of a morning, :func:`packed`, for who asks by day; the last one goes."""
    ctx.conn.execute(delete(_STATE).where(_STATE.c.financier_id == ctx.actor.org_id))
    row = {
        "financier_id": ctx.actor.org_id,
        "snapshot_id": snapshot_id,
        "policy_digest": policy_digest,
        "content": content,
        "at": ctx.now,
    }
    ctx.conn.execute(insert(_STATE), row)


def _stored(
    conn: Connection, financier_id: str, key: tuple[str, str], appetite: Appetite
) -> ChainState | None:
    content = conn.execute(
        select(_STATE.c.content).where(
            _STATE.c.financier_id == financier_id,
            _STATE.c.snapshot_id == key[0],
            _STATE.c.policy_digest == key[1],
        )
    ).scalar()
    return None if content is None else unpacked(content, appetite.policy.scale)


def packed(state: ChainState) -> bytes:
    """Write a chain down as arrays; numbers of firms and days in 32 bits."""
    import numpy as np

    owed, dues, weights = state.owed, state.dues, state.weights
    names = "\n".join((state.snapshot_id, state.as_of_on.isoformat(), *state.firms))
    file = io.BytesIO()
    np.savez(
        file,
        names=np.frombuffer(names.encode(), np.uint8),
        own=state.own,
        hazard=state.hazard,
        lowest=state.lowest,
        defaulted=state.defaulted,
        cash=state.cash,
        indptr=weights.indptr,
        indices=weights.indices.astype(np.int32),
        values=weights.values,
        owed=np.array(owed[:2], np.int32),
        owed_cents=owed[2],
        dues=np.array((dues[0], dues[1], dues[3]), np.int32),
        dues_cents=dues[2],
    )
    return file.getvalue()


def unpacked(content: bytes, scale: Scale) -> ChainState:
    """Read a chain that was written down."""
    import numpy as np

    from graph.propagation import Weights

    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        snapshot_id, day, *firms = file["names"].tobytes().decode().split("\n")
        owed, dues = file["owed"].astype(np.int64), file["dues"].astype(np.int64)
        return ChainState(
            snapshot_id=snapshot_id,
            as_of_on=dt.date.fromisoformat(day),
            firms=tuple(firms),
            own=file["own"],
            hazard=file["hazard"],
            weights=Weights(file["indptr"], file["indices"].astype(np.int64), file["values"]),
            lowest=file["lowest"],
            defaulted=file["defaulted"],
            cash=file["cash"],
            owed=(owed[0], owed[1], file["owed_cents"]),
            dues=(dues[0], dues[1], file["dues_cents"], dues[2]),
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
