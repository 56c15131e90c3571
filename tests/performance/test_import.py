"""A hundred thousand rows from a file into the books: read, judged, matched, stored, audited."""

import csv
import io
import json
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.performance.measure import ROOT, ROUNDS, Report
from tests.performance.papers import (
    BAD_OF_A_HUNDRED,
    INVOICE_HEADER,
    INVOICES_PER_ORDER,
    invoice_table,
    order_table,
    suppliers,
)
from tests.performance.trade import import_orders, open_trade

ROWS = 100_000
BAD = ROWS // 100 * BAD_OF_A_HUNDRED
MAX_SECONDS = 20.0
MAX_MB = 400.0


@pytest.mark.bench
def test_a_hundred_thousand_invoice_rows_are_imported(tmp_path: Path, report: Report) -> None:
    firms = suppliers(200)
    prepared, table = tmp_path / "prepared.db", tmp_path / "invoices.csv"
    table.write_bytes(invoice_table(ROWS, firms))
    org_id = _prepare(prepared, order_table(ROWS, firms))
    runs, raw, read = [], [], []
    for number in range(ROUNDS):
        database = tmp_path / f"{number}.db"
        shutil.copyfile(prepared, database)
        raw.append(_raw_load(tmp_path / f"raw-{number}.db", table))
        read.append(_polars_read(table))
        first, *again = _import(database, table, org_id, times=2 if number == 0 else 1)
        _holds(database, first["summary"], [run["summary"] for run in again])
        runs.append(first)
        database.unlink()
    seconds = statistics.median(run["seconds"] for run in runs)
    peak = max(run["peak_mb"] for run in runs)
    report.add(
        "import_100k_csv_rows_sqlite",
        seconds,
        "s",
        peer={
            "name": "csv.DictReader + executemany, nothing checked",
            "value": statistics.median(raw),
            "unit": "s",
        },
        ratio=statistics.median(a / b["seconds"] for a, b in zip(raw, runs, strict=True)),
        goal=f"< {MAX_SECONDS:g} s and < {MAX_MB:g} MB",
        met=seconds < MAX_SECONDS and peak < MAX_MB,
        rows_per_second=ROWS / seconds,
        cpu_seconds=statistics.median(run["cpu_seconds"] for run in runs),
        peak_mb=peak,
        # It reads the same file into columns of text: it judges, matches and stores nothing.
        polars_reading_only_seconds=statistics.median(read),
    )


def _prepare(database: Path, orders: bytes) -> str:
    platform, clerk = open_trade(f"sqlite:///{database}", suppliers(200))
    assert import_orders(platform, clerk, orders) == ROWS // INVOICES_PER_ORDER
    platform.close()
    with closing(sqlite3.connect(database)) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return clerk.org_id


def _import(database: Path, table: Path, org_id: str, *, times: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.performance.import_process"]
    done = subprocess.run(
        [*command, str(database), str(table), org_id, str(times)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def _holds(database: Path, first: dict[str, Any], again: list[dict[str, Any]]) -> None:
    """The database holds what the table says, a report for each bad row, and no row twice."""
    assert (first["read"], first["stored"], first["bad"]) == (ROWS, ROWS - BAD, BAD)
    for run in again:
        assert (run["stored"], run["duplicate"], run["bad"]) == (0, ROWS - BAD, BAD)
    with closing(sqlite3.connect(database)) as conn:
        states = conn.execute(
            "SELECT document_state, match_state, count(*) FROM invoice GROUP BY 1, 2"
        ).fetchall()
        assert states == [("VALIDATED", "MATCHED", ROWS - BAD)]
        reports = conn.execute(
            "SELECT place FROM document_finding WHERE upload_id = ? AND severity = 'ERROR'",
            (first["upload_id"],),
        ).fetchall()
        rows = Counter(place.split(",")[0] for (place,) in reports)
        assert len(reports) == len(rows) == BAD
        slices = conn.execute(
            "SELECT count(*) FROM audit_log WHERE command = 'documents.store' AND key LIKE ?",
            (f"{first['upload_id']}:%",),
        ).fetchone()
        assert slices == (ROWS // 1000,)


def _polars_read(table: Path) -> float:
    """What the fastest reader needs to have the rows in memory, as the least there is."""
    import polars as pl

    start = time.perf_counter()
    frame = pl.read_csv(table, infer_schema=False)
    seconds = time.perf_counter() - start
    assert frame.shape == (ROWS, len(INVOICE_HEADER))
    return seconds


def _raw_load(database: Path, table: Path) -> float:
    """What the bare driver needs for the same rows as text, one index, one transaction."""
    start = time.perf_counter()
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        columns = [f'"{name}"' for name in INVOICE_HEADER]
        conn.execute(f"CREATE TABLE raw ({', '.join(columns)})")
        conn.execute('CREATE INDEX raw_key ON raw ("supplier_lei", "invoice")')
        conn.execute("BEGIN IMMEDIATE")
        with io.TextIOWrapper(io.BytesIO(table.read_bytes()), "utf-8", newline="") as text:
            conn.executemany(
                f"INSERT INTO raw VALUES ({', '.join(f':{name}' for name in INVOICE_HEADER)})",  # noqa: S608 - our own header
                csv.DictReader(text),
            )
        conn.execute("COMMIT")
        seconds = time.perf_counter() - start
        assert conn.execute("SELECT count(*) FROM raw").fetchone() == (ROWS,)
    database.unlink()
    return seconds
