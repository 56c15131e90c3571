"""A stop is heard at any moment, also in the middle of waiting for it.

Source: promises.md P26.
"""

import os
import signal
import subprocess
import sys

from scf.serving import Stop

# One process for all rounds: the signal comes a few microseconds after the wait has begun, at a
# place that moves. With a `threading.Event` this stands still within the first thousand.
ROUNDS = 20_000
PROGRAM = f"""
import signal
from scf.serving import Stop
for number in range({ROUNDS}):
    stop = Stop(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 0.0001 + number % 97 * 1e-6)
    while not stop.wait(0.00001):
        pass
print("heard every time")
"""
PATIENCE = 120


def test_a_signal_that_comes_while_we_wait_is_never_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout == "heard every time\n"


def test_a_wait_ends_by_itself_and_says_that_nobody_asked() -> None:
    usual = signal.getsignal(signal.SIGUSR1)
    try:
        stop = Stop(signal.SIGUSR1)
        assert not stop.wait(0.001)
        os.kill(os.getpid(), signal.SIGUSR1)
        assert stop.wait(60)
        assert stop.wait(60)
        assert stop.asked()
    finally:
        signal.signal(signal.SIGUSR1, usual)
