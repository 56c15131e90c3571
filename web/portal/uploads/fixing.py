"""Rows to fix: each bad row of a table with its findings in its cells, edited where it stands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from scf.documents import errorfile, intake
from scf.documents.canonical import Kind
from scf.documents.commands import READ_AT_ONCE
from scf.documents.models import DocumentFinding, Upload
from scf.documents.readers.csvfile import open_table
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.repairs.answering import rows_of
from scf.kernel.errors import Conflict, InvalidInput
from scf.kernel.ids import digest
from web.context import actor, platform
from web.portal.uploads.blueprint import content_of, one_upload, uploads
from web.refusals import refusal_text, translated

ROWS: Final = 25  # documents on one page of the grid
_MAX_CELL: Final = 4_000
_COLUMN: Final = re.compile(r"column (.+)$")


@dataclass(frozen=True)
class Cell:
    """One cell of a bad row, and what is wrong in it."""

    name: str
    value: str
    findings: tuple[str, ...]
    used: bool
    place: int  # of its column in the file


@dataclass(frozen=True)
class Line:
    """One bad row; what concerns no single cell stands beside it."""

    line: int
    starts: int
    cells: list[Cell]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A page of bad rows."""

    columns: list[tuple[str, bool]]
    lines: list[Line]
    documents: list[int]
    total: int
    following: int  # the line after which the next page begins; 0: this is the last


def grid_of(
    row: Upload,
    content: bytes,
    errors: Sequence[DocumentFinding],
    starts: Sequence[int],
    after: int = 0,
) -> Grid | None:
    """Lay the bad rows of a table out, with every finding in its cell.

    ``starts`` are the lines at which its bad documents start.
    """
    by_row: dict[int, list[DocumentFinding]] = {}
    for one in errors:
        line = errorfile.row_of(one.place)
        if line is not None:
            by_row.setdefault(errorfile.start_of(starts, line), []).append(one)
    if not by_row:
        return None
    ordered = sorted(by_row)
    wanted = [line for line in ordered if line > after][:ROWS]
    header, bad = errorfile.rows_to_fix(content, wanted, row.mapping, row.document_type)
    used = _used(row, header)
    lines = [_line(one, header, used, by_row.get(one.starts, ())) for one in bad]
    following = wanted[-1] if wanted and ordered[-1] > wanted[-1] else 0
    order = _faults_first(lines, len(header))
    return Grid(
        [(header[place], header[place] in used) for place in order],
        [replace(one, cells=[one.cells[place] for place in order]) for one in lines],
        wanted,
        len(ordered),
        following,
    )


def _faults_first(lines: Sequence[Line], width: int) -> list[int]:
    """Order the columns: the first names the row, then those with faults, which must be in view."""
    faulty = {place for line in lines for place in range(width) if line.cells[place].findings}
    return sorted(range(width), key=lambda place: (place > 0, place not in faulty, place))


def _used(row: Upload, header: Sequence[str]) -> set[str]:
    """Give the columns that are read; the others are carried along unseen."""
    columns = (row.mapping or {}).get("columns")
    return set(columns.values()) if columns else set(header)


def _line(
    bad: errorfile.BadRow,
    header: Sequence[str],
    used: set[str],
    findings: Sequence[DocumentFinding],
) -> Line:
    in_cell: dict[str, list[str]] = {}
    beside: list[str] = []
    for one in findings:
        at = _COLUMN.search(one.place)
        name = at[1] if at else ""
        if errorfile.row_of(one.place) != bad.line:
            continue
        if name in header:
            in_cell.setdefault(name, []).append(translated(one.told))
        else:
            beside.append(translated(one.told))
    cells = [
        Cell(name, bad.cells[place], tuple(in_cell.get(name, ())), name in used, place)
        for place, name in enumerate(header)
    ]
    return Line(bad.line, bad.starts, cells, tuple(beside))


@uploads.post("/<upload_id>/correct")
def correct(upload_id: str) -> Response:
    """Import the corrected rows of this page, and nothing else of the file.

    The key derives from the upload and the rows as they were typed: pressed twice, or sent from
    two windows, the same correction comes in once.
    """
    with platform().db.read(actor()) as reading:
        row = one_upload(reading, upload_id)
        content = content_of(reading, row)
        asked = _documents()
        open_rows = {*rows_of(reading.connection(), upload_id, still_open=True)}
    header, bad = errorfile.rows_to_fix(content, asked, row.mapping, row.document_type)
    left_out = set(_lines("leave"))
    rows = [
        (one.starts, [_typed(one, place) for place in range(len(header))])
        for one in bad
        if one.starts not in left_out
    ]
    if not rows:
        flash(_("Choose at least one row to import."), "warn")
        return redirect(url_for("uploads.show", upload_id=upload_id), 303)
    written = errorfile.corrected(header, rows, upload_id)
    starts = sorted({one for one, _cells in rows})
    key = f"correct:{upload_id}:{digest([starts, written.hex()])}"
    payload = {
        "upload_id": upload_id,
        "content": written,
        "mapping": _mapping(row, content),
        "rows": starts,
    }
    try:
        done = platform().run("upload.correct", payload, actor(), key=key).result
    except (Conflict, InvalidInput) as refused:
        flash(refusal_text(refused), "bad" if open_rows & set(starts) else "info")
        return redirect(url_for("uploads.show", upload_id=upload_id), 303)
    if len(written) <= READ_AT_ONCE:
        intake.run_upload(platform(), done["upload_id"])
    return redirect(url_for("uploads.show", upload_id=done["upload_id"]), 303)


def _mapping(row: Upload, content: bytes) -> ColumnMapping:
    """Give the mapping by which the file was read, for rows written by ourselves."""
    if row.mapping:
        mapping = ColumnMapping.model_validate(row.mapping, strict=False)
    else:
        kind = Kind(row.document_type) if row.document_type else None
        found = open_table(content, kind=kind).mapping
        if found is None:
            raise InvalidInput("MAPPING", "The columns of this file are not known.")
        mapping = found
    return mapping.model_copy(update=errorfile.CORRECTED)


def _documents() -> list[int]:
    return _lines("row")[:ROWS]


def _lines(name: str) -> list[int]:
    texts = request.form.getlist(name)
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 10]  # noqa: PLR2004


def _typed(bad: errorfile.BadRow, place: int) -> str:
    """Give a cell as it was typed; one that the page did not show stays as it was."""
    return request.form.get(f"cell-{bad.line}-{place}", bad.cells[place])[:_MAX_CELL]
