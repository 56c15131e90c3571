"""Hold the UBL and the CII of one business case against each other.

``python -m tests.corpus.pairs DIR`` reads every pair of DIR, which is never part of this
repository, and prints each field in which the two canonical documents differ. It fails when they
differ in a field for which no reason stands below: a difference must be in the sources.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from scf.documents.canonical import CanonicalDocument, Line
from scf.documents.readers import read_file

# Where the two documents stood and what was found says nothing of what they are.
_NOT_COMPARED = {"source", "findings", "lines"}
_SALES_ORDER = "UBL cannot name a sales order without a placeholder for the order"
_CII_MORE = "only the CII names the registered or internal number of the party"
# What the sources themselves say differently: pattern of the case, of the field, and the reason.
REASONS = (
    ("01.02a-INVOICE", "order_reference", _SALES_ORDER),
    ("01.1[0-3]a-INVOICE", "order_reference", _SALES_ORDER),
    ("03.06a-INVOICE", "seller", "the two tax numbers stand in another order"),
    ("03.06a-INVOICE", "buyer", "post code and city are exchanged in the UBL"),
    ("01.20a-INVOICE", "seller", "the placeholders of street and city are named otherwise"),
    ("03.07a-INVOICE", "seller", _CII_MORE),
    ("01.01_comprehensive_test", "seller", _CII_MORE),
    ("03.07a-INVOICE", "payee", _CII_MORE),
    ("*_comprehensive_test", "payee", _CII_MORE),
    ("*_comprehensive_test", "buyer", "name and trading name of the buyer are exchanged"),
    ("01.01_comprehensive_test", "billing_references", "the CII names one of two invoices"),
    ("EN16931_*", "profile", "the UBL was converted to the profile of Peppol"),
    ("EN16931_*", "seller", _CII_MORE),
    ("EN16931_2_Teilrechnung", "notes", "a blank stands behind the code of the subject"),
)


def pairs(corpus: Path) -> Iterator[tuple[str, Path, Path]]:
    """Give the name and the two files of every business case."""
    for ubl in sorted((corpus / "xrechnung").rglob("*_ubl.xml")):
        cii = ubl.with_name(ubl.name.replace("_ubl.xml", "_uncefact.xml"))
        if cii.exists():
            yield ubl.name.removesuffix("_ubl.xml"), ubl, cii
    folder = corpus / "zugferd-corpus" / "XML-Rechnung"
    for ubl in sorted((folder / "UBL").glob("*.ubl.xml")):
        cii = folder / "CII" / ubl.name.replace(".ubl.xml", ".cii.xml")
        if cii.exists():
            yield ubl.name.removesuffix(".ubl.xml"), ubl, cii


def differences(one: CanonicalDocument, other: CanonicalDocument) -> Iterator[tuple[str, Any, Any]]:
    """Give every field in which two documents differ, with both values."""
    for name in CanonicalDocument._fields:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name not in _NOT_COMPARED and mine != theirs:
            yield name, mine, theirs
    if len(one.lines) != len(other.lines):
        yield "lines", len(one.lines), len(other.lines)
        return
    for position, (mine, theirs) in enumerate(zip(one.lines, other.lines, strict=True), start=1):
        for name in Line._fields:
            values = getattr(mine, name), getattr(theirs, name)
            if values[0] != values[1]:
                yield f"line {position} {name}", *values


def reason_for(case: str, field: str) -> str:
    """Give the reason why the sources differ in a field, or an empty text."""
    return next(
        (why for cases, name, why in REASONS if name == field and fnmatchcase(case, cases)), ""
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Compare every pair; exit code 1 when two differ without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus: Path = parser.parse_args(argv).corpus
    equal = explained = wrong = 0
    for case, ubl, cii in pairs(corpus):
        files = [read_file(path.read_bytes()) for path in (ubl, cii)]
        if any(file.refused for file in files):
            codes = [sorted({found.code for found in file.errors}) for file in files]
            agree = codes[0] == codes[1]
            print(f"{case}: {'both refused' if agree else 'REFUSED DIFFERENTLY'} {codes}")
            explained += agree
            wrong += not agree
            continue
        found = list(differences(*(file.documents[0] for file in files)))
        reasons = [reason_for(case, name) for name, _, _ in found]
        for (name, mine, theirs), reason in zip(found, reasons, strict=True):
            print(f"{case}: {name}: UBL {mine!r} CII {theirs!r}: {reason or 'NO REASON'}")
        equal += not found
        explained += bool(found) and all(reasons)
        wrong += not all(reasons)
    print(f"pairs: {equal} equal, {explained} explained, {wrong} differ without a reason")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
