"""Processes that talk with other systems and are killed, for real, before a step of our choice.

A step is a commit, or an act on a folder: whatever another process could find half done.
"""

import datetime as dt
import os
import signal
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event

from scf.bootstrap import Platform, build
from scf.channels.folders import LocalFolders
from scf.channels.rounds import Rounds
from scf.channels.sftp import RemoteFolders
from scf.db.engine import Database
from scf.kernel.clock import FixedClock
from scf.notices.webhooks.delivery import Courier
from scf.notices.webhooks.targets import Targets
from tests.channels.desk import VAULT
from tests.support.crashing import started

_ACTS: Final = ("take", "drop", "put", "finish")
SECONDS: Final = 60


def visits(
    url: str, at: dt.datetime, dies_at: int, folders: tuple[Path, Path], said: Connection
) -> None:
    """Be the worker whose turn it is to visit the channels."""
    platform = build(url, clock=FixedClock(at))
    _count(platform, dies_at)
    Rounds(platform, Targets(loopback=True), *folders).look()
    platform.close()
    said.send_bytes(b".")


def sends(url: str, at: dt.datetime, dies_at: int, said: Connection) -> None:
    """Be the worker that hands events on and sends what is due."""
    platform = build(url, clock=FixedClock(at))
    _count(platform, dies_at)
    platform.worker("sends").drain()
    courier = Courier(platform, VAULT, Targets(loopback=True), jitter=lambda: 1.0)
    while courier.send_due():
        pass
    platform.close()
    said.send_bytes(b".")


def killed(
    work: Callable[..., None], db: Database, at: dt.datetime, dies_at: int, *more: object
) -> bool:
    """Let a process work; tells whether it was killed before it had come to its end."""
    url = db.url.render_as_string(hide_password=False)
    with started(work, url, at, dies_at, *more) as running:
        running.process.join(SECONDS)
        assert running.process.exitcode in {0, -signal.SIGKILL}
        return bool(running.process.exitcode)


def _count(platform: Platform, dies_at: int) -> None:
    steps = count(1)

    def step(*_told: object) -> None:
        if next(steps) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(platform.db.writer, "commit", step)
    for kind in (LocalFolders, RemoteFolders):
        for name in _ACTS:
            setattr(kind, name, _watched(getattr(kind, name), step))


def _watched(act: Callable[..., Any], step: Callable[[], None]) -> Callable[..., Any]:
    def watched(*given: Any, **how: Any) -> Any:  # noqa: ANN401 - as the act itself
        step()
        return act(*given, **how)

    return watched
