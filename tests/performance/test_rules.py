"""Invoices held against the rules of EN 16931, beside the stylesheets as they are published."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from scf.documents.einvoice.rulesets import CII_CORE, UBL_CORE, RuleSet
from scf.documents.einvoice.service import RuleService
from scf.documents.einvoice.stylesheets import SVRL, folder
from scf.documents.einvoice.validator import Validator, Verdict
from tests.documents.einvoice.papers import cii
from tests.performance.measure import ROUNDS, Report, take_turns
from tests.performance.papers import ubl_invoices

DOCUMENTS = 200
GOAL = 200.0
MOST_MB = 300.0


def _as_published(rules: RuleSet) -> Callable[[bytes], int]:
    """Give what counts the broken rules of a document with the stylesheet of the package."""
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    sheet: Any = compiler.compile_stylesheet(stylesheet_file=str(folder() / rules.path))

    def broken(paper: bytes) -> int:
        node = processor.parse_xml(xml_text=paper.decode())
        root = etree.fromstring(sheet.transform_to_string(xdm_node=node).encode())
        return sum(1 for _ in root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"))

    return broken


@pytest.mark.bench
@pytest.mark.parametrize(
    ("name", "rules", "papers"),
    [
        ("rules_ubl", UBL_CORE, ubl_invoices(DOCUMENTS)),
        ("rules_cii", CII_CORE, [cii(number=f"E-{number}") for number in range(DOCUMENTS)]),
    ],
)
def test_two_hundred_invoices_a_second_are_held_against_the_rules_by_one_core(
    report: Report, name: str, rules: RuleSet, papers: list[bytes]
) -> None:
    validator = Validator()
    published = _as_published(rules)
    for paper in papers[:20]:
        verdict = validator.check(paper)
        assert verdict.rules == rules.name
        assert verdict.fatal + verdict.warnings == published(paper)

    def ours() -> None:
        for paper in papers:
            validator.check(paper)

    def peer() -> None:
        for paper in papers:
            published(paper)

    turns = take_turns([(ours, peer)] * ROUNDS, time.process_time)
    rate = turns.rate(DOCUMENTS)
    report.add(
        name,
        rate,
        "documents/s",
        peer={
            "name": "saxonche, the stylesheet as published",
            "value": turns.peer_rate(DOCUMENTS),
            "unit": "documents/s",
        },
        ratio=turns.faster(),
        goal=f"value >= {GOAL}",
        met=rate >= GOAL,
        bytes_per_document=sum(map(len, papers)) / DOCUMENTS,
    )


@pytest.mark.bench
def test_a_process_that_judges_stays_small(report: Report) -> None:
    papers = [*ubl_invoices(DOCUMENTS), *(cii(number=f"E-{number}") for number in range(DOCUMENTS))]
    with RuleService(1) as service:
        found = dict(service.check_all(enumerate(papers)))
        (pid,) = service.pids()
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    assert all(isinstance(one, Verdict) for one in found.values())
    megabytes = int(peak.split()[1]) / 1024
    report.add(
        "rules_memory",
        megabytes,
        "MB",
        peer={"name": "none: how much one process holds", "value": MOST_MB, "unit": "MB"},
        ratio=None,
        goal=f"value <= {MOST_MB}",
        met=megabytes <= MOST_MB,
    )
