"""Does the network help? Simulated chains of the declared regimes, seed by seed."""

import dataclasses
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scf.risk.evaluation import files
from scf.risk.placing import position, worst_years

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from scoring.evaluation import Contrast
    from scoring.features import Position
    from scoring.simulate import Chain

    Floats = NDArray[np.float64]

# The regime of the primary metric comes first; it alone is checked with permuted edges and, for
# some seeds, by twice the runs of the oracle.
PRIMARY: Final = "main"
REGIMES: Final = (PRIMARY, "control", "high", "shockctl", "shock")
CHECKS: Final = "checks"
_OF_CHECKS: Final = ("shuffled", "strangers_without", "strangers", "oracle_twice")
KAPPA: Final = 0.75  # share of the hazard that is a firm's own, as in policy expert-1


def run(
    told: Mapping[str, Any], regime: str, folder: Path, seeds: Iterable[int] | None = None
) -> Iterator[tuple[int, bool]]:
    """Judge the seeds that have no result yet; gives each with whether it was run now.

    Raises
    ------
    Conflict
        The folder holds results of other settings.
    """
    from scoring.evaluation import ChainSettings, contrast

    settings = ChainSettings.from_mapping(told)
    fingerprint = files.digest(told)
    for seed in settings.seeds if seeds is None else seeds:
        kept = files.file_of(folder, regime, seed)
        if files.read(kept, fingerprint) is not None:
            yield seed, False
            continue
        begun = time.process_time()
        found = contrast(regime, seed, settings, place, stress=stress)
        columns = _columns(found)
        for name in _OF_CHECKS:
            del columns[name]
        meta = {"part": regime, "seed": seed, "settings": fingerprint, "repeats": found.repeats}
        files.write(kept, meta | files.made(begun), columns)
        yield seed, True


def check(
    told: Mapping[str, Any], folder: Path, seeds: Iterable[int] | None = None
) -> Iterator[tuple[int, bool]]:
    """Check those seeds of the primary regime that have a result and no check yet.

    Raises
    ------
    Conflict
        The folder holds results of other settings.
    """
    from scoring.evaluation import ChainSettings, checked

    settings = ChainSettings.from_mapping(told)
    fingerprint = files.digest(told)
    wanted = settings.seeds if seeds is None else seeds
    for _, found in kept(told, PRIMARY, folder, wanted):
        if len(found.shuffled):
            yield found.seed, False
            continue
        begun = time.process_time()
        twice = found.seed in settings.oracle_doubled
        columns = _columns(checked(found, settings, place, twice=twice))
        meta = {"part": CHECKS, "seed": found.seed, "settings": fingerprint}
        there = files.file_of(folder, CHECKS, found.seed)
        files.write(there, meta | files.made(begun), {name: columns[name] for name in _OF_CHECKS})
        yield found.seed, True


def kept(
    told: Mapping[str, Any], regime: str, folder: Path, seeds: Iterable[int]
) -> "list[tuple[dict[str, Any], Contrast]]":
    """Give the results that are there."""
    from scoring.evaluation import Contrast

    fingerprint = files.digest(told)
    found = []
    for seed in seeds:
        result = files.read(files.file_of(folder, regime, seed), fingerprint)
        if result is not None:
            meta, arrays = result
            checks = files.read(files.file_of(folder, CHECKS, seed), fingerprint)
            columns: Any = arrays | (checks[1] if checks and regime == PRIMARY else {})
            found.append((meta, Contrast(regime, seed, repeats=meta["repeats"], **columns)))
    return found


def place(chain: "Chain", week: int, own: "Floats") -> "Position":
    """Say what the graph of a simulated chain says on the morning after a week."""
    import numpy as np

    from scoring.simulate import morning_of

    distance = chain.world.tier.astype(np.float64)
    return position(chain.events, morning_of(week), own, distance, seed=week, kappa=KAPPA)


def stress(chain: "Chain", week: int, own: "Floats") -> "Floats":
    """Say how likely each firm of a simulated chain fails in the worst years."""
    from scoring.simulate import morning_of

    return worst_years(chain.events, morning_of(week), own, seed=week)


def _columns(found: "Contrast") -> "files.Arrays":
    import numpy as np

    columns = {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}
    return {name: value for name, value in columns.items() if isinstance(value, np.ndarray)}
