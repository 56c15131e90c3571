"""The estimator alone on a published table, seed by seed."""

import dataclasses
import gzip
import hashlib
import io
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scf.kernel.errors import InvalidInput, NotFound
from scf.risk.evaluation import files

if TYPE_CHECKING:
    from scoring.evaluation import Split
    from scoring.evaluation.tables import Peer

PART: Final = "polish"
NAMES: Final = ("5year.arff", "5year.arff.gz")
_MOST_BYTES: Final = 64_000_000


def data_file(folder: Path) -> Path:
    """Find the table in a folder, or one folder below.

    Raises
    ------
    NotFound
        It is not there.
    """
    for name in NAMES:
        for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
            if path.is_file():
                return path
    raise NotFound(
        "EVALUATION_DATA_MISSING",
        "The folder holds no 5year.arff or 5year.arff.gz (data set 365 of the UCI repository).",
        folder=str(folder),
    )


def run(
    told: Mapping[str, Any], data: Path, folder: Path, seeds: Iterable[int] | None = None
) -> Iterator[tuple[int, bool]]:
    """Judge the seeds that have no result yet; gives each with whether it was run now.

    Raises
    ------
    InvalidInput
        The table is not of its form.
    Conflict
        The folder holds results of other settings.
    """
    from scoring.evaluation import TableSettings, judged_split, read_arff, without_repeats

    settings = TableSettings.from_mapping(told)
    fingerprint = files.digest(told)
    path = data_file(data)
    content = path.read_bytes()
    if path.suffix == ".gz":
        with gzip.open(io.BytesIO(content)) as stream:
            content = stream.read(_MOST_BYTES)
    try:
        rows, fails = read_arff(content.decode("ascii").splitlines())
    except ValueError as error:
        raise InvalidInput(
            "EVALUATION_DATA_UNREADABLE", "The table cannot be read.", reason=str(error)
        ) from None
    all_rows = len(rows)
    rows, fails = without_repeats(rows, fails)
    for seed in settings.seeds if seeds is None else seeds:
        kept = files.file_of(folder, PART, seed)
        if files.read(kept, fingerprint) is not None:
            yield seed, False
            continue
        begun = time.process_time()
        split = judged_split(rows, fails, settings, seed, lightgbm())
        meta = {
            "part": PART,
            "seed": seed,
            "settings": fingerprint,
            "data": hashlib.sha256(content).hexdigest(),
            "rows_in_file": all_rows,
            **files.made(begun),
        }
        arrays = {
            field.name: getattr(split, field.name)
            for field in dataclasses.fields(split)
            if field.name != "seed"
        }
        files.write(kept, meta, arrays)
        yield seed, True


def kept(
    told: Mapping[str, Any], folder: Path, seeds: Iterable[int]
) -> "list[tuple[dict[str, Any], Split]]":
    """Give the results that are there."""
    from scoring.evaluation import Split

    fingerprint = files.digest(told)
    found = []
    for seed in seeds:
        result = files.read(files.file_of(folder, PART, seed), fingerprint)
        if result is not None:
            meta, arrays = result
            found.append((meta, Split(seed, **arrays)))  # type: ignore[arg-type]
    return found


def lightgbm() -> "Peer | None":
    """Give the peer where it is installed; its settings are those of the first measurement."""
    try:
        from lightgbm import LGBMClassifier
    except ImportError:
        return None

    def made(seed: int) -> Any:  # noqa: ANN401 - another library's class
        return LGBMClassifier(
            n_estimators=300,
            num_leaves=15,
            learning_rate=0.05,
            random_state=seed,
            n_jobs=1,
            verbose=-1,
        )

    return made
