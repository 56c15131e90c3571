"""Hold our judgement of foreign files against what their publishers say of them.

``python -m tests.corpus.verdicts DIR`` judges every file of DIR, which is never part of this
repository, for which a folder's name, a file's name or the note of its origin says whether it is
right or wrong. To us a file is right that the reader takes, where it also keeps the binding rules
that it declares. What agrees is counted per folder; what does not is printed with the reason that
stands below. It fails when one has no reason.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, NamedTuple

from scf.documents.einvoice.judging import xml_of
from scf.documents.einvoice.validator import FATAL, Validator
from scf.documents.readers import read_file
from scf.kernel.errors import ScfError
from tests.corpus.edi import marked_as_real

# Pattern of the path, the first that fits counts, and whether its publisher calls the file right.
EXPECTED: Final = (
    ("zugferd-corpus/*/correct/*", True),
    ("zugferd-corpus/*/fail/*", False),
    ("zugferd-corpus/XML-Rechnung/*", True),
    ("zugferd-corpus/unstructured/*", False),
    ("xrechnung/*", True),
    ("en16931/ubl/examples/*", True),
    ("en16931/cii/examples/*", True),
    ("en16931/edifact/examples/*.TXT", True),
    ("en16931/test/testfiles/*", True),
    ("ubl-oasis/val/*-bad*", False),
    ("ubl-oasis/val/*-good*", True),
    ("ubl-oasis/xml/*", True),
    ("edi-*/*_bad.edi", False),
    ("edi-*/invalid*", False),
    ("edi-*/*-expected.txt", False),
    ("edi-*.edi", True),
    ("edi-*.EDI", True),
)
KINDS: Final = frozenset({".xml", ".pdf", ".json", ".edi", ".txt"})

# What is no paper of ours, and so judged neither way: pattern of the path and of what we say.
UNREAD: Final = (
    ("ubl-oasis/xml/*", "FORMAT_UNKNOWN"),
    ("edi-*", "*MESSAGE_UNKNOWN*"),
    ("edi-*/tradacoms*", "FORMAT_UNKNOWN"),
    ("edi-*/TRADACOMS/*", "FORMAT_UNKNOWN"),
    ("ubl-oasis/val/*.json", "JSON*"),
)

_NEGATIVE = "asks for less than nothing: a credit note, or nothing left to finance"
_CODES = "uses a code that the present lists do not have"
_RULE = "breaks a binding rule of those that it declares"
_FORM = "its profile's rules of form tell it, which advise where the data do not name the profile"
_TRAILER = "its trailer counts or repeats something else than its header says"
_ENVELOPE = "names no seller or buyer in the message; a mailbox on the envelope is no firm"
_FRAGMENT = "a piece of a message, made to try a parser"
_DRAFT = "holds a draft of ZUGFeRD before 1.0"
_WITH_TAX = "states lines with tax, and their sum without"
_ALLOWANCE = "lists an allowance of 0.23 and totals -0.23"
_TWO = "page and data are of two invoices"
# Pattern of the path, of what we say, and why we judge otherwise.
REASONS: Final = (
    ("*", "AMOUNT_NEGATIVE", _NEGATIVE),
    ("*", "DUE_BEFORE_ISSUE*", "falls due before the day it was written"),
    ("ubl-oasis/xml/UBL-CreditNote-2.0-*", "NET_SUM", "its sum is not that of its line"),
    ("zugferd-corpus/*_Rechnungskorrektur.pdf", "ALLOWANCE_SUM+PAYABLE_SUM", _ALLOWANCE),
    ("zugferd-corpus/*/acme_invoice-42_ZUGFeRD.pdf", "PDF_DISAGREES", _TWO),
    ("zugferd-corpus/*/sample_inofficial_20190125_*.pdf", "PDF_DISAGREES", _TWO),
    ("zugferd-corpus/*RE-20140519_499.pdf", "FORMAT_UNKNOWN", _DRAFT),
    ("zugferd-corpus/*RE-20140522_501.pdf", "FORMAT_UNKNOWN", _DRAFT),
    ("zugferd-corpus/*RE-20140703_502.pdf", "LINES_SUM", _WITH_TAX),
    ("zugferd-corpus/*RE-20150613_503.pdf", "LINES_SUM", _WITH_TAX),
    ("zugferd-corpus/*RE-20151008_504.pdf", "CURRENCY_MISSING", "states no currency"),
    ("zugferd-corpus/*ElektronischeAdresse.*", "breaks FX-SCH-A-000571", _CODES),
    ("zugferd-corpus/*RechnungsUebertragung.*", "breaks FX-SCH-A-000571", _CODES),
    ("zugferd-corpus/*.ubl.xml", "breaks BR-CL-25", _CODES),
    ("zugferd-corpus/*RE-20190610_507.pdf", "breaks FX-SCH-A-000581", _CODES),
    ("zugferd-corpus/*_EXTENDED_*.pdf", "breaks FX-SCH-A-000704*", _CODES),
    ("zugferd-corpus/XML-Rechnung/*/XRECHNUNG_*", "breaks CII-SR-465", _RULE),
    ("zugferd-corpus/*/correct/FNFE-*", "breaks FX-SCH-UNUSED", _RULE),
    ("zugferd-corpus/*/fail/FNFE-*_EN16931.pdf", "accepted, advised FX-SCH-UNUSED", _FORM),
    ("zugferd-corpus/*/noNetPriceValidation.xml", "accepted, warned LINE_AMOUNT",
     "quantity at its price is not the line: a warning, as published examples do so, too"),
    ("en16931/edifact/*", "EDI_REFERENCE", _TRAILER),
    ("en16931/edifact/*", "EDI_COUNT", _TRAILER),
    ("edi-edinet/edifact.ORDRSP-formatted.edi", "*EDI_COUNT+EDI_REFERENCE*", _TRAILER),
    ("edi-edinet/x12.850.edi", "*EDI_REFERENCE*", _TRAILER),
    ("edi-pydifact/wikipedia_de.edi", "*EDI_REFERENCE*", _TRAILER),
    ("edi-pydifact/order*.edi", "*EDI_UNZ_MISSING", "has no end, and prices in no currency"),
    ("edi-staedi/*/orders-with-group.edi", "*EDI_COUNT*", _TRAILER),
    ("edi-edinet/x12.850.issue135.edi", "*EDI_CUT*", "one of its segments has no end"),
    ("edi-edinet/*IFCSUM.NewLines.EDI", "EDI_CUT", "none of its segments has an end"),
    ("edi-staedi/*/invoic_d93a_una.edi", "*DATE", "a day of a month 97, and no currency"),
    ("edi-edinet/x12.810[bcd].edi", "SELLER_MISSING", _ENVELOPE),
    ("edi-staedi/x12/issue590/*", "BUYER_MISSING+SELLER_MISSING", _ENVELOPE),
    ("edi-edinet/edifact.D95B.Issue137.EDI", "EDI_UNB_MISSING", _FRAGMENT),
    ("edi-edinet/edifact.Issue203.edi", "*NUMBER_MISSING*", _FRAGMENT),
    ("edi-edinet/x12.*", "*EDI_BEGINNING*", _FRAGMENT),
)  # fmt: skip


class Judged(NamedTuple):
    """What we say of a file."""

    right: bool
    told: str


class Comparison(NamedTuple):
    """Our word on a file beside its publisher's, and why they differ where they do."""

    name: str
    outcome: str  # right and wrong, as the publisher says; otherwise; not read
    told: str
    reason: str


def expected(corpus: Path) -> Iterator[tuple[Path, bool]]:
    """Give every file of which its publisher says whether it is right."""
    for path in sorted(corpus.rglob("*")):
        if path.suffix.lower() not in KINDS or path.name == "SOURCE.txt":
            continue
        name = path.relative_to(corpus).as_posix()
        said = next((right for pattern, right in EXPECTED if fnmatchcase(name, pattern)), None)
        if said is not None:
            yield path, said


def judged(data: bytes, validator: Validator) -> Judged:
    """Read a file, and hold it against the rules that it declares."""
    parsed = read_file(marked_as_real(data))
    if parsed.refused or not parsed.documents:
        return Judged(False, "+".join(sorted({found.code for found in parsed.errors})))
    try:
        verdict = validator.check(xml_of(data))
    except ScfError:  # no XML, and so no rules
        verdict = None
    binding = {one.rule for one in verdict.broken if one.flag == FATAL} if verdict else set()
    if binding:
        return Judged(False, f"breaks {'+'.join(sorted(binding))}")
    advice = sorted({one.rule for one in verdict.broken}) if verdict else []
    if advice:
        return Judged(True, f"accepted, advised {'+'.join(advice)}")
    warned = sorted({found.code for found in parsed.findings})
    return Judged(True, f"accepted, warned {'+'.join(warned)}" if warned else "accepted")


def compared(corpus: Path) -> Iterator[Comparison]:
    """Judge every file of which something is said."""
    validator = Validator()
    for path, right in expected(corpus):
        name = path.relative_to(corpus).as_posix()
        ours = judged(path.read_bytes(), validator)
        if any(fnmatchcase(name, at) and fnmatchcase(ours.told, said) for at, said in UNREAD):
            yield Comparison(name, "not read", ours.told, "no paper of ours")
        elif ours.right == right:
            yield Comparison(name, "right" if right else "wrong", ours.told, "")
        else:
            yield Comparison(name, "otherwise", ours.told, _reason(name, ours.told))


def _reason(name: str, told: str) -> str:
    fits = (
        why for path, said, why in REASONS if fnmatchcase(name, path) and fnmatchcase(told, said)
    )
    return next(fits, "")


def main(argv: Sequence[str] | None = None) -> int:
    """Judge every file; exit code 1 when a verdict is another without a reason."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    corpus: Path = parser.parse_args(argv).corpus
    folders: dict[str, Counter[str]] = defaultdict(Counter)
    differing: dict[str, list[Comparison]] = defaultdict(list)
    for one in compared(corpus):
        folders[one.name.rpartition("/")[0]][one.outcome] += 1
        if one.outcome == "otherwise":
            differing[one.reason].append(one)
    for folder, counts in folders.items():
        print(f"{folder}: {dict(counts)}")
    for reason, ones in sorted(differing.items()):
        print(f"{len(ones)} otherwise: {reason or 'WITHOUT A REASON'}")
        for one in ones:
            print(f"  {one.name}: {one.told}")
    total = sum(folders.values(), Counter[str]())
    print(f"what others say of {total.total()} files: {dict(total)}")
    return int("" in differing or not total["right"] or not total["wrong"])


if __name__ == "__main__":
    sys.exit(main())
