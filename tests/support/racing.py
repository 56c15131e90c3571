"""Let many threads do something at the same moment, and collect what came of it."""

import threading
from collections import Counter
from collections.abc import Callable

from scf.kernel.errors import ScfError


def race(count: int, act: Callable[[int], str]) -> Counter[str]:
    """Run ``act(i)`` in ``count`` threads that start together; count answers and error codes.

    Any exception that is not one of the platform's own is a failure of the test.
    """
    gate = threading.Barrier(count)
    results: list[str] = []
    bugs: list[BaseException] = []

    def one(number: int) -> None:
        gate.wait()
        try:
            results.append(act(number))
        except ScfError as refusal:
            results.append(refusal.code)
        except BaseException as bug:  # noqa: BLE001 - handed to the test below
            bugs.append(bug)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if bugs:
        raise bugs[0]
    return Counter(results)
