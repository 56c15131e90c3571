"""How far the firms of a morning have moved from those that a model was fitted to.

Read from the book when somebody looks; the last answers stay in memory, since neither a snapshot
nor a model ever changes.
"""

import datetime as dt
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row
from sqlalchemy.engine import Connection

from scf.chain.service import latest_snapshot
from scf.risk.appetite import in_force
from scf.risk.asof import morning_of
from scf.risk.items import day_number
from scf.risk.models import RiskModel
from scf.risk.past import past_of
from scf.risk.training import place_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_MOST_KEPT: Final = 16
_kept: dict[tuple[str, str], "Drift"] = {}
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Moved:
    """One input: its population stability index, and what that asks for (calm, watch, act)."""

    name: str
    psi: float
    level: str


@dataclass(frozen=True, slots=True)
class Drift:
    """The inputs of a model on the morning of a snapshot, those that moved most first."""

    as_of_on: dt.date
    firms: int
    inputs: tuple[Moved, ...]


def drift_of(conn: Connection, model: RiskModel) -> Drift:
    """Hold the trading firms of the newest snapshot's morning against a model's training rows.

    Raises
    ------
    RuleViolation
        GRAPH_MISSING.
    Unavailable
        MODEL_UNAVAILABLE without a risk appetite.
    """
    snapshot = latest_snapshot(conn, model.financier_id)
    key = (snapshot.id, model.file_digest)
    with _making:
        if key not in _kept:
            made = _made(conn, snapshot, model)
            while len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = made
        return _kept[key]


def rows_of(conn: Connection, snapshot: Row[Any]) -> "Floats":
    """Give the features of the firms that trade on a snapshot's morning and are in no default."""
    from scoring.features import features
    from scoring.training import trading

    morning = morning_of(conn, snapshot)
    past = past_of(conn, morning, in_force())
    t = day_number(morning.on)
    found = features(past.events, t, place_of(conn, past, morning))
    rows: Floats = found[trading(found) & ~past.in_default(t)]
    return rows


def _made(conn: Connection, snapshot: Row[Any], model: RiskModel) -> Drift:
    from scoring import canonical
    from scoring.features import NAMES
    from scoring.modelfile import ModelCard
    from scoring.monitoring import level

    rows = rows_of(conn, snapshot)
    card = canonical.load(ModelCard, model.card)
    moved = (
        (column.name, column.bins.psi(rows[:, NAMES.index(column.name)]))
        for column in card.columns
        if column.name in NAMES
    )
    inputs = tuple(Moved(name, psi, level(psi)) for name, psi in moved) if len(rows) else ()
    return Drift(
        snapshot.as_of_on,
        len(rows),
        tuple(sorted(inputs, key=lambda one: (-one.psi, one.name))),
    )
