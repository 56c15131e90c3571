"""How far a file is read: how fast it goes, and how long it will still take."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

# A table is read row by row, an archive file by file, and any other file by its documents.
Unit = Literal["rows", "documents", "files"]


@dataclass
class Reach:
    """How far into a file the reading has come, and in what that is counted."""

    done: int = 0
    total: int | None = None  # unknown, where nothing but reading it would tell
    unit: Unit = "rows"


@dataclass(frozen=True)
class Pace:
    """What a person who waits wants to know."""

    done: int
    total: int | None
    per_second: int
    seconds_left: int | None
    unit: str


def as_stored(reach: Reach, begun_at: int, since: dt.datetime, at: dt.datetime) -> dict[str, Any]:
    """Return what a job keeps: ``begun_at`` is the row at which this run found work to do."""
    return {
        "rows_done": reach.done,
        "rows_total": reach.total,
        "unit": reach.unit,
        "began_at": begun_at,
        "since": since.isoformat(),
        "at": at.isoformat(),
    }


def pace(progress: Mapping[str, Any] | None) -> Pace:
    """Judge by the rows of the present run and the time since it began.

    What a run before it had done is not counted as speed.
    """
    if not progress or "rows_done" not in progress:
        return Pace(0, None, 0, None, "rows")
    done, total = int(progress["rows_done"]), progress["rows_total"]
    seconds = (
        dt.datetime.fromisoformat(progress["at"]) - dt.datetime.fromisoformat(progress["since"])
    ).total_seconds()
    speed = (done - int(progress["began_at"])) / seconds if seconds > 0 else 0
    left = None if total is None or speed <= 0 else max(0, round((total - done) / speed))
    return Pace(done, total, round(speed), left, progress.get("unit", "rows"))
