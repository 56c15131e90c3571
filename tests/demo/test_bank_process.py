"""The simulated bank as a process that is killed and started again: each payment is booked once."""

import contextlib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from scf.demo import bank, bank_process
from scf.demo.bank_memory import recall
from scf.demo.bank_messages import STATEMENT_VERSIONS, read_order
from scf.settlement.readers import read_statements, read_status_report
from scf.settlement.writers import write_pain001
from tests.settlement.formats.samples import batch, payment

ON = date(2026, 3, 10)
SECONDS = 60


def order(number: int, count: int = 2) -> bytes:
    """A payment file with its own ids."""
    payments = [payment(f"PAY-{number}-{place}", 1_000 + place) for place in range(count)]
    return write_pain001(batch(*payments, message_id=f"FILE-{number}"))


def hand_over(inbox: Path, name: str, data: bytes) -> None:
    inbox.mkdir(parents=True, exist_ok=True)
    draft = inbox / f".{name}"
    draft.write_bytes(data)
    draft.replace(inbox / name)


@contextlib.contextmanager
def serving(inbox: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = [
        "bank",
        "serve",
        "--in",
        inbox,
        "--out",
        out,
        "--on",
        ON.isoformat(),
        "--every",
        "0.01",
    ]
    child = subprocess.Popen(
        [sys.executable, "-m", "scf", *map(str, words)], stdout=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def until(ready: Path, count: int) -> None:
    """Wait until so many files lie in a folder."""
    end = time.monotonic() + SECONDS
    while len(list(ready.glob("*"))) < count:
        assert time.monotonic() < end, f"{ready} has {len(list(ready.glob('*')))} of {count}"
        time.sleep(0.005)


def booked(out: Path) -> Counter[str]:
    """Count by EndToEndId what the statements in a folder say was booked."""
    entries = {
        entry.identity: entry
        for path in sorted(out.glob("camt053-*.xml"))
        for each in read_statements(path.read_bytes()).statements
        for entry in each.booked
    }
    return Counter(one.end_to_end_id for entry in entries.values() for one in entry.details)


def test_killed_and_started_again_it_books_each_payment_once_and_tells_it(tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    names = [f"{number:02d}.xml" for number in range(12)]
    for number, name in enumerate(names):
        hand_over(inbox, name, order(number))
    for answered in (1, 4, 7):
        with serving(inbox, out):
            until(inbox / "done", answered)  # killed while it works on the next ones
    # What was answered comes again, and is answered again.
    for number in (0, 5):
        hand_over(inbox, f"again-{number}.xml", order(number))
    with serving(inbox, out):
        until(inbox / "done", len(names) + 2)
    assert booked(out) == {f"PAY-{n}-{p}": 1 for n in range(len(names)) for p in range(2)}
    balances = [read_statements(path.read_bytes()) for path in sorted(out.glob("camt053-*.xml"))]
    chain = [one for file in balances for one in file.statements]
    for before, after in pairwise(chain):
        assert before.closing is not None
        assert after.opening is not None
        assert before.closing.amount_minor == after.opening.amount_minor
    reports = [read_status_report(path.read_bytes()) for path in out.glob("pain002-*.xml")]
    assert {one.original_message_id for one in reports} == {f"FILE-{n}" for n in range(len(names))}
    assert {one.group.code for one in reports if one.group} == {"ACSC"}


def test_dead_between_booking_and_telling_it_tells_when_it_lives_again(tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    hand_over(inbox, "1.xml", order(1))
    bank.answer(order(1), on=ON, state_dir=out)  # remembered, and then the process was gone
    assert list(out.glob("*.xml")) == []
    bank_process.attend(inbox, out, on=ON)
    assert booked(out) == {"PAY-1-0": 1, "PAY-1-1": 1}
    assert recall(out).delivered == 1
    assert bank_process.attend(inbox, out, on=ON) == []


def test_what_is_no_payment_file_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    hand_over(inbox, "x.xml", b"<nonsense/>")
    hand_over(inbox, "y.xml", order(2))
    bank_process.attend(inbox, out, on=ON)
    assert "BANK_FORMAT" in (inbox / "refused" / "x.xml.txt").read_text()
    assert (inbox / "done" / "y.xml").read_bytes() == order(2)


def test_delayed_payments_are_told_when_they_are_released(tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    hand_over(inbox, "1.xml", order(1))
    manner = bank_process.Manner(delay=True)
    assert bank_process.attend(inbox, out, on=ON, manner=manner) == ["pain002-000001.xml"]
    bank.release(on=ON, state_dir=out)
    assert bank_process.attend(inbox, out, on=ON, manner=manner) == ["camt053-000001.xml"]
    assert booked(out) == {"PAY-1-0": 1, "PAY-1-1": 1}


@pytest.mark.parametrize("version", STATEMENT_VERSIONS)
def test_every_form_of_its_statements_says_the_same(version: str, tmp_path: Path) -> None:
    inbox, out = tmp_path / "in", tmp_path / "out"
    hand_over(inbox, "1.xml", order(1))
    usual = bank_process.Manner(versions=("camt.053.001.08", version))
    bank_process.attend(inbox, out, on=ON, manner=usual)
    read = [read_statements(path.read_bytes()) for path in sorted(out.glob("camt*.xml"))]
    assert all(one.findings == () for one in read)
    said = [{entry.identity for entry in each.entries} for one in read for each in one.statements]
    assert all(one == said[0] for one in said)
    assert {one.version for one in read} == {"camt.053.001.08", version}
    assert len(read_order(order(1)).payments) == len(said[0])
