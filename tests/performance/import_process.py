"""One import in a process of its own, so that its peak of memory is its own.

``python -m tests.performance.import_process DATABASE TABLE ORG TIMES`` imports the table so many
times and prints what came of each as JSON.
"""

import json
import re
import sys
import time
from pathlib import Path
from typing import Any

from scf.bootstrap import build
from scf.documents.intake import run_upload
from scf.kernel import garbage
from scf.kernel.actor import Actor, Role
from scf.kernel.clock import FixedClock
from tests.performance.papers import INVOICE_MAPPING
from tests.performance.trade import NOON


def main(database: str, table: str, org_id: str, times: str) -> list[dict[str, Any]]:
    """Receive the table as the anchor's clerk and import it."""
    clerk = Actor("u-clerk", org_id, frozenset({Role.ANCHOR_CLERK}))
    platform = build(f"sqlite:///{database}", clock=FixedClock(NOON))
    garbage.settle()  # as the worker and the command line do
    content = Path(table).read_bytes()
    runs = []
    for number in range(int(times)):
        start, busy = time.perf_counter(), time.process_time()
        received = platform.run(
            "upload.receive",
            {
                "name": "invoices.csv",
                "content": content,
                "format": "csv",
                "document_type": "invoice",
                "mapping": INVOICE_MAPPING,
            },
            clerk,
            key=f"receive:{number}",
        ).result
        summary = run_upload(platform, received["upload_id"])
        runs.append(
            {
                "seconds": time.perf_counter() - start,
                "cpu_seconds": time.process_time() - busy,
                "peak_mb": peak_mb(),
                "summary": summary,
            }
        )
    platform.close()
    return runs


def peak_mb() -> float:
    """Give the most memory of this process; ``ru_maxrss`` would count its parent's before exec."""
    status = Path("/proc/self/status").read_text("ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    assert found, "Linux tells it"
    return int(found[1]) / 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:5])))
