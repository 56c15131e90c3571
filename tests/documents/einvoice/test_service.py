"""Documents are judged in processes of their own, which may die without taking anybody along."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scf.documents.einvoice import service as service_module
from scf.documents.einvoice.service import RuleService, Unjudged
from scf.documents.einvoice.validator import Verdict
from scf.kernel.errors import Unavailable
from tests.documents.einvoice.papers import ubl


def is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_each_document_gets_its_own_verdict(service: RuleService) -> None:
    papers = {"good": ubl(), "bad": ubl(gross="120.01"), "no XML": b"x", "none": b"<a/>"}
    found = dict(service.check_all(papers.items()))
    assert found["good"] == Verdict("EN 16931 (UBL)")
    bad = found["bad"]
    assert isinstance(bad, Verdict)
    assert "BR-CO-15" in {one.rule for one in bad.broken}
    assert found["no XML"] == Unjudged("XML_MALFORMED")
    assert found["none"] == Verdict("")


def test_a_process_stays_warm_and_a_dead_one_is_replaced(service: RuleService) -> None:
    service.check(ubl())
    (first,) = service.pids()
    service.check(ubl())
    assert service.pids() == [first]
    service._idle[0].process.kill()
    service._idle[0].process.wait()
    assert service.check(ubl()) == Verdict("EN 16931 (UBL)")
    assert service.pids() != [first]


def test_a_document_whose_process_dies_has_no_verdict(service: RuleService) -> None:
    service.check(ubl())
    (pid,) = service.pids()
    os.kill(pid, signal.SIGSTOP)

    def papers() -> Iterator[tuple[str, bytes]]:
        yield "first", ubl()
        os.kill(pid, signal.SIGKILL)

    service.size = 2
    assert dict(service.check_all(papers())) == {"first": Unjudged("DIED")}
    service.size = 1
    assert is_gone(pid)


def test_a_process_that_says_nothing_is_ended(service: RuleService) -> None:
    service.check(ubl())
    (pid,) = service.pids()
    service._idle[0].silence = 0.05
    os.kill(pid, signal.SIGSTOP)
    assert service.check(ubl()) == Unjudged("SILENT")
    assert service.pids() == []
    assert is_gone(pid)


def test_nobody_is_asked_again_and_again_when_no_process_can_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service_module, "PROGRAM", ("-c", "pass"))
    with RuleService(1) as service, pytest.raises(Unavailable) as refused:
        dict(service.check_all((number, ubl()) for number in range(10)))
    assert refused.value.code == "RULES_NOT_RUNNING"


def test_without_the_rules_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with RuleService(1) as service, pytest.raises(Unavailable, match="pip install"):
        service.check(ubl())
    assert service.pids() == []


def test_closing_ends_every_process() -> None:
    with RuleService(1) as service:
        service.check(b"x")
        (pid,) = service.pids()
    assert is_gone(pid)


def _alone(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"from scf.documents.einvoice import child\n{program}"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_process_that_judges_opens_no_file_and_no_connection() -> None:
    program = """
import socket
from scf.documents.einvoice.validator import Validator
child.close_the_doors()
for act in (lambda: open("/dev/null"), socket.socket):
    try:
        act()
    except OSError as error:
        print(error.errno)
"""
    assert _alone(program).stdout.split() == ["24", "24"]


def test_a_process_that_judges_has_bounded_memory_and_time() -> None:
    greedy = _alone("child.bound_the_memory()\nbytearray(2 * child.MEMORY_BYTES)")
    assert "MemoryError" in greedy.stderr
    busy = _alone("child.CPU_SECONDS = 0\nchild.bound_the_next_document()\nwhile True: pass")
    assert busy.returncode == -signal.SIGXCPU
