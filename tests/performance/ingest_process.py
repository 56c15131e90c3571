"""One import of a folder of files in a process of its own: its time and peak memory are its own.

``python -m tests.performance.ingest_process URL FOLDER ORG`` takes every file of the folder and
prints what it cost as JSON.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scf.bootstrap import build
from scf.documents import batch
from scf.documents.slices import SentFile
from scf.kernel import garbage
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from tests.performance.import_process import peak_mb
from tests.performance.trade import NOON


def main(url: str, folder: str, org_id: str) -> dict[str, Any]:
    """Take the files as the anchor's clerk."""
    clerk = Actor("u-clerk", org_id, frozenset({Role.ANCHOR_CLERK}))
    platform = build(url, clock=FixedClock(NOON))
    garbage.settle()  # as the worker and the command line do
    start, busy = time.perf_counter(), os.times()
    taken = [
        one
        for part in batch.take(platform, clerk, _files(Path(folder)), batch.HowToRead())
        for one in part
    ]
    seconds, used = time.perf_counter() - start, os.times()
    platform.close()
    return {
        "files": len(taken),
        "seconds": seconds,
        # Children count when they have ended, and all have.
        "cpu_seconds": sum(used[:4]) - sum(busy[:4]),
        "peak_mb": peak_mb(),
    }


def _files(folder: Path) -> Iterator[SentFile]:
    for file in sorted(folder.iterdir()):
        content = file.read_bytes()
        yield SentFile(file.name, content, hashlib.sha256(content).hexdigest())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:4])))
