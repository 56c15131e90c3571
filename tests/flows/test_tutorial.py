"""The tutorial does what it says: every command of the page runs, in one shell."""

import json
import os
import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

from tests.support.resident import programs

Walked = tuple[Path, subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-receivable.md"
# The page puts the environment of the working copy first; here it is whichever runs the tests.
OWN_PATH = 'export PATH="$PWD/.venv/bin:$PATH"\n'


def commands() -> str:
    page = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    script = "".join(blocks)
    assert OWN_PATH in script
    return script.replace(OWN_PATH, "")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """Run the page once, in a folder that holds only what a reader's copy would."""
    home = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "docs", home / "docs")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCF_")}
    with programs(home / "bin", environment, starting=("demo", "verify")) as shell:
        return home, shell.run(commands(), home)


def test_every_command_of_the_tutorial_succeeds(
    walked: Walked,
) -> None:
    _home, done = walked
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stderr


def test_the_quote_has_the_golden_figures(
    walked: Walked,
) -> None:
    quote = json.loads(next(line for line in walked[1].stderr.splitlines() if "discount" in line))
    assert (quote["discount_minor"], quote["net_minor"]) == (1_162_500, 98_837_500)
    assert (quote["all_in_ppm"], quote["effective_ppm"]) == (47_047, 48_564)


def test_the_outcome_is_what_the_page_tells(
    walked: Walked,
) -> None:
    home, done = walked
    out = done.stdout
    assert out.index("INSTRUCTED") < out.index("FUNDED") < out.index("CLOSED")
    assert "handed in before" in out
    assert "invoices.csv: DONE: 4 read, 3 stored, 0 incomplete, 0 duplicate, 1 bad" in out
    assert "ERROR AMOUNT_FORMAT" in out
    assert "one row needs repair" in out
    assert re.search(r"AC-77 .*46320\.00", out), "the credit note of 1,930.00 is netted"
    assert "breaches: []" in out
    lines = (home / "var/tutorial/halden.csv").read_text(encoding="utf-8-sig").splitlines()
    assert sum(line.count("1000000.00") for line in lines) >= 4


def test_hledger_reads_the_journal_of_the_tutorial(
    walked: Walked,
) -> None:
    home, _done = walked
    journal = home / "var/tutorial/brook-valves.journal"
    balance = subprocess.run(
        ["hledger", "-f", str(journal), "balance", "--flat", "-O", "csv", "-N"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    cash = next(line for line in balance.splitlines() if ":Cash" in line)
    assert Decimal(re.sub(r"[^0-9.]", "", cash.split(",", 1)[1])) == Decimal("988375.00")
