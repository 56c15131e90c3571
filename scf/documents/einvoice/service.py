"""Warm processes that hold documents against the rules of EN 16931, beside the importer.

A process is started when there is a document for it, keeps its compiled rules, and is ended when
it fails or is silent for too long; a new one takes its place. What could not be judged is told as
such: no document is ever called valid because nobody looked.
"""

from __future__ import annotations

import atexit
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeVar

import scf
from scf.documents.einvoice import child
from scf.documents.einvoice.stylesheets import folder
from scf.documents.einvoice.validator import Verdict
from scf.kernel.errors import Unavailable

# The processor's time is bounded in the child; this only ends one that waits for something.
SILENCE_SECONDS: Final = 60.0
MOST_PROCESSES: Final = 8
# So many that end without one answer in a row: it is not the documents.
MOST_STILLBORN: Final = 3
# What a process is to run; the number of its socket follows.
PROGRAM: Final = ("-m", "scf.documents.einvoice.child")

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Why a document has no verdict: DIED, SILENT, or the code of its refusal as XML."""

    reason: str


class _Process:
    """One child and what it is busy with."""

    def __init__(self, silence: float) -> None:
        ours, theirs = socket.socketpair()
        # The child is our own program on our own interpreter; it gets one socket and no secrets.
        path = os.pathsep.join(filter(None, (str(Path(scf.__path__[0]).parent), *sys.path)))
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, *PROGRAM, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={"PYTHONPATH": path, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        ours.settimeout(silence)
        self.socket = ours
        self.silence = silence
        self.until = 0.0
        self.answered = False

    def ask(self, content: bytes) -> bool:
        """Hand over one document; False when the child has ended."""
        self.until = time.monotonic() + self.silence
        try:
            child.send(self.socket, content)
        except OSError:
            return False
        return True

    def answer(self) -> Verdict | Unjudged:
        try:
            said = child.receive(self.socket)
        except OSError:
            said = None
        if said is None:
            return Unjudged("DIED")
        self.answered = True
        answer = json.loads(said)
        return Unjudged(answer["refused"]) if "refused" in answer else child.verdict_of(answer)

    def end(self) -> None:
        self.socket.close()
        self.process.kill()
        self.process.wait()


class RuleService:
    """Judges many documents side by side, for one caller at a time.

    Parameters
    ----------
    size
        How many processes at most; by default one per processor that we may use.
    silence
        After so many seconds without an answer a process is ended.
    """

    def __init__(self, size: int | None = None, silence: float = SILENCE_SECONDS) -> None:
        self.silence = silence
        self.size = size or min(MOST_PROCESSES, len(os.sched_getaffinity(0)))
        self._idle: list[_Process] = []
        self._busy: list[_Process] = []
        self._stillborn = 0

    def check(self, content: bytes) -> Verdict | Unjudged:
        """Judge one document."""
        return next(self.check_all([("", content)]))[1]

    def check_all(
        self, documents: Iterable[tuple[Key, bytes]]
    ) -> Iterator[tuple[Key, Verdict | Unjudged]]:
        """Judge documents as they come, in no fixed order; only as many are held as are judged.

        Raises
        ------
        Unavailable
            EINVOICE_SET_MISSING, before the first document; RULES_NOT_RUNNING when process after
            process ends without an answer.
        """
        folder()
        waiting = iter(documents)
        with selectors.DefaultSelector() as selector:
            try:
                more = True
                while more or selector.get_map():
                    while more and len(self._busy) < self.size:
                        found = next(waiting, None)
                        if found is None:
                            more = False
                            break
                        key, content = found
                        process = self._hand_over(content)
                        if process is None:
                            yield key, Unjudged("DIED")
                        else:
                            selector.register(process.socket, selectors.EVENT_READ, (process, key))
                    yield from self._answers(selector)
            finally:
                # Whoever stops listening leaves no half answer to the next document.
                for process in list(self._busy):
                    self._end(process)

    def _hand_over(self, content: bytes) -> _Process | None:
        if self._stillborn >= MOST_STILLBORN:
            self._stillborn = 0
            raise Unavailable("RULES_NOT_RUNNING", "The rules of EN 16931 cannot be run right now.")
        while self._idle and self._idle[-1].process.poll() is not None:
            self._idle.pop().end()
        process = self._idle.pop() if self._idle else _Process(self.silence)
        self._busy.append(process)
        if process.ask(content):
            return process
        self._end(process)
        return None

    def _answers(
        self, selector: selectors.BaseSelector
    ) -> Iterator[tuple[Key, Verdict | Unjudged]]:
        asked = [entry.data for entry in selector.get_map().values()]
        if not asked:
            return
        soonest = min(process.until for process, _ in asked)
        ready = {
            entry.data[0] for entry, _ in selector.select(max(0.0, soonest - time.monotonic()))
        }
        for process, key in asked:
            silent = process not in ready and process.until <= time.monotonic()
            if process not in ready and not silent:
                continue
            selector.unregister(process.socket)
            found = Unjudged("SILENT") if silent else process.answer()
            if isinstance(found, Unjudged) and found.reason in {"DIED", "SILENT"}:
                self._end(process)
            else:
                self._busy.remove(process)
                self._idle.append(process)
            yield key, found

    def _end(self, process: _Process) -> None:
        self._busy.remove(process)
        process.end()
        self._stillborn = 0 if process.answered else self._stillborn + 1

    def pids(self) -> list[int]:
        """Give the numbers of the processes that live, for whoever watches them."""
        return [process.process.pid for process in (*self._idle, *self._busy)]

    def close(self) -> None:
        """End every process; a later document starts new ones."""
        for process in (*self._idle, *self._busy):
            process.end()
        self._idle, self._busy = [], []

    def __enter__(self) -> Self:
        """Give the service itself."""
        return self

    def __exit__(self, *_error: object) -> None:
        """End every process."""
        self.close()


_shared: list[RuleService] = []


def shared_service() -> RuleService:
    """Give the one service of this process, which ends with it."""
    if not _shared:
        _shared.append(RuleService())
        atexit.register(_shared[0].close)
    return _shared[0]
