"""Many files read side by side, in processes beside the one that stores them.

Reading a document costs as much as storing it. While one slice is stored, the next is read on
another processor. The first files are read on the spot, and so are few: a process takes longer to
start.
"""

import copyreg
import datetime as dt
import multiprocessing
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import MappingProxyType, SimpleNamespace, TracebackType
from typing import Any, Final, Self

from scf.documents.intake import read_items
from scf.documents.slices import Item, SentFile
from scf.kernel import garbage
from scf.kernel.errors import Unavailable

# Behind the first files, so many are worth the start of a process.
MANY: Final = 300
MOST_PROCESSES: Final = 8
_CHUNK: Final = 50

Read = Callable[[], list[list[Item]]]
Beat = Callable[[], None]


def nobody_listens() -> None:
    """Do nothing after a file."""


class Reading:
    """Reads files in one way, side by side where there are many.

    Parameters
    ----------
    how
        What the sender says of the files: ``format`` and ``document_type``.
    today
        The day against which a document is post-dated.
    processes
        How many at most; by default half of the processors that we may use.
    beat
        Called whenever some files are read, by whoever waits for them.
    """

    def __init__(
        self,
        how: dict[str, Any],
        today: dt.date,
        processes: int | None = None,
        beat: Beat = nobody_listens,
    ) -> None:
        self._how = how
        self._beat = beat
        self._today = today
        usable = len(os.sched_getaffinity(0))
        self._size = min(MOST_PROCESSES, usable // 2) if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def begin(self, files: Sequence[SentFile]) -> Read:
        """Begin to read files; the answer waits for the items of each, in their order."""
        contents = [file.content for file in files]
        first, self._begun = not self._begun, True
        if first or self._size < 1 or (self._pool is None and len(files) < MANY):
            return lambda: _items(contents, self._how, self._today, self._beat)
        if self._pool is None:
            # Never a fork: the caller may hold connections and threads.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(
                self._size, mp_context=context, initializer=garbage.settle
            )
        begun = [
            self._pool.submit(_items, contents[at : at + _CHUNK], self._how, self._today)
            for at in range(0, len(contents), _CHUNK)
        ]
        return lambda: [items for future in begun for items in self._result(future)]

    def _result(self, future: "Future[list[list[Item]]]") -> list[list[Item]]:
        self._beat()
        return _result(future)


def _result(future: "Future[list[list[Item]]]") -> list[list[Item]]:
    try:
        return future.result()
    except BrokenProcessPool:
        raise Unavailable(
            "READING_ENDED", "A process that reads files has ended. Hand the files in again."
        ) from None


def _items(
    contents: Sequence[bytes], how: dict[str, Any], today: dt.date, beat: Beat = nobody_listens
) -> list[list[Item]]:
    asked = SimpleNamespace(**how, mapping=None)
    read = []
    for content in contents:
        read.append(list(read_items(content, asked, today)))
        beat()
    return read


def _plainly(places: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a read-only view
    return _view, (dict(places),)


def _view(places: dict[str, str]) -> Mapping[str, str]:
    return MappingProxyType(places)


# Where a document's fields stand is told by read-only views, which do not travel by themselves.
copyreg.pickle(MappingProxyType, _plainly)
