"""What the simulated bank remembers between two calls: one JSON file, replaced in one step."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from scf.demo.bank_messages import Answer, Statement
from scf.kernel.errors import InvalidInput

STATE_FILE: Final = "bank-state.json"


class KnownFile(BaseModel):
    """A payment file that was taken: its content by digest, and its version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    version: str


class Memory(BaseModel):
    """Balances, files, payments and statements; all counters start at zero."""

    model_config = ConfigDict(extra="forbid")

    balances: dict[str, int] = {}
    sequences: dict[str, int] = {}
    files: dict[str, KnownFile] = {}
    payments: dict[str, Answer] = {}
    statements: dict[str, Statement] = {}
    reports: int = 0
    references: int = 0
    delivered: int = 0  # how many of the statements have been put out by the bank's process

    def next_reference(self) -> str:
        """Name the next entry; no two entries of this bank share a name."""
        self.references += 1
        return f"BANKREF{self.references:09d}"

    def next_report(self) -> str:
        """Number the next status report."""
        self.reports += 1
        return f"{self.reports:06d}"


@contextlib.contextmanager
def alone(state_dir: Path) -> Iterator[None]:
    """Let one process at a time think: the bank's own, or a person's command beside it."""
    state_dir.mkdir(parents=True, exist_ok=True)
    folder = os.open(state_dir, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # goes with the process, however that ends
        yield
    finally:
        os.close(folder)


def recall(state_dir: Path) -> Memory:
    """Return what the bank knows; without a state file it is new.

    Raises
    ------
    InvalidInput
        BANK_STATE, when the file is there and is no bank's memory.
    """
    path = state_dir / STATE_FILE
    if not path.exists():
        return Memory()
    try:
        return Memory.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InvalidInput(
            "BANK_STATE",
            "The bank's state file cannot be read; move it away to start anew.",
            reason=str(error)[:300],
        ) from None


def remember(state_dir: Path, memory: Memory) -> None:
    """Replace the state file in one step, so that a crash leaves the old one or the new one."""
    state_dir.mkdir(parents=True, exist_ok=True)
    draft = state_dir / f"{STATE_FILE}.new"
    with draft.open("w", encoding="utf-8") as file:
        file.write(memory.model_dump_json(indent=1))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(state_dir / STATE_FILE)
