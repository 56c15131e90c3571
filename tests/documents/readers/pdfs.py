"""Small PDF files with an invoice inside, written by hand so that each trick can be played."""

import zlib
from collections.abc import Mapping, Sequence

from tests.documents.readers.samples import cii

PAGE = ("Rechnung Nr. R-2026-0117", "Brunn Castings GmbH", "Zahlbetrag 14.000,00 EUR")
XMP = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:fx="urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{name}</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>{level}</fx:ConformanceLevel>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def stream(content: bytes, entries: str = "", *, packed: bool = False) -> bytes:
    """Write a stream object."""
    if packed:
        content, entries = zlib.compress(content), f"{entries} /Filter /FlateDecode"
    return f"<< {entries} /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def written(
    objects: Mapping[int, bytes], before: bytes = b"%PDF-1.7\n", trailer: str = ""
) -> bytes:
    """Write objects with their table, as a new file or behind what stands there already."""
    out = bytearray(before)
    table = bytearray(b"xref\n0 1\n0000000000 65535 f \n")
    for number, content in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    size = max(objects) + 1 + before.count(b" obj")
    start = len(out)
    out += table + f"trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n".encode()
    return bytes(out) + f"startxref\n{start}\n%%EOF\n".encode()


def updated(data: bytes, objects: Mapping[int, bytes]) -> bytes:
    """Append a change, as programs do that do not rewrite the file."""
    start = int(data.rpartition(b"startxref\n")[2].partition(b"\n")[0])
    return written(objects, data, f"/Prev {start}")


def parts(
    xml: bytes | None = None,
    page: Sequence[str] = PAGE,
    *,
    name: str = "factur-x.xml",
    relation: str = "/Alternative",
    catalog: str = "",
    level: str = "EN 16931",
) -> dict[int, bytes]:
    """Give the objects of an invoice; 8 is its XML, 7 says what the attachment is."""
    xml = cii() if xml is None else xml
    lines = "".join(f"({line}) Tj 0 -20 Td " for line in page)
    return {
        1: (
            "<< /Type /Catalog /Pages 2 0 R /AF [7 0 R] /Metadata 6 0 R "
            f"/Names << /EmbeddedFiles << /Names [({name}) 7 0 R] >> >> {catalog} >>"
        ).encode(),
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
            b"/Resources << /Font << /F1 5 0 R >> >> >>"
        ),
        4: stream(f"BT /F1 12 Tf 50 780 Td {lines} ET".encode("latin-1"), packed=True),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        6: stream(XMP.format(name=name, level=level).encode(), "/Type /Metadata /Subtype /XML"),
        7: filespec(8, name, relation),
        8: stream(xml, "/Type /EmbeddedFile /Subtype /text#2Fxml", packed=True),
    }


def filespec(number: int, name: str, relation: str = "/Alternative") -> bytes:
    """Say of a stream that it is an attached file."""
    return (
        f"<< /Type /Filespec /F ({name}) /UF ({name}) /AFRelationship {relation} "
        f"/EF << /F {number} 0 R /UF {number} 0 R >> >>"
    ).encode()


def invoice(*args: bytes | Sequence[str], **how: str) -> bytes:
    """Write an invoice of one page with its XML inside."""
    return written(parts(*args, **how))  # type: ignore[arg-type]
