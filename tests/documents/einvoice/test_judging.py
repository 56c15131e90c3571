"""What the rules say of a stored document stands with it, for everybody who sees it, once."""

import gzip
from typing import Any

import pytest
from sqlalchemy import Row, select

from scf.db.engine import Database
from scf.db.visibility import predicate_for
from scf.documents.einvoice import judging
from scf.documents.einvoice.models import RuleCheck
from scf.documents.einvoice.service import RuleService
from scf.documents.models import DocumentFinding
from scf.kernel.actor import OPERATOR, Actor, Role
from tests.documents.einvoice.papers import ubl
from tests.documents.readers import pdfs
from tests.documents.readers.test_signed import in_pieces
from tests.documents.trade import INVOICES, Trade, invoice_table, trade_on


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def checks(trade: Trade) -> list[Row[Any]]:
    table = RuleCheck.__table__  # type: ignore[attr-defined]
    with trade.db.snapshot() as conn:
        return list(conn.execute(select(table).order_by(table.c.created_at)).all())


def told(trade: Trade, actor: Actor) -> list[tuple[str, str]]:
    """Give code and rule of each finding that somebody sees."""
    table = DocumentFinding.__table__  # type: ignore[attr-defined]
    query = select(table.c.code, table.c.value).where(predicate_for(DocumentFinding, actor))
    with trade.db.snapshot() as conn:
        return sorted((row.code, row.value) for row in conn.execute(query))


def test_a_broken_rule_is_told_to_both_parties_and_keeps_no_document_out(
    trade: Trade, service: RuleService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judging, "shared_service", lambda: service)
    done = trade.hand_in(ubl(vat="XX123456788"), name="one.xml")
    assert (done["stored"], done["bad"]) == (1, 0)
    assert [row.state for row in checks(trade)] == ["WAITING"]

    trade.world.platform.worker().drain()

    (check,) = checks(trade)
    assert (check.state, check.rules, check.fatal_count) == ("BROKEN", "EN 16931 (UBL)", 1)
    (finding,) = [row for row in trade.findings() if row.code == "RULE_BROKEN"]
    assert (finding.severity, finding.value) == ("WARNING", "BR-CO-09")
    assert finding.message == "A VAT number does not begin with the code of its country."
    assert finding.place.startswith("/Invoice/cac:AccountingSupplierParty")
    assert "VAT identifier" in finding.facts["said"]
    assert trade.rows()[0].document_state == "VALIDATED"
    stranger = Actor("u-x", "o-x", frozenset({Role.TREASURER}))
    assert ("RULE_BROKEN", "BR-CO-09") in told(trade, trade.seller)
    assert ("RULE_BROKEN", "BR-CO-09") in told(trade, trade.buyer)
    assert told(trade, stranger) == []


def test_documents_are_judged_once_and_only_where_they_declare_rules(
    trade: Trade, service: RuleService
) -> None:
    trade.hand_in(gzip.compress(ubl()), name="packed.xml")
    trade.hand_in(ubl(number="E-2", gross="120.01"), name="two.xml")
    trade.hand_in(ubl("urn:example:mine", number="E-3"), name="three.xml")
    trade.hand_in(invoice_table([{"number": "T-1", "amount": "5.00"}]), INVOICES)
    platform = trade.world.platform
    first = judging.judge_waiting(platform, service)
    before = trade.findings()
    assert first["VALID"] == 1
    assert first["UNJUDGED"] == 0
    assert judging.judge_waiting(platform, service) == {"VALID": 0, "BROKEN": 0, "UNJUDGED": 0}
    assert trade.findings() == before


def test_what_cannot_be_judged_is_kept_and_never_valid(trade: Trade) -> None:
    trade.hand_in(ubl(), name="one.xml")
    (waiting,) = checks(trade)
    verdict = {"document_id": waiting.document_id, "reason": "DIED"}
    for key in ("k-1", "k-2"):  # the second comes too late
        trade.world.platform.run(
            "documents.keep_verdicts", {"verdicts": [verdict]}, OPERATOR, key=key
        )
        verdict = {"document_id": waiting.document_id, "rules": "EN 16931 (UBL)"}
    (check,) = checks(trade)
    assert (check.state, check.reason) == ("UNJUDGED", "DIED")
    assert [row.code for row in trade.findings()] == ["RULES_UNCHECKED"]
    assert trade.rows()[0].document_state == "VALIDATED"


def test_what_could_not_be_judged_is_judged_when_somebody_asks_again(
    trade: Trade, service: RuleService
) -> None:
    trade.hand_in(ubl(), name="one.xml")
    platform = trade.world.platform
    verdict = {"document_id": checks(trade)[0].document_id, "reason": "DIED"}
    platform.run("documents.keep_verdicts", {"verdicts": [verdict]}, OPERATOR, key="died")
    assert judging.judge_all(platform, service, "again")["VALID"] == 1
    (check,) = checks(trade)
    assert (check.state, check.reason) == ("VALID", None)
    (remark,) = trade.findings()
    assert remark.resolved_at is not None


def test_an_upload_that_is_taken_back_leaves_nothing_to_judge(trade: Trade) -> None:
    trade.hand_in(ubl(), name="one.xml")
    again = trade.hand_in(gzip.compress(ubl()), name="packed.xml", mode="atomic")
    assert again["state"] == "REFUSED"
    assert len(checks(trade)) == 1


def test_the_xml_to_judge_is_taken_out_of_what_it_was_sent_in() -> None:
    plain, inside = ubl(), pdfs.invoice(ubl())
    packed = [gzip.compress(plain), gzip.compress(inside), inside, in_pieces(plain), plain]
    assert [judging.xml_of(content) for content in packed] == [plain] * 5
    assert judging.xml_of(b"%PDF-1.7 broken") == b"%PDF-1.7 broken"
