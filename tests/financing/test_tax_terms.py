"""What the terms of a programme say of tax authorities, and of the rules of EN 16931."""

from pathlib import Path

import pytest
from sqlalchemy import insert

from scf.db.engine import Database
from scf.documents.einvoice.models import RuleCheck
from scf.documents.models import DocumentFinding, Invoice
from scf.documents.taxcheck.models import TaxCheck
from scf.financing.models import ManualCheck
from scf.kernel.errors import RuleViolation
from tests.support.deals import Deals, refusals_of, table
from tests.support.taxes import TaxDeals


def answers(deals: TaxDeals) -> list[tuple[str, str]]:
    return [(row.answer, row.purpose) for row in deals.all(TaxCheck)]


def refused(deals: Deals, invoice_id: str) -> list[str]:
    with pytest.raises(RuleViolation) as no:
        deals.quote(invoice_id)
    return [one["code"] for one in refusals_of(no.value)]


def test_what_the_scheme_needs_and_nobody_says_is_named(db: Database, tmp_path: Path) -> None:
    deals = TaxDeals(db, tmp_path, tax_scheme='"cfdi"')
    invoice_id = deals.invoice("1,000.00")
    assert refused(deals, invoice_id) == ["TAX_IDENTITY"]
    assert answers(deals) == []


def test_a_programme_that_asks_nobody_is_asked_nothing(db: Database, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="PROGRAMME_FILE"):
        TaxDeals(db, tmp_path, tax_check='"none"')


def test_the_platform_answers_the_tax_check_of_a_case(db: Database, tmp_path: Path) -> None:
    terms = {"checks_before_decision": '["tax_status"]', "platform_checks": '["tax_status"]'}
    deals = TaxDeals(db, tmp_path, **terms)
    deals.request(deals.registered())
    (check,) = deals.all(ManualCheck)
    assert (check.kind, check.result, check.source) == ("tax_status", "CLEAR", "platform")
    assert "TO-000001" in check.evidence


def test_a_programme_that_asks_before_the_offer_only_pays_without_asking(
    db: Database, tmp_path: Path
) -> None:
    deals = TaxDeals(db, tmp_path, tax_check='"offer"')
    deals.decided(deals.registered())
    deals.clock.advance(hours=2)
    deals.office.behave("down")
    deals.release(deals.prepare())
    assert (deals.state(), answers(deals)) == ("INSTRUCTED", [("VALID", "offer")])


# --- The rules of EN 16931 ------------------------------------------------------------------------


def judged(deals: Deals, invoice_id: str, state: str) -> None:
    """Store a verdict as the judging keeps it."""
    row = deals.get(Invoice, invoice_id)
    shared = {"org_id": row.org_id, "upload_id": row.upload_id, "created_at": row.created_at}
    with deals.db.writer.begin() as conn:
        conn.execute(
            insert(table(RuleCheck)),
            {
                "document_id": invoice_id, "document_type": "invoice", "user_id": "u",
                "original_id": "o", "state": state, "rules": "EN 16931 (UBL)",
                "fatal_count": 2 if state == "BROKEN" else 0, "warning_count": 0, **shared,
            },
        )  # fmt: skip
        if state == "BROKEN":
            conn.execute(
                insert(table(DocumentFinding)),
                {
                    "id": f"f-{invoice_id}", "document_type": "invoice", "severity": "WARNING",
                    "document_id": invoice_id, "code": "RULE_BROKEN", "place": "/Invoice/cbc:ID",
                    "message": "broken", "value": "BR-02", **shared,
                },
            )  # fmt: skip


def test_rules_inform_where_nobody_demands_them_and_bind_where_somebody_does(
    db: Database,
) -> None:
    deals = Deals(db, einvoice_rules='"demand"')
    expected = {
        "": "RULES_UNDECLARED", "WAITING": "RULES_WAITING", "BROKEN": "RULES_BROKEN",
        "UNJUDGED": "RULES_UNJUDGED",
    }  # fmt: skip
    for state, code in expected.items():
        invoice_id = deals.invoice("1,000.00")
        if state:
            judged(deals, invoice_id, state)
        assert refused(deals, invoice_id) == [code]
        if state == "BROKEN":
            with pytest.raises(RuleViolation, match="2 rules of EN 16931, first BR-02 at /Invoice"):
                deals.quote(invoice_id)
    valid = deals.invoice("1,000.00")
    judged(deals, valid, "VALID")
    assert deals.quote(valid)["state"] == "OPEN"


def test_a_broken_rule_is_only_told_where_nobody_demands_the_rules(db: Database) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice("1,000.00")
    judged(deals, invoice_id, "BROKEN")
    assert deals.quote(invoice_id)["state"] == "OPEN"
