"""Deciding without a person: what passes, what is referred and why, and who looks later."""

from typing import Any

import pytest

from scf.db.engine import Database
from scf.financing.models import (
    Advance,
    Decision,
    FinancingRequest,
    ManualCheck,
    RequestReview,
)
from scf.financing.policy import is_drawn
from scf.kernel.errors import Conflict, InvalidInput, RuleViolation
from scf.kernel.ids import new_id
from scf.offers.models import Quote
from scf.parties.factors.models import FactorUse
from scf.programmes.models import LimitNode
from tests.financing.matrix import LARGE, SMALL, MatrixDeals, with_matrix
from tests.support.deals import (
    ANCHOR,
    BANK,
    CHECKER,
    DAY,
    MAKER,
    SELLER,
    TREASURER,
    Deals,
    eur,
)
from tests.support.racing import race


@pytest.fixture
def deals(db: Database) -> MatrixDeals:
    return with_matrix(db)


def failed(deals: Deals, request_id: str) -> dict[str, str]:
    """Give the criteria that a request did not pass, with what was found."""
    row = deals.get(FinancingRequest, request_id)
    return {line["code"]: line["measured"] for line in row.reasons if not line["passed"]}


def test_within_policy_a_request_is_approved_in_the_same_act_with_the_reasons_kept(
    deals: MatrixDeals,
) -> None:
    answer = deals.asked(SMALL)
    assert (answer["state"], answer["advances"][0]["state"]) == ("APPROVED", "DECIDED")
    row = deals.get(FinancingRequest, answer["id"])
    assert (row.decided_by, row.decided_at) == ("policy", deals.clock.now())
    assert [line["code"] for line in row.reasons] == [
        "ROUTE", "BAND", "CHECK_DUPLICATE", "RING", "LIMITS",
    ]  # fmt: skip
    assert all(line["passed"] for line in row.reasons)
    (word,) = deals.all(Decision)
    assert (word.user_id, word.outcome, len(word.policy_version)) == (
        "system:policy",
        "APPROVE",
        64,
    )
    assert word.seen == {"reasons": row.reasons}
    (check,) = deals.all(ManualCheck)
    assert (check.kind, check.result, check.source) == ("duplicate", "CLEAR", "platform")
    assert "claim keys searched" in check.evidence


def test_a_claim_whose_goods_come_back_to_their_seller_is_looked_at(deals: MatrixDeals) -> None:
    with deals.db.writer.begin() as conn:
        deals.add_firm(conn, "between")
    for seller, buyer in ((ANCHOR, "between"), ("between", SELLER)):
        deals.invoice("960.00", accepted=False, seller_id=seller, buyer_id=buyer, org_id=seller)
    answer = deals.asked(SMALL)
    assert answer["state"] == "IN_REVIEW"
    assert failed(deals, answer["id"]) == {"RING": "anchor → between → seller → anchor"}


def owned(deals: Deals, firm: str, owner: str) -> dict[str, Any]:
    """Say who owns a firm, and let another person confirm it where that is needed."""
    made = deals.run(
        "firm.fact", MAKER, firm_id=firm, kind="owner", owner_id=owner, evidence="register of firms"
    )
    if made["waits_for_second"]:
        deals.run("firm.fact.confirm", CHECKER, fact_id=made["id"])
    return made


def test_a_ring_through_firms_of_one_group_is_looked_at(deals: MatrixDeals) -> None:
    """Goods go in at one firm of a group and come out of another."""
    with deals.db.writer.begin() as conn:
        for name in ("sister", "between"):
            deals.add_firm(conn, name)
    for seller, buyer in (("sister", "between"), ("between", SELLER)):
        deals.invoice("400.00", accepted=False, seller_id=seller, buyer_id=buyer, org_id=seller)
    assert deals.asked("400.00")["state"] == "APPROVED", "nothing ties the sister to the anchor"
    assert owned(deals, "sister", ANCHOR)["waits_for_second"] is False
    answer = deals.asked("401.00")
    assert answer["state"] == "IN_REVIEW"
    ring = "between → seller → anchor / sister → between"
    assert failed(deals, answer["id"]) == {"RING": ring}
    assert owned(deals, "sister", "sister")["waits_for_second"] is True
    assert deals.asked("402.00")["state"] == "APPROVED"


def test_a_claim_inside_one_group_is_never_approved_by_the_policy(deals: MatrixDeals) -> None:
    owned(deals, SELLER, ANCHOR)
    answer = deals.asked(SMALL)
    assert answer["state"] == "IN_REVIEW"
    assert failed(deals, answer["id"]) == {"OWN_GROUP": "anchor / seller"}


@pytest.mark.parametrize(
    ("amount", "route", "why"),
    [
        (SMALL, "officer", {"ROUTE": "officer"}),
        (SMALL, "two_officers", {"ROUTE": "two_officers"}),
        (LARGE, "auto", {"BAND": "1000.01 EUR"}),
        (LARGE, "officer", {"ROUTE": "officer", "BAND": "1000.01 EUR"}),
    ],
)
def test_what_is_not_within_policy_waits_with_the_reason_why(
    deals: MatrixDeals, amount: str, route: str, why: dict[str, str]
) -> None:
    answer = deals.asked(amount, route)
    assert (answer["state"], answer["advances"][0]["state"]) == ("IN_REVIEW", "HELD")
    assert failed(deals, answer["id"]) == why
    assert deals.all(Decision) == []


def test_a_check_that_the_platform_cannot_answer_is_named_and_never_passed_over(
    db: Database,
) -> None:
    deals = with_matrix(db, checks_before_decision='["duplicate", "screening"]')
    answer = deals.asked(SMALL)
    assert answer["state"] == "IN_REVIEW"
    assert failed(deals, answer["id"]) == {"CHECK_SCREENING": ""}
    deals.check(answer["id"], "screening")
    assert deals.decide(answer["id"], MAKER)["state"] == "APPROVED"


def test_a_programme_that_does_not_let_the_platform_answer_asks_an_officer(db: Database) -> None:
    deals = with_matrix(db, platform_checks="[]")
    answer = deals.asked(SMALL)
    assert failed(deals, answer["id"]) == {"CHECK_DUPLICATE": ""}
    assert deals.all(ManualCheck) == []


def test_a_contract_price_under_four_eyes_is_never_decided_by_the_policy(db: Database) -> None:
    deals = Deals(db)
    answer = deals.request(deals.invoice(SMALL))
    assert {"ROUTE", "BAND", "CHECK_SCREENING"} <= set(failed(deals, answer["id"]))


def test_an_earlier_claim_of_the_same_invoice_is_a_hit_that_a_person_must_clear(
    deals: MatrixDeals,
) -> None:
    twin = deals.invoice(SMALL, number="INV-7", duplicate_key="the-claim", document_state="VOID",
                         held_minor=1, accepted=False)  # fmt: skip
    quote = deals.quoted(SMALL, number="inv 7", duplicate_key="the-claim")
    answer = deals.submit(quote)
    assert failed(deals, answer["id"]) == {"CHECK_DUPLICATE": "HIT"}
    (check,) = deals.all(ManualCheck)
    assert check.result == "HIT"
    assert twin not in check.evidence  # what others claim is not told
    with pytest.raises(RuleViolation, match="CHECK_MISSING"):
        deals.decide(answer["id"], MAKER)
    deals.check(answer["id"], "duplicate")
    assert deals.decide(answer["id"], MAKER)["state"] == "APPROVED"


def test_a_large_amount_is_not_passed_in_slices(deals: MatrixDeals) -> None:
    assert deals.asked("600.00")["state"] == "APPROVED"
    second = deals.asked("600.00")
    assert failed(deals, second["id"]) == {"BAND": "1200.00 EUR"}
    assert deals.asked("400.00")["state"] == "APPROVED"


# --- A signature, handed in with the request --------------------------------------------------


def proof(deals: MatrixDeals, bound_to: str, **other: str) -> dict[str, str]:
    """Let the treasurer use a second factor once."""
    with deals.db.writer.begin() as conn:
        values: dict[str, Any] = {
            "id": new_id(), "user_id": TREASURER.user_id, "proof": new_id(), "method": "totp",
            "purpose": "step-up", "bound_to": bound_to, "form_key": "f",
            "used_at": deals.clock.now(), **other,
        }  # fmt: skip
        deals._insert(conn, FactorUse(**values))
    return {"evidence_id": str(values["id"])}


def bound_to(deals: MatrixDeals, quote_id: str) -> str:
    from scf.financing.signing import quote_digest

    with deals.db.snapshot() as conn:
        return quote_digest(conn, deals.get(Quote, quote_id))


def test_a_second_factor_bound_to_the_quote_is_the_signature(deals: MatrixDeals) -> None:
    deals.person(TREASURER.user_id, "mira@seller.example", org=SELLER)
    quote = deals.quoted(SMALL)
    signature = proof(deals, bound_to(deals, quote))
    answer = deals.run("request.submit", TREASURER, quote_id=quote, signature=signature)
    assert answer["advances"][0]["state"] == "REGISTERED"  # only the search of the day is left
    (check,) = deals.all(ManualCheck, kind="e_signature")
    assert check.source == "platform"
    assert signature["evidence_id"] in check.evidence
    assert bound_to(deals, quote) in check.evidence


@pytest.mark.parametrize(
    "wrong", ["other quote", "other person", "long ago", "sign-in", "invented"]
)
def test_a_proof_for_something_else_signs_nothing(deals: MatrixDeals, wrong: str) -> None:
    deals.person(TREASURER.user_id, "mira@seller.example", org=SELLER)
    deals.person("u-other", "other@seller.example", org=SELLER)
    quote = deals.quoted(SMALL)
    digest = "d" * 64 if wrong == "other quote" else bound_to(deals, quote)
    values: dict[str, str] = {
        "other person": {"user_id": "u-other"}, "sign-in": {"purpose": "sign-in"},
    }.get(wrong, {})  # fmt: skip
    signature = proof(deals, digest, **values)
    if wrong == "invented":
        signature = {"evidence_id": new_id()}
    if wrong == "long ago":
        deals.clock.advance(minutes=16)
        quote = deals.quoted(SMALL)
    with pytest.raises(RuleViolation, match="SIGNATURE_VOID"):
        deals.run("request.submit", TREASURER, quote_id=quote, signature=signature)
    assert deals.all(FinancingRequest) == []


# --- Looking later ----------------------------------------------------------------------------


def test_about_two_of_a_hundred_are_drawn_and_the_draw_can_be_repeated() -> None:
    ids = [f"request-{number}" for number in range(20_000)]
    drawn = [one for one in ids if is_drawn(one, "policy", 20_000)]
    assert 340 < len(drawn) < 460
    assert drawn == [one for one in ids if is_drawn(one, "policy", 20_000)]
    assert drawn != [one for one in ids if is_drawn(one, "another policy", 20_000)]
    assert not any(is_drawn(one, "policy", 0) for one in ids[:100])
    assert all(is_drawn(one, "policy", 1_000_000) for one in ids[:100])


def test_a_drawn_approval_is_looked_at_once(db: Database) -> None:
    deals = with_matrix(db, sample_ppm="1_000_000")
    request_id = deals.asked(SMALL)["id"]
    (drawn,) = deals.all(RequestReview)
    assert (drawn.request_id, drawn.state) == (request_id, "OPEN")
    with pytest.raises(InvalidInput, match="CODE_MISSING"):
        deals.run("request.review", CHECKER, request_id=request_id, outcome="DISAGREE", note="why?")
    deals.run("request.review", CHECKER, request_id=request_id, outcome="DISAGREE",
              code="WRONG_INPUT", note="the age of the firm is wrong")  # fmt: skip
    with pytest.raises(Conflict, match="REVIEW_STATE"):
        deals.run("request.review", MAKER, request_id=request_id, outcome="AGREE", note="fine")
    assert deals.get(FinancingRequest, request_id).state == "APPROVED"


def test_what_a_person_approved_is_not_drawn(db: Database) -> None:
    deals = with_matrix(db, sample_ppm="1_000_000")
    deals.decide(deals.asked(SMALL, "officer")["id"], MAKER)
    assert deals.all(RequestReview) == []


# --- Races ------------------------------------------------------------------------------------


def test_automatic_approvals_never_exceed_a_limit_that_has_room_for_ten(db: Database) -> None:
    deals = with_matrix(db)
    quotes = [deals.quoted("100.00", number=f"A-{number}") for number in range(64)]
    deals.limit("obligor", ANCHOR, "1,000.00")
    seen = race(64, lambda n: str(deals.submit(quotes[n], f"submit-{n}")["state"]))
    assert seen == {"APPROVED": 10, "LIMIT_OBLIGOR": 54}
    assert len(deals.all(Decision)) == len(deals.all(Advance, state="DECIDED")) == 10
    node = deals.all(LimitNode, kind="obligor")[0]
    assert (node.held_minor, node.financier_id) == (eur("1,000.00"), BANK)
    assert {row.submitted_on for row in deals.all(FinancingRequest)} == {DAY}
