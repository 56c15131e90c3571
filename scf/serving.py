"""Serving: gunicorn and the worker as two children of one small supervisor.

One dies, or a signal comes: both end, so that a process manager sees one service that is either
whole or gone.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from config.settings import Settings

if TYPE_CHECKING:  # the supervisor starts children and needs none of the platform itself
    from scf.db.platform import Platform

SEAL_EVERY_SECONDS = 5.0
IDLE_SECONDS = 0.5
ABROAD_SECONDS = 1.0
GRACE_SECONDS = 25.0


def serve(settings: Settings) -> int:
    """Run both children until one ends or a signal comes; gives the exit code."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    gunicorn = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        _gunicorn_config(),
        "web.wsgi:app",
    ]
    work = [sys.executable, "-m", "scf", "worker"]
    stop = Stop(signal.SIGINT, signal.SIGTERM)
    # Each child gets a process group of its own: Ctrl-C reaches us first and we end them in order.
    children = [
        subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603
        for command in (gunicorn, work)
    ]
    print(f"serving on http://{settings.host}:{settings.port}", flush=True)  # noqa: T201
    while not stop.wait(0.2) and all(child.poll() is None for child in children):
        pass
    failed = [child.returncode for child in children if child.poll() is not None]
    _end(children)
    return 0 if stop.asked() else (failed[0] if failed else 1) or 1


class Stop:
    """The wish of a signal that we end, waited for by the main thread.

    Not a ``threading.Event``: its lock cannot be taken twice, so a signal that arrives while the
    main thread is just inside ``wait`` would block in ``set`` for ever. ``SimpleQueue.put`` may be
    called from a signal's handler at any moment.
    """

    def __init__(self, *signals: int) -> None:
        self._asked = False
        self._calls: queue.SimpleQueue[int] = queue.SimpleQueue()
        for number in signals:
            signal.signal(number, self._ask)

    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._asked

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        self._asked = True
        self._calls.put(number)

    def wait(self, seconds: float) -> bool:
        """Wait for so long or until asked; gives whether we were asked."""
        if not self._asked:
            with suppress(queue.Empty):
                self._calls.get(timeout=seconds)
        return self._asked


def _gunicorn_config() -> str:
    import config

    return str(Path(config.__file__).parent / "gunicorn.conf.py")


def _end(children: list[subprocess.Popen[bytes]]) -> None:
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children:
        try:
            child.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def run_worker(
    platform: "Platform", seals: Path, abroad: Sequence[Callable[[], object]] = ()
) -> None:
    """Work, say that we live, and seal the trail, until a signal comes.

    Each seal is appended to the ``seals`` file as well: whoever rewrites the trail in the
    database must find every copy of that file, too. What talks with other systems (``abroad``)
    does so beside the jobs, each in a thread of its own: a slow partner holds nobody up.
    """
    import structlog

    from scf.db import failures
    from scf.kernel.errors import Unavailable

    log = structlog.get_logger(__name__)
    stop = Stop(signal.SIGINT, signal.SIGTERM)
    end = threading.Event()
    threads = [threading.Thread(target=_repeat, args=(chore, end)) for chore in abroad]
    for thread in threads:
        thread.start()
    worker = platform.worker(f"worker-{os.getpid()}")
    sealed_at = 0.0
    while not stop.asked():
        try:
            with failures.told_plainly():
                worker.beat()
                while not stop.asked() and worker.step():
                    if time.monotonic() - sealed_at > SEAL_EVERY_SECONDS:
                        sealed_at = seal_and_export(platform, seals)
                if time.monotonic() - sealed_at > SEAL_EVERY_SECONDS:
                    sealed_at = seal_and_export(platform, seals)
        except Unavailable as away:
            # The database restarts, or its disk is full: what we had claimed comes back in time.
            log.warning(away.message)
        stop.wait(IDLE_SECONDS)
    end.set()
    for thread in threads:
        thread.join(GRACE_SECONDS)
    platform.close()


def _repeat(chore: Callable[[], object], end: threading.Event) -> None:
    """Do a chore again and again; what goes wrong once is told and does not end it."""
    import structlog

    log = structlog.get_logger(__name__)
    while not end.is_set():
        try:
            chore()
        except Exception as error:
            log.exception("chore_failed", chore=str(chore), error=str(error))
        end.wait(ABROAD_SECONDS)


def seal_and_export(platform: "Platform", seals: Path) -> float:
    """Seal what is unsealed and append every seal that the file lacks; gives the moment after.

    Whoever sealed (``scf verify`` does, too) and whatever died before the file was written: the
    next call catches up.
    """
    from scf.db import seal

    with platform.db.writer.begin() as conn:
        seal.seal(conn, platform.clock.now())
    seals.parent.mkdir(parents=True, exist_ok=True)
    last = _last_exported(seals)
    with platform.db.snapshot() as conn:
        new = seal.since(conn, last)
    with seals.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(made, sort_keys=True) + "\n" for made in new)
    return time.monotonic()


def _last_exported(seals: Path) -> int:
    """Give the number of the last seal in the file; a line that a crash tore off is cut away."""
    if not seals.exists():
        return 0
    with seals.open("rb+") as file:
        content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        file.truncate(len(whole))
    return int(json.loads(whole.splitlines()[-1])["seq"]) if whole else 0
