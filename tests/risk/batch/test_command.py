"""``scf risk tables`` and ``scf risk reprice`` as an officer of a bank types them."""

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet

from scf.reporting import book
from scf.risk.appetite import in_force
from tests.risk.batch.books import Row, seen
from tests.risk.batch.test_own_book import by_claim
from tests.support.demo_world import DemoCopy


class Officer:
    """A person at a command line over a copy of the demo world."""

    def __init__(self, copy: DemoCopy, name: str) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "SCF_DATABASE_URL": copy.url,
            "OMP_NUM_THREADS": "1",
        }
        made = self.said("token", "create", "--user", copy.sign_ins[name]["email"])
        self.environment["SCF_TOKEN"] = made["token"]

    def ran(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one command."""
        return subprocess.run(
            [sys.executable, "-m", "scf", *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def said(self, *words: str) -> dict[str, Any]:
        """Run one command that has to succeed; gives its answer."""
        done = self.ran(*words)
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def refused(self, *words: str) -> tuple[int, str]:
        """Run one command that has to be refused; gives its exit code and the refusal's."""
        done = self.ran(*words)
        assert done.returncode != 0, done.stdout
        return done.returncode, done.stdout + done.stderr


def summed(wanted: dict[str, Row], faces: dict[str, int]) -> dict[str, Any]:
    """Add prices of single claims up, without the columns."""
    priced = {key: row for key, row in wanted.items() if row["rate_bp"] is not None}
    face = sum(faces[key] for key in priced)
    times = sum(faces[key] * row["rate_bp"] for key, row in priced.items())
    return {
        "receivables": len(wanted),
        "face_minor": sum(faces.values()),
        "priced_face_minor": face,
        "mean_rate_bp": f"{Decimal(times) / face:.2f}",
        "expected_loss_minor": sum(row["expected_loss"] for row in priced.values()),
    }


def test_a_bank_prices_its_book_at_the_command_line_as_the_platform_quotes(
    demo_copy: DemoCopy, tmp_path: Path
) -> None:
    bank = demo_copy.served.world.people["omar"].org_id
    with demo_copy.platform.db.snapshot() as conn:
        found = book.book_of(conn, bank, in_force())
        wanted = by_claim(conn, found, bank)
    owed = found.tables["receivables"]
    faces = dict(zip(owed["receivable_id"], owed["face"], strict=True))
    assert len(wanted) > 10

    omar, out = Officer(demo_copy, "omar"), tmp_path / "prices.parquet"
    told = omar.said("risk", "reprice", "--out", str(out))
    assert seen(pyarrow.parquet.read_table(out)) == wanted
    assert set(owed["currency"]) == {"EUR"}
    (euro,) = told["book"]
    assert euro | summed(wanted, faces) == euro
    priced = sum(row["rate_bp"] is not None for row in wanted.values())
    assert (told["receivables"], told["priced"]) == (len(wanted), priced)
    refused = {one["refusal"]: one["receivables"] for one in told["refusals"]}
    assert refused == Counter(row["refusal"] for row in wanted.values() if row["refusal"])
    assert (told["as_of_on"], told["on"]) == (found.morning.on.isoformat(), found.on.isoformat())
    assert (told["invoices"], told["set_aside"]) == (len(found.tables["invoices"]["base"]), 0)

    folder = tmp_path / "tables"
    written = omar.said("risk", "tables", str(folder))
    assert {name: written[name] for name in found.tables} == {
        name: len(next(iter(columns.values()))) for name, columns in found.tables.items()
    }
    morning = found.morning.on.isoformat()
    again = omar.said("risk", "reprice", "--tables", str(folder), "--on", morning)
    changed = {"seconds", "written"}
    assert {name: said for name, said in again.items() if name not in changed} == {
        name: said for name, said in told.items() if name not in changed
    }


REFUSED = [
    (("--stress", "storm"), "STRESS"),
    (("--stress", "fails:nobody"), "NOT_IN_CHAIN"),
    (("--engine", "sparks"), "ENGINE"),
    (("--out", "prices.xlsx"), "FILE_KIND"),
    (("--on", "2026-03-16"), "MORNING_MISSING"),
    (("--tables", "."), "MORNING_MISSING"),
    (("--tables", ".", "--on", "2026-03-16"), "TABLE_MISSING"),
]


def test_what_cannot_be_asked_for_is_refused_by_name(demo_copy: DemoCopy) -> None:
    omar = Officer(demo_copy, "omar")
    for words, code in REFUSED:
        exit_code, said = omar.refused("risk", "reprice", *words)
        assert (exit_code, f'"{code}"' in said) == (1, True), said


def test_a_bank_s_book_is_for_the_bank_and_a_file_is_not_written_over(
    demo_copy: DemoCopy, tmp_path: Path
) -> None:
    mira = Officer(demo_copy, "mira")
    for words in (("reprice",), ("tables", str(tmp_path / "tables"))):
        exit_code, said = mira.refused("risk", *words)
        assert (exit_code, "NOT_ALLOWED" in said) == (1, True), said
    assert not (tmp_path / "tables").exists()
    out = tmp_path / "prices.csv"
    out.write_text("kept")
    _, said = Officer(demo_copy, "omar").refused("risk", "reprice", "--out", str(out))
    assert "FILE_EXISTS" in said
    assert out.read_text() == "kept"
