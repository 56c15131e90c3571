"""Rows by keys of several columns are the right ones, and nothing else is read for them."""

import datetime as dt

from sqlalchemy import create_engine, select, text

from scf.db.bulk import insert_mappings
from scf.db.engine import Database
from scf.db.keys import among, one_of, told
from scf.documents.models import Order
from tests.support.deals import table

ORDER = table(Order)
DAY = dt.date(2026, 3, 1)
KEYS = [("b-1", "7"), ("b-2", "9"), ('b "2"', "ü"), ("b-1", "none")]


def test_rows_are_found_by_keys_of_two_columns(db: Database) -> None:
    stored = [("b-1", "7"), ("b-1", "9"), ("b-2", "7"), ("b-2", "9"), ('b "2"', "ü")]
    with db.writer.begin() as conn:
        insert_mappings(
            conn,
            ORDER,
            [
                {"id": f"o-{number}", "buyer_id": buyer, "canonical_number": own,
                 "duplicate_key": str(number), "total_minor": number}
                for number, (buyer, own) in enumerate(stored)
            ],
            {"number": "1", "seller_id": None, "issue_on": DAY, "currency": "EUR", "parties": {},
             "upload_id": "u", "original_id": "o", "document_state": "VALIDATED", "org_id": "b",
             "standing": "OPEN", "invoiced_minor": 0, "version": 1,
             "created_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC)},
        )  # fmt: skip
        columns = (ORDER.c.buyer_id, ORDER.c.canonical_number)
        found = select(ORDER.c.id).where(among(conn, columns, KEYS)).order_by(ORDER.c.id)
        assert conn.execute(found).scalars().all() == ["o-0", "o-3", "o-4"]
        numbered = among(conn, (ORDER.c.id, ORDER.c.total_minor), [("o-1", 1), ("o-2", 1)])
        assert conn.execute(select(ORDER.c.id).where(numbered)).scalars().all() == ["o-1"]
        nothing = among(conn, columns, [])
        assert not conn.execute(select(ORDER.c.id).where(nothing)).all()
        either = one_of(ORDER.c.buyer_id)[conn.dialect.name]
        found = select(ORDER.c.id).where(either).order_by(ORDER.c.id)
        asked = {"ids": told(conn, ['b "2"', "b-2", "none", "b-2"])}
        assert conn.execute(found, asked).scalars().all() == ["o-2", "o-3", "o-4"]
        assert not conn.execute(found, {"ids": told(conn, [])}).all()


def test_sqlite_seeks_each_key_in_the_index() -> None:
    with create_engine("sqlite://").begin() as conn:
        ORDER.create(conn)
        by_key = among(conn, (ORDER.c.buyer_id, ORDER.c.canonical_number), KEYS)
        asked = select(ORDER.c.id).where(by_key).compile(conn, compile_kwargs={"literal_binds": 1})
        plan = conn.execute(text("EXPLAIN QUERY PLAN " + str(asked).replace(":", "\\:"))).all()
    steps = [row.detail for row in plan]
    assert any("ix_order_number (buyer_id=? AND canonical_number=?)" in step for step in steps)
    assert not any(step.startswith("SCAN trade_order") for step in steps)
