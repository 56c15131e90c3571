"""A stub as a process of its own on a free port; its state is a file, so that it may be killed."""

import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.guarded import ROOT, Guarded
from tests.support.postgres import free_port


class StubServer(Guarded):
    """One stub over one file; may be killed and started again."""

    def __init__(self, module: str, folder: Path, state: dict[str, Any]) -> None:
        super().__init__(folder, free_port())
        self.module = module
        self.file = folder / "state.json"
        self.write(state)

    def read(self) -> dict[str, Any]:
        """Give the state as it is."""
        told: dict[str, Any] = json.loads(self.file.read_text(encoding="utf-8"))
        return told

    def write(self, state: dict[str, Any]) -> None:
        """Let the state be another; nobody may be asking meanwhile."""
        self.file.write_text(json.dumps(state), encoding="utf-8")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        begin = f"import sys; sys.path.insert(0, {str(ROOT)!r})"
        run = f"import runpy; runpy.run_module({self.module!r}, run_name='__main__')"
        program = [sys.executable, "-c", f"{begin}; {run}", str(self.port), str(self.file)]
        self.begin(program)


@contextlib.contextmanager
def stubbed(server: StubServer) -> Iterator[StubServer]:
    """Run a stub for as long as it is needed."""
    server.start()
    try:
        yield server
    finally:
        server.kill()
