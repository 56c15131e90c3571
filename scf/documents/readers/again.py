"""What ties a row to one that was kept out before: a mark in a column of ours, or what it names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from scf.documents.canonical import CanonicalDocument, Kind, Party
from scf.documents.checks import CREDIT_CODES
from scf.documents.readers.table import RawRow

# The columns that a file to correct has more than its table: what is wrong, and which row it was.
REASON: Final = "finding"
AGAIN: Final = "corrects"
OURS: Final = frozenset({REASON, AGAIN})
_MARK: Final = re.compile(r"([0-9a-f-]{36}):([1-9][0-9]{0,14})")


class Mark(NamedTuple):
    """A row of an earlier upload."""

    upload_id: str
    row: int


class Named(NamedTuple):
    """What a row that was kept out says it is; it has the parties of a document."""

    kind: Kind
    number: str
    issue_on: dt.date | None
    seller: Party
    buyer: Party


def mark(upload_id: str, row: int) -> str:
    """Write the mark of a row."""
    return f"{upload_id}:{row}"


def marked(text: str) -> Mark | None:
    """Read a mark; whatever else stands there ties to nothing."""
    found = _MARK.fullmatch(text.strip())
    return Mark(found[1], int(found[2])) if found else None


def not_ours(header: Sequence[str]) -> list[str]:
    """Give a header with the names of our own columns left blank: they hold nothing to read."""
    return ["" if name in OURS else name for name in header]


def noting(raw: Iterable[RawRow], place: int, marks: dict[int, Mark]) -> Iterator[RawRow]:
    """Pass rows on, and note the mark that each carries by its line."""
    for row in raw:
        found = marked(row.cells[place]) if place < len(row.cells) else None
        if found is not None:
            marks[row.line] = found
        yield row


def named_by(document: CanonicalDocument) -> Named | None:
    """Give by what a refused document would be known again, if it says that much.

    A row of invoices that says it credits is a credit note when it comes in.
    """
    kind, number = document.kind, document.number
    if kind is Kind.PAYMENT or not number or document.seller.is_blank or document.buyer.is_blank:
        return None
    below = (document.payable_minor or 0) < 0
    if kind is Kind.INVOICE and (below or document.type_code in CREDIT_CODES):
        kind = Kind.CREDIT_NOTE
    return Named(kind, number, document.issue_on, document.seller, document.buyer)
