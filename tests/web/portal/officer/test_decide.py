"""A case on its page: checks, two words, what was typed, who was first, and nobody else's case."""

import re
from typing import Any

import pytest
from sqlalchemy import func, select

from scf.financing.models import Decision, FinancingRequest
from scf.kernel.actor import OPERATOR, Role
from scf.kernel.ids import new_id
from tests.support.served import HOST
from tests.web import signing
from tests.web.portal.officer.desk import CHECKER, HEAD, MAKER, Desk, text_of

_REQUEST: Any = FinancingRequest.__table__  # type: ignore[attr-defined]
_DECISION: Any = Decision.__table__  # type: ignore[attr-defined]


def state(desk: Desk, request_id: str) -> str:
    with desk.story.platform.db.snapshot() as conn:
        query = select(_REQUEST.c.state).where(_REQUEST.c.id == request_id)
        return str(conn.execute(query).scalar_one())


def words(desk: Desk) -> int:
    with desk.story.platform.db.snapshot() as conn:
        return int(conn.execute(select(func.count()).select_from(_DECISION)).scalar_one())


def radio(page: str, value: str) -> str:
    found = re.search(rf'<input type="radio" name="outcome" value="{value}"[^>]*>', page)
    assert found is not None, f"no choice {value}"
    return found[0]


def test_two_officers_decide_by_the_pages_alone(desk: Desk) -> None:
    request_id = desk.requested()
    case = f"/cases/{request_id}"
    first = desk.page(MAKER, case)
    for shown in ("Brook Valves", "Halden Appliances", "988,375.00", "priced by contract"):
        assert shown in first
    assert "To approve, record these first" in first
    desk.checked(request_id)
    assert "Your word is recorded" in desk.decided(MAKER, request_id, note="seen and liked")

    second = desk.page(CHECKER, case)
    assert "Omar Haddad" in second
    assert "seen and liked" in second
    assert "Nothing has changed since." in second
    after = desk.decided(CHECKER, request_id)
    assert "Approved." in after
    assert "You can take it back until" in after
    assert state(desk, request_id) == "APPROVED"


def test_a_maker_is_offered_no_word_on_the_own_recommendation(desk: Desk) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    page = desk.page(MAKER, f"/cases/{request_id}")
    assert 'name="outcome"' not in page
    assert f"/cases/{request_id}/decide" not in page
    assert "nobody checks the own work" in page


def test_nothing_is_chosen_for_anybody_while_maker_policy_and_checks_do_not_all_agree(
    desk: Desk,
) -> None:
    request_id = desk.requested()
    page = desk.page(MAKER, f"/cases/{request_id}")
    for value in ("APPROVE", "COUNTER", "RETURN", "DECLINE"):
        assert "checked" not in radio(page, value)
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    # the policy asked for an officer, so agreement of two people still chooses nothing
    assert "checked" not in radio(desk.page(CHECKER, f"/cases/{request_id}"), "APPROVE")


def test_pressing_twice_is_one_word(desk: Desk) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    case = f"/cases/{request_id}"
    fields = desk.form(desk.page(MAKER, case), f"{case}/decide") | {"outcome": "APPROVE"}
    fields |= signing.signature(desk.served, MAKER)
    for _ in range(2):
        assert "Your word is recorded" in desk.again(MAKER, f"{case}/decide", fields)
    assert words(desk) == 1


def test_what_was_typed_is_kept_when_something_is_missing(desk: Desk) -> None:
    request_id = desk.requested()
    case = f"/cases/{request_id}"
    typed: dict[str, Any] = {
        "outcome": "DECLINE",
        "note": "three dots … and a “quote”",
        "gap": "the order",
    }
    page = desk.send(MAKER, f"{case}/decide", case, status=422, sign=True, **typed)
    assert "Choose the reason that the firm reads." in page
    assert typed["note"] in page
    assert typed["gap"] in page
    assert "checked" in radio(page, "DECLINE")
    assert words(desk) == 0


def test_a_wrong_code_says_so_and_decides_nothing(desk: Desk) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    case = f"/cases/{request_id}"
    page = desk.send(
        MAKER, f"{case}/decide", case, status=422, outcome="APPROVE", code="000000", note="mine"
    )
    assert "The code is not right" in page
    assert "mine" in page
    assert words(desk) == 0


def test_a_decline_shows_beforehand_what_the_firm_will_read(desk: Desk) -> None:
    request_id = desk.requested()
    case = f"/cases/{request_id}"
    preview = desk.send(
        MAKER,
        f"{case}/decide",
        case,
        status=200,
        step="preview",
        outcome="DECLINE",
        code1="CONCENTRATION",
        code2="SCREENING_HIT",
        code3="DOCUMENT_MISSING",
    )
    letter = preview.partition("The firm reads:")[2].partition("</ul>")[0]
    assert "It does not fit what we may finance" in letter
    assert "The document needs a check" in letter
    assert "A document is missing" in letter
    assert "watch list" not in letter
    assert words(desk) == 0
    desk.decided(MAKER, request_id, "DECLINE", code1="DOCUMENT_MISSING", gap="the receipt")
    assert state(desk, request_id) == "DECLINED"


def test_a_question_stops_the_clock_and_is_taken_back_within_minutes(desk: Desk) -> None:
    request_id = desk.requested()
    case = f"/cases/{request_id}"
    page = desk.decided(MAKER, request_id, "RETURN", question="Which order is this?")
    assert "the clock stands still" in page
    assert "Which order is this?" in page
    assert "clock stopped" in desk.page(CHECKER, "/queue?view=returned")
    desk.send(MAKER, f"{case}/undo", case)
    assert state(desk, request_id) == "IN_REVIEW"


def test_who_was_second_reads_who_was_first_and_when(desk: Desk) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    case = f"/cases/{request_id}"
    late = desk.form(desk.page(HEAD, case), f"{case}/decide")
    desk.decided(CHECKER, request_id, note="first")
    page = desk.again(
        HEAD,
        f"{case}/decide",
        late | {"outcome": "DECLINE", "code1": "OTHER", "note": "my long note"},
        status=409,
        sign=True,
    )
    for shown in ("Somebody was first", "Chen Wei", "approved", "09:00", "my long note"):
        assert shown in page
    assert f'href="/officer{case}"' in page
    assert state(desk, request_id) == "APPROVED"


def test_an_authority_lowered_meanwhile_refuses_the_word_and_keeps_what_was_typed(
    desk: Desk,
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    desk.decided(MAKER, request_id)
    case = f"/cases/{request_id}"
    late = desk.form(desk.page(CHECKER, case), f"{case}/decide")
    world = desk.story.world
    world.run(
        "authority.set",
        world.people[HEAD],
        user_id=world.people[CHECKER].user_id,
        currency="EUR",
        ceiling_minor=1_00,
        version=0,
    )
    before = state(desk, request_id)
    word = late | {"outcome": "APPROVE", "note": "my long note"}
    page = desk.again(CHECKER, f"{case}/decide", word, status=403, sign=True)

    assert "or the amount is above your authority." in page
    assert "my long note" in page
    assert (words(desk), state(desk, request_id)) == (1, before)


def test_who_was_disabled_meanwhile_decides_nothing_and_can_copy_what_was_typed(
    desk: Desk,
) -> None:
    request_id = desk.requested()
    desk.checked(request_id)
    case = f"/cases/{request_id}"
    late = desk.form(desk.page(MAKER, case), f"{case}/decide")
    person = desk.story.world.people[MAKER].user_id
    desk.story.world.run("user.disable", OPERATOR, user_id=person)
    word = late | {"outcome": "APPROVE", "note": "my long note"}
    page = desk.again(MAKER, f"{case}/decide", word, status=400, sign=True)
    assert "my long note" in page
    assert "Halden" not in page
    assert words(desk) == 0
    browser = desk.browser(MAKER)
    foreign = browser.client.post(
        f"/officer{case}/decide", base_url=HOST, data={"note": "put into your mouth"}
    )
    assert "put into your mouth" not in text_of(foreign, 400)  # no page of ours sent it


@pytest.mark.parametrize("way", ["", "/decide", "/checks", "/undo"])
def test_another_banks_case_answers_as_one_that_does_not_exist(desk: Desk, way: str) -> None:
    request_id = desk.requested()
    world = desk.story.world
    world.firm("other", "financier")
    world.person("stranger", "other", Role.OFFICER_MAKER, Role.OFFICER_CHECKER)
    browser = desk.browser("stranger")
    token = browser.form_token("/")
    answers = []
    for thing in (request_id, new_id()):
        path = f"/officer/cases/{thing}{way}"
        fields = {"outcome": "APPROVE", "evidence": "seen", "kind": "all", "key": "k"}
        answer = browser.post(path, fields, token=token) if way else browser.get(path)
        # A form's own token holds the second in which it was made.
        anew = r'[0-9a-f-]{36}|(?<=name="csrf_token" value=")[^"]*'
        said = re.sub(anew, "ID", answer.get_data(as_text=True))
        answers.append((answer.status_code, said))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert "Brook Valves" not in desk.page("stranger", "/queue")
    for path in ("/advances", "/limits", "/pay-outs", "/receipts", "/books"):
        assert "988,375" not in desk.page("stranger", path)
