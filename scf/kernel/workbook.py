"""Read the cells of a workbook that a stranger sent: XLSX, XLSB, XLS or ODS.

Runs inside a limited process (``confined.run("scf.kernel.workbook:unpack", …)``) and never changes
or follows anything: values as they were last shown, no formula, no link, no macro. What would act
on whoever opens the original (macros, embedded programs, DDE) is refused.

The answer is one JSON list per row, sheet after sheet, and at its end an index of the sheets whose
place the last twenty bytes say. Each cell starts with its type: ``s`` text, ``n`` number in plain
decimal spelling, ``d`` date in ISO 8601; a blank cell is the empty text.
"""

import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import IO, Any, Final

from scf.kernel.archive import Archive, open_archive
from scf.kernel.errors import InvalidInput, TooLarge

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
TAIL: Final = 20
_ZIP: Final = b"PK\x03\x04"
# What stands at the beginning of every XLSX, XLSB and ODS, and of no other archive that is sent.
_MARKS: Final = (
    b"[Content_Types].xml",
    b"_rels/.rels",
    b"xl/",
    b"docProps/",
    b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
)
MAX_SHEETS: Final = 100
_MAX_WRONG: Final = 200_000
_MAX_EXACT: Final = 10**15  # what a spreadsheet shows of a number: fifteen digits
_PARTS: Final = 2_000_000

_PROGRAM: Final = re.compile(
    r"(?i)(?:.*/)?(?:vbaproject\.bin|(?:macrosheets|activex|embeddings|ctrlprops)/.+)"
    r"|(?:basic|scripts)/.+"
)
_DDE: Final = re.compile(rb"(?i)<(?:\w+:)?(?:ddeLink|oleLink|dde-link|dde-connection)|dde-source")
_ROW: Final = re.compile(rb"<(?:\w+:)?row\s[^>]*\bhidden=\"(?:1|true)\"")
_COLUMN: Final = re.compile(rb"<(?:\w+:)?col\s[^>]*\bhidden=\"(?:1|true)\"")
_FORMULA: Final = rb"<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)"
_ERROR: Final = re.compile(
    rb"<(?:\w+:)?c\s([^>]*\bt=\"e\"[^>]*)>(?:" + _FORMULA + rb")?<(?:\w+:)?v>([^<]{1,40})<"
)
_UNWORKED: Final = re.compile(
    rb"<(?:\w+:)?c\s([^>]*[^>/])>"
    + _FORMULA
    + rb"(?:<(?:\w+:)?v></(?:\w+:)?v>|<(?:\w+:)?v\s*/>)?</"
    rb"(?:\w+:)?c>"
)
_PLACE: Final = re.compile(rb"\br=\"([A-Z]{1,3})([0-9]{1,7})\"")
_ODS_HIDDEN: Final = re.compile(
    rb"<table:table-row\s[^>]*table:visibility=\"(?:collapse|filter)\"[^>]*>"
)
# Rows that stand once and mean many: empty ones end every sheet, filled ones are few.
MAX_REPEATED: Final = 20_000
_ODS_ROW: Final = re.compile(
    rb"<table:table-row\s[^>]*number-rows-repeated=\"([0-9]{1,7})\"[^>/]*>"
)
_ODS_VALUE: Final = re.compile(rb"office:value|office:string|office:date|<text:p")
_REPEATED: Final = re.compile(rb"number-rows-repeated=\"([0-9]{1,7})\"")


def is_workbook(head: bytes) -> bool:
    """Tell a workbook by its first bytes."""
    if head.startswith(OLE):
        return True
    if not head.startswith(_ZIP):
        return False
    return head[30:120].startswith(_MARKS)


def unpack(source: IO[bytes], answer: IO[bytes]) -> None:
    """Write the cells of every sheet.

    Raises
    ------
    InvalidInput
        FILE_ENCRYPTED, FILE_MACROS, FILE_DDE, ZIP_BROKEN, FILE_BROKEN.
    TooLarge
        ZIP_ENTRIES, ZIP_TOO_LARGE, ZIP_RATIO, SHEETS_MANY, ROWS_REPEATED.
    """
    data = source.read()
    seen: dict[str, dict[str, Any]] = {}
    links = False
    if data.startswith(OLE):
        _look_into_ole(data)
    else:
        archive = open_archive(data)
        links = _look_into(archive)
        seen = _all_seen(archive)
    sheets = []
    written = 0
    for name, visible, sheet in _sheets(data):
        height = width = 0
        for row in sheet.iter_rows():
            cells = _cells(row)
            width = max(width, len(cells))
            line = json.dumps(cells, ensure_ascii=False).encode() + b"\n"
            answer.write(line)
            height += 1
            written += len(line)
        sheets.append(
            {
                "name": name,
                "hidden": not visible,
                "column": sheet.start[1] if sheet.start else 0,
                "merged": len(sheet.merged_cell_ranges or ()),
                "height": height,
                "width": width,
                "end": written,
                **(seen.get(name) or seen.get("") or _NOTHING),
            }
        )
    answer.write(json.dumps({"links": links, "sheets": sheets}).encode())
    answer.write(b"%020d" % written)
    answer.flush()


_NOTHING: Final[dict[str, Any]] = {"hidden_rows": 0, "hidden_columns": 0, "wrong": []}


def _sheets(data: bytes) -> Iterator[tuple[str, bool, Any]]:
    """Give name, visibility and cells of each sheet, one in memory at a time."""
    import python_calamine as calamine

    try:
        book = calamine.load_workbook(io.BytesIO(data))
        tables = [
            one for one in book.sheets_metadata if one.typ is calamine.SheetTypeEnum.WorkSheet
        ]
        if len(tables) > MAX_SHEETS:
            raise TooLarge(
                "SHEETS_MANY", "The workbook has more than %(limit)s sheets.", limit=MAX_SHEETS
            )
        for one in tables:
            visible = one.visible is calamine.SheetVisibleEnum.Visible
            yield one.name, visible, book.get_sheet_by_name(one.name)
    except calamine.PasswordError:
        raise _encrypted() from None
    except (calamine.CalamineError, ValueError) as error:
        raise InvalidInput(
            "FILE_BROKEN", "The workbook is damaged: %(reason)s", reason=str(error)[:200]
        ) from None


# --- What must not be in it ---------------------------------------------------------------------


def _look_into_ole(data: bytes) -> None:
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise _encrypted()
    if "_VBA_PROJECT".encode("utf-16-le") in data:
        raise _programs()


def _look_into(archive: Archive) -> bool:
    """Refuse what acts by itself; tell whether values of other workbooks are taken over."""
    if any(_PROGRAM.fullmatch(name) for name in archive.entries):
        raise _programs()
    if b"encryption-data" in archive.read("META-INF/manifest.xml")[:_PARTS]:
        raise _encrypted()
    links = [name for name in archive.entries if name.startswith("xl/externalLinks/")]
    for name in (*links, "content.xml"):
        if _DDE.search(archive.read(name)):
            raise InvalidInput(
                "FILE_DDE",
                "The workbook starts other programs (DDE). Save it without, and hand it in again.",
            )
    return any(name.endswith(".xml") for name in links)


def _encrypted() -> InvalidInput:
    return InvalidInput(
        "FILE_ENCRYPTED",
        "The workbook is protected by a password. Save it without, and hand it in again.",
    )


def _programs() -> InvalidInput:
    return InvalidInput(
        "FILE_MACROS",
        "The workbook holds macros or embedded programs. Save it as .xlsx without them, and hand"
        " it in again.",
    )


# --- What a reader of the sheet sees, and its cells do not say ------------------------------------


def _all_seen(archive: Archive) -> dict[str, dict[str, Any]]:
    """Look through the XML of each sheet; of ODS only all sheets together can be told."""
    from scf.kernel.xml import load_xml

    if "content.xml" in archive.entries:
        content = archive.read("content.xml")
        _be_whole(content)
        _watch_repeated(content)
        return {"": {**_NOTHING, "hidden_rows": _hidden_in_ods(content)}}
    if "xl/workbook.xml" not in archive.entries:
        return {}
    book = load_xml(archive.read("xl/workbook.xml"))
    listed = load_xml(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {one.get("Id", ""): one.get("Target", "") for one in listed}
    found = {}
    for sheet in book.iterfind("{*}sheets/{*}sheet"):
        number = next((value for name, value in sheet.items() if name.endswith("}id")), "")
        target = targets.get(number, "").removeprefix("/xl/").removeprefix("./")
        found[sheet.get("name", "")] = _seen(archive.read(f"xl/{target}"))
    return found


def _seen(xml: bytes) -> dict[str, Any]:
    wrong: list[tuple[int, int, str]] = []
    for expression, must in ((_ERROR, b't="e"'), (_UNWORKED, b"f>")):
        if must not in xml:
            continue
        for found in expression.finditer(xml):
            place = _PLACE.search(found[1])
            if place is None or len(wrong) >= _MAX_WRONG:
                continue
            text = found[2].decode("utf-8", "replace") if expression is _ERROR else ""
            wrong.append((int(place[2]), _number_of(place[1]), text))
    return {
        "hidden_rows": sum(1 for _ in _ROW.finditer(xml)),
        "hidden_columns": sum(1 for _ in _COLUMN.finditer(xml)),
        "wrong": wrong,
    }


def _number_of(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1


def _be_whole(xml: bytes) -> None:
    """Refuse XML that ends too soon: the reader of cells would wait for its end without end."""
    from xml.parsers import expat

    def refuse(*_declared: object) -> None:
        raise InvalidInput("XML_DOCTYPE", "A document with a DOCTYPE is not accepted.")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml, True)  # noqa: FBT003 - this is all of it
    except (expat.ExpatError, ValueError) as error:
        raise InvalidInput(
            "FILE_BROKEN", "The workbook is damaged: %(reason)s", reason=str(error)[:200]
        ) from None


def _watch_repeated(xml: bytes) -> None:
    """Refuse a few bytes that stand for a million rows."""
    total = 0
    for found in _ODS_ROW.finditer(xml):
        end = xml.find(b"</table:table-row>", found.end())
        if end < 0:
            return
        if _ODS_VALUE.search(xml, found.end(), end):
            total += int(found[1])
        if total > MAX_REPEATED:
            raise TooLarge(
                "ROWS_REPEATED",
                "The workbook repeats more than %(limit)s rows that stand in it once.",
                limit=MAX_REPEATED,
            )


def _hidden_in_ods(xml: bytes) -> int:
    return sum(
        int(times[1]) if (times := _REPEATED.search(found[0])) else 1
        for found in _ODS_HIDDEN.finditer(xml)
    )


# --- Cells --------------------------------------------------------------------------------------


def _cells(row: list[Any]) -> list[str]:
    cells = [_cell(value) for value in row]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _cell(value: Any) -> str:  # noqa: ANN401 - whatever a cell may hold
    if isinstance(value, str):
        return f"s{value}" if value else ""
    if isinstance(value, bool):
        return "sTRUE" if value else "sFALSE"
    if isinstance(value, int | float):
        return f"n{plain_number(value)}"
    if isinstance(value, dt.datetime):
        midnight = not (value.hour or value.minute or value.second or value.microsecond)
        return f"d{value.date().isoformat() if midnight else value.isoformat(' ', 'seconds')}"
    if isinstance(value, dt.date):
        return f"d{value.isoformat()}"
    return f"s{value}"


def plain_number(value: float) -> str:
    """Spell a number as the sheet shows it in full: fifteen digits, no exponent.

    >>> plain_number(0.1 + 0.2)
    '0.3'
    """
    if value == int(value) and abs(value) < _MAX_EXACT:
        return str(int(value))
    text = format(value, ".15g")
    return format(Decimal(text), "f") if "e" in text else text


def index_of(answer: IO[bytes]) -> dict[str, Any]:
    """Read the index that ``unpack`` wrote at the end of its answer."""
    answer.seek(0, io.SEEK_END)
    size = answer.tell()
    answer.seek(size - TAIL)
    start = int(answer.read(TAIL))
    answer.seek(start)
    found: dict[str, Any] = json.loads(answer.read(size - TAIL - start))
    return found
