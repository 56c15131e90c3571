"""The trail: every command leaves one row, and whoever changes one is found."""

import json
import random
from datetime import timedelta

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from scf.db import seal
from scf.db.engine import Database
from scf.db.leases import Worker
from scf.db.models import AuditLog, AuditSeal, AuditSealRow, PersonalSalt
from scf.kernel.clock import FixedClock
from tests.db import toys
from tests.db.toys import ANNA

log = AuditLog.__table__  # type: ignore[attr-defined]
seals = AuditSeal.__table__  # type: ignore[attr-defined]
seal_rows = AuditSealRow.__table__  # type: ignore[attr-defined]


def fill(db: Database, clock: FixedClock, rows: int = 12) -> None:
    runner = toys.make_runner(db, clock, limit_minor=10**9)
    for i in range(rows):
        runner.run(
            "toy.draw", {"amount_minor": i + 1}, actor=ANNA, key=f"k{i}", reason="for the test"
        )
        if i % 5 == 4:
            with db.writer.begin() as conn:
                seal.seal(conn, clock.now())
    with db.writer.begin() as conn:
        seal.seal(conn, clock.now())


def breaches(db: Database, clock: FixedClock) -> list[str]:
    with db.snapshot() as conn:
        return [breach.code for breach in seal.verify(conn, clock.now())]


def as_owner(db: Database, *statements: object) -> None:
    """Do what a database owner can: switch the guards off first."""
    with db.writer.begin() as conn:
        if db.dialect == "sqlite":
            names = conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
            for name in names.scalars().all():
                conn.execute(text(f"DROP TRIGGER {name}"))
        else:
            conn.execute(text("SET session_replication_role = replica"))
        for statement in statements:
            conn.execute(statement)  # type: ignore[call-overload]


def test_an_untouched_trail_is_clean(db: Database, clock: FixedClock) -> None:
    fill(db, clock)
    assert breaches(db, clock) == []
    with db.snapshot() as conn:
        row = conn.execute(select(log).limit(1)).one()
    assert (row.user_id, row.org_id, row.command, row.reason) == (
        "anna",
        "org-a",
        "toy.draw",
        "for the test",
    )
    assert row.changes == [
        {"type": "pot", "id": "pot", "before": {"drawn": 0}, "after": {"drawn": 1}}
    ]


@pytest.mark.parametrize("act", ["UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log"])
def test_the_database_itself_refuses_a_change(db: Database, clock: FixedClock, act: str) -> None:
    fill(db, clock)
    with pytest.raises(DBAPIError, match="IMMUTABLE"), db.writer.begin() as conn:
        conn.execute(text(act))


@pytest.mark.parametrize(
    "column", ["at", "user_id", "org_id", "reason", "key", "command", "roles", "result_digest"]
)
def test_a_changed_row_is_named(db: Database, clock: FixedClock, column: str) -> None:
    fill(db, clock)
    value = clock.now() + timedelta(days=1) if column == "at" else "somebody else"
    as_owner(db, update(log).where(log.c.seq == 3).values({column: value}))
    with db.snapshot() as conn:
        found = list(seal.verify(conn, clock.now()))
    assert found[0].code == "AUDIT_ROW_CHANGED"
    assert found[0].where == "audit_log seq 3"


def test_a_rehashed_row_breaks_its_seal(db: Database, clock: FixedClock) -> None:
    fill(db, clock)
    with db.snapshot() as conn:
        row = dict(conn.execute(select(log).where(log.c.seq == 3)).one()._mapping)
    row["reason"] = "rewritten"
    from scf.db.audit import row_digest

    as_owner(
        db,
        update(log).where(log.c.seq == 3).values(reason="rewritten", digest=row_digest(row)),
    )
    assert breaches(db, clock) == ["SEALED_ROWS_CHANGED"]


def test_random_tampering_is_always_found(db: Database, clock: FixedClock) -> None:
    """Edit, delete, swap, truncate or drop a seal, 40 random cases in turn (10,000 are long)."""
    fill(db, clock)
    dice = random.Random(20260310)
    with db.snapshot() as conn:
        rows = [dict(r._mapping) for r in conn.execute(select(log).order_by(log.c.seq))]
    for _case in range(40):
        one, other = dice.sample(range(1, len(rows) + 1), 2)
        kind = dice.choice(["edit", "delete", "swap", "truncate", "drop-seal"])
        with db.writer.connect() as conn, conn.begin() as transaction:
            if db.dialect == "sqlite":
                for name in (
                    conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
                    .scalars()
                    .all()
                ):
                    conn.execute(text(f"DROP TRIGGER {name}"))
                conn.execute(text("PRAGMA defer_foreign_keys = ON"))
            else:
                conn.execute(text("SET LOCAL session_replication_role = replica"))
            if kind == "edit":
                conn.execute(update(log).where(log.c.seq == one).values(request={"x": one}))
            elif kind == "delete":
                conn.execute(delete(log).where(log.c.seq == one))
            elif kind == "swap":
                a, b = rows[one - 1], rows[other - 1]
                for target, source in ((one, b), (other, a)):
                    values = {k: v for k, v in source.items() if k != "seq"}
                    conn.execute(update(log).where(log.c.seq == target).values(values))
            elif kind == "truncate":
                conn.execute(delete(log).where(log.c.seq >= one))
            else:
                conn.execute(delete(seals).where(seals.c.seq == 1))
            assert list(seal.verify(conn, clock.now())), kind
            transaction.rollback()
    assert breaches(db, clock) == []


def test_rows_left_unsealed_while_a_worker_lives_are_a_breach(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    runner.run("toy.draw", {"amount_minor": 1}, actor=ANNA, key="k")
    worker = Worker(db, clock, "w", {}, lambda _notice: None)
    clock.advance(seconds=61)
    assert breaches(db, clock) == []  # no worker lives
    worker.beat()
    assert breaches(db, clock) == ["UNSEALED_TOO_LONG"]
    with db.writer.begin() as conn:
        seal.seal(conn, clock.now())
    assert breaches(db, clock) == []


def test_nothing_to_seal_makes_no_seal(db: Database, clock: FixedClock) -> None:
    with db.writer.begin() as conn:
        assert seal.seal(conn, clock.now()) is None


def test_a_person_can_be_forgotten_and_the_trail_still_verifies(
    db: Database, clock: FixedClock
) -> None:
    runner = toys.make_runner(db, clock)
    runner.run("toy.hello", {"name": "Zoë Ångström", "password": "hunter22"}, actor=ANNA, key="k")
    with db.writer.begin() as conn:
        seal.seal(conn, clock.now())
        request = conn.execute(select(log.c.request)).scalar_one()
        assert set(request["name"]) == {"sha256"}
        assert "password" not in request
        assert "Zoë" not in json.dumps(request, ensure_ascii=False)
        conn.execute(delete(PersonalSalt.__table__))  # type: ignore[attr-defined]
    assert breaches(db, clock) == []


def test_a_seal_row_cannot_be_given_twice(db: Database, clock: FixedClock) -> None:
    fill(db, clock)
    with pytest.raises(DBAPIError), db.writer.begin() as conn:
        conn.execute(insert(seal_rows), {"audit_seq": 1, "seal_seq": 1, "place": 0})
