"""A Spark cluster on loopback for a test: a master and two workers, each ended by its id."""

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[3]
WORKERS: Final = 2
_ADDRESS: Final = re.compile(r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
_REGISTERED: Final = "Successfully registered with master"
_MIB: Final = 1 << 20
_DEPLOY: Final = "org.apache.spark.deploy"


@dataclass
class Cluster:
    """A running cluster: its address, the folders of its workers, and its processes by name."""

    address: str
    folder: Path
    processes: Mapping[str, int]

    def executors(self) -> list[list[str]]:
        """Name the executors that each worker has run, as it keeps a folder of each."""
        return [
            sorted(str(one.relative_to(work)) for one in work.glob("app-*/[0-9]*"))
            for work in (self.folder / f"work{at}" for at in range(WORKERS))
        ]


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """Start a master and two workers of one core and 1 GiB each; end them at the end."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    start = str(Path(spec.origin).parent / "bin" / "spark-class")
    with contextlib.ExitStack() as running:
        processes: dict[str, int] = {}

        def begin(name: str, *words: str) -> Path:
            log = folder / f"{name}.log"
            file = running.enter_context(log.open("w"))
            one = subprocess.Popen(
                [start, *words], env=environment(folder), stdout=file, stderr=subprocess.STDOUT
            )
            running.callback(one.wait)
            running.callback(one.terminate)
            processes[name] = one.pid
            return log

        here = ("--host", "127.0.0.1", "--webui-port", "0")
        log = begin("master", f"{_DEPLOY}.master.Master", *here, "--port", "0")
        found = _ADDRESS.search(_said(log, _ADDRESS.pattern))
        assert found is not None
        for at in range(WORKERS):
            log = begin(
                f"worker {at}", f"{_DEPLOY}.worker.Worker", *here, "--cores", "1", "--memory",
                "1g", "--work-dir", str(folder / f"work{at}"), found[1],
            )  # fmt: skip
            _said(log, _REGISTERED)
        yield Cluster(found[1], folder, processes)


def environment(folder: Path) -> dict[str, str]:
    """Give what the cluster and its driver are started with: loopback, and this interpreter."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "spill"),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }


def _said(log: Path, pattern: str) -> str:
    for _ in range(240):
        text = log.read_text("utf-8") if log.exists() else ""
        if re.search(pattern, text):
            return text
        time.sleep(0.5)
    raise AssertionError(log.read_text("utf-8"))


# --- What it costs --------------------------------------------------------------------------------


@dataclass
class Cost:
    """CPU seconds and the most memory (RSS, MiB) of some processes with all that they started."""

    cpu: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        """Give a line for the report of a test."""
        return ", ".join(
            f"{name} {self.cpu[name]:.0f} s CPU {self.memory[name]:.0f} MiB" for name in self.cpu
        )


@contextlib.contextmanager
def watched(processes: Mapping[str, int]) -> Iterator[Cost]:
    """Look at some processes twice a second, and at all below them."""
    cost, done = Cost(), threading.Event()

    def look() -> None:
        while not done.wait(0.5):
            _weigh(processes, cost)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield cost
    finally:
        done.set()
        watcher.join()


def _weigh(processes: Mapping[str, int], cost: Cost) -> None:
    seen: dict[int, tuple[int, float, float]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            cells = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
            # By proc(5): parent, own and waited-for ticks of user and system, pages.
            ticks = sum(map(int, cells[11:15])) / os.sysconf("SC_CLK_TCK")
            pages = int(cells[21]) * os.sysconf("SC_PAGE_SIZE") / _MIB
            seen[int(folder.name)] = (int(cells[1]), ticks, pages)
    for name, top in processes.items():
        tree = {top} & seen.keys()
        while more := {pid for pid, (parent, _, _) in seen.items() if parent in tree} - tree:
            tree |= more
        cost.cpu[name] = max(cost.cpu.get(name, 0.0), sum(seen[pid][1] for pid in tree))
        cost.memory[name] = max(cost.memory.get(name, 0.0), sum(seen[pid][2] for pid in tree))
