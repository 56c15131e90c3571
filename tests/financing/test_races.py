"""Many hands at once: one invoice, one limit, one key, one decision; real threads, both engines.

Source: promises.md P5, P6, P7, P9.
"""

from collections import Counter

import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.ledger.models import Entry
from scf.programmes import limits
from scf.programmes.models import LimitNode, ProgrammeClaim
from scf.programmes.terms import CHECKS_BEFORE_DECISION
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    BANK,
    CHECKER,
    HEAD,
    MAKER,
    OTHER_BANK,
    SELLER,
    TREASURER,
    Deals,
    eur,
)
from tests.support.racing import race

CROWD = 64


def submit_all(deals: Deals, quotes: list[str]) -> Counter[str]:
    return race(len(quotes), lambda n: str(deals.submit(quotes[n], f"submit-{n}")["state"]))


def tree_is_right(deals: Deals) -> None:
    with deals.db.snapshot() as conn:
        assert limits.recompute(conn) == []
    for node in deals.all(LimitNode):
        assert node.held_minor + node.utilised_minor <= node.limit_minor


def test_sixty_four_requests_for_the_whole_invoice_give_exactly_one_advance(db: Database) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice("1,000.00")
    quotes = [deals.quote(invoice_id)["id"] for _ in range(CROWD)]
    assert submit_all(deals, quotes) == {"IN_REVIEW": 1, "ALREADY_FINANCED": CROWD - 1}
    assert len(deals.all(Advance)) == len(deals.all(FinancingRequest)) == 1
    assert len(deals.all(ProgrammeClaim, live=True)) == 1
    assert deals.get(Invoice, invoice_id).held_minor == eur("1,000.00")
    tree_is_right(deals)


def test_sixty_four_requests_for_a_tenth_give_exactly_ten(db: Database) -> None:
    deals = Deals(db, limits="100,000,000.00")
    invoice_id = deals.invoice("10,000.00")
    quotes = [deals.quote(invoice_id, amount="1,000.00")["id"] for _ in range(CROWD)]
    assert submit_all(deals, quotes) == {"IN_REVIEW": 10, "ALREADY_FINANCED": CROWD - 10}
    assert sum(row.face_minor for row in deals.all(Advance)) == eur("10,000.00")
    assert len(deals.all(ProgrammeClaim, live=True)) == 1
    tree_is_right(deals)


def test_two_programmes_of_two_financiers_finance_an_invoice_once(db: Database) -> None:
    deals = Deals(db)
    other = deals.programme("elsewhere", OTHER_BANK)
    deals.fix("3.45", bank=OTHER_BANK)
    for kind, subject in (
        ("financier", OTHER_BANK), ("programme", other), ("obligor", ANCHOR), ("seller", SELLER),
    ):  # fmt: skip
        deals.limit(kind, subject, "10,000.00", OTHER_BANK)
    invoice_id = deals.invoice("1,000.00")
    programmes = (deals.programme_id, other)
    quotes = [
        deals.quote(invoice_id, amount="100.00", programme_id=programmes[n % 2])["id"]
        for n in range(16)
    ]
    seen = submit_all(deals, quotes)
    assert seen == {"IN_REVIEW": 8, "ALREADY_FINANCED": 8}
    assert len({row.financier_id for row in deals.all(Advance)}) == 1
    tree_is_right(deals)


@pytest.mark.parametrize("kind", ["financier", "programme", "obligor", "seller"])
def test_sixty_four_draws_never_exceed_a_limit(db: Database, kind: str) -> None:
    deals = Deals(db, recourse='"full"', limits="1,000,000.00")
    subject = {
        "financier": BANK, "programme": deals.programme_id, "obligor": ANCHOR, "seller": SELLER,
    }[kind]  # fmt: skip
    quotes = [deals.quote(deals.invoice("100.00"))["id"] for _ in range(CROWD)]
    deals.limit(kind, subject, "1,000.00")
    seen = submit_all(deals, quotes)
    fit = 10  # ten faces of 100.00, or ten nets of 98.84
    assert seen == {"IN_REVIEW": fit, f"LIMIT_{kind.upper()}": CROWD - fit}
    node = deals.all(LimitNode, kind=kind)[0]
    assert node.held_minor <= node.limit_minor
    tree_is_right(deals)


def test_the_same_key_twenty_times_has_one_effect(db: Database) -> None:
    deals = Deals(db)
    quote = deals.quote(deals.invoice("1,000.00"))["id"]
    answers: list[str] = []

    def submit(_number: int) -> str:
        outcome = deals.platform.run(
            "request.submit", {"quote_id": quote}, TREASURER, key="the-one-key"
        )
        answers.append(outcome.result["id"])
        return "replayed" if outcome.replayed else "new"

    assert race(20, submit) == {"new": 1, "replayed": 19}
    assert len(set(answers)) == 1
    assert len(deals.all(Advance)) == 1


def test_one_quote_under_twenty_keys_has_one_effect(db: Database) -> None:
    deals = Deals(db)
    quote = deals.quote(deals.invoice("1,000.00"))["id"]
    assert submit_all(deals, [quote] * 20) == {"IN_REVIEW": 1, "QUOTE_USED": 19}
    assert len(deals.all(Advance)) == 1


def test_twenty_officers_decide_once(db: Database) -> None:
    """The two words come from two people, however many try at once on the version they read."""
    deals = Deals(db)
    request_id = deals.request(deals.invoice("1,000.00"))["id"]
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    crowd = [MAKER, CHECKER, HEAD, MAKER] * 5

    def decide(number: int) -> str:
        who = crowd[number]
        return str(
            deals.run(
                "request.decide", who, f"{who.user_id}-{number}",
                request_id=request_id, version=1, outcome="APPROVE",
            )["state"]
        )  # fmt: skip

    seen = race(len(crowd), decide)
    assert seen["IN_REVIEW"] == 1
    assert set(seen) <= {"IN_REVIEW", "STALE", "AUTHORITY"}
    deals.decide(request_id, CHECKER)
    assert len({row.user_id for row in deals.all(Decision)}) == 2


def test_a_withdrawal_and_an_approval_at_once_leave_one_truth(db: Database) -> None:
    deals = Deals(db)
    for turn in range(5):
        request_id = deals.request(deals.invoice("1,000.00"))["id"]
        deals.check(request_id, *CHECKS_BEFORE_DECISION)
        deals.decide(request_id, MAKER)

        def act(number: int, request_id: str = request_id, turn: int = turn) -> str:
            if number:
                return str(
                    deals.run(
                        "request.withdraw", TREASURER, f"w{turn}", request_id=request_id, version=2
                    )["state"]
                )
            return str(
                deals.run(
                    "request.decide", CHECKER, f"d{turn}",
                    request_id=request_id, version=2, outcome="APPROVE",
                )["state"]
            )  # fmt: skip

        seen = race(2, act)
        final = deals.get(FinancingRequest, request_id).state
        assert seen == {final: 1, "STALE": 1}
        advance = deals.all(Advance, request_id=request_id)[0]
        assert advance.state == {"APPROVED": "DECIDED", "WITHDRAWN": "CANCELLED"}[final]
        tree_is_right(deals)


def test_twenty_acceptances_of_one_invoice_book_it_once(db: Database) -> None:
    deals = Deals(db)
    invoice_id = deals.invoice("1,000.00", accepted=False)
    race(
        20,
        lambda n: str(
            deals.run(
                "invoice.accept", APPROVER, f"accept-{n}", items=[{"invoice_id": invoice_id}]
            )["accepted"][0]["irrevocable"]
        ),
    )
    assert len(deals.all(Entry)) == 1
    assert deals.get(Invoice, invoice_id).acceptance_version == 20


def test_a_limit_that_is_lowered_while_requests_run_is_not_overdrawn_by_a_later_one(
    db: Database,
) -> None:
    deals = Deals(db)
    quotes = [deals.quote(deals.invoice("100.00"))["id"] for _ in range(20)]

    def act(number: int) -> str:
        if number == 10:
            return str(
                deals.run(
                    "limit.set", CHECKER, "lower", kind="obligor", subject_id=ANCHOR,
                    currency="EUR", limit_minor=eur("500.00"),
                )["state"]
            )  # fmt: skip
        return str(deals.submit(quotes[number], f"s{number}")["state"])

    seen = race(20, act)
    assert set(seen) <= {"OPEN", "BREACHED", "IN_REVIEW", "LIMIT_OBLIGOR"}
    node = deals.all(LimitNode, kind="obligor")[0]
    assert node.held_minor == seen["IN_REVIEW"] * eur("100.00")
    if seen["OPEN"]:
        assert node.held_minor == node.limit_minor
    with deals.db.snapshot() as conn:
        assert limits.recompute(conn) == []
