"""A worker on its rounds that is killed, for real, before a commit or a call of our choice."""

import datetime as dt
import os
import signal
import threading
from collections.abc import Iterable
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import pytest
from sqlalchemy import event

from scf.bootstrap import build
from scf.channels.erp.rounds import ErpRounds
from scf.kernel.clock import FixedClock
from scf.notices.webhooks.targets import NotReached, Targets
from tests.channels.erp.office import VAULT, Office
from tests.support.crashing import started
from tests.support.guarded import Guarded

SECONDS = 120


def works(url: str, at: dt.datetime, dies_at: int, said: Connection) -> None:
    """Be the worker whose turn it is; a step is a commit here or a call there."""
    platform = build(url, clock=FixedClock(at))
    steps = count(1)

    def step(*_told: object) -> None:
        if next(steps) == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(platform.db.writer, "commit", step)
    exchange = Targets.exchange

    def watched(*given: Any, **how: Any) -> Any:  # noqa: ANN401 - as the act itself
        step()
        return exchange(*given, **how)

    Targets.exchange = watched  # type: ignore[method-assign]
    ErpRounds(platform, VAULT, Targets(loopback=True)).look()
    platform.close()
    said.send_bytes(b".")


def killed(office: Office, dies_at: int) -> bool:
    """Let a worker make a round; tells whether it was killed before it had come to its end."""
    url = office.platform.db.url.render_as_string(hide_password=False)
    office.pause()
    with started(works, url, office.clock.now(), dies_at) as running:
        running.process.join(SECONDS)
        assert running.process.exitcode in {0, -signal.SIGKILL}
        return bool(running.process.exitcode)


def unlucky(patch: pytest.MonkeyPatch, server: Guarded, dies_at: int, *, done: bool) -> None:
    """Let one call find the server dead: before it arrives there, or before its answer comes."""
    calls = count(1)
    exchange = Targets.exchange

    def watched(*given: Any) -> Any:  # noqa: ANN401 - as the call itself
        if next(calls) != dies_at:
            return exchange(*given)
        if done:
            exchange(*given)
        server.kill()
        raise NotReached("ANSWER" if done else "CONNECTION")

    patch.setattr(Targets, "exchange", watched)


def struck(
    patch: pytest.MonkeyPatch, server: Guarded, method: str, seconds: float
) -> list[threading.Timer]:
    """Kill the server so long after a call of a method has begun, while it is at work on it."""
    timers: list[threading.Timer] = []
    exchange = Targets.exchange
    wanted = f'"method": "{method}"'.encode()

    def watched(*given: Any) -> Any:  # noqa: ANN401 - as the call itself
        if not timers and wanted in given[2]:
            timers.append(threading.Timer(seconds, server.kill))
            timers[0].start()
        return exchange(*given)

    patch.setattr(Targets, "exchange", watched)
    return timers


def deaths(office: Office, places: Iterable[int]) -> int:
    """Kill one worker after the other, each a bit later; gives how many died."""
    many = 0
    for dies_at in places:
        if not killed(office, dies_at):
            break
        many += 1
    return many
