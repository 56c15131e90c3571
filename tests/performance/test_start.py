"""From the command to the first answer of the server.

The second start is what somebody waits for every day. The first set-up downloads every package, so
it runs only where ``SCF_BENCH_SETUP`` says so.
"""

import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.performance.measure import ROOT, ROUNDS, Report
from tests.support.postgres import free_port

SECOND_START_SECONDS = 5.0
FIRST_START_SECONDS = 180.0
PATIENCE_SECONDS = 300.0
BARE_APPLICATION = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"ok"]
"""


@pytest.mark.bench
def test_the_server_answers_soon_after_its_second_start(tmp_path: Path, report: Report) -> None:
    environment, log = _environment(tmp_path), tmp_path / "server.log"
    prepare = [sys.executable, "-m", "scf", "demo", "--empty"]
    subprocess.run(prepare, cwd=ROOT, env=environment, check=True, capture_output=True)
    (tmp_path / "bare.py").write_text(BARE_APPLICATION, "utf-8")
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(_bare_start(tmp_path))
        start = time.perf_counter()
        # What `make run` does when everything is installed and the world is there.
        subprocess.run(prepare, cwd=ROOT, env=environment, check=True, capture_output=True)
        prepared = time.perf_counter() - start
        serve = [sys.executable, "-m", "scf", "serve"]
        ours.append(prepared + _until_answered(serve, ROOT, environment, "/healthz", log))
    seconds = statistics.median(ours)
    report.add(
        "second_start",
        seconds,
        "s",
        peer={
            "name": "gunicorn with an application of one line",
            "value": statistics.median(bare),
            "unit": "s",
        },
        ratio=statistics.median(b / a for a, b in zip(ours, bare, strict=True)),
        goal=f"< {SECOND_START_SECONDS:g} s",
        met=seconds < SECOND_START_SECONDS,
    )


if os.environ.get("SCF_BENCH_SETUP"):

    @pytest.mark.bench
    def test_the_first_start_on_a_bare_machine(tmp_path: Path, report: Report) -> None:
        log = tmp_path / "server.log"
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        for name in listed.stdout.split("\0")[:-1]:
            target = tmp_path / "clone" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PORT": str(free_port())}
        environment |= {name: os.environ[name] for name in os.environ if name.startswith("PIP_")}
        seconds = _until_answered(["make", "run"], tmp_path / "clone", environment, "/healthz", log)
        report.add(
            "first_start",
            seconds,
            "s",
            peer={"name": "the network and the disk", "value": 0.0, "unit": "s"},
            ratio=None,
            goal=f"< {FIRST_START_SECONDS:g} s",
            met=seconds < FIRST_START_SECONDS,
        )


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "SCF_DATABASE_URL": f"sqlite:///{folder / 'scf.db'}",
        "SCF_SECRET_KEY_FILE": str(folder / "secret"),
        "SCF_DEMO_USERS_FILE": str(folder / "users.json"),
        "SCF_PORT": str(free_port()),
    }


def _bare_start(folder: Path) -> float:
    port = str(free_port())
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    environment = os.environ | {"SCF_PORT": port}
    return _until_answered([*command, "bare:app"], folder, environment, "/", folder / "bare.log")


def _until_answered(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], path: str, log: Path
) -> float:
    """Start a server, wait for its first 200, end it; gives the seconds until then."""
    port = environment.get("SCF_PORT") or environment["PORT"]
    start = time.perf_counter()
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while not _answers(f"http://127.0.0.1:{port}{path}"):
                assert server.poll() is None, log.read_text("utf-8", errors="replace")
                assert time.perf_counter() - start < PATIENCE_SECONDS, "no answer"
                time.sleep(0.01)
            return time.perf_counter() - start
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
