"""Workbooks made in memory, honest and hostile."""

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

TITLE = "Offene Posten Debitoren"
HEADER = ["Beleg-Nr.", "Rg.-Datum", "Fällig am", "Kunde", "USt-IdNr. Kunde", "Betrag (EUR)",
          "Bemerkung"]  # fmt: skip
# A list as an accounting program prints it: a cover sheet, a preamble, the header on every page,
# numbers and dates as texts here and as values there, an error, a sum and a page number.
LEDGER: list[list[Any]] = [
    [TITLE],
    ["Muster Maschinenbau, Weststraße 4, 12345 Berlin"],
    ["Druckdatum:", dt.date(2026, 11, 20)],
    [],
    HEADER,
    [4711, dt.date(2026, 10, 1), "31.10.2026", "Nord GmbH", "DE123456789", "1.234,56", ""],
    [4712, dt.date(2026, 10, 2), "03.11.2026", "Süd AG", "DE999999999", 0.1 + 0.2, ""],
    ["RE-4713", dt.date(2026, 10, 2), "03.11.2026", "Süd AG", "DE999999999", "#N/A", ""],
    HEADER,
    ["RE-4714", dt.date(2026, 10, 5), "04.11.2026", "Süd AG", "DE999999999", 1500, "ok"],
    ["Summe", None, None, None, None, 2734.86],
    [],
    ["Seite 1 von 1"],
]


def workbook(
    rows: Sequence[Sequence[Any]],
    *,
    cover: bool = False,
    change: Callable[[openpyxl.Workbook, Worksheet], None] | None = None,
) -> bytes:
    """Write rows as a sheet, behind a cover sheet or alone; ``change`` gets book and sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    if cover:
        sheet.title = "Deckblatt"
        sheet["A1"] = "Muster Maschinenbau"
        sheet = book.create_sheet("Rechnungen")
    for row in rows:
        sheet.append(row)
    if change is not None:
        change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(
    data: bytes,
    change: Callable[[str, bytes], bytes] = lambda _name, part: part,
    *,
    more: dict[str, bytes] | None = None,
) -> bytes:
    """Pack a workbook anew with its parts changed and others added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", 8) as new:
        for name in old.namelist():
            # A mimetype stands first and unpacked, or the file is no OpenDocument.
            new.writestr(name, change(name, old.read(name)), 0 if name == "mimetype" else None)
        for name, part in (more or {}).items():
            new.writestr(name, part)
    return out.getvalue()


def in_sheet(before: bytes) -> Callable[[str, bytes], bytes]:
    """Put XML at the end of the cells of the first sheet."""
    return lambda name, part: (
        part.replace(b"</sheetData>", before + b"</sheetData>")
        if name.endswith("sheet1.xml")
        else part
    )
