"""A day is closed for a hundred thousand advances, beside the bare driver storing the same rows.

The book is lived by commands and copied (``tests/support/large_book.py``): five kinds of programme,
before the due date, in grace, overdue and partly paid. The peer hands the rows that the close has
written to the same tables of a second database, by the fastest way of each driver, and computes
nothing: what is left of the time is rules, rounding, locks and the audit trail.
"""

import gc
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.engine import Connection

from scf.db import bulk
from scf.db.engine import Database
from scf.ledger.models import Entry, NoEntry, Posting
from scf.reporting.verify import look
from tests.performance.conftest import Store
from tests.performance.measure import Report, seconds
from tests.support import large_book
from tests.support.deals import table
from tests.support.large_book import CLOSED, SMALL, multiply, small_book

ADVANCES = 100_000
GOAL = 60.0
A_DAY = large_book.A_DAY


@pytest.mark.bench
def test_a_day_of_a_hundred_thousand_advances(store: Store, report: Report, tmp_path: Path) -> None:
    db = Database(store.fresh())
    world = small_book(db, tmp_path / "bank")
    multiply(db, ADVANCES // SMALL - 1)
    gc.collect()
    done: list[int] = []
    ours = seconds(lambda: done.append(world.close_to(CLOSED + A_DAY)["advances"]))
    assert done == [ADVANCES]
    peer = Database(store.fresh())
    rows = _written(db, peer)
    bare = seconds(lambda: _store(peer, rows))
    with db.snapshot() as conn:
        assert look(conn, world.platform).breaches == []
    postings = len(rows[0][1])
    peer.close()
    db.close()
    report.add(
        f"close_{store.engine}",
        ours,
        f"s for {ADVANCES:,} advances",
        peer={"name": f"bulk load of the {postings:,} postings", "value": bare, "unit": "s"},
        ratio=bare / ours,
        goal=f"< {GOAL:g} s",
        met=ours < GOAL,
        turns=1,
        advances=ADVANCES,
    )


Rows = list[tuple[str, list[dict[str, object]]]]


def _written(db: Database, peer: Database) -> Rows:
    """Give the rows that the close has written; what they name is put into the peer's tables."""
    on = CLOSED + A_DAY
    entry = table(Entry)
    today = select(entry.c.id).where(entry.c.booked_on == on)
    with db.snapshot() as conn, peer.writer.begin() as copy:
        accounts = Posting.metadata.tables["account"]
        bulk.insert_mappings(copy, accounts, _rows(conn, select(accounts)))
        posting, dash = table(Posting), table(NoEntry)
        return [
            ("ledger_posting", _rows(conn, select(posting).where(posting.c.entry_id.in_(today)))),
            ("ledger_entry", _rows(conn, select(entry).where(entry.c.booked_on == on))),
            ("ledger_no_entry", _rows(conn, select(dash).where(dash.c.booked_on == on))),
        ]


def _rows(conn: Connection, query: object) -> list[dict[str, object]]:
    return [dict(row) for row in conn.execute(query).mappings()]  # type: ignore[call-overload]


def _store(peer: Database, rows: Rows) -> None:
    with peer.writer.begin() as conn:
        for name, found in rows:
            bulk.insert_mappings(conn, Posting.metadata.tables[name], found)
