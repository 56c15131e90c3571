"""The two engines behind the same expressions: DuckDB in this process, or a Spark cluster."""

import contextlib
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Protocol

from scf.kernel.errors import InvalidInput, Unavailable

EMBEDDED: Final = "duckdb"
_CLUSTER: Final = re.compile(r"spark://[A-Za-z0-9.-]+:[0-9]{1,5}|local\[[0-9]{1,3}\]")
BATCH_ROWS: Final = 65_536
Mapping = Callable[[Any], Any]
"""From one record batch to another."""


class Engine(Protocol):
    """What the pipeline needs of an engine; tables and expressions are those of ibis."""

    name: str

    def read(self, path: str) -> Any:  # noqa: ANN401 - libraries without types of their own
        """Give a table of Parquet or CSV; all columns of CSV are text."""

    def table(self, name: str, content: Any) -> Any:  # noqa: ANN401
        """Give a table of rows in memory (an Arrow table)."""

    def kept(self, name: str, expression: Any) -> Any:  # noqa: ANN401
        """Work an expression out once and give the table of what came out."""

    def fetched(self, expression: Any) -> Any:  # noqa: ANN401
        """Give what an expression says as an Arrow table."""

    def mapped(self, expression: Any, mapping: Mapping, schema: Any, out: str) -> Any:  # noqa: ANN401
        """Send an expression's rows through a mapping, batch by batch; write them if ``out``."""


@contextlib.contextmanager
def opened(word: str) -> "Iterator[Engine]":
    """Open the engine that a person named: ``duckdb``, ``spark://HOST:PORT`` or ``local[N]``.

    Raises
    ------
    InvalidInput
        ENGINE for another word.
    Unavailable
        SET_MISSING without its library, CLUSTER where none answers.
    """
    if word != EMBEDDED and not _CLUSTER.fullmatch(word):
        raise InvalidInput("ENGINE", "An engine is duckdb or spark://HOST:PORT.", given=word[:100])
    wanted = ("ibis", "duckdb", "pyarrow") if word == EMBEDDED else ("ibis", "pyarrow", "pyspark")
    need(wanted, "core batch" + ("" if word == EMBEDDED else " spark"))
    with embedded() if word == EMBEDDED else cluster(word) as engine:
        yield engine


def need(names: tuple[str, ...], sets: str) -> None:
    """Stop where a library is not installed.

    Raises
    ------
    Unavailable
        SET_MISSING, with the line that installs it.
    """
    from importlib.util import find_spec

    for name in names:
        if find_spec(name) is None:
            raise Unavailable(
                "SET_MISSING",
                "This needs more sets: python3 tools/setup.py install %(sets)s",
                sets=sets,
            )


# --- DuckDB -----------------------------------------------------------------------------------


@contextlib.contextmanager
def embedded() -> "Iterator[Engine]":
    """Open a database in memory that spills to a folder of its own."""
    import ibis

    with tempfile.TemporaryDirectory(prefix="scf-batch-") as folder:
        con = ibis.duckdb.connect(":memory:", temp_directory=folder, preserve_insertion_order=False)
        try:
            yield _DuckDB(con, Path(folder))
        finally:
            con.disconnect()


class _DuckDB:
    name = EMBEDDED

    def __init__(self, con: Any, folder: Path) -> None:  # noqa: ANN401
        self.con, self.folder = con, folder

    def read(self, path: str) -> Any:  # noqa: ANN401
        import duckdb

        try:
            if _is_text(path):
                return self.con.read_csv(
                    path,
                    all_varchar=True,
                    header=True,
                    delim=",",
                    quote='"',
                    auto_detect=False,
                    columns=_headed(path),
                )
            return self.con.read_parquet(_all_of(path))
        except (duckdb.Error, OSError, ValueError) as broken:
            raise unreadable(path, broken) from broken

    def table(self, name: str, content: Any) -> Any:  # noqa: ANN401
        self.con.con.register(name, content)
        return self.con.table(name)

    def kept(self, name: str, expression: Any) -> Any:  # noqa: ANN401
        import duckdb

        try:
            return self.con.create_table(name, expression, temp=True)
        except duckdb.Error as broken:
            raise unreadable("", broken) from broken

    def fetched(self, expression: Any) -> Any:  # noqa: ANN401
        import duckdb

        try:
            return self.con.to_pyarrow(expression)
        except duckdb.Error as broken:
            raise unreadable("", broken) from broken

    def mapped(self, expression: Any, mapping: Mapping, schema: Any, out: str) -> Any:  # noqa: ANN401
        from scf.risk.batch.writing import writer

        target = out or str(self.folder / "prices.parquet")
        with writer(target, schema) as put:
            running = self.con.con.execute(self.con.compile(expression))
            for batch in running.to_arrow_reader(BATCH_ROWS):
                put(mapping(batch))
        if _is_text(target):
            types = {field.name: str(field.type).upper() for field in schema}
            return self.con.read_csv(target, header=True, columns=_sql_types(types))
        return self.con.read_parquet(target)


def _headed(path: str) -> dict[str, str]:
    """Name the columns of a CSV, all as text, so that no line decides what the others are."""
    import csv

    with Path(path).open(encoding="utf-8-sig", newline="") as lines:
        names = next(csv.reader(lines), [])
    return dict.fromkeys(names, "VARCHAR")


def _sql_types(types: dict[str, str]) -> dict[str, str]:
    words = {"STRING": "VARCHAR", "INT64": "BIGINT", "DOUBLE": "DOUBLE", "BOOL": "BOOLEAN"}
    return {name: words[kind] for name, kind in types.items()}


# --- Spark ------------------------------------------------------------------------------------


@contextlib.contextmanager
def cluster(master: str) -> "Iterator[Engine]":
    """Open a session on a cluster whose workers have this platform and the set batch installed.

    Raises
    ------
    Unavailable
        CLUSTER where nobody answers, or where there is no Java.
    """
    import logging

    import ibis
    from pyspark.sql import SparkSession

    logging.getLogger("py4j").setLevel(logging.ERROR)
    builder = SparkSession.builder.master(master).appName("scf risk reprice")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as broken:
        raise _no_cluster(master, broken) from broken
    session.sparkContext.pythonExec = sys.executable
    session.sparkContext.setLogLevel("ERROR")
    try:
        yield _Spark(ibis.pyspark.connect(session), session)
    finally:
        session.stop()


SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
    # What is kept has as many parts as its size asks for, not always two hundred.
    "spark.sql.optimizer.canChangeCachedPlanOutputPartitioning": "true",
    "spark.sql.ansi.enabled": "true",  # a sum that leaves 64 bits is an error, never another number
}


def _no_cluster(master: str, broken: Exception) -> Unavailable:
    return Unavailable(
        "CLUSTER",
        "The cluster does not answer, or this machine has no Java 17.",
        engine=master,
        reason=_first_line(broken),
    )


class _Spark:
    def __init__(self, con: Any, session: Any) -> None:  # noqa: ANN401
        self.con, self.session = con, session
        self.name = str(session.sparkContext.master)

    def read(self, path: str) -> Any:  # noqa: ANN401
        try:
            if _is_text(path):
                return self.con.read_csv(path, header=True, inferSchema=False, mode="FAILFAST")
            return self.con.read_parquet(path)
        except Exception as broken:
            raise unreadable(path, broken) from broken

    def table(self, name: str, content: Any) -> Any:  # noqa: ANN401
        self.session.createDataFrame(content).createOrReplaceTempView(name)
        return self.con.table(name)

    def kept(self, name: str, expression: Any) -> Any:  # noqa: ANN401
        return self._view(name, self.session.sql(self.con.compile(expression)))

    def _view(self, name: str, rows: Any) -> Any:  # noqa: ANN401
        rows.persist().createOrReplaceTempView(name)
        return self.con.table(name)

    def fetched(self, expression: Any) -> Any:  # noqa: ANN401
        try:
            return self.con.to_pyarrow(expression)
        except Exception as broken:
            raise unreadable("", broken) from broken

    def mapped(self, expression: Any, mapping: Mapping, schema: Any, out: str) -> Any:  # noqa: ANN401
        from pyspark.sql.pandas.types import from_arrow_schema

        def each(batches: Any) -> Any:  # noqa: ANN401 - runs at the workers
            for batch in batches:
                yield mapping(batch)

        rows = self.session.sql(self.con.compile(expression))
        priced = rows.mapInArrow(each, from_arrow_schema(schema))
        table = self._view("prices", priced)
        if out:
            kind = "csv" if _is_text(out) else "parquet"
            try:
                priced.write.format(kind).option("header", "true").save(out)
            except Exception as broken:
                raise unreadable(out, broken) from broken
        return table


# --- Files ------------------------------------------------------------------------------------


def unreadable(path: str, broken: Exception) -> InvalidInput:
    """Give the refusal of a file that cannot be read, with the place that the reader names."""
    return InvalidInput(
        "FILE_UNREADABLE",
        "This file cannot be read as a table.",
        file=Path(path).name,
        reason=_first_line(broken),
    )


def _first_line(broken: Exception) -> str:
    lines = [line.strip() for line in str(broken).splitlines() if line.strip()]
    return " ".join(lines[:3])[:300]


def _is_text(path: str) -> bool:
    return path.endswith(".csv")


def _all_of(path: str) -> str:
    """Take a folder as all Parquet files in it, as a cluster writes them."""
    return f"{path}/**/*.parquet" if Path(path).is_dir() else path
