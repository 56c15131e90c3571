"""The statement of an account as a file, and the cursor that leads through one."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Final

from sqlmodel import Session

from scf.accounting.writers.harmless import cell
from scf.kernel.money import format_minor
from scf.ledger.statement import Place, Span, StatementLine, statement_lines, totals_of
from web.api.v1.paging import decode, encode
from web.problems import BadRequest

MAX_SEQ: Final = 2**62
_COLUMNS: Final = (
    "booked_on", "value_on", "entry", "event", "narrative", "debit", "credit", "balance",
    "currency",
)  # fmt: skip


def csv_of(reading: Session, span: Span) -> Iterator[str]:
    """Write a statement line by line: the opening balance, each posting, the closing balance."""
    conn = reading.connection()
    totals, _before = totals_of(conn, span)
    money = span.currency

    def row(*cells: str) -> str:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow(cells)
        return out.getvalue()

    def balance(on: dt.date, words: str, minor: int) -> str:
        return row(on.isoformat(), "", "", words, "", "", "", format_minor(minor, money), money)

    yield row(*_COLUMNS)
    yield balance(span.from_on, "opening", totals.opening_minor)
    for line in statement_lines(conn, span):
        yield row(*_cells(line, money))
    yield balance(span.to_on, "closing", totals.closing_minor)


def _cells(line: StatementLine, money: str) -> list[str]:
    minor = line.amount_minor
    return [
        line.at.booked_on.isoformat(),
        line.value_on.isoformat(),
        line.at.entry_id,
        line.event_kind,
        cell(line.narrative),
        format_minor(minor, money) if minor > 0 else "",
        format_minor(-minor, money) if minor < 0 else "",
        format_minor(line.balance_minor, money),
        money,
    ]


def cursor_of(place: Place) -> str:
    """Write a place as a cursor."""
    day, at, *rest = place
    return encode(json.dumps([day.isoformat(), at.isoformat(), *rest]))


def place_of(cursor: str) -> Place:
    """Read a cursor.

    Raises
    ------
    BadRequest
        CURSOR for anything that is no cursor of a statement.
    """
    try:
        day, at, seq, entry_id, number = json.loads(decode(cursor, str))
        instant = dt.datetime.fromisoformat(at)
        place = Place(dt.date.fromisoformat(day), instant, int(seq), str(entry_id), int(number))
    except (TypeError, ValueError, OverflowError, RecursionError):
        place = None
    if place is None or place.created_at.tzinfo is None or max(
        abs(place.seq), abs(place.place)
    ) > MAX_SEQ:  # fmt: skip
        raise BadRequest("CURSOR", "This is no cursor of this list.")
    return place
