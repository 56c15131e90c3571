"""Compare our verdicts with the published ones on documents made to test EN 16931.

A test set names a rule and holds documents, most of them fragments, each with the rule that must
hold or must be broken. The examples beside them, and those of XRechnung, are published as valid.
"""

# ruff: noqa: T201 - a report for the person at the terminal

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from lxml import etree

from scf.documents.einvoice.rulesets import CII_CORE, UBL_CORE, Declared
from scf.documents.einvoice.validator import Validator, Verdict
from scf.kernel.errors import ScfError
from scf.kernel.xml import load_xml

LEAST_AGREEING: Final = 0.98
VALID: Final = (
    "en16931/ubl/examples",
    "en16931/cii/examples",
    "en16931/test/testfiles",
    "xrechnung",
)
_TEST_SETS: Final = "en16931/test"


@dataclass
class Agreement:
    """How many published verdicts ours are compared with, and where they differ and why."""

    compared: int = 0
    differing: list[str] = field(default_factory=list)
    undeclared: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The part of all verdicts that agrees."""
        return 1 - len(self.differing) / self.compared if self.compared else 0.0


def published_as_valid(corpus: Path, validator: Validator) -> Agreement:
    """Every whole example that declares EN 16931 must be valid."""
    found = Agreement()
    for folder in VALID:
        for path in sorted((corpus / folder).rglob("*")):
            if path.suffix.lower() != ".xml":
                continue
            name = str(path.relative_to(corpus))
            try:
                verdict = validator.check(path.read_bytes())
            except ScfError as error:
                found.compared += 1
                found.differing.append(f"{name}: {error.code}")
                continue
            if not verdict.rules:
                found.undeclared.append(name)
                continue
            found.compared += 1
            if not verdict.is_valid:
                found.differing.append(f"{name}: {_told(verdict)}")
    return found


def rule_tests(corpus: Path, validator: Validator) -> Agreement:
    """Every document of a test set must keep or break the rule that it names."""
    found = Agreement()
    for path in sorted((corpus / _TEST_SETS).rglob("*.xml")):
        for number, (must, rule, document) in enumerate(_tests(path), start=1):
            root = load_xml(document)
            rules = CII_CORE if root.tag.endswith("CrossIndustryInvoice") else UBL_CORE
            verdict = validator.hold_against(Declared(rules), root)
            found.compared += 1
            broken = any(one.rule == rule for one in verdict.broken)
            # Where not every broken rule is listed, "not broken" would prove nothing.
            agrees = broken if must != "success" else not broken and not verdict.more
            if not agrees:
                name = f"{path.relative_to(corpus)}#{number}"
                found.differing.append(f"{name}: {must} {rule}, we found {_told(verdict)}")
    return found


def _tests(path: Path) -> Iterator[tuple[str, str, bytes]]:
    root = load_xml(path.read_bytes())
    if not root.tag.endswith("}testSet"):
        return
    for test in root.iterfind("{*}test"):
        document = next(child for child in test if not child.tag.endswith("}assert"))
        for said in test.iterfind("{*}assert/*"):
            must = etree.QName(said).localname
            if must in {"success", "error", "warning"}:
                yield must, (said.text or "").strip(), etree.tostring(document, with_tail=False)


def _told(verdict: Verdict) -> str:
    return ", ".join(f"{one.rule} ({one.flag})" for one in verdict.broken[:6]) or "nothing broken"


def report(title: str, found: Agreement) -> None:
    """Print how far the verdicts agree, and each one that does not."""
    print(f"{title}: {found.compared} verdicts, {found.share:.2%} agree")
    for line in found.differing:
        print(f"  differs  {line}")
    for line in found.undeclared:
        print(f"  declares no rules  {line}")


def main(corpus: Path) -> int:
    """Compare all; exit code 1 when fewer verdicts agree than promised."""
    validator = Validator()
    outcomes = [
        ("EN 16931 examples", published_as_valid(corpus, validator)),
        ("EN 16931 rule tests", rule_tests(corpus, validator)),
    ]
    for title, found in outcomes:
        report(title, found)
    return int(any(found.share < LEAST_AGREEING for _, found in outcomes))
