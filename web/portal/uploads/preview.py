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
from scf.documents.canonical import CanonicalDocument, Kind, blocks
from scf.documents.readers import READABLE, format_of, read_file
from scf.documents.readers.csvfile import (
    Look,
    Table,
    look_into,
    open_table,
    unmapped,
    values_of,
)
from scf.documents.readers.mapping import (
    DATE_FIELDS,
    ColumnMapping,
    CreditBy,
    fields_of,
    required_fields_of,
)
from scf.documents.readers.proposing import Proposal, propose_columns
from scf.documents.readers.sheetfile import Workbook
from scf.documents.readers.values import DATE_FORMATS, read_date
from scf.kernel.findings import Finding
from scf.kernel.money import EXPONENTS
from web.portal.uploads.words import column_name, field_name, party_name

KINDS: Final = (Kind.INVOICE, Kind.CREDIT_NOTE, Kind.ORDER, Kind.PAYMENT)
_SIDES: Final = {Kind.PAYMENT: ("payee", "payer")}
_SAMPLES: Final = 3
_TRIED: Final = 2_000
_SHOWN: Final = 8
_MAX_HEADER: Final = 200
_ALIKE: Final = 0.8  # of the columns of a mapping, for another header to be read by it
# What a person may say a file is written in, where what was found shows wrong letters.
ENCODINGS: Final = (
    "utf-8", "cp1252", "iso-8859-15", "cp1250", "iso-8859-2", "cp1251", "gb18030", "big5",
    "shift_jis", "cp949", "utf-16",
)  # fmt: skip
_DATED: Final = (*DATE_FIELDS, "paid_on")
ISO: Final = "YYYY-MM-DD"
# What keeps out a row that may be a credit note, until a person has said whether it is.
_CREDITING: Final = frozenset({"TYPE_CONTRADICTS", "AMOUNT_NEGATIVE"})
CREDIT_BY: Final[tuple[CreditBy, ...]] = ("type", "sign")


@dataclass
class Choice:
    """How a table is to be read, as proposed, remembered or chosen in the form."""

    kind: Kind
    fields: list[str]  # what each column means; empty: not read
    date_format: str = "YYYY-MM-DD"
    decimal: str = "point"
    currency: str = ""
    credit_by: tuple[CreditBy, ...] = ()  # what makes a row a credit note; a person says it
    header_row: int = 1
    header_lines: int = 1
    sheet: str = ""  # empty: the one that looks most like a table
    encoding: str = ""  # empty: as found
    remembered: bool = False
    similar: bool = False  # remembered for a header that is nearly this one
    notes: list[Finding] = field(default_factory=list)


@dataclass
class Seen:
    """The first documents of a file, and how many of those tried were good."""

    rows: list[tuple[str, CanonicalDocument | None, tuple[Finding, ...]]] = field(
        default_factory=list
    )
    good: int = 0
    bad: int = 0
    left_out: int = 0  # sums, page numbers, headers that stand again
    credits: int = 0  # of the good ones, credit notes
    crediting: int = 0  # of the bad ones, those whose type or minus says that they credit
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


def looked_into(content: bytes | Workbook, form: Mapping[str, str] | None) -> Look:
    """Find sheet, encoding and header, as far as the form does not say them."""
    form = form or {}
    sheet = form.get("sheet", "")[:200]
    # Another sheet has its header elsewhere.
    same = form.get("place_before", "").rpartition(":")[0] == sheet
    return look_into(
        content,
        encoding=encoding_of(form),
        sheet=sheet,
        header_row=header_row_of(form) if same and form.get("header_row") else 0,
    )


def proposed(
    look: Look, content: bytes | Workbook, kind: Kind | None, form: Mapping[str, str], own: Own
) -> Choice:
    """Guess how a table is to be read."""
    layout = look.layout
    how = unmapped(
        header_row=layout.header_row,
        header_lines=layout.header_lines,
        sheet=form.get("sheet", "")[:200],
        encoding=encoding_of(form),
    )
    if column_name("number", Kind.CREDIT_NOTE) in look.header:
        kind = kind or Kind.CREDIT_NOTE  # a blank list of ours, whatever its language
    kinds = (kind,) if kind else KINDS
    found: Proposal = propose_columns(
        look.header,
        look.rows,
        kind,
        more=lambda columns: values_of(content, columns, how),
        own_words={
            name: column_name(name, one) for one in kinds for name in sorted(fields_of(one))
        },
        partner=f"{_partner(kind, own)}_name",
        numbers=look.numbers,
    )
    meaning = {column: name for name, column in found.columns.items()}
    return Choice(
        found.kind,
        [meaning.pop(name, "") for name in look.header],
        # Where a day could be a month, a person says which; nothing is chosen before.
        "" if found.has("DATE_AMBIGUOUS") else found.date_formats[0],
        found.decimal,
        found.currency,
        notes=found.findings,
    )


def _partner(kind: Kind | None, own: Own) -> str:
    return _SIDES.get(kind or Kind.INVOICE, ("seller", "buyer"))[not own.is_buyer]


def remembered(look: Look, stored: Mapping[str, Any]) -> Choice:
    """Read a table as this firm read the last one with this header."""
    mapping = ColumnMapping.model_validate(stored, strict=False)
    meaning = {column: name for name, column in mapping.columns.items()}
    return Choice(
        mapping.kind,
        [meaning.pop(name, "") for name in look.header],
        mapping.date_formats[0],
        mapping.decimal,
        mapping.default_currency,
        mapping.credit_by,
        sheet=mapping.sheet if mapping.sheet in look.sheets else "",
        encoding=mapping.encoding if mapping.encoding in ENCODINGS else "",
        remembered=True,
    )


def likeness(look: Look, stored: Mapping[str, Any]) -> float:
    """Give how many of the columns of a mapping stand in a header, if enough for it to be read."""
    mapping = ColumnMapping.model_validate(stored, strict=False)
    names = set(look.header)
    there = [name for name, column in mapping.columns.items() if column in names]
    needed = set(required_fields_of(mapping.kind)) & mapping.columns.keys()
    share = len(there) / max(len(mapping.columns), 1)
    return share if needed <= set(there) and share >= _ALIKE else 0.0


def sent(form: Mapping[str, str], width: int) -> Choice:
    """Read the form; what is no choice of ours becomes the usual one."""
    kind = form.get("kind", "")
    day = form.get("date_format", "")
    currency = form.get("currency", "").strip().upper()
    return Choice(
        Kind(kind) if kind in KINDS else Kind.INVOICE,
        [form.get(f"column-{place}", "")[:40] for place in range(width)],
        day if day in DATE_FORMATS else "",
        "comma" if form.get("decimal") == "comma" else "point",
        currency if currency in EXPONENTS else "",
        tuple(one for one in CREDIT_BY if form.get(f"credit_{one}") == "yes"),
        sheet=form.get("sheet", "")[:200],
        encoding=encoding_of(form),
    )


def encoding_of(form: Mapping[str, str]) -> str:
    """Read which encoding is asked for; empty: the one that is found."""
    text = form.get("encoding", "")
    return text if text in ENCODINGS else ""


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
    errors |= _unsaid(choice, columns)
    if errors:
        return None, errors
    forms = [choice.date_format, *([ISO] if choice.date_format != ISO else [])]
    try:
        return (
            ColumnMapping(
                kind=choice.kind,
                columns=columns,
                constants=own_side(choice, own),
                # A date cell of a workbook, and of its error file, comes in this form always.
                date_formats=tuple(forms),  # type: ignore[arg-type]
                decimal=choice.decimal,  # type: ignore[arg-type]
                default_currency="" if "currency" in columns else choice.currency,
                credit_by=credit_by(choice),
                header_row=choice.header_row,
                header_lines=choice.header_lines,
                sheet=choice.sheet,
                encoding=choice.encoding,
            ),
            {},
        )
    except ValidationError as error:
        return None, {"column-0": str(error.errors(include_url=False)[0]["msg"])}


def _unsaid(choice: Choice, columns: Mapping[str, str]) -> dict[str, str]:
    """Say what a person has still to say, by name of the form's field."""
    errors: dict[str, str] = {}
    missing = [name for name in required_fields_of(choice.kind) if name not in columns]
    if "currency" in missing:
        missing.remove("currency")
        if not choice.currency:
            errors["currency"] = _("Say which currency the amounts are in.")
    if missing:
        names = ", ".join(column_name(name, choice.kind) for name in missing)
        errors["column-0"] = _("Say which column holds %(field)s.", field=names)
    if not choice.date_format:
        errors["date_format"] = _("Say how the dates are written: which is the day?")
    signed = "sign" in choice.credit_by and choice.kind is Kind.INVOICE
    if signed and not {"billing_reference", "type_code"} & columns.keys():
        errors["credit_sign"] = _("Say which column names the invoice that a row credits.")
    return errors


def credit_by(choice: Choice) -> tuple[CreditBy, ...]:
    """Give what makes a row a credit note, as far as the kind of table leaves it open."""
    asked: dict[Kind, tuple[CreditBy, ...]] = {Kind.CREDIT_NOTE: ("sign",)}
    asked[Kind.INVOICE] = ("type", "sign") if "type_code" in choice.fields else ("sign",)
    return tuple(one for one in asked.get(choice.kind, ()) if one in choice.credit_by)


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


def table_seen(content: bytes | Workbook, mapping: ColumnMapping, today: dt.date) -> Seen:
    """Read the beginning of a table by a mapping."""
    table: Table = open_table(content, mapping, today=today)
    seen = Seen()
    if not table.readable:
        seen.rows = [("", None, tuple(table.findings))]
        seen.bad = 1
        return seen
    for row in islice(table.rows(), _TRIED):
        if not row.row_count and not blocks(row.findings):
            seen.left_out += 1
            continue
        seen.good += row.document is not None
        seen.bad += row.document is None
        seen.credits += row.document is not None and row.document.kind is Kind.CREDIT_NOTE
        seen.crediting += row.document is None and any(
            found.code in _CREDITING for found in row.findings
        )
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


def dates_in(look: Look, choice: Choice) -> list[str]:
    """Give some dates of the table, those first that are read in one way only."""
    places = [place for place, name in enumerate(choice.fields) if name in _DATED]
    found = [text for place in places for text in samples(look.rows, place, len(look.rows))]
    return [text for text in found if read_date(text, (ISO,)) is None] or found


def samples(sample: Sequence[Sequence[str]], place: int, most: int = _SAMPLES) -> list[str]:
    """Give the first values of a column."""
    found = [row[place].strip() for row in sample if place < len(row) and row[place].strip()]
    return found[:most]
