"""Hold an Italian invoice to its structure: what is missing, unknown, twice or out of place.

The exchange system refuses such a file; so do we, and say where. The schema itself is not shipped
with any package that we may use, so the rules stand in ``fatturapa_names``.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from scf.documents.readers.fatturapa_names import ROOTS, SIGNATURE, STRUCTURE, VERSIONS, Member
from scf.documents.readers.ubl_parts import MAX_FINDINGS
from scf.kernel.errors import Words
from scf.kernel.findings import Finding, Severity
from scf.kernel.xml import local_name, place_of

Table = Mapping[str, tuple[Member, ...]]


def structure_findings(part: etree._Element, table: Table) -> list[Finding]:
    """List where an element that is known itself, or one below it, breaks the structure."""
    found: list[Finding] = []
    waiting = [part]
    while waiting and len(found) < MAX_FINDINGS:
        element = waiting.pop()
        members = _members_of(element, table)
        if members is not None:
            _compare(element, members, found)
            waiting += reversed(element)
        elif len(element):
            found.append(_unknown(element[0]))
    return found


def root_findings(root: etree._Element) -> list[Finding]:
    """List what is wrong with the outermost elements and the version."""
    table = STRUCTURE[root.tag]
    found: list[Finding] = []
    _compare(root, table[""], found)
    stated = root.get("versione", "")
    sent = root.findtext("FatturaElettronicaHeader/DatiTrasmissione/FormatoTrasmissione") or ""
    known = VERSIONS[root.tag]
    if stated not in known or sent.strip() != stated:
        message = Words(
            "The version is %(stated)s in the root and %(sent)s in the transmission data; both are "
            "the same and one of %(known)s.",
            stated=stated or "–",
            sent=sent.strip()[:20] or "–",
            known=", ".join(known),
        )
        place = f"/{ROOTS[root.tag]}/@versione"
        found.append(Finding(Severity.ERROR, "FORMAT_VERSION", message, place, stated[:20]))
    return found


def _members_of(element: etree._Element, table: Table) -> tuple[Member, ...] | None:
    parent = element.getparent()
    within = table.get(f"{parent.tag}/{element.tag}") if parent is not None else None
    return within or table.get(element.tag)


def _compare(element: etree._Element, members: tuple[Member, ...], found: list[Finding]) -> None:
    """Hold the children against what may stand there, in its order."""
    at, seen = 0, False  # the member that is expected, and whether it has been there
    names = {member.name: number for number, member in enumerate(members)}
    for child in element:
        if len(found) >= MAX_FINDINGS:
            return
        number = names.get(child.tag, -1)
        if number < 0:
            if child.tag != SIGNATURE or element.getparent() is not None:
                found.append(_unknown(child))
        elif number < at:
            message = Words("%(element)s stands behind what follows it.", element=child.tag)
            found.append(_finding("ELEMENT_ORDER", message, child))
        elif number == at and seen and not members[at].repeated:
            message = Words("%(element)s stands there twice.", element=child.tag)
            found.append(_finding("ELEMENT_TWICE", message, child))
        else:
            at, seen = number, True
    present = {child.tag for child in element}
    for member in members:
        if member.needed and member.name not in present:
            message = Words("%(element)s is missing.", element=member.name)
            found.append(_finding("ELEMENT_MISSING", message, element))


def _unknown(element: etree._Element) -> Finding:
    name = local_name(element)[:60]
    message = Words("%(element)s is not known in this place.", element=name)
    return _finding("ELEMENT_UNKNOWN", message, element)


def _finding(code: str, message: Words, element: etree._Element) -> Finding:
    place = f"line {element.sourceline}, {place_of(element)}"
    return Finding(Severity.ERROR, code, message, place)
