"""Read one file, whatever it is, into documents and findings."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final, Literal, get_args

from lxml import etree

from scf.documents import checks
from scf.documents.canonical import CanonicalDocument, ParsedFile, blocks
from scf.documents.readers.apart import SMALL, read_apart
from scf.documents.readers.cii import is_cii, read_cii
from scf.documents.readers.edi_scope import Reading
from scf.documents.readers.edifact import read_edifact
from scf.documents.readers.facturx import read_attached
from scf.documents.readers.fatturapa import is_fatturapa, read_fatturapa, unverified
from scf.documents.readers.jsonfile import read_json
from scf.documents.readers.sniff import Format, sniff, unpack
from scf.documents.readers.ubl import is_ubl, read_ubl
from scf.documents.readers.x12 import read_x12
from scf.kernel.cms import signed_content
from scf.kernel.errors import InvalidInput, TooLarge, Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.xml import load_xml

# What a sender may call a file; "auto" lets its content tell.
FormatName = Literal[
    "auto", "ubl", "cii", "fatturapa", "facturx", "edifact", "x12", "json", "csv", "xlsx"
]
FORMAT_NAMES: Final[tuple[str, ...]] = get_args(FormatName)
TABULAR: Final = frozenset({Format.CSV, Format.XLSX})

MAX_DOCUMENT_BYTES: Final = 5_000_000
# More comments and instructions than this are no document anybody wrote.
MAX_COMMENTS: Final = 2_000

# What programs call a workbook although it is none.
_PAGE: Final = re.compile(rb"\s*<(?:!doctype html|html|head|body|table)\b", re.IGNORECASE)
_OLD_WORKBOOK: Final = "{urn:schemas-microsoft-com:office:spreadsheet}Workbook"
_NO_WORKBOOK: Final = (
    "This is a table as a web page or in an old XML form. Open it in a spreadsheet program and save"
    " it as XLSX or CSV."
)


def read_file(data: bytes, *, today: dt.date | None = None) -> ParsedFile:
    """Read a file that holds one document; a table is read by ``csvfile`` with its mapping.

    Raises
    ------
    Unavailable
        When the schemas of UBL are not installed.
    """
    found = sniff(data)
    try:
        if found is Format.GZIP:
            data = unpack(data, MAX_DOCUMENT_BYTES)
            found = sniff(data)
    except (InvalidInput, TooLarge) as refusal:
        return _refused(refusal.code, refusal.words, "", str(found))
    if found is Format.EMPTY:
        return _refused("FILE_EMPTY", "The file is empty.", "", str(found))
    reader = _READERS.get(found)
    if reader is None:
        return _refused(
            "FORMAT_UNKNOWN",
            Words("This looks like %(found)s, which is not read as a document here.", found=found),
            "",
            str(found),
        )
    return reader(data, today)


def read_xml(data: bytes, today: dt.date | None = None) -> ParsedFile:
    """Read one XML document; whatever is wrong with it comes back as findings."""
    # The shortest instruction, "<?a?>", has five characters: a short file is not searched at all.
    if (
        len(data) > 5 * MAX_COMMENTS
        and data.count(b"<") > MAX_COMMENTS
        and data.count(b"<!--") + data.count(b"<?") > MAX_COMMENTS
    ):
        return _refused(
            "XML_TOO_LARGE",
            Words("The document has more than %(limit)s comments.", limit=MAX_COMMENTS),
            "",
            "xml",
        )
    try:
        root = load_xml(data, max_bytes=MAX_DOCUMENT_BYTES)
    except (InvalidInput, TooLarge) as refusal:
        if _PAGE.match(data):
            return _refused("FORMAT_UNKNOWN", _NO_WORKBOOK, "", "html")
        line = refusal.facts.get("line")
        place = f"line {line}" if line else ""
        return _refused(refusal.code, refusal.words, place, "xml")
    return read_root(root, today=today)


def read_pdf(data: bytes, today: dt.date | None = None) -> ParsedFile:
    """Read the invoice inside a PDF and hold it against the pages around it."""
    return read_attached(data, lambda xml: read_xml_file(xml, today))


def read_signed(data: bytes, today: dt.date | None = None) -> ParsedFile:
    """Read the XML inside a signed file; whose signature it is, nobody looks at here."""
    try:
        content = signed_content(data)
    except (InvalidInput, TooLarge) as refusal:
        return _refused(refusal.code, refusal.words, "", "signed")
    if sniff(content) is not Format.XML:
        message = "What was signed is no XML document."
        return _refused("SIGNED_CONTENT", message, "", str(sniff(content)))
    parsed = read_xml_file(content, today)
    told = unverified()
    return replace(
        parsed,
        documents=tuple(one.with_findings((*one.findings, told)) for one in parsed.documents),
        findings=(*parsed.findings, told),
    )


def read_root(root: etree._Element, *, today: dt.date | None = None) -> ParsedFile:
    """Read an XML document that is parsed already."""
    if is_fatturapa(root):
        return _judged("fatturapa", read_fatturapa(root), today)
    for name, is_its, read in _XML_READERS:
        if is_its(root):
            return checked(*read(root), name, today=today)
    message = "No reader knows this kind of XML document."
    if root.tag == _OLD_WORKBOOK or _PAGE.match(b"<" + etree.QName(root).localname.encode()):
        message = _NO_WORKBOOK
    return _refused("FORMAT_UNKNOWN", message, "/", str(root.tag))


def read_interchange(name: str, data: bytes, today: dt.date | None) -> ParsedFile:
    """Read a file of many documents, a large one in a process of its own."""
    if len(data) > MAX_DOCUMENT_BYTES:
        message = Words(
            "A file of more than %(limit)s bytes is not read.", limit=MAX_DOCUMENT_BYTES
        )
        return _refused("FILE_TOO_LARGE", message, "", name)
    return _bounded(name, data, today)


def read_xml_file(data: bytes, today: dt.date | None = None) -> ParsedFile:
    """Read an XML document, a large one in a process of its own."""
    if len(data) > MAX_DOCUMENT_BYTES:
        return read_xml(data, today)  # which refuses it by its size
    return _bounded("xml", data, today)


def _bounded(name: str, data: bytes, today: dt.date | None) -> ParsedFile:
    if len(data) <= SMALL:
        return read_here(name, data, today)
    try:
        return read_apart(name, data, today)
    except (InvalidInput, TooLarge) as refusal:
        return _refused(refusal.code, refusal.words, "", name)


def read_here(name: str, data: bytes, today: dt.date | None) -> ParsedFile:
    """Read a file in this process; of many documents each is judged alone."""
    if name == "xml":
        return read_xml(data, today)
    return _judged(name, _INTERCHANGES[name](data), today)


def _judged(name: str, readings: Iterable[Reading], today: dt.date | None) -> ParsedFile:
    """Hold every document of a file against the rules that every format shares."""
    documents: list[CanonicalDocument] = []
    refusals: list[tuple[Finding, ...]] = []
    told: list[Finding] = []
    for document, findings, unread in readings:
        rules = [] if document is None else checks.check(document, unread=unread, today=today)
        own = (*findings, *rules)
        told += own
        if document is None or blocks(own):
            refusals.append(own)
        else:
            documents.append(document.with_findings(own))
    return ParsedFile(tuple(documents), tuple(told), name, len(refusals), tuple(refusals))


def checked(
    document: CanonicalDocument,
    findings: list[Finding],
    unread: Container[str],
    name: str,
    *,
    today: dt.date | None,
) -> ParsedFile:
    """Hold one document that was read against the rules that every format shares."""
    findings += checks.check(document, unread=unread, today=today)
    told = tuple(findings)
    if blocks(findings):
        return ParsedFile((), told, name, refused=1)
    return ParsedFile((document.with_findings(told),), told, name)


def _refused(code: str, message: str, place: str, value: str) -> ParsedFile:
    return ParsedFile((), (Finding(Severity.ERROR, code, message, place, value),), value, refused=1)


_INTERCHANGES: Final[dict[str, Callable[[bytes], Iterator[Reading]]]] = {
    "edifact": read_edifact,
    "x12": read_x12,
    "json": read_json,
}
# How each kind of file that holds documents is read. What needs a heavy library imports it inside.
_READERS: Final[dict[Format, Callable[[bytes, dt.date | None], ParsedFile]]] = {
    Format.XML: read_xml_file,
    Format.EDIFACT: partial(read_interchange, "edifact"),
    Format.X12: partial(read_interchange, "x12"),
    Format.JSON: partial(read_interchange, "json"),
    Format.PDF: read_pdf,
    Format.SIGNED: read_signed,
}
# Name, whether a root is its, and how it is read: document, findings, fields that were unreadable.
_XML_READERS: Final[
    tuple[
        tuple[
            str,
            Callable[[etree._Element], bool],
            Callable[[etree._Element], tuple[CanonicalDocument, list[Finding], Container[str]]],
        ],
        ...,
    ]
] = (("ubl", is_ubl, read_ubl), ("cii", is_cii, read_cii))
# What this platform reads at all.
READABLE: Final = TABULAR | _READERS.keys()
