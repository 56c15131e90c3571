"""Many rows at once are stored as one by one, and refused for the same reasons."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from scf.db.bulk import insert_mappings, insert_rows
from scf.db.engine import Database
from scf.db.failures import is_connection_lost, known_refusal
from scf.documents.commands import MAX_SLICE  # its module says what the constraint means
from scf.documents.models import DocumentFinding, Order
from tests.support.deals import table

NOW = dt.datetime(2026, 3, 10, 9, 0, 0, 123456, tzinfo=dt.UTC)
FINDING = table(DocumentFinding)
ORDER = table(Order)


def finding(number: int, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    return {
        "id": f"f-{number}", "upload_id": "u", "document_type": None, "document_id": None,
        "severity": "ERROR", "code": "C", "place": 'tab\there, "quotes", \\ and ümläute',
        "message": "two\nlines", "words": None, "value": "\\N", "facts": {"n": [number, "ü", None]},
        "resolved_at": None, "created_at": NOW, **more,
    }  # fmt: skip


def order(number: int) -> dict[str, Any]:
    return {
        "id": f"o-{number}", "number": "1", "seller_id": None, "buyer_id": "b",
        "issue_on": dt.date(2026, 3, 1), "currency": "EUR", "canonical_number": "1",
        "duplicate_key": "the same", "total_minor": 10**15, "parties": {}, "upload_id": "u",
        "original_id": "o", "created_at": NOW,
    }  # fmt: skip


SAME = {
    "document_state": "VALIDATED",
    "standing": "OPEN",
    "invoiced_minor": 0,
    "org_id": "b",
    "version": 1,
}


def test_rows_come_back_as_a_plain_insert_would_store_them(db: Database) -> None:
    with db.writer.begin() as conn:
        insert_mappings(conn, FINDING, [finding(1), finding(2, resolved_at=NOW)], {"org_id": "x"})
        conn.execute(insert(FINDING), finding(3, org_id="x"))
        insert_rows(conn, FINDING, [*finding(4), "org_id"], [(*finding(4).values(), "x")])
        rows = [row._asdict() for row in conn.execute(select(FINDING).order_by(FINDING.c.id))]
    assert rows == [
        {**finding(number, org_id="x"), **({"resolved_at": NOW} if number == 2 else {})}
        for number in (1, 2, 3, 4)
    ]
    with db.writer.begin() as conn:
        kept = conn.execute(select(FINDING.c.words.is_(None)).order_by(FINDING.c.id)).scalars()
        assert len(set(kept)) == 1  # nothing is the same nothing, whichever way it came


def test_no_rows_are_no_work(db: Database) -> None:
    with db.writer.begin() as conn:
        insert_mappings(conn, FINDING, [], {"org_id": "x"})
        insert_rows(conn, FINDING, ["id"], [])
        assert conn.execute(select(func.count()).select_from(FINDING)).scalar_one() == 0


def test_a_constraint_refuses_all_rows_and_is_told_like_any_other(db: Database) -> None:
    with pytest.raises(IntegrityError) as caught, db.writer.begin() as conn:
        insert_mappings(conn, ORDER, [order(number) for number in range(MAX_SLICE)], SAME)
    refusal = known_refusal(caught.value)
    assert refusal is not None
    assert refusal.code == "DUPLICATE_EXACT"
    assert not is_connection_lost(caught.value)
    with db.writer.begin() as conn:
        assert conn.execute(select(func.count()).select_from(ORDER)).scalar_one() == 0
