"""A ZIP handed in by `scf import`, as a process of its own: what it prints, and how it ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import func, select

from scf.cli.common import EXIT_REFUSED
from scf.db.engine import Database
from scf.documents.storing import TABLES
from scf.kernel.clock import SystemClock
from tests.documents import ubl
from tests.documents.archives.packing import packed
from tests.documents.trade import BUYER, SELLER, trade_on
from tests.support.people import NOON

LIST = (
    "Invoice number,Invoice date,Due date,Amount,Currency,Seller DUNS,Buyer DUNS\n"
    f"T-1,2026-02-01,2026-06-30,120.00,EUR,{SELLER},{BUYER}\n"
    f"T-2,2026-02-01,2026-06-30,wrong,EUR,{SELLER},{BUYER}\n"
).encode()


def test_a_zip_says_what_became_of_each_file_and_the_second_time_adds_nothing(
    engine_url: str, tmp_path: Path
) -> None:
    db = Database(engine_url)
    trade = trade_on(db)
    # The process has the machine's clock; the person's token is made by it, too.
    trade.world.clock.advance(SystemClock().now() - NOON)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCF_")}
    environment |= {
        "SCF_DATABASE_URL": engine_url,
        "SCF_TOKEN": trade.world.token("clerk"),
        "SCF_SECRET_KEY_FILE": str(tmp_path / "key"),
    }
    archive = tmp_path / "march.zip"
    files = {"in/a.xml": ubl.invoice("A-1", "10.00"), "list.csv": LIST, "note.txt": b"to do"}
    archive.write_bytes(packed(files))

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        start = "from scf.cli import main; main()"
        words = [sys.executable, "-c", start, "import", str(archive), "--as", trade.buyer.org_id]
        return subprocess.run(
            [*words, *more], env=environment, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    def count() -> int:
        with db.snapshot() as conn:
            return sum(
                conn.execute(select(func.count()).select_from(one)).scalar_one()
                for one in TABLES.values()
            )

    first = run()
    assert first.returncode == EXIT_REFUSED, first.stdout + first.stderr
    assert first.stderr == "", first.stderr
    head, *inside = first.stdout.splitlines()
    assert head == "march.zip: DONE: 4 read, 2 stored, 0 incomplete, 0 duplicate, 2 bad"
    assert [line.split() for line in inside[:3]] == [
        ["stored", "in/a.xml:", "1", "read,", "1", "stored,", "0", "bad"],
        ["partly", "list.csv:", "2", "read,", "1", "stored,", "1", "bad"],
        ["refused", "note.txt:", "1", "read,", "0", "stored,", "1", "bad"],
    ]
    assert count() == 2
    again = run("--json")
    assert again.returncode == EXIT_REFUSED, again.stdout + again.stderr
    [told] = json.loads(again.stdout)["files"]
    assert (told["state"], told["seen_before"], told["clean"]) == ("DONE", True, False)
    assert [one["result"] for one in told["files"]] == ["stored", "partly", "refused"]
    assert count() == 2
    db.close()
