"""What the rules of EN 16931 say of an invoice stands before seller, buyer and officer."""

from typing import Any

from sqlalchemy import insert, select

from scf.documents.einvoice.models import RuleCheck
from scf.documents.models import Invoice
from scf.financing.models import Advance
from scf.kernel.actor import OPERATOR
from tests.support.people import NOON
from tests.web.api.story import ANNA, MIRA
from tests.web.portal.officer.desk import MAKER, Desk

_CHECK: Any = RuleCheck.__table__  # type: ignore[attr-defined]
_ADVANCE: Any = Advance.__table__  # type: ignore[attr-defined]
_INVOICE: Any = Invoice.__table__  # type: ignore[attr-defined]
SAID = "Amount due = total - paid + rounding"


def judged(desk: Desk) -> str:
    """Let one rule be broken by the invoice of the case; gives the invoice."""
    platform = desk.story.platform
    with platform.db.writer.begin() as conn:
        row = conn.execute(
            select(_INVOICE).join(_ADVANCE, _ADVANCE.c.invoice_id == _INVOICE.c.id)
        ).one()
        values = {"document_id": row.id, "document_type": "invoice", "user_id": "u"}
        for name in ("org_id", "upload_id", "original_id"):
            values[name] = getattr(row, name)
        conn.execute(insert(_CHECK), values | {"created_at": NOON, "state": "WAITING"})
    broken = {"rule": "BR-CO-16", "flag": "fatal", "place": "/Invoice", "said": SAID}
    advice = {"rule": "UBL-CR-001", "flag": "warning", "place": "/Invoice", "said": "No."}
    verdict = {"document_id": row.id, "rules": "EN 16931 (UBL)", "fatal": 1, "warnings": 1}
    payload = {"verdicts": [verdict | {"broken": [broken, advice]}]}
    platform.run("documents.keep_verdicts", payload, OPERATOR, key="judged")
    return str(row.id)


def test_a_broken_rule_stands_before_everybody_who_sees_the_invoice(desk: Desk) -> None:
    request_id = desk.requested()
    assert "Rules of EN 16931" not in desk.page(MAKER, f"/cases/{request_id}")
    invoice_id = judged(desk)
    case = desk.page(MAKER, f"/cases/{request_id}")
    seller = desk.browser(MIRA).get(f"/treasurer/invoices/{invoice_id}")
    buyer = desk.browser(ANNA).get(f"/anchor/invoices/{invoice_id}")
    for page in (case, seller.get_data(as_text=True), buyer.get_data(as_text=True)):
        assert "Rules of EN 16931" in page
        assert page.count("BR-CO-16") == 1
        assert "does not come to the amount to pay" in page
        assert SAID in page
        assert page.index("BR-CO-16") < page.index("UBL-CR-001")
