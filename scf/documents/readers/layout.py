"""Find the header of a table among the lines above it, and tell what is no document below it.

A sheet begins with a title, an address, the day it was printed; names of groups stand above those
of columns; sums and page numbers stand below. None of that is a document.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from scf.documents.readers.proposing import known_names
from scf.documents.readers.table import RawRow
from scf.documents.readers.text import squeeze
from scf.documents.readers.values import SPELT_DATES, fits_comma, fits_point, read_date
from scf.documents.readers.vocabulary import currency_in, starts_a_sum
from scf.kernel.findings import Finding, Severity

_LOOKED_AT: Final = 40  # rows in which a header is looked for
_NAME_LENGTH: Final = 60
_LEAST: Final = 2  # names that make a header
_KNOWN: Final = 3.0  # what a known name counts for, against a name over values
_PAIRS: Final = 4  # names below each other, each with one value: a form and no table
_PAIR: Final = 2
_WORDS: Final = 2


class Layout(NamedTuple):
    """Where the header of a table stands, and how sure that is."""

    header_row: int = 1
    header_lines: int = 1
    score: float = 0.0
    findings: tuple[Finding, ...] = ()


def find_header(rows: Sequence[RawRow]) -> Layout:
    """Give the row that names columns: the most known names, above the most values."""
    looked = [row for row in rows if any(cell.strip() for cell in row.cells)]
    best, most = -1, 0.0
    for place, row in enumerate(looked[:_LOOKED_AT]):
        score = _score(row.cells, looked[place + 1].cells if place + 1 < len(looked) else ())
        if score > most:
            best, most = place, score
    if best < 0:
        return Layout(findings=_transposed(looked) or _nameless(looked[:1]))
    best = _first_alike(looked, best)
    names = known_names(looked[best].cells)
    if names < _LEAST and (turned := _transposed(looked)):
        return Layout(findings=turned)
    for first in (best - 1, best):
        pair = looked[first : first + 2] if first >= 0 else []
        if len(pair) == 2 and _grouped(pair[0], pair[1], names, looked[first + 2 : first + 3]):  # noqa: PLR2004
            return Layout(pair[0].line, 2, most)
    return Layout(looked[best].line, 1, most)


def _first_alike(rows: Sequence[RawRow], place: int) -> int:
    """Give the first row with these names: a header that stands on each page is one header."""
    names = [squeeze(cell) for cell in rows[place].cells]
    return next(at for at, row in enumerate(rows) if [squeeze(cell) for cell in row.cells] == names)


def _nameless(rows: Sequence[RawRow]) -> tuple[Finding, ...]:
    """Say that the first row is a document: taken for the names of columns it would be lost."""
    for row in rows:
        values = sum(_is_value(cell) for cell in row.cells)
        if values >= _LEAST:
            message = (
                "The first row holds values where the names of the columns belong. Put a row with"
                " their names above it."
            )
            return (Finding(Severity.ERROR, "HEADER_MISSING", message, f"row {row.line}"),)
    return ()


def joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Give the names of a header of two lines: that of the group, then that of the column.

    A name that says it all without its group ("Dates" above "Invoice date") stands alone,
    with the currency that only its group names.
    """
    names = []
    group = ""
    for place in range(max(len(upper), len(lower))):
        above = squeeze(upper[place]) if place < len(upper) else ""
        below = squeeze(lower[place]) if place < len(lower) else ""
        group = above or (group if below else "")
        both = f"{group} {below}".strip()
        alone = below and not known_names([both]) and known_names([below])
        if alone and currency_in(group) and not currency_in(below):
            below += f" ({currency_in(group)})"
        names.append(below if alone else both)
    return names


def _score(cells: Sequence[str], below: Sequence[str]) -> float:
    filled = [cell.strip() for cell in cells if cell.strip()]
    values = sum(_is_value(cell) for cell in filled)
    if len(filled) - values < _LEAST or values * 4 > len(filled):
        return 0.0
    if any(len(cell) > _NAME_LENGTH for cell in filled):
        return 0.0
    over = sum(
        bool(name.strip()) and _is_value(value) for name, value in zip(cells, below, strict=False)
    )
    return _KNOWN * known_names(cells) + over + min(len(filled), 10) * 0.1 - _KNOWN * values


def _is_value(cell: str) -> bool:
    text = cell.strip()
    return any(one.isdecimal() for one in text) and (
        fits_point(text) or fits_comma(text) or read_date(text, SPELT_DATES) is not None
    )


def _grouped(upper: RawRow, lower: RawRow, known: int, below: Sequence[RawRow]) -> bool:
    """Tell whether two rows are one header: together they name more than either alone."""
    if lower.line != upper.line + 1 or any(_is_value(one) for one in (*upper.cells, *lower.cells)):
        return False
    spread = any(
        cell.strip() and not (upper.cells[place].strip() if place < len(upper.cells) else "")
        for place, cell in enumerate(lower.cells)
    )
    filled = sum(bool(cell.strip()) for cell in upper.cells)
    if not spread or filled < _LEAST or not below:
        return False
    together = known_names(joined(upper.cells, lower.cells))
    return together > max(known, known_names(lower.cells), known_names(upper.cells))


def _transposed(rows: Sequence[RawRow]) -> tuple[Finding, ...]:
    """Say that names stand below each other with their values beside them, which is no table."""
    pairs = [
        filled[0]
        for row in rows
        if len(filled := [cell.strip() for cell in row.cells if cell.strip()]) == _PAIR
    ]
    if len(pairs) < _PAIRS or known_names([name.rstrip(":") for name in pairs]) < _PAIRS - 1:
        return ()
    message = (
        "The names stand below each other, each with its value beside it. A table has its names in"
        " one row and a document in each row below."
    )
    return (Finding(Severity.ERROR, "TABLE_TRANSPOSED", message, "header", pairs[0]),)


# --- Below the header ---------------------------------------------------------------------------


def left_out(row: RawRow, header: Sequence[str], amounts: frozenset[int]) -> Finding | None:
    """Say why a row is no document and no mistake: a header again, a sum, a line of words.

    ``amounts`` are the places of amounts.
    """
    filled = {place: text for place, cell in enumerate(row.cells) if (text := cell.strip())}
    if not filled:
        return None
    place = f"row {row.line}"
    words = " ".join(filled.values())
    names = {squeeze(name).casefold() for name in header} - {""}
    if len(filled) >= _LEAST and all(squeeze(one).casefold() in names for one in filled.values()):
        message = "The names of the columns stand here again; the row is passed over."
        return Finding(Severity.INFO, "ROW_HEADER", message, place, words)
    texts = [text for text in filled.values() if not _is_value(text)]
    dated = any(read_date(text, SPELT_DATES) for text in filled.values())
    if texts and starts_a_sum(texts[0]) and not dated:
        message = "This is a sum and no document; the row is passed over."
        return Finding(Severity.INFO, "ROW_TOTAL", message, place, words)
    if not texts and filled.keys() <= amounts and len(header) > len(filled):
        message = "This is a sum and no document; the row is passed over."
        return Finding(Severity.INFO, "ROW_TOTAL", message, place, words)
    lonely = len(filled) == 1 and len(header) > _WORDS
    if lonely and len(words.split()) >= _WORDS and not filled.keys() & amounts:
        message = "This is a line of words and no document; the row is passed over."
        return Finding(Severity.INFO, "ROW_WORDS", message, place, words)
    return None
