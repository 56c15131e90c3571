"""The buyer's word: undertakings and their postings, rejections, disputes, claims."""

import datetime as dt

import pytest

from scf.db.engine import Database
from scf.documents.models import Acceptance, Dispute, Invoice
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.ledger.models import Entry, NoEntry
from scf.ledger.service import balances
from scf.programmes import claims
from scf.programmes.models import ProgrammeClaim
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    BANK,
    DAY,
    OTHER_BANK,
    SELLER,
    TREASURER,
    Deals,
    eur,
)

CLERK = Actor("u-clerk", ANCHOR, frozenset({Role.ANCHOR_CLERK}))


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


def book(deals: Deals, org: str) -> dict[str, int]:
    with deals.db.snapshot() as conn:
        return {code: amount for (code, _), amount in balances(conn, org).items() if amount}


def test_an_irrevocable_acceptance_is_booked_and_its_dashes_have_reasons(deals: Deals) -> None:
    """Source: postings.md 4.1, first row."""
    invoice_id = deals.invoice("1,000,000.00")
    million = eur("1,000,000.00")
    assert book(deals, ANCHOR) == {
        "trade_payables": million,
        "payables_in_supplier_finance_arrangement": -million,
    }
    assert book(deals, SELLER) == book(deals, BANK) == {}
    (entry,) = deals.all(Entry)
    assert (entry.event_kind, entry.subject_id) == ("invoice_accepted", invoice_id)
    assert (entry.booked_on, entry.event_id) == (DAY, f"{invoice_id}:1")
    dashes = {row.org_id: row.reason for row in deals.all(NoEntry)}
    assert set(dashes) == {SELLER, BANK}
    assert all(dashes.values())
    row = deals.get(Invoice, invoice_id)
    assert (row.ipu, row.acceptance_state) == (True, "ACCEPTED")


def test_without_a_programme_an_acceptance_books_nothing(db: Database) -> None:
    deals = Deals(db)
    deals.invoice(currency="THB")
    assert deals.count(Entry) == 0
    assert deals.all(Invoice)[0].ipu is False


def test_a_second_acceptance_books_only_what_it_adds(deals: Deals) -> None:
    invoice_id = deals.invoice("1,000.00", accepted=False)
    deals.accept(invoice_id, amount_minor=eur("600.00"))
    assert deals.get(Invoice, invoice_id).acceptance_state == "PART_ACCEPTED"
    deals.accept(invoice_id, amount_minor=eur("1,000.00"))
    assert book(deals, ANCHOR)["trade_payables"] == eur("1,000.00")
    assert len(deals.all(Acceptance, invoice_id=invoice_id)) == 2
    with pytest.raises(RuleViolation, match="UNDERTAKING"):
        deals.accept(invoice_id, amount_minor=eur("999.99"))
    with pytest.raises(RuleViolation, match="ACCEPT_ABOVE_INVOICE"):
        deals.accept(invoice_id, amount_minor=eur("1,000.01"))


def test_an_invoice_without_a_due_date_takes_the_one_that_the_anchor_states(deals: Deals) -> None:
    invoice_id = deals.invoice(accepted=False, due_on=None, document_state="INCOMPLETE")
    with pytest.raises(InvalidInput, match="DUE_DATE_MISSING"):
        deals.accept(invoice_id)
    deals.accept(invoice_id, due_on=dt.date(2026, 6, 6))
    row = deals.get(Invoice, invoice_id)
    assert (row.due_on, row.document_state) == (dt.date(2026, 6, 6), "VALIDATED")
    assert deals.quote(invoice_id)["lines"][0]["settle_on"] == "2026-06-08"


def test_a_due_date_does_not_move_under_money(deals: Deals) -> None:
    invoice_id = deals.invoice()
    deals.accept(invoice_id, due_on=dt.date(2026, 6, 20))
    deals.request(invoice_id, amount="1,000.00")
    with pytest.raises(RuleViolation, match="CONSENT_NEEDED"):
        deals.accept(invoice_id, due_on=dt.date(2026, 6, 21))
    with pytest.raises(RuleViolation, match="EARLIER_DUE_DATE"):
        deals.accept(invoice_id, due_on=dt.date(2026, 6, 19))


def test_a_quote_does_not_survive_another_word_of_the_buyer(deals: Deals) -> None:
    invoice_id = deals.invoice()
    quote = deals.quote(invoice_id)
    deals.accept(invoice_id, due_on=dt.date(2026, 6, 20))
    with pytest.raises(RuleViolation, match="QUOTE_EXPIRED"):
        deals.submit(quote["id"])


def test_a_thousand_invoices_are_one_act(deals: Deals) -> None:
    ids = [deals.invoice("10.00", accepted=False) for _ in range(1000)]
    done = deals.run("invoice.accept", APPROVER, items=[{"invoice_id": one} for one in ids])
    assert len(done["accepted"]) == 1000
    assert book(deals, ANCHOR)["trade_payables"] == eur("10,000.00")
    with pytest.raises(InvalidInput):
        deals.run(
            "invoice.accept", APPROVER, items=[{"invoice_id": one} for one in [*ids, "one-more"]]
        )


def test_one_bad_invoice_stops_the_whole_act(deals: Deals) -> None:
    good = deals.invoice("10.00", accepted=False)
    with pytest.raises(NotFound):
        deals.run(
            "invoice.accept", APPROVER, items=[{"invoice_id": good}, {"invoice_id": "nobody"}]
        )
    assert deals.get(Invoice, good).acceptance_state == "NONE"
    with pytest.raises(InvalidInput, match="REPEATED"):
        deals.run("invoice.accept", APPROVER, items=[{"invoice_id": good}] * 2)


def test_only_the_buyers_approver_accepts(deals: Deals) -> None:
    invoice_id = deals.invoice(accepted=False)
    items = [{"invoice_id": invoice_id}]
    with pytest.raises(NotAllowed):
        deals.run("invoice.accept", CLERK, items=items)
    seller = Actor("u-s", SELLER, APPROVER.roles)
    with pytest.raises(NotAllowed):
        deals.run("invoice.accept", seller, items=items)
    stranger = Actor("u-e", "else", APPROVER.roles)
    with pytest.raises(NotFound):
        deals.run("invoice.accept", stranger, items=items)


def test_a_rejected_invoice_is_not_financed_and_an_undertaking_is_not_rejected(
    deals: Deals,
) -> None:
    refused = deals.invoice(accepted=False)
    deals.run("invoice.reject", CLERK, invoice_ids=[refused], reason="never ordered")
    with pytest.raises(RuleViolation, match="NOT_ACCEPTED"):
        deals.quote(refused)
    with pytest.raises(RuleViolation, match="UNDERTAKING"):
        deals.run("invoice.reject", CLERK, invoice_ids=[deals.invoice()], reason="second thoughts")


def test_after_an_undertaking_a_dispute_stops_no_finance(deals: Deals) -> None:
    invoice_id = deals.invoice("1,000.00")
    made = deals.run(
        "invoice.dispute",
        CLERK,
        invoice_id=invoice_id,
        amount_minor=eur("400.00"),
        reason="scratches",
    )
    assert made["commercial"] is True
    assert deals.quote(invoice_id)["face_minor"] == eur("1,000.00")


def test_a_dispute_is_ended_by_the_side_that_gives_way(db: Database) -> None:
    deals = Deals(db, ipu='"none"')
    invoice_id = deals.invoice("1,000.00")
    made = deals.run(
        "invoice.dispute",
        CLERK,
        invoice_id=invoice_id,
        amount_minor=eur("400.00"),
        reason="scratches",
    )
    assert deals.quote(invoice_id)["face_minor"] == eur("600.00")
    with pytest.raises(NotAllowed, match="GIVE_WAY"):
        deals.run("dispute.resolve", TREASURER, dispute_id=made["id"], outcome="seller")
    with pytest.raises(NotAllowed, match="GIVE_WAY"):
        deals.run("dispute.resolve", CLERK, dispute_id=made["id"], outcome="buyer")
    deals.run(
        "dispute.resolve", CLERK, dispute_id=made["id"], outcome="split", buyer_minor=eur("100.00")
    )
    assert deals.get(Dispute, made["id"]).state == "SPLIT"
    assert deals.quote(invoice_id)["face_minor"] == eur("900.00")


# --- Claims -----------------------------------------------------------------------------------


def test_an_invoice_lives_in_one_programme_at_a_time(deals: Deals) -> None:
    other = deals.programme("elsewhere", OTHER_BANK)
    invoice_id = deals.invoice("1,000.00")
    request = deals.request(invoice_id, amount="400.00")
    second = deals.request(invoice_id, amount="600.00")
    assert len(deals.all(ProgrammeClaim, live=True)) == 1
    with deals.db.writer.begin() as conn, pytest.raises(RuleViolation, match="ALREADY_FINANCED"):
        claims.claim(deals.context(conn), invoice_id, other, OTHER_BANK)
    deals.run("request.withdraw", TREASURER, request_id=request["id"])
    assert len(deals.all(ProgrammeClaim, live=True)) == 1
    deals.run("request.withdraw", TREASURER, request_id=second["id"])
    assert deals.all(ProgrammeClaim, live=True) == []
    with deals.db.writer.begin() as conn:
        claims.claim(deals.context(conn), invoice_id, other, OTHER_BANK)
