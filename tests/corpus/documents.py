"""Read every trade document of a corpus and say what became of it.

``python -m tests.corpus.documents DIR`` walks the folders named below inside DIR, which is never
part of this repository, and prints per folder how many documents were accepted and how many
refused, by reason. Any exception is a crash of the reader and makes the run fail; so does a
folder of spend data whose rows are mostly refused.
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

from scf.documents.canonical import Kind, ParsedFile
from scf.documents.readers import csvfile, read_file
from scf.documents.readers.mapping import ColumnMapping
from scf.documents.readers.proposing import propose_columns
from scf.kernel.findings import Severity

FOLDERS = ("ubl-oasis", "en16931", "xrechnung", "zugferd-corpus")
# Payment files of public buyers, each in a layout of its own, read by what is proposed for them:
# the folder, who handed them in, and in what currency the amounts are that name none.
SPEND = (
    ("spend-gla", "Greater London Authority", "GBP"),
    ("spend-oxford", "Oxford City Council", "GBP"),
)
# A file whose dates were lost when it was exported ("00:00:00"): every row is refused for its date.
DATELESS = "expenditure-over-500-apr-jun-2014.csv.gz"
LEAST_ACCEPTED = 0.9
# Wrappers of rule tests: the documents to read stand inside.
TEST_SET = "testSet"


class Tally:
    """What happened in one folder."""

    def __init__(self) -> None:
        self.accepted: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.others: Counter[str] = Counter()
        self.warned: Counter[str] = Counter()
        self.crashes: list[str] = []

    def add(self, parsed: ParsedFile) -> None:
        """Count one file."""
        for document in parsed.documents:
            self.accepted[document.kind] += 1
            self.warned.update({found.code for found in document.findings})
        if parsed.refused:
            reason = next(found for found in parsed.findings if found.severity is Severity.ERROR)
            if reason.code == "FORMAT_UNKNOWN":
                self.others[reason.value.rpartition("}")[2]] += 1
            else:
                codes = sorted({found.code for found in parsed.errors})
                # A rule test holds fragments of documents; the schema says it all.
                reason_text = "not a whole document (XSD)" if "XSD" in codes else "+".join(codes)
                self.refused[reason_text] += 1


def documents_in(data: bytes) -> Iterator[bytes]:
    """Give a file, or each of the documents that a test set wraps."""
    if TEST_SET.encode() not in data[:2000]:
        yield data
        return
    root = etree.fromstring(data, etree.XMLParser(no_network=True, resolve_entities=False))
    for test in root.iterfind("{*}test"):
        for child in test:
            if isinstance(child.tag, str) and not child.tag.endswith("}assert"):
                yield etree.tostring(child, with_tail=False)


def papers_in(folder: Path) -> list[Path]:
    """Give the files of a folder and below it that hold one document each."""
    return sorted(path for path in folder.rglob("*") if path.suffix in {".xml", ".pdf"})


def walk(folder: Path, *, verbose: bool) -> Tally:
    """Read every document in XML or PDF under a folder."""
    tally = Tally()
    for path in papers_in(folder):
        try:
            for number, data in enumerate(documents_in(path.read_bytes()), start=1):
                parsed = read_file(data)
                tally.add(parsed)
                if verbose and parsed.refused:
                    for found in parsed.errors:
                        print(
                            f"  {path.name}#{number}: {found.code} {found.place} {found.message}"
                            f" [{found.value}]"
                        )
        except Exception:  # noqa: BLE001 - any exception at all is what this run looks for
            tally.crashes.append(f"{path}: {traceback.format_exc(limit=3)}")
    return tally


def proposed(content: bytes, payer: str, currency: str) -> ColumnMapping:
    """Map a table as its sender would by confirming the proposal."""
    look = csvfile.look_into(content)
    how = csvfile.unmapped(header_row=look.layout.header_row)
    found = propose_columns(
        look.header,
        look.rows,
        Kind.PAYMENT,
        more=lambda columns: csvfile.values_of(content, columns, how),
    )
    found.currency = found.currency or currency
    mapping = found.mapping({"payer_name": payer, "payer_country": "GB"})
    return mapping.model_copy(update={"header_row": look.layout.header_row})


def read_spend(path: Path, payer: str, currency: str, *, verbose: bool) -> Tally:
    """Read one file of payments by the mapping that is proposed for it."""
    tally = Tally()
    try:
        content = path.read_bytes()
        table = csvfile.open_table(content, proposed(content, payer, currency))
        tally.refused.update(found.code for found in table.findings if found.is_error)
        for row in table.rows():
            codes = "+".join(sorted({found.code for found in row.findings}))
            if row.document is not None:
                tally.accepted[row.document.kind] += 1
            elif row.row_count == 0:
                tally.others[codes] += 1
            else:
                tally.refused[codes] += 1
            if verbose and row.document is None:
                for found in row.findings:
                    print(
                        f"  {path.name}: {found.code} {found.place} {found.message} [{found.value}]"
                    )
    except Exception:  # noqa: BLE001 - any exception at all is what this run looks for
        tally.crashes.append(f"{path}: {traceback.format_exc(limit=3)}")
    return tally


def is_understood(path: Path, tally: Tally) -> bool:
    """Tell whether a file came out as it should: most rows read, or each refused for its date."""
    accepted, refused = sum(tally.accepted.values()), sum(tally.refused.values())
    if path.name == DATELESS:
        return not accepted and all("DATE" in code for code in tally.refused)
    return not tally.crashes and accepted >= LEAST_ACCEPTED * (accepted + refused) > 0


def report(name: str, tally: Tally) -> None:
    """Print what became of one folder."""
    print(
        f"{name}: accepted {sum(tally.accepted.values())} {dict(tally.accepted)},"
        f" refused {sum(tally.refused.values())}, of other kinds {sum(tally.others.values())},"
        f" crashes {len(tally.crashes)}"
    )
    for code, count in tally.refused.most_common():
        print(f"  refused {count:5d}  {code}")
    for root, count in tally.others.most_common(8):
        print(f"  other   {count:5d}  {root}")
    for code, count in tally.warned.most_common(12):
        print(f"  warned  {count:5d}  {code}")
    for crash in tally.crashes:
        print(f"  CRASH {crash}")


def main(argv: Sequence[str] | None = None) -> int:
    """Walk the corpus; exit code 1 when anything crashed or a known file was not understood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--verbose", action="store_true", help="print every error")
    options = parser.parse_args(argv)
    failed = False
    for name in FOLDERS:
        for folder in _leaves(options.corpus / name):
            tally = walk(folder, verbose=options.verbose)
            report(str(folder.relative_to(options.corpus)), tally)
            failed |= bool(tally.crashes)
    for folder_name, payer, currency in SPEND:
        for path in sorted((options.corpus / folder_name).glob("*.csv.gz")):
            tally = read_spend(path, payer, currency, verbose=options.verbose)
            report(f"{folder_name}/{path.name}", tally)
            failed |= not is_understood(path, tally)
    return int(failed)


def _leaves(folder: Path) -> Iterator[Path]:
    """Give the folders that hold such files themselves."""
    if folder.is_dir():
        yield from sorted({path.parent for path in papers_in(folder)})


if __name__ == "__main__":
    sys.exit(main())
