"""A journal as JSON: entries with their postings, for a program that reads it whole."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from scf.accounting.journal import JournalLine
from scf.kernel.money import format_minor

VERSION: Final = 1


def to_records(lines: Iterable[JournalLine]) -> bytes:
    """Write ``{"journal": version, "entries": [...]}``, UTF-8, one entry a line.

    Amounts are texts with the digits of their currency: a number of JSON is a float to many
    readers. A line has ``debit`` or ``credit``, never both; texts are as they were typed.
    """
    entries = ",\n".join(
        json.dumps(_entry(list(group)), ensure_ascii=False, separators=(",", ":"))
        for _, group in groupby(lines, key=lambda line: line.entry_id)
    )
    return f'{{"journal":{VERSION},"entries":[\n{entries}\n]}}\n'.encode(errors="backslashreplace")


def _entry(lines: list[JournalLine]) -> dict[str, Any]:
    head = lines[0]
    return {
        "id": head.entry_id,
        "event": head.event_id,
        "kind": head.event_kind,
        "subject": head.subject_id,
        "booked_on": head.booked_on.isoformat(),
        "value_on": head.value_on.isoformat(),
        "narrative": head.narrative,
        "lines": list(_postings(lines)),
    }


def _postings(lines: list[JournalLine]) -> Iterator[dict[str, Any]]:
    for line in lines:
        side = "debit" if line.amount_minor > 0 else "credit"
        yield {
            "account": line.account_code,
            "name": line.account_name,
            "kind": line.account_kind,
            "currency": line.currency,
            side: format_minor(abs(line.amount_minor), line.currency),
        }
