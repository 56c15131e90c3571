"""The published rules name what an invoice breaks, with its place; ours is only how they run."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from scf.documents.einvoice.rulesets import (
    CII_BASIC,
    CII_CORE,
    CII_EXTENDED,
    CII_FRANCE,
    CII_MINIMUM,
    RULE_SETS,
    UBL_CORE,
    UBL_FRANCE,
    RuleSet,
    declared_by,
    declares,
)
from scf.documents.einvoice.sentences import sentence
from scf.documents.einvoice.stylesheets import SVRL, XSL, folder, prepared
from scf.documents.einvoice.validator import Validator, Verdict
from scf.kernel.errors import InvalidInput, Unavailable
from scf.kernel.xml import load_xml
from tests.documents.einvoice.papers import CORE, cii, ubl

Write = Callable[..., bytes]
XRECHNUNG = f"{CORE}#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"
EXTENSION = f"{XRECHNUNG}#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0"
FACTUR_X = f"{CORE}#compliant#urn:factur-x.eu:1p0"
# Each breaks one rule, or more that follow from it, in either syntax.
SPOILT: list[tuple[dict[str, str], str]] = [
    ({"gross": "120.01"}, "BR-CO-15"),
    ({"net": "99.00"}, "BR-CO-10"),
    ({"tax": "21.00", "gross": "121.00"}, "BR-S-09"),
    ({"gross": "120.001"}, "BR-DEC-14"),
    ({"vat": "XX123456788"}, "BR-CO-09"),
    ({"percent": "0"}, "BR-S-05"),
    ({"currency": "EUX"}, "BR-CL-04"),
    ({"unit": "PIECES"}, "BR-CL-23"),
]
# The rules for CII are those of Factur-X, which number their code lists themselves.
CODE_LISTS = {"BR-CL-04": "ram:InvoiceCurrencyCode", "BR-CL-23": "ram:BilledQuantity"}


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator()


@pytest.fixture(scope="module")
def sheets() -> dict[str, str]:
    return {rules.name: prepared(rules) for rules in RULE_SETS}


def fatal(verdict: Verdict) -> set[str]:
    return {one.rule for one in verdict.broken if one.flag == "fatal"}


@pytest.mark.parametrize("write", [ubl, cii])
@pytest.mark.parametrize("profile", [CORE, XRECHNUNG])
def test_an_invoice_that_follows_the_standard_is_valid(
    validator: Validator, write: Write, profile: str
) -> None:
    verdict = validator.check(write(profile))
    assert verdict.is_valid
    assert verdict.broken == ()


@pytest.mark.parametrize(("changes", "rule"), SPOILT, ids=[rule for _, rule in SPOILT])
def test_a_broken_rule_of_a_ubl_invoice_is_named_with_its_place(
    validator: Validator, changes: dict[str, str], rule: str
) -> None:
    verdict = validator.check(ubl(**changes))
    assert rule in fatal(verdict)
    assert not verdict.is_valid
    (broken, *_) = [one for one in verdict.broken if one.rule == rule]
    assert re.fullmatch(r"/Invoice(/c[ab]c:\w+(\[\d+\])?)*", broken.place), broken.place
    assert broken.said
    assert rule not in broken.said


@pytest.mark.parametrize(("changes", "rule"), SPOILT, ids=[rule for _, rule in SPOILT])
def test_a_broken_rule_of_a_cii_invoice_is_named_with_its_place(
    validator: Validator, changes: dict[str, str], rule: str
) -> None:
    verdict = validator.check(cii(**changes))
    if rule in CODE_LISTS:
        places = [one.place for one in verdict.broken if one.rule.startswith("FX-SCH-")]
        assert any(place.endswith(CODE_LISTS[rule]) for place in places), verdict.broken
    else:
        assert rule in fatal(verdict)
    assert not verdict.is_valid


def test_the_second_line_is_placed_as_the_second(validator: Validator) -> None:
    line = re.search(rb"<cac:InvoiceLine>.*</cac:InvoiceLine>", ubl(), re.DOTALL)
    assert line is not None
    second = line[0].replace(b"<cbc:Name>Hinges</cbc:Name>", b"")
    verdict = validator.check(ubl().replace(line[0], line[0] + second))
    assert ("BR-25", "/Invoice/cac:InvoiceLine[2]") in {
        (one.rule, one.place) for one in verdict.broken
    }


def test_a_document_that_declares_nothing_is_held_against_nothing(validator: Validator) -> None:
    verdict = validator.check(ubl("urn:example:mine", gross="1.00"))
    assert verdict == Verdict("")
    assert not verdict.is_valid


@pytest.mark.parametrize(
    ("document", "rules"),
    [
        (ubl(), UBL_CORE),
        (ubl(f"{CORE}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"), UBL_CORE),
        (ubl(f"{CORE}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"), UBL_FRANCE),
        (cii(XRECHNUNG), CII_CORE),
        (cii("urn:factur-x.eu:1p0:minimum"), CII_MINIMUM),
        (cii(f"{FACTUR_X}:basic"), CII_BASIC),
        (cii(f"{CORE}#conformant#urn:factur-x.eu:1p0:extended"), CII_EXTENDED),
        (cii(f"{CORE}#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr"), CII_FRANCE),
        (cii("urn:ferd:CrossIndustryDocument:invoice:1p0:comfort"), None),
        (ubl(""), None),
    ],
)
def test_a_document_is_held_against_the_rules_that_it_declares(
    document: bytes, rules: RuleSet | None
) -> None:
    found = declared_by(load_xml(document))
    assert (found and found.rules) is rules


def test_what_declares_rules_is_known_by_its_profile_alone() -> None:
    assert declares(f" {XRECHNUNG} ")
    assert declares("urn:factur-x.eu:1p0:minimum")
    assert not declares("urn:oasis:names:specification:ubl:xpath:Invoice-2.0")
    assert not declares("")


def test_an_extension_may_use_codes_of_its_own_but_must_add_up(validator: Validator) -> None:
    assert validator.check(ubl(EXTENSION, unit="PIECES")).is_valid
    assert "BR-CO-15" in fatal(validator.check(ubl(EXTENSION, gross="120.01")))


def test_the_form_of_a_factur_x_profile_binds_whoever_declares_it(validator: Validator) -> None:
    """A second type of the document, which the profile has no place for."""
    more = "<ram:TypeCode>380</ram:TypeCode>"
    for basic in (f"{FACTUR_X}:basic", f"{CORE}:compliant:factur-x.eu:1p0:basic"):  # as at first
        assert fatal(validator.check(cii(basic, more=more))) > fatal(validator.check(cii(basic)))
    assert validator.check(cii(f"{FACTUR_X}:basic")).is_valid
    other = validator.check(cii(XRECHNUNG, more=more))
    assert other.is_valid
    assert {one.rule[:7] for one in other.broken} == {"FX-SCH-"}


def _published(validator: Validator, rules: RuleSet, documents: list[bytes]) -> list[Any]:
    """Run the stylesheet exactly as it is in the package."""
    compiler = validator._processor.new_xslt30_processor()
    sheet = compiler.compile_stylesheet(stylesheet_file=str(folder() / rules.path))
    return [_answers(validator, sheet, one) for one in documents]


def _answers(
    validator: Validator,
    sheet: Any,  # noqa: ANN401 - saxonche has no types
    document: bytes,
) -> list[Any]:
    node = validator._processor.parse_xml(xml_text=document.decode())
    root = etree.fromstring(sheet.transform_to_string(xdm_node=node).encode())
    return sorted(
        (one.tag, one.get("id"), one.get("flag"), one.get("location"), "".join(one.itertext()))
        for one in root.iter(f"{SVRL}failed-assert", f"{SVRL}successful-report")
    )


@pytest.mark.parametrize(("rules", "write"), [(UBL_CORE, ubl), (CII_CORE, cii)])
def test_prepared_stylesheets_answer_exactly_as_published(
    validator: Validator, rules: RuleSet, write: Write
) -> None:
    documents = [write(), *(write(**changes) for changes, _ in SPOILT)]
    validator.check(documents[0])
    sheet = validator._compiled[rules.name]
    ours = [_answers(validator, sheet, one) for one in documents]
    assert ours == _published(validator, rules, documents)
    assert sum(map(len, ours)) >= len(SPOILT)


def test_no_prepared_stylesheet_names_a_file(sheets: dict[str, str]) -> None:
    for name, text in sheets.items():
        root = etree.fromstring(text.encode())
        assert not list(root.iter(f"{XSL}include", f"{XSL}import", f"{XSL}result-document")), name
        for element in root.iter():
            for value in element.attrib.values():
                assert not re.search(r"\b(document|doc|unparsed-text|collection)\(", value), name


def test_every_rule_of_the_standard_has_a_sentence_of_its_own(sheets: dict[str, str]) -> None:
    named = {
        one.text or ""
        for text in sheets.values()
        for one in etree.fromstring(text.encode()).iter(f"{XSL}attribute")
        if one.get("name") == "id"
    }
    own = re.compile(r"BR-(\d\d|(CO|CL|DEC|S|Z|E|AE|IC|G|O|AF|AG|B)-\d\d)")
    rules = {rule for rule in named if own.fullmatch(rule)}
    assert len(rules) > 200
    general = {sentence(f"{start}99") for start in ("BR-", "BR-CO-", "BR-CL-", "BR-DEC-", "X-")}
    assert [rule for rule in sorted(rules) if sentence(rule) in general] == []
    assert all(sentence(rule).endswith(".") for rule in named)


def test_a_document_brings_nothing_from_outside(validator: Validator) -> None:
    head = b'<?xml version="1.0" encoding="UTF-8"?>'
    entity = b'<!DOCTYPE Invoice [<!ENTITY note SYSTEM "file:///etc/hostname">]>'
    with pytest.raises(InvalidInput) as refused:
        validator.check(ubl().replace(head, head + entity))
    assert refused.value.code == "XML_DOCTYPE"
    styled = ubl().replace(head, head + b'<?xml-stylesheet href="file:///etc/hostname"?>')
    assert validator.check(styled).is_valid
    include = (
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/hostname" '
        'parse="text"/>'
    )
    note = f"<cbc:Note>{include}</cbc:Note>"
    assert "hostname" not in str(validator.check(ubl(more=note)))


def test_without_the_rules_nothing_is_called_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(Unavailable, match="pip install") as refused:
        Validator().check(ubl())
    assert refused.value.code == "EINVOICE_SET_MISSING"
