"""What a financier has called one claim with another gets no price there, until it looks again."""

from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents.duplicates.models import DuplicateSuspicion
from scf.kernel.errors import RuleViolation
from scf.kernel.ids import new_id
from tests.support.deals import ANCHOR, CHECKER, MAKER, SELLER, TREASURER, Deals


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


def test_a_suspicion_that_nobody_has_judged_does_not_stop_a_quote(deals: Deals) -> None:
    _first, second, _suspicion = suspected(deals)
    assert deals.quote(second)["id"]
