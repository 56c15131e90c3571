"""What an officer says beside yes: less, a question, no, another opinion, and taking it back."""

from typing import Any

import pytest

from scf.db.engine import Database
from scf.documents.models import Invoice
from scf.financing import advances, guards, retelling
from scf.financing.models import (
    Advance,
    CounterOffer,
    Decision,
    FinancingRequest,
    ManualCheck,
    RequestQuestion,
)
from scf.financing.signing import still_signed
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound, RuleViolation
from scf.parties.models import BankAccount
from scf.programmes import limits
from scf.programmes.models import LimitNode, ProgrammeClaim
from tests.financing.matrix import LARGE, SMALL, MatrixDeals, with_matrix
from tests.support.deals import CHECKER, DAY, HEAD, MAKER, TREASURER, Deals, eur


@pytest.fixture
def deals(db: Database) -> MatrixDeals:
    return with_matrix(db)


def asked(deals: MatrixDeals, amount: str = SMALL) -> str:
    return str(deals.asked(amount, "officer")["id"])


def held(deals: Deals) -> int:
    """Give what the programme holds, once the tree is found to be right."""
    with deals.db.snapshot() as conn:
        assert limits.recompute(conn) == []
    return int(deals.all(LimitNode, kind="programme")[0].held_minor)


def line(deals: Deals, request_id: str, amount: str) -> dict[str, Any]:
    row = deals.all(Advance, request_id=request_id)[0]
    return {"invoice_id": row.invoice_id, "face_minor": eur(amount)}


# --- Less -------------------------------------------------------------------------------------


def test_the_seller_takes_less_and_the_rest_is_free(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    less = [line(deals, request_id, "400.00")]
    answer = deals.decide(request_id, MAKER, "COUNTER", lines=less)
    assert (answer["state"], held(deals)) == ("COUNTER_OFFERED", eur("1,000.00"))
    (offer,) = deals.all(CounterOffer)
    assert (offer.state, offer.face_minor, offer.discount_minor) == ("OPEN", 40_000, 465)
    taken = deals.run("request.take_offer", TREASURER, counter_offer_id=offer.id, version=2)
    assert (taken["state"], taken["face_minor"], taken["net_minor"]) == ("APPROVED", 40_000, 39_535)
    (row,) = deals.all(Advance)
    assert (row.state, row.face_minor, row.net_minor) == ("DECIDED", 40_000, 39_535)
    assert held(deals) == eur("400.00")
    assert deals.all(Invoice)[0].held_minor == eur("400.00")
    with deals.db.snapshot() as conn:
        assert retelling.replay(retelling.events_of(conn, row.id)).state == "DECIDED"
    deals.check(request_id, "e_signature", "recheck")
    with deals.db.writer.begin() as conn:  # what is signed is what is paid
        guards.may_instruct(conn, deals.all(Advance), DAY)


def test_an_invoice_that_is_left_out_is_let_go_altogether(deals: MatrixDeals) -> None:
    ids = [deals.invoice("300.00"), deals.invoice("500.00")]
    request_id = str(deals.request(*ids)["id"])
    out = next(row for row in deals.all(Advance) if row.invoice_id == ids[1])
    deals.decide(
        request_id, MAKER, "COUNTER", lines=[{"invoice_id": out.invoice_id, "face_minor": 0}]
    )
    (offer,) = deals.all(CounterOffer)
    deals.run("request.take_offer", TREASURER, counter_offer_id=offer.id, version=2)
    states = {row.invoice_id: row.state for row in deals.all(Advance)}
    assert states == {ids[0]: "DECIDED", ids[1]: "CANCELLED"}
    assert held(deals) == eur("300.00")
    assert len(deals.all(ProgrammeClaim, live=True)) == 1


@pytest.mark.parametrize("amount", ["1,000.00", "1,000.01", "0.00", "99.99"])
def test_an_offer_is_for_less_and_for_what_the_programme_finances(
    deals: MatrixDeals, amount: str
) -> None:
    request_id = asked(deals)
    with pytest.raises(RuleViolation, match="COUNTER_LINES"):
        deals.decide(request_id, MAKER, "COUNTER", lines=[line(deals, request_id, amount)])


def test_two_officers_offer_the_same_or_nothing(deals: MatrixDeals) -> None:
    request_id = asked(deals, LARGE)
    less = [line(deals, request_id, "400.00")]
    assert deals.decide(request_id, MAKER, "COUNTER", lines=less)["state"] == "IN_REVIEW"
    (proposed,) = deals.all(CounterOffer)
    with pytest.raises(NotFound):  # the seller does not see what is only proposed
        deals.run("request.take_offer", TREASURER, counter_offer_id=proposed.id, version=2)
    with pytest.raises(Conflict, match="DIFFERS"):
        deals.decide(request_id, CHECKER)
    other = [line(deals, request_id, "500.00")]
    with pytest.raises(Conflict, match="DIFFERS"):
        deals.decide(request_id, CHECKER, "COUNTER", lines=other)
    assert deals.decide(request_id, CHECKER, "COUNTER", lines=less)["state"] == "COUNTER_OFFERED"


def test_an_offer_that_nobody_takes_lapses_and_everything_is_free(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER, "COUNTER", lines=[line(deals, request_id, "400.00")])
    deals.clock.advance(hours=7)
    assert deals.run("request.expire", HEAD)["expired"] == [request_id]
    assert deals.get(FinancingRequest, request_id).state == "LAPSED"
    assert deals.all(CounterOffer)[0].state == "LAPSED"
    assert held(deals) == 0


def test_a_changed_offer_is_not_what_was_signed(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER, "COUNTER", lines=[line(deals, request_id, "400.00")])
    (offer,) = deals.all(CounterOffer)
    lines = [{**offer.lines[0], "face_minor": 50_000, "net_minor": 49_535}]
    deals.change(CounterOffer, offer.id, lines=lines, face_minor=50_000, net_minor=49_535)
    with pytest.raises(RuleViolation, match="SIGNATURE_VOID"):
        deals.run("request.take_offer", TREASURER, counter_offer_id=offer.id, version=2)


# --- A question -------------------------------------------------------------------------------


def test_while_the_seller_owes_an_answer_the_clock_stands(deals: MatrixDeals) -> None:
    request_id = asked(deals, LARGE)
    before = deals.get(FinancingRequest, request_id).decide_by
    deals.decide(request_id, MAKER)
    deals.decide(request_id, CHECKER, "RETURN", question="Which order is this for?")
    assert deals.get(FinancingRequest, request_id).state == "RETURNED"
    deals.clock.advance(hours=8)  # past the deadline, and nothing expires
    assert deals.run("request.expire", HEAD)["expired"] == []
    with pytest.raises(Conflict, match="STALE"):
        deals.run("request.answer", TREASURER, request_id=request_id, version=2, answer="4711")
    answer = deals.run("request.answer", TREASURER, request_id=request_id, version=3, answer="4711")
    row = deals.get(FinancingRequest, request_id)
    assert (answer["state"], row.clock_stopped_at) == ("SUBMITTED", None)
    assert (row.decide_by - before).total_seconds() == 8 * 3600
    (question,) = deals.all(RequestQuestion)
    assert (question.state, question.answer) == ("ANSWERED", "4711")
    assert deals.decide(request_id, MAKER)["state"] == "IN_REVIEW"  # from the first word again
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"


def test_a_question_says_something_and_is_answered_once(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    with pytest.raises(InvalidInput, match="QUESTION_MISSING"):
        deals.decide(request_id, MAKER, "RETURN", question="  ")
    deals.decide(request_id, MAKER, "RETURN", question="Which order?")
    deals.run("request.answer", TREASURER, request_id=request_id, version=2, answer="4711")
    with pytest.raises(Conflict, match="QUESTION_STATE"):
        deals.run("request.answer", TREASURER, request_id=request_id, version=3, answer="again")


# --- No, and another opinion ------------------------------------------------------------------


def test_a_decline_ranks_its_codes_from_the_closed_list_and_tells_what_may_be_told(
    deals: MatrixDeals,
) -> None:
    request_id = asked(deals)
    with pytest.raises(InvalidInput):
        deals.decide(request_id, MAKER, "DECLINE", code="NO_LIKE")
    codes = ["SCREENING_HIT", "LIMIT_OBLIGOR", "CONCENTRATION", "DISPUTED"]
    answer = deals.decide(request_id, MAKER, "DECLINE", codes=codes)
    assert answer["letter"] == ["CHECK_NEEDED", "FINANCIER_POLICY", "DISPUTED"]
    row = deals.get(FinancingRequest, request_id)
    assert (row.decline_code, row.decline_facts["codes"]) == ("SCREENING_HIT", codes)
    assert deals.all(Decision)[0].codes == codes


def test_a_second_officer_who_differs_says_why_and_the_case_begins_again(
    deals: MatrixDeals,
) -> None:
    request_id = asked(deals, LARGE)
    with pytest.raises(Conflict, match="DECISION_STATE"):
        deals.decide(request_id, CHECKER, "DIFFER", note="no first word yet")
    deals.decide(request_id, MAKER)
    with pytest.raises(InvalidInput, match="NOTE_MISSING"):
        deals.decide(request_id, CHECKER, "DIFFER")
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.decide(request_id, MAKER, "DIFFER", note="second thoughts")
    deals.decide(request_id, CHECKER, "DIFFER", note="the order is another one")
    assert deals.get(FinancingRequest, request_id).round == 2
    deals.decide(request_id, MAKER)
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"


# --- Taking it back ---------------------------------------------------------------------------


def undo(deals: Deals, request_id: str, who: Any = MAKER) -> dict[str, Any]:  # noqa: ANN401
    version = deals.version(request_id)
    return deals.run("request.undo", who, request_id=request_id, version=version)


def test_a_last_word_is_taken_back_within_five_minutes_by_who_said_it(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER)
    deals.check(request_id, "e_signature", "recheck")
    with pytest.raises(NotAllowed, match="UNDO_OWN"):
        undo(deals, request_id, CHECKER)
    deals.clock.advance(minutes=5)
    assert undo(deals, request_id)["state"] == "IN_REVIEW"
    assert deals.all(Advance)[0].state == "PRECHECKED"
    assert held(deals) == eur("1,000.00")
    deals.decide(request_id, CHECKER)
    # the signature stands on record; the search of the title is made again
    assert deals.all(Advance)[0].state == "REGISTERED"
    deals.clock.advance(minutes=6)
    with pytest.raises(Conflict, match="UNDO_LATE"):
        undo(deals, request_id, CHECKER)


def test_what_is_released_or_declined_is_not_taken_back(deals: MatrixDeals) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER)
    deals.check(request_id, "e_signature", "recheck")
    with deals.db.writer.begin() as conn:
        ctx = deals.context(conn)
        ids = list(advances.lock(ctx, [deals.all(Advance)[0].id]))
        advances.instructed(ctx, ids, DAY)
    with pytest.raises(Conflict, match="UNDO_LATE"):
        undo(deals, request_id)
    declined = asked(deals)
    deals.decide(declined, MAKER, "DECLINE", code="OTHER")
    with pytest.raises(Conflict, match="UNDO_STATE"):
        undo(deals, declined)


# --- What was approved is what is paid --------------------------------------------------------


@pytest.mark.parametrize("moved", ["amount", "currency", "payee", "invoice", "number", "version"])
def test_any_change_after_the_approval_voids_it(deals: MatrixDeals, moved: str) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER)
    deals.check(request_id, "e_signature", "recheck")
    (row,) = deals.all(Advance)
    values: dict[str, Any] = {
        "amount": {"face_minor": row.face_minor + 1, "net_minor": row.net_minor + 1},
        "payee": {"payee_account_id": "another"},
        "invoice": {"invoice_id": deals.invoice("5.00")},
    }.get(moved, {})
    if values:
        deals.change(Advance, row.id, **values)
    elif moved == "number":
        deals.change(BankAccount, row.payee_account_id, number="NL91ABNA0417164300")
    else:
        changed = {"currency": "USD"} if moved == "currency" else {"version": 9}
        deals.change(FinancingRequest, request_id, **changed)
    with deals.db.snapshot() as conn, pytest.raises(RuleViolation, match="SIGNATURE_VOID"):
        still_signed(conn, deals.all(Advance))


# --- An approval that can never be paid -------------------------------------------------------


@pytest.mark.parametrize("stage", ["approved", "ready"])
def test_an_approval_past_its_value_date_is_offered_again_and_then_frees_itself(
    deals: MatrixDeals, stage: str
) -> None:
    request_id = asked(deals)
    deals.decide(request_id, MAKER)
    if stage == "ready":
        deals.check(request_id, "e_signature", "recheck")
    assert deals.run("request.expire", HEAD)["expired"] == []
    deals.set_date(DAY.replace(day=11))
    assert deals.run("request.expire", HEAD)["expired"] == []
    assert deals.get(FinancingRequest, request_id).state == "COUNTER_OFFERED"
    deals.set_date(DAY.replace(day=12))
    assert deals.run("request.expire", HEAD)["expired"] == [request_id]
    assert (deals.all(Advance)[0].state, held(deals)) == ("EXPIRED", 0)
    assert not deals.all(ProgrammeClaim, live=True)


# --- Several at once --------------------------------------------------------------------------


def test_small_cases_that_are_alike_are_approved_together_and_outliers_left(
    deals: MatrixDeals,
) -> None:
    small = [asked(deals, "200.00"), asked(deals, "210.00"), asked(deals, "220.00")]
    outlier, large, done = asked(deals, "900.00"), asked(deals, LARGE), asked(deals, "205.00")
    deals.decide(done, MAKER, "DECLINE", code="OTHER")
    items = [{"request_id": one, "version": 1} for one in (*small, outlier, large, done)]
    answer = deals.run("request.approve_many", MAKER, items=items, note="all of one delivery")
    assert [one["id"] for one in answer["approved"]] == small
    codes = {one["id"]: one["code"] for one in answer["skipped"]}
    assert codes == {outlier: "OUTLIER", large: "OUTLIER", done: "STALE"}
    assert len(deals.all(Decision, outcome="APPROVE")) == 3
    assert len({row.signed_digest for row in deals.all(Decision)}) == 4
    alone = [{"request_id": large, "version": 1}]
    answer = deals.run("request.approve_many", MAKER, items=alone, note="all of one delivery")
    assert answer["skipped"][0]["code"] == "TOO_LARGE"


def test_a_bulk_is_of_ten_at_most_and_of_one_bank(deals: MatrixDeals) -> None:
    items = [{"request_id": f"r{number}", "version": 1} for number in range(11)]
    with pytest.raises(InvalidInput):
        deals.run("request.approve_many", MAKER, items=items, note="too many")
    with pytest.raises(NotFound):
        deals.run("request.approve_many", MAKER, items=items[:1], note="not ours")
    assert deals.all(ManualCheck) == []
