"""How often and how far apart something is tried that goes to somebody else's machine."""

import contextlib
import datetime as dt
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Final

# How long after each failure the next try comes, before jitter: a bit over three days in all.
WAITS: Final = tuple(
    dt.timedelta(seconds=seconds)
    for seconds in (5, 30, 120, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400, 86_400)
)
_MAX_QUIET: Final = dt.timedelta(seconds=600)
_MAX_DOUBLINGS: Final = 10


def jitter() -> float:
    """Stretch or shorten a wait a little, so that receivers are not hit in step."""
    return random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, keeps no secret


def is_last(attempts: int) -> bool:
    """Tell whether nothing is tried after so many attempts."""
    return attempts > len(WAITS)


def next_try(now: dt.datetime, attempts: int, stretched: float) -> dt.datetime:
    """Return when to try again after so many attempts, the last of which just failed."""
    return now + WAITS[min(attempts, len(WAITS)) - 1] * stretched


def quiet_for(failures: int) -> dt.timedelta:
    """Return how long a machine is left alone that failed so often in a row."""
    return min(dt.timedelta(seconds=2 ** min(failures, _MAX_DOUBLINGS)), _MAX_QUIET)


@contextlib.contextmanager
def in_time(seconds: float) -> Iterator[Callable[[socket.socket], None]]:
    """Cut a connection off when all of the call has taken too long, byte by byte or not.

    A handle of its own is cut: the socket given may since have become the inside of a TLS one,
    which takes the number of its connection away from it.
    """
    timers: list[threading.Timer] = []
    handles: list[socket.socket] = []

    def within(sock: socket.socket) -> None:
        own = sock.dup()
        handles.append(own)

        def cut() -> None:
            with contextlib.suppress(OSError):
                own.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        timers.append(timer)

    try:
        yield within
    finally:
        for timer in timers:
            timer.cancel()
        for own in handles:
            own.close()
