"""What a waiting file seems to hold: its columns, how they would be read, its first documents.

The same reading serves the proposal, every change of it and the final word, so that what was seen
is what is imported.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from flask_babel import gettext as _
from pydantic import ValidationError

from scf.documents import intake
from scf.documents.canonical import CanonicalDocument, Kind
from scf.documents.readers import READABLE, format_of, read_file
from scf.documents.readers.csvfile import Table, open_table
from scf.documents.readers.mapping import ColumnMapping, required_fields_of
from scf.documents.readers.proposing import Proposal, propose_columns
from scf.documents.readers.table import SAMPLE_LINES
from scf.documents.readers.values import DATE_FORMATS
from scf.kernel.findings import Finding
from scf.kernel.ids import digest
from scf.kernel.money import EXPONENTS
from web.portal.uploads.words import field_name, party_name

KINDS: Final = (Kind.INVOICE, Kind.ORDER, Kind.PAYMENT)
_SIDES: Final = {Kind.PAYMENT: ("payee", "payer")}
_SAMPLES: Final = 3
_TRIED: Final = 2_000
_SHOWN: Final = 8
_MAX_HEADER: Final = 200
_PREAMBLE: Final = 15  # lines in which a header is looked for


@dataclass
class Choice:
    """How a table is to be read, as proposed, remembered or chosen in the form."""

    kind: Kind
    fields: list[str]  # what each column means; empty: not read
    date_format: str = "YYYY-MM-DD"
    decimal: str = "point"
    currency: str = ""
    header_row: int = 1
    remembered: bool = False
    notes: list[Finding] = field(default_factory=list)


@dataclass
class Seen:
    """The first documents of a file, and how many of those tried were good."""

    rows: list[tuple[str, CanonicalDocument | None, tuple[Finding, ...]]] = field(
        default_factory=list
    )
    good: int = 0
    bad: int = 0
    more: bool = False


@dataclass(frozen=True)
class Own:
    """The person's own firm, for the side that no column names."""

    name: str
    identifiers: tuple[tuple[str, str], ...]
    is_buyer: bool


def is_table(content: bytes) -> bool:
    """Tell whether a file is a table; any other file says itself what it holds."""
    return intake.is_table(content, "auto")


def is_readable(content: bytes) -> bool:
    """Tell whether this platform reads this kind of file at all."""
    return format_of(content) in READABLE


def header_of(content: bytes, header_row: int = 1) -> tuple[list[str], list[list[str]]]:
    """Give the header of a table and its first rows."""
    header, rows = _lines_of(content, header_row)
    return header, [cells for _line, cells in rows]


def _lines_of(content: bytes, header_row: int = 1) -> tuple[list[str], list[tuple[int, list[str]]]]:
    anything = ColumnMapping(
        kind=Kind.PAYMENT,
        columns={},
        constants={"paid_on": "-", "amount": "-", "currency": "-"},
        header_row=header_row,
    )
    table = open_table(content, anything)
    return table.header, [(row.line, row.cells) for row in islice(table.raw_rows(), SAMPLE_LINES)]


def likely_header_row(content: bytes) -> int:
    """Guess in which line the header stands: the first of those where most names are known."""
    first, rows = _lines_of(content)
    best, most = 1, len(propose_columns(first, ()).columns)
    for line, cells in rows[:_PREAMBLE]:
        known = len(propose_columns(cells, ()).columns)
        if known > most:
            best, most = line, known
    return best


def header_digest(header: Sequence[str]) -> str:
    """Give what a header is remembered by."""
    return digest([name.strip().casefold() for name in header])


def proposed(header: Sequence[str], sample: Sequence[Sequence[str]], kind: Kind | None) -> Choice:
    """Guess how a table is to be read."""
    found: Proposal = propose_columns(header, sample, kind)
    meaning = {column: name for name, column in found.columns.items()}
    return Choice(
        found.kind,
        [meaning.pop(name, "") for name in header],
        found.date_formats[0],
        found.decimal,
        notes=found.findings,
    )


def remembered(header: Sequence[str], stored: Mapping[str, Any]) -> Choice:
    """Read a table as this firm read the last one with this header."""
    mapping = ColumnMapping.model_validate(stored, strict=False)
    meaning = {column: name for name, column in mapping.columns.items()}
    return Choice(
        mapping.kind,
        [meaning.pop(name, "") for name in header],
        mapping.date_formats[0],
        mapping.decimal,
        mapping.default_currency,
        mapping.header_row,
        remembered=True,
    )


def sent(form: Mapping[str, str], width: int) -> Choice:
    """Read the form; what is no choice of ours becomes the usual one."""
    kind = form.get("kind", "")
    day = form.get("date_format", "")
    currency = form.get("currency", "").strip().upper()
    return Choice(
        Kind(kind) if kind in KINDS else Kind.INVOICE,
        [form.get(f"column-{place}", "")[:40] for place in range(width)],
        day if day in DATE_FORMATS else DATE_FORMATS[0],
        "comma" if form.get("decimal") == "comma" else "point",
        currency if currency in EXPONENTS else "",
        header_row_of(form),
    )


def header_row_of(form: Mapping[str, str]) -> int:
    """Read in which line the header stands."""
    text = form.get("header_row", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1  # noqa: PLR2004
    return max(1, min(number, _MAX_HEADER))


def mapping_of(
    choice: Choice, header: Sequence[str], own: Own
) -> tuple[ColumnMapping | None, dict[str, str]]:
    """Make the mapping of a choice, or say what is missing; errors by name of the form's field."""
    columns: dict[str, str] = {}
    errors: dict[str, str] = {}
    for place, name in enumerate(choice.fields[: len(header)]):
        if not name:
            continue
        if name in columns:
            errors[f"column-{place}"] = _(
                "Two columns are said to hold %(field)s. Keep one.", field=field_name(name)
            )
        columns[name] = header[place]
    constants = own_side(choice, own)
    missing = [name for name in required_fields_of(choice.kind) if name not in columns]
    if "currency" in missing:
        missing.remove("currency")
        if not choice.currency:
            errors["currency"] = _("Say which currency the amounts are in.")
    if missing:
        names = ", ".join(field_name(name) for name in missing)
        errors["column-0"] = _("Say which column holds %(field)s.", field=names)
    if errors:
        return None, errors
    try:
        return (
            ColumnMapping(
                kind=choice.kind,
                columns=columns,
                constants=constants,
                date_formats=(choice.date_format,),  # type: ignore[arg-type]
                decimal=choice.decimal,  # type: ignore[arg-type]
                default_currency="" if "currency" in columns else choice.currency,
                header_row=choice.header_row,
            ),
            {},
        )
    except ValidationError as error:
        return None, {"column-0": str(error.errors(include_url=False)[0]["msg"])}


def own_side(choice: Choice, own: Own) -> dict[str, str]:
    """Give the person's own firm as the side that no column names."""
    seller, buyer = _SIDES.get(choice.kind, ("seller", "buyer"))
    side = buyer if own.is_buyer else seller
    if any(name.startswith(f"{side}_") for name in choice.fields):
        return {}
    return {f"{side}_name": own.name} | {
        f"{side}_{scheme}": value for scheme, value in own.identifiers
    }


def own_side_name(choice: Choice, own: Own) -> str:
    """Name the side that the own firm stands on, for a sentence."""
    return party_name(_SIDES.get(choice.kind, ("seller", "buyer"))[own.is_buyer])


def table_seen(content: bytes, mapping: ColumnMapping, today: dt.date) -> Seen:
    """Read the beginning of a table by a mapping."""
    table: Table = open_table(content, mapping, today=today)
    seen = Seen()
    if not table.readable:
        seen.rows = [("", None, tuple(table.findings))]
        seen.bad = 1
        return seen
    for row in islice(table.rows(), _TRIED):
        seen.good += row.document is not None
        seen.bad += row.document is None
        if len(seen.rows) < _SHOWN:
            seen.rows.append((str(row.row), row.document, row.findings))
    seen.more = seen.good + seen.bad == _TRIED
    return seen


def document_seen(content: bytes, today: dt.date) -> Seen:
    """Read a file that is no table: an XML, a PDF with one inside, or an interchange.

    What was refused stands first.
    """
    parsed = read_file(content, today=today)
    seen = Seen(good=len(parsed.documents), bad=parsed.refused or int(not parsed.documents))
    refusals = parsed.refusals or (() if parsed.documents else (parsed.findings,))
    named = bool(parsed.refusals)
    seen.rows = [
        (findings[0].place.partition(",")[0] if named else "", None, findings)
        for findings in refusals[: _SHOWN // 2]
    ]
    seen.rows += [("", one, one.findings) for one in parsed.documents[: _SHOWN - len(seen.rows)]]
    return seen


def samples(sample: Sequence[Sequence[str]], place: int) -> list[str]:
    """Give the first values of a column."""
    found = [row[place].strip() for row in sample if place < len(row) and row[place].strip()]
    return found[:_SAMPLES]
