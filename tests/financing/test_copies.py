"""What a financier has called one claim with another gets no price there, until it looks again."""

from typing import Any

import pytest
from sqlalchemy import update

from scf.db.engine import Database
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.documents.duplicates.standing import in_the_way
from scf.documents.models import Invoice
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from tests.support.deals import (
    ANCHOR,
    BANK,
    CHECKER,
    MAKER,
    OTHER_BANK,
    OTHER_MAKER,
    SELLER,
    TREASURER,
    Deals,
    table,
)


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def suspected(deals: Deals) -> tuple[str, str, str]:
    """Store two invoices and that they look alike; gives the earlier, the later, the suspicion."""
    first, second = deals.invoice("1,000.00"), deals.invoice("1,000.00")
    found = DuplicateSuspicion(
        id=new_id(), invoice_id=second, twin_id=first, seller_id=SELLER, buyer_id=ANCHOR,
        code="SAME_AMOUNT", facts={}, found_at=deals.clock.now(),
    )  # fmt: skip
    with deals.db.writer.begin() as conn:
        deals._insert(conn, found)
    return first, second, found.id


def test_what_was_called_one_claim_is_not_quoted_until_another_person_has_looked_again(
    deals: Deals,
) -> None:
    _first, second, suspicion = suspected(deals)
    word = {"suspicion_id": suspicion, "reason": "looked at both papers"}
    deals.run("duplicate.decide", MAKER, outcome="SAME", **word)
    with pytest.raises(RuleViolation) as refusal:
        deals.quote(second)
    assert refusal.value.code == "DUPLICATE_SUSPECT"
    told: Any = refusal.value.facts["refusals"]
    assert len(told) == 1
    assert "tell the bank why" in told[0]["next_step"]
    assert "SAME_AMOUNT" not in str(refusal.value.facts)
    appeal = {"invoice_id": second, "note": "two machines, two deliveries"}
    assert deals.run("duplicate.appeal", TREASURER, **appeal)["appealed"] == 1
    with pytest.raises(RuleViolation):
        deals.quote(second)
    deals.run("duplicate.decide", CHECKER, outcome="DISTINCT", version=2, **word)
    assert deals.quote(second)["id"]


def test_one_claim_stops_the_copy_and_the_earlier_paper_is_financed(db: Database) -> None:
    deals = Deals(db, checks_before_decision="[]", checks_before_payout="[]")
    first, second, suspicion = suspected(deals)
    deals.run(
        "duplicate.decide", MAKER, suspicion_id=suspicion, outcome="SAME", reason="sent twice"
    )
    with pytest.raises(RuleViolation):
        deals.quote(second)
    with pytest.raises(RuleViolation) as refusal:
        deals.run("duplicate.appeal", TREASURER, invoice_id=first, note="ours as well")
    assert refusal.value.code == "NOTHING_BLOCKED"
    request_id = str(deals.request(first)["id"])
    deals.decide(request_id, MAKER)
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"


def test_an_officer_may_call_the_earlier_paper_the_copy(deals: Deals) -> None:
    first, second, suspicion = suspected(deals)
    deals.run(
        "duplicate.decide", MAKER, suspicion_id=suspicion, outcome="SAME", copy_is="EARLIER",
        reason="a draft that was sent by mistake",
    )  # fmt: skip
    with pytest.raises(RuleViolation):
        deals.quote(first)
    assert deals.quote(second)["id"]


def test_of_one_claim_that_was_financed_by_its_copy_nothing_more_is_paid(deals: Deals) -> None:
    first, second, suspicion = suspected(deals)
    word = {"suspicion_id": suspicion, "reason": "looked at both papers", "outcome": "SAME"}
    deals.request(second)
    assert deals.run("duplicate.decide", MAKER, **word)["state"] == "PROPOSED"
    other = {**word, "copy_is": "EARLIER", "version": 1}
    assert deals.run("duplicate.decide", CHECKER, **other)["state"] == "PROPOSED"
    assert deals.run("duplicate.decide", MAKER, **word, version=2)["state"] == "PROPOSED"
    assert deals.run("duplicate.decide", CHECKER, **word, version=3)["state"] == "DECIDED"
    with pytest.raises(RuleViolation) as refusal:
        deals.quote(first)
    assert refusal.value.code == "DUPLICATE_SUSPECT"
    appeal = {"invoice_id": first, "note": "two machines, two deliveries"}
    assert deals.run("duplicate.appeal", TREASURER, **appeal)["appealed"] == 1


def test_of_two_banks_that_call_opposite_papers_the_copy_one_pays_and_the_other_is_told_what_to_do(
    db: Database,
) -> None:
    deals = Deals(db, checks_before_decision="[]", checks_before_payout="[]")
    first, second, suspicion = suspected(deals)
    deals.programme("elsewhere", bank=OTHER_BANK)
    word = {"suspicion_id": suspicion, "outcome": "SAME", "reason": "looked at both papers"}
    deals.run("duplicate.decide", MAKER, **word, copy_is="EARLIER")
    deals.run("duplicate.decide", OTHER_MAKER, **word)
    request_id = str(deals.request(second)["id"])
    with db.snapshot() as conn:
        [there] = in_the_way(conn, [first], OTHER_BANK)
        assert there.spent
        assert in_the_way(conn, [second], BANK) == []
    # The other bank's money comes to lie on the first one at that very moment, too.
    hold(deals, first, 100)
    with pytest.raises(RuleViolation) as refusal:
        deals.decide(request_id, MAKER)
    assert refusal.value.code == "DUPLICATE_SUSPECT"
    assert "Decline this request, or wait" in str(refusal.value)
    hold(deals, first, -100)
    deals.decide(request_id, MAKER)
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"
    with db.snapshot() as conn:
        assert [one.spent for one in in_the_way(conn, [first], OTHER_BANK)] == [True]


def hold(deals: Deals, invoice_id: str, amount: int) -> None:
    """Let money be held on an invoice, or no longer."""
    invoice = table(Invoice)
    with deals.db.writer.begin() as conn:
        conn.execute(
            update(invoice)
            .where(invoice.c.id == invoice_id)
            .values(held_minor=invoice.c.held_minor + amount)
        )


def test_a_suspicion_that_nobody_has_judged_does_not_stop_a_quote(deals: Deals) -> None:
    _first, second, _suspicion = suspected(deals)
    assert deals.quote(second)["id"]
