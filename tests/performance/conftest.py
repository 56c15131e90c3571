"""One report for all benchmarks of a run, told at its end; databases that keep what they commit."""

import itertools
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from scf.bootstrap import build, create_schema
from tests.performance import crowded
from tests.performance.measure import REPORT, ROOT, Report
from tests.support.demo_world import DemoCopy, DemoWorld
from tests.support.postgres import Databases, PostgresServer

_report: pytest.StashKey[Report] = pytest.StashKey()


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Where a benchmark writes its result."""
    return request.config.stash.setdefault(_report, Report())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Tell every figure beside its peer; a goal that is missed fails nothing, it is said."""
    if _report not in config.stash:
        return
    terminalreporter.section(f"benchmarks ({REPORT.relative_to(ROOT)})")
    for line in config.stash[_report].lines:
        terminalreporter.write_line(line)


# --- Databases that pay for their commits, as in production ------------------------------------


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> None:
    """Leave SQLite as it is: what is measured waits for the disk."""


class Store(Protocol):
    """Makes databases of one engine and copies them while nobody is connected."""

    engine: str

    def fresh(self) -> str:
        """Make a database with the present schema."""

    def copy(self, url: str) -> str:
        """Make a second database with the same content."""


class _Sqlite:
    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count()

    def fresh(self) -> str:
        url = f"sqlite:///{self.folder / f'{next(self.numbers)}.db'}"
        create_schema(url)
        return url

    def copy(self, url: str) -> str:
        source = url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(source)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # everything into the one file
        target = self.folder / f"{next(self.numbers)}.db"
        shutil.copyfile(source, target)
        return f"sqlite:///{target}"


class _Postgresql:
    engine = "postgresql"

    def __init__(self, databases: Databases) -> None:
        self.databases = databases
        self.names: list[str] = []

    def _name(self) -> str:
        self.names.append(f"bench_{len(self.names)}")
        return self.names[-1]

    def fresh(self) -> str:
        url = self.databases.create(self._name())
        create_schema(url)
        return url

    def copy(self, url: str) -> str:
        return self.databases.create(self._name(), url.rpartition("/")[2])

    def close(self) -> None:
        for name in self.names:
            self.databases.drop(name)


@pytest.fixture(scope="session")
def durable_server() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server that writes its log to the disk before it answers."""
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture(params=("sqlite", "postgresql"))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """``sqlite``, then ``postgresql``, both with durable commits."""
    if request.param == "sqlite":
        yield _Sqlite(tmp_path)
        return
    server: PostgresServer = request.getfixturevalue("durable_server")
    databases = Databases(server.url("postgres"))
    made = _Postgresql(databases)
    yield made
    made.close()
    databases.close()


@pytest.fixture
def demo(store: Store, demo_world: DemoWorld, tmp_path: Path) -> Iterator[DemoCopy]:
    """Return a copy of the demo world on either engine."""
    with demo_world.copied(tmp_path / "demo") as copy:
        if store.engine == "sqlite":
            yield copy
            return
        platform = build(store.fresh(), clock=copy.clock)
        crowded.moved(copy.platform.db, platform.db)
        yield DemoCopy(copy.folder, platform, copy.clock)
        platform.close()
