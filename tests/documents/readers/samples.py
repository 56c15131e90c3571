"""The project's own sample documents, and ways to change one thing in them."""

from pathlib import Path

from scf.documents.canonical import CanonicalDocument, ParsedFile
from scf.documents.readers import read_file
from scf.kernel.findings import Severity

DATA = Path(__file__).parents[2] / "data"


def ubl(name: str) -> bytes:
    return (DATA / "ubl" / f"{name}.xml").read_bytes()


def cii(name: str = "invoice") -> bytes:
    return (DATA / "cii" / f"{name}.xml").read_bytes()


def fatturapa(name: str = "invoice") -> bytes:
    return (DATA / "fatturapa" / f"{name}.xml").read_bytes()


def of_pair(invoice: bytes, seller: str, buyer: str) -> bytes:
    """Make the sample invoice, in UBL or CII, one between two firms known by D-U-N-S number."""
    invoice = replaced(invoice, '"0199">875500TRIBUTARYSEL07', f'"0060">{seller}')
    return replaced(invoice, '"0199">875500TRIBUTARYBUY89', f'"0060">{buyer}')


def table(name: str) -> bytes:
    return (DATA / "csv" / f"{name}.csv").read_bytes()


def changed(old: str, new: str, name: str = "invoice", count: int = 1) -> bytes:
    """Give a sample with one text replaced; the text must be there."""
    return replaced(ubl(name), old, new, count)


def replaced(sample: bytes, old: str, new: str, count: int = 1) -> bytes:
    text = sample.decode()
    assert old in text
    return text.replace(old, new, count).encode()


def only(parsed: ParsedFile) -> CanonicalDocument:
    assert not parsed.errors, parsed.errors
    (document,) = parsed.documents
    return document


def errors(data: bytes) -> set[str]:
    """Read a document that must be refused, and give the codes of the reasons."""
    parsed = read_file(data)
    assert parsed.documents == ()
    assert parsed.refused == 1
    found = {finding.code for finding in parsed.findings if finding.severity is Severity.ERROR}
    assert found
    return found


def warnings(data: bytes) -> set[str]:
    """Read a document that must be kept, and give the codes of its warnings."""
    document = only(read_file(data))
    return {found.code for found in document.findings if found.severity is Severity.WARNING}
