"""Who a document means, where no number settles it, a person says: with what was seen kept."""

import pytest
from sqlalchemy import select

from scf.db.engine import Database
from scf.documents.identity.cases import case, cases
from scf.documents.identity.models import IdentityDecision
from scf.kernel.actor import OPERATOR, Actor
from scf.kernel.errors import InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.parties.identity.score import Tier
from tests.documents import ubl
from tests.documents.test_pending import jobs
from tests.documents.trade import Trade, trade_on

NEW = "300000003"
UBL_NAME = "Seller Company"  # as the sample invoices call their seller


@pytest.fixture
def trade(db: Database) -> Trade:
    return trade_on(db)


def acquainted(trade: Trade) -> None:
    """Let the buyer know the seller: they have traded before."""
    trade.invoices({"number": "A-1", "amount": "1.00"})


def open_cases(trade: Trade, actor: Actor) -> list[str]:
    with trade.db.snapshot() as conn:
        return [one.finding_id for one in cases(conn, actor)]


def test_the_word_of_a_person_holds_for_exactly_these_words(trade: Trade) -> None:
    acquainted(trade)
    trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))
    (finding,) = open_cases(trade, trade.buyer)
    decided = trade.world.run(
        "identity.decide", trade.buyer, finding_id=finding, outcome="KNOWN",
        firm_id=trade.world.firms["seller"], reason="our own supplier list",
    )  # fmt: skip
    assert decided["id"] == trade.world.firms["seller"]
    jobs(trade)
    assert trade.invoice("N-1").document_state == "VALIDATED"
    assert trade.invoice("N-1").seller_id == trade.world.firms["seller"]
    assert open_cases(trade, trade.buyer) == []
    # The next document of these words needs nobody; one that says more is asked for again.
    trade.hand_in(ubl.invoice("N-2", "10.00", seller=NEW))
    assert trade.invoice("N-2").document_state == "VALIDATED"
    with trade.db.snapshot() as conn:
        kept = conn.execute(select(IdentityDecision.__table__)).one()  # type: ignore[attr-defined]
    assert (kept.outcome, kept.reason) == ("KNOWN", "our own supplier list")
    assert kept.said["name"] == UBL_NAME
    assert kept.seen[0]["firm_id"] == trade.world.firms["seller"]
    assert {part["code"] for part in kept.seen[0]["parts"]} >= {"NAME_SAME"}


def test_what_nobody_can_tell_goes_back_with_the_reason(trade: Trade) -> None:
    trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))
    trade.hand_in(ubl.invoice("N-2", "500.00", seller=NEW))
    (finding,) = open_cases(trade, trade.buyer)
    back = trade.world.run(
        "identity.decide", trade.buyer, finding_id=finding, outcome="SENT_BACK",
        reason="two firms have this name",
    )  # fmt: skip
    assert back["documents"] == 2
    assert {row.document_state for row in trade.rows()} == {"VOID"}
    told = [row for row in trade.findings() if row.code == "FIRM_SENT_BACK"]
    assert len(told) == 2
    assert "two firms have this name" in told[0].message
    assert open_cases(trade, trade.buyer) == []
    with trade.db.snapshot() as conn, pytest.raises(RuleViolation, match="IDENTITY_SETTLED"):
        case(conn, trade.buyer, finding)
    # Corrected, the same invoice comes in again.
    assert trade.hand_in(ubl.invoice("N-1", "500.00"))["stored"] == 1


def test_a_new_firm_is_invited_from_the_case(trade: Trade) -> None:
    trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))
    (finding,) = open_cases(trade, trade.buyer)
    made = trade.world.run(
        "identity.decide", trade.buyer, finding_id=finding, outcome="NEW", reason="a new supplier"
    )
    assert (made["name"], made["state"]) == (UBL_NAME, "INVITED")
    with trade.db.snapshot() as conn:
        found = case(conn, trade.buyer, finding)
    assert found.candidates[0].score.tier is Tier.CERTAIN
    assert found.candidates[0].state == "INVITED"


def test_a_number_and_a_name_of_two_firms_wait_for_a_person(trade: Trade) -> None:
    world = trade.world
    third = world.firm("brook", identifiers=[{"scheme": "duns", "value": NEW}])
    acquainted(trade)
    # The number is Brook's, and the name that of the seller, whom the buyer knows.
    assert trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))["incomplete"] == 1
    (finding,) = open_cases(trade, trade.buyer)
    (found,) = [row for row in trade.findings() if row.code == "FIRM_UNKNOWN"]
    assert "lead to different firms" in found.message
    ask = {"finding_id": finding, "outcome": "KNOWN", "reason": "it is our supplier"}
    with pytest.raises(NotAllowed, match="NUMBER_NAMES_ANOTHER"):
        world.run("identity.decide", trade.buyer, firm_id=world.firms["seller"], **ask)
    with pytest.raises(NotFound):  # what the buyer may not know of is no answer
        world.run("identity.decide", trade.buyer, firm_id=third, **ask)


def test_a_firm_that_one_may_not_know_is_no_candidate(trade: Trade) -> None:
    world = trade.world
    hidden = world.firm("brook")
    trade.hand_in(
        ubl.invoice("N-1", "500.00", seller=NEW).replace(UBL_NAME.encode(), b"Brook Company")
    )
    (finding,) = open_cases(trade, trade.buyer)
    with trade.db.snapshot() as conn:
        assert case(conn, trade.buyer, finding).candidates == ()
    with trade.db.snapshot() as conn:
        everything = case(conn, OPERATOR, finding)
    assert [one.firm_id for one in everything.candidates] == [hidden]


def test_a_word_without_the_firm_is_refused(trade: Trade) -> None:
    trade.hand_in(ubl.invoice("N-1", "500.00", seller=NEW))
    (finding,) = open_cases(trade, trade.buyer)
    for outcome, firm_id in (("KNOWN", None), ("NEW", trade.world.firms["seller"])):
        with pytest.raises(InvalidInput, match="IDENTITY_FIRM"):
            trade.world.run(
                "identity.decide", trade.buyer, finding_id=finding, outcome=outcome,
                firm_id=firm_id, reason="no reason",
            )  # fmt: skip
