"""The simulated bank as a process of its own: payment files in one folder, its answers in another.

It may be killed at any moment and started again: a payment file leaves the inbox only when it was
answered, what was booked is remembered before it is told, and what was not told yet is told then.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from threading import Event
from typing import Final

from scf.demo import bank
from scf.demo.bank_messages import STATEMENT_VERSION
from scf.kernel.errors import ScfError

DONE: Final = "done"
REFUSED: Final = "refused"


@dataclass(frozen=True)
class Manner:
    """How the bank behaves: payments stay pending with ``delay``, and are refused with ``reject``.

    ``versions`` are the forms in which it tells what it booked.
    """

    delay: bool = False
    reject: bool = False
    versions: Collection[str] = (STATEMENT_VERSION,)


USUAL: Final = Manner()


def attend(inbox: Path, out: Path, *, on: date, manner: Manner = USUAL) -> list[str]:
    """Answer every payment file that waits; gives the names of the files that were put out.

    A file that is no payment file goes
    to the folder ``refused`` with the reason beside it. Files whose names begin with a dot are
    still being written.
    """
    inbox.mkdir(parents=True, exist_ok=True)
    made = [path.name for path in bank.deliver(out, state_dir=out, versions=manner.versions)]
    for path in sorted(inbox.iterdir()):
        if path.is_dir() or path.name.startswith("."):
            continue
        try:
            said = bank.answer(
                path.read_bytes(), on=on, state_dir=out, delay=manner.delay, reject=manner.reject
            )
        except ScfError as refusal:
            _away(path, REFUSED)
            words = f"{refusal.code}: {refusal}\n"
            (inbox / REFUSED / f"{path.name}.txt").write_text(words, encoding="utf-8")
            continue
        reports = [one for one in said if one[0].startswith("pain002")]
        made += [one.name for one in bank.write_files(reports, out)]
        made += [one.name for one in bank.deliver(out, state_dir=out, versions=manner.versions)]
        _away(path, DONE)
    return made


def serve(
    inbox: Path,
    out: Path,
    *,
    today: Callable[[], date],
    say: Callable[[list[str]], None],
    every: float = 1.0,
    stop: Event | None = None,
    manner: Manner = USUAL,
) -> None:
    """Attend to the inbox until the process ends."""
    stop = stop or Event()
    while True:
        made = attend(inbox, out, on=today(), manner=manner)
        if made:
            say(made)
        if stop.wait(every):
            return


def _away(path: Path, folder: str) -> None:
    there = path.parent / folder
    there.mkdir(exist_ok=True)
    path.replace(there / path.name)
