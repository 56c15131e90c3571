"""A row that was kept out is known again when a later file brings it, and nothing is guessed."""

import csv
import io

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.documents import errorfile
from scf.documents.models import Original, Upload
from scf.documents.readers.again import AGAIN, marked
from scf.documents.repairs.models import BadRow
from tests.documents import ubl
from tests.documents.trade import (
    INVOICES,
    LINE_INVOICES,
    Trade,
    invoice_table,
    line_table,
    trade_on,
)

UPLOAD = Upload.__table__  # type: ignore[attr-defined]
BAD = BadRow.__table__  # type: ignore[attr-defined]
ORIGINAL = Original.__table__  # type: ignore[attr-defined]


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def counts(trade: Trade, upload_id: str) -> tuple[int, int]:
    """Give how many rows were bad at first, and how many of them came again."""
    with trade.db.snapshot() as conn:
        row = conn.execute(select(UPLOAD).where(UPLOAD.c.id == upload_id)).one()
    return row.bad_count, row.corrected_count


def came(trade: Trade, upload_id: str) -> dict[int, tuple[str, int | None]]:
    """Give the rows that came again, with the later upload and their row there."""
    query = select(BAD).where(BAD.c.upload_id == upload_id, BAD.c.by_upload_id.is_not(None))
    with trade.db.snapshot() as conn:
        return {row.row: (row.by_upload_id, row.by_row) for row in conn.execute(query)}


def open_errors(trade: Trade, upload_id: str) -> set[int | None]:
    told = trade.findings(upload_id)
    return {
        errorfile.row_of(row.place)
        for row in told
        if row.severity == "ERROR" and row.resolved_at is None
    }


def error_file(trade: Trade, upload_id: str, lines: bool = False) -> list[dict[str, str]]:
    """Give the rows of the file to correct, as a program would read them."""
    with trade.db.snapshot() as conn:
        original = select(UPLOAD.c.original_id).where(UPLOAD.c.id == upload_id).scalar_subquery()
        content = conn.execute(
            select(ORIGINAL.c.content).where(ORIGINAL.c.id == original)
        ).scalar_one()
    told = [row for row in trade.findings(upload_id) if row.resolved_at is None]
    mapping = (LINE_INVOICES if lines else INVOICES).model_dump(mode="json")
    written = errorfile.bad_rows(content, told, mapping, None, upload_id)
    return list(csv.DictReader(io.StringIO(written.decode())))


def again(trade: Trade, rows: list[dict[str, str]], *, lines: bool = False, **more: str) -> str:
    """Hand rows in as a file of their own; gives its upload."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    mapping = LINE_INVOICES if lines else INVOICES
    return str(trade.hand_in(out.getvalue().encode(), mapping, **more)["upload_id"])


def three_bad(trade: Trade) -> str:
    rows = [{"number": f"I-{n}", "amount": "1.00" if n == 2 else "one"} for n in range(1, 5)]
    result = trade.hand_in(invoice_table(rows), INVOICES)
    assert (result["stored"], result["bad"]) == (1, 3)
    return str(result["upload_id"])


def test_a_file_to_correct_that_comes_as_a_new_upload_answers_its_rows(trade: Trade) -> None:
    first = three_bad(trade)
    rows = error_file(trade, first)
    assert [marked(row[AGAIN]) for row in rows] == [(first, 2), (first, 4), (first, 5)]
    rows[0] |= {"amount": "5.00", "number": "I-1b"}  # even its number was wrong
    rows[1] |= {"amount": "6.00"}
    second = again(trade, rows)
    assert came(trade, first) == {2: (second, 2), 4: (second, 3), 5: (second, 4)}
    assert counts(trade, first) == (3, 3)
    assert open_errors(trade, first) == set()
    # What is still wrong is to be fixed in one place: where it came last.
    assert counts(trade, second) == (1, 0)
    assert open_errors(trade, second) == {4}
    (last,) = error_file(trade, second)
    assert marked(last[AGAIN]) == (second, 4)
    third = again(trade, [last | {"amount": "7.00"}])
    assert came(trade, second) == {4: (third, 2)}
    # The same file once more changes nothing that was said.
    again(trade, rows)
    assert came(trade, first) == {2: (second, 2), 4: (second, 3), 5: (second, 4)}
    assert counts(trade, first) == (3, 3)


def test_without_the_mark_a_row_is_known_by_number_firms_and_year_only(trade: Trade) -> None:
    first = three_bad(trade)
    undated = trade.hand_in(
        invoice_table([{"number": "U", "amount": "1.00", "date": "?"}]), INVOICES
    )
    later = trade.invoices(
        {"number": "I 1", "amount": "5.00"},  # the same number as people write it
        {"number": "I-3", "amount": "5.00", "date": "2025-02-01"},  # of another year
        {"number": "I-9", "amount": "5.00"},
        {"number": "U", "amount": "1.00"},
    )["upload_id"]
    assert came(trade, first) == {2: (later, None)}
    assert open_errors(trade, first) == {4, 5}
    assert came(trade, undated["upload_id"]) == {2: (later, None)}
    xml = trade.hand_in(ubl.invoice("I-4", "9.00"))["upload_id"]
    assert came(trade, first) == {2: (later, None), 5: (xml, None)}
    assert counts(trade, first) == (3, 2)


def test_a_mark_of_another_firms_upload_or_of_nothing_ties_to_nothing(trade: Trade) -> None:
    first = three_bad(trade)
    rows = [
        row | {"amount": "5.00", "number": "X" + row["number"]} for row in error_file(trade, first)
    ]
    foreign = again(trade, rows[:1], actor=trade.seller)  # type: ignore[arg-type]
    assert counts(trade, foreign) == (0, 0)
    made_up = [
        row | {AGAIN: text} for row, text in zip(rows, ("=1+1", f"{first}:99", ""), strict=True)
    ]
    again(trade, made_up)
    assert came(trade, first) == {}
    assert open_errors(trade, first) == {2, 4, 5}


def test_all_or_nothing_answers_rows_only_where_all_came_in(trade: Trade) -> None:
    first = three_bad(trade)
    rows = [row | {"amount": "5.00"} for row in error_file(trade, first)]
    again(trade, [rows[0], rows[1] | {"amount": "none"}], mode="atomic")
    assert came(trade, first) == {}
    second = again(trade, rows, mode="atomic")
    assert set(came(trade, first)) == {2, 4, 5}
    assert counts(trade, first) == (3, 3)
    assert counts(trade, second) == (0, 0)


def test_a_document_of_several_rows_comes_again_as_one(trade: Trade) -> None:
    rows = [
        {"number": "L", "amount": "9.00", "quantity": "1", "net": "4.00"},
        {"number": "L", "amount": "9.00", "quantity": "x", "net": "5.00", "line": "2"},
    ]
    first = str(trade.hand_in(line_table(rows), LINE_INVOICES)["upload_id"])
    wrong = error_file(trade, first, lines=True)
    assert [marked(row[AGAIN]) for row in wrong] == [(first, 2), (first, 2)]
    second = again(trade, [row | {"quantity": "1"} for row in wrong], lines=True)
    assert came(trade, first) == {2: (second, 2)}
    assert counts(trade, first) == (1, 1)
