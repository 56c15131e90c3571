"""The page about the API does what it says: its commands run in one shell, against a server."""

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.resident import programs

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "reference" / "api.md"
# The page puts the environment of the working copy first; here it is whichever runs the tests.
OWN_PATH = 'export PATH="$PWD/.venv/bin:$PATH"\n'
# Whatever happens, the server ends with the shell.
CLEAN = "trap 'kill \"$SERVER\" 2> /dev/null; wait' EXIT; SERVER=\n"


def _commands() -> str:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    script = "".join(blocks)
    assert OWN_PATH in script
    return CLEAN + script.replace(OWN_PATH, "")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Run the page once, in a folder that holds only what a reader's copy would."""
    home = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "docs", home / "docs")
    (home / "var" / "api").mkdir(parents=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCF_")}
    environment["PORT"] = str(_free_port())
    with programs(home / "bin", environment, starting=("serve",)) as shell:
        return shell.run(_commands(), home)


def test_every_command_of_the_page_succeeds_and_tells_the_story(
    walked: subprocess.CompletedProcess[str],
) -> None:
    assert walked.returncode == 0, walked.stdout[-3000:] + walked.stderr[-3000:]
    assert "Traceback" not in walked.stderr
    quote = json.loads(next(line for line in walked.stderr.splitlines() if "all_in_ppm" in line))
    assert quote["net"] == {"amount_minor": 98_837_500, "currency": "EUR"}
    assert (quote["all_in_ppm"], quote["effective_ppm"]) == (47_047, 48_564)
    out = walked.stdout
    assert out.index('"FUNDED"') < out.index('"CLOSED"')
    assert "BV-2026-123;06.03.2026;29.05.2026;EUR;7,2,5;AMOUNT_FORMAT: " in out
    assert "Idempotency-Hit: true" in out
    assert '"client_id":"erp-4712"' in out.replace('": "', '":"')
    assert "breaches: []" in out
