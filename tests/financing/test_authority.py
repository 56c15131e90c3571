"""Bands, ceilings, and nobody on one's own money."""

import pytest

from scf.db.engine import Database
from scf.financing.acts import acts_of
from scf.financing.models import Advance, Decision, FinancingRequest
from scf.kernel.actor import Actor, Role
from scf.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from scf.programmes.service import terms_of_version
from tests.financing.matrix import HUGE, LARGE, SMALL, MatrixDeals, with_matrix
from tests.support.deals import (
    BANK,
    CHECKER,
    HEAD,
    MAKER,
    SELLER,
    TREASURER,
    eur,
)
from tests.support.racing import race

ADMIN = Actor("u-admin", BANK, frozenset({Role.ADMINISTRATOR}))


@pytest.fixture
def deals(db: Database) -> MatrixDeals:
    return with_matrix(db)


# --- Bands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [MAKER, CHECKER, HEAD], ids=["maker", "checker", "head"])
def test_one_officer_decides_a_small_case(deals: MatrixDeals, who: Actor) -> None:
    assert deals.decide(deals.asked(SMALL, "officer")["id"], who)["state"] == "APPROVED"


@pytest.mark.parametrize(
    ("amount", "route", "second", "also"),
    [
        (LARGE, "officer", CHECKER, "two people by amount"),
        (SMALL, "two_officers", CHECKER, "two people by route"),
        (HUGE, "officer", HEAD, "the head office above"),
    ],
)
def test_two_people_decide_a_larger_or_riskier_case(
    deals: MatrixDeals, amount: str, route: str, second: Actor, also: str
) -> None:
    request_id = deals.asked(amount, route)["id"]
    assert deals.decide(request_id, MAKER)["state"] == "IN_REVIEW", also
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.decide(request_id, MAKER)
    if second is HEAD:
        with pytest.raises(NotAllowed, match="AUTHORITY"):
            deals.decide(request_id, CHECKER)
    assert deals.decide(request_id, second)["state"] == "APPROVED"


def test_a_first_word_is_for_the_roles_of_its_band(deals: MatrixDeals) -> None:
    request_id = deals.asked(LARGE, "officer")["id"]
    with pytest.raises(NotAllowed, match="AUTHORITY") as refused:
        deals.decide(request_id, CHECKER)
    assert refused.value.facts["needs_one_of"] == ["officer_maker"]


# --- Ceilings ---------------------------------------------------------------------------------


def test_above_the_own_ceiling_a_word_is_a_proposal(deals: MatrixDeals) -> None:
    deals.person(MAKER.user_id, "omar@bank.example", Role.OFFICER_MAKER)
    deals.person(CHECKER.user_id, "chen@bank.example", Role.OFFICER_CHECKER)
    deals.ceiling(MAKER.user_id, eur("500.00"))
    deals.ceiling(CHECKER.user_id, eur("900.00"))
    assert deals.decide(deals.asked("500.00", "officer")["id"], MAKER)["state"] == "APPROVED"
    request_id = deals.asked(SMALL, "officer")["id"]
    assert deals.decide(request_id, MAKER)["state"] == "IN_REVIEW"
    with pytest.raises(NotAllowed, match="AUTHORITY") as refused:
        deals.decide(request_id, CHECKER)
    assert refused.value.facts["ceiling_minor"] == eur("900.00")
    assert deals.decide(request_id, HEAD)["state"] == "APPROVED"


def test_a_ceiling_is_set_by_others_for_officers_of_the_house(deals: MatrixDeals) -> None:
    deals.person(HEAD.user_id, "hana@bank.example", Role.HEAD_OFFICE)
    deals.person(MAKER.user_id, "omar@bank.example", Role.OFFICER_MAKER)
    deals.person(TREASURER.user_id, "mira@seller.example", Role.TREASURER, org=SELLER)
    values = {"currency": "EUR", "ceiling_minor": 5}
    with pytest.raises(NotAllowed, match="OWN_AUTHORITY"):
        deals.run("authority.set", HEAD, user_id=HEAD.user_id, **values)
    with pytest.raises(NotFound):
        deals.run("authority.set", HEAD, user_id=TREASURER.user_id, **values)
    made = deals.run("authority.set", ADMIN, user_id=MAKER.user_id, **values)
    edit = {**values, "user_id": MAKER.user_id, "version": made["version"]}
    assert deals.run("authority.set", HEAD, **edit)["version"] == 2
    with pytest.raises(Conflict, match="STALE"):
        deals.run("authority.set", HEAD, **edit)


# --- One's own money --------------------------------------------------------------------------


def test_another_account_of_the_same_mailbox_is_the_same_person(deals: MatrixDeals) -> None:
    deals.person(TREASURER.user_id, "mira+sales@firm.example", Role.TREASURER, org=SELLER)
    deals.person("u-mira", "Mira@firm.example", Role.OFFICER_MAKER)
    deals.person("u-omar", "omar@bank.example", Role.OFFICER_MAKER, Role.OFFICER_CHECKER)
    deals.person("u-omar-2", "omar+2@bank.example", Role.OFFICER_CHECKER)
    request_id = deals.asked(LARGE, "officer")["id"]
    mira = Actor("u-mira", BANK, frozenset({Role.OFFICER_MAKER}))
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.decide(request_id, mira)
    omar = Actor("u-omar", BANK, frozenset({Role.OFFICER_MAKER, Role.OFFICER_CHECKER}))
    again = Actor("u-omar-2", BANK, frozenset({Role.OFFICER_CHECKER}))
    deals.decide(request_id, omar)
    for who in (omar, again):
        with pytest.raises(NotAllowed, match="FOUR_EYES"):
            deals.decide(request_id, who)


def test_who_accepted_the_invoice_for_the_anchor_does_not_decide_on_it(deals: MatrixDeals) -> None:
    request_id = deals.asked(SMALL, "officer")["id"]
    moved = Actor("u-approver", BANK, frozenset({Role.OFFICER_MAKER}))
    with pytest.raises(NotAllowed, match="FOUR_EYES"):
        deals.decide(request_id, moved)


def test_a_role_that_was_taken_away_in_between_counts_no_more(deals: MatrixDeals) -> None:
    deals.person(MAKER.user_id, "omar@bank.example")  # signed in as a maker, and no longer one
    request_id = deals.asked(SMALL, "officer")["id"]
    with pytest.raises(NotAllowed, match="AUTHORITY"):
        deals.decide(request_id, MAKER)


# --- Overrides --------------------------------------------------------------------------------


def override(deals: MatrixDeals, request_id: str, who: Actor, **said: object) -> dict[str, object]:
    values = {"what": "route", "value": "officer", "code": "EVIDENCE_SEEN", "note": "seen"}
    return deals.run(
        "request.override", who, request_id=request_id, version=deals.version(request_id),
        **{**values, **said},
    )  # fmt: skip


def test_fewer_eyes_are_for_the_head_office_to_allow_which_then_does_not_decide_alone(
    deals: MatrixDeals,
) -> None:
    request_id = deals.asked(SMALL, "two_officers")["id"]
    with pytest.raises(NotAllowed, match="AUTHORITY"):
        override(deals, request_id, CHECKER)
    override(deals, request_id, HEAD)
    assert deals.decide(request_id, HEAD)["state"] == "IN_REVIEW"  # only a proposal
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"


def test_more_eyes_may_be_asked_for_by_anybody_and_void_a_word_already_said(
    deals: MatrixDeals,
) -> None:
    request_id = deals.asked(LARGE, "officer")["id"]
    deals.decide(request_id, MAKER)
    override(deals, request_id, CHECKER, value="two_officers", code="CAUTION")
    with pytest.raises(NotAllowed, match="AUTHORITY"):
        deals.decide(request_id, CHECKER)  # a first word again
    deals.decide(request_id, MAKER)
    assert deals.decide(request_id, CHECKER)["state"] == "APPROVED"
    assert [row.round for row in deals.all(Decision)] == [1, 2, 2]


def test_an_override_names_its_code_and_something_that_is_there(deals: MatrixDeals) -> None:
    request_id = deals.asked(SMALL, "officer")["id"]
    for said in ({"value": "auto"}, {"value": "officer"}, {"what": "reason", "value": "NOTHING"}):
        with pytest.raises(InvalidInput, match="OVERRIDE_VALUE"):
            override(deals, request_id, HEAD, **said)
    with pytest.raises(InvalidInput):
        override(deals, request_id, HEAD, value="two_officers", code="BECAUSE")
    override(deals, request_id, HEAD, what="reason", value="ROUTE")
    assert deals.get(FinancingRequest, request_id).route == "officer"


# --- Races ------------------------------------------------------------------------------------


def test_sixty_four_decisions_on_one_case_are_one(deals: MatrixDeals) -> None:
    request_id = deals.asked(SMALL, "officer")["id"]
    crowd = [MAKER, CHECKER, HEAD, MAKER] * 16

    def decide(number: int) -> str:
        who = crowd[number]
        outcome = {"outcome": "DECLINE", "code": "OTHER"} if number % 8 == 7 else {}
        payload = {"request_id": request_id, "version": 1, "outcome": "APPROVE", **outcome}
        return str(deals.run("request.decide", who, f"{who.user_id}-{number}", **payload)["state"])

    seen = race(len(crowd), decide)
    final = deals.get(FinancingRequest, request_id).state
    assert final in {"APPROVED", "DECLINED"}
    assert seen == {final: 1, "STALE": 63}
    assert len(deals.all(Decision)) == 1


# --- What a page offers -----------------------------------------------------------------------


def acts(deals: MatrixDeals, request_id: str, who: Actor) -> dict[str, str]:
    """Give what a person may do on a request: "yes", "last" (it decides), or why not."""
    with deals.db.snapshot() as conn:
        row = deals.get(FinancingRequest, request_id)
        terms = terms_of_version(conn, deals.all(Advance)[0].programme_version_id)
        found = acts_of(conn, who, row, terms, deals.clock.now())
    return {act.name: ("last" if act.last else "yes") if act.allowed else act.code for act in found}


def test_what_is_offered_is_what_would_be_taken(deals: MatrixDeals) -> None:
    request_id = str(deals.asked(LARGE, "officer")["id"])
    first = acts(deals, request_id, MAKER)
    assert (first["approve"], first["return"], first["undo"]) == ("yes", "yes", "UNDO_STATE")
    assert acts(deals, request_id, CHECKER)["approve"] == "AUTHORITY"
    assert acts(deals, request_id, TREASURER)["approve"] == "NOT_ALLOWED"
    deals.decide(request_id, MAKER)
    assert acts(deals, request_id, MAKER)["approve"] == "FOUR_EYES"
    second = acts(deals, request_id, CHECKER)
    assert (second["approve"], second["counter"], second["differ"]) == ("last", "DIFFERS", "yes")
    deals.decide(request_id, CHECKER)
    after = acts(deals, request_id, CHECKER)
    assert (after["approve"], after["undo"], after["cancel"]) == ("DECISION_STATE", "yes", "yes")
