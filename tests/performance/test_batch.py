"""A whole book in columns, beside DuckDB without ibis, polars, pyarrow, and one price at a time."""

import dataclasses
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.performance.measure import ROOT, ROUNDS, Report, take_turns
from tests.performance.warehouse import ON, T, invoices, relations, write

INVOICES, PAIRS, FIRMS, RECEIVABLES = 5_000_000, 1_000_000, 20_000, 1_000_000
YEAR, WEEKS_52 = 365, 364
SUMS = ("invoices", "base", "first_on", "last_on", "receivable", "sold_52", "closed_minor",
        "closed_items")  # fmt: skip
# What a person writes who knows that this is all that is wanted.
NATIVE = f"""
    SELECT seller, buyer, count(*) AS invoices, sum(base)::BIGINT AS base,
        min(issued_on) AS first_on, max(issued_on) AS last_on, sum(kept)::BIGINT AS receivable,
        coalesce(sum(sold) FILTER (issued_on >= {T - WEEKS_52} AND issued_on < {T}), 0)::BIGINT
            AS sold_52,
        coalesce(sum(base) FILTER (closed_known_on >= {T - YEAR}), 0)::BIGINT AS closed_minor,
        count(*) FILTER (closed_known_on >= {T - YEAR}) AS closed_items
    FROM invoices GROUP BY seller, buyer
"""  # noqa: S608 - numbers of this file


@pytest.mark.bench
def test_five_million_invoices_become_pairs(report: Report) -> None:
    import ibis
    import polars as pl
    import pyarrow as pa
    import pyarrow.compute as pc

    from scf.risk.batch import pairs

    rng = np.random.default_rng(42)
    seller, buyer = relations(rng, FIRMS, PAIRS)
    drawn = invoices(rng, PAIRS, INVOICES)
    where, open_ = drawn.pop("pair"), ~drawn.pop("settled")
    known = pa.array(drawn.pop("known_on"), mask=open_)
    table = pa.table(
        {
            "seller": seller[where], "buyer": buyer[where], **drawn,
            "settled_on": pa.array(drawn["settled_on"], mask=open_),
            "settled_known_on": known, "closed_known_on": known, "material": open_,
        }
    )  # fmt: skip
    con = ibis.duckdb.connect(":memory:", preserve_insertion_order=False)
    con.con.register("given", table)
    con.con.execute("CREATE TABLE invoices AS FROM given")
    whole = pairs.pairs(con.table("invoices"), T)
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)

    def ours() -> Any:  # noqa: ANN401 - an Arrow table
        return con.to_pyarrow(whole.select("seller", "buyer", *SUMS))

    def native() -> Any:  # noqa: ANN401
        return con.con.execute(NATIVE).to_arrow_table()

    def by_polars() -> Any:  # noqa: ANN401
        issued, lately = pl.col("issued_on"), pl.col("issued_on").is_between(T - WEEKS_52, T - 1)
        done = (pl.col("closed_known_on") >= T - YEAR).fill_null(value=False)
        return frame.lazy().with_columns(
            recent=pl.when(lately).then(pl.col("sold")).otherwise(0),
            done=done.cast(pl.Int64),
            closed=pl.when(done).then(pl.col("base")).otherwise(0),
        ).group_by("seller", "buyer").agg(
            pl.len().cast(pl.Int64).alias("invoices"), pl.col("base").sum(),
            issued.min().alias("first_on"), issued.max().alias("last_on"),
            pl.col("kept").sum().alias("receivable"), pl.col("recent").sum().alias("sold_52"),
            pl.col("closed").sum().alias("closed_minor"),
            pl.col("done").sum().alias("closed_items"),
        ).collect().to_arrow()  # fmt: skip

    def by_arrow() -> Any:  # noqa: ANN401
        days = table["issued_on"]
        lately = pc.and_(pc.greater_equal(days, T - WEEKS_52), pc.less(days, T))
        done = pc.fill_null(pc.greater_equal(table["closed_known_on"], T - YEAR), fill_value=False)
        wide = (
            table.select(["seller", "buyer", "base", "kept", "issued_on"])
            .append_column("recent", pc.if_else(lately, table["sold"], 0))
            .append_column("closed", pc.if_else(done, table["base"], 0))
            .append_column("done", done.cast(pa.int64()))
        )
        made = wide.group_by(["seller", "buyer"]).aggregate(
            [("base", "count"), ("base", "sum"), ("issued_on", "min"), ("issued_on", "max"),
             ("kept", "sum"), ("recent", "sum"), ("closed", "sum"), ("done", "sum")]
        )  # fmt: skip
        return made.rename_columns(["seller", "buyer", *SUMS])

    def ordered(found: Any) -> list[Any]:  # noqa: ANN401
        found = found.select(["seller", "buyer", *SUMS])
        found = found.sort_by([("seller", "ascending"), ("buyer", "ascending")])
        return [column.to_numpy() for column in found.columns]

    wanted = ordered(ours())
    assert len(wanted[0]) == PAIRS
    peers: dict[str, tuple[Callable[[], Any], float]] = {
        "DuckDB without ibis": (native, 1 / 1.15),
        "polars": (by_polars, 1 / 1.2),
        "pyarrow": (by_arrow, 1 / 1.2),
    }
    for name, (peer, least) in peers.items():
        assert all(map(np.array_equal, wanted, ordered(peer()))), name
        turns = take_turns([(ours, peer)] * ROUNDS, time.process_time)
        waited = take_turns([(ours, peer)] * ROUNDS)
        report.add(
            f"batch_pairs_{name.split()[0].lower()}",
            statistics.median(turns.ours),
            "s CPU",
            peer={"name": name, "value": statistics.median(turns.peer), "unit": "s CPU"},
            ratio=turns.faster(),
            goal=f"ratio >= {least:.3g}",
            met=turns.faster() >= least,
            wall_seconds=statistics.median(waited.ours),
            wall_seconds_of_peer=statistics.median(waited.peer),
            wall_ratio=waited.faster(),
        )
    con.disconnect()


@pytest.mark.bench
def test_a_million_receivables_are_priced_again(report: Report, tmp_path: Path) -> None:
    write(tmp_path, FIRMS, PAIRS, INVOICES, RECEIVABLES)
    line = [
        sys.executable, "-m", "scf", "--json", "risk", "reprice", "--tables", str(tmp_path),
        "--on", ON.isoformat(), "--out", str(tmp_path / "prices.parquet"),
    ]  # fmt: skip
    began = time.monotonic()
    running = subprocess.Popen(
        line, env={**os.environ, "OMP_NUM_THREADS": "1"}, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert running.stdout is not None
    with running.stdout as answer:
        said = answer.read()
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 0
    told = json.loads(said)
    assert (told["receivables"], told["set_aside"], told["pairs"]) == (RECEIVABLES, 0, PAIRS)
    single = _one_at_a_time()
    took = told["seconds"]["prices"]
    report.add(
        "batch_reprice",
        took,
        "s for a million receivables",
        peer={"name": "one price at a time", "value": single * RECEIVABLES, "unit": "s"},
        ratio=single * RECEIVABLES / took,
        goal="under 10 s",
        met=took < 10,
        turns=1,
        by_row=told["priced_by_row"],
        whole_command=time.monotonic() - began,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss / 1024,
        steps=json.dumps(told["seconds"]),
    )


def _one_at_a_time() -> float:
    """Give the seconds of a single price over random items."""
    from scoring.pricing import price
    from tests.scoring.many.random_books import book, rows
    from tests.scoring.quotes import POLICY

    drawn = book(rows(random.Random(1), 2_000))
    inputs = [
        dataclasses.replace(drawn.inputs_at(row, POLICY), tenor_days=60) for row in range(2_000)
    ]
    began = time.process_time()
    for one in inputs:
        price(one, POLICY)
    return (time.process_time() - began) / len(inputs)
