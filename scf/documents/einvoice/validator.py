"""Hold one document against the rules that it declares, in this process.

The processor and each stylesheet are made once and kept: a stylesheet takes half a second, a
small document a few milliseconds. One validator belongs to one thread; across a fork it is lost,
which is why ``service`` starts processes of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from scf.documents.einvoice.rulesets import RULE_SETS, Declared, RuleSet, declared_by
from scf.documents.einvoice.stylesheets import CODE_LIST, SVRL, prepared
from scf.kernel.findings import shown
from scf.kernel.xml import load_xml

MAX_BROKEN: Final = 50
MAX_SAID: Final = 400
FATAL, WARNING = "fatal", "warning"
# Factur-X gives what its profile leaves out no number of its own.
NOT_IN_PROFILE: Final = "FX-SCH-UNUSED"

_STEP: Final = re.compile(
    r"/\*(?::([\w.-]+)\[namespace-uri\(\)='([^']*)'\]"
    r"|\[local-name\(\)='([\w.-]+)' and namespace-uri\(\)='([^']*)'\])\[(\d+)\]"
)
_PREFIXES: Final = (
    ("CommonBasicComponents-2", "cbc:"),
    ("CommonAggregateComponents-2", "cac:"),
    ("CommonExtensionComponents-2", "ext:"),
    ("ReusableAggregateBusinessInformationEntity:100", "ram:"),
    ("CrossIndustryInvoice:100", "rsm:"),
    ("UnqualifiedDataType:100", "udt:"),
    ("QualifiedDataType:100", "qdt:"),
)
_NUMBERED: Final = re.compile(r"^\s*\[[\w.-]+\]\s*-?\s*")
_ANSWERS: Final = (f"{SVRL}failed-assert", f"{SVRL}successful-report")
_FACTUR_X: Final = "FX-SCH-"
# Which elements and codes there are: what an extension of the standard may add to.
_OF_FORM: Final = (_FACTUR_X, "BR-CL-", "UBL-", "CII-")
_GUIDELINE: Final = "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID"


@dataclass(frozen=True, slots=True)
class Broken:
    """One rule that a document breaks: its number, its weight, the place, and its own words."""

    rule: str
    flag: str
    place: str
    said: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules say of one document.

    ``rules`` is empty where the document declares none; ``more`` counts what is not listed.
    """

    rules: str
    broken: tuple[Broken, ...] = ()
    fatal: int = 0
    warnings: int = 0
    more: int = 0

    @property
    def is_valid(self) -> bool:
        """Tell whether rules were applied and none that binds is broken."""
        return bool(self.rules) and not self.fatal


class Validator:
    """The rules of EN 16931, compiled on first use.

    Raises
    ------
    Unavailable
        EINVOICE_SET_MISSING, when a rule set is needed and not installed.
    """

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}
        self._compiled: dict[str, Any] = {}
        self._processor: Any = None

    def read_all(self) -> None:
        """Read every stylesheet and load the processor now, so that no file is opened later."""
        self._start()
        for rules in RULE_SETS:
            self._texts[rules.name] = prepared(rules)

    def check(self, content: bytes) -> Verdict:
        """Hold one document against the rules that it declares.

        Raises
        ------
        InvalidInput, TooLarge
            When the bytes are no plain XML document.
        """
        root = load_xml(content)
        declared = declared_by(root)
        return Verdict("") if declared is None else self.hold_against(declared, root)

    def hold_against(self, declared: Declared, root: etree._Element) -> Verdict:
        """Hold a parsed document against rules, whatever it declares itself."""
        sheet = self._sheet(declared.rules)
        # Written anew from the tree that our own loader built: no DOCTYPE, entity or instruction
        # of the sender's reaches a second parser.
        text = etree.tostring(root, encoding="unicode")
        node = self._processor.parse_xml(xml_text=text)
        answer = sheet.transform_to_string(xdm_node=node)
        if not answer:
            msg = "the rules gave no answer"
            raise RuntimeError(msg)
        return _verdict(declared, answer)

    def _sheet(self, rules: RuleSet) -> Any:  # noqa: ANN401 - a value of saxonche, which has no types
        if rules.name not in self._compiled:
            text = self._texts.pop(rules.name, "") or prepared(rules)
            self._start()
            compiler = self._processor.new_xslt30_processor()
            self._compiled[rules.name] = compiler.compile_stylesheet(stylesheet_text=text)
        return self._compiled[rules.name]

    def _start(self) -> None:
        if self._processor is None:
            from saxonche import PySaxonProcessor

            self._processor = PySaxonProcessor(license=False)


def _verdict(declared: Declared, answer: str) -> Verdict:
    root = etree.fromstring(answer.encode())
    found = [_broken(element, declared) for element in root.iter(*_ANSWERS)]
    found = [one for one in found if declared.factur_x or not _names_other_guideline(one)]
    found.sort(key=lambda one: one.flag != FATAL)
    fatal = sum(one.flag == FATAL for one in found)
    return Verdict(
        declared.rules.name,
        tuple(found[:MAX_BROKEN]),
        fatal,
        len(found) - fatal,
        max(0, len(found) - MAX_BROKEN),
    )


def _broken(element: etree._Element, declared: Declared) -> Broken:
    said = element.find(f"{SVRL}text")
    words = " ".join("".join(said.itertext()).split()) if said is not None else ""
    rule = element.get("id") or NOT_IN_PROFILE
    return Broken(
        shown(rule, 60),
        FATAL if _binds(element, rule, declared) else WARNING,
        shown(plain_place(element.get("location", ""))),
        shown(_NUMBERED.sub("", words), MAX_SAID),
    )


def _binds(element: etree._Element, rule: str, declared: Declared) -> bool:
    # A rule without a flag binds: only "warning" takes weight off.
    if WARNING in {element.get("flag"), element.get("role")}:
        return False
    if declared.extended and rule.startswith(_OF_FORM):
        return False
    # The rules for the Cross Industry Invoice are those of Factur-X. Of an invoice that follows
    # EN 16931 otherwise they bind for the standard's own rules and for its code lists.
    of_profile = rule.startswith(_FACTUR_X) and element.get(CODE_LIST) is None
    return declared.factur_x or not of_profile


def _names_other_guideline(one: Broken) -> bool:
    """Tell whether only the guideline is not that of Factur-X: XRechnung rightly names its own."""
    return one.rule.startswith(_FACTUR_X) and one.place.endswith(_GUIDELINE)


def plain_place(location: str) -> str:
    """Write the stylesheet's path with the usual prefixes, and positions only past the first."""
    return _STEP.sub(_plain_step, location)


def _plain_step(found: re.Match[str]) -> str:
    name, space = (found[1], found[2]) if found[1] else (found[3], found[4])
    prefix = next((short for end, short in _PREFIXES if space.endswith(end)), "")
    position = "" if found[5] == "1" else f"[{found[5]}]"
    return f"/{prefix}{name}{position}"
