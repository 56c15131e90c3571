"""What the database is asked for is all that a rule would take, and little more."""

import datetime as dt
from itertools import combinations
from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents.duplicates.candidates import candidates
from scf.documents.duplicates.rules import Print, amount_band, is_near, lines_print, suspicions
from tests.documents.duplicates.fraudsim import honest, prints, with_copies, with_parts
from tests.documents.duplicates.stored import looked_at, store, store_lines, stored

DAY = dt.date(2026, 3, 2)
ONE = Print("2", "AB1042", "AB1042", DAY, 1_250_000, upload="u1")


def test_a_stored_year_gives_the_suspicions_of_comparing_everything(db: Database) -> None:
    by_pair = prints(with_parts(31, with_copies(31, honest(31, pairs=90), 0.10), 60))
    expected = {
        (later, earlier, found.code)
        for rows in by_pair.values()
        for later, earlier, found in suspicions(combinations(rows, 2))
    }
    rows = [
        stored(one, f"s{seller}", f"b{buyer}")
        for (seller, buyer), papers in by_pair.items()
        for one in papers
    ]
    store(db, rows)
    store_lines(db, (one for papers in by_pair.values() for one in papers))
    assert len(expected) > 200
    assert {code for *_, code in expected} >= {
        "SAME_ORDER", "SAME_LINES", "SAME_AMOUNT", "SOME_LINES",
    }  # fmt: skip
    assert looked_at(db, [row["id"] for row in rows]) == expected


@pytest.mark.parametrize(
    "number", ["AB1043", "AB1402", "A1042", "AB142", "AB10427", "AB1042A01", "AB1O42", "AB1142"]
)
def test_a_number_with_one_sign_changed_is_asked_for_wherever_the_sign_stands(
    db: Database, number: str
) -> None:
    twin = ONE._replace(id="1", number=number, canonical=number, amount=1_240_000, upload="u2")
    store(db, [stored(ONE), stored(twin)])
    with db.snapshot() as conn:
        assert candidates(conn, ["1"]) == {("1", "2")}
        assert candidates(conn, ["2"]) == {("2", "1")}


def test_what_no_rule_would_take_is_not_read(db: Database) -> None:
    order = ONE._replace(order="PO7", fits_order=True)
    far = [
        ONE._replace(id="1", canonical="AB7777"),
        ONE._replace(id="3", amount=1_280_000),
        ONE._replace(id="4", canonical="ZZ7788", issue_on=DAY + dt.timedelta(days=8)),
        ONE._replace(id="5", issue_on=DAY + dt.timedelta(days=91)),
        order._replace(id="6", canonical="ZZ42"),
        order._replace(id="7", canonical="ZZ99"),
    ]
    store(db, [stored(ONE), *map(stored, far[:-2])])
    store(db, [stored(one, "other") for one in far[-2:]])
    with db.snapshot() as conn:
        assert candidates(conn, ["2", "6", "7"]) == set()


def test_void_and_credited_invoices_and_other_currencies_and_pairs_are_no_twins(
    db: Database,
) -> None:
    twin = ONE._replace(canonical="AB1043", upload="u2")
    changes: dict[str, dict[str, Any]] = {
        "1": {"document_state": "VOID"},
        "3": {"credited_minor": ONE.amount},
        "4": {"currency": "USD"},
        "5": {"buyer_id": "somebody"},
        "6": {"seller_id": "somebody"},
    }
    store(db, [stored(ONE)])
    store(db, [stored(twin._replace(id=id_)) | change for id_, change in changes.items()])
    with db.snapshot() as conn:
        assert candidates(conn, ["2"]) == set()


def test_of_a_crowd_few_are_read_for_each_and_a_copy_in_another_file_is_among_them(
    db: Database,
) -> None:
    crowd = [
        ONE._replace(id=f"{n:05d}", number=f"A{n:05d}", canonical=f"A{n * 1117 % 100_000:05d}")
        for n in range(400)
    ]
    copy = ONE._replace(id="99999", canonical="ZZ-1", upload="u2", lines=lines_print(["a"]))
    store(db, map(stored, [*crowd, copy]))
    with db.snapshot() as conn:
        found = candidates(conn, [one.id for one in crowd])
        assert len(found) <= 60 * len(crowd)
        assert {own for own, twin in found if twin == copy.id} == {one.id for one in crowd}
        assert len(candidates(conn, [copy.id])) == 30


def test_near_amounts_lie_in_the_same_band_or_the_next() -> None:
    amounts = [
        *range(1, 3_000),
        *(2**power + step for power in range(12, 50) for step in (-1, 0, 1)),
    ]
    for amount in amounts:
        least = amount - amount * 20_000 // 1_000_000
        assert is_near(amount, least)
        assert 0 <= amount_band(amount) - amount_band(least) <= 1
