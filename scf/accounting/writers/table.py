"""A journal as a table: one row a posting."""

import csv
import io
from collections.abc import Iterable
from typing import Final

from scf.accounting.journal import JournalLine
from scf.accounting.writers.harmless import cell
from scf.kernel.money import format_minor

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
