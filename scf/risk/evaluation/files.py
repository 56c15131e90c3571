"""Results of an evaluation on disk: one file a seed, written whole or not at all."""

import functools
import hashlib
import json
import platform
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scf.kernel.errors import Conflict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[np.generic]]

_LIBRARIES: Final = ("tributary", "numpy", "scipy", "scikit-learn", "numba", "lightgbm")
_META: Final = "meta"
_ROOT: Final = Path(__file__).parents[3]
_SOURCES: Final = (
    "graph",
    "scoring/estimators",
    "scoring/features",
    "scoring/odds.py",
    "scoring/simulate",
    "scoring/evaluation/contrast.py",
    "scoring/evaluation/datasets.py",
    "scoring/evaluation/tables.py",
    "scf/risk/chainrisk.py",
    "scf/risk/placing.py",
)


def digest(told: Mapping[str, Any]) -> str:
    """Say by which settings a result was made, as a fingerprint of their values."""
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def versions() -> dict[str, str]:
    """Say with what a result was made; another way to measure shows as other sources."""
    found = {"sources": _sources()[:16], "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@functools.cache
def _sources() -> str:
    """Fingerprint the modules on which a figure depends."""
    whole = hashlib.sha256()
    for name in _SOURCES:
        there = _ROOT / name
        for path in sorted(there.rglob("*.py")) if there.is_dir() else [there]:
            whole.update(path.relative_to(_ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()


def made(begun: float) -> dict[str, Any]:
    """Say with what and at what cost a result was made, from the CPU time at its beginning."""
    return {"versions": versions(), "cpu_seconds": round(time.process_time() - begun, 1)}


def file_of(folder: Path, part: str, seed: int) -> Path:
    """Say where the result of a seed lies."""
    return folder / f"{part}-{seed}.npz"


def write(path: Path, meta: Mapping[str, Any], arrays: "Arrays") -> None:
    """Keep the result of a seed; a run that is cut short leaves no half of one."""
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as stream:
        np.savez_compressed(stream, **{_META: np.array(json.dumps(meta))}, **arrays)  # type: ignore[arg-type]
    half.replace(path)


def read(path: Path, settings: str) -> tuple[dict[str, Any], "Arrays"] | None:
    """Give the kept result of a seed, or None where there is none.

    Raises
    ------
    Conflict
        It was made by other settings than those declared now.
    """
    import numpy as np

    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        arrays = {name: kept[name] for name in kept.files if name != _META}
        meta: dict[str, Any] = json.loads(str(kept[_META]))
    if meta["settings"] != settings:
        raise Conflict(
            "EVALUATION_OF_OTHER_SETTINGS",
            "This folder holds results of other settings; give another folder.",
            file=path.name,
        )
    return meta, arrays
