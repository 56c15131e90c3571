"""What was said of every firm on the mornings that are looked at: the first of each month.

Stored assessments never change, so what was read of a snapshot stays in memory.
"""

import datetime as dt
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row, Table, func, select
from sqlalchemy.engine import Connection

from scf.chain.models import GraphNode, GraphSnapshot
from scf.risk.assessing import fraction
from scf.risk.writing import ASSESSMENT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CARD: Final = "card"
_SNAPSHOT: Final[Table] = GraphSnapshot.__table__  # type: ignore[attr-defined]
_NODE: Final[Table] = GraphNode.__table__  # type: ignore[attr-defined]
_MOST_KEPT: Final = 48
_kept: dict[tuple[str, int], "Morning"] = {}
_making = threading.Lock()


@dataclass(frozen=True)
class Morning:
    """The assessments of one snapshot as columns, one row a firm, in the order of firms.

    ``pd`` is the card's one-year probability after the chain, and ``grades`` its grades, also where
    a champion priced. ``points`` are what the card gave for each input, NaN where nothing was known
    of it; ``observed`` the months since the first settled item, NaN without one. ``tier`` is -1
    where no anchor is reached.
    """

    snapshot_id: str
    on: dt.date
    version: str
    firms: tuple[str, ...]
    grades: tuple[str, ...]
    pd: "Floats"
    defaulted: "NDArray[np.bool_]"
    notches: "NDArray[np.int64]"
    tier: "NDArray[np.int64]"
    revenue: "Floats"  # euros a year, NaN where unknown
    observed: "Floats"
    points: "dict[str, Floats]"

    @property
    def subject(self) -> str:
        """Name what judged: the card in its version."""
        return f"{CARD}:{self.version}"


def snapshots(conn: Connection, financier_id: str) -> list[Row[Any]]:
    """Give the assessed snapshots of a financier, the oldest first."""
    assessed = select(ASSESSMENT.c.snapshot_id).where(ASSESSMENT.c.snapshot_id == _SNAPSHOT.c.id)
    return list(
        conn.execute(
            select(_SNAPSHOT)
            .where(_SNAPSHOT.c.financier_id == financier_id, assessed.exists())
            .order_by(_SNAPSHOT.c.as_of_on)
        ).all()
    )


def monthly(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Keep the first snapshot of each month."""
    first: dict[tuple[int, int], Row[Any]] = {}
    for row in rows:
        first.setdefault((row.as_of_on.year, row.as_of_on.month), row)
    return list(first.values())


def morning(conn: Connection, snapshot: Row[Any]) -> Morning:
    """Read the assessments of a snapshot."""
    count = select(func.count()).where(ASSESSMENT.c.snapshot_id == snapshot.id)
    key = snapshot.id, conn.execute(count).scalar_one()  # a night may still be at work
    with _making:
        if key in _kept:
            return _kept[key]
    made = _read(conn, snapshot)
    with _making:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[key] = made
    return made


def _read(conn: Connection, snapshot: Row[Any]) -> Morning:
    import numpy as np

    columns = ASSESSMENT.c
    rows = conn.execute(
        select(
            columns.firm_id,
            columns.grade,
            columns.defaulted,
            columns.policy_version,
            columns.inputs,
            columns.result,
            _NODE.c.tier_up,
        )
        .outerjoin(
            _NODE,
            (_NODE.c.snapshot_id == columns.snapshot_id) & (_NODE.c.firm_id == columns.firm_id),
        )
        .where(columns.snapshot_id == snapshot.id)
        .order_by(columns.firm_id)
    ).all()
    results = [json.loads(row.result) for row in rows]
    cards = [result.get("by_card", result) for result in results]
    names = [line[0] for line in results[0]["points"]] if results else []
    points: dict[str, Any] = {name: np.full(len(rows), np.nan) for name in names}
    for place, result in enumerate(results):
        for name, _value, given, missing in result["points"]:
            if not missing:
                points[name][place] = given
    known = [json.loads(row.inputs)["card"] for row in rows]
    return Morning(
        snapshot.id,
        snapshot.as_of_on,
        rows[0].policy_version if rows else "",
        tuple(row.firm_id for row in rows),
        tuple(str(card.get("grade", row.grade)) for card, row in zip(cards, rows, strict=True)),
        np.array([float(card["pd"]) for card in cards]),
        np.array([row.defaulted for row in rows], np.bool_),
        np.array([result["notches"] for result in results], np.int64),
        np.array([-1 if row.tier_up is None else row.tier_up for row in rows], np.int64),
        _column(card["revenue_eur"] for card in known),
        _column(card["months_observed"] for card in known),
        points,
    )


def _column(values: Iterable[Any]) -> "Floats":
    import numpy as np

    return np.array([np.nan if one is None else float(fraction(one) or 0) for one in values])
