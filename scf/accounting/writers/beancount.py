"""A journal as the plain text of Beancount (version 2 and 3).

Its accounts are words of letters, digits and dashes that begin with a capital letter, and are
opened before they are used; a text stands in double quotes. Source: Beancount's language syntax.
"""

import datetime as dt
import re
from collections.abc import Iterable
from itertools import groupby
from typing import Final

from scf.accounting.journal import JournalLine
from scf.accounting.writers.harmless import one_line, word
from scf.accounting.writers.text import ROOTS
from scf.kernel.money import format_minor

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9]+")


def to_beancount(lines: Iterable[JournalLine]) -> bytes:
    """Write accounts with their first day, then the entries; the value date is kept as a field.

    An account is named by its code, which a book holds once: two names can look alike.
    """
    every = list(lines)
    out = [";; Journal, amounts exact.", 'option "title" "Journal"']
    out += [
        f'option "operating_currency" "{currency}"'
        for currency in sorted({line.currency for line in every})
    ]
    opened: dict[str, dt.date] = {}
    for line in every:
        name = _account(line)
        opened[name] = min(line.booked_on, opened.get(name, line.booked_on))
    names = {_account(line): line.account_name for line in every}
    for name, day in sorted(opened.items()):
        out += [f"{day.isoformat()} open {name}", f"  name: {_quoted(names[name])}"]
    for _entry_id, group in groupby(every, key=lambda line: line.entry_id):
        entry = list(group)
        head = entry[0]
        out += [
            "",
            f"{head.booked_on.isoformat()} * {_quoted(head.narrative or head.event_kind)}",
            f"  entry: {_quoted(word(head.entry_id))}",
            f"  event: {_quoted(word(head.event_kind))}",
            f"  event-id: {_quoted(word(head.event_id))}",
            f"  subject: {_quoted(word(head.subject_id))}",
            f"  value-date: {head.value_on.isoformat()}",
        ]
        out += [
            f"  {_account(line)}  {format_minor(line.amount_minor, line.currency)} {line.currency}"
            for line in entry
        ]
    return ("\n".join(out) + "\n").encode("utf-8")


def _account(line: JournalLine) -> str:
    words = [part for part in _NOT_IN_NAMES.split(line.account_code) if part]
    return f"{ROOTS[line.account_kind]}:{'-'.join(part.capitalize() for part in words)}"


def _quoted(text: str) -> str:
    """Write a text in quotes; a backslash or quote of its own would end it early."""
    return '"' + one_line(text).replace("\\", "\\\\").replace('"', '\\"') + '"'
