"""What became of the firms of past mornings: rows of what was told and what happened.

A firm failed within a horizon when it was more than 90 days past due with what matters and is not
contested, by what was known on each day; a filing for insolvency or a restructuring is seen only
through the arrears that come of it, since no document tells it here. Who was in default already is
left out, and so is who has never bought or sold anything: there is nothing that it could fail with.
Source: pricing.md 4 (label), risk.md 2.
"""

import datetime as dt
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Table, select
from sqlalchemy.engine import Connection

from scf.db.keys import one_of, told
from scf.parties.models import Firm
from scf.risk.appetite import Appetite
from scf.risk.asof import AsOf
from scf.risk.items import day_number
from scf.risk.past import Past, past_of
from scf.risk.watch.mornings import Morning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

YEAR: Final = 365
QUARTER: Final = 91
HORIZONS: Final = (YEAR, QUARTER)
_FIRM: Final[Table] = Firm.__table__  # type: ignore[attr-defined]
_COUNTRIES: Final = {
    name: select(_FIRM.c.id, _FIRM.c.country).where(given)
    for name, given in one_of(_FIRM.c.id).items()
}
_SIZES: Final = ((1e6, "UNDER_1M"), (1e7, "TO_10M"), (1e8, "TO_100M"))
_MOST_KEPT: Final = 4
_kept: dict[tuple[str, dt.date, int, str], Past] = {}
_making = threading.Lock()


@dataclass(frozen=True)
class Rows:
    """Firms of past mornings, one row each. ``labels`` say by group which part a row stands in.

    ``left_out`` counts rows that say nothing: in default already, without any trade, or of
    mornings whose horizon is not over (``too_young``).
    """

    horizon: int
    mornings: tuple[dt.date, ...]
    told: "Floats"
    fails: "Ints"
    firm: "Ints"
    notches: "Ints"
    labels: Mapping[str, tuple[str, ...]]
    keys: tuple[tuple[str, str], ...]  # snapshot and firm of each row
    left_out: Mapping[str, int]


def past_today(conn: Connection, today: AsOf, appetite: Appetite) -> Past:
    """Read all that is known by now; the last answers stay in memory."""
    key = today.financier_id, today.on, today.sequence, appetite.digest
    with _making:
        if key not in _kept:
            made = past_of(conn, today, appetite)
            while len(_kept) >= _MOST_KEPT:
                _kept.pop(next(iter(_kept)))
            _kept[key] = made
        return _kept[key]


def outcomes(
    conn: Connection, mornings: Sequence[Morning], past: Past, today: dt.date, horizon: int
) -> Rows:
    """Hold mornings whose horizon is over against what happened within it.

    Parameters
    ----------
    mornings
        Those to be held against it, the oldest first.
    past
        All that is known by now.
    today
        The morning on which that is known: whatever was known before it counts.
    horizon
        Days; a one-year probability is taken down to a shorter one by its hazard.
    """
    import numpy as np

    number = {firm: place for place, firm in enumerate(past.firms)}
    over = [one for one in mornings if one.on + dt.timedelta(days=horizon) <= today]
    countries = _countries(conn, {firm for one in over for firm in one.firms})
    parts: list[tuple[Any, ...]] = []
    left = {
        "in_default": 0,
        "without_trade": 0,
        "too_young": sum(len(one.firms) for one in mornings) - sum(len(one.firms) for one in over),
    }
    for one in over:
        t = day_number(one.on)
        place = np.array([number.get(firm, -1) for firm in one.firms], np.int64)
        known = place >= 0
        bad = one.defaulted.copy()
        bad[known] |= past.in_default(t)[place[known]]
        kept = np.flatnonzero(known & ~bad)
        left["in_default"] += int(bad.sum())
        left["without_trade"] += int((~known & ~bad).sum())
        first = past.first_default(t)[place[kept]]
        parts.append((one, kept, place[kept], first <= horizon))
    return _rows(horizon, parts, countries, left)


def _rows(
    horizon: int,
    parts: Sequence[tuple[Any, ...]],
    countries: Mapping[str, str],
    left: Mapping[str, int],
) -> Rows:
    import numpy as np

    def join(found: Iterable[Any], kind: type) -> Any:  # noqa: ANN401 - a column
        arrays = list(found)
        return np.concatenate(arrays).astype(kind) if arrays else np.zeros(0, kind)

    labels: dict[str, list[str]] = {
        name: [] for name in ("grade", "vintage", "tier", "size", "region", "history")
    }
    keys: list[tuple[str, str]] = []
    for one, kept, _place, _fails in parts:
        quarter = f"{one.on.year}-Q{(one.on.month + 2) // 3}"
        for at in kept.tolist():
            keys.append((one.snapshot_id, one.firms[at]))
            labels["grade"].append(one.grades[at])
            labels["vintage"].append(quarter)
            labels["tier"].append(_tier(int(one.tier[at])))
            labels["size"].append(_size(float(one.revenue[at])))
            labels["region"].append(countries.get(one.firms[at], "") or "UNKNOWN")
            labels["history"].append(_history(float(one.observed[at])))
    told_year = join((one.pd[kept] for one, kept, *_ in parts), np.float64)
    return Rows(
        horizon=horizon,
        mornings=tuple(one.on for one, *_ in parts),
        told=within(told_year, horizon),
        fails=join((fails for *_, fails in parts), np.int64),
        firm=join((place for _, _, place, _ in parts), np.int64),
        notches=join((one.notches[kept] for one, kept, *_ in parts), np.int64),
        labels={name: tuple(values) for name, values in labels.items()},
        keys=tuple(keys),
        left_out=dict(left),
    )


def within(pd: "Floats", horizon: int) -> "Floats":
    """Take one-year probabilities down to some days, by a hazard that stays the same."""
    import numpy as np

    rest: Floats = -np.expm1(np.log1p(-np.minimum(pd, 1 - 1e-15)) * (horizon / YEAR))
    return rest


def _countries(conn: Connection, firms: set[str]) -> dict[str, str]:
    if not firms:
        return {}
    rows = conn.execute(_COUNTRIES[conn.dialect.name], {"ids": told(conn, firms)})
    return {row.id: row.country or "" for row in rows}


def _tier(tier: int) -> str:
    names = {-1: "NO_ANCHOR", 0: "ANCHOR", 1: "TIER_1", 2: "TIER_2"}
    return names.get(tier, "TIER_3")


def _size(revenue: float) -> str:
    if revenue != revenue:  # noqa: PLR0124 - not a number: nobody said
        return "UNKNOWN"
    return next((name for bound, name in _SIZES if revenue < bound), "FROM_100M")


def _history(months: float) -> str:
    if months != months:  # noqa: PLR0124 - not a number: nothing settled yet
        return "NONE"
    if months < 12:  # noqa: PLR2004 - months of a year
        return "UNDER_A_YEAR"
    return "UNDER_3_YEARS" if months < 36 else "FROM_3_YEARS"  # noqa: PLR2004 - months
