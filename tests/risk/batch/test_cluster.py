"""A whole book on a Spark cluster of a master and two workers is the book of DuckDB, row by row.

``-s`` shows what each run took: wall time, CPU seconds and the most memory of every process.
"""

import copy
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from scoring import canonical
from scoring.many import Special
from tests.risk.batch import spark
from tests.risk.batch.books import ON, Row, Tables, drawn, judged, seen
from tests.risk.batch.test_tables import (
    BAD_INVOICES,
    BAD_RECEIVABLES,
    CELLS,
    asked_of_a_champion,
)

pytestmark = pytest.mark.long

BAD_FIRMS: dict[str, dict[str, Any]] = {
    "odd pd": {"rated_pd": "1"},
    "odd revenue": {"revenue": "-1"},
    "odd equity": {"equity": "1/0"},
    "odd months": {"statement_months": 19},
}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[spark.Cluster]:
    """One cluster for the tests of this module."""
    with spark.started(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def repriced(
    cluster: spark.Cluster, engine: str, book: Path, out: Path, *words: str
) -> subprocess.CompletedProcess[str]:
    """Run the command as a person does, and say what it took."""
    line = (
        sys.executable, "-m", "scf", "--json", "risk", "reprice", "--engine", engine,
        "--tables", str(book), "--on", ON.isoformat(), "--out", str(out), "--refused", "1000",
        *words,
    )  # fmt: skip
    before = time.monotonic()
    running = subprocess.Popen(
        line,
        env=spark.environment(cluster.folder),
        cwd=spark.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with spark.watched({**cluster.processes, "driver": running.pid}) as cost:
        told, broken = running.communicate()
    print(f"\n{engine}: {time.monotonic() - before:.0f} s; {cost}")  # noqa: T201 - shown with -s
    return subprocess.CompletedProcess(line, running.returncode, told, broken)


def both(
    cluster: spark.Cluster, book: Path, folder: Path, *words: str
) -> tuple[dict[str, Any], Any]:
    """Price a book on both engines, hold them against each other, give what they say."""
    summaries: list[dict[str, Any]] = []
    prices: list[Any] = []
    for engine in ("duckdb", cluster.address):
        out = folder / f"{len(prices)}.parquet"
        done = repriced(cluster, engine, book, out, *words)
        assert done.returncode == 0, done.stderr
        summaries.append(json.loads(done.stdout))
        prices.append(pyarrow.parquet.read_table(out).sort_by("receivable_id"))
        told = summaries[-1]
        assert (told.pop("engine"), told.pop("written")) == (engine, str(out))
        print({name: round(took, 1) for name, took in told.pop("seconds").items()})  # noqa: T201
    assert summaries[1] == summaries[0]
    assert prices[1].schema.names == prices[0].schema.names
    assert prices[1].to_pylist() == prices[0].to_pylist()
    return summaries[0], prices[0]


def spoilt(tables: Tables) -> tuple[Tables, set[tuple[str, str, str]]]:
    """Add rows of every kind that is set aside; gives also which they are."""
    worse = copy.deepcopy(tables)
    wanted = set()

    def bad(name: str, key: str, kinds: dict[str, dict[str, Any]], reason: str = "") -> None:
        rows: list[Row] = getattr(worse, name)
        for kind, changed in kinds.items():
            row = copy.deepcopy(rows[0]) | {key: f"bad {kind}"} | changed
            rows.append(row)
            wanted.add((name, f"bad {kind}", reason or kind))
        rows += [rows[0] | {key: "twice"}] * 2
        wanted.add((name, "twice", "DUPLICATE"))

    bad("invoices", "invoice_id", BAD_INVOICES)
    bad("receivables", "receivable_id", BAD_RECEIVABLES)
    bad("firms", "firm_id", BAD_FIRMS, "FIGURE_WRONG")
    return worse, wanted


def test_a_book_with_bad_rows_is_priced_alike_by_both_workers_of_a_cluster(
    cluster: spark.Cluster, tmp_path: Path
) -> None:
    good = drawn(0, firms=400, invoices=20_000, receivables=4_000)
    tables, wanted = spoilt(good)
    told, prices = both(cluster, tables.write(tmp_path / "book"), tmp_path)
    assert seen(prices) == judged(good)
    aside = told["rows_set_aside"]
    assert {(one["table"], one["row"], one["reason"]) for one in aside} == wanted
    assert told["priced"] > 1_000
    work = [list(cluster.folder.glob(f"work{at}/app-*/*/stderr")) for at in range(spark.WORKERS)]
    for logs in work:
        tasks = sum(len(re.findall("Running task", one.read_text("utf-8"))) for one in logs)
        assert tasks > 10, "each of the two has its share"


def test_cells_of_text_are_read_alike_on_a_cluster(cluster: spark.Cluster, tmp_path: Path) -> None:
    folder = drawn(4, invoices=600, receivables=200).write(tmp_path / "book", "csv")
    file = folder / "invoices.csv"
    head, *lines = file.read_text("utf-8").splitlines()
    names = [name.strip('"') for name in head.split(",")]
    for at, (column, cell) in enumerate(CELLS):
        cells = lines[at].split(",")
        cells[names.index(column)] = cell
        lines[at] = ",".join(cells)
    file.write_text("\n".join([head, *lines]), "utf-8")
    told, _ = both(cluster, folder, tmp_path)
    assert {(one["row"], one["column"]) for one in told["rows_set_aside"]} == {
        (f"i{at}", column) for at, (column, _) in enumerate(CELLS)
    }


def test_a_stress_a_champion_and_floats_of_a_warehouse_say_the_same_on_a_cluster(
    cluster: spark.Cluster, tmp_path: Path
) -> None:
    tables = asked_of_a_champion(drawn(8, invoices=600, receivables=200))
    for row in tables.receivables[::5]:
        row["special"] = canonical.dump(Special(cash_margin_minor=row["face"] // 3))
    tables.receivables[1]["special"] = "{"
    folder = tables.write(tmp_path / "book")
    table = pyarrow.parquet.read_table(folder / "invoices.parquet")
    at = table.schema.get_field_index("base")
    values: list[float] = [float(one) for one in table["base"].to_pylist()]
    values[:3] = [float("nan"), 1.5, float("inf")]
    pyarrow.parquet.write_table(
        table.set_column(at, "base", pa.array(values)), folder / "invoices.parquet"
    )
    gone = next(row["firm_id"] for row in tables.firms if row["in_chain"])
    told, prices = both(cluster, folder, tmp_path, "--stress", f"fails:{gone}")
    assert {one["row"] for one in told["rows_set_aside"]} == {"i0", "i1", "i2"}
    assert told["priced_by_row"] > 40
    owed = [row for row in prices.to_pylist() if row["obligor_id"] == gone]
    assert all(row["rate_bp"] is None for row in owed)


def _torn(folder: Path) -> str:
    whole = (folder / "invoices.parquet").read_bytes()
    (folder / "invoices.parquet").write_bytes(whole[: len(whole) // 2])
    return "FILE_UNREADABLE"


def _without_a_column(folder: Path) -> str:
    table = pyarrow.parquet.read_table(folder / "receivables.parquet")
    pyarrow.parquet.write_table(table.drop_columns(["due_on"]), folder / "receivables.parquet")
    return "COLUMNS_WRONG"


@pytest.mark.parametrize("broken", [_torn, _without_a_column])
def test_a_table_that_is_refused_here_is_refused_on_a_cluster(
    broken: Callable[[Path], str], cluster: spark.Cluster, tmp_path: Path
) -> None:
    folder = drawn(1, invoices=50, receivables=5).write(tmp_path / "book")
    code = broken(folder)
    for engine in ("duckdb", cluster.address):
        done = repriced(cluster, engine, folder, tmp_path / "out.parquet")
        assert (done.returncode, code in done.stdout + done.stderr) == (1, True), done.stderr
        assert not (tmp_path / "out.parquet").exists()
