"""What a client remembers of what the platform has acknowledged, outside the platform's database.

One line of JSON per acknowledged act, forced to the disk before anybody is told. After a crash the
client goes on from its last line; an act that was done but never acknowledged is repeated under
the same key.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any


class Journal:
    """Answers by key; in memory only where no file is given."""

    def __init__(self, file: Path | None = None, told: Callable[[], None] | None = None) -> None:
        self.answers: dict[str, Any] = {}
        self._told = told
        self._handle = -1
        if file is not None:
            for key, answer in read(file):
                self.answers[key] = answer
            self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, key: str, answer: Any) -> Any:  # noqa: ANN401 - ready for JSON
        """Remember an acknowledged answer; gives it as it will be read again."""
        line = json.dumps([key, answer], sort_keys=True)
        if self._handle >= 0:
            os.write(self._handle, f"{line}\n".encode())
            os.fsync(self._handle)
        self.answers[key] = json.loads(line)[1]
        if self._told is not None:
            self._told()
        return self.answers[key]


def read(file: Path) -> Iterator[tuple[str, Any]]:
    """Give the lines of a journal; one that a crash tore off is cut away."""
    if not file.exists():
        return
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(file, len(whole))
    for line in whole.splitlines():
        key, answer = json.loads(line)
        yield key, answer
