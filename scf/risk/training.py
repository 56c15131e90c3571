"""Training a model from a financier's own books, or from a simulated chain for a demo world.

Nothing is stored here: what comes out is handed to ``model.register``. On the own books a model
learns from what was stored before each morning and from who fell into default after it; where too
few did, there is no model and the answer says how few. Source: risk.md 2, 4.1 and 6.
"""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphNode, GraphSnapshot
from scf.kernel.errors import RuleViolation, Unavailable
from scf.kernel.ids import digest
from scf.risk import items
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf, morning_on
from scf.risk.facts import views_of
from scf.risk.firmfacts import known_of
from scf.risk.past import Past, past_of
from scf.risk.placing import position
from scf.risk.promoting import Trained
from scoring import canonical
from scoring.card import score

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.features import Position
    from scoring.training import Fitted, Task

    Floats = NDArray[np.float64]

_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_NODE: Final[Table] = GraphNode.__table__  # type: ignore[attr-defined]
OWN_TARGET: Final = "more than 90 days past due with what matters, within a year"
SIMULATED_TARGET: Final = "failure of a simulated firm, within a year"
SIMULATED_FIRMS: Final = 2_000
# A drawn chain has no past before it begins, no promises, no credit notes, no trade in circles, and
# as many firms as one draws: these would mean something else in a demo world of sixty.
NOT_OF_DRAWN_FIRMS: Final = frozenset({
    "months_observed", "firm_age_years", "diluted_share", "buyers", "suppliers", "sales_log10",
    "purchases_log10", "purchases_hhi", "purchases_top_share", "days_since_sale", "reciprocity",
    "undertaken_share", "coverage", "pagerank", "anchor_distance",
})  # fmt: skip
SEED: Final = 7  # none of those by which models are evaluated
_OUT_DAYS: Final = 12 * 7  # a simulated firm that failed is out for so long
_WEEK: Final = 7
_FIRST: Final = dt.date(1970, 1, 1)


def train_own(
    conn: Connection,
    financier_id: str,
    on: dt.date,
    appetite: Appetite,
    *,
    needed: Mapping[str, int] | None = None,
) -> Trained:
    """Train on what a financier's books held before a day.

    Raises
    ------
    RuleViolation
        HISTORY_SHORT with the failures that were found and those that are needed.
    Unavailable
        MODEL_SET where the libraries of models are not installed.
    """
    _installed()
    morning = morning_on(conn, financier_id, on)
    past = past_of(conn, morning, appetite)
    from scoring import training as lessons

    task = lessons.Task(
        name=f"own-{on.isoformat()}",
        kind="trained",
        target=OWN_TARGET,
        last=items.day_number(on),
        place=lambda t: place_of(conn, past, _as_of(morning, t)),
        as_date=lambda t: (_FIRST + dt.timedelta(days=t)).isoformat(),
        others=lambda t: _by_card(conn, _as_of(morning, t), past.firms, appetite),
        needed=needed or lessons.NEEDED,
    )
    return _trained(past, task, on)


def train_simulated(
    on: dt.date,
    *,
    firms: int = SIMULATED_FIRMS,
    seed: int = SEED,
    needed: Mapping[str, int] | None = None,
) -> Trained:
    """Train on a simulated chain whose last day is put on a date; for a demo world, and says so.

    Raises
    ------
    RuleViolation
        HISTORY_SHORT.
    Unavailable
        MODEL_SET.
    """
    _installed()
    import numpy as np

    from scoring import training as lessons
    from scoring.simulate import simulate

    chain = simulate("main", seed, n_firms=firms, keep=())
    week, firm = np.nonzero(chain.failed)
    start = _WEEK * week + 1
    order = np.lexsort((start, firm))
    spells = firm[order], start[order], start[order] + _OUT_DAYS
    past = Past(tuple(f"{number:05d}" for number in range(firms)), chain.events, spells)
    tier = chain.world.tier.astype(np.float64)
    last = _WEEK * len(chain.failed)
    task = lessons.Task(
        name=f"simulated-{on.isoformat()}",
        kind="simulated",
        target=SIMULATED_TARGET,
        last=last,
        place=lambda t: _without_others(past, t, tier),
        as_date=lambda t: (on + dt.timedelta(days=t - last)).isoformat(),
        needed=needed or lessons.NEEDED,
        leave_out=NOT_OF_DRAWN_FIRMS,
    )
    return _trained(past, task, on)


def _installed() -> None:
    try:
        import skops.io  # noqa: F401 - is it there?
    except ImportError as error:
        raise Unavailable(
            "MODEL_SET",
            "The libraries of models are not installed here.",
            next_step="Install the set `model`: python3 tools/setup.py install model",
        ) from error


def _trained(past: Past, task: "Task", on: dt.date) -> Trained:
    from scoring import modelfile
    from scoring import training as lessons
    from scoring.estimators import Blend

    try:
        fitted = lessons.fit(past, task, Blend())
    except lessons.HistoryTooShortError as short:
        raise RuleViolation(
            "HISTORY_SHORT",
            "There is too little to learn from: too few firms have failed so far.",
            found=short.found,
            needed=short.needed,
            next_step="The expert's card prices until there are more; ask again in some months.",
        ) from short
    return Trained(
        name=task.name,
        kind=task.kind,
        file=modelfile.write(fitted.estimator, fitted.card),
        schema_hash=schema_hash(fitted),
        data_hash=fitted.card.data_hash,
        card=canonical.dump(fitted.card),
        tenths={
            "model": [[one.rows, one.told, one.failed] for one in fitted.tenths],
            "card": [[one.rows, one.told, one.failed] for one in fitted.others],
        },
        trained_on=on,
    )


def schema_hash(fitted: "Fitted") -> str:
    """Give the fingerprint of what a model's inputs are and mean."""
    return digest([[one.name, one.unit, one.dtype, one.sign] for one in fitted.card.columns])


def _as_of(morning: AsOf, t: int) -> AsOf:
    """Give the morning of an earlier day by the same clock."""
    on = _FIRST + dt.timedelta(days=t)
    before = dt.datetime.combine(on, dt.time(), morning.zone).astimezone(dt.UTC)
    return dataclasses.replace(morning, on=on, before=min(before, morning.before))


# --- Where firms stand ----------------------------------------------------------------------------


def place_of(conn: Connection, past: Past, morning: AsOf) -> "Position":
    """Say where firms stand in the chain on a morning: by its trade, and the snapshot of then."""
    import numpy as np

    distance = np.full(len(past.firms), np.nan)
    snapshot = conn.execute(
        select(_SNAPSHOT.c.id)
        .where(
            _SNAPSHOT.c.financier_id == morning.financier_id,
            _SNAPSHOT.c.as_of_on <= morning.on,
        )
        .order_by(_SNAPSHOT.c.as_of_on.desc())
        .limit(1)
    ).scalar_one_or_none()
    if snapshot is not None:
        number = {firm: place for place, firm in enumerate(past.firms)}
        rows = conn.execute(
            select(_NODE.c.firm_id, _NODE.c.tier_up).where(_NODE.c.snapshot_id == snapshot)
        )
        for firm, tier in rows:
            if tier is not None and firm in number:
                distance[number[firm]] = tier
    return _without_others(past, items.day_number(morning.on), distance)


def _without_others(past: Past, t: int, distance: "Floats") -> "Position":
    """Leave out what rests on other firms' probabilities: of most mornings none were stored."""
    import numpy as np

    nothing = np.full(len(past.firms), np.nan)
    found = position(past.events, t, nothing, distance, seed=0, kappa=1.0)
    return dataclasses.replace(found, chain_hazard=nothing, stressed_pd=nothing)


def _by_card(
    conn: Connection, morning: AsOf, firms: tuple[str, ...], appetite: Appetite
) -> "Floats":
    """Give the one-year probabilities of the expert's card on a morning, before the chain."""
    import numpy as np

    views = views_of(
        items.load(conn, morning, appetite), known_of(conn, morning, appetite), morning.on, firms
    )
    card: Any = appetite.policy.card
    return np.array([score(views[firm].card, card).pd_one_year for firm in firms])
