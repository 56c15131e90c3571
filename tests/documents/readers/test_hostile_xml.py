"""Named attacks on the XML reader: each is refused with a reason or changes nothing."""

import base64
import gzip
import zlib

import pytest

from scf.documents.readers import read_file
from tests.documents.readers.samples import changed, errors, only, ubl

INVOICE = ubl("invoice").decode()
BODY = INVOICE.partition("?>")[2]
DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'
BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(12))
    + "]>"
)


def _with_doctype(doctype: str) -> bytes:
    return (DECLARED + doctype + BODY).encode()


REFUSED = {
    "external entity from a file": (
        _with_doctype('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>').replace(
            b"R-2026-0117<", b"&e;<", 1
        ),
        "XML_DOCTYPE",
    ),
    "external entity over http": (
        _with_doctype('<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/e">]>'),
        "XML_DOCTYPE",
    ),
    "parameter entity": (
        _with_doctype('<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p"> %p;]>'),
        "XML_DOCTYPE",
    ),
    "external DTD": (
        _with_doctype('<!DOCTYPE x SYSTEM "http://127.0.0.1:9/d.dtd">'),
        "XML_DOCTYPE",
    ),
    "harmless DOCTYPE": (_with_doctype("<!DOCTYPE Invoice>"), "XML_DOCTYPE"),
    "billion laughs": (_with_doctype(BOMB), "XML_DOCTYPE"),
    "quadratic blow-up": (
        _with_doctype(f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]>'),
        "XML_DOCTYPE",
    ),
    "entity in an attribute": (
        _with_doctype('<!DOCTYPE x [<!ENTITY e "EUR">]>').replace(b'"EUR"', b'"&e;"', 1),
        "XML_DOCTYPE",
    ),
    "DOCTYPE behind comments": (
        _with_doctype("<!-- a --><?b c?><!-- d -->\n<!DOCTYPE x>"),
        "XML_DOCTYPE",
    ),
    "undeclared entity": (changed("Brunn Castings\n", "&xxe;\n"), "XML_MALFORMED"),
    "UTF-7": (INVOICE.replace("UTF-8", "UTF-7").encode(), "XML_ENCODING"),
    "EBCDIC": (INVOICE.replace("UTF-8", "cp037").encode("cp037"), None),
    "declared UTF-16, written UTF-8": (
        INVOICE.replace("UTF-8", "UTF-16").encode(),
        "XML_ENCODING",
    ),
    "marked UTF-16, declared UTF-8": (
        b"\xff\xfe" + INVOICE.encode("utf-16-le"),
        "XML_ENCODING",
    ),
    "declared UTF-8, written Latin-1": (
        INVOICE.replace("Ulm", "Köln").encode("latin-1"),
        "XML_ENCODING",
    ),
    "unknown encoding": (INVOICE.replace("UTF-8", "x-evil").encode(), "XML_ENCODING"),
    "NUL": (changed("Brunn Castings\n", "Brunn\0Castings\n"), "XML_MALFORMED"),
    "lone surrogate as a reference": (changed("Grey iron", "&#xD800;"), "XML_MALFORMED"),
    "lone surrogate as bytes": (
        ubl("invoice").replace(b"Grey iron", b"\xed\xa0\x80"),
        "XML_ENCODING",
    ),
    "duplicate attribute": (
        changed('currencyID="EUR">14000', 'currencyID="EUR" currencyID="EUR">14000'),
        "XML_MALFORMED",
    ),
    "two payable amounts": (
        changed(
            "<cbc:PayableAmount",
            '<cbc:PayableAmount currencyID="EUR">1.00</cbc:PayableAmount><cbc:PayableAmount',
        ),
        "ELEMENT_TWICE",
    ),
    "two numbers": (
        changed("<cbc:IssueDate>2026-03-02", "<cbc:ID>2</cbc:ID><cbc:IssueDate>2026-03-02"),
        "ELEMENT_TWICE",
    ),
    "two totals": (
        changed(
            "<cac:LegalMonetaryTotal>",
            '<cac:LegalMonetaryTotal><cbc:PayableAmount currencyID="EUR">1.00</cbc:PayableAmount>'
            "</cac:LegalMonetaryTotal><cac:LegalMonetaryTotal>",
        ),
        "ELEMENT_TWICE",
    ),
    "an element inside a number": (
        changed(">R-2026-0117<", ">R-2026<cbc:x/>-0117<"),
        "TEXT_WITH_ELEMENTS",
    ),
    "a signed invoice wrapped in another": (
        INVOICE.replace(
            "<cbc:CustomizationID>",
            '<ext:UBLExtensions xmlns:ext="urn:oasis:names:specification:ubl:schema:xsd:'
            'CommonExtensionComponents-2"><ext:UBLExtension><ext:ExtensionContent>'
            + BODY.strip()
            + "</ext:ExtensionContent></ext:UBLExtension></ext:UBLExtensions>"
            "<cbc:CustomizationID>",
            1,
        ).encode(),
        "DOCUMENT_NESTED",
    ),
    "mixed currencies": (
        changed('currencyID="EUR">2600', 'currencyID="CHF">2600'),
        "CURRENCY_MIXED",
    ),
    "header and lines differ": (changed(">2600.00<", ">2500.00<"), "LINES_SUM"),
    "prefix bound to another namespace": (
        changed("CommonBasicComponents-2", "CommonBasicComponents-3"),
        "XSD",
    ),
    "root in another namespace": (changed("xsd:Invoice-2", "xsd:Invoice-9"), "FORMAT_UNKNOWN"),
    "a stylesheet that reads a file": (
        (
            b'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
            b'<xsl:template match="/"><xsl:copy-of select="document(\'/etc/passwd\')"/>'
            b"</xsl:template></xsl:stylesheet>"
        ),
        "FORMAT_UNKNOWN",
    ),
    "deep nesting": (b"<a>" * 10_000 + b"</a>" * 10_000, "XML_TOO_DEEP"),
    "nesting just past the limit": (b"<a>" * 65 + b"</a>" * 65, "XML_TOO_DEEP"),
    "many elements": (b"<a>" + b"<b/>" * 101_000 + b"</a>", "XML_TOO_LARGE"),
    "many comments": (b"<a/>" + b"<!---->" * 100_000, "XML_TOO_LARGE"),
    "too many bytes": (b"<a>" + b" " * 5_000_001 + b"</a>", "XML_TOO_LARGE"),
    "cut in the middle": (ubl("invoice")[:3000], "XML_MALFORMED"),
    "two roots": (ubl("invoice") + BODY.encode(), "XML_MALFORMED"),
    "packed bomb": (gzip.compress(b"<a>" + b" " * 60_000_000), None),
    "packed and cut": (gzip.compress(ubl("invoice"))[:-200], "GZIP_BROKEN"),
    "packed with a wrong checksum": (
        gzip.compress(ubl("invoice"))[:-8] + b"\0" * 8,
        "GZIP_BROKEN",
    ),
    "many empty gzip members": (gzip.compress(b"") * 10_000, "GZIP_BROKEN"),
    "packed twice": (gzip.compress(gzip.compress(ubl("invoice"))), "FORMAT_UNKNOWN"),
    "nothing": (b"", "FILE_EMPTY"),
    "only blanks": (b" \n\t ", "FILE_EMPTY"),
    "only a mark": (b"\xef\xbb\xbf", "FILE_EMPTY"),
    "a zip": (b"PK\x03\x04" + b"x" * 100, "FORMAT_UNKNOWN"),
    "a PDF": (b"%PDF-1.7 ...", "PDF_BROKEN"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_attack_is_refused_with_a_reason(name: str) -> None:
    data, code = REFUSED[name]
    found = errors(data)
    if code is not None:
        assert code in found


HARMLESS = {
    "comment inside an amount": changed(">14000.00</cbc:Pay", ">140<!-- -->00.00</cbc:Pay"),
    "instruction inside an amount": changed(">14000.00</cbc:Pay", ">140<?x y?>00.00</cbc:Pay"),
    "CDATA around an amount": changed(">14000.00</cbc:Pay", "><![CDATA[14000.00]]></cbc:Pay"),
    "comment inside the number": changed(">R-2026-0117<", ">R-2026<!--x-->-0117<"),
    "stylesheet instruction": (
        DECLARED + '<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?>' + BODY
    ).encode(),
    "schemaLocation elsewhere": changed(
        "<Invoice ",
        '<Invoice xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="urn:x http://127.0.0.1:9/x.xsd" ',
    ),
    "byte order mark": b"\xef\xbb\xbf" + ubl("invoice"),
    "UTF-16 with its mark": INVOICE.replace("UTF-8", "UTF-16").encode("utf-16"),
    "Latin-1 as declared": INVOICE.replace("UTF-8", "ISO-8859-1").encode("latin-1"),
    "single quotes": INVOICE.replace(DECLARED, DECLARED.replace('"', "'")).encode(),
    "other prefixes": INVOICE.replace("cbc:", "b:").replace(":cbc=", ":b=").encode(),
    "padding of zero": changed(">14000.00</cbc:Pay", ">+0014000.0000</cbc:Pay"),
    "a zone behind the date": changed(">2026-03-02<", ">2026-03-02+14:00<"),
    "packed": gzip.compress(ubl("invoice")),
    "packed in two members": gzip.compress(ubl("invoice")[:900])
    + gzip.compress(ubl("invoice")[900:]),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_the_trick_changes_nothing(name: str) -> None:
    invoice = only(read_file(HARMLESS[name]))
    assert invoice.number == "R-2026-0117"
    assert invoice.payable_minor == 1400000
    assert invoice.seller.name == "Brunn Castings GmbH"
    assert invoice.issue_on is not None
    assert invoice.issue_on.isoformat() == "2026-03-02"


def test_xinclude_is_never_followed() -> None:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/hostname"/>'
    assert "TEXT_WITH_ELEMENTS" in errors(changed(">R-2026-0117<", f">{include}<"))


def test_an_embedded_packed_bomb_stays_packed() -> None:
    bomb = base64.b64encode(zlib.compress(b"\0" * 3_000_000)).decode()
    attached = (
        "<cac:AdditionalDocumentReference><cbc:ID>x</cbc:ID><cac:Attachment>"
        '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/zip" filename="x.zip">'
        f"{bomb}</cbc:EmbeddedDocumentBinaryObject></cac:Attachment>"
        "</cac:AdditionalDocumentReference>"
    )
    data = changed("<cac:AccountingSupplierParty>", attached + "<cac:AccountingSupplierParty>")
    assert only(read_file(data)).payable_minor == 1400000


def test_five_thousand_lines_with_one_number_are_one_finding() -> None:
    text = ubl("order").decode()
    start, end = text.index("<cac:OrderLine>"), text.index("</cac:OrderLine>") + 16
    data = (text[:start] + text[start:end] * 5000 + text[end:]).encode()
    found = [finding for finding in read_file(data).findings if finding.code == "LINE_TWICE"]
    assert [(finding.place, finding.value) for finding in found] == [
        ("/Order/cac:OrderLine[5000]/cac:LineItem/cbc:ID", "10")
    ]
