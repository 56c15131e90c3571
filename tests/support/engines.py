"""Fixtures that run one test on both engines, each time on a fresh, migrated, empty database.

One PostgreSQL server serves the whole run: the process that the person started owns it, and
xdist workers get its address from there. A database per test is a copy of a template that each
worker migrates once: about 50 ms on PostgreSQL, a file copy on SQLite.
"""

import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from tests.support.postgres import Databases, PostgresMissing, PostgresServer

if TYPE_CHECKING:
    from scf.db.engine import Database

ENGINES = ("sqlite", "postgresql")
Prepare = Callable[[str], None]

_server: pytest.StashKey[PostgresServer] = pytest.StashKey()


def build_schema(url: str) -> None:
    """Bring an empty database to the present schema; the one seam between tests and product."""
    from scf.bootstrap import create_schema

    create_schema(url)


# --- One server per run -----------------------------------------------------------------------


def _server_url(config: pytest.Config) -> str:
    """Address of the run's server; starts it at the first call outside xdist."""
    handed_down: dict[str, Any] | None = getattr(config, "workerinput", None)
    if handed_down is not None:
        return str(handed_down["postgres_url"])
    if _server not in config.stash:
        server = PostgresServer()
        server.__enter__()
        config.stash[_server] = server
    return config.stash[_server].url("postgres")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist ships no types
    """Hand the server's address to an xdist worker before it starts."""
    try:
        node.workerinput["postgres_url"] = _server_url(node.config)
    except PostgresMissing as missing:
        raise pytest.UsageError(str(missing)) from missing


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the server with the run."""
    if _server in config.stash:
        config.stash[_server].close()
        del config.stash[_server]


# --- SQLite that does not wait for the disk -----------------------------------------------------


def _stop_waiting(connection: object, record: ConnectionPoolEntry, _lent: object) -> None:
    """Switch syncing off in a connection at its first use; notes how the product had set it."""
    if isinstance(connection, sqlite3.Connection) and "synchronous" not in record.info:
        record.info["synchronous"] = connection.execute("PRAGMA synchronous").fetchone()[0]
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk() -> Iterator[None]:
    """Let this process commit to SQLite without waiting, as the run's PostgreSQL does, too.

    What a commit has written is there for every process, and stays when one is killed; only a
    power cut would take it. Programs that tests start keep the product's own setting.
    """
    event.listen(Pool, "checkout", _stop_waiting)
    yield
    event.remove(Pool, "checkout", _stop_waiting)


# --- Statements that are compiled once ----------------------------------------------------------


class _Compiled(MutableMapping[tuple[Any, ...], Any]):
    """What SQLAlchemy has compiled, for every database of one kind and not for one engine alone.

    Its keys begin with the dialect of an engine; all engines of a driver have equal ones here.
    """

    most = 4_000

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], Any] = {}

    def __getitem__(self, key: tuple[Any, ...]) -> Any:  # noqa: ANN401 - SQLAlchemy's own
        return self._kept[key[1:]]

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:  # noqa: ANN401
        if len(self._kept) >= self.most:
            self._kept.clear()
        self._kept[key[1:]] = compiled

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._kept[key[1:]]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Let the engines of this process share their compiled statements, as those of a server do.

    A server compiles a statement at its first use; a test with a database, hence an engine, of
    its own would compile nearly all of them anew, a quarter of its time.
    """
    kept: defaultdict[str, _Compiled] = defaultdict(_Compiled)

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=kept[connection.engine.driver])

    event.listen(Engine, "engine_connect", share)
    yield
    event.remove(Engine, "engine_connect", share)


# --- One database per test --------------------------------------------------------------------


@pytest.fixture(scope="session")
def worker(request: pytest.FixtureRequest) -> str:
    """Name of this worker, unique among the processes that share the server."""
    handed_down: dict[str, Any] | None = getattr(request.config, "workerinput", None)
    return str(handed_down["workerid"]) if handed_down else "alone"


@pytest.fixture(scope="session")
def postgres_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Maker of databases on the run's server."""
    databases = Databases(_server_url(request.config))
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_databases: Databases, worker: str) -> str:
    """Name of a migrated, empty database that this worker copies for each test."""
    name = f"template_{worker}"
    build_schema(postgres_databases.create(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated, empty file that this worker copies for each test."""
    file = tmp_path_factory.mktemp("template") / "template.db"
    build_schema(f"sqlite:///{file}")
    gather(file)
    return file


def gather(file: Path) -> None:
    """Bring everything that was committed into the one file that is copied."""
    conn = sqlite3.connect(file)
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()


class Prepared:
    """Templates that are not empty, made by this worker at their first use."""

    def __init__(self, worker: str, folder: Path) -> None:
        self.worker, self.folder = worker, folder
        self._made: dict[tuple[str, Prepare], str] = {}

    def sqlite(self, prepare: Prepare, empty: Path) -> Path:
        """Return the file that ``prepare`` has filled."""
        file = self.folder / self._made.setdefault(
            ("sqlite", prepare), f"prepared-{len(self._made)}.db"
        )
        if not file.exists():
            draft = shutil.copyfile(empty, file.with_suffix(".part"))
            prepare(f"sqlite:///{draft}")
            gather(draft)
            draft.rename(file)
        return file

    def postgresql(self, prepare: Prepare, databases: Databases, empty: str) -> str:
        """Return the name of the database that ``prepare`` has filled."""
        if ("postgresql", prepare) not in self._made:
            name = f"prepared_{self.worker}_{len(self._made)}"
            prepare(databases.create(name, empty))
            self._made["postgresql", prepare] = name
        return self._made["postgresql", prepare]


@pytest.fixture(scope="session")
def prepared(worker: str, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """Keeper of this worker's templates."""
    return Prepared(worker, tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def prepare() -> Prepare | None:
    """Return what has filled the database of a test before it gets its copy: here nothing.

    Where many tests begin in the same world, a module or a folder overrides this by a function at
    module level that takes the address of an empty database and closes what it has opened there.
    """
    return None


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """``sqlite``, then ``postgresql``: asking for this (or below) runs a test on both."""
    return str(request.param)


class _Fresh:
    """Numbers this process's databases, so that their names never meet."""

    made = 0

    @classmethod
    def name(cls, worker: str) -> str:
        cls.made += 1
        return f"test_{worker}_{cls.made}"


@pytest.fixture
def empty_url(
    engine_name: str, worker: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Address of a database without any table: for tests of migrations and of scf.db itself."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    name = _Fresh.name(worker)
    yield databases.create(name)
    databases.drop(name)


@pytest.fixture
def engine_url(
    engine_name: str,
    worker: str,
    tmp_path: Path,
    prepare: Prepare | None,
    prepared: Prepared,
    request: pytest.FixtureRequest,
) -> Iterator[str]:
    """Address of a fresh, migrated database: an empty one, unless ``prepare`` has filled it."""
    if engine_name == "sqlite":
        file = tmp_path / "scf.db"
        source: Path = request.getfixturevalue("sqlite_template")
        if prepare is not None:
            source = prepared.sqlite(prepare, source)
        shutil.copyfile(source, file)
        yield f"sqlite:///{file}"
        return
    databases: Databases = request.getfixturevalue("postgres_databases")
    template: str = request.getfixturevalue("postgres_template")
    if prepare is not None:
        template = prepared.postgresql(prepare, databases, template)
    name = _Fresh.name(worker)
    yield databases.create(name, template)
    databases.drop(name)


@pytest.fixture
def db(engine_url: str) -> "Iterator[Database]":
    """Return an open :class:`scf.db.engine.Database` on a fresh, migrated, empty database."""
    from scf.db.engine import Database

    database = Database(engine_url)
    yield database
    database.close()


@pytest.fixture
def crash_postgres() -> Iterator[PostgresServer]:
    """Return a server of this test alone, fsync on, with the migrated database ``scf``.

    ``crash_postgres.crash()`` kills it as a power cut would, ``.start()`` recovers it on the
    same port, ``.url("scf")`` is the database's address throughout.
    """
    with PostgresServer(durable=True) as server:
        databases = Databases(server.url("postgres"))
        url = databases.create("scf")
        databases.close()
        build_schema(url)
        yield server
