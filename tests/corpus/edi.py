"""Read every interchange of a corpus and say what became of it.

``python -m tests.corpus.edi DIR`` walks the folders named below inside DIR, which is never part of
this repository. Every file must be read or refused with a place, without a crash. Where the corpus
holds the same message as XML, our segments must be those of the XML; where it holds the same
invoice in CII, our document must be that of the CII.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

import argparse
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree

from scf.documents.canonical import CanonicalDocument, ParsedFile
from scf.documents.readers import Format, read_file, sniff
from scf.documents.readers.edi_segments import Marks, Text

FOLDERS = ("edi-edinet", "edi-pydifact", "edi-staedi", "en16931/edifact/examples")
TWINS = "en16931/edifact/examples"
CII = "en16931/cii/examples"
# Findings of a file as a whole, which has no place but itself.
_OF_THE_FILE = frozenset({"FORMAT_UNKNOWN"})
# The XML leaves parts of the frame out.
_FRAME = frozenset({"UNB", "UNH", "UNT"})
_MARKS = Marks(":", "+", "?", "*", "'")
# What two syntaxes of one invoice must agree on, besides its lines.
_SAME = (
    "kind", "number", "issue_on", "currency", "payable_minor", "gross_minor", "net_minor",
    "tax_minor", "lines_minor", "allowance_minor", "charge_minor", "prepaid_minor",
    "tax_subtotals", "order_reference", "contract_reference", "payment_reference", "delivered_on",
)  # fmt: skip


def interchanges(corpus: Path) -> Iterator[Path]:
    """Give the files of the corpus that are EDI."""
    for name in FOLDERS:
        for path in sorted((corpus / name).rglob("*")):
            if path.suffix.lower() in {".edi", ".txt"} and path.name != "SOURCE.txt":
                yield path


def marked_as_real(data: bytes) -> bytes:
    """Give an interchange as it would be in production, where its sender marked it as a test."""
    if sniff(data) is not Format.X12:
        return data
    at = data.index(b"ISA")
    element = data[at + 3 : at + 4]
    header = data[at:].split(element, 16)
    if len(header) > 16 and header[15] == b"T":
        header[15] = b"P"
    return data[:at] + element.join(header)


def without_place(parsed: ParsedFile) -> list[str]:
    """List the errors that do not say where."""
    return [
        found.code for found in parsed.errors if not found.place and found.code not in _OF_THE_FILE
    ]


def of_text(data: bytes) -> list[tuple[str, list[str]]]:
    """Give the segments of a message as we cut them, without empty components and layout."""
    decoded = data.decode("utf-8")
    text = Text(decoded, _MARKS, 0)
    cut = []
    for segment in text.segments(decoded.index("'") + 1):
        values = [part for at in range(1, len(segment.elements)) for part in segment.parts(at)]
        cut.append((segment.tag, ["".join(value.split()) for value in values if value]))
        if segment.tag == "UNT":
            break
    return [one for one in cut if one[0] not in _FRAME]


def of_xml(data: bytes) -> list[tuple[str, list[str]]]:
    """Give the segments of the message as the XML beside it has them."""
    root = etree.fromstring(data, etree.XMLParser(no_network=True, resolve_entities=False))
    segments = []
    for element in root.iter():
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag.startswith("S_"):
            values = [
                "".join((part.text or "").split()) for part in element.iter() if not len(part)
            ]
            segments.append((tag.removeprefix("S_"), [value for value in values if value]))
    return [one for one in segments if one[0] not in _FRAME]


def differences(ours: CanonicalDocument, theirs: CanonicalDocument) -> list[str]:
    """Name the fields in which two readings of one invoice differ."""
    found = [name for name in _SAME if getattr(ours, name) != getattr(theirs, name)]
    for side in ("seller", "buyer"):
        one, other = getattr(ours, side), getattr(theirs, side)
        if (one.name, one.country) != (other.name, other.country):
            found.append(side)
    lines = [
        [(line.line_id, line.item_name, line.quantity, line.net_minor) for line in document.lines]
        for document in (ours, theirs)
    ]
    return found if lines[0] == lines[1] else [*found, "lines"]


def main(argv: Sequence[str] | None = None) -> int:
    """Walk the corpus; exit code 1 when anything crashed, differs or has no place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus = parser.parse_args(argv).corpus
    kept: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    wrong: list[str] = []
    files = 0
    for path in interchanges(corpus):
        files += 1
        data = path.read_bytes()
        try:
            for one in (data, marked_as_real(data)):
                parsed = read_file(one)
                wrong += [f"{path.name}: {code} has no place" for code in without_place(parsed)]
                if not parsed.documents and not parsed.errors:
                    wrong.append(f"{path.name}: neither read nor refused")
        except Exception:  # noqa: BLE001 - any exception at all is what this run looks for
            wrong.append(f"{path.name}: {traceback.format_exc(limit=3)}")
            continue
        kept.update(document.kind.value for document in parsed.documents)
        for findings in parsed.refusals or ((parsed.findings,) if parsed.refused else ()):
            refused.update({"+".join(sorted({found.code for found in findings if found.is_error}))})
    wrong += twins(corpus)
    print(f"{files} interchanges: read {dict(kept)}, refused {sum(refused.values())}")
    for codes, count in refused.most_common():
        print(f"  refused {count:4d}  {codes}")
    for told in wrong:
        print(f"  WRONG {told}")
    return int(bool(wrong) or not files)


def twins(corpus: Path) -> list[str]:
    """Hold each message against the XML and the CII of the same invoice."""
    wrong, compared, alike = [], 0, 0
    for path in sorted((corpus / TWINS).glob("*.TXT")):
        data = path.read_bytes()
        xml = path.with_suffix(".xml")
        if xml.exists():
            compared += 1
            if of_text(data) != of_xml(xml.read_bytes()):
                wrong.append(f"{path.name}: other segments than {xml.name}")
        cii = corpus / CII / f"CII_example{path.stem.removeprefix('EDIFACT_EXAMPLE')}.xml"
        if not cii.exists():
            continue
        ours, theirs = read_file(data).documents, read_file(cii.read_bytes()).documents
        if ours and theirs and ours[0].number == theirs[0].number:
            alike += 1
            fields = differences(ours[0], theirs[0])
            if fields:
                wrong.append(f"{path.name}: {', '.join(fields)} other than in {cii.name}")
    print(f"{compared} messages beside their XML, {alike} invoices beside their CII")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
