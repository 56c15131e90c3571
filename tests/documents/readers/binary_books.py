"""Small workbooks of the other formats, written by hand: XLS, XLSB and ODS.

A row holds texts, numbers and dates; a date is a number with the style of a date, as in the files
that programs write. Source: [MS-XLS], [MS-CFB], [MS-XLSB], OpenDocument 1.3.
"""

import datetime as dt
import io
import struct
import zipfile
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

Row = Sequence[str | float | dt.date | None]
_START = {False: dt.date(1899, 12, 30), True: dt.date(1904, 1, 1)}
_SHORT_DATE = 14  # the number of the format that every program has for dates
_SECTOR = 512
_END_OF_CHAIN, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def _serial(day: dt.date, *, mac: bool) -> float:
    return float((day - _START[mac]).days)


# --- XLS ----------------------------------------------------------------------------------------


def xls(rows: Sequence[Row], *, mac: bool = False) -> bytes:
    """Write a BIFF8 workbook; ``mac`` counts days from 1904."""

    def record(number: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", number, len(body)) + body

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0, 0x07CC, 0, 6))

    def style(form: int) -> bytes:
        return record(0x00E0, struct.pack("<HHHBBBBIIH", 0, form, 0, 0x20, 0, 0, 0, 0, 0, 0x20C0))

    cells = b""
    for line, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, str):
                text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                cells += record(0x0204, struct.pack("<HHH", line, column, 0) + text)
            elif value is not None:
                dated = isinstance(value, dt.date)
                number = _serial(value, mac=mac) if isinstance(value, dt.date) else float(value)
                cells += record(0x0203, struct.pack("<HHHd", line, column, int(dated), number))
    width = max(map(len, rows))
    size = record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    sheet = begin(0x10) + size + cells + record(0x0A)
    head = begin(0x05) + record(0x42, struct.pack("<H", 1200)) + record(0x22, bytes([mac, 0]))
    head += style(0) + style(_SHORT_DATE)
    name = b"\x06\x00Sheet1"
    start = len(head) + 4 + 6 + len(name) + 4
    head += record(0x85, struct.pack("<IBB", start, 0, 0) + name) + record(0x0A)
    return _compound(head + sheet)


def _compound(stream: bytes) -> bytes:
    """Put one stream, "Workbook", into a compound file of one table of sectors."""
    stream = stream.ljust(8 * _SECTOR, b"\0")  # shorter ones lie in a table of their own
    stream += bytes(-len(stream) % _SECTOR)
    count = len(stream) // _SECTOR
    chain = [_FAT, _END_OF_CHAIN, *range(3, count + 2), _END_OF_CHAIN]
    fat = struct.pack(f"<{_SECTOR // 4}I", *chain, *[_FREE] * (_SECTOR // 4 - len(chain)))

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        raw = (name + "\0").encode("utf-16-le") if name else b""
        links = struct.pack("<BBIII", kind, 1, _FREE, _FREE, child)
        return (
            raw.ljust(64, b"\0")
            + struct.pack("<H", len(raw))
            + links
            + bytes(36)
            + struct.pack("<IQ", start, size)
        )

    folder = entry("Root Entry", 5, 1, _END_OF_CHAIN, 0) + entry("Workbook", 2, _FREE, 2,
                                                                 len(stream))  # fmt: skip
    folder += entry("", 0, _FREE, 0, 0) * 2
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += struct.pack("<HHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, 1, 1, 0, 4096,
                        _END_OF_CHAIN, 0, _END_OF_CHAIN, 0)  # fmt: skip
    head += struct.pack("<I", 0) + struct.pack("<I", _FREE) * 108
    return head + fat + folder + stream


# --- XLSB ---------------------------------------------------------------------------------------


def xlsb(rows: Sequence[Row], *, mac: bool = False) -> bytes:
    """Write a BIFF12 workbook: records of varying length in the parts of a ZIP."""

    def record(number: int, body: bytes = b"") -> bytes:
        kind = bytes([number]) if number < 128 else struct.pack("<H", number)
        size, rest = b"", len(body)
        while rest > 127:
            size, rest = size + bytes([rest & 127 | 128]), rest >> 7
        return kind + size + bytes([rest]) + body

    def text(value: str) -> bytes:
        return struct.pack("<I", len(value)) + value.encode("utf-16-le")

    def style(form: int) -> bytes:
        return record(0x2F, struct.pack("<HHHHHBBHBB", 0, form, 0, 0, 0, 0, 0, 0, 0, 0))

    cells = b""
    for line, row in enumerate(rows):
        cells += record(0x00, struct.pack("<IIHBBBI", line, 0, 300, 0, 0, 0, 0))
        for column, value in enumerate(row):
            if isinstance(value, str):
                cells += record(0x06, struct.pack("<II", column, 0) + text(value))
            elif value is not None:
                dated = isinstance(value, dt.date)
                number = _serial(value, mac=mac) if isinstance(value, dt.date) else float(value)
                cells += record(0x05, struct.pack("<IId", column, int(dated), number))
    width = max(map(len, rows))
    size = record(0x0194, struct.pack("<IIII", 0, len(rows) - 1, 0, width - 1))
    sheet = record(0x0181) + size + record(0x0191) + cells + record(0x0192) + record(0x0182)
    bundle = struct.pack("<II", 0, 1) + text("rId1") + text("Sheet1")
    book = record(0x0183) + record(0x0199, struct.pack("<II", int(mac), 0) + text(""))
    book += record(0x018F) + record(0x019C, bundle) + record(0x0190) + record(0x0184)
    styles = record(0x0296) + record(0x04E9, struct.pack("<I", 2)) + style(0) + style(_SHORT_DATE)
    styles += record(0x04EA) + record(0x0297)
    return _packed(
        ("[Content_Types].xml", b"<Types/>"),
        ("xl/workbook.bin", book),
        ("xl/styles.bin", styles),
        ("xl/worksheets/sheet1.bin", sheet),
        (
            "xl/_rels/workbook.bin.rels",
            (
                b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                b'<Relationship Id="rId1" Type="worksheet" Target="worksheets/sheet1.bin"/>'
                b"</Relationships>"
            ),
        ),
    )


# --- ODS ----------------------------------------------------------------------------------------

_SPACE = "urn:oasis:names:tc:opendocument:xmlns"


def ods(rows: Sequence[Row]) -> bytes:
    """Write an OpenDocument spreadsheet."""
    lines = "".join(
        f"<table:table-row>{''.join(_ods_cells(row))}</table:table-row>" for row in rows
    )
    content = (
        f'<office:document-content xmlns:office="{_SPACE}:office:1.0" '
        f'xmlns:table="{_SPACE}:table:1.0" xmlns:text="{_SPACE}:text:1.0"><office:body>'
        f'<office:spreadsheet><table:table table:name="Sheet1">{lines}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    return _packed(
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.encode()),
        ("META-INF/manifest.xml", b"<manifest/>"),
    )


def _ods_cells(row: Row) -> Iterator[str]:
    for value in row:
        if value is None:
            yield "<table:table-cell/>"
        elif isinstance(value, str):
            said = f"<text:p>{escape(value)}</text:p>"
            yield f'<table:table-cell office:value-type="string">{said}</table:table-cell>'
        elif isinstance(value, dt.date):
            yield (
                '<table:table-cell office:value-type="date" '
                f'office:date-value="{value.isoformat()}"/>'
            )
        else:
            yield f'<table:table-cell office:value-type="float" office:value="{value}"/>'


def _packed(*parts: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, part in parts:
            archive.writestr(name, part, zipfile.ZIP_DEFLATED if name != "mimetype" else 0)
    return out.getvalue()
