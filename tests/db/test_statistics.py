"""A table that has just grown is counted anew, once, so that look-ups in it are planned for it."""

from sqlalchemy import insert, text

from scf.db.engine import Database
from scf.db.models import Outbox
from scf.db.statistics import count_anew
from tests.support.people import NOON


def _grow(db: Database, first: int, number: int) -> None:
    rows = [
        {
            "id": f"e{place:06d}",
            "topic": "t",
            "org_id": "o",
            "command_id": "c",
            "payload": {},
            "created_at": NOON,
            "available_at": NOON,
        }
        for place in range(first, first + number)
    ]
    with db.writer.begin() as conn:
        conn.execute(insert(Outbox.__table__), rows)  # type: ignore[attr-defined]
        if db.dialect == "postgresql":
            # Else its own figures of a change may follow a second later.
            conn.execute(text("SELECT pg_stat_force_next_flush()"))


def test_a_table_is_counted_when_it_has_doubled_and_not_before(db: Database) -> None:
    counts = db.dialect == "postgresql"
    grown = [["public.outbox"] if counts else [], []]
    _grow(db, 0, 999)
    assert count_anew(db) == []
    _grow(db, 999, 1)
    assert [count_anew(db), count_anew(db)] == grown
    _grow(db, 1_000, 999)
    assert count_anew(db) == []
    _grow(db, 1_999, 1)
    assert [count_anew(db), count_anew(db)] == grown
