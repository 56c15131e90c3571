"""Hold the readers of CII and PDF against the verdicts of a corpus of ZUGFeRD and Factur-X files.

``python -m tests.corpus.zugferd DIR`` reads every file below a folder ``correct`` or ``fail`` (and
the PDF beside the XML of ``XML-Rechnung``, all correct) inside DIR, which is never part of this
repository, and prints each verdict of ours that is another, with the reason that stands below. It
fails when one has no reason.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from scf.documents.readers import read_file

FOLDER = "zugferd-corpus"
_NEGATIVE = "asks for less than nothing: a credit note, or nothing left to finance"
_NOTHING_FOUND = "schema, rules of its profile, metadata and pages find nothing wrong with it"
_RULES = "breaks rules of its profile only, which the schematron judges"
# Pattern of the path and why we judge otherwise.
REASONS = (
    ("*/EN16931_Einfach_negativePaymentDue.pdf", _NEGATIVE),
    ("*/testout-ZF2PushCorrection.xml", _NEGATIVE),
    ("*_BASIC_Rechnungskorrektur.pdf", _NEGATIVE),
    ("*_1p0_COMFORT_Rechnungskorrektur.pdf", "lists an allowance of 0.23 and totals -0.23"),
    ("*_1p0_EXTENDED_Rechnungskorrektur.pdf", "lists an allowance of 0.23 and totals -0.23"),
    ("*_1p0_COMFORT_Haftpflicht*.pdf", "falls due before the day it was written"),
    ("*/acme_invoice-42_ZUGFeRD.pdf", "page and data are of two invoices: 42 and 20131122-42"),
    ("*/sample_inofficial_20190125_*.pdf", "page and data are of two invoices"),
    ("*RE-20140519_499.pdf", "holds a draft of ZUGFeRD before 1.0"),
    ("*RE-20140522_501.pdf", "holds a draft of ZUGFeRD before 1.0"),
    ("*RE-20140703_502.pdf", "states lines with tax, and their sum without"),
    ("*RE-20150613_503.pdf", "states lines with tax, and their sum without"),
    ("*RE-20151008_504.pdf", "states no currency"),
    ("*/fail/*/Avoir_FR_type381_*.pdf", _NOTHING_FOUND),
    ("*/fail/*/Facture_DOM_EN16931.pdf", _NOTHING_FOUND),
    ("*/fail/*/Facture_FR_EN16931.pdf", _NOTHING_FOUND),
    ("*/fail/*/Facture_*_BASIC.pdf", _RULES),
    ("*/fail/*/noNetPriceValidation.xml", _RULES),
)


def verdicts(corpus: Path) -> Iterator[tuple[Path, bool]]:
    """Give every file and whether the corpus holds it for correct."""
    for path in sorted((corpus / FOLDER).rglob("*")):
        if path.suffix not in {".pdf", ".xml"}:
            continue
        folders = path.relative_to(corpus).parts
        if "correct" in folders or ("XML-Rechnung" in folders and path.suffix == ".pdf"):
            yield path, True
        elif "fail" in folders:
            yield path, False


def main(argv: Sequence[str] | None = None) -> int:
    """Judge every file; exit code 1 when a verdict is another without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus: Path = parser.parse_args(argv).corpus
    counts: Counter[str] = Counter()
    for path, correct in verdicts(corpus):
        parsed = read_file(path.read_bytes())
        if bool(parsed.documents) == correct:
            counts["accepted as they should be" if correct else "refused as they should be"] += 1
            continue
        name = path.relative_to(corpus).as_posix()
        reason = next((why for pattern, why in REASONS if fnmatchcase(name, pattern)), "")
        counts["otherwise, with a reason" if reason else "otherwise, WITHOUT A REASON"] += 1
        codes = sorted({found.code for found in parsed.errors}) or "accepted"
        print(f"{name}: {codes}: {reason or 'NO REASON'}")
    print(f"{FOLDER}: {dict(counts)}")
    return int(counts["otherwise, WITHOUT A REASON"] > 0)


if __name__ == "__main__":
    sys.exit(main())
