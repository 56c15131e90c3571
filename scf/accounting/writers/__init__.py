"""Write a book as a file that another program takes; one module a format.

Pure: lines in, bytes out; the same lines give the same bytes. Amounts are written exactly, dates
as ISO text. What people typed is made harmless at this border (``harmless.py``): a spreadsheet must
not take a narrative for a formula, nor a text journal take it for a posting.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from scf.accounting.journal import JournalLine
from scf.accounting.writers.beancount import to_beancount
from scf.accounting.writers.records import to_records
from scf.accounting.writers.table import to_csv
from scf.accounting.writers.text import to_hledger
from scf.kernel.errors import InvalidInput
from scf.kernel.findings import shown


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a journal: how it is called, what a file of it is, and who writes it."""

    title: str
    media: str
    ending: str
    write: Callable[[Iterable[JournalLine]], bytes]


FORMS: Final[Mapping[str, Form]] = MappingProxyType(
    {
        "csv": Form("CSV", "text/csv", "csv", to_csv),
        "json": Form("JSON", "application/json", "json", to_records),
        "hledger": Form("hledger, ledger", "text/plain", "journal", to_hledger),
        "beancount": Form("Beancount", "text/plain", "beancount", to_beancount),
    }
)


def form_of(name: str) -> Form:
    """Give the format of a name.

    Raises
    ------
    InvalidInput
        EXPORT_FORMAT, for a name that is none of ``FORMS``.
    """
    if name not in FORMS:
        raise InvalidInput(
            "EXPORT_FORMAT",
            "A journal is exported as %(known)s.",
            format=shown(name, 20),
            known=", ".join(FORMS),
        )
    return FORMS[name]


def write(lines: Iterable[JournalLine], name: str) -> bytes:
    """Write the lines in one of ``FORMS``; raises as :func:`form_of`."""
    return form_of(name).write(lines)
