"""Write a book as files that other programs take: CSV, and the plain text of hledger.

Pure: lines in, bytes out; the same lines give the same bytes. Amounts are written exactly, dates
as ISO text. What people typed is made harmless at this border: a spreadsheet must not take a
narrative for a formula, nor a text journal take it for a posting.
"""

import csv
import io
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from scf.accounting.journal import JournalLine
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown
from scf.kernel.money import exponent, format_minor

FORMATS: Final = ("csv", "hledger")
COLUMNS: Final = (
    "entry_id",
    "event_id",
    "event_kind",
    "subject_id",
    "booked_on",
    "value_on",
    "narrative",
    "line",
    "account_code",
    "account_name",
    "currency",
    "debit",
    "credit",
)
_KINDS: Final = {
    "asset": "Assets",
    "liability": "Liabilities",
    "income": "Income",
    "expense": "Expenses",
    "equity": "Equity",
}
# A cell that starts so is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide twins count as well


def write(lines: Iterable[JournalLine], form: str) -> bytes:
    """Write the lines in one of ``FORMATS``.

    Raises
    ------
    InvalidInput
        EXPORT_FORMAT, for another name.
    """
    if form == "csv":
        return to_csv(lines)
    if form == "hledger":
        return to_hledger(lines)
    raise InvalidInput(
        "EXPORT_FORMAT",
        "A journal is exported as %(known)s.",
        format=shown(form, 20),
        known=list(FORMATS),
    )


def to_csv(lines: Iterable[JournalLine]) -> bytes:
    """Write one row a posting, UTF-8, with debit and credit in columns of their own."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for line in lines:
        amount = format_minor(abs(line.amount_minor), line.currency)
        writer.writerow(
            [
                cell(line.entry_id),
                cell(line.event_id),
                cell(line.event_kind),
                cell(line.subject_id),
                line.booked_on.isoformat(),
                line.value_on.isoformat(),
                cell(line.narrative),
                line.place + 1,
                cell(line.account_code),
                cell(line.account_name),
                line.currency,
                amount if line.amount_minor > 0 else "",
                amount if line.amount_minor < 0 else "",
            ]
        )
    return out.getvalue().encode("utf-8")


def to_hledger(lines: Iterable[JournalLine]) -> bytes:
    """Write the journal that hledger reads; the value date is its secondary date."""
    every = list(lines)
    out = ["; Journal, amounts exact, decimal sign: the dot.", "decimal-mark ."]
    out += [
        f"commodity {_shape(currency)} {currency}"
        for currency in sorted({line.currency for line in every})
    ]
    out += [f"account {name}" for name in sorted({_account(line) for line in every})]
    for _entry_id, group in groupby(every, key=lambda line: line.entry_id):
        entry = list(group)
        head = entry[0]
        out += [
            "",
            _head(head),
            _tags(head),
        ]
        out += [
            f"    {_account(line)}    {format_minor(line.amount_minor, line.currency)} "
            f"{line.currency}"
            for line in entry
        ]
    return ("\n".join(out) + "\n").encode("utf-8")


def _head(line: JournalLine) -> str:
    words = _text(line.narrative) or _word(line.event_kind)
    days = f"{line.booked_on.isoformat()}={line.value_on.isoformat()}"
    return f"{days} ({_word(line.entry_id)}) {words}"


def _tags(line: JournalLine) -> str:
    event = f"event: {_word(line.event_kind)}, id: {_word(line.event_id)}"
    return f"    ; {event}, subject: {_word(line.subject_id)}"


def cell(text: str) -> str:
    """Keep a spreadsheet from running a text."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _shape(currency: str) -> str:
    digits = exponent(currency)
    return f"1000.{'0' * digits}"


def _account(line: JournalLine) -> str:
    """Name an account; two blanks would end it, a colon would make another level of it."""
    return f"{_KINDS[line.account_kind]}:{' '.join(_plain(line.account_name, ':;').split())}"


def _text(text: str) -> str:
    """Write a narrative on one line, without the signs that mean something to hledger."""
    return " ".join(_plain(text, ";|").split())


def _word(text: str) -> str:
    """Write an id or a kind, which stands in brackets or in a list of tags."""
    return "".join(_plain(text, ";|,()").split())


def _plain(text: str, signs: str) -> str:
    return "".join(" " if sign in signs or not sign.isprintable() else sign for sign in text)
