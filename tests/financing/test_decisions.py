"""Checks, four eyes, deadlines and endings of a request, on both engines."""

import datetime as dt
import itertools

import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.financing.lifecycle import CODE_OF_HIT
from scf.financing.models import Advance, AdvanceEvent, Decision, FinancingRequest, ManualCheck
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.offers.models import Quote
from scf.parties.models import BankAccount
from scf.programmes import limits
from scf.programmes.models import LimitNode, ProgrammeClaim
from scf.programmes.terms import CHECKS_BEFORE_DECISION, CHECKS_BEFORE_PAYOUT
from tests.support.deals import (
    ANCHOR,
    APPROVER,
    BANK,
    CHECKER,
    DAY,
    HEAD,
    MAKER,
    OTHER_MAKER,
    SELLER,
    TREASURER,
    Deals,
    eur,
)

BOTH = Actor("u-both", BANK, frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER}))


@pytest.fixture
def deals(db: Database) -> Deals:
    return Deals(db)


@pytest.fixture
def request_id(deals: Deals) -> str:
    return str(deals.request(deals.invoice("1,000.00"))["id"])


def everything_is_free(deals: Deals) -> bool:
    held = [row.held_minor + row.utilised_minor for row in deals.all(LimitNode)]
    invoices = [row.held_minor + row.outstanding_minor for row in deals.all(Invoice)]
    with deals.db.snapshot() as conn:
        assert limits.recompute(conn) == []
    return not any(held) and not any(invoices) and not deals.all(ProgrammeClaim, live=True)


def advance(deals: Deals) -> str:
    return str(deals.all(Advance)[0].state)


# --- The way through --------------------------------------------------------------------------


def test_a_request_goes_through_every_state_and_each_step_is_on_record(
    deals: Deals, request_id: str
) -> None:
    seen = [advance(deals)]
    for kind in CHECKS_BEFORE_DECISION:
        answer = deals.check(request_id, kind)
        seen.append(advance(deals))
    assert answer["missing"] == []
    assert deals.decide(request_id, MAKER)["state"] == "IN_REVIEW"
    decided = deals.decide(request_id, CHECKER)
    assert (decided["state"], decided["missing"]) == ("APPROVED", list(CHECKS_BEFORE_PAYOUT))
    seen.append(advance(deals))
    for kind in CHECKS_BEFORE_PAYOUT:
        deals.check(request_id, kind, who=CHECKER)
        seen.append(advance(deals))
    assert seen == [
        "HELD", "HELD", "HELD", "HELD", "PRECHECKED", "DECIDED", "SIGNED", "REGISTERED",
        "RECHECKED",
    ]  # fmt: skip
    assert [row.event for row in deals.all(AdvanceEvent)] == [
        "request", "hold", "precheck", "decide", "sign", "register", "recheck",
    ]  # fmt: skip
    assert len(deals.all(ManualCheck)) == 7
    assert {row.evidence for row in deals.all(ManualCheck)} == {"looked at the file"}


def test_a_step_that_the_programme_does_not_require_is_passed_in_so_many_words(
    db: Database,
) -> None:
    deals = Deals(db, checks_before_decision="[]", checks_before_payout='["registration"]')
    request_id = deals.request(deals.invoice("1,000.00"))["id"]
    deals.decide(request_id, MAKER)
    decided = deals.decide(request_id, CHECKER)
    assert (advance(deals), decided["missing"]) == ("SIGNED", ["registration"])
    deals.check(request_id, "registration")
    assert advance(deals) == "RECHECKED"
    facts = {row.event: row.facts for row in deals.all(AdvanceEvent)}
    assert facts["precheck"] == {"not_required": True}
    assert facts["sign"] == {"check": "e_signature", "not_required": True}
    assert facts["register"] == {"check": "registration"}
    assert facts["recheck"] == {"check": "recheck", "not_required": True}


def test_a_programme_without_later_checks_is_ready_at_once(db: Database) -> None:
    deals = Deals(db, checks_before_payout="[]")
    deals.approve(deals.request(deals.invoice("1,000.00"))["id"])
    assert advance(deals) == "RECHECKED"


# --- Checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", CHECKS_BEFORE_DECISION)
def test_no_decision_while_a_check_is_missing(deals: Deals, request_id: str, missing: str) -> None:
    deals.check(request_id, *(kind for kind in CHECKS_BEFORE_DECISION if kind != missing))
    with pytest.raises(RuleViolation, match="CHECK_MISSING") as refused:
        deals.decide(request_id, MAKER)
    assert refused.value.facts["missing"] == [missing]


@pytest.mark.parametrize("kind", CHECKS_BEFORE_PAYOUT[1:])
def test_signature_registration_and_second_search_come_in_this_order(
    deals: Deals, request_id: str, kind: str
) -> None:
    deals.approve(request_id)
    with pytest.raises(RuleViolation, match="CHECK_ORDER") as refused:
        deals.check(request_id, kind)
    assert refused.value.facts["missing"] == ["e_signature"]


@pytest.mark.parametrize("kind", CHECKS_BEFORE_DECISION)
def test_a_hit_refuses_and_frees_everything(deals: Deals, request_id: str, kind: str) -> None:
    answer = deals.check(request_id, kind, result="HIT")
    assert (answer["state"], answer["code"]) == ("DECLINED", CODE_OF_HIT[kind])
    assert advance(deals) == "DECLINED"
    assert everything_is_free(deals)


@pytest.mark.parametrize("kind", CHECKS_BEFORE_PAYOUT)
def test_a_hit_after_approval_refuses_too(deals: Deals, request_id: str, kind: str) -> None:
    deals.approve(request_id)
    deals.check(request_id, *CHECKS_BEFORE_PAYOUT[: CHECKS_BEFORE_PAYOUT.index(kind)])
    answer = deals.check(request_id, kind, result="HIT")
    assert (answer["state"], answer["code"]) == ("DECLINED", CODE_OF_HIT[kind])
    assert everything_is_free(deals)


def test_a_check_belongs_to_its_stage(deals: Deals, request_id: str) -> None:
    with pytest.raises(Conflict, match="CHECK_STATE"):
        deals.check(request_id, "recheck")
    deals.approve(request_id)
    with pytest.raises(Conflict, match="CHECK_STATE"):
        deals.check(request_id, "screening")


def test_a_check_without_evidence_is_no_check(deals: Deals, request_id: str) -> None:
    with pytest.raises(InvalidInput):
        deals.run(
            "request.check", MAKER, request_id=request_id, kind="screening", result="CLEAR",
            evidence="",
        )  # fmt: skip


# --- Four eyes --------------------------------------------------------------------------------

WHO = {
    "maker": MAKER,
    "checker": CHECKER,
    "head": HEAD,
    "both": BOTH,
    "seller": TREASURER,
    "anchor": APPROVER,
    "other bank": OTHER_MAKER,
    "submitter moved to the bank": Actor("u-treasurer", BANK, BOTH.roles),
    "seller's officer": Actor("u-sneaky", SELLER, BOTH.roles),
}
ALLOWED = {
    ("maker", "checker"),
    ("maker", "head"),
    ("maker", "both"),
    ("both", "checker"),
    ("both", "head"),
}


@pytest.mark.parametrize("first", WHO)
def test_four_eyes_matrix(deals: Deals, request_id: str, first: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    may_start = first in {one for one, _ in ALLOWED}
    if not may_start:
        with pytest.raises((NotAllowed, NotFound)):
            deals.decide(request_id, WHO[first])
        assert deals.get(FinancingRequest, request_id).state == "IN_REVIEW"
        return
    deals.decide(request_id, WHO[first])
    for second, actor in WHO.items():
        if (first, second) not in ALLOWED:
            with pytest.raises((NotAllowed, NotFound)):
                deals.decide(request_id, actor)
    assert deals.get(FinancingRequest, request_id).state == "IN_REVIEW"
    second = next(two for one, two in sorted(ALLOWED) if one == first)
    assert deals.decide(request_id, WHO[second])["state"] == "APPROVED"
    people = {row.user_id for row in deals.all(Decision)}
    assert len(people) == 2


def test_a_decision_is_on_the_version_that_was_read(deals: Deals, request_id: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.decide(request_id, MAKER, version=1)
    with pytest.raises(Conflict, match="STALE") as stale:
        deals.decide(request_id, CHECKER, version=1)
    assert stale.value.facts["version"] == 2
    assert deals.decide(request_id, CHECKER, version=2)["version"] == 3
    with pytest.raises(Conflict, match="STALE"):
        deals.decide(request_id, HEAD, version=2)
    with pytest.raises(Conflict, match="DECISION_STATE"):
        deals.decide(request_id, HEAD, version=3)


def test_both_officers_sign_the_same(deals: Deals, request_id: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.decide(request_id, MAKER)
    row = deals.all(Advance)[0]
    deals.change(Advance, row.id, face_minor=row.face_minor + 1, net_minor=row.net_minor + 1)
    with pytest.raises(Conflict, match="STALE"):
        deals.decide(request_id, CHECKER)


def test_a_changed_account_stops_the_decision(deals: Deals, request_id: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.decide(request_id, MAKER)
    deals.clock.advance(minutes=1)
    with deals.db.writer.begin() as conn:
        deals.add_account(conn, SELLER, "FR1420041010050500013M02606")
    with pytest.raises(RuleViolation, match="PAYEE_CHANGED"):
        deals.decide(request_id, CHECKER)
    for account in deals.all(BankAccount):
        deals.change(BankAccount, account.id, state="CLOSED")
    with pytest.raises(RuleViolation, match="ACCOUNT_UNVERIFIED"):
        deals.decide(request_id, CHECKER)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"document_state": "VOID"}, "DOCUMENT_MISSING"),
        ({"title_prior": True}, "TITLE_PRIOR"),
        ({"credited_minor": 1, "over_advance_minor": 1}, "OVER_ADVANCE_OPEN"),
        ({"disputed_minor": 1, "over_advance_minor": 1, "ipu": False}, "DISPUTED"),
    ],
)
def test_a_decision_looks_at_the_invoice_again(
    deals: Deals, request_id: str, values: dict[str, object], code: str
) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.change(Invoice, deals.all(Invoice)[0].id, **values)
    with pytest.raises(RuleViolation, match=code):
        deals.decide(request_id, MAKER)


def test_a_suspended_programme_decides_nothing_new(deals: Deals, request_id: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.run("programme.suspend", HEAD, programme_id=deals.programme_id, reason="review")
    with pytest.raises(RuleViolation, match="PROGRAMME_SUSPENDED"):
        deals.decide(request_id, MAKER)


# --- Decline, withdraw, cancel, expire --------------------------------------------------------


@pytest.mark.parametrize("who", [MAKER, CHECKER, HEAD], ids=["maker", "checker", "head"])
def test_one_officer_declines_with_a_code_and_everything_is_free(
    deals: Deals, request_id: str, who: Actor
) -> None:
    answer = deals.decide(
        request_id, who, "DECLINE", code="CONCENTRATION", gap="12.5 % over the group's share"
    )
    assert (answer["state"], answer["code"]) == ("DECLINED", "CONCENTRATION")
    row = deals.get(FinancingRequest, request_id)
    assert row.decline_facts == {"gap": "12.5 % over the group's share"}
    assert everything_is_free(deals)


def test_a_decline_says_why(deals: Deals, request_id: str) -> None:
    with pytest.raises(InvalidInput, match="CODE_MISSING"):
        deals.decide(request_id, MAKER, "DECLINE")


def test_the_checker_declines_what_the_maker_approved(deals: Deals, request_id: str) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.decide(request_id, MAKER)
    deals.decide(request_id, CHECKER, "DECLINE", code="AUTHORITY")
    assert everything_is_free(deals)


STAGES = ("submitted", "in review", "approved", "signed", "rechecked")


def bring_to(deals: Deals, request_id: str, stage: str) -> None:
    steps = itertools.takewhile(lambda name: name != stage, STAGES)
    for name in steps:
        if name == "submitted":
            deals.check(request_id, *CHECKS_BEFORE_DECISION)
            deals.decide(request_id, MAKER)
        elif name == "in review":
            deals.decide(request_id, CHECKER)
        elif name == "approved":
            deals.check(request_id, "e_signature")
        else:
            deals.check(request_id, "registration", "recheck")


@pytest.mark.parametrize("stage", STAGES)
def test_a_request_is_withdrawn_from_any_state_before_instruction(
    deals: Deals, request_id: str, stage: str
) -> None:
    bring_to(deals, request_id, stage)
    answer = deals.run("request.withdraw", TREASURER, request_id=request_id)
    assert answer["state"] == "WITHDRAWN"
    assert advance(deals) == "CANCELLED"
    assert everything_is_free(deals)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        deals.run("request.withdraw", TREASURER, request_id=request_id)


def test_once_instructed_nothing_is_withdrawn_or_cancelled(deals: Deals, request_id: str) -> None:
    from scf.financing import advances

    deals.ready(request_id)
    with deals.db.writer.begin() as conn:
        ctx = deals.context(conn)
        ids = list(advances.lock(ctx, [row.id for row in advances.of_request(conn, request_id)]))
        advances.instructed(ctx, ids, DAY)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        deals.run("request.withdraw", TREASURER, request_id=request_id)
    with pytest.raises(Conflict, match="ILLEGAL_TRANSITION"):
        deals.run("request.cancel", HEAD, request_id=request_id, code="AUTHORITY", note="changed")


def test_an_approved_request_is_cancelled_by_the_financier(deals: Deals, request_id: str) -> None:
    deals.ready(request_id)
    answer = deals.run(
        "request.cancel", HEAD, request_id=request_id, code="AUTHORITY", note="limits review"
    )
    assert (answer["state"], advance(deals)) == ("DECLINED", "DECLINED")
    assert everything_is_free(deals)


def test_each_side_ends_a_request_in_its_own_way(deals: Deals, request_id: str) -> None:
    treasurer_of_the_bank = Actor("u-t", BANK, TREASURER.roles)
    with pytest.raises(NotAllowed):
        deals.run("request.withdraw", treasurer_of_the_bank, request_id=request_id)
    officer_of_the_seller = Actor("u-o", SELLER, HEAD.roles)
    with pytest.raises(NotAllowed):
        deals.run(
            "request.cancel", officer_of_the_seller, request_id=request_id, code="XX", note="none"
        )


def test_past_the_deadline_a_request_expires_and_the_outcome_is_kept(
    deals: Deals, request_id: str
) -> None:
    deals.check(request_id, *CHECKS_BEFORE_DECISION)
    deals.clock.advance(hours=6)  # 15:00 UTC is the cut-off itself
    deals.decide(request_id, MAKER)
    deals.clock.advance(seconds=1)
    answer = deals.decide(request_id, CHECKER)
    assert (answer["state"], answer["code"]) == ("EXPIRED", "QUOTE_EXPIRED")
    assert advance(deals) == "EXPIRED"
    assert everything_is_free(deals)


def test_a_price_does_not_outlive_its_value_date(deals: Deals, request_id: str) -> None:
    deals.set_date(DAY + dt.timedelta(days=1))
    answer = deals.check(request_id, "screening")
    assert answer["state"] == "EXPIRED"
    assert everything_is_free(deals)


def test_the_end_of_day_closes_what_nobody_decided(deals: Deals, request_id: str) -> None:
    kept = deals.request(deals.invoice("500.00"))["id"]
    deals.approve(kept)
    late = deals.request(deals.invoice("700.00"))["id"]
    deals.check(late, *CHECKS_BEFORE_DECISION)
    deals.decide(late, MAKER)
    deals.clock.advance(hours=7)
    assert set(deals.run("request.expire", HEAD)["expired"]) == {request_id, late}
    assert deals.get(FinancingRequest, kept).state == "APPROVED"
    assert deals.run("request.expire", HEAD) == {"expired": []}


# --- Submitting -------------------------------------------------------------------------------


def test_a_quote_is_used_once(deals: Deals) -> None:
    quote = deals.quote(deals.invoice())
    deals.submit(quote["id"])
    with pytest.raises(Conflict, match="QUOTE_USED"):
        deals.submit(quote["id"])
    assert deals.get(Quote, quote["id"]).state == "USED"


def test_a_quote_is_taken_by_its_seller_only(deals: Deals) -> None:
    quote = deals.quote(deals.invoice())["id"]
    with pytest.raises(NotFound):
        deals.run("request.submit", Actor("u", "else", TREASURER.roles), quote_id=quote)
    with pytest.raises(NotAllowed):
        deals.run("request.submit", Actor("u", BANK, TREASURER.roles), quote_id=quote)


def test_who_sees_what(deals: Deals, request_id: str) -> None:
    """The buyer must not see what the seller pays; the seller not what the officers wrote."""
    from sqlmodel import select

    deals.approve(request_id)
    sees = {
        actor.org_id: {
            model.__name__
            for model in (FinancingRequest, Advance, AdvanceEvent, Decision, ManualCheck, Quote)
            for session in [deals.db.read(actor)]
            if _any(session, select(model))
        }
        for actor in (TREASURER, MAKER, APPROVER, OTHER_MAKER)
    }
    both = {"FinancingRequest", "Advance", "AdvanceEvent", "Quote"}
    assert sees == {
        SELLER: both,
        BANK: both | {"Decision", "ManualCheck"},
        ANCHOR: set(),
        "other-bank": set(),
    }


def _any(session: object, query: object) -> bool:
    with session as opened:  # type: ignore[attr-defined]
        return bool(opened.exec(query).all())


def test_several_invoices_are_several_advances_each_with_its_own_rounding(deals: Deals) -> None:
    ids = [deals.invoice(f"333.3{place}") for place in range(3)]
    deals.request(*ids)
    rows = deals.all(Advance)
    assert len(rows) == 3
    assert all(row.net_minor == row.face_minor - row.discount_minor - row.fee_minor for row in rows)
    assert sum(row.face_minor for row in rows) == eur("999.93")
