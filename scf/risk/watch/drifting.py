"""How far the firms of a morning have moved from those of the reference: score and inputs.

The card was fitted to nobody, so its reference is the first three months in which its version
judged, by grade and by the bands of each input; a model's is the rows of its training. An index
counts only beyond what chance alone gives with so few firms. Source: risk.md 2 (monitoring) and 8
no. 13.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from scf.kernel.rates import PPM
from scf.risk.watch.mornings import Morning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.monitoring import Bins

    Floats = NDArray[np.float64]

REFERENCE_MONTHS: Final = 3
SCORE: Final = "score"
_CHANCE: Final = 0.01  # that anything at all is called moved on a morning on which nothing has
_ORDER: Final = ("none", "calm", "watch", "act")
_MOST_PSI: Final = 99  # of an index that has no upper end; what a column holds


@dataclass(frozen=True, slots=True)
class Moved:
    """The score or one input: its index, what chance alone may give, and what that asks for."""

    name: str
    psi_ppm: int
    chance_ppm: int
    level: str

    def as_json(self) -> dict[str, Any]:
        """Give it as it is stored."""
        return {
            "name": self.name,
            "psi_ppm": self.psi_ppm,
            "chance_ppm": self.chance_ppm,
            "level": self.level,
        }


@dataclass(frozen=True)
class Watched:
    """A morning as it is stored; see :class:`scf.risk.watch.models.WatchedMorning`."""

    subject: str
    snapshot_id: str
    on: dt.date
    firms: int
    reference_firms: int = 0
    reference_from_on: dt.date | None = None
    reference_to_on: dt.date | None = None
    moved: tuple[Moved, ...] = ()
    grades: dict[str, int] = field(default_factory=dict)

    @property
    def level(self) -> str:
        """The worst of all; ``none`` where nothing was compared."""
        return max((one.level for one in self.moved), key=_ORDER.index, default="none")

    @property
    def score_ppm(self) -> int:
        """The index of the score."""
        return next((one.psi_ppm for one in self.moved if one.name == SCORE), 0)


def of_card(now: Morning, mornings: Sequence[Morning]) -> Watched:
    """Hold the firms of a morning against the first months of the card's version.

    Parameters
    ----------
    now
        The morning; firms in default are left out, of whom the card says nothing.
    mornings
        The monthly ones, the oldest first.
    """
    reference = [one for one in mornings if one.version == now.version][:REFERENCE_MONTHS]
    known: dict[str, Any] = {
        "subject": now.subject,
        "snapshot_id": now.snapshot_id,
        "on": now.on,
        "firms": int((~now.defaulted).sum()),
        "grades": dict(sorted(Counter(now.grades).items())),
    }
    if len(reference) < REFERENCE_MONTHS or now.on <= reference[-1].on:
        return Watched(**known)
    import numpy as np

    from scoring.monitoring import Bins

    firms = {
        firm
        for one in reference
        for firm, out in zip(one.firms, one.defaulted.tolist(), strict=True)
        if not out
    }
    scale = sorted({grade for one in (*reference, now) for grade in one.grades})
    then = {SCORE: np.concatenate([_graded(one, scale)[~one.defaulted] for one in reference])} | {
        name: np.concatenate([one.points[name][~one.defaulted] for one in reference])
        for name in reference[0].points
    }
    today = {SCORE: _graded(now, scale)} | now.points
    # The score is cut into its grades and an input into the bands of the card: what stays in its
    # band moves no price.
    bins = {
        name: Bins.at(values, np.union1d(values, today[name]))
        for name, values in then.items()
        if len(values)
    }
    return Watched(
        **known,
        reference_firms=len(firms),
        reference_from_on=reference[0].on,
        reference_to_on=reference[-1].on,
        moved=moved(bins, {name: today[name][~now.defaulted] for name in bins}, len(firms)),
    )


def moved(
    reference: "dict[str, Bins]", now: "dict[str, Floats]", reference_firms: int
) -> tuple[Moved, ...]:
    """Work out the index of each column, in the order of the reference."""
    from scoring.monitoring import by_chance, level

    found = []
    for name, bins in reference.items():
        values = now[name]
        if not len(values):
            continue
        psi = bins.psi(values)
        chance = by_chance(
            bins.cells(values), reference_firms, len(values), above=_CHANCE / len(reference)
        )
        found.append(Moved(name, _ppm(psi), _ppm(chance), level(psi) if psi > chance else "calm"))
    return tuple(found)


def _graded(one: Morning, scale: Sequence[str]) -> "Floats":
    import numpy as np

    return np.array([float(scale.index(grade)) for grade in one.grades])


def _ppm(value: float) -> int:
    return round(min(value, _MOST_PSI) * PPM)
