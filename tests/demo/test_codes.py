"""Codes of a demo world: printed for its people, the next unused each time, nowhere else."""

import datetime as dt
from pathlib import Path

import pytest
from typer.testing import CliRunner

from scf.cli import people
from scf.cli.common import Session
from scf.cli.main import build_app
from scf.db.engine import Database
from scf.demo import world
from scf.kernel.errors import Unavailable
from scf.parties import mark
from scf.parties.factors import present, proof
from scf.parties.factors.vault import Vault
from scf.parties.service import actor_of_email
from tests.support.people import NOON, platform_on, small_world

VAULT = Vault(b"a key for tests only, thirty-two bytes")


def test_everybody_signs_in_by_the_code_that_is_printed_each_once(
    db: Database, tmp_path: Path
) -> None:
    platform = platform_on(db)
    made = world.ensure(platform, NOON.date(), tmp_path / "users.json", VAULT)
    everybody = []
    with db.snapshot() as conn:
        assert mark.is_demo(conn)
        for line in made.sign_ins:
            person = actor_of_email(conn, line["email"])
            assert person is not None
            everybody.append(person)
    seen = set()
    for _number in range(3):
        with db.snapshot() as conn:
            code = present.next_code(conn, VAULT, everybody[0].user_id, NOON).code
        proof.prove_by_code(db, VAULT, everybody[0], code, proof.Purpose(), NOON)
        seen.add(code)
    assert len(seen) == 3
    with db.snapshot() as conn:
        with pytest.raises(Unavailable, match="CODES_USED"):
            present.next_code(conn, VAULT, everybody[0].user_id, NOON)
        later = NOON + dt.timedelta(seconds=30)
        assert present.next_code(conn, VAULT, everybody[0].user_id, later).code not in seen
        for person in everybody[1:]:
            assert len(present.next_code(conn, VAULT, person.user_id, NOON).code) == 6


def test_a_world_of_real_people_is_no_demo(db: Database) -> None:
    small_world(db)
    with db.snapshot() as conn:
        assert not mark.is_demo(conn)


def test_production_prints_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCF_ENV", "production")
    monkeypatch.setattr(people, "SESSION", Session())
    words = ["user", "code", "anybody@bank.example"]
    answer = CliRunner().invoke(build_app(words), words)
    assert answer.exit_code == 1
    assert "PRODUCTION" in answer.output
