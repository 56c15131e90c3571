"""Whether what was told of firms is what happened: by tenth, grade, part of the book and vintage.

The groups of one picture carry 95 % together, so each has a wider interval of its own. A group in
which too few firms failed, or were to fail, says so instead of giving a figure. Source: risk.md 2
(validation: calibration by decile, segment, tier and vintage) and 8 no. 5.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scf.risk.watch.outcomes import Rows

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.backtest import Group

PARTS: Final = ("grade", "tier", "size", "region", "history", "vintage")
_SURE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Held:
    """A group of rows, named, with what was told and what happened; empty where it says nothing."""

    name: str
    rows: int
    firms: int
    failed_rows: int
    failed_firms: int
    told: float | None
    rate: float | None
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True)
class Calibration:
    """All groups, over one horizon. ``slope`` and ``intercept`` are empty where too few failed."""

    horizon: int
    whole: Held
    tenths: tuple[Held, ...]
    parts: dict[str, tuple[Held, ...]]
    slope: tuple[float, float, float] | None
    intercept: tuple[float, float, float] | None
    auc: float | None


def calibrate(rows: Rows) -> Calibration:
    """Group rows and hold each group against what happened."""
    import numpy as np

    from scoring.backtest import FEWEST, line, tenths_of
    from scoring.metrics import auc

    every = np.ones(len(rows.told), np.bool_)
    tenth = tenths_of(rows.told)
    found = line(rows.told, rows.fails, rows.firm) if len(rows.told) else None
    whole = _held("all", rows, every, 1)
    ranked = auc(rows.told, rows.fails) if whole.failed_firms >= FEWEST else math.nan
    return Calibration(
        rows.horizon,
        whole,
        _groups([str(one + 1) for one in tenth.tolist()], rows, [str(n) for n in range(1, 11)]),
        {name: _groups(rows.labels[name], rows) for name in PARTS},
        None if found is None else (found.slope, found.slope_low, found.slope_high),
        None if found is None else (found.intercept, found.intercept_low, found.intercept_high),
        None if math.isnan(ranked) else ranked,
    )


def by_override(rows: Rows) -> tuple[Held, ...]:
    """Hold the firms that people graded better, worse and not at all against what happened."""
    import numpy as np

    sign = np.sign(rows.notches).tolist()
    names = {-1: "BETTER", 0: "AS_TOLD", 1: "WORSE"}
    return _groups([names[int(one)] for one in sign], rows, ["BETTER", "AS_TOLD", "WORSE"])


def _groups(
    labels: Sequence[str], rows: Rows, order: Sequence[str] | None = None
) -> tuple[Held, ...]:
    import numpy as np

    of = np.array(labels, dtype=np.str_)
    there = set(labels)
    names = [name for name in (order or sorted(there)) if name in there]
    return tuple(_held(name, rows, of == name, len(names)) for name in names)


def _held(name: str, rows: Rows, chosen: "NDArray[np.bool_]", together: int) -> Held:
    from scoring.backtest import group

    found = group(
        rows.told[chosen], rows.fails[chosen], rows.firm[chosen],
        confidence=1 - _SURE / max(1, together),
    )  # fmt: skip
    return _named(name, found)


def _named(name: str, found: "Group") -> Held:
    return Held(name, **plain(found))


def plain(found: Any) -> dict[str, Any]:  # noqa: ANN401 - a dataclass of plain values
    """Give the values of a figure, with nothing where there is no number."""
    return {
        key: None if isinstance(value, float) and math.isnan(value) else value
        for key, value in dataclasses.asdict(found).items()
    }
