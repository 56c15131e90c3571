"""All features of 100,000 firms from 5,000,000 invoices: seconds of CPU and the peak of memory."""

import json
import os
import statistics
import subprocess  # the peak of memory is that of a process
import sys

import pytest

from tests.performance.measure import ROOT, ROUNDS, Report, Turns

GOAL_SECONDS, GOAL_MB = 3, 1_000


@pytest.mark.bench
def test_all_features_of_all_firms(report: Report) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.performance.features_process", str(ROUNDS)],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {"POLARS_MAX_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    turns = Turns(found["ours"], found["peer"])
    seconds = statistics.median(turns.ours)
    report.add(
        "features_of_all_firms",
        seconds,
        "s",
        peer={
            "name": "polars, one group-by of the same invoices by pair",
            "value": statistics.median(turns.peer),
            "unit": "s",
        },
        ratio=turns.faster(),
        goal=f"< {GOAL_SECONDS} s and < {GOAL_MB} MB, the book itself included",
        met=seconds < GOAL_SECONDS and found["peak_mb"] < GOAL_MB,
        peak_mb=found["peak_mb"],
        process_with_the_book_mb=found["book_mb"],
        first_seconds=turns.ours[0],
    )
