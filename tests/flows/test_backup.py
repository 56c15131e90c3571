"""A copy of the database is taken while a batch of advances is lived, and made a database again.

Source: promises.md P29.
"""

import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from scf.bootstrap import Platform
from scf.db import copies
from scf.db.models import Idempotency
from scf.kernel.errors import Conflict, InvalidInput, NotFound, Unavailable
from scf.reporting.verify import verify
from tests.support.crashing import Batch, platform_at
from tests.support.deals import table
from tests.support.plans import Plan

PLAN = Plan(seed=20260310, lives=4, stories=("plain",), invoices=5, file_size=10)
ACTS = 20  # are acknowledged before the copy is taken


def done(platform: Platform) -> set[str]:
    stored = table(Idempotency)
    with platform.db.snapshot() as conn:
        return set(conn.execute(select(stored.c.command_id)).scalars())


def test_a_copy_taken_amid_a_batch_is_whole_and_holds_all_that_was_acknowledged_before(
    engine_url: str, empty_url: str, tmp_path: Path
) -> None:
    batch, file = Batch(engine_url, tmp_path / "batch", PLAN), tmp_path / "copy"
    with batch.running() as child:
        child.hear(ACTS)
        before = {answer["command_id"] for answer in acts(batch)}
        copies.back_up(engine_url, file)
        child.end()
    copies.restore(empty_url, file)
    source, _clock = platform_at(engine_url)
    copy, _clock = platform_at(empty_url)
    assert verify(copy).breaches == []
    assert before <= done(copy) < done(source)
    source.close()
    copy.close()


def acts(batch: Batch) -> list[dict[str, Any]]:
    return [
        answer
        for answer in batch.journal().values()
        if isinstance(answer, dict) and "command_id" in answer
    ]


def test_only_the_owner_reads_a_copy_and_none_is_written_over(
    engine_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "copy"
    copies.back_up(engine_url, file)
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IRUSR | stat.S_IWUSR
    content = file.read_bytes()
    with pytest.raises(Conflict, match="FILE_EXISTS"):
        copies.back_up(engine_url, file)
    assert file.read_bytes() == content
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith("copy")) == ["copy"]


def test_what_is_no_copy_fills_nothing(
    engine_name: str, engine_url: str, empty_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "copy"
    copies.back_up(engine_url, file)
    damaged, other = tmp_path / "damaged", tmp_path / "other"
    damaged.write_bytes(file.read_bytes()[:-5000])
    sqlite3.connect(other).execute("CREATE TABLE own (id)").connection.close()
    refusal: type[Exception] = InvalidInput if engine_name == "sqlite" else Unavailable
    for wrong in (damaged, other):
        with pytest.raises(refusal):
            copies.restore(empty_url, wrong)
    with pytest.raises(NotFound, match="FILE_MISSING"):
        copies.restore(empty_url, tmp_path / "nothing")
    with pytest.raises(Conflict, match="DATABASE_EXISTS"):
        copies.restore(engine_url, file)
    copies.restore(empty_url, file)  # the attempts have left it as empty as it was
    platform, _clock = platform_at(empty_url)
    assert verify(platform).breaches == []
    platform.close()


def test_a_password_stands_in_no_list_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys, urllib.parse, pathlib\n"
        "place = urllib.parse.urlsplit(sys.argv[1].removeprefix('--dbname='))\n"
        "passwords = dict(urllib.parse.parse_qsl(place.query))['passfile']\n"
        "said = sys.argv[1] + '\\n' + pathlib.Path(passwords).read_text()\n"
        "pathlib.Path(sys.argv[0]).with_name('said').write_text(said)\n"
    )
    program.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    copies.back_up("postgresql://app:s3c:ret@127.0.0.1:5999/scf", tmp_path / "copy")
    place, passwords, _end = (tmp_path / "said").read_text().split("\n")
    assert "s3c" not in place
    assert passwords == r"*:*:*:*:s3c\:ret"
