"""Record batches into one file, Parquet or CSV by its name."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scf.kernel.errors import Conflict, InvalidInput


def checked(out: str) -> str:
    """Give a target that may be written.

    Raises
    ------
    InvalidInput
        FILE_KIND where it is neither Parquet nor CSV.
    Conflict
        FILE_EXISTS: nothing is written over.
    """
    if out and Path(out).suffix not in {".parquet", ".csv"}:
        raise InvalidInput("FILE_KIND", "The file is written as .parquet or .csv.", file=out)
    if "://" in out:  # a cluster's own storage, which refuses by itself what is there already
        return out
    if out and Path(out).exists():
        raise Conflict("FILE_EXISTS", "There is such a file already; it is left alone.", file=out)
    if out and not Path(out).parent.is_dir():
        raise InvalidInput("FILE_KIND", "There is no such folder.", file=out)
    return out


@contextlib.contextmanager
def writer(target: str, schema: Any) -> "Iterator[Callable[[Any], None]]":  # noqa: ANN401
    """Open a file for batches of one schema."""
    import pyarrow.csv
    import pyarrow.parquet

    if "://" in target:
        raise InvalidInput("FILE_KIND", "Only a cluster writes to an address.", file=target)
    if target.endswith(".csv"):
        with pyarrow.csv.CSVWriter(target, schema) as text:
            yield text.write_batch
    else:
        with pyarrow.parquet.ParquetWriter(target, schema) as columns:
            yield columns.write_batch
