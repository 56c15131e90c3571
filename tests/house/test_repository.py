"""What a stranger finds: short pages, links that lead somewhere, nothing of our machines."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT, files, report, repository_files, text

LONGEST_DECISION = 80
LONGEST_ARCHITECTURE = 200
PAGES = [file for file in files(suffixes=(".md",)) if file.parts[0] != "tests"]
DECISIONS = [file for file in PAGES if file.parts[:2] == ("docs", "decisions")]

# Spelt in pieces, so that this page does not break its own rule.
HOSTS = "|".join(
    re.escape(".".join(parts))
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"),
        ("deb", "debian", "org"), ("proxy", "golang", "org"), ("crates", "io"),
    )
)  # fmt: skip
MACHINE_PATH = re.compile(r"(?<![\w.<>}])/(?:work|root|home/\w+|opt/\w+|tmp/\w)/")
INDEX = re.compile(rf"--(?:extra-)?index-url|--find[-]links|(?:{HOSTS})")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _is_text(file: Path) -> bool:
    return b"\0" not in (ROOT / file).read_bytes()[:8192]


def test_no_path_of_a_machine_and_no_registry_is_named() -> None:
    found = [
        f"{file}:{number}: {hit.group()}"
        for file in repository_files()
        if file.parts[:2] != ("tests", "data") and _is_text(file)
        for number, line in enumerate(text(file).splitlines(), 1)
        if (hit := MACHINE_PATH.search(line) or INDEX.search(line))
    ]
    assert not found, report(found, "a relative path; package names without an address")


@pytest.mark.parametrize("file", PAGES, ids=str)
def test_every_link_of_a_page_leads_to_a_file(file: Path) -> None:
    broken = []
    for target in LINK.findall(text(file)):
        if re.match(r"[a-z]+:", target):
            continue
        path = target.partition("#")[0]
        if path and not (ROOT / file.parent / path).exists():
            broken.append(f"{file}: {target}")
    assert not broken, report(broken, "a path relative to the page")


@pytest.mark.parametrize("file", DECISIONS, ids=lambda file: file.stem)
def test_a_decision_is_short_and_says_why(file: Path) -> None:
    lines = text(file).splitlines()
    assert len(lines) <= LONGEST_DECISION, "split the decision, or move the detail to the code"
    headings = [line for line in lines if line.startswith("## ")]
    assert headings == ["## Context", "## Decision", "## Consequences"]


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(file.name[:4]) for file in DECISIONS if file.name[0].isdigit()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_architecture_page_stays_one_that_people_read() -> None:
    assert len(text(Path("ARCHITECTURE.md")).splitlines()) <= LONGEST_ARCHITECTURE


def test_make_help_lists_every_target() -> None:
    makefile = text(Path("Makefile"))
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert targets == set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE))


@pytest.mark.parametrize("source", files("config", suffixes=(".in",)), ids=lambda file: file.stem)
def test_every_requirement_is_locked_with_its_hash(source: Path) -> None:
    lock = text(source.with_suffix(".lock"))
    pinned = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==\S+.* \\$", lock, re.MULTILINE)
    hashed = re.findall(r"^ +--hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE)
    assert len(pinned) == len(re.findall("==[0-9]", lock)), "uv pip compile --generate-hashes"
    assert len(hashed) >= len(pinned)
    wanted = re.findall(r"^([A-Za-z0-9._-]+)", text(source), re.MULTILINE)
    names = {name.lower().replace("_", "-") for name in pinned}
    missing = [name for name in wanted if name.lower().replace("_", "-") not in names]
    assert not missing, report(missing, "make lock")
